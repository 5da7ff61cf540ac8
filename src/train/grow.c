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

/* Pixels of a row that are worked out together. */
#define GROW_RUN 32

/*
 * Where the pixel (x, y) of the new picture comes from: x0 + xx x + xy y, likewise y, and what the bend adds, whose cells begin at
 * the pixels `cells` across.
 */
typedef struct grow_map {
    float x0, xx, xy, y0, yx, yy;
    float bend_x[GROW_NODES][GROW_NODES], bend_y[GROW_NODES][GROW_NODES];
    float step;
    size_t cells[GROW_CELLS + 1];
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

static void draw_bend(float amount, const hill__extent *in, uint64_t seed, uint64_t row, grow_map *map)
{
    float u[4], scale = amount / GROW_BEND_DEVIATION;
    map->bends = amount > 0;
    map->step = (float)GROW_CELLS / (float)in->width;
    for (size_t cell = 0, x = 0; map->bends && cell <= GROW_CELLS; cell++) {
        while (x < in->width && (size_t)((float)x * map->step) < cell)
            x++;
        map->cells[cell] = x;
    }
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

/* What the four nodes of a uniform cubic B-spline weigh at 0 <= t < 1 between the middle two. */
static void spline_weights(float t, float weights[4])
{
    float rest = 1 - t, square = t * t;
    weights[0] = rest * rest * rest / 6;
    weights[1] = (3 * t - 6) * square / 6 + 2.0f / 3;
    weights[3] = t * square / 6;
    weights[2] = 1 - weights[0] - weights[1] - weights[3];
}

/* The cubics along one row of pixels, one a cell, of the field in which the row weighs nodes from `top` on so. */
static void bend_row(float (*top)[GROW_NODES], const float weights[4], float cubics[GROW_CELLS][4])
{
    float line[GROW_NODES];
    for (size_t i = 0; i < GROW_NODES; i++)
        line[i] = weights[0] * top[0][i] + weights[1] * top[1][i] + weights[2] * top[2][i] + weights[3] * top[3][i];
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

/* Pixels of one row of the new picture, x from `begin` to `end` - 1, and the places of the old one that they come from. */
typedef struct grow_run {
    size_t begin, end;
    float x[GROW_RUN], y[GROW_RUN];
} grow_run;

/* Adds what the cubics of a row say, one a cell. */
static void bend_run(const grow_map *map, float cubics[GROW_CELLS][4], const grow_run *run, float *places)
{
    for (size_t cell = 0; cell < GROW_CELLS; cell++) {
        const int begin = (int)(map->cells[cell] > run->begin ? map->cells[cell] : run->begin);
        const int end = (int)(map->cells[cell + 1] < run->end ? map->cells[cell + 1] : run->end);
        const float cubic[4] = {cubics[cell][0], cubics[cell][1], cubics[cell][2], cubics[cell][3]};
        float *to = places + (begin - (int)run->begin);
        for (int x = begin; x < end; x++)
            *to++ += cubic_at(cubic, (float)x * map->step - (float)cell);
    }
}

/* Row y of the new picture. */
static void move_row(const hill__extent *in, grow_map *map, const float *from, size_t y, float *to)
{
    float across[GROW_CELLS][4], down[GROW_CELLS][4];
    const float x0 = map->x0 + map->xy * (float)y, y0 = map->y0 + map->yy * (float)y, xx = map->xx, yx = map->yx;
    if (map->bends) {
        float at = (float)y * ((float)GROW_CELLS / (float)in->height), weights[4];
        size_t top = (size_t)at;
        spline_weights(at - (float)top, weights);
        bend_row(map->bend_x + top, weights, across);
        bend_row(map->bend_y + top, weights, down);
    }
    grow_run run;
    for (run.begin = 0; run.begin < in->width; run.begin = run.end) {
        run.end = in->width - run.begin < GROW_RUN ? in->width : run.begin + GROW_RUN;
        const int first = (int)run.begin, count = (int)(run.end - run.begin);
        for (int i = 0; i < GROW_RUN; i++) { /* all of them: a loop of known length becomes vectors */
            run.x[i] = x0 + xx * (float)(first + i);
            run.y[i] = y0 + yx * (float)(first + i);
        }
        if (map->bends) {
            bend_run(map, across, &run, run.x);
            bend_run(map, down, &run, run.y);
        }
        for (int i = 0; i < count; i++, to += in->channels)
            look_up(in, from, run.x[i], run.y[i], to);
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
    draw_bend(growth->amounts[HILL__GROW_elastic], &plan->picture, job->seed, job->rows[i], &map);
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
