/*
 * plan.c - compiles a recipe into instructions and lays out memory.
 *
 * Invariant: what a step does, and where everything lies, is decided here; nothing is looked up by name afterwards.
 */
#include "base/fp.h"

#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "plan/net.h"
#include "plan/resolve.h"

typedef struct plan_builder {
    hill_plan *plan;
    bool fused;
    size_t x;     /* buffer the next instruction reads */
    size_t width; /* its units */
    size_t widest;
    size_t largest_turned;
    size_t rows; /* of a block, at most */
} plan_builder;

/* Floats besides its weights that a model may take for answers. */
#define ANSWER_FLOATS ((size_t)1 << 22)

/* Takes `floats` from *total, padded; false when sizes wrap. */
static bool reserve(size_t *total, size_t floats, size_t *offset)
{
    size_t padded;
    *offset = *total;
    return hill__round_up(floats, HILL__PAD, &padded) && hill__add(*total, padded, total);
}

static bool reserve_rows(plan_builder *builder, size_t units, size_t *offset)
{
    size_t floats;
    return hill__mul(units, builder->plan->block_rows, &floats) && reserve(&builder->plan->scratch, floats, offset);
}

static hill__instr *append(plan_builder *builder, const hill__op *op, size_t outputs)
{
    hill_plan *plan = builder->plan;
    void *instrs = plan->instrs;
    if (!hill__grow(&plan->allocator, &instrs, &plan->capacity, plan->count + 1, sizeof *plan->instrs))
        return NULL;
    plan->instrs = instrs;
    hill__instr *instr = &plan->instrs[plan->count++];
    *instr = (hill__instr){.op = op,
                           .activation = hill__op_at(HILL__OP_identity),
                           .inputs = builder->width,
                           .outputs = outputs,
                           .weight = HILL__NOWHERE,
                           .bias = HILL__NOWHERE,
                           .below = hill__op_at(HILL__OP_identity),
                           .x = builder->x,
                           .first = builder->x == HILL__NOWHERE};
    return instr;
}

static bool add_activation(plan_builder *builder, const hill__op *activation)
{
    hill__instr *instr = append(builder, activation, builder->width);
    if (!instr || !reserve_rows(builder, builder->width, &instr->y))
        return false;
    instr->z = activation->flags & HILL__OP_FROM_INPUT ? instr->x : instr->y;
    builder->x = instr->y;
    return true;
}

/* The layer that makes this one's input lets it multiply by its slope, where that is a matter of single units. */
static void take_slope_below(hill_plan *plan, hill__instr *instr)
{
    hill__instr *below = plan->count > 1 ? instr - 1 : NULL;
    if (!below || below->op->family != HILL__LAYER || below->activation == hill__op_at(HILL__OP_identity) ||
        below->activation->flags & HILL__OP_ROW)
        return;
    instr->below = below->activation;
    instr->below_z = below->z;
    below->slope_above = true;
}

/* The input's gradient needs the weights turned over, or d and, afterwards, what came of it. */
static bool reserve_turned(plan_builder *builder, hill__instr *instr, size_t weights)
{
    size_t units, floats;
    if (!hill__add(instr->inputs, instr->outputs, &units) || !hill__mul(units, builder->plan->block_rows, &floats))
        return false;
    instr->turn_d = floats < weights;
    floats = instr->turn_d ? floats : weights;
    builder->largest_turned = floats > builder->largest_turned ? floats : builder->largest_turned;
    return true;
}

static bool add_dense(plan_builder *builder, size_t units, const hill__op *activation)
{
    hill_plan *plan = builder->plan;
    size_t weights;
    hill__instr *instr = append(builder, hill__op_at(HILL__OP_dense), units);
    if (!instr || !hill__mul(builder->width, units, &weights) || !reserve(&plan->vector, weights, &instr->weight) ||
        !reserve(&plan->vector, units, &instr->bias) || !reserve_rows(builder, units, &instr->y))
        return false;
    plan->parameters += weights + units;
    plan->layers++;
    if (!instr->first && !reserve_turned(builder, instr, weights))
        return false;
    instr->z = instr->y;
    take_slope_below(plan, instr);
    builder->x = instr->y;
    builder->width = units;
    builder->widest = units > builder->widest ? units : builder->widest;
    if (!builder->fused)
        return activation == hill__op_at(HILL__OP_identity) || add_activation(builder, activation);
    instr->activation = activation;
    return !(activation->flags & HILL__OP_FROM_INPUT) || reserve_rows(builder, units, &instr->z);
}

