/*
 * cmd_train.c - makes a model from data: opens everything, says what was guessed, walks down, says how it went.
 *
 * Invariant: whatever can be wrong with files and flags is found before the first step, and a model appears whole or not at all.
 */
#include "input.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "report.h"
#include "stop.h"
#include "trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct training {
    const arguments *a;
    const char *data; /* the operand */
    const char *log;
    const char *valid_file; /* --valid, where it is no fraction */
    text out;
    hill_host host;
    hill_recipe *recipe;
    hill_table *train, *valid, *test;
    hill_session *session;
    hill_run *run;
    hill_model *model;
    hill_model_facts facts;
    hill_metrics metrics[3]; /* by hill_which */
    hill_diagnosis diagnosis;
    progress progress;
    trace trace;
    hill_row row; /* the last step */
    double seconds;
} training;

static bool is_fraction(const char *value)
{
    char *end = NULL;
    if (strcmp(value, "auto") == 0)
        return true;
    if (!strchr("+-.0123456789", value[0]))
        return false;
    (void)strtod(value, &end);
    return end != value && *end == '\0';
}

/* Recipe file first, flags over it. */
static int read_recipe(training *t)
{
    hill_error error = HILL_ERROR_INIT;
    const char *path = t->a->values[OPTION_RECIPE];
    const char *valid = t->a->values[OPTION_VALID];
    text content = TEXT_INIT;
    int status = hill_recipe_new(&t->host, &t->recipe, &error);
    int code = status == HILL_OK ? 0 : output_failure(status, &error);
    if (code == 0 && path)
        code = input_read(path, &content);
    if (code == 0 && path) {
        status = hill_recipe_parse(t->recipe, text_get(&content), content.length, path, &error);
        code = status == HILL_OK ? 0 : output_failure(status, &error);
    }
    text_free(&content);
    if (code == 0)
        code = options_apply(t->a, t->recipe);
    if (code == 0)
        hill_recipe_limits(t->recipe, &t->host.limits);
    if (code == 0 && valid && !is_fraction(valid))
        t->valid_file = valid;
    if (code == 0 && valid && !t->valid_file) {
        status = hill_recipe_set(t->recipe, "valid", valid, &error);
        code = status == HILL_OK ? 0 : output_failure(status, &error);
    }
    return code;
}

static int choose_outputs(training *t)
{
    t->log = t->a->values[OPTION_LOG];
    if (t->a->values[OPTION_OUT])
        text_string(&t->out, t->a->values[OPTION_OUT]);
    else
        place_default(&t->out, t->data);
    if (t->out.failed)
        return output_failure(HILL_EMEMORY, NULL);
    if (t->log && output_same_file(t->log, text_get(&t->out)))
        return output_error(CODE_USAGE, "--log %s: is where the model goes; take another name", t->log);
    int code = place_check(text_get(&t->out), &t->host);
    return code || !t->log ? code : trace_check(t->log);
}

static int open_tables(training *t)
{
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    const char *test = t->a->values[OPTION_TEST];
    int code = input_options(t->a, t->recipe, &options);
    if (code)
        return code;
    progress_wait(&t->progress, "reading", t->data);
    code = input_open(t->data, &options, &t->host, &t->train);
    if (code == 0 && t->valid_file) {
        hill_table_options own = options;
        own.targets = NULL;
        code = input_open(t->valid_file, &own, &t->host, &t->valid);
    }
    if (code == 0 && test) {
        hill_table_options own = options;
        own.targets = NULL;
        code = input_open_test(test, &own, &t->host, &t->test);
    } else if (code == 0 && !options.targets) {
        code = input_open_twin(t->data, &options, &t->host, &t->test);
    }
    return code;
}

static int make_session(training *t)
{
    hill_error error = HILL_ERROR_INIT;
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = t->train;
    tables.valid = t->valid;
    tables.test = t->test;
    tables.start = t->a->values[OPTION_START];
    int status = hill_session_new(t->recipe, &tables, &t->host, &t->session, &error);
    if (status != HILL_OK)
        return output_failure(status, &error);
    t->run = hill_session_run(t->session);
    return 0;
}

