/*
 * conv.c - convolution: y[place][o] = sum over the patch at that place of x W[.][o] + b[o], with W [height, width, channels of a
 * group, outputs] as stored; a cross-correlation, as everybody's.
 *
 * Patches are unfolded, so many at a time as stay near, and multiplied as a dense layer's rows are. The chains are those of the
 * whole product: along a patch forward, along all places of the batch for the weights' gradient, whatever is unfolded at once.
 */
#include "base/fp.h"

#include "op/depthwise.h"
#include "op/op.h"
#include "op/patch.h"

#include <string.h>

/* Floats that are unfolded at once, on the stack, and how many elements of a patch at most. */
#define CONV_ROOM 16384u
#define CONV_DEPTH 256u
/* The weights' gradient sums over places: fewer elements of more of them. */
#define CONV_GRADIENT_DEPTH 128u
/* Moving a float costs about as much as this many multiply-adds. */
#define CONV_MOVE_WORK 4

typedef struct conv_job {
    const hill__instr *instr;
    hill__walk *walk;
} conv_job;

/* The patches of a group, up to the `most` elements from `begin` on, but not beyond `end`. */
static hill__patches conv_patches(const conv_job *job, size_t group, size_t begin, size_t end, size_t most)
{
    return (hill__patches){job->walk->kernels, &job->instr->window, group, begin, end - begin < most ? end : begin + most};
}

/* Elements that are unfolded at once: `most` at most, and pieces about equal. */
static size_t conv_depth(size_t elements, size_t most)
{
    size_t pieces = (elements + most - 1) / most;
    return pieces ? (elements + pieces - 1) / pieces : 1;
}

/* Outputs of places first .. first + count - 1. */
static void conv_places(const conv_job *job, size_t group, size_t first, size_t count, float *room)
{
    const hill__instr *instr = job->instr;
    const hill__walk *walk = job->walk;
    const size_t elements = hill__patch_elements(&instr->window), outputs = instr->window.out.channels;
    const size_t own = outputs / instr->window.groups, depth = conv_depth(elements, CONV_DEPTH);
    const size_t at = first * outputs + group * own;
    const hill__op *activation = instr->activation;
    bool by_row = activation->flags & HILL__OP_ROW;
    for (size_t begin = 0; begin < elements; begin += depth) {
        hill__patches patches = conv_patches(job, group, begin, elements, depth);
        bool last = patches.end == elements;
        hill__unfold(&patches, hill__input_of(instr, walk), first, count, room);
        walk->kernels->gemm(&(hill__gemm){.a = room,
                                          .a_row = patches.end - begin,
                                          .a_step = 1,
                                          .b = walk->weights + instr->weight + begin * outputs + group * own,
                                          .b_row = outputs,
                                          .c = hill__buffer(walk, instr->z) + at,
                                          .c_row = outputs,
                                          .rows = count,
                                          .cols = own,
                                          .depth = patches.end - begin,
                                          .resume = begin > 0,
                                          .bias = last ? walk->weights + instr->bias + group * own : NULL,
                                          .map = last && !by_row ? walk->kernels->map[activation->kernel] : NULL,
                                          .y = hill__buffer(walk, instr->y) + at});
    }
}

static void conv_forward_part(void *context, unsigned part, unsigned parts)
{
    const conv_job *job = context;
    const hill__window *window = &job->instr->window;
    float room[CONV_ROOM];
    size_t begin, end, unit = job->walk->kernels->tile_rows;
    if (hill__is_depthwise(window)) {
        hill__split(job->walk->rows * window->out.height, 1, part, parts, &begin, &end);
        hill__depthwise_lines(job->instr, job->walk, begin, end);
        return;
    }
    size_t most = CONV_ROOM / conv_depth(hill__patch_elements(window), CONV_DEPTH) / unit * unit;
    hill__split(job->walk->rows * hill__pixels(&window->out), unit, part, parts, &begin, &end);
    for (size_t group = 0; group < window->groups; group++)
        for (size_t first = begin; first < end; first += most)
            conv_places(job, group, first, end - first < most ? end - first : most, room);
}

