/*
 * session.c - sessions: made, asked about, finished. Invariant: a model that a session makes shares no memory with it.
 */
#include "base/fp.h"

#include "model/session.h"

#include <string.h>

#include "base/hash.h"
#include "data/embed.h"
#include "plan/net.h"
#include "train/run.h"

/* Knobs whose choice is told, in this order; `plain` goes without saying. */
static const struct {
    const char *knob, *plain;
} session_told[] = {{"target", NULL}, {"task", NULL},   {"valid", NULL},  {"embed", "none"},        {"net", NULL},
                    {"cost", NULL},   {"init", NULL},   {"rate", NULL},   {"schedule", "constant"}, {"grow", "none"},
                    {"batch", NULL},  {"epochs", NULL}, {"average", "0"}, {"patience", NULL}};

/* A value as a shell takes it. */
static void session_quote(hill__text *text, const char *value)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+.,:/@%=";
    const char *at = value;
    while (*at && strchr(plain, *at))
        at++;
    if (*value && !*at) {
        hill__text_add_string(text, value);
        return;
    }
    hill__text_add_string(text, "'");
    for (; *value; value++)
        if (*value == '\'')
            hill__text_add_string(text, "'\\''");
        else
            hill__text_add(text, value, 1);
    hill__text_add_string(text, "'");
}

/* Every knob of the list that was "auto" in `asked` and no longer is. */
static void session_tell(hill_session *session, const hill_recipe *asked)
{
    const hill_recipe *taken = hill_plan_recipe(session->plan);
    for (size_t i = 0; i < sizeof session_told / sizeof session_told[0]; i++) {
        const char *knob = session_told[i].knob, *plain = session_told[i].plain;
        bool given = strcmp(knob, "valid") == 0 && session->tables.valid;
        bool chosen = !given && (!asked || hill__recipe_is(asked, knob, "auto")) && !hill__recipe_is(taken, knob, "auto");
        if (!chosen || (plain && hill__recipe_is(taken, knob, plain)))
            continue;
        hill__text_add_format(&session->guesses, "%s--%s ", session->guesses.length ? " " : "", knob);
        session_quote(&session->guesses, hill_recipe_get(taken, knob));
    }
}

/* Says so where the net's output cannot reach scaled targets, which lie on both sides of 0 and beyond 1. */
static void session_warn_output(hill_session *session)
{
    static const char *const bounded[] = {"sigmoid", "tanh", "exp", "relu", "softplus", "softmax"};
    hill__net net;
    const char *text = hill_recipe_get(hill_plan_recipe(session->plan), "net");
    if (session->encoder->task != HILL_TASK_NUMBERS || hill__recipe_is(session->recipe, "scale", "none") ||
        hill__session_cost_flags(session) & HILL__OP_UNSCALED || hill__net_parse(text, &net, NULL) < 0 || !net.output)
        return;
    const char *output = net.output->word;
    for (size_t i = 0; i < sizeof bounded / sizeof bounded[0]; i++)
        if (strcmp(output, bounded[i]) == 0)
            hill__lines_add(&session->notes,
                            "out of reach: the target is scaled to mean 0 and deviation 1, output %s cannot give all of that; "
                            "--scale none or output identity",
                            output);
}

static int session_plan(hill_session *session, hill_error *error)
{
    hill_shape shape = HILL_SHAPE_INIT;
    hill__text embed;
    hill__text_init(&embed, &session->allocator);
    hill__embed_layer(session->encoder, &embed);
    hill__encoder_shape(session->encoder, &shape);
    shape.rows = session->train->count;
    shape.embed = embed.length ? hill__text_string(&embed) : NULL;
    int status =
        embed.failed ? hill__fail_memory(error) : hill_plan_new(session->recipe, &shape, &session->host, &session->plan, error);
    hill__text_free(&embed);
    return status < 0 ? status : hill__model_tables(session->encoder, session->plan, error);
}

/*
 * No training row sets the unit of an unseen category, so its weights would stay as they were drawn and an unseen value would
 * add noise to the answer. From zero they stay at zero: an unseen value adds nothing.
 */
