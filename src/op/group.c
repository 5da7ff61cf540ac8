/*
 * group.c - groups of layers whose input is added to their output (He, Zhang, Ren, Sun: Deep Residual Learning, 2016).
 *
 * The gradient of the sum goes both ways: through the group, and past it, where it waits until the group's own comes out below.
 */
#include "base/fp.h"

#include "op/op.h"

/* Adding a float costs about as much as this many multiply-adds. */
#define GROUP_WORK 4

/* out = a, or out + a, or with both a + b: every row of a block. */
typedef struct group_job {
    const hill__walk *walk;
    size_t units;
    float *out;
    const float *copied, *added; /* or NULL */
} group_job;

static void group_part(void *context, unsigned part, unsigned parts)
{
    const group_job *job = context;
    const hill__kernels *kernels = job->walk->kernels;
    size_t begin, end;
    hill__split(job->walk->rows * job->units, HILL__LANES, part, parts, &begin, &end);
    if (job->copied)
        kernels->copy_window(job->out + begin, 0, job->copied + begin, 0, 1, end - begin, 0);
    if (job->added)
        kernels->add_window(job->out + begin, 0, job->added + begin, 0, 1, end - begin, 1);
}

static void run_group(const hill__instr *instr, const hill__walk *walk, float *out, const float *copied, const float *added)
{
    group_job job = {walk, instr->outputs, out, copied, added};
    hill__walk_share(walk, walk->rows * instr->outputs * GROUP_WORK, group_part, &job);
}

void hill__fork_forward(const hill__instr *instr, hill__walk *walk)
{
    (void)instr, (void)walk;
}

void hill__fork_backward(const hill__instr *instr, hill__walk *walk)
{
    run_group(instr, walk, walk->d, NULL, hill__buffer(walk, instr->saved));
}

void hill__join_forward(const hill__instr *instr, hill__walk *walk)
{
    const float *skip = instr->skip == HILL__NOWHERE ? walk->inputs : hill__buffer(walk, instr->skip);
    run_group(instr, walk, hill__buffer(walk, instr->y), hill__input_of(instr, walk), skip);
}

void hill__join_backward(const hill__instr *instr, hill__walk *walk)
{
    if (instr->saved != HILL__NOWHERE)
        run_group(instr, walk, hill__buffer(walk, instr->saved), walk->d, NULL);
}

void hill__fork_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i];
}

void hill__join_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i] + f->skip[i];
}
