/*
 * checkpoint.c - the state of a descent as a file, and back. A checkpoint is a model file with more tensors and a text.
 *
 * Invariant: what a run becomes after resuming depends on nothing that isn't in the file, the recipe, the tables and the start
 * weights; and a session changes only once the whole file is known to be good.
 */
#include "base/fp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/session.h"
#include "train/run.h"

/* Everything about a run that isn't a float of a vector. */
typedef struct checkpoint_state {
    uint64_t data, valid, start; /* hashes */
    uint64_t seed;
    hill__place at;
    hill__good good;
    hill__watch watch;
    uint64_t ended; /* hill__stop; a diverged run counts as under way, so that it diverges again and says why */
} checkpoint_state;

typedef struct checkpoint_field {
    const char *key;
    bool number; /* a double, infinite where the text has null; else a count */
    size_t offset;
} checkpoint_field;

#define COUNT(key, member)                             \
    {                                                  \
        key, false, offsetof(checkpoint_state, member) \
    }
#define NUMBER(key, member)                           \
    {                                                 \
        key, true, offsetof(checkpoint_state, member) \
    }

static const checkpoint_field checkpoint_fields[] = {
    COUNT("data", data),
    COUNT("valid", valid),
    COUNT("start", start),
    COUNT("seed", seed),
    COUNT("step", at.step),
    NUMBER("epoch_cost", at.epoch_cost),
    NUMBER("recent", at.recent),
    COUNT("recent_steps", at.recent_steps),
    NUMBER("rule_1", at.numbers[0]),
    NUMBER("rule_2", at.numbers[1]),
    NUMBER("plateau_best", at.plateau.best),
    COUNT("plateau_waited", at.plateau.waited),
    COUNT("plateau_drops", at.plateau.drops),
    COUNT("good_step", good.place.step),
    NUMBER("good_epoch_cost", good.place.epoch_cost),
    NUMBER("good_recent", good.place.recent),
    COUNT("good_recent_steps", good.place.recent_steps),
    NUMBER("good_rule_1", good.place.numbers[0]),
    NUMBER("good_rule_2", good.place.numbers[1]),
    NUMBER("good_plateau_best", good.place.plateau.best),
    COUNT("good_plateau_waited", good.place.plateau.waited),
    COUNT("good_plateau_drops", good.place.plateau.drops),
    NUMBER("first_cost", good.first_cost),
    COUNT("ways_back", good.returns),
    COUNT("best_epoch", watch.best_epoch),
    NUMBER("best_cost", watch.best_cost),
    COUNT("ended", ended),
};
#undef COUNT
#undef NUMBER
#define CHECKPOINT_FIELDS (sizeof checkpoint_fields / sizeof checkpoint_fields[0])

static checkpoint_state checkpoint_of(const hill_session *session)
{
    const hill_run *run = session->run;
    return (checkpoint_state){.data = session->data_hash,
                              .valid = session->valid_hash,
                              .start = session->start_hash,
                              .seed = run->seed,
                              .at = run->at,
                              .good = run->good,
                              .watch = run->watch,
                              .ended = run->stop == HILL__STOP_DIVERGED ? HILL__STOP_NONE : run->stop};
}

static void checkpoint_write_state(const checkpoint_state *state, hill__text *text)
{
    for (size_t i = 0; i < CHECKPOINT_FIELDS; i++) {
        const checkpoint_field *field = &checkpoint_fields[i];
        double number;
        uint64_t count;
        memcpy(&number, (const char *)state + field->offset, sizeof number);
        memcpy(&count, (const char *)state + field->offset, sizeof count);
        hill__text_add_format(text, "%s\"%s\":", i ? "," : "{", field->key);
        if (field->number)
            hill__json_add_double(text, number);
        else
            hill__text_add_format(text, "%llu", (unsigned long long)count);
    }
    hill__text_add_string(text, "}");
}

static bool checkpoint_read_field(const hill__json *root, const checkpoint_field *field, checkpoint_state *state)
{
    const hill__json *value = hill__json_get(root, field->key);
    double number = INFINITY;
    uint64_t count = 0;
    bool good = value && (field->number ? value->kind == HILL__JSON_NULL || hill__json_double(value, &number)
                                        : hill__json_unsigned(value, &count));
    if (field->number)
        memcpy((char *)state + field->offset, &number, sizeof number);
    else
        memcpy((char *)state + field->offset, &count, sizeof count);
    return good;
}

/* Completes a place by what follows from its step; false where the run cannot be there. */
static bool checkpoint_place(const hill_run *run, hill__place *place)
{
    place->epoch = place->step / run->epoch_steps;
    place->epoch_step = place->step % run->epoch_steps;
    return place->step <= run->total_steps;
}

