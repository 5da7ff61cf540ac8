/*
 * embed.c - an embedding: inputs that hold the number of a row are replaced by that row of a table of weights (Bengio, Ducharme,
 * Vincent, Jauvin: A neural probabilistic language model, 2003; Guo, Berkhahn: Entity embeddings of categorical variables, 2016).
 *
 * Invariant: the gradient of a table's row is one chain over the batch's rows that look it up, in their order, on any number of
 * threads; a number that is none of a row's stands for the last row.
 */
#include "base/fp.h"

#include "op/op.h"

#include <string.h>

/* Copying or adding a float costs about as much as this many multiply-adds. */
#define EMBED_WORK 4

typedef struct embed_job {
    const hill__instr *instr;
    hill__walk *walk;
} embed_job;

static size_t embed_row(const hill__lookup *lookup, double number)
{
    return number >= 0 && number < (double)lookup->rows ? (size_t)number : lookup->rows - 1;
}

/* A stretch of the batch's rows. */
static void embed_part(void *context, unsigned part, unsigned parts)
{
    const embed_job *job = context;
    const hill__instr *instr = job->instr;
    size_t begin, end;
    hill__split(job->walk->rows, 1, part, parts, &begin, &end);
    for (size_t row = begin; row < end; row++) {
        const float *x = hill__input_of(instr, job->walk) + row * instr->inputs;
        float *y = hill__buffer(job->walk, instr->y) + row * instr->outputs;
        size_t from = 0, to = 0;
        for (size_t i = 0; i < instr->lookup_count; i++) {
            const hill__lookup *lookup = &instr->lookups[i];
            const float *table = job->walk->weights + lookup->weight;
            memcpy(y + to, x + from, (lookup->unit - from) * sizeof *y);
            memcpy(y + lookup->first, table + embed_row(lookup, (double)x[lookup->unit]) * lookup->width,
                   lookup->width * sizeof *y);
            from = lookup->unit + 1;
            to = lookup->first + lookup->width;
        }
        memcpy(y + to, x + from, (instr->inputs - from) * sizeof *y);
    }
}

void hill__embed_forward(const hill__instr *instr, hill__walk *walk)
{
    embed_job job = {instr, walk};
    hill__walk_share(walk, walk->rows * instr->outputs * EMBED_WORK, embed_part, &job);
}

/* Adds columns begin .. end - 1 of a table's part of d to the gradient of the rows that were looked up. */
static void embed_add(const embed_job *job, const hill__lookup *lookup, size_t begin, size_t end)
{
    const hill__instr *instr = job->instr;
    const float *x = hill__input_of(instr, job->walk) + lookup->unit, *d = job->walk->d + lookup->first;
    float *gradient = job->walk->gradient + lookup->weight, broken = 0;
    for (size_t row = 0; row < job->walk->rows; row++, x += instr->inputs, d += instr->outputs) {
        float *sum = gradient + embed_row(lookup, (double)*x) * lookup->width;
        for (size_t k = begin; k < end; k++) {
            sum[k] += d[k];
            broken += 0 * sum[k];
        }
    }
    if (broken != 0)
        hill__flag_raise(&job->walk->broken);
}

/* A stretch of what comes out, so that no two threads add to the same floats. */
static void embed_gradient_part(void *context, unsigned part, unsigned parts)
{
    const embed_job *job = context;
    size_t begin, end;
    hill__split(job->instr->outputs, HILL__LANES, part, parts, &begin, &end);
    for (size_t i = 0; i < job->instr->lookup_count; i++) {
        const hill__lookup *lookup = &job->instr->lookups[i];
        size_t first = lookup->first, last = first + lookup->width;
        if (first < end && begin < last)
            embed_add(job, lookup, begin > first ? begin - first : 0, (end < last ? end : last) - first);
    }
}

/* A stretch of the tables' gradients becomes 0. */
static void embed_clear_part(void *context, unsigned part, unsigned parts)
{
    const embed_job *job = context;
    for (size_t i = 0; i < job->instr->lookup_count; i++) {
        const hill__lookup *lookup = &job->instr->lookups[i];
        size_t begin, end;
        hill__split(lookup->rows * lookup->width, HILL__LANES, part, parts, &begin, &end);
        memset(job->walk->gradient + lookup->weight + begin, 0, (end - begin) * sizeof(float));
    }
}

static void embed_clear_all(embed_job *job)
{
    const hill__instr *instr = job->instr;
    size_t floats = 0;
    for (size_t i = 0; i < instr->lookup_count; i++)
        floats += instr->lookups[i].rows * instr->lookups[i].width;
    hill__walk_share(job->walk, floats, embed_clear_part, job);
}

/* Only the rows that the last batch met: all others are 0 since. */
static void embed_clear_met(const embed_job *job)
{
    const hill__met *met = job->walk->met;
    for (size_t at = 0; at < met->count; at++) {
        const hill__lookup *lookup = &job->instr->lookups[at % job->instr->lookup_count];
        float *row = job->walk->gradient + lookup->weight + (size_t)met->numbers[at] * lookup->width;
        memset(row, 0, lookup->width * sizeof *row);
    }
}

/* Notes the rows that the block meets. */
static void embed_note(const embed_job *job)
{
    const hill__instr *instr = job->instr;
    hill__met *met = job->walk->met;
    if (met->count > met->room || job->walk->rows * instr->lookup_count > met->room - met->count) {
        met->count = SIZE_MAX;
        return;
    }
    const float *x = hill__input_of(instr, job->walk);
    for (size_t row = 0; row < job->walk->rows; row++, x += instr->inputs)
        for (size_t i = 0; i < instr->lookup_count; i++)
            met->numbers[met->count++] = (float)embed_row(&instr->lookups[i], (double)x[instr->lookups[i].unit]);
}

void hill__embed_backward(const hill__instr *instr, hill__walk *walk)
{
    embed_job job = {instr, walk};
    if (!walk->add && (!walk->met || walk->met->count == SIZE_MAX))
        embed_clear_all(&job);
    else if (!walk->add)
        embed_clear_met(&job);
    if (walk->met && !walk->add)
        walk->met->count = 0;
    if (walk->met)
        embed_note(&job);
    hill__walk_share(walk, walk->rows * instr->outputs * EMBED_WORK, embed_gradient_part, &job);
}

void hill__embed_formula(const hill__formula *f)
{
    for (size_t j = f->first; j < f->first + f->count; j++) {
        size_t from = j; /* the input that output j is a copy of, where no table makes it */
        for (size_t i = 0; i < f->lookup_count && f->lookups[i].first <= j; i++) {
            const hill__lookup *lookup = &f->lookups[i];
            size_t column = j - lookup->first;
            from = column < lookup->width ? SIZE_MAX : lookup->unit + 1 + column - lookup->width;
            if (column < lookup->width)
                f->y[j] = f->vector[lookup->weight + embed_row(lookup, f->x[lookup->unit]) * lookup->width + column];
        }
        if (from != SIZE_MAX)
            f->y[j] = f->x[from];
    }
}