/* Appends the flags of `guesses` that are knobs about the data; a value may be quoted as for a shell. */
static void data_flags(text *out, const char *guesses)
{
    while (*guesses) {
        const char *begin = guesses;
        size_t name = strncmp(guesses, "--", 2) == 0 ? strcspn(guesses + 2, " ") : 0;
        bool quoted = false;
        while (*guesses && (quoted || guesses == begin || strncmp(guesses, " --", 3) != 0))
            quoted ^= *guesses++ == '\'';
        size_t length = (size_t)(guesses - begin);
        guesses += *guesses == ' ';
        char knob[64] = "";
        if (name == 0 || name >= sizeof knob)
            continue;
        memcpy(knob, begin + 2, name);
        const hill_knob *found = hill_knob_find(knob);
        if (found && strcmp(found->group, "data") != 0)
            continue;
        text_string(out, out->length ? " " : "");
        text_bytes(out, begin, length);
    }
}

/* --strict: what was guessed about the data must be said by the caller instead. */
static int refuse_guesses(training *t)
{
    if (!t->a->values[OPTION_STRICT])
        return 0;
    text flags = TEXT_INIT;
    data_flags(&flags, hill_table_guesses(t->train));
    data_flags(&flags, hill_session_guesses(t->session));
    int code = flags.length ? output_error(CODE_USAGE, "--strict: guessed, so say it: %s", text_get(&flags)) : 0;
    text_free(&flags);
    return code;
}

static void introduce_table(text *out, const hill_table *table, const char *label, const char *name)
{
    const char *note = NULL;
    text words = TEXT_INIT;
    text_format(&words, "%s: ", strcmp(name, "-") == 0 ? "standard input" : name);
    report_count(&words, hill_table_rows(table), "row");
    text_string(&words, ", ");
    report_count(&words, hill_table_columns(table), "column");
    report_line(out, STDERR_FILENO, label, text_get(&words));
    text_free(&words);
    for (size_t i = 0; (note = hill_table_note(table, i)) != NULL; i++)
        report_line(out, STDERR_FILENO, "note", note);
}

/* Says, once, what was guessed, what a person should know, and what net it is. */
static int introduce(training *t)
{
    hill_error error = HILL_ERROR_INIT;
    hill_model *preview = NULL; /* the sizes of a session are those of a model made of it */
    int status = hill_session_finish(t->session, &preview, &error);
    if (status == HILL_OK)
        status = hill_model_info(preview, &t->facts);
    if (status != HILL_OK)
        return output_failure(status, &error);
    text out = TEXT_INIT, words = TEXT_INIT;
    const char *note = NULL;
    introduce_table(&out, t->train, "data", t->data);
    if (t->valid)
        introduce_table(&out, t->valid, "valid", t->valid_file);
    if (t->a->values[OPTION_TEST])
        introduce_table(&out, t->test, "test", t->a->values[OPTION_TEST]);
    text_string(&words, hill_table_guesses(t->train));
    if (words.length && *hill_session_guesses(t->session))
        text_string(&words, " ");
    text_string(&words, hill_session_guesses(t->session));
    if (words.length)
        report_line(&out, STDERR_FILENO, "guessed", text_get(&words));
    for (size_t i = 0; (note = hill_session_note(t->session, i)) != NULL; i++)
        report_line(&out, STDERR_FILENO, "note", note);
    text_clear(&words);
    report_widths(&words, preview);
    text_string(&words, ", ");
    report_count(&words, t->facts.parameters, "parameter");
    text_string(&words, "; ");
    report_count(&words, t->facts.rows, "row");
    report_line(&out, STDERR_FILENO, "net", text_get(&words));
    progress_clear(&t->progress);
    output_say(&out);
    text_free(&words);
    text_free(&out);
    /* The texts in the facts die with the preview. */
    t->facts.target = NULL;
    hill_model_free(preview);
    return 0;
}

/* Steps until the end, or until somebody wants it to end. Returns the last status. */
static int walk(training *t)
{
    double begin = t->progress.begin;
    int status = HILL_ROW;
    hill_row row = HILL_ROW_INIT;
    while (!stop_signal) {
        row.want = trace_wants(&t->trace, row.step + 1) ? HILL_WANT_NORMS : 0;
        status = hill_step(t->run, &row);
        if (status != HILL_ROW)
            break;
        if (row.epoch_end) {
            t->progress.train = row.train_cost;
            t->progress.valid = row.valid_cost;
        }
        if (row.want)
            trace_row(&t->trace, &row, progress_clock() - begin);
        if (row.step >= t->progress.look_at)
            progress_look(&t->progress, &row);
    }
    t->row = row;
    t->seconds = progress_clock() - begin;
    progress_clear(&t->progress);
    return status;
}