/* Multiply-adds of one product over the block. */
static size_t conv_work(const conv_job *job)
{
    return job->walk->rows * job->instr->work;
}

void hill__conv_forward(const hill__instr *instr, hill__walk *walk)
{
    conv_job job = {instr, walk};
    hill__walk_share(walk, conv_work(&job), conv_forward_part, &job);
    if (instr->activation->flags & HILL__OP_ROW)
        hill__activate(instr->activation, walk, hill__buffer(walk, instr->y), hill__buffer(walk, instr->z), instr->outputs);
}

/* The gradient of a group's weights for elements begin .. end - 1 of a patch: their chains go on over the blocks of a batch. */
static void conv_weights(const conv_job *job, size_t group, size_t begin, size_t end, float *broken)
{
    const hill__instr *instr = job->instr;
    hill__walk *walk = job->walk;
    float room[CONV_ROOM];
    const size_t places = walk->rows * hill__pixels(&instr->window.out), outputs = instr->window.out.channels;
    const size_t own = outputs / instr->window.groups, most = CONV_ROOM / CONV_GRADIENT_DEPTH;
    hill__patches patches = conv_patches(job, group, begin, end, CONV_GRADIENT_DEPTH);
    for (size_t first = 0; first < places; first += most) {
        size_t count = places - first < most ? places - first : most;
        hill__unfold(&patches, hill__input_of(instr, walk), first, count, room);
        walk->kernels->gemm(&(hill__gemm){.a = room,
                                          .a_row = 1,
                                          .a_step = end - begin,
                                          .b = walk->d + first * outputs + group * own,
                                          .b_row = outputs,
                                          .c = walk->gradient + instr->weight + begin * outputs + group * own,
                                          .c_row = outputs,
                                          .rows = end - begin,
                                          .cols = own,
                                          .depth = count,
                                          .resume = first > 0 || walk->add,
                                          .broken = broken});
    }
}

/* The gradient of the weights of elements begin .. end - 1 of the patches, and those weights turned over. */
static void conv_gradient(const conv_job *job, size_t begin, size_t end, float *broken)
{
    const hill__instr *instr = job->instr;
    const hill__walk *walk = job->walk;
    const size_t elements = hill__patch_elements(&instr->window), outputs = instr->window.out.channels;
    for (size_t group = 0; group < instr->window.groups; group++)
        for (size_t at = begin, depth = conv_depth(end - begin, CONV_GRADIENT_DEPTH); at < end; at += depth)
            conv_weights(job, group, at, end - at < depth ? end : at + depth, broken);
    if (!instr->first)
        walk->kernels->transpose(walk->turned + begin, elements, walk->weights + instr->weight + begin * outputs, outputs,
                                 end - begin, outputs);
}

/* A part of the weights' gradient, and of the biases'. */
static void conv_gradient_part(void *context, unsigned part, unsigned parts)
{
    const conv_job *job = context;
    const hill__instr *instr = job->instr;
    hill__walk *walk = job->walk;
    const hill__kernels *kernels = walk->kernels;
    const size_t elements = hill__patch_elements(&instr->window), outputs = instr->window.out.channels;
    float broken[HILL__LANES] = {0};
    size_t begin, end;
    hill__split(elements, 1, part, parts, &begin, &end);
    bool good = true;
    if (hill__is_depthwise(&instr->window)) {
        hill__depthwise_weights(instr, walk, begin, end);
        good = kernels->finite(walk->gradient + instr->weight + begin * outputs, (end - begin) * outputs);
    } else {
        conv_gradient(job, begin, end, broken);
    }
    hill__split(outputs, HILL__LANES, part, parts, &begin, &end);
    float *bias = walk->gradient + instr->bias + begin;
    kernels->add_rows(bias, walk->d + begin, walk->rows * hill__pixels(&instr->window.out), end - begin, outputs, walk->add);
    if (!good || !kernels->finite(broken, HILL__LANES) || !kernels->finite(bias, end - begin))
        hill__flag_raise(&walk->broken);
}