static bool checkpoint_is_possible(const hill_run *run, checkpoint_state *state)
{
    return checkpoint_place(run, &state->at) && checkpoint_place(run, &state->good.place) &&
           state->good.place.step <= state->at.step && state->good.returns <= HILL__RETURNS_MOST &&
           state->watch.best_epoch <= state->at.epoch && (run->has_valid || state->watch.best_epoch == 0) &&
           (state->ended == HILL__STOP_NONE || state->ended == HILL__STOP_EPOCHS || state->ended == HILL__STOP_PATIENCE) &&
           (state->at.step == run->total_steps ? state->ended != HILL__STOP_NONE : state->ended != HILL__STOP_EPOCHS);
}

static int checkpoint_read_state(const hill_run *run, const hill__safetensors *file, const char *path, checkpoint_state *state,
                                 hill_error *error)
{
    const hill__json *text = hill__safetensors_meta(file, "run");
    hill__json_tree *tree;
    if (!text || !hill__safetensors_is_sealed(file))
        return hill__fail(error, HILL_EMODEL, "%s: is a model but no checkpoint: its metadata lacks \"%s\"", path,
                          text ? "digest" : "run");
    int status = hill__json_parse(text->string, text->length, &file->allocator, &tree, NULL);
    if (status == HILL_EMEMORY)
        return hill__fail_memory(error);
    bool good = status == HILL_OK;
    for (size_t i = 0; i < CHECKPOINT_FIELDS && good; i++)
        good = checkpoint_read_field(hill__json_root(tree), &checkpoint_fields[i], state);
    if (status == HILL_OK)
        hill__json_free(tree);
    if (!good || !checkpoint_is_possible(run, state))
        return hill__fail(error, HILL_EMODEL, "%s: its metadata \"run\" is no state that this descent can be in", path);
    return HILL_OK;
}

/* Adds "rate: 0.1 there, 0.2 here" for every knob that differs, and the data. */
static void checkpoint_compare(const hill_session *session, const hill_recipe *recipe, const checkpoint_state *state,
                               hill__text *text)
{
    const hill_recipe *own = hill_plan_recipe(session->plan);
    size_t count;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++) {
        const char *there = hill_recipe_get(recipe, knobs[i].name), *here = hill_recipe_get(own, knobs[i].name);
        if (strcmp(there, here) != 0)
            hill__text_add_format(text, "; %s: '%.200s' there, '%.200s' here", knobs[i].name, there, here);
    }
    if (state->data != session->data_hash)
        hill__text_add_string(text, "; the training data is another");
    if (state->valid != session->valid_hash)
        hill__text_add_string(text, "; the validation data is another");
    if (text->length == 0 && state->start != session->start_hash)
        hill__text_add_string(text, "; the start weights are others");
}

/* Whether the file is a checkpoint of this very descent. */
static int checkpoint_match(const hill_session *session, const hill__safetensors *file, const char *path, hill_recipe *recipe,
                            checkpoint_state *state, hill_error *error)
{
    hill__text text;
    HILL__TRY(hill__model_recognise(file, path, recipe, error));
    int status = checkpoint_read_state(session->run, file, path, state, error);
    hill__text_init(&text, &session->allocator);
    checkpoint_compare(session, recipe, state, &text);
    if (text.failed)
        status = hill__fail_memory(error);
    else if (text.length > 0)
        status = hill__fail(error, HILL_EMODEL, "%s: cannot go on from it: it is of another run%.800s", path, text.data);
    hill__text_free(&text);
    return status;
}

/* How the names of the i-th vector of a run's state begin: weights and moments, then their good copies. */
static void checkpoint_prefix(const hill_plan *plan, size_t i, char *out, size_t size)
{
    size_t vectors = 1 + hill__plan_moments(plan);
    const char *good = i < vectors ? "" : "good.";
    if (i % vectors == 0)
        snprintf(out, size, HILL__RUN_PREFIX "%s", good);
    else
        snprintf(out, size, HILL__RUN_PREFIX "%smoment%zu.", good, i % vectors);
}

static size_t checkpoint_vectors(const hill_plan *plan)
{
    return 2 * (1 + hill__plan_moments(plan));
}

