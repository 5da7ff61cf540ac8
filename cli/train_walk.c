/*
 * train_walk.c - takes the steps of a training: keeps its log, its checkpoints and its line on the screen, and listens to signals.
 *
 * Invariant: nothing here changes what a step computes; whatever the disk, the clock and the signals do, the model is the same.
 */
#include "training.h"

#include "output.h"
#include "report.h"
#include "stop.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* Seconds since this process began to walk, and what the log says that earlier ones walked. */
static double seconds_now(const training *t)
{
    return progress_clock() - t->progress.begin + t->trace.earlier;
}

/* The log first, so that what a checkpoint knows is always in it. */
bool train_checkpoint(training *t)
{
    trace_sync(&t->trace);
    return checkpoint_save(&t->checkpoints, progress_clock());
}

/* What comes of taking a snapshot: a refusal is said, but once in a run, and the descent goes on. */
static void tell_refusal(training *t, bool good, const hill_error *error)
{
    text out = TEXT_INIT, words = TEXT_INIT;
    if (good)
        return;
    text_format(&words, "no snapshot: %s; the descent goes on, and tries again at the next without a word", error->text);
    progress_clear(&t->progress);
    report_line(&out, STDERR_FILENO, "warning", text_get(&words));
    output_say(&out);
    text_free(&words);
    text_free(&out);
}

static void take_snapshot(training *t, uint64_t step)
{
    hill_error error = HILL_ERROR_INIT;
    tell_refusal(t, snapshots_take(&t->snapshots, step, &error), &error);
}

/* The descent diverged and went back: that is said and logged. */
static void tell_way_back(training *t, const hill_row *row, uint64_t diverged)
{
    text out = TEXT_INIT;
    progress_clear(&t->progress);
    report_line(&out, STDERR_FILENO, "back", hill_run_message(t->run));
    output_say(&out);
    text_free(&out);
    trace_back(&t->trace, t->run, row, diverged, seconds_now(t));
    t->progress.look_at = row->step + 1;
    checkpoint_schedule(&t->checkpoints, row->step, progress_clock());
    snapshots_back(&t->snapshots, row->step);
    if (t->curve)
        curve_back(t->curve, row->step / t->progress.epoch_steps);
    t->progress.train = t->progress.valid = NAN;
}

/* What has to be done after a step now and then. */
static void after_step(training *t, const hill_row *row)
{
    bool due = row->step >= t->checkpoints.due_step, asked = false;
    if (row->want)
        trace_row(&t->trace, row, seconds_now(t));
    if (row->epoch_end) {
        t->progress.train = row->train_cost;
        t->progress.valid = row->valid_cost;
        if (t->curve && row->epoch >= t->curve->next)
            curve_add(t->curve, row->epoch, row->train_cost, row->valid_cost);
        if (row->step >= t->snapshots.due_step)
            take_snapshot(t, row->step);
    }
    if (row->step >= t->progress.look_at)
        due = progress_look(&t->progress, row) >= t->checkpoints.due || due;
    if (atomic_load_explicit(&stop_notice, memory_order_relaxed)) {
        atomic_store(&stop_notice, 0);
        due = due || (stop_save && !t->checkpoints.off);
        stop_save = 0;
        asked = t->live != NULL;
    }
    if (due)
        (void)train_checkpoint(t);
    if (asked) {
        t->row = *row;
        live_attend(t);
    }
}

/* Steps until the end, or until somebody wants it to end. Returns the last status. */
static int walk(training *t)
{
    int status = HILL_ROW;
    hill_row row = t->row;
    while (!stop_signal && !t->asked_to_end) {
        row.want = trace_wants(&t->trace, row.step + 1) ? HILL_WANT_NORMS : 0;
        status = hill_step(t->run, &row);
        if (status != HILL_ROW)
            break;
        if (row.back)
            tell_way_back(t, &row, t->row.step + 1);
        else if (row.want || row.epoch_end || atomic_load_explicit(&stop_notice, memory_order_relaxed) ||
                 row.step >= t->progress.look_at || row.step >= t->checkpoints.due_step)
            after_step(t, &row);
        t->row.step = row.step;
    }
    t->row = row;
    t->seconds = progress_clock() - t->progress.begin;
    progress_clear(&t->progress);
    return t->asked_to_end ? HILL_DONE : status;
}

const char *train_stopped(const training *t)
{
    const char *stopped = hill_run_stopped(t->run);
    return *stopped || !t->asked_to_end ? stopped : "page";
}