/* Adds to one picture of d_next what some of its places, `count` from `first` on, hand on. */
static void conv_hand_on(const conv_job *job, size_t group, size_t first, size_t count)
{
    const hill__instr *instr = job->instr;
    const hill__walk *walk = job->walk;
    float room[CONV_ROOM];
    const size_t elements = hill__patch_elements(&instr->window), outputs = instr->window.out.channels;
    const size_t own = outputs / instr->window.groups, depth = conv_depth(elements, CONV_DEPTH);
    for (size_t begin = 0; begin < elements; begin += depth) {
        hill__patches patches = conv_patches(job, group, begin, elements, depth);
        walk->kernels->gemm(&(hill__gemm){.a = walk->d + first * outputs + group * own,
                                          .a_row = outputs,
                                          .a_step = 1,
                                          .b = walk->turned + group * own * elements + begin,
                                          .b_row = elements,
                                          .c = room,
                                          .c_row = patches.end - begin,
                                          .rows = count,
                                          .cols = patches.end - begin,
                                          .depth = own});
        hill__fold(&patches, walk->d_next, first, count, room);
    }
}

/* The input's gradient, picture by picture. */
static void conv_input_part(void *context, unsigned part, unsigned parts)
{
    const conv_job *job = context;
    const hill__instr *instr = job->instr;
    const hill__window *window = &instr->window;
    const size_t places = hill__pixels(&window->out);
    const size_t most = CONV_ROOM / conv_depth(hill__patch_elements(window), CONV_DEPTH);
    size_t begin, end;
    hill__split(job->walk->rows, 1, part, parts, &begin, &end);
    for (size_t picture = begin; picture < end; picture++) {
        memset(job->walk->d_next + picture * instr->inputs, 0, instr->inputs * sizeof(float));
        if (hill__is_depthwise(window))
            hill__depthwise_hand_on(instr, job->walk, picture);
        for (size_t group = 0; group < window->groups && !hill__is_depthwise(window); group++)
            for (size_t first = 0; first < places; first += most)
                conv_hand_on(job, group, picture * places + first, places - first < most ? places - first : most);
        hill__slope_below(instr, job->walk, picture, 1);
    }
}

void hill__conv_backward(const hill__instr *instr, hill__walk *walk)
{
    conv_job job = {instr, walk};
    hill__slope_own(instr, walk);
    hill__walk_share(walk, conv_work(&job), conv_gradient_part, &job);
    if (instr->first)
        return;
    hill__walk_share(walk, conv_work(&job) + CONV_MOVE_WORK * walk->rows * instr->inputs, conv_input_part, &job);
    hill__hand_on(walk);
}

/* One output: `unit` counts through [height][width][channels]. */
static double conv_output(const hill__formula *f, size_t unit)
{
    const hill__window *w = f->window;
    const size_t channels = w->in.channels / w->groups, o = unit % w->out.channels, group = o / (w->out.channels / w->groups);
    const size_t place = unit / w->out.channels, y = place / w->out.width, x = place % w->out.width;
    double sum = f->bias[o];
    for (size_t i = 0; i < w->height; i++)
        for (size_t j = 0; j < w->width; j++)
            for (size_t c = 0; c < channels; c++) {
                size_t row = y * w->stride + i, column = x * w->stride + j;
                if (row < w->top || row - w->top >= w->in.height || column < w->left || column - w->left >= w->in.width)
                    continue;
                size_t pixel = (row - w->top) * w->in.width + column - w->left;
                sum += f->x[pixel * w->in.channels + group * channels + c] *
                       f->weight[((i * w->width + j) * channels + c) * w->out.channels + o];
            }
    return sum;
}

void hill__conv_formula(const hill__formula *f)
{
    for (size_t unit = f->first; unit < f->first + f->count; unit++)
        f->y[unit] = conv_output(f, unit);
}
