/*
 * single.c - binds small layers to a run's memory for steps of one row.
 */
#include "base/fp.h"

#include "plan/single.h"

static bool is_small(const hill__instr *instr)
{
    return instr->op == hill__op_at(HILL__OP_dense) && instr->outputs <= HILL__LANES &&
           !(instr->activation->flags & HILL__OP_ROW);
}

size_t hill__singles_count(const hill_plan *plan)
{
    if (plan->batch != 1 || plan->growth.any)
        return 0;
    for (size_t i = 0; i < plan->hidden_count; i++)
        if (!is_small(&plan->instrs[i]))
            return 0;
    return plan->hidden_count;
}

void hill__singles_bind(hill__singles *singles, const hill_plan *plan, const hill__walk *walk)
{
    float *d = walk->scratch + plan->d, *dx = walk->scratch + plan->d_next;
    singles->count = plan->hidden_count;
    for (size_t i = plan->hidden_count; i-- > 0;) {
        const hill__instr *instr = &plan->instrs[i];
        singles->layers[i] = (hill__single){.inputs = instr->inputs,
                                            .outputs = instr->outputs,
                                            .map = (hill__map)instr->activation->kernel,
                                            .x = hill__input_of(instr, walk),
                                            .w = walk->weights + instr->weight,
                                            .bias = walk->weights + instr->bias,
                                            .z = hill__buffer(walk, instr->z),
                                            .y = hill__buffer(walk, instr->y),
                                            .d = d,
                                            .dw = walk->gradient + instr->weight,
                                            .dbias = walk->gradient + instr->bias,
                                            .dx = dx};
        float *above = d;
        d = dx;
        dx = above;
    }
    const hill__instr *cost = hill__plan_cost(plan);
    singles->kind = (hill__cost_kind)cost->op->kernel;
    singles->cost = (hill__cost){.y = hill__input_of(cost, walk),
                                 .t = walk->targets,
                                 .d = walk->scratch + plan->d,
                                 .cost = walk->costs,
                                 .rows = 1,
                                 .n = cost->inputs,
                                 .scale = 1.0f,
                                 .knobs = walk->knobs};
}

bool hill__singles_gradient(const hill__singles *singles, const hill__kernels *kernels, float *cost)
{
    bool good = kernels->single_walk(singles->layers, singles->count, singles->kind, &singles->cost);
    *cost = singles->cost.cost[0];
    return good;
}
