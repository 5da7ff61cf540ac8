/*
 * walk.c - loops over the instructions of a plan.
 */
#include "base/fp.h"

#include "plan/walk.h"

void hill__walk_begin(const hill_plan *plan, hill__walk *walk)
{
    walk->costs = walk->scratch + plan->costs;
    walk->turned = walk->scratch + plan->turned;
    walk->knobs = plan->cost_knobs;
}

static void walk_up(const hill_plan *plan, hill__walk *walk, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        plan->instrs[i].op->forward(&plan->instrs[i], walk);
}

const float *hill__walk_answer(const hill_plan *plan, hill__walk *walk)
{
    walk_up(plan, walk, 0, plan->count - 1);
    return walk->scratch + plan->answer;
}

const float *hill__walk_units(const hill_plan *plan, hill__walk *walk, size_t instr)
{
    walk_up(plan, walk, 0, instr + 1);
    return walk->scratch + plan->instrs[instr].y;
}

const float *hill__walk_cost(const hill_plan *plan, hill__walk *walk)
{
    const hill__instr *cost = hill__plan_cost(plan);
    walk_up(plan, walk, 0, plan->hidden_count);
    cost->op->forward(cost, walk);
    return hill__input_of(cost, walk);
}

static void walk_down(const hill_plan *plan, hill__walk *walk)
{
    for (size_t i = plan->hidden_count; i-- > 0;)
        plan->instrs[i].op->backward(&plan->instrs[i], walk);
}

void hill__walk_gradient(const hill_plan *plan, hill__walk *walk)
{
    const hill__instr *cost = hill__plan_cost(plan);
    walk->d = walk->scratch + plan->d;
    walk->d_next = walk->scratch + plan->d_next;
    walk_up(plan, walk, 0, plan->hidden_count);
    cost->op->backward(cost, walk);
    walk_down(plan, walk);
}

void hill__walk_slope(const hill_plan *plan, hill__walk *walk, size_t unit)
{
    const size_t outputs = hill__plan_cost(plan)->inputs;
    walk->d = walk->scratch + plan->d;
    walk->d_next = walk->scratch + plan->d_next;
    for (size_t i = 0; i < walk->rows * outputs; i++)
        walk->d[i] = i % outputs == unit ? 1.0f : 0.0f;
    walk_down(plan, walk);
}