/* Ends a descent that a signal stopped: nothing was saved, and that is said. */
static int interrupted(training *t)
{
    bool by_key = stop_signal == SIGINT;
    (void)trace_end(&t->trace, "interrupted", &t->row, t->seconds);
    return output_error(by_key ? CODE_INTERRUPT : CODE_TERMINATE, "stopped by %s after step %llu of %llu; no model was saved",
                        by_key ? "Ctrl-C" : "SIGTERM", (unsigned long long)t->row.step, (unsigned long long)t->progress.total);
}

static int descend(training *t)
{
    stop_listen();
    int code = trace_open(&t->trace, t->log, t->run);
    if (code)
        return code;
    text recipe = TEXT_INIT;
    report_recipe(&recipe, hill_session_recipe(t->session));
    trace_begin(&t->trace, text_get(&recipe), t->data, &t->facts);
    text_free(&recipe);
    progress_begin(&t->progress, t->run, t->facts.rows);
    int status = walk(t);
    if (stop_signal)
        return interrupted(t);
    if (status == HILL_DONE)
        return 0;
    const char *message = hill_run_message(t->run);
    (void)trace_end(&t->trace, status == HILL_EDIVERGED ? "diverged" : "error", &t->row, t->seconds);
    return output_error(output_code(status), "%s; no model was saved", *message ? message : hill_status_text(status));
}

static int measure(training *t)
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
        return interrupted(t);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

static void say_stopped(training *t, text *out)
{
    bool all = strcmp(hill_run_stopped(t->run), "epochs") == 0;
    text words = TEXT_INIT;
    text_string(&words, all ? "all " : "patience ran out after ");
    report_count(&words, t->row.epoch, "pass");
    text_string(&words, all ? " made" : "");
    if (t->facts.best_epoch && t->facts.best_epoch != t->row.epoch) {
        text_string(&words, ", the best one was ");
        text_count(&words, t->facts.best_epoch);
    }
    text_string(&words, "; ");
    report_count(&words, t->row.step, "step");
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
    text_string(&words, " is hardly better than ");
    text_number(&words, t->diagnosis.constant_cost, 4);
    text_string(&words, ", the cost of always answering the mean; gradient norm ");
    text_number(&words, t->diagnosis.gradient_norm, 3);
    report_line(out, STDERR_FILENO, "stuck", text_get(&words));
    if (*t->diagnosis.advice)
        report_line(out, STDERR_FILENO, "try", t->diagnosis.advice);
    text_free(&words);
}

static void summarise(training *t)
{
    static const char *const labels[] = {"train", "valid", "test"};
    text out = TEXT_INIT;
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
    json_string(&j, "stopped", hill_run_stopped(t->run));
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

static int conclude(training *t)
{
    hill_error error = HILL_ERROR_INIT;
    int code = measure(t);
    if (code)
        return code;
    int status = hill_model_save(t->model, text_get(&t->out), &error);
    if (status != HILL_OK)
        return output_failure(status, &error);
    summarise(t);
    /* The model is safe by now; a log that isn't whole is said and told by the exit code. */
    int log_code = trace_end(&t->trace, hill_run_stopped(t->run), &t->row, t->seconds);
    if (t->a->values[OPTION_JSON])
        code = answer_json(t);
    return code > 0 || !log_code ? code : log_code;
}

static int standard_inputs(const arguments *a)
{
    const char *names[] = {a->operands[0], a->values[OPTION_VALID], a->values[OPTION_TEST]};
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        count += names[i] && strcmp(names[i], "-") == 0;
    return count > 1 ? output_error(CODE_USAGE, "train: standard input can be read once only") : 0;
}

int cmd_train(const arguments *a)
{
    static int (*const phases[])(training *) = {read_recipe,    choose_outputs, open_tables, make_session,
                                                refuse_guesses, introduce,      descend,     conclude};
    training t = {.a = a,
                  .data = a->operands[0],
                  .host = HILL_HOST_INIT,
                  .facts = HILL_MODEL_FACTS_INIT,
                  .metrics = {HILL_METRICS_INIT, HILL_METRICS_INIT, HILL_METRICS_INIT},
                  .diagnosis = HILL_DIAGNOSIS_INIT,
                  .trace = {.descriptor = -1}};
    progress_init(&t.progress);
    int code = standard_inputs(a);
    if (code == 0)
        code = options_host(a, &t.host);
    for (size_t i = 0; i < sizeof phases / sizeof *phases && code == 0; i++)
        code = phases[i](&t);
    trace_free(&t.trace);
    progress_free(&t.progress);
    hill_model_free(t.model);
    hill_session_free(t.session);
    hill_table_free(t.test);
    hill_table_free(t.valid);
    hill_table_free(t.train);
    hill_recipe_free(t.recipe);
    text_free(&t.out);
    return code;
}
