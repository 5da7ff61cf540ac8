/*
 * elementary.c - elementary functions against libm in double, and every row of the kernel table against the best one:
 * elementary STRIDE THREADS [NAME...]. Of one argument over every STRIDEth float and the ends of every binade; pow over pairs.
 *
 * libm's double functions are right to about one unit of a double's last place (glibc documents and tests that), which is less
 * than 1e-8 units of a float's: no decision here hangs on it. Prints the worst error of each function and where it is; exit
 * code 1 where an error is over the limit or two rows differ.
 */
#include "base/fp.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define CHUNK 4096u
#define ALL 0x100000000u
#define PAIRS_MOST 100000000u

/* The scalar row without hardware's fused multiply-add takes a hundred times as long as the best: of all floats it sees every 64th chunk. */
#define SCALAR_SHARE 64u

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ---- the truth ------------------------------------------------------------------------------------------------------------- */

static double sigmoid_truth(double x)
{
    return 1 / (1 + exp(-x));
}

static double softplus_truth(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double elu_truth(double x)
{
    return x > 0 ? x : expm1(x) + 0; /* 0 for -0 */
}

static double selu_truth(double x)
{
    return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * (expm1(x) + 0));
}

typedef struct function {
    const char *name;
    double (*truth)(double x);
    size_t loop; /* where the struct of loops has it */
    double most; /* units in the last place */
} function;

#define LOOP(name) offsetof(hill__kernels, name)
#define MAP(name) (offsetof(hill__kernels, map) + HILL__MAP_##name * sizeof(hill__map_loop))

static const function functions[] = {
    {"exp", exp, LOOP(exp), 2},      {"log", log, LOOP(log), 2},
    {"erf", erf, LOOP(erf), 2},      {"sin", sin, LOOP(sin), 2},
    {"cos", cos, LOOP(cos), 2},      {"sigmoid", sigmoid_truth, MAP(sigmoid), 2},
    {"tanh", tanh, MAP(tanh), 2},    {"softplus", softplus_truth, MAP(softplus), 2},
    {"elu", elu_truth, MAP(elu), 2}, {"selu", selu_truth, MAP(selu), 3},
};

static hill__map_loop loop_of(const hill__kernels *kernels, const function *f)
{
    hill__map_loop loop;
    memcpy(&loop, (const char *)kernels + f->loop, sizeof loop);
    return loop;
}

/* Distance of y from the truth in units of the truth's last place; INFINITY for the wrong infinity, zero or NaN. */
static double ulps(float y, double truth)
{
    if (isnan(truth) || isnan(y))
        return isnan(truth) && isnan(y) ? 0 : INFINITY;
    if (isinf(truth) || isinf(y)) {
        if (fabs(truth) >= 0x1.ffffffp127 || !isinf(y) || !signbit(y) != !signbit(truth))
            return (double)y == copysign(INFINITY, truth) ? 0 : INFINITY;
        return (0x1p128 - fabs(truth)) * 0x1p-104; /* infinity too early counts as the float that would follow FLT_MAX */
    }
    if (y == 0 && truth == 0)
        return !signbit(y) == !signbit(truth) ? 0 : INFINITY;
    uint64_t bits;
    memcpy(&bits, &truth, sizeof bits);
    uint64_t exponent = bits >> 52 & 0x7ff; /* of a double; a float's last place is 23 below, at least 2^-149, at most 2^104 */
    exponent = exponent < 1023 - 126 ? 1023 - 126 : exponent > 1023 + 127 ? 1023 + 127 : exponent;
    uint64_t inverse = (2 * 1023 + 23 - exponent) << 52;
    double scale;
    memcpy(&scale, &inverse, sizeof scale);
    return fabs((double)y - truth) * scale;
}

typedef struct job {
    const function *function; /* NULL: pow */
    uint64_t stride, chunks;
    atomic_uint_fast64_t next;
    pthread_mutex_t lock;
    double worst; /* under the lock, as is all that follows */
    float worst_x, worst_power, worst_y;
    bool differ;
} job;

/* ---- pairs for pow --------------------------------------------------------------------------------------------------------- */

