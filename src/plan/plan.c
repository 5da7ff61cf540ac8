/*
 * plan.c - compiles a recipe into instructions and lays out memory.
 *
 * Invariant: what a step does, and where everything lies, is decided here; nothing is looked up by name afterwards.
 */
#include "base/fp.h"

#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "plan/layers.h"
#include "plan/needs.h"
#include "plan/resolve.h"

/* Floats besides its weights that a model may take for answers. */
#define ANSWER_FLOATS ((size_t)1 << 22)

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

static int compile(hill__builder *builder, hill_error *error)
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
    plan->average = hill__recipe_number(plan->recipe, "average");
    plan->rule = (hill__rule_id)hill__word_index(HILL_WORDS_RULE, hill_recipe_get(plan->recipe, "rule"));
    plan->cost_knobs = cost_knobs(plan->recipe);
    (void)hill__growth_parse(hill_recipe_get(plan->recipe, "grow"), &plan->growth, error); /* likewise */
    if (plan->growth.moves && (plan->picture.height < 2 || plan->picture.width < 2))
        return hill__fail(error, HILL_ERECIPE, "grow: only pictures can be moved; the inputs are none, or a line");
    memcpy(plan->lookups, net.lookups, sizeof plan->lookups);
    plan->lookup_count = net.lookup_count;
    if (plan->growth.any && plan->lookup_count > 0)
        return hill__fail(error, HILL_ERECIPE,
                          "grow: rows of tables are numbers that can't be mixed; --grow none, or no embed");
    for (size_t i = 0; i < net.count; i++)
        HILL__TRY(hill__add_layer(builder, &net.layers[i], error));
    return hill__add_head(builder, net.output, cost, error);
}

static bool is_picture(const hill__extent *extent, size_t inputs)
{
    size_t pixels, units;
    return hill__mul(extent->height, extent->width, &pixels) && hill__mul(pixels, extent->channels, &units) && units == inputs;
}

/* Builds a plan by a builder that has none yet. */
static int build(hill__builder *builder, const hill_recipe *recipe, const hill_shape *shape, const hill_allocator *allocator,
                 hill_plan **out, hill_error *error)
{
    *out = NULL;
    if (shape->inputs == 0 || shape->outputs == 0)
        return hill__fail(error, HILL_EARGUMENT, "a net has at least one input and one output");
    hill__extent picture = {shape->height, shape->width, shape->channels};
    if (picture.height && !is_picture(&picture, shape->inputs))
        return hill__fail(error, HILL_EARGUMENT, "height, width and channels of a picture don't make its inputs");
    hill_plan *plan = hill__alloc(allocator, 1, sizeof *plan);
    if (!plan)
        return hill__fail_memory(error);
    *plan = (hill_plan){
        .allocator = *allocator, .task = shape->task, .inputs = shape->inputs, .outputs = shape->outputs, .picture = picture};
    builder->plan = plan;
    builder->x = HILL__NOWHERE;
    builder->width = shape->inputs;
    builder->extent = picture.height ? picture : (hill__extent){1, shape->inputs, 1};
    int status = hill__recipe_copy(recipe, allocator, &plan->recipe, error);
    if (status >= 0)
        status = hill__recipe_resolve(plan->recipe, shape, error);
    if (status >= 0)
        status = compile(builder, error);
    if (status >= 0)
        status = hill__plan_suits(plan, error);
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
    hill__builder builder = {.fused = fused, .rows = SIZE_MAX};
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
    hill__builder builder = {.fused = true, .rows = rows ? rows : 1};
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
    hill__free(&allocator, plan->slots, plan->slot_capacity, sizeof *plan->slots);
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
    return 5 + 2 * hill__plan_moments(plan);
}

/* A product of one row with [inputs, outputs] weights is a multiplication and an addition a weight. */
static double row_operations(const hill_plan *plan)
{
    double sum = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const hill__instr *instr = &plan->instrs[i];
        double products = instr->first ? 2 : 3; /* up, the weights' gradient, and the input's where somebody needs it */
        sum += 2 * products * (double)instr->work;
    }
    return sum;
}

int hill_plan_info(const hill_plan *plan, hill_plan_sizes *sizes)
{
    size_t row_floats, rows_bytes, work;
    sizes->inputs = plan->inputs;
    sizes->outputs = plan->outputs;
    sizes->parameters = plan->parameters;
    sizes->tensors = plan->slot_count;
    sizes->vector = plan->vector;
    sizes->row_operations = row_operations(plan);
    if (!hill__mul(plan->vector, hill__plan_vectors(plan) * sizeof(float), &sizes->vector_bytes) ||
        !hill__plan_work(plan, &work) || !hill__add(sizes->vector_bytes, work, &sizes->vector_bytes) ||
        !hill__mul(plan->scratch, sizeof(float), &sizes->scratch_bytes) ||
        !hill__add(plan->inputs, plan->outputs, &row_floats) || !hill__mul(row_floats, sizeof(float), &row_floats) ||
        !hill__add(row_floats, 2 * sizeof(uint64_t) + sizeof(float), &row_floats) ||
        !hill__mul(row_floats, plan->block_rows, &rows_bytes) || !hill__add(rows_bytes, 2 * HILL__ALIGN, &sizes->staging_bytes))
        return HILL_EMEMORY;
    return HILL_OK;
}

int hill_plan_tensor(const hill_plan *plan, size_t i, hill_tensor *tensor)
{
    if (i >= plan->slot_count)
        return HILL_EARGUMENT;
    const hill__slot *slot = &plan->slots[i];
    if (slot->number)
        snprintf(tensor->name, sizeof tensor->name, "layer%zu.%s%zu", slot->layer, slot->name, slot->number);
    else
        snprintf(tensor->name, sizeof tensor->name, "layer%zu.%s", slot->layer, slot->name);
    tensor->rank = slot->rank;
    tensor->offset = slot->offset;
    memcpy(tensor->shape, slot->shape, sizeof tensor->shape);
    return HILL_OK;
}

size_t hill__tensor_count(const hill_tensor *tensor)
{
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

const hill__instr *hill__plan_cost(const hill_plan *plan)
{
    return &plan->instrs[plan->count - 1];
}
