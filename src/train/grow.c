/*
 * grow.c - pictures that are shifted, turned, zoomed, bent, mirrored, covered and mixed.
 *
 * All that moves pixels is one map from places of the new picture to places of the old one, looked up once, between four pixels.
 * What lies beyond the old picture is as its edge. Invariant: IEEE operations only, so the same floats everywhere.
 */
#include "base/fp.h"

#include "train/grow.h"

#include <string.h>

#include "base/random.h"
#include "train/schedule.h"

/* Growing a float costs about as much as this many multiply-adds. */
#define GROW_WORK 128

/* What a row's random numbers are for: places in its own sequence. */
enum { GROW_AFFINE = 0, GROW_OTHER = 4, GROW_COVER = 8, GROW_BEND = 16 };

/* Nodes of the field that bends, along each side: a cubic B-spline over four cells. */
#define GROW_CELLS 4
#define GROW_NODES (GROW_CELLS + 3)
/* The spline of numbers drawn from -1 to 1 deviates by this much: sqrt(1/3) * 151/315. */
#define GROW_BEND_DEVIATION 0.27676f

/* Four numbers in 0 <= u < 1 of a row's sequence, from place `at` on, a multiple of 4. */
static void grow_draw(uint64_t seed, uint64_t row, uint32_t at, float u[4])
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)row, (uint32_t)(row >> 32), HILL__PURPOSE_GROW, at / 4};
    uint32_t bits[4];
    hill__philox(counter, key, bits);
    for (size_t i = 0; i < 4; i++)
        u[i] = (float)(bits[i] >> 8) * 0x1p-24f;
}

uint64_t hill__grow_seed(uint64_t seed, uint64_t epoch)
{
    uint64_t low = hill__random_bits(seed, epoch, HILL__PURPOSE_GROW, 0);
    return low | (uint64_t)hill__random_bits(seed, epoch, HILL__PURPOSE_GROW, 1) << 32;
}

/* Where the pixel (x, y) of the new picture comes from: x0 + xx x + xy y, likewise y, and what the bend adds. */
typedef struct grow_map {
    float x0, xx, xy, y0, yx, yy;
    float bend_x[GROW_NODES][GROW_NODES], bend_y[GROW_NODES][GROW_NODES];
    bool bends;
} grow_map;

/* Numbers of -1 <= u < 1. */
static float centred(float u)
{
    return 2 * u - 1;
}

static void draw_affine(const hill__growth *growth, const hill__extent *in, uint64_t seed, uint64_t row, grow_map *map)
{
    float u[4], other[4], middle_x = (float)(in->width - 1) / 2, middle_y = (float)(in->height - 1) / 2;
    grow_draw(seed, row, GROW_AFFINE, u);
    grow_draw(seed, row, GROW_OTHER, other);
    double turns = (double)(growth->amounts[HILL__GROW_rotate] * centred(u[2])) / 180, size = turns < 0 ? -turns : turns;
    float cosine = (float)hill__cos_pi(size), sine = (float)hill__cos_pi(size < 0.5 ? 0.5 - size : size - 0.5);
    float zoom = 1 / (1 + growth->amounts[HILL__GROW_scale] * centred(u[3]));
    float mirror = growth->amounts[HILL__GROW_flip] > 0 && other[0] < 0.5f ? -1.0f : 1.0f;
    sine = turns < 0 ? -sine : sine;
    map->xx = mirror * cosine * zoom;
    map->xy = mirror * sine * zoom;
    map->yx = -sine * zoom;
    map->yy = cosine * zoom;
    float to_x = middle_x + growth->amounts[HILL__GROW_shift] * centred(u[0]);
    float to_y = middle_y + growth->amounts[HILL__GROW_shift] * centred(u[1]);
    map->x0 = middle_x - map->xx * to_x - map->xy * to_y;
    map->y0 = middle_y - map->yx * to_x - map->yy * to_y;
}

