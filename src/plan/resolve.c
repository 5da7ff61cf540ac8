/*
 * resolve.c - what "auto" means. Invariant: the recipe that comes out, run again on the same shape, comes out unchanged.
 */
#include "base/fp.h"

#include "plan/resolve.h"

#include <stdio.h>
#include <string.h>

#include "plan/net.h"
#include "plan/words.h"

/*
 * Some hundred rows don't hold enough to set ten thousand weights: measured on the small tables that scikit-learn brings. A
 * handful of rows (XOR) is learned by heart, where width only makes the way down surer.
 */
#define DEFAULT_NET "128 relu, 64 relu"
#define SMALL_NET "32 relu"
#define SMALL_ROWS_LEAST 50u
#define SMALL_ROWS_MOST 1000u
/*
 * Pictures of so many pixels a side get a small convolution net, and what goes with it, where the net is left to us. It was chosen
 * on held-out rows of digits and clothes: turning and zooming help digits and harm clothes, averaged weights and more dropout help
 * both, and normalising behind the pooling does as much as before it, at a quarter of the work.
 */
#define PICTURE_SIDE_LEAST 16u
static const char *const picture_choice[][2] = {
    {"net", "conv 32 3x3 same relu, maxpool 2, batchnorm, conv 64 3x3 same relu, maxpool 2, batchnorm, dropout 0.3, 256 relu, "
            "dropout 0.5"},
    {"grow", "shift 1"},
    {"schedule", "cosine"},
    {"batch", "64"},
    {"epochs", "24"},
    {"average", "0.999"},
};

/* Small tables get more passes, so that every run takes about this many steps, within bounds. */
#define AUTO_STEPS 6000u
#define AUTO_EPOCHS_LEAST 12u
#define AUTO_EPOCHS_MOST 1500u
#define AUTO_PATIENCE_LEAST 10
#define AUTO_PATIENCE_MOST 1000000000 /* the knob's upper bound */

static int set_auto(hill_recipe *recipe, const char *knob, const char *value, hill_error *error)
{
    return hill__recipe_is(recipe, knob, "auto") ? hill_recipe_set(recipe, knob, value, error) : HILL_OK;
}

static int set_auto_count(hill_recipe *recipe, const char *knob, uint64_t value, hill_error *error)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return set_auto(recipe, knob, text, error);
}

/* The output activation that goes with the task and the cost, where the recipe names none. */
static hill__op_id output_for(const hill_recipe *recipe, hill_task task)
{
    const hill__op *cost = hill__op_find(HILL__COST, hill_recipe_get(recipe, "cost"));
    if (cost->output != HILL__OP_identity)
        return cost->output;
    return task == HILL_TASK_CLASSES && !(cost->flags & HILL__OP_UNSCALED) ? HILL__OP_sigmoid : HILL__OP_identity;
}

static int resolve_net(hill_recipe *recipe, const hill_shape *shape, hill_error *error)
{
    hill__net net;
    char text[2100];
    hill_task task = shape->task;
    bool small = shape->rows >= SMALL_ROWS_LEAST && shape->rows < SMALL_ROWS_MOST;
    HILL__TRY(set_auto(recipe, "net", small ? SMALL_NET : DEFAULT_NET, error));
    (void)hill__net_parse(hill_recipe_get(recipe, "net"), &net, error); /* its knob took it */
    const char *embed = shape->embed && net.lookup_count == 0 ? shape->embed : "", *hidden = hill_recipe_get(recipe, "net");
    if (net.output && !*embed)
        return HILL_OK;
    int length =
        snprintf(text, sizeof text, "%s%s%s%s%s%s", embed, *embed ? ", " : "", hidden, !net.output && net.count ? ", " : "",
                 net.output ? "" : "output ", net.output ? "" : hill__op_at(output_for(recipe, task))->word);
    if ((size_t)length >= sizeof text)
        return hill__fail(error, HILL_ERECIPE, "net: too long");
    return hill_recipe_set(recipe, "net", text, error);
}

/* Cross-entropy for classes, unless the net's written output activation belongs to another cost. */
static int resolve_cost(hill_recipe *recipe, hill_task task, hill_error *error)
{
    hill__net net;
    const char *cost = task == HILL_TASK_CLASSES ? "cross-entropy" : "squared";
    if (!hill__recipe_is(recipe, "net", "auto")) {
        (void)hill__net_parse(hill_recipe_get(recipe, "net"), &net, error);
        if (net.output && net.output != hill__op_at(HILL__OP_softmax) && task == HILL_TASK_CLASSES)
            cost = net.output == hill__op_at(HILL__OP_sigmoid) ? "binary-cross-entropy" : "squared";
    }
    return set_auto(recipe, "cost", cost, error);
}

static bool is_bounded(const hill__op *activation)
{
    return activation == hill__op_at(HILL__OP_tanh) || activation == hill__op_at(HILL__OP_sigmoid);
}

/*
 * Biases that are all 0 are a symmetry that rules of second order find no way out of where the data has it too; hidden layers that
 * bend between bounds can start apart. Where the rule has a say, auto is written out here, so that a race has one start for all.
 */
