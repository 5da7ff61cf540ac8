/*
 * op.c - the table of operators, made from op.def.
 */
#include "base/fp.h"

#include "op/op.h"

#include <string.h>

/* softmax has loops of its own: its map is never asked for. */
#define HILL__MAP_softmax HILL__MAP_identity
#define FROM_INPUT HILL__OP_FROM_INPUT
#define KINK HILL__OP_KINK
#define ROW HILL__OP_ROW
#define UNITS HILL__OP_UNITS
#define WINDOW HILL__OP_WINDOW
#define WEIGHTS HILL__OP_WEIGHTS
#define MARGIN HILL__OP_MARGIN
#define UNSCALED HILL__OP_UNSCALED
#define COUNTS HILL__OP_COUNTS
#define PART HILL__OP_PART
#define TABLES HILL__OP_TABLES
#define BENDS HILL__OP_BENDS
#define WAVES HILL__OP_WAVES

static const hill__op operators[HILL__OP_COUNT] = {
#define LAYER(id, word, flags, text, sentence) \
    [HILL__OP_##id] = {word,                   \
                       HILL__LAYER,            \
                       flags,                  \
                       0,                      \
                       HILL__OP_identity,      \
                       text,                   \
                       sentence,               \
                       hill__##id##_forward,   \
                       hill__##id##_backward,  \
                       hill__##id##_formula},
#define ACTIVATION(id, word, flags, text, sentence) \
    [HILL__OP_##id] = {word,                        \
                       HILL__ACTIVATION,            \
                       flags,                       \
                       HILL__MAP_##id,              \
                       HILL__OP_identity,           \
                       text,                        \
                       sentence,                    \
                       hill__activation_forward,    \
                       hill__activation_backward,   \
                       hill__##id##_formula},
#define COST(id, word, loop, output, flags, text, sentence) \
    [HILL__OP_##id] = {word,                                \
                       HILL__COST,                          \
                       flags,                               \
                       HILL__COST_##loop,                   \
                       HILL__OP_##output,                   \
                       text,                                \
                       sentence,                            \
                       hill__cost_forward,                  \
                       hill__cost_backward,                 \
                       hill__##id##_formula},
#include "op/op.def"
};

const hill__op *hill__op_at(hill__op_id id)
{
    return &operators[id];
}

const hill__op *hill__op_find(hill__family family, const char *word)
{
    for (size_t i = 0; i < HILL__OP_COUNT; i++)
        if (operators[i].family == family && strcmp(operators[i].word, word) == 0)
            return &operators[i];
    return NULL;
}

void hill__hand_on(hill__walk *walk)
{
    float *d = walk->d;
    walk->d = walk->d_next;
    walk->d_next = d;
}

void hill__walk_share(const hill__walk *walk, size_t work, hill__task task, void *context)
{
    size_t parts = walk->pool ? work / walk->kernels->thread_work : 0;
    if (parts <= 1) {
        task(context, 0, 1);
        return;
    }
    unsigned size = hill__pool_size(walk->pool);
    hill__pool_run(walk->pool, parts < size ? (unsigned)parts : size, task, context);
}