/* All or nothing: the run changes once every float is read. */
static int checkpoint_load(hill_session *session, const hill__safetensors *file, const char *path,
                           const checkpoint_state *state, hill_error *error)
{
    hill_run *run = session->run;
    const size_t vectors = checkpoint_vectors(session->plan), vector = session->plan->vector, bytes = vector * sizeof(float);
    float *floats = hill__alloc(&session->allocator, vectors + 1, bytes);
    int status = floats ? HILL_OK : hill__fail_memory(error);
    for (size_t i = 0; i < vectors && status == HILL_OK; i++) {
        char prefix[40];
        checkpoint_prefix(session->plan, i, prefix, sizeof prefix);
        status = hill__model_load_part(file, path, prefix, session->plan, floats + i * vector, error);
    }
    if (status == HILL_OK)
        status = hill__model_load(file, path, session->plan, floats + vectors * vector, error);
    if (status == HILL_OK) {
        memcpy(run->weights, floats, vectors * bytes);
        memcpy(run->best, floats + vectors * vector, bytes);
        run->seed = state->seed;
        run->at = state->at;
        run->good = state->good;
        run->watch = state->watch;
        run->stop = (hill__stop)state->ended;
        run->message[0] = '\0';
        hill__run_stand(run);
    }
    hill__free(&session->allocator, floats, vectors + 1, bytes);
    return status;
}

int hill_session_resume(hill_session *session, const char *path, hill_error *error)
{
    hill__safetensors *file;
    hill_recipe *recipe;
    checkpoint_state state = checkpoint_of(session);
    HILL__TRY(hill__safetensors_read(path, &session->host, &file, error));
    int status = hill_recipe_new(&session->host, &recipe, error);
    if (status == HILL_OK) {
        status = checkpoint_match(session, file, path, recipe, &state, error);
        hill_recipe_free(recipe);
    }
    if (status == HILL_OK)
        status = checkpoint_load(session, file, path, &state, error);
    hill__safetensors_free(file);
    return status;
}

static void checkpoint_list(const hill_run *run, hill_tensor *tensors, const float **values)
{
    const hill_plan *plan = run->plan;
    const size_t each = plan->slot_count, vectors = checkpoint_vectors(plan);
    for (size_t i = 0; i < vectors; i++)
        for (size_t k = 0; k < each; k++) {
            hill_tensor tensor = HILL_TENSOR_INIT, *out = &tensors[i * each + k];
            char prefix[40];
            (void)hill_plan_tensor(plan, k, &tensor);
            checkpoint_prefix(plan, i, prefix, sizeof prefix);
            *out = tensor;
            snprintf(out->name, sizeof out->name, "%s%.24s", prefix, tensor.name);
            values[i * each + k] = run->weights + i * plan->vector + tensor.offset;
        }
}

/* The file of `model`, which is what the session would deliver now. */
static int checkpoint_write(const hill_session *session, const hill_model *model, const char *path, hill_error *error)
{
    const hill_allocator *allocator = &session->allocator;
    const size_t count = checkpoint_vectors(session->plan) * session->plan->slot_count;
    checkpoint_state state = checkpoint_of(session);
    hill__text text;
    hill__text_init(&text, allocator);
    checkpoint_write_state(&state, &text);
    hill_tensor *tensors = hill__alloc(allocator, count, sizeof *tensors);
    const float **values = hill__alloc(allocator, count, sizeof *values);
    int status = HILL_OK;
    if (!tensors || !values || text.failed) {
        status = hill__fail_memory(error);
    } else {
        checkpoint_list(session->run, tensors, values);
        hill__model_extra extra = {hill__text_string(&text), tensors, values, count};
        status = hill__model_write(model, &extra, path, error);
    }
    hill__free(allocator, values, count, sizeof *values);
    hill__free(allocator, tensors, count, sizeof *tensors);
    hill__text_free(&text);
    return status;
}

int hill_session_save(hill_session *session, const char *path, hill_error *error)
{
    hill_model *model;
    HILL__TRY(hill_session_finish(session, &model, error));
    int status = checkpoint_write(session, model, path, error);
    hill_model_free(model);
    return status;
}

int hill_model_take_moment(hill_model *model, const char *path, hill_error *error)
{
    const hill_plan *plan = hill_model_plan(model);
    hill__safetensors *file;
    HILL__TRY(hill__safetensors_read(path, &model->host, &file, error));
    float *weights = hill__alloc(&file->allocator, plan->vector, sizeof *weights);
    int status = weights ? HILL_OK : hill__fail_memory(error);
    if (status == HILL_OK && !hill__safetensors_meta(file, "run"))
        status = hill__fail(error, HILL_EMODEL, "%s: is a model but no checkpoint: its metadata lacks \"run\"", path);
    if (status == HILL_OK)
        status = hill__model_load_part(file, path, HILL__RUN_PREFIX, plan, weights, error);
    if (status == HILL_OK)
        memcpy(hill_model_weights(model), weights, plan->vector * sizeof *weights);
    hill__free(&file->allocator, weights, plan->vector, sizeof *weights);
    hill__safetensors_free(file);
    return status;
}
