/*
 * train_end.c - what comes after the last step: measures the model, saves it, tells how it went.
 */
#define _POSIX_C_SOURCE 200809L

#include "training.h"

#include "json.h"
#include "output.h"
#include "report.h"
#include "stop.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAVE_PATIENCE 60.0 /* seconds */

int train_measure(training *t)
{
    hill_error error = HILL_ERROR_INIT;
    progress_wait(&t->progress, "measuring", text_get(&t->out));
    int status = hill_session_finish(t->session, &t->model, &error);
    if (status == HILL_OK)
        status = hill_model_info(t->model, &t->facts);
    for (int which = HILL_WHICH_TRAIN; which <= HILL_WHICH_TEST && status == HILL_OK; which++)
        status = hill_session_metrics(t->session, t->model, (hill_which)which, &t->metrics[which], &error);
    /* A descent whose stuckness can't be told isn't called stuck. */
    if (status == HILL_OK && hill_run_diagnose(t->run, &t->diagnosis) != HILL_OK)
        t->diagnosis.stuck = 0;
    progress_clear(&t->progress);
    if (stop_signal)
        return train_interrupted(t);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

static void say_stopped(training *t, text *out)
{
    const char *why = train_stopped(t);
    bool all = strcmp(why, "epochs") == 0;
    text words = TEXT_INIT;
    text_string(&words, all ? "all " : strcmp(why, "page") == 0 ? "from the page in " : "patience ran out after ");
    report_count(&words, t->row.epoch, "pass");
    text_string(&words, all ? " made" : "");
    if (t->facts.best_epoch && t->facts.best_epoch != t->row.epoch) {
        text_string(&words, ", the best one was ");
        text_count(&words, t->facts.best_epoch);
    }
    text_string(&words, "; ");
    report_count(&words, t->row.step, "step");
    if (t->resumed) {
        text_string(&words, ", ");
        text_count(&words, t->row.step - t->progress.first);
        text_string(&words, " of them now,");
    }
    text_string(&words, " in ");
    text_seconds(&words, t->seconds);
    report_line(out, STDERR_FILENO, "stopped", text_get(&words));
    text_free(&words);
}

static void say_stuck(training *t, text *out)
{
    text words = TEXT_INIT;
    if (!t->diagnosis.stuck)
        return;
    text_string(&words, "cost ");
    text_number(&words, t->diagnosis.cost, 4);
    text_string(&words, t->diagnosis.cost > t->diagnosis.constant_cost ? " is worse than " : " is hardly better than ");
    text_number(&words, t->diagnosis.constant_cost, 4);
    text_string(&words, ", the cost of always answering the mean; gradient norm ");
    text_number(&words, t->diagnosis.gradient_norm, 3);
    report_line(out, STDERR_FILENO, "stuck", text_get(&words));
    if (*t->diagnosis.advice)
        report_line(out, STDERR_FILENO, "try", t->diagnosis.advice);
    text_free(&words);
}

static void add_curve(const training *t, text *out)
{
    if (!t->curve)
        return;
    curve_look look = {output_width(STDERR_FILENO, 80), output_speaks_utf8(), output_has_colour(STDERR_FILENO)};
    (void)curve_draw(t->curve, look, out);
}

static void summarise(training *t)
{
    static const char *const labels[] = {"train", "valid", "test"};
    text out = TEXT_INIT;
    add_curve(t, &out);
    say_stopped(t, &out);
    for (int which = HILL_WHICH_TRAIN; which <= HILL_WHICH_TEST; which++) {
        text words = TEXT_INIT;
        if (t->metrics[which].rows) {
            report_metrics(&words, &t->metrics[which], t->facts.task);
            report_line(&out, STDERR_FILENO, labels[which], text_get(&words));
        }
        text_free(&words);
    }
    say_stuck(t, &out);
    report_line(&out, STDERR_FILENO, "model", text_get(&t->out));
    output_say(&out);
    text_free(&out);
}

static int answer_json(training *t)
{
    static const char *const keys[] = {"train", "valid", "test"};
    text out = TEXT_INIT;
    json j = {&out, false};
    json_open(&j, NULL, '{');
    json_string(&j, "model", text_get(&t->out));
    json_count(&j, "rows", t->facts.rows);
    json_count(&j, "inputs", t->facts.inputs);
    json_count(&j, "outputs", t->facts.outputs);
    json_count(&j, "parameters", t->facts.parameters);
    json_count(&j, "epochs", t->row.epoch);
    json_count(&j, "steps", t->row.step);
    json_double(&j, "seconds", t->seconds);
    json_string(&j, "stopped", train_stopped(t));
    for (int which = HILL_WHICH_TRAIN; which <= HILL_WHICH_TEST; which++) {
        if (t->metrics[which].rows == 0) {
            json_null(&j, keys[which]);
            continue;
        }
        json_open(&j, keys[which], '{');
        report_metrics_json(&j, &t->metrics[which], t->facts.task);
        json_close(&j, '}');
    }
    json_close(&j, '}');
    text_string(&out, "\n");
    int code = output_answer(&out);
    text_free(&out);
    return code;
}

/* A wait of a second that a signal ends. */
static void pause_briefly(void)
{
    const struct timespec second = {1, 0};
    (void)nanosleep(&second, NULL);
}

int train_save(training *t)
{
    hill_error error = HILL_ERROR_INIT;
    const char *path = text_get(&t->out);
    double patience = t->seconds < SAVE_PATIENCE ? t->seconds : SAVE_PATIENCE, end = progress_clock() + patience;
    bool said = false;
    int status;
    while ((status = hill_model_save(t->model, path, &error)) != HILL_OK && status != HILL_EMEMORY && progress_clock() < end &&
           !stop_signal) {
        if (!said)
            (void)output_error(0, "%s; trying again for %.0f s", error.text, ceil(patience));
        said = true;
        pause_briefly();
    }
    if (stop_signal && status != HILL_OK)
        return train_interrupted(t);
    if (status == HILL_OK)
        return 0;
    int code = status == HILL_EMEMORY ? output_code(status) : CODE_IO;
    if (!checkpoint_stands(&t->checkpoints))
        return output_error(code, "%s", error.text);
    return output_error(code, "%s\n%s holds step %llu; once there is room the same command goes on from it", error.text,
                        text_get(&t->checkpoints.names[t->checkpoints.newest]), (unsigned long long)t->checkpoints.newest_step);
}

int train_end(training *t)
{
    int code = train_measure(t);
    if (code == 0)
        code = train_save(t);
    if (code)
        return code;
    t->saved = true;
    checkpoint_remove(&t->checkpoints);
    summarise(t);
    /* The model is safe by now; a log that isn't whole is said and told by the exit code. */
    int log_code = trace_end(&t->trace, train_stopped(t), &t->row, t->seconds + t->trace.earlier);
    if (t->a->values[OPTION_JSON])
        code = answer_json(t);
    return live_stay(t, code > 0 || !log_code ? code : log_code);
}