static void draw_bend(float amount, uint64_t seed, uint64_t row, grow_map *map)
{
    float u[4], scale = amount / GROW_BEND_DEVIATION;
    map->bends = amount > 0;
    for (uint32_t i = 0; map->bends && i < 2 * GROW_NODES * GROW_NODES; i++) {
        if (i % 4 == 0)
            grow_draw(seed, row, GROW_BEND + i, u);
        float(*field)[GROW_NODES] = i % 2 ? map->bend_y : map->bend_x;
        field[i / 2 / GROW_NODES][i / 2 % GROW_NODES] = scale * centred(u[i % 4]);
    }
}

/* The cubic that a uniform B-spline of four nodes is between the middle two, by powers of 0 <= t < 1. */
static void spline(const float nodes[4], float cubic[4])
{
    cubic[0] = (nodes[0] + 4 * nodes[1] + nodes[2]) / 6;
    cubic[1] = (nodes[2] - nodes[0]) / 2;
    cubic[2] = (nodes[0] - 2 * nodes[1] + nodes[2]) / 2;
    cubic[3] = (nodes[3] - nodes[0] + 3 * (nodes[1] - nodes[2])) / 6;
}

static float cubic_at(const float cubic[4], float t)
{
    return ((cubic[3] * t + cubic[2]) * t + cubic[1]) * t + cubic[0];
}

/* The cubics along one row of pixels, one a cell, of the field that is `at` cells down. */
static void bend_row(float field[GROW_NODES][GROW_NODES], float at, float cubics[GROW_CELLS][4])
{
    size_t cell = (size_t)at;
    float line[GROW_NODES], down[4];
    for (size_t i = 0; i < GROW_NODES; i++) {
        const float nodes[4] = {field[cell][i], field[cell + 1][i], field[cell + 2][i], field[cell + 3][i]};
        spline(nodes, down);
        line[i] = cubic_at(down, at - (float)cell);
    }
    for (size_t i = 0; i < GROW_CELLS; i++)
        spline(line + i, cubics[i]);
}

static float within(float x, float most)
{
    x = x > 0 ? x : 0;
    return x < most ? x : most;
}

/* The old picture at (x, y), between its four pixels there. */
static void look_up(const hill__extent *in, const float *from, float x, float y, float *to)
{
    const size_t row = in->width * in->channels;
    x = within(x, (float)(in->width - 1));
    y = within(y, (float)(in->height - 1));
    size_t left = (size_t)x, top = (size_t)y;
    left -= left + 1 == in->width;
    top -= top + 1 == in->height;
    float right = x - (float)left, low = y - (float)top;
    const float *pixel = from + top * row + left * in->channels;
    for (size_t c = 0; c < in->channels; c++, pixel++) {
        float above = pixel[0] + right * (pixel[in->channels] - pixel[0]);
        float below = pixel[row] + right * (pixel[row + in->channels] - pixel[row]);
        to[c] = above + low * (below - above);
    }
}

static void move_row(const hill__extent *in, grow_map *map, const float *from, size_t y, float *to)
{
    float across[GROW_CELLS][4], down[GROW_CELLS][4], step = (float)GROW_CELLS / (float)in->width;
    float x0 = map->x0 + map->xy * (float)y, y0 = map->y0 + map->yy * (float)y;
    if (map->bends) {
        float at = (float)y * ((float)GROW_CELLS / (float)in->height);
        bend_row(map->bend_x, at, across);
        bend_row(map->bend_y, at, down);
    }
    for (size_t x = 0; x < in->width; x++, to += in->channels) {
        float from_x = x0 + map->xx * (float)x, from_y = y0 + map->yx * (float)x;
        if (map->bends) {
            float at = (float)x * step;
            size_t cell = (size_t)at;
            from_x += cubic_at(across[cell], at - (float)cell);
            from_y += cubic_at(down[cell], at - (float)cell);
        }
        look_up(in, from, from_x, from_y, to);
    }
}

