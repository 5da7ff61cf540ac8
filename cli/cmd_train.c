/*
 * cmd_train.c - makes a model from data: checks where everything goes, finds where to go on.
 *
 * Invariant: whatever can be wrong with files and flags is found before the first step, and a model appears whole or not at all.
 */
#include "training.h"

#include "output.h"
#include "place.h"
#include "stop.h"

#include <string.h>
#include <unistd.h>

static int choose_outputs(training *t)
{
    t->trace.path = t->a->values[OPTION_LOG];
    if (t->a->values[OPTION_OUT])
        text_string(&t->out, t->a->values[OPTION_OUT]);
    else
        place_default(&t->out, t->data);
    if (t->out.failed)
        return output_failure(HILL_EMEMORY, NULL);
    if (t->trace.path && output_same_file(t->trace.path, text_get(&t->out)))
        return output_error(CODE_USAGE, "--log %s: is where the model goes; take another name", t->trace.path);
    int code = place_check(text_get(&t->out), &t->host);
    if (code == 0 && t->trace.path)
        code = trace_check(t->trace.path);
    return code == 0 ? snapshots_check(&t->snapshots, t->a, text_get(&t->out)) : code;
}

/* Knobs that neither the command line nor the recipe file set are those of the checkpoint that is gone on from. */
static int adopt_recipe(training *t)
{
    const char *from = t->a->values[OPTION_RESUME];
    hill_error error = HILL_ERROR_INIT;
    hill_model *model = NULL;
    if (!from)
        return 0;
    int status = hill_model_open(from, &t->host, &model, &error);
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count && status == HILL_OK; i++) {
        const char *knob = knobs[i].name;
        bool told = hill_recipe_is_set(t->recipe, knob) || (strcmp(knob, "valid") == 0 && t->valid_file);
        if (!told && hill_recipe_is_set(hill_model_recipe(model), knob))
            status = hill_recipe_set(t->recipe, knob, hill_recipe_get(hill_model_recipe(model), knob), &error);
    }
    hill_model_free(model);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

/* Where there is a state to go on from, the run goes there. */
static int go_on(training *t)
{
    const char *from = NULL;
    int code = checkpoint_begin(&t->checkpoints, t->session, text_get(&t->out));
    if (code == 0)
        code = checkpoint_resume(&t->checkpoints, t->a->values[OPTION_RESUME], &from);
    t->resumed = from;
    return code;
}

/* Where somebody looks on, costs are collected, to be drawn. */
static int open_curve(training *t)
{
    if (!output_is_terminal(STDERR_FILENO))
        return 0;
    t->curve = curve_new();
    t->progress.curve = t->a->values[OPTION_LIVE] ? t->curve : NULL;
    return t->curve ? 0 : output_failure(HILL_EMEMORY, NULL);
}

int cmd_train(const arguments *a)
{
    static int (*const phases[])(training *) = {
        train_read_recipe, adopt_recipe,    choose_outputs, train_open_tables, train_session, train_refuse_guesses, go_on,
        open_curve,        train_introduce, live_open,      train_walk,        train_end};
    training t = train_make(a);
    stop_endure();
    int code = train_standard_inputs(a);
    if (code == 0)
        code = checkpoint_every(&t.checkpoints, a->values[OPTION_CHECKPOINT_EVERY]);
    if (code == 0)
        code = live_check(&t);
    if (code == 0 && a->values[OPTION_FRESH] && a->values[OPTION_RESUME])
        code = output_error(CODE_USAGE, "--fresh begins anew and --resume goes on: take one of them");
    t.checkpoints.fresh = a->values[OPTION_FRESH] != NULL;
    return train_through(&t, code, phases, sizeof phases / sizeof *phases);
}