/* With both signs. */
static const float special[32] = {
    0.0f,       0.1f,       0.5f,           1.0f,           2.0f,           2.5f,           3.0f,     7.0f,
    38.0f,      39.0f,      45.0f,          126.0f,         127.0f,         128.0f,         149.0f,   151.0f,
    4194303.5f, 8388607.0f, 8388607.5f,     8388609.0f,     16777215.0f,    16777216.0f,    1e30f,    FLT_MAX,
    0x1p-149f,  0x1p-126f,  0x1.fffffep-1f, 0x1.000002p+0f, 0x1.6a09e6p-1f, 0x1.6a09e8p+0f, INFINITY, NAN};

static float special_at(uint32_t i)
{
    return i % 2 ? -special[i / 2] : special[i / 2];
}

/* A random number for every i (splitmix64). */
static uint64_t mixed(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Pair i of a chunk: any bits, or results all over the range, from bases anywhere, near 1, denormal or negative, or at its ends. */
static void draw_pair(uint64_t number, float *x, float *y)
{
    uint64_t random = mixed(2 * number), more = mixed(2 * number + 1);
    double part = (double)(more >> 11) * 0x1p-53;
    double target = number % 8 < 5 ? -150 + part * 279 : number % 8 == 5 ? -151 + part * 26 : 127 + part * 1.01;
    *x = float_of((uint32_t)random);
    *y = float_of((uint32_t)more);
    if (number % 8 == 0)
        return;
    *x = fabsf(*x);
    if (number % 8 == 2)
        *x = 1 + (float)((int64_t)(random >> 32) - 0x7fffffff) * (0x1p-31f / (float)(1u << random % 24));
    if (number % 8 == 3)
        *x = float_of((uint32_t)random & 0x7FFFFF);
    *y = (float)(target / log2((double)*x));
    if (number % 8 == 4) {
        *x = -*x;
        *y = rintf(*y);
    }
}

/* The last chunk of pairs is all of the special values with each other. */
static void fill_pairs(const job *j, uint64_t chunk, float *x, float *y)
{
    for (uint32_t i = 0; i < CHUNK; i++)
        if (chunk + 1 == j->chunks) {
            x[i] = special_at(i / 64);
            y[i] = special_at(i % 64);
        } else
            draw_pair(chunk * CHUNK + i, &x[i], &y[i]);
}

/* ---- workers ----------------------------------------------------------------------------------------------------------------- */

/* A result that says otherwise than the best row's, or is farther off than any before. */
static void note(job *j, double worst, float x, float power, float y)
{
    pthread_mutex_lock(&j->lock);
    if (!(worst <= j->worst)) {
        j->worst = worst;
        j->worst_x = x;
        j->worst_power = power;
        j->worst_y = y;
    }
    pthread_mutex_unlock(&j->lock);
}

static void apply(const job *j, const hill__kernels *row, float *y, const float *x, const float *power)
{
    if (j->function)
        loop_of(row, j->function)(y, x, CHUNK);
    else
        row->pow(y, x, power, CHUNK);
}

static void compare(job *j, const hill__kernels *row, const float *x, const float *power, const float *best,
                    const float *row_is)
{
    if (memcmp(best, row_is, CHUNK * sizeof *best) == 0)
        return;
    for (size_t i = 0; i < CHUNK; i++)
        if (bits_of(best[i]) != bits_of(row_is[i]) && !(isnan(best[i]) && isnan(row_is[i]))) {
            pthread_mutex_lock(&j->lock);
            if (!j->differ)
                printf("%s differs at %a, %a: %a, by the best row %a\n", row->name, (double)x[i],
                       j->function ? 0 : (double)power[i], (double)row_is[i], (double)best[i]);
            j->differ = true;
            pthread_mutex_unlock(&j->lock);
            return;
        }
}

/* Where a sample would miss what all floats show: CHUNK floats in a row around each belong to every sample. */
static const float hard[] = {-0x1.0a4c26p+4f, -0x1.164ea2p+4f, 0x1.049f94p+3f, 0x1.921fb6p+0f, 0x1p17f};

/* The floats of one chunk. The last ones are the ends of all binades, both signs, and the hard places. */
static void fill(const job *j, uint64_t chunk, float *x)
{
    static const uint32_t ends[] = {0, 1, 2, 3, 0x3504F3, 0x490FDB, 0x7FFFFE, 0x7FFFFF};
    uint64_t left = j->chunks - chunk;
    for (uint32_t i = 0; i < CHUNK; i++) {
        uint64_t bits = (chunk * CHUNK + i) * j->stride;
        if (left <= COUNT_OF(hard))
            x[i] = float_of(bits_of(hard[left - 1]) - CHUNK / 2 + i);
        else if (left == COUNT_OF(hard) + 1)
            x[i] = float_of((i >> 3) << 23 | ends[i & 7]);
        else
            x[i] = float_of(bits < ALL ? (uint32_t)bits : 0);
    }
}

static void *work(void *argument)
{
    job *j = argument;
    float x[CHUNK], power[CHUNK], best[CHUNK], y[CHUNK];
    for (uint64_t chunk; (chunk = atomic_fetch_add(&j->next, 1)) < j->chunks;) {
        bool last = chunk + 1 + COUNT_OF(hard) >= j->chunks;
        if (j->function)
            fill(j, chunk, x);
        else
            fill_pairs(j, chunk, x, power);
        apply(j, hill__kernels_at(0), best, x, power);
        double worst = 0;
        size_t at = 0;
        for (size_t i = 0; i < CHUNK; i++) {
            double truth = j->function ? j->function->truth((double)x[i]) : pow((double)x[i], (double)power[i]);
            double error = ulps(best[i], truth);
            if (!(error <= worst)) {
                worst = error;
                at = i;
            }
        }
        note(j, worst, x[at], power[at], best[at]);
        const hill__kernels *row;
        for (size_t r = 1; (row = hill__kernels_at(r)) != NULL; r++)
            if (row != &hill__kernels_scalar || last || j->stride > 1 || chunk % SCALAR_SHARE == 0) {
                apply(j, row, y, x, power);
                compare(j, row, x, power, best, y);
            }
    }
    return NULL;
}

static void run(job *j, void *(*worker)(void *), size_t threads)
{
    pthread_t others[64];
    size_t started = 0;
    pthread_mutex_init(&j->lock, NULL);
    while (started + 1 < threads && started < COUNT_OF(others) && pthread_create(&others[started], NULL, worker, j) == 0)
        started++;
    worker(j);
    for (size_t i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}

/* Says how far off the function (NULL: pow) is at worst; whether that is within its limit, and all rows agree. */
static bool try(const function *f, uint64_t stride, size_t threads)
{
    uint64_t count = f || ALL / stride < PAIRS_MOST ? ALL / stride : PAIRS_MOST;
    job j = {.function = f, .stride = stride, .chunks = (count + CHUNK) / CHUNK + 1 + (f ? COUNT_OF(hard) : 0)};
    run(&j, work, threads);
    printf("%s: at most %.3f ULP, at %a", f ? f->name : "pow", j.worst, (double)j.worst_x);
    if (!f)
        printf(", %a", (double)j.worst_power);
    printf(" -> %a%s\n", (double)j.worst_y, j.differ ? "; rows differ" : "");
    fflush(stdout);
    return !j.differ && j.worst <= (f ? f->most : 2);
}

static bool is_asked(const char *name, char **names)
{
    bool asked = !*names;
    for (; *names; names++)
        asked = asked || strcmp(*names, name) == 0;
    return asked;
}

int main(int argc, char **argv)
{
    uint64_t stride = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
    if (stride == 0) {
        fprintf(stderr, "usage: elementary STRIDE THREADS [NAME...]\n");
        return 2;
    }
    size_t threads = strtoull(argv[2], NULL, 10);
    bool right = true;
    for (size_t f = 0; f < COUNT_OF(functions); f++)
        if (is_asked(functions[f].name, argv + 3))
            right = try(&functions[f], stride, threads) && right;
    if (is_asked("pow", argv + 3))
        right = try(NULL, stride, threads) && right;
    return !right;
}