static int resolve_init(hill_recipe *recipe, hill_error *error)
{
    int rule = hill__word_index(HILL_WORDS_RULE, hill_recipe_get(recipe, "rule"));
    hill__net net;
    (void)hill__net_parse(hill_recipe_get(recipe, "net"), &net, error);
    bool bends = net.count > 0 && (is_bounded(net.output) || net.output == hill__op_at(HILL__OP_identity) ||
                                   net.output == hill__op_at(HILL__OP_softmax));
    for (size_t i = 0; i < net.count; i++)
        bends = bends && is_bounded(net.layers[i].activation);
    bool apart = hill__rule_facts_of((hill__rule_id)rule)->rows == HILL__ROWS_ALWAYS;
    return bends ? set_auto(recipe, "init", apart ? "nguyen-widrow" : "glorot", error) : HILL_OK;
}

static int resolve_descent(hill_recipe *recipe, hill_error *error)
{
    int rule = hill__word_index(HILL_WORDS_RULE, hill_recipe_get(recipe, "rule"));
    const hill__rule_facts *facts = hill__rule_facts_of((hill__rule_id)rule);
    HILL__TRY(set_auto(recipe, "rate", facts->rate, error));
    HILL__TRY(set_auto(recipe, "momentum", rule == HILL__RULE_ID_muon ? "0.95" : "0.9", error));
    HILL__TRY(set_auto(recipe, "epsilon", rule == HILL__RULE_ID_adagrad ? "1e-10" : "1e-8", error));
    HILL__TRY(set_auto(recipe, "decay", facts->decay == HILL__DECAY_APART ? "0.01" : "0", error));
    return set_auto(recipe, "drop", hill__recipe_is(recipe, "schedule", "exponential") ? "0.95" : "0.5", error);
}

/* A rule's wish comes before all others. */
static int resolve_rows(hill_recipe *recipe, hill_error *error)
{
    int rule = hill__word_index(HILL_WORDS_RULE, hill_recipe_get(recipe, "rule"));
    hill__rule_rows rows = hill__rule_facts_of((hill__rule_id)rule)->rows;
    if (rows != HILL__ROWS_ANY)
        HILL__TRY(set_auto(recipe, "batch", "full", error));
    return rows == HILL__ROWS_ALWAYS ? set_auto(recipe, "grow", "none", error) : HILL_OK;
}

static int resolve_length(hill_recipe *recipe, uint64_t rows, hill_error *error)
{
    uint64_t batch = 16;
    while (batch < 128 && batch * 64 < rows)
        batch *= 2;
    HILL__TRY(set_auto_count(recipe, "batch", batch, error));
    uint64_t size = hill__recipe_is(recipe, "batch", "full") ? rows : hill__recipe_count(recipe, "batch");
    uint64_t steps = rows ? rows / size + (rows % size != 0) : 1;
    uint64_t epochs = AUTO_STEPS / steps;
    epochs = epochs < AUTO_EPOCHS_LEAST ? AUTO_EPOCHS_LEAST : epochs > AUTO_EPOCHS_MOST ? AUTO_EPOCHS_MOST : epochs;
    HILL__TRY(set_auto_count(recipe, "epochs", epochs, error));
    uint64_t patience = hill__recipe_count(recipe, "epochs") / 5;
    patience = patience < AUTO_PATIENCE_LEAST  ? AUTO_PATIENCE_LEAST
               : patience > AUTO_PATIENCE_MOST ? AUTO_PATIENCE_MOST
                                               : patience;
    return set_auto_count(recipe, "patience", patience, error);
}

/* Writes defaults out, so that the recipe means the same to a later version with other defaults. */
static int write_defaults(hill_recipe *recipe, hill_error *error)
{
    size_t count;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        if (!hill_recipe_is_set(recipe, knobs[i].name) && knobs[i].initial[0] && strcmp(knobs[i].initial, "auto") != 0 &&
            !hill__knob_is_lent(&knobs[i]))
            HILL__TRY(hill_recipe_set(recipe, knobs[i].name, knobs[i].initial, error));
    return HILL_OK;
}

static int resolve_picture(hill_recipe *recipe, const hill_shape *shape, hill_error *error)
{
    bool ours = shape->task == HILL_TASK_CLASSES && shape->height >= PICTURE_SIDE_LEAST && shape->width >= PICTURE_SIDE_LEAST &&
                hill__recipe_is(recipe, "net", "auto");
    for (size_t i = 0; ours && i < sizeof picture_choice / sizeof *picture_choice; i++)
        HILL__TRY(set_auto(recipe, picture_choice[i][0], picture_choice[i][1], error));
    HILL__TRY(set_auto(recipe, "grow", "none", error));
    HILL__TRY(set_auto(recipe, "average", "0", error));
    return set_auto(recipe, "schedule", "constant", error);
}

int hill__recipe_resolve(hill_recipe *recipe, const hill_shape *shape, hill_error *error)
{
    HILL__TRY(resolve_rows(recipe, error));
    HILL__TRY(resolve_picture(recipe, shape, error));
    HILL__TRY(resolve_cost(recipe, shape->task, error));
    HILL__TRY(resolve_net(recipe, shape, error));
    HILL__TRY(resolve_init(recipe, error));
    HILL__TRY(resolve_descent(recipe, error));
    HILL__TRY(resolve_length(recipe, shape->rows, error));
    return write_defaults(recipe, error);
}