/* The output layer, the activation that turns it into answers, and the cost. */
static bool add_head(plan_builder *builder, const hill__op *output, const hill__op *cost)
{
    hill_plan *plan = builder->plan;
    bool together = cost->output != HILL__OP_identity;
    if (!add_dense(builder, plan->outputs, together ? hill__op_at(HILL__OP_identity) : output))
        return false;
    plan->hidden_count = plan->count;
    size_t x = builder->x;
    if (together && !add_activation(builder, output))
        return false;
    plan->answer = builder->x;
    builder->x = x;
    hill__instr *instr = append(builder, cost, 1);
    return instr && reserve(&plan->scratch, plan->block_rows, &plan->costs) &&
           reserve_rows(builder, builder->widest, &plan->d) && reserve_rows(builder, builder->widest, &plan->d_next) &&
           reserve(&plan->scratch, builder->largest_turned, &plan->turned);
}

static size_t block_rows_for(size_t batch)
{
    if (batch == 0 || batch >= HILL__BLOCK_ROWS)
        return HILL__BLOCK_ROWS;
    return batch < HILL__BLOCK_LEAST ? HILL__BLOCK_LEAST : batch;
}

static hill__cost_knobs cost_knobs(const hill_recipe *recipe)
{
    return (hill__cost_knobs){.delta = (float)hill__recipe_number(recipe, "delta"),
                              .quantile = (float)hill__recipe_number(recipe, "quantile"),
                              .focus = (float)hill__recipe_number(recipe, "focus"),
                              .smoothing = (float)hill__recipe_number(recipe, "smoothing")};
}

static int compile(plan_builder *builder, hill_error *error)
{
    hill_plan *plan = builder->plan;
    const hill__op *cost = hill__op_find(HILL__COST, hill_recipe_get(plan->recipe, "cost"));
    hill__net net;
    (void)hill__net_parse(hill_recipe_get(plan->recipe, "net"), &net, error); /* its knob took it */
    if (cost->output != HILL__OP_identity && net.output != hill__op_at(cost->output))
        return hill__fail(error, HILL_ERECIPE, "cost: %s needs the net to end in 'output %s', not 'output %s'", cost->word,
                          hill__op_at(cost->output)->word, net.output->word);
    plan->batch = hill__recipe_is(plan->recipe, "batch", "full") ? 0 : (size_t)hill__recipe_count(plan->recipe, "batch");
    plan->block_rows = block_rows_for(plan->batch);
    plan->block_rows = plan->block_rows < builder->rows ? plan->block_rows : builder->rows;
    plan->rule = (hill__rule_id)hill__word_index(HILL_WORDS_RULE, hill_recipe_get(plan->recipe, "rule"));
    plan->cost_knobs = cost_knobs(plan->recipe);
    for (size_t i = 0; i < net.count; i++)
        if (!add_dense(builder, net.layers[i].units, net.layers[i].activation))
            return hill__fail_memory(error);
    return add_head(builder, net.output, cost) ? HILL_OK : hill__fail_memory(error);
}

/* Builds a plan by a builder that has none yet. */
static int build(plan_builder *builder, const hill_recipe *recipe, const hill_shape *shape, const hill_allocator *allocator,
                 hill_plan **out, hill_error *error)
{
    *out = NULL;
    if (shape->inputs == 0 || shape->outputs == 0)
        return hill__fail(error, HILL_EARGUMENT, "a net has at least one input and one output");
    hill_plan *plan = hill__alloc(allocator, 1, sizeof *plan);
    if (!plan)
        return hill__fail_memory(error);
    *plan = (hill_plan){.allocator = *allocator, .task = shape->task, .inputs = shape->inputs, .outputs = shape->outputs};
    builder->plan = plan;
    builder->x = HILL__NOWHERE;
    builder->width = shape->inputs;
    int status = hill__recipe_copy(recipe, allocator, &plan->recipe, error);
    if (status >= 0)
        status = hill__recipe_resolve(plan->recipe, shape, error);
    if (status >= 0)
        status = compile(builder, error);
    if (status < 0) {
        hill_plan_free(plan);
        return status;
    }
    *out = plan;
    return HILL_OK;
}

int hill__plan_build(const hill_recipe *recipe, const hill_shape *shape, bool fused, const hill_allocator *allocator,
                     hill_plan **out, hill_error *error)
{
    plan_builder builder = {.fused = fused, .rows = SIZE_MAX};
    return build(&builder, recipe, shape, allocator, out, error);
}