static void session_still_unseen(hill_session *session)
{
    const hill__encoder *encoder = session->encoder;
    hill_tensor tensor = HILL_TENSOR_INIT;
    float *weights = hill_run_weights(session->run);
    const hill_plan *plan = session->plan;
    size_t more = 0, width = encoder->width;
    for (size_t i = 0; i < plan->lookup_count; i++)
        width += plan->lookups[i].width - 1;
    if (hill_plan_tensor(plan, plan->lookup_count, &tensor) != HILL_OK || tensor.rank != 2 || tensor.shape[0] != width)
        return;
    for (size_t i = 0; i < encoder->input_count; i++) {
        const hill__input *input = &encoder->inputs[i];
        size_t unseen = more + input->first + input->units - 1;
        if (input->embedded)
            more += input->embedded - 1;
        else if (input->kind == HILL_COLUMN_CATEGORY)
            memset(weights + tensor.offset + unseen * tensor.shape[1], 0, tensor.shape[1] * sizeof *weights);
    }
}

static int session_start(hill_session *session, hill_error *error)
{
    const hill_source *valid = session->valid ? &session->valid_source : NULL;
    const hill__kernels *kernels = hill__kernels_find(session->host.isa);
    if (!kernels)
        return hill__fail(error, HILL_EISA, "%s", hill_status_text(HILL_EISA));
    session->train_source = hill__rows_source(session->train, kernels->spread);
    if (session->valid)
        session->valid_source = hill__rows_source(session->valid, kernels->spread);
    int status = hill_run_new(session->plan, &session->train_source, valid, &session->host, &session->run);
    if (status < 0)
        return hill__fail(error, status, "%s", hill_status_text(status));
    session_still_unseen(session);
    if (session->tables.start)
        status = hill__model_start(session->tables.start, session->plan, &session->host, hill_run_weights(session->run), error);
    return status;
}

/* What a checkpoint of this session can be known by: everything that its bits follow from. */
static int session_identify(hill_session *session, hill_error *error)
{
    static const char digits[] = "0123456789abcdef";
    hill_recipe *recipe;
    HILL__TRY(hill__recipe_copy(hill_plan_recipe(session->plan), &session->allocator, &recipe, error));
    const char *text = hill_recipe_text(recipe);
    session->data_hash = hill__table_hash(session->tables.train);
    session->valid_hash = session->tables.valid ? hill__table_hash(session->tables.valid) : 0;
    session->start_hash = hill__hash(hill_run_weights(session->run), session->plan->vector * sizeof(float), 0);
    const uint64_t parts[] = {session->data_hash, session->valid_hash, session->start_hash};
    uint64_t key = hill__hash(parts, sizeof parts, text ? hill__hash(text, strlen(text), 0) : 0);
    for (size_t i = 0; i < 16; i++)
        session->key[i] = digits[key >> (60 - 4 * i) & 15];
    hill_recipe_free(recipe);
    return text ? HILL_OK : hill__fail_memory(error);
}

static int session_make(hill_session *session, const hill_recipe *asked, hill_error *error)
{
    if (asked)
        HILL__TRY(hill__recipe_copy(asked, &session->allocator, &session->recipe, error));
    else
        HILL__TRY(hill_recipe_new(&session->host, &session->recipe, error));
    HILL__TRY(hill__session_data(session, error));
    HILL__TRY(session_plan(session, error));
    HILL__TRY(session_start(session, error));
    HILL__TRY(session_identify(session, error));
    session_tell(session, asked);
    session_warn_output(session);
    return session->guesses.failed || session->notes.text.failed ? hill__fail_memory(error) : HILL_OK;
}

/* A second encoder with the same text, which is what a model file would hold. */
static int session_copy_encoder(const hill_session *session, hill__encoder **out, hill_error *error)
{
    hill__text text;
    hill__text_init(&text, &session->allocator);
    hill__encoder_write(session->encoder, &text);
    int status = HILL_OK;
    if (text.failed)
        status = hill__fail_memory(error);
    else
        status = hill__encoder_parse(hill__text_string(&text), text.length, &session->allocator, out, error);
    hill__text_free(&text);
    return status;
}

