/*
 * race_run.c - runs one racer: its session, its steps with log and checkpoints as train keeps them, its model.
 *
 * Invariant: a racer is kept as finished only once its model and its log are whole, and loses its checkpoints only after that; so
 * a race that is killed anywhere goes on with no step lost but those since the last checkpoint.
 */
#define _POSIX_C_SOURCE 200809L

#include "race.h"

#include "output.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

training race_lend(const race *g)
{
    training t = train_make(g->base.a);
    t.host = g->base.host;
    t.train = g->base.train;
    t.valid = g->base.valid;
    t.valid_file = g->base.valid_file;
    t.untested = true;
    return t;
}

void race_return(training *t)
{
    t->train = t->valid = NULL;
    train_free(t);
}

int race_recipe(const race *g, const racer *r, training *t, hill_error *error)
{
    const char *common = hill_recipe_text(g->common);
    if (!common)
        return HILL_EMEMORY;
    int status = hill_recipe_new(&t->host, &t->recipe, error);
    if (status == HILL_OK)
        status = hill_recipe_parse(t->recipe, common, strlen(common), NULL, error);
    if (status == HILL_OK)
        status = hill_recipe_set(t->recipe, "rule", r->rule, error);
    if (status == HILL_OK && r->rate[0])
        status = hill_recipe_set(t->recipe, "rate", r->rate, error);
    return status;
}

int race_session(const race *g, racer *r, training *t, hill_error *error)
{
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = t->train;
    tables.valid = t->valid;
    tables.start = t->a->values[OPTION_START];
    int status = race_recipe(g, r, t, error);
    if (status == HILL_OK)
        status = hill_session_new(t->recipe, &tables, &t->host, &t->session, error);
    if (status != HILL_OK)
        return status;
    t->run = hill_session_run(t->session);
    memcpy(r->key, hill_session_key(t->session), sizeof r->key - 1);
    return HILL_OK;
}

void race_say(training *t, const char *label, const text *words)
{
    text out = TEXT_INIT;
    progress_clear(&t->progress);
    report_line(&out, STDERR_FILENO, label, text_get(words));
    output_say(&out);
    text_free(&out);
}

static int prepare(race *g, racer *r, training *t)
{
    hill_error error = HILL_ERROR_INIT;
    hill_model *preview = NULL;
    int code = checkpoint_every(&t->checkpoints, t->a->values[OPTION_CHECKPOINT_EVERY]);
    int status = code == 0 ? race_session(g, r, t, &error) : HILL_OK;
    if (status == HILL_OK && code == 0)
        status = hill_session_finish(t->session, &preview, &error);
    if (status == HILL_OK && code == 0)
        status = hill_model_info(preview, &t->facts);
    hill_model_free(preview);
    t->facts.target = NULL;
    t->checkpoints.fresh = g->afresh;
    if (status != HILL_OK)
        return output_failure(status, &error);
    return code == 0 ? race_path(g, r, ".safetensors", &t->out) : code;
}

static int go_on(training *t)
{
    const char *from = NULL;
    text words = TEXT_INIT;
    int code = checkpoint_begin(&t->checkpoints, t->session, text_get(&t->out));
    if (code == 0)
        code = checkpoint_resume(&t->checkpoints, NULL, &from);
    if (from) {
        text_string(&words, "step ");
        text_count(&words, hill_run_steps(t->run, NULL));
        text_string(&words, " of ");
        text_count(&words, hill_run_total_steps(t->run));
        text_format(&words, ", from %s", from);
        race_say(t, "resumed", &words);
    }
    text_free(&words);
    return code;
}

static void take_result(const training *t, racer *r, int status)
{
    unsigned ways_back;
    (void)hill_run_steps(t->run, &ways_back);
    r->done = true;
    r->taken = strtod(hill_recipe_get(hill_session_recipe(t->session), "rate"), NULL);
    r->diverged = status == HILL_EDIVERGED;
    r->patience = strcmp(hill_run_stopped(t->run), "patience") == 0;
    r->ways_back = ways_back;
    r->steps = t->row.step;
    r->epochs = t->row.epoch;
    r->best_epoch = t->facts.best_epoch;
    r->seconds = t->seconds + t->trace.earlier;
    r->train = t->metrics[HILL_WHICH_TRAIN];
    r->valid = t->metrics[HILL_WHICH_VALID];
}

static void say_result(training *t, const racer *r)
{
    text words = TEXT_INIT;
    text_format(&words, "%s at rate %.4g: ", r->rule, r->taken);
    if (r->diverged) {
        text_string(&words, hill_run_message(t->run));
    } else {
        const hill_metrics *metrics = r->valid.rows ? &r->valid : &r->train;
        report_metrics(&words, metrics, t->facts.task);
        text_string(&words, ", in ");
        text_seconds(&words, r->seconds);
    }
    race_say(t, "race", &words);
    text_free(&words);
}

/* What comes after the last step. A descent that diverged has no model; one that is there is of another descent. */
static int end(race *g, racer *r, training *t, int status)
{
    int code = 0;
    if (status == HILL_EDIVERGED)
        (void)unlink(text_get(&t->out));
    else
        code = train_measure(t);
    if (code == 0 && status != HILL_EDIVERGED)
        code = train_save(t);
    if (code)
        return code;
    take_result(t, r, status);
    code = trace_end(&t->trace, hill_run_stopped(t->run), &t->row, r->seconds);
    if (code == 0)
        code = race_keep(g, r);
    if (code)
        return code;
    checkpoint_remove(&t->checkpoints);
    say_result(t, r);
    return 0;
}

int race_run(race *g, racer *r, size_t place)
{
    training t = race_lend(g);
    text name = TEXT_INIT, log = TEXT_INIT;
    int status = HILL_DONE;
    text_format(&name, "%zu/%zu %s", place, g->count, text_get(&r->name));
    int code = race_path(g, r, ".jsonl", &log);
    t.progress.name = text_get(&name);
    t.trace.path = text_get(&log);
    if (code == 0)
        code = name.failed ? output_failure(HILL_EMEMORY, NULL) : prepare(g, r, &t);
    if (code == 0)
        code = race_forget(g, r);
    if (code == 0)
        code = go_on(&t);
    if (code == 0)
        code = train_steps(&t, &status);
    if (code == 0 && status != HILL_DONE && status != HILL_EDIVERGED) {
        const char *message = hill_run_message(t.run);
        code = output_error(output_code(status), "%s: %s", text_get(&r->name), *message ? message : hill_status_text(status));
    }
    if (code == 0)
        code = end(g, r, &t, status);
    race_return(&t);
    text_free(&name);
    text_free(&log);
    return code;
}