int hill__plan_answering(const hill_recipe *recipe, const hill_shape *shape, const hill_allocator *allocator, hill_plan **out,
                         hill_error *error)
{
    HILL__TRY(hill__plan_build(recipe, shape, true, allocator, out, error));
    const hill_plan *plan = *out;
    size_t room = plan->vector > ANSWER_FLOATS ? plan->vector : ANSWER_FLOATS;
    size_t rows = room / (plan->scratch / plan->block_rows + plan->inputs + plan->outputs);
    if (rows >= plan->block_rows)
        return HILL_OK;
    plan_builder builder = {.fused = true, .rows = rows ? rows : 1};
    hill_plan_free(*out);
    return build(&builder, recipe, shape, allocator, out, error);
}

int hill_plan_new(const hill_recipe *recipe, const hill_shape *shape, const hill_host *host, hill_plan **out, hill_error *error)
{
    hill_allocator allocator = hill__allocator(host);
    return hill__plan_build(recipe, shape, true, &allocator, out, error);
}

void hill_plan_free(hill_plan *plan)
{
    if (!plan)
        return;
    hill_allocator allocator = plan->allocator;
    hill__free(&allocator, plan->instrs, plan->capacity, sizeof *plan->instrs);
    hill_recipe_free(plan->recipe);
    hill__free(&allocator, plan, 1, sizeof *plan);
}

const hill_recipe *hill_plan_recipe(const hill_plan *plan)
{
    return plan->recipe;
}

size_t hill__plan_vectors(const hill_plan *plan)
{
    return 5 + 2 * hill__rule_moments(plan->rule);
}

/* A product of one row with [inputs, outputs] weights is a multiplication and an addition a weight. */
static double row_operations(const hill_plan *plan)
{
    double sum = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const hill__instr *instr = &plan->instrs[i];
        double products = instr->first ? 2 : 3; /* up, the weights' gradient, and the input's where somebody needs it */
        if (instr->op->family == HILL__LAYER)
            sum += 2 * products * (double)instr->inputs * (double)instr->outputs;
    }
    return sum;
}

int hill_plan_info(const hill_plan *plan, hill_plan_sizes *sizes)
{
    size_t row_floats, rows_bytes;
    sizes->inputs = plan->inputs;
    sizes->outputs = plan->outputs;
    sizes->parameters = plan->parameters;
    sizes->tensors = 2 * plan->layers;
    sizes->vector = plan->vector;
    sizes->row_operations = row_operations(plan);
    if (!hill__mul(plan->vector, hill__plan_vectors(plan) * sizeof(float), &sizes->vector_bytes) ||
        !hill__mul(plan->scratch, sizeof(float), &sizes->scratch_bytes) ||
        !hill__add(plan->inputs, plan->outputs, &row_floats) || !hill__mul(row_floats, sizeof(float), &row_floats) ||
        !hill__add(row_floats, 2 * sizeof(uint64_t), &row_floats) || !hill__mul(row_floats, plan->block_rows, &rows_bytes) ||
        !hill__add(rows_bytes, 2 * HILL__ALIGN, &sizes->staging_bytes))
        return HILL_EMEMORY;
    return HILL_OK;
}

/* Dense instruction number `layer`, from 0. */
static const hill__instr *dense_at(const hill_plan *plan, size_t layer)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->instrs[i].op->family == HILL__LAYER && layer-- == 0)
            return &plan->instrs[i];
    return NULL;
}

int hill_plan_tensor(const hill_plan *plan, size_t i, hill_tensor *tensor)
{
    const hill__instr *instr = dense_at(plan, i / 2);
    if (!instr)
        return HILL_EARGUMENT;
    bool is_weight = i % 2 == 0;
    snprintf(tensor->name, sizeof tensor->name, "layer%zu.%s", i / 2 + 1, is_weight ? "weight" : "bias");
    tensor->rank = is_weight ? 2 : 1;
    tensor->shape[0] = is_weight ? instr->inputs : instr->outputs;
    tensor->shape[1] = is_weight ? instr->outputs : 0;
    tensor->offset = is_weight ? instr->weight : instr->bias;
    return HILL_OK;
}

const hill__instr *hill__plan_cost(const hill_plan *plan)
{
    return &plan->instrs[plan->count - 1];
}
