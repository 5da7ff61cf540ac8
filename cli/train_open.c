/*
 * train_open.c - what comes before the first step: reads recipe and tables, makes the session, says what was guessed.
 *
 * The verbs that train share it, so that they see the same data, knobs and rows.
 */
#include "training.h"

#include "input.h"
#include "output.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

training train_make(const arguments *a)
{
    training t = {.a = a,
                  .data = a->operands[0],
                  .host = HILL_HOST_INIT,
                  .facts = HILL_MODEL_FACTS_INIT,
                  .metrics = {HILL_METRICS_INIT, HILL_METRICS_INIT, HILL_METRICS_INIT},
                  .diagnosis = HILL_DIAGNOSIS_INIT,
                  .row = HILL_ROW_INIT,
                  .trace = {.descriptor = -1}};
    progress_init(&t.progress);
    return t;
}

void train_free(training *t)
{
    live_close(t);
    checkpoint_free(&t->checkpoints);
    trace_free(&t->trace);
    progress_free(&t->progress);
    hill_model_free(t->model);
    hill_session_free(t->session);
    hill_table_free(t->test);
    hill_table_free(t->valid);
    hill_table_free(t->train);
    hill_recipe_free(t->recipe);
    snapshots_free(&t->snapshots);
    free(t->curve);
    text_free(&t->out);
}

int train_through(training *t, int code, int (*const *phases)(training *), size_t count)
{
    if (code == 0)
        code = options_host(t->a, &t->host);
    for (size_t i = 0; i < count && code == 0; i++)
        code = phases[i](t);
    train_free(t);
    return code;
}

int train_standard_inputs(const arguments *a)
{
    const char *names[] = {a->operands[0], a->values[OPTION_VALID], a->values[OPTION_TEST]};
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        count += names[i] && strcmp(names[i], "-") == 0;
    return count > 1 ? output_error(CODE_USAGE, "standard input can be read once only") : 0;
}

int train_read_recipe(training *t)
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

int train_open_tables(training *t)
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
    } else if (code == 0 && !options.targets && !t->untested) {
        code = input_open_twin(t->data, &options, &t->host, &t->test);
    }
    return code;
}

trace_files train_files(const training *t)
{
    const char *const *values = t->a->values;
    return (trace_files){.data = t->data,
                         .model = t->out.length ? text_get(&t->out) : NULL,
                         .targets = values[OPTION_TARGETS],
                         .valid = t->valid_file,
                         .test = values[OPTION_TEST],
                         .start = values[OPTION_START]};
}

int train_session(training *t)
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

int train_refuse_guesses(training *t)
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

int train_introduce(training *t)
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
    if (t->resumed) {
        text_clear(&words);
        text_string(&words, "step ");
        text_count(&words, hill_run_steps(t->run, NULL));
        text_string(&words, " of ");
        text_count(&words, hill_run_total_steps(t->run));
        text_format(&words, ", from %s", t->resumed);
        report_line(&out, STDERR_FILENO, "resumed", text_get(&words));
    }
    progress_clear(&t->progress);
    output_say(&out);
    text_free(&words);
    text_free(&out);
    /* The texts in the facts die with the preview. */
    t->facts.target = NULL;
    hill_model_free(preview);
    return 0;
}