/* The command that goes on: this one, but for what would begin anew, and from the file that it was told to go on from. */
static void add_command(const training *t, text *out)
{
    const arguments *a = t->a;
    const char *from = a->values[OPTION_RESUME];
    text_shell(out, a->program);
    text_format(out, " %s", a->verb->name);
    for (int i = 0; i < a->word_count; i++) {
        const char *word = a->words[i];
        if (strcmp(word, "--fresh") == 0 || strncmp(word, "--resume=", strlen("--resume=")) == 0)
            continue;
        if (strcmp(word, "--resume") == 0) {
            i++;
            continue;
        }
        text_string(out, " ");
        text_shell(out, word);
    }
    if (from) {
        text_string(out, " --resume ");
        text_shell(out, text_get(&t->checkpoints.names[t->checkpoints.newest]));
    }
}

/* On a line of its own, however long, for somebody to paste. */
static void say_command(const training *t)
{
    text command = TEXT_INIT, line = TEXT_INIT;
    add_command(t, &command);
    text_safe(&line, text_get(&command), true);
    text_string(&line, "\n");
    output_say(&line);
    text_free(&line);
    text_free(&command);
}

int train_interrupted(training *t)
{
    bool by_key = stop_signal == SIGINT;
    text words = TEXT_INIT;
    bool saved = !t->checkpoints.off && train_checkpoint(t);
    bool goes_on = checkpoint_stands(&t->checkpoints);
    (void)trace_end(&t->trace, "interrupted", &t->row, seconds_now(t));
    live_ended(t, "interrupted", "");
    if (goes_on)
        text_format(&words, saved ? "saved in %s" : "%s is intact", text_get(&t->checkpoints.names[t->checkpoints.newest]));
    if (goes_on && !saved)
        text_format(&words, ", of step %llu", (unsigned long long)t->checkpoints.newest_step);
    text_string(&words, goes_on ? "; this goes on from there:" : "nothing was saved");
    int code = output_error(by_key ? CODE_INTERRUPT : CODE_TERMINATE, "stopped by %s after step %llu of %llu; %s",
                            by_key ? "Ctrl-C" : "SIGTERM", (unsigned long long)t->row.step,
                            (unsigned long long)t->progress.total, text_get(&words));
    if (goes_on)
        say_command(t);
    text_free(&words);
    return code;
}

/* Where the descent stands before its first step of this process. */
static void stand(training *t, double now)
{
    uint64_t steps = hill_run_steps(t->run, NULL), each = hill_run_epoch_steps(t->run);
    t->row.step = steps;
    t->row.epoch = steps / each + (steps % each != 0);
    checkpoint_schedule(&t->checkpoints, steps, now);
    if (steps >= t->snapshots.due_step)
        take_snapshot(t, steps);
}

int train_steps(training *t, int *status)
{
    stop_listen();
    text recipe = TEXT_INIT;
    trace_files files = train_files(t);
    report_recipe(&recipe, hill_session_recipe(t->session));
    int code = recipe.failed ? output_failure(HILL_EMEMORY, NULL)
                             : trace_begin(&t->trace, t->run, text_get(&recipe), &files, &t->facts);
    text_free(&recipe);
    if (code == 0)
        code = snapshots_begin(&t->snapshots, t->session);
    if (code)
        return code;
    t->checkpoints.progress = &t->progress;
    progress_begin(&t->progress, t->run, t->facts.rows);
    stand(t, t->progress.begin);
    *status = walk(t);
    if (*status == HILL_DONE) {
        hill_error error = HILL_ERROR_INIT;
        tell_refusal(t, snapshots_end(&t->snapshots, t->row.step, &error), &error);
    }
    return stop_signal ? train_interrupted(t) : 0;
}

int train_walk(training *t)
{
    int status = HILL_DONE, code = train_steps(t, &status);
    if (code)
        return code;
    const char *message = hill_run_message(t->run);
    if (!*message)
        message = hill_status_text(status);
    if (status == HILL_DONE) {
        live_ended(t, train_stopped(t), "");
        return 0;
    }
    const char *stopped = status == HILL_EDIVERGED ? "diverged" : "error";
    (void)trace_end(&t->trace, stopped, &t->row, seconds_now(t));
    live_ended(t, stopped, message);
    return live_stay(t, output_error(output_code(status), "%s; no model was saved", message));
}
