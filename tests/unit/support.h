/*
 * support.h - what several unit tests share: a heap that counts and can fail, drawn numbers, plans and data in one line.
 */
#ifndef HILL_UNIT_SUPPORT_H
#define HILL_UNIT_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "plan/plan.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- a heap that counts its blocks, checks the sizes they are freed with, and fails at a call -------------------------- */

typedef struct heap {
    size_t calls;     /* of alloc */
    size_t fail_at;   /* the call that fails, from 1; 0: none does */
    bool for_good;    /* all calls after it fail as well */
    size_t failed;    /* calls that did */
    size_t live;      /* blocks not freed yet */
    size_t bytes;     /* in them */
    size_t sizes[16]; /* of the first calls */
    size_t wrong;     /* blocks freed with another size than they were asked with */
} heap;

#define HEAP_PREFIX 16u

static inline void *heap_alloc(void *self, size_t bytes)
{
    heap *h = self;
    h->calls++;
    if (h->fail_at && (h->for_good ? h->calls >= h->fail_at : h->calls == h->fail_at)) {
        h->failed++;
        return NULL;
    }
    char *raw = malloc(bytes + HEAP_PREFIX);
    if (!raw)
        return NULL;
    if (h->calls <= COUNT_OF(h->sizes))
        h->sizes[h->calls - 1] = bytes;
    memcpy(raw, &bytes, sizeof bytes);
    memset(raw + HEAP_PREFIX, 0x5a, bytes);
    h->live++;
    h->bytes += bytes;
    return raw + HEAP_PREFIX;
}

static inline void heap_free(void *self, void *block, size_t bytes)
{
    heap *h = self;
    size_t asked;
    char *raw = (char *)block - HEAP_PREFIX;
    memcpy(&asked, raw, sizeof asked);
    h->wrong += asked != bytes;
    h->live--;
    h->bytes -= asked;
    free(raw);
}

static inline hill_host heap_host(heap *h)
{
    hill_host host = HILL_HOST_INIT;
    host.allocator = (hill_allocator){h, heap_alloc, heap_free};
    return host;
}

#define assert_heap_empty(h)             \
    do {                                 \
        assert_int_equal((h)->live, 0);  \
        assert_int_equal((h)->bytes, 0); \
        assert_int_equal((h)->wrong, 0); \
    } while (0)

/* ---- numbers ----------------------------------------------------------------------------------------------------------- */

/* Number i of a sequence of floats in -1 .. 1. */
static inline float drawn(uint64_t sequence, uint64_t i)
{
    return 2 * hill__random_uniform(sequence, 0, 1000, i) - 1;
}

static inline void draw_floats(float *out, size_t n, uint64_t sequence, float scale)
{
    for (size_t i = 0; i < n; i++)
        out[i] = scale * drawn(sequence, i);
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The same bits; any NaN is as good as any other, for which of two NaNs an addition keeps is the compiler's choice. */
static inline bool same_float(float a, float b)
{
    return bits_of(a) == bits_of(b) || (a != a && b != b);
}

/* ---- plans and data ------------------------------------------------------------------------------------------------------ */

/* What a layer above one of this activation gets, so that numbers stay within floats: an exponential of one doesn't. */
static inline const char *tame(const char *activation)
{
    return strcmp(activation, "exp") == 0 ? "tanh" : activation;
}

/* A plan of a recipe's text. Tasks are classes where the text has cross-entropy in it. */
static inline hill_plan *make_plan(const char *text, size_t inputs, size_t outputs, bool fused)
{
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    hill_allocator allocator = hill__allocator(NULL);
    hill_shape shape = HILL_SHAPE_INIT;
    shape.inputs = inputs;
    shape.outputs = outputs;
    shape.task = strstr(text, "cross-entropy") ? HILL_TASK_CLASSES : HILL_TASK_NUMBERS;
    if (hill_recipe_new(NULL, &recipe, &error) < 0 || hill_recipe_parse(recipe, text, strlen(text), NULL, &error) < 0 ||
        hill__plan_build(recipe, &shape, fused, &allocator, &plan, &error) < 0)
        fail_msg("%s in:\n%s", error.text, text);
    hill_recipe_free(recipe);
    return plan;
}

typedef enum target_kind { TARGET_NUMBERS, TARGET_ONE_HOT, TARGET_YES_NO, TARGET_COUNTS } target_kind;

typedef struct data {
    float *inputs, *targets;
    hill_arrays arrays;
    hill_source source;
} data;

/* Rows of drawn inputs and targets that follow from them. Free with free_data. */
static inline data *make_data(uint64_t rows, size_t inputs, size_t outputs, target_kind kind, uint64_t seed)
{
    data *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->inputs = calloc((size_t)rows * inputs, sizeof *d->inputs);
    d->targets = calloc((size_t)rows * outputs, sizeof *d->targets);
    assert_non_null(d->inputs);
    assert_non_null(d->targets);
    draw_floats(d->inputs, (size_t)rows * inputs, seed, 2);
    for (size_t r = 0; r < rows; r++) {
        const float *x = d->inputs + r * inputs;
        float *t = d->targets + r * outputs;
        for (size_t i = 0; i < outputs; i++)
            t[i] = kind == TARGET_YES_NO    ? (float)(x[i % inputs] > 0.2f)
                   : kind == TARGET_NUMBERS ? 0.7f * x[i % inputs] - 0.4f * x[(i + 1) % inputs] * x[0] + 0.1f * (float)i
                                            : 0;
        for (size_t i = 0; i < outputs && kind == TARGET_COUNTS; i++)
            t[i] = floorf(2.5f + x[i % inputs]);
        if (kind == TARGET_ONE_HOT)
            t[(size_t)((x[0] + x[inputs - 1] + 4) * 0.12499f * (float)outputs)] = 1;
    }
    d->arrays = (hill_arrays){sizeof d->arrays, d->inputs, d->targets, rows, inputs, outputs, NULL};
    d->source = hill_array_source(&d->arrays);
    return d;
}

static inline void free_data(data *d)
{
    free(d->inputs);
    free(d->targets);
    free(d);
}

#endif