/* A square of 0, which is the mean of scaled pixels, somewhere. */
static void cover(const hill__extent *in, float side, uint64_t seed, uint64_t row, float *picture)
{
    float u[4];
    grow_draw(seed, row, GROW_COVER, u);
    float left = u[0] * (float)in->width - side / 2, top = u[1] * (float)in->height - side / 2;
    for (size_t y = 0; y < in->height; y++)
        for (size_t x = 0; x < in->width; x++)
            if ((float)x >= left && (float)x < left + side && (float)y >= top && (float)y < top + side)
                memset(picture + (y * in->width + x) * in->channels, 0, in->channels * sizeof *picture);
}

typedef struct grow_job {
    const hill_plan *plan;
    uint64_t seed;
    const uint64_t *rows;
    const hill__walk *walk;
    float *out;
    float *targets;
    float *row_weights; /* NULL: every row counts once */
} grow_job;

static void grow_row(const grow_job *job, size_t i)
{
    const hill_plan *plan = job->plan;
    const hill__growth *growth = &plan->growth;
    const float *from = job->walk->inputs + i * plan->inputs;
    float *to = job->out + i * plan->inputs;
    if (!growth->moves) {
        memcpy(to, from, plan->inputs * sizeof *to);
        return;
    }
    grow_map map;
    draw_affine(growth, &plan->picture, job->seed, job->rows[i], &map);
    draw_bend(growth->amounts[HILL__GROW_elastic], job->seed, job->rows[i], &map);
    for (size_t y = 0; y < plan->picture.height; y++)
        move_row(&plan->picture, &map, from, y, to + y * plan->picture.width * plan->picture.channels);
    if (growth->amounts[HILL__GROW_cutout] > 0)
        cover(&plan->picture, growth->amounts[HILL__GROW_cutout], job->seed, job->rows[i], to);
}

/* Two rows, each with a part of the other. */
static void blend(float *a, float *b, size_t n, float part_a, float part_b)
{
    for (size_t i = 0; i < n; i++) {
        float apart = b[i] - a[i];
        a[i] = a[i] + part_a * apart;
        b[i] = b[i] - part_b * apart;
    }
}

/* Of a row that counts for `own` and takes `part` of one that counts for `other`: what it counts for now. */
static float mix_weight(float own, float other, float *part)
{
    float both = own + *part * (other - own);
    if (both > 0)
        *part *= other / both;
    return both;
}

/*
 * A mixed row stands for a mixture of two costs (Zhang 2018). Where the rows count unlike, so do the parts: the row counts for the
 * mixture of both, and its target's parts are what each brings of that.
 */
static void mix_pair(const grow_job *job, size_t i)
{
    const hill_plan *plan = job->plan;
    float most = plan->growth.amounts[HILL__GROW_mixup], a[4], b[4];
    grow_draw(job->seed, job->rows[i], GROW_OTHER, a);
    grow_draw(job->seed, job->rows[i + 1], GROW_OTHER, b);
    float part_a = most * a[1], part_b = most * b[1];
    blend(job->out + i * plan->inputs, job->out + (i + 1) * plan->inputs, plan->inputs, part_a, part_b);
    if (job->row_weights) {
        float *weights = job->row_weights + i, own = weights[0], other = weights[1];
        weights[0] = mix_weight(own, other, &part_a);
        weights[1] = mix_weight(other, own, &part_b);
    }
    blend(job->targets + i * plan->outputs, job->targets + (i + 1) * plan->outputs, plan->outputs, part_a, part_b);
}

static void grow_part(void *context, unsigned part, unsigned parts)
{
    const grow_job *job = context;
    size_t begin, end;
    hill__split(job->walk->rows, 2, part, parts, &begin, &end);
    for (size_t i = begin; i < end; i++)
        grow_row(job, i);
    for (size_t i = begin; job->plan->growth.amounts[HILL__GROW_mixup] > 0 && i + 1 < end; i += 2)
        mix_pair(job, i);
}

void hill__grow_rows(const hill_plan *plan, uint64_t epoch_seed, const uint64_t *rows, hill__walk *walk, float *targets,
                     float *row_weights)
{
    grow_job job = {plan, epoch_seed, rows, walk, walk->scratch + plan->grown, targets, row_weights};
    hill__walk_share(walk, walk->rows * plan->inputs * GROW_WORK, grow_part, &job);
    walk->inputs = job.out;
}