int hill_session_new(const hill_recipe *recipe, const hill_tables *tables, const hill_host *host, hill_session **out,
                     hill_error *error)
{
    *out = NULL;
    if (!tables || tables->size < sizeof *tables || !tables->train)
        return hill__fail(error, HILL_EARGUMENT, "a session needs HILL_TABLES_INIT and a training table");
    hill_allocator allocator = hill__allocator(host);
    hill_session *session = hill__alloc(&allocator, 1, sizeof *session);
    if (!session)
        return hill__fail_memory(error);
    session->allocator = allocator;
    session->host = hill__model_host(host, session->isa);
    session->tables = *tables;
    hill__lines_init(&session->notes, &allocator);
    hill__text_init(&session->guesses, &allocator);
    int status = session_make(session, recipe, error);
    if (status < 0) {
        hill_session_free(session);
        return status;
    }
    *out = session;
    return HILL_OK;
}

void hill_session_free(hill_session *session)
{
    if (!session)
        return;
    hill_allocator allocator = session->allocator;
    hill_run_free(session->run);
    hill_plan_free(session->plan);
    hill__rows_free(session->test);
    hill__rows_free(session->valid);
    hill__rows_free(session->train);
    hill__encoder_free(session->encoder);
    hill_recipe_free(session->recipe);
    hill__lines_free(&session->notes);
    hill__text_free(&session->guesses);
    hill__free(&allocator, session, 1, sizeof *session);
}

hill_run *hill_session_run(hill_session *session)
{
    return session->run;
}

const hill_recipe *hill_session_recipe(const hill_session *session)
{
    return hill_plan_recipe(session->plan);
}

const char *hill_session_key(const hill_session *session)
{
    return session->key;
}

const char *hill_session_guesses(const hill_session *session)
{
    return hill__text_string(&session->guesses);
}

const char *hill_session_note(const hill_session *session, size_t i)
{
    return hill__lines_at(&session->notes, i);
}

int hill_session_finish(hill_session *session, hill_model **out, hill_error *error)
{
    *out = NULL;
    const hill_run *run = session->run;
    hill__model_parts parts = {.recipe = hill_plan_recipe(session->plan)};
    parts.facts.rows = session->train->count;
    parts.facts.steps = run->at.step;
    parts.facts.epochs = run->at.epoch;
    parts.weights = hill_run_best(run, &parts.facts.best_epoch);
    HILL__TRY(session_copy_encoder(session, &parts.encoder, error));
    return hill__model_new(&parts, &session->host, out, error);
}

int hill_session_metrics(hill_session *session, const hill_model *model, hill_which which, hill_metrics *metrics,
                         hill_error *error)
{
    hill__rows *const sets[] = {
        [HILL_WHICH_TRAIN] = session->train, [HILL_WHICH_VALID] = session->valid, [HILL_WHICH_TEST] = session->test};
    if (metrics->size < sizeof *metrics || (unsigned)which > HILL_WHICH_TEST)
        return hill__fail(error, HILL_EARGUMENT, "metrics without HILL_METRICS_INIT, or no such rows");
    /* Scoring changes nothing of a model that its caller can see. */
    return hill__model_score((hill_model *)model, sets[which], metrics, NULL, error);
}

int hill_train(const hill_table *table, const char *recipe, const hill_host *host, hill_model **out, hill_error *error)
{
    hill_tables tables = HILL_TABLES_INIT;
    hill_session *session = NULL;
    hill_recipe *knobs;
    *out = NULL;
    tables.train = table;
    HILL__TRY(hill_recipe_new(host, &knobs, error));
    int status = recipe ? hill_recipe_parse(knobs, recipe, strlen(recipe), NULL, error) : HILL_OK;
    if (status == HILL_OK)
        status = hill_session_new(knobs, &tables, host, &session, error);
    while (session && (status = hill_step(session->run, NULL)) == HILL_ROW)
        continue;
    if (status == HILL_DONE)
        status = hill_session_finish(session, out, error);
    else if (session)
        hill__fail(error, status, "%s", hill_run_message(session->run));
    hill_session_free(session);
    hill_recipe_free(knobs);
    return status;
}
