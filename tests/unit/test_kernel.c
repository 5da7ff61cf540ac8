/*
 * test_kernel.c - the kernel table: elementary functions against the truth, every row of the table against plain loops, and
 * every row with the bits of the scalar one.
 *
 * HILL_TEST_STRIDE=1 in the environment walks all 2^32 floats where the default takes every 5003rd.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "kernel/kernel.h"

/* ---- which rows ran ------------------------------------------------------------------------------------------------------ */

#define ROWS_MOST 8
static size_t tests_run_by[ROWS_MOST], tests_of_all;

/* Row i of the table as hill_machine_info lists it, and notes that the calling test runs it. NULL past the end. */
static const hill__kernels *row_to_test(size_t i)
{
    hill_machine machine = HILL_MACHINE_INIT;
    assert_int_equal(hill_machine_info(&machine), HILL_OK);
    tests_of_all += i == 0;
    if (i >= machine.isa_count)
        return NULL;
    const hill__kernels *kernels = hill__kernels_find(machine.isas[i]);
    assert_non_null(kernels);
    assert_string_equal(kernels->name, machine.isas[i]);
    tests_run_by[i]++;
    return kernels;
}

#define EACH_ROW(kernels)         \
    const hill__kernels *kernels; \
    for (size_t row_index = 0; (kernels = row_to_test(row_index)) != NULL; row_index++)

/* What the processor says of itself, asked of the system rather than of the library. */
static bool cpu_has(const char *flag)
{
    static char line[16384];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !found && fgets(line, sizeof line, file))
        if (strncmp(line, "flags", 5) == 0)
            for (char *word = strtok(line, " \t\n"); word && !found; word = strtok(NULL, " \t\n"))
                found = strcmp(word, flag) == 0;
    if (file)
        fclose(file);
    return found;
}

static void every_row_listed_has_run(void **state)
{
    (void)state;
    hill_machine machine = HILL_MACHINE_INIT;
    assert_int_equal(hill_machine_info(&machine), HILL_OK);
    print_message("kernel rows tested:");
    for (size_t i = 0; i < machine.isa_count; i++) {
        print_message(" %s", machine.isas[i]);
        assert_true(tests_of_all > 10);
        assert_int_equal(tests_run_by[i], tests_of_all);
    }
    print_message("\n");
    assert_string_equal(machine.isa, machine.isas[0]);
    assert_string_equal(machine.isas[machine.isa_count - 1], "scalar");
    if (!getenv("HILL_TEST_OTHER_CPU")) { /* valgrind's processor has less than the system's */
        assert_int_equal(hill__kernels_find("avx512") != NULL, cpu_has("avx512f"));
        assert_int_equal(hill__kernels_find("avx2") != NULL, cpu_has("avx2") && cpu_has("fma"));
    }
    assert_ptr_equal(hill__kernels_find("best"), hill__kernels_find(NULL));
    assert_ptr_equal(hill__kernels_find(machine.isa), hill__kernels_find(NULL));
    assert_null(hill__kernels_find("avx"));
    assert_null(hill__kernels_find(""));
}

/* ---- the floats that functions are tried on ------------------------------------------------------------------------------ */

#define CHUNK 4096
#define GUARD 12345.678f
static const float corners[] = {0.0f,        -0.0f,       0x1p-149f,   -0x1p-149f,  0x1p-126f,    -0x1p-126f,  0x1.fffffcp-127f,
                                0.5f,        -0.5f,       1.0f,        -1.0f,       FLT_MAX,      -FLT_MAX,    INFINITY,
                                -INFINITY,   NAN,         88.7228317f, 88.72284f,   89.0f,        89.1f,       -87.33654f,
                                -87.5f,      -103.0f,     -103.97208f, -103.97209f, -104.0f,      -104.1f,     0.6f,
                                0.59999996f, -0.6f,       0.92f,       0.91999996f, -0.92f,       3.9999998f,  4.0f,
                                4.0000005f,  0.70710677f, 0.70710683f, 1.4142135f,  1.4142137f,   0.99999994f, 1.0000001f,
                                16.6f,       -16.6f,      -40.0f,      -40.1f,      1e-8f,        -1e-8f,      1e30f,
                                -1e30f,      2e19f,       -2e19f,      12582912.0f, -12582912.0f, 131072.0f,   131072.02f,
                                1.5707964f,  0.7853982f};

static uint64_t stride_of_floats(void)
{
    const char *asked = getenv("HILL_TEST_STRIDE");
    uint64_t stride = asked ? strtoull(asked, NULL, 10) : 0;
    return stride ? stride : SANITIZED ? 50021 : 5003;
}

/* The next up to CHUNK floats of the walk over all bit patterns, the corners first; 0 at its end. */
static size_t next_floats(uint64_t *at, float *out)
{
    size_t n = 0;
    if (*at == 0)
        for (; n < COUNT_OF(corners); n++)
            out[n] = corners[n];
    for (uint64_t stride = stride_of_floats(); n < CHUNK && *at <= UINT32_MAX; n++, *at += stride)
        out[n] = float_of((uint32_t)*at);
    return n;
}

/* ---- elementary functions against libm in double ------------------------------------------------------------------------- */

/* Distance of y from the truth in units of the truth's last place; 0 for the right infinity, zero or NaN, INFINITY else. */
static double ulps(float y, double truth)
{
    if (isnan(truth) || isnan(y))
        return isnan(truth) && isnan(y) ? 0 : INFINITY;
    if (isinf(truth) || isinf(y)) {
        double rounded = fabs(truth) < 0x1.ffffffp127 ? truth : copysign(INFINITY, truth);
        return (double)y == rounded ? 0 : INFINITY;
    }
    int exponent = truth == 0 ? -149 : ilogb(truth) - 23;
    exponent = exponent < -149 ? -149 : exponent > 104 ? 104 : exponent;
    return fabs((double)y - truth) / ldexp(1, exponent);
}

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
    return x > 0 ? x : expm1(x);
}

static double selu_truth(double x)
{
    return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * expm1(x));
}

static double silu_truth(double x)
{
    return x == 0 || isinf(x) ? x * (x > 0) : x / (1 + exp(-x));
}

static double mish_truth(double x)
{
    double e = exp(x);
    return x > 20 ? x : x < -745 ? 0 * x : x * (e * (e + 2)) / (e * (e + 2) + 2);
}

static double gelu_truth(double x)
{
    return x * 0.5 * erfc(-x * 0.70710678118654752440);
}

typedef struct elementary {
    const char *name;
    double (*truth)(double x);
    double most; /* units in the last place */
} elementary;

/* The functions of the arithmetic contract, then activations made of them. */
static const elementary elementary_functions[] = {
    {"exp", exp, 2},       {"log", log, 2},         {"erf", erf, 2},   {"sigmoid", sigmoid_truth, 2},
    {"sin", sin, 2},       {"cos", cos, 2},         {"tanh", tanh, 2}, {"softplus", softplus_truth, 2},
    {"elu", elu_truth, 2}, {"selu", selu_truth, 3},
};

static hill__map_loop loop_of(const hill__kernels *kernels, const char *name)
{
#define FIND(id)                \
    if (strcmp(name, #id) == 0) \
        return kernels->map[HILL__MAP_##id];
    HILL__MAPS(FIND)
#undef FIND
#define FIND(id)                \
    if (strcmp(name, #id) == 0) \
        return kernels->id;
    FIND(exp)
    FIND(log)
    FIND(erf)
    FIND(sin)
    return kernels->cos;
#undef FIND
}

static void elementary_functions_are_within_2_ulp(void **state)
{
    (void)state;
    static float x[CHUNK], y[CHUNK];
    double worst[COUNT_OF(elementary_functions)] = {0};
    float worst_at[COUNT_OF(elementary_functions)] = {0};
    uint64_t at = 0;
    for (size_t n; (n = next_floats(&at, x)) > 0;)
        for (size_t f = 0; f < COUNT_OF(elementary_functions); f++) {
            loop_of(hill__kernels_at(0), elementary_functions[f].name)(y, x, n);
            for (size_t i = 0; i < n; i++) {
                double error = ulps(y[i], elementary_functions[f].truth((double)x[i]));
                if (!(error <= worst[f])) {
                    worst[f] = error;
                    worst_at[f] = x[i];
                }
            }
        }
    for (size_t f = 0; f < COUNT_OF(elementary_functions); f++) {
        print_message("%s: at most %.3f ULP, at %.9g\n", elementary_functions[f].name, worst[f], (double)worst_at[f]);
        assert_true(worst[f] <= elementary_functions[f].most);
    }
}

/* Where 1 + erf(x) cancels, a float gelu can't be right to its last place, nor can a torch one; it is to 2^-23 of its input. */
static void activations_of_several_steps_are_near(void **state)
{
    (void)state;
    static const elementary functions[] = {
        {"gelu", gelu_truth, 0x1p-23}, {"silu", silu_truth, 0x1p-22}, {"mish", mish_truth, 0x1p-22}};
    static float x[CHUNK], y[CHUNK];
    uint64_t at = 0;
    for (size_t n; (n = next_floats(&at, x)) > 0;)
        for (size_t f = 0; f < COUNT_OF(functions); f++) {
            loop_of(hill__kernels_at(0), functions[f].name)(y, x, n);
            for (size_t i = 0; i < n; i++) {
                if (isinf(x[i]))
                    continue;
                double truth = functions[f].truth((double)x[i]), error = fabs((double)y[i] - truth);
                double size = f == 0 ? fabs((double)x[i]) : fabs(truth);
                bool near = error <= functions[f].most * size + 0x1p-149 * (1 + fabs((double)x[i]));
                if (!(near || (isnan(x[i]) && isnan(y[i]))))
                    fail_msg("%s(%.9g) is %.9g, not %.9g", functions[f].name, (double)x[i], (double)y[i], truth);
            }
        }
}

static float at_one(hill__map_loop loop, float x)
{
    float y;
    loop(&y, &x, 1);
    return y;
}

static void corners_of_elementary_functions(void **state)
{
    (void)state;
    EACH_ROW(k)
    {
        const hill__map_loop *map = k->map;
        assert_true(isnan(at_one(k->exp, NAN)) && isnan(at_one(k->log, NAN)) && isnan(at_one(k->erf, NAN)));
        for (size_t m = 1; m < HILL__MAP_COUNT; m++)
            assert_true(isnan(at_one(map[m], NAN)));
        assert_true(at_one(k->exp, INFINITY) == INFINITY && at_one(k->exp, 89) == INFINITY && at_one(k->exp, -INFINITY) == 0);
        assert_true(at_one(k->exp, 0) == 1 && at_one(k->exp, -103.5f) == 0x1p-149f && at_one(k->exp, -105) == 0);
        assert_true(at_one(k->log, 0) == -INFINITY && at_one(k->log, -0.0f) == -INFINITY && isnan(at_one(k->log, -1)));
        assert_true(at_one(k->log, INFINITY) == INFINITY && at_one(k->log, 1) == 0 && isnan(at_one(k->log, -INFINITY)));
        assert_true(isnan(at_one(k->sin, NAN)) && isnan(at_one(k->sin, INFINITY)) && isnan(at_one(k->cos, -INFINITY)));
        assert_true(at_one(k->cos, 0) == 1 && at_one(k->cos, -0.0f) == 1 && at_one(k->sin, 0x1p-149f) == 0x1p-149f);
        assert_int_equal(bits_of(at_one(k->sin, -0.0f)), bits_of(-0.0f));
        assert_int_equal(bits_of(at_one(map[HILL__MAP_tanh], -0.0f)), bits_of(-0.0f));
        assert_true(at_one(k->erf, INFINITY) == 1 && at_one(k->erf, -INFINITY) == -1);
        assert_int_equal(bits_of(at_one(k->erf, -0.0f)), bits_of(-0.0f));
        assert_true(at_one(map[HILL__MAP_sigmoid], 200) == 1 && at_one(map[HILL__MAP_sigmoid], -INFINITY) == 0);
        assert_true(at_one(map[HILL__MAP_sigmoid], -100) > 0); /* a denormal, not flushed */
        assert_true(at_one(map[HILL__MAP_tanh], INFINITY) == 1 && at_one(map[HILL__MAP_tanh], -INFINITY) == -1);
        assert_true(at_one(map[HILL__MAP_tanh], 0x1p-149f) == 0x1p-149f);
        assert_true(at_one(map[HILL__MAP_relu], -INFINITY) == 0 && at_one(map[HILL__MAP_relu], INFINITY) == INFINITY);
        assert_true(at_one(map[HILL__MAP_relu], 0x1p-149f) == 0x1p-149f);
        assert_true(at_one(map[HILL__MAP_leaky_relu], -1) == -0.01f && at_one(map[HILL__MAP_elu], -INFINITY) == -1);
        assert_true(at_one(map[HILL__MAP_softplus], INFINITY) == INFINITY && at_one(map[HILL__MAP_softplus], -INFINITY) == 0);
        assert_true(at_one(map[HILL__MAP_softplus], 1000) == 1000 && at_one(map[HILL__MAP_softplus], -100) > 0);
    }
}

/* C11, F.10.4.4, and plain values; tests/oracle compares pow with libm at millions of pairs. */
static void powers_are_right(void **state)
{
    (void)state;
    /* x, y and the result, three times a line. */
    static const float cases[][9] = {
        {0, -3, INFINITY, -0.0f, -3, -INFINITY, 0, -2.5f, INFINITY},
        {-0.0f, -2, INFINITY, -0.0f, -INFINITY, INFINITY, 0, 3, 0},
        {-0.0f, 3, -0.0f, -0.0f, 2.5f, 0, -1, INFINITY, 1},
        {-1, -INFINITY, 1, 1, NAN, 1, 1, INFINITY, 1},
        {NAN, 0, 1, INFINITY, -0.0f, 1, -2, 0.5f, NAN},
        {-2, 3, -8, -2, -2, 0.25f, 0.5f, -INFINITY, INFINITY},
        {-2, -INFINITY, 0, 0.5f, INFINITY, 0, -2, INFINITY, INFINITY},
        {-INFINITY, -3, -0.0f, -INFINITY, -2.5f, 0, -INFINITY, 3, -INFINITY},
        {-INFINITY, 2, INFINITY, INFINITY, -0.1f, 0, INFINITY, 0.1f, INFINITY},
        {NAN, 1, NAN, 2, NAN, NAN, 2, 10, 1024},
        {2, -149, 0x1p-149f, 2, -151, 0, 2, 128, INFINITY},
        {-1, 16777215, -1, -1, 16777216, 1, 0x1p-149f, -1, INFINITY},
        {4, 0.5f, 2, 10, 0, 1, -1, 8388607.5f, NAN},
    };
    enum { COUNT = COUNT_OF(cases) * 3 };
    EACH_ROW(k)
    for (size_t n = 1; n <= COUNT; n++) {
        float x[COUNT], y[COUNT], out[COUNT + 1];
        for (size_t i = 0; i < n; i++) {
            x[i] = cases[i / 3][i % 3 * 3];
            y[i] = cases[i / 3][i % 3 * 3 + 1];
        }
        out[n] = GUARD;
        k->pow(out, x, y, n);
        for (size_t i = 0; i < n; i++)
            if (!same_float(out[i], cases[i / 3][i % 3 * 3 + 2]))
                fail_msg("%s: pow(%g, %g) is %g", k->name, (double)x[i], (double)y[i], (double)out[i]);
        assert_true(out[n] == GUARD);
    }
}

/* ---- slopes against derivatives ------------------------------------------------------------------------------------------ */

/* f' of activation m at x by central differences of its truth, where that is smooth. */
static double slope_truth(double (*truth)(double), double x)
{
    const double h = 1e-5;
    return (truth(x + h) - truth(x - h)) / (2 * h);
}

static double relu_truth(double x)
{
    return x > 0 ? x : 0;
}

static double leaky_truth(double x)
{
    return x > 0 ? x : 0.01 * x;
}

static void slopes_are_derivatives_of_maps(void **state)
{
    (void)state;
    static double (*const truths[HILL__MAP_COUNT])(double) = {
        [HILL__MAP_sigmoid] = sigmoid_truth,   [HILL__MAP_tanh] = tanh,       [HILL__MAP_relu] = relu_truth,
        [HILL__MAP_leaky_relu] = leaky_truth,  [HILL__MAP_elu] = elu_truth,   [HILL__MAP_selu] = selu_truth,
        [HILL__MAP_gelu] = gelu_truth,         [HILL__MAP_silu] = silu_truth, [HILL__MAP_mish] = mish_truth,
        [HILL__MAP_softplus] = softplus_truth, [HILL__MAP_exp] = exp,
    };
    EACH_ROW(k)
    for (size_t m = 1; m < HILL__MAP_COUNT; m++)
        for (float x = -11.97f; x < 12; x += 0.0625f) {
            bool from_input = m >= HILL__MAP_gelu;
            float v = from_input ? x : at_one(k->map[m], x), d = -1.5f;
            k->slope[m](&d, &v, 1);
            double truth = -1.5 * slope_truth(truths[m], (double)x);
            if (!(fabs((double)d - truth) < 4e-7 * (2 + fabs((double)x)) * fmax(1, fabs(truth) / 2)))
                fail_msg("%s: slope %zu at %.9g is %.9g, not %.9g", k->name, m, (double)x, (double)d, truth);
        }
}

/* Of a unit that is far from steep come slopes that are 0 or no denormal number, in a vector as in its rest. */
static void slopes_fade_out(void **state)
{
    (void)state;
    EACH_ROW(k)
    for (size_t m = 1; m < HILL__MAP_COUNT; m++)
        for (float x = -120; x < 0; x += 0.25f) {
            float v[19], d[19];
            for (size_t i = 0; i < 19; i++) {
                v[i] = m >= HILL__MAP_gelu ? x : at_one(k->map[m], x);
                d[i] = 0x1p-10f;
            }
            k->slope[m](d, v, 19);
            for (size_t i = 0; i < 19; i++)
                if (d[i] != 0 && fabsf(d[i]) < 0x1p-110f)
                    fail_msg("%s: slope %zu at %.9g is %.9g", k->name, m, (double)x, (double)d[i]);
        }
}

/* ---- every row has the bits of the scalar one ---------------------------------------------------------------------------- */

static void assert_same_floats(const float *a, const float *b, size_t n, const char *what, const char *isa)
{
    for (size_t i = 0; i < n; i++)
        if (!same_float(a[i], b[i]))
            fail_msg("%s, %s: float %zu is %.9g (%08x), by scalar %.9g (%08x)", isa, what, i, (double)a[i], bits_of(a[i]),
                     (double)b[i], bits_of(b[i]));
}

static void maps_and_slopes_have_the_same_bits(void **state)
{
    (void)state;
    static float x[CHUNK], d[CHUNK], y[CHUNK], expected[CHUNK];
    const hill__kernels *scalar = &hill__kernels_scalar;
    EACH_ROW(k)
    {
        uint64_t at = 0;
        if (k == scalar)
            continue;
        for (size_t n; (n = next_floats(&at, x)) > 0;) {
            draw_floats(d, n, at, 1);
            for (size_t m = 1; m < HILL__MAP_COUNT + 5; m++) {
                const hill__map_loop ours[] = {k->exp, k->log, k->erf, k->sin, k->cos};
                const hill__map_loop theirs[] = {scalar->exp, scalar->log, scalar->erf, scalar->sin, scalar->cos};
                (m < HILL__MAP_COUNT ? k->map[m] : ours[m - HILL__MAP_COUNT])(y, x, n);
                (m < HILL__MAP_COUNT ? scalar->map[m] : theirs[m - HILL__MAP_COUNT])(expected, x, n);
                assert_same_floats(y, expected, n, "map", k->name);
                if (m >= HILL__MAP_COUNT)
                    continue;
                memcpy(y, d, n * sizeof *y);
                memcpy(expected, d, n * sizeof *y);
                k->slope[m](y, x, n);
                scalar->slope[m](expected, x, n);
                assert_same_floats(y, expected, n, "slope", k->name);
            }
        }
    }
}

/* Lengths around the ends of vectors: what lies behind the last float isn't touched, in place is as good as apart. */
static void maps_take_any_length(void **state)
{
    (void)state;
    float x[80], y[80], in_place[80], whole[80];
    draw_floats(x, 80, 9, 3);
    EACH_ROW(k)
    for (size_t m = 1; m < HILL__MAP_COUNT + 2; m++) {
        hill__map_loop map = m < HILL__MAP_COUNT ? k->map[m] : m == HILL__MAP_COUNT ? k->sin : k->cos;
        map(whole, x, 80);
        for (size_t n = 0; n < 70; n++) {
            for (size_t i = 0; i < 80; i++)
                y[i] = GUARD;
            memcpy(in_place, x, sizeof x);
            map(y, x, n);
            map(in_place, in_place, n);
            for (size_t i = 0; i < 80; i++) {
                assert_true(y[i] == (i < n ? whole[i] : GUARD));
                assert_true(in_place[i] == (i < n ? whole[i] : x[i]));
            }
            if (m >= HILL__MAP_COUNT)
                continue;
            k->slope[m](y, x, n);
            for (size_t i = n; i < 80; i++)
                assert_true(y[i] == GUARD);
        }
    }
}

/* ---- softmax ------------------------------------------------------------------------------------------------------------- */

#define WIDEST 1003

static void softmax_is_right(void **state)
{
    (void)state;
    static float x[2 * WIDEST + 16], y[2 * WIDEST + 16], expected[2 * WIDEST + 16];
    static const float scales[] = {0.1f, 5, 300};
    EACH_ROW(k)
    for (size_t n = 1; n <= WIDEST; n = n < 40 ? n + 1 : n * 5 + 3) {
        draw_floats(x, 2 * n, n, scales[n % 3]);
        y[2 * n] = GUARD;
        k->softmax(y, x, 2, n);
        assert_true(y[2 * n] == GUARD);
        for (size_t r = 0; r < 2; r++) {
            double most = -INFINITY, sum = 0, total = 0;
            for (size_t i = 0; i < n; i++)
                most = fmax(most, (double)x[r * n + i]);
            for (size_t i = 0; i < n; i++)
                sum += exp((double)x[r * n + i] - most);
            for (size_t i = 0; i < n; i++) {
                double truth = exp((double)x[r * n + i] - most) / sum;
                assert_true(fabs((double)y[r * n + i] - truth) <= 3e-6 * truth + 1e-40);
                total += (double)y[r * n + i];
            }
            assert_true(fabs(total - 1) < 1e-5);
        }
        hill__kernels_scalar.softmax(expected, x, 2, n);
        assert_same_floats(y, expected, 2 * n, "softmax", k->name);
        k->softmax(x, x, 2, n);
        assert_same_floats(x, expected, 2 * n, "softmax in place", k->name);
    }
}

static void softmax_slope_is_right(void **state)
{
    (void)state;
    static float x[2 * WIDEST + 16], y[2 * WIDEST + 16], d[2 * WIDEST + 16], expected[2 * WIDEST + 16], given[2 * WIDEST + 16];
    EACH_ROW(k)
    for (size_t n = 1; n <= WIDEST; n = n < 40 ? n + 1 : n * 5 + 3) {
        draw_floats(x, 2 * n, n, 3);
        draw_floats(given, 2 * n, n + 1, 1);
        k->softmax(y, x, 2, n);
        memcpy(d, given, 2 * n * sizeof *d);
        memcpy(expected, given, 2 * n * sizeof *d);
        d[2 * n] = GUARD;
        k->softmax_slope(d, y, 2, n);
        assert_true(d[2 * n] == GUARD);
        for (size_t r = 0; r < 2; r++) {
            double sum = 0;
            for (size_t i = r * n; i < r * n + n; i++)
                sum += (double)given[i] * (double)y[i];
            for (size_t i = r * n; i < r * n + n; i++)
                assert_true(fabs((double)d[i] - (double)y[i] * ((double)given[i] - sum)) < 1e-6 * (double)y[i]);
        }
        hill__kernels_scalar.softmax_slope(expected, y, 2, n);
        assert_same_floats(d, expected, 2 * n, "softmax slope", k->name);
    }
}

/* A NaN or two infinities anywhere in a row reach the row's answers, and no other row's. */
static void softmax_hides_no_nan(void **state)
{
    (void)state;
    float x[3 * 37], y[3 * 37];
    EACH_ROW(k)
    for (size_t n = 1; n <= 37; n++)
        for (size_t at = 0; at < n; at++) {
            draw_floats(x, 3 * n, n, 2);
            x[n + at] = at % 2 ? NAN : INFINITY;
            k->softmax(y, x, 3, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(isfinite(y[i]) && isfinite(y[2 * n + i]));
                assert_true(at % 2 == 0 || isnan(y[n + i]));
            }
            assert_true(isnan(y[n + at]));
        }
}

/* ---- costs --------------------------------------------------------------------------------------------------------------- */

/* The costs' knobs, in sets. */
static const hill__cost_knobs knobs_of_costs[] = {
    {.delta = 0.7f, .quantile = 0.5f, .focus = 2, .smoothing = 0},
    {.delta = 1.4f, .quantile = 0.9f, .focus = 0.5f, .smoothing = 0.1f},
    {.delta = 1e-3f, .quantile = 0.01f, .focus = 0, .smoothing = 0.5f},
};

static double smoothed(float t, size_t among, const hill__cost_knobs *knobs)
{
    return (double)t * (1 - (double)knobs->smoothing) + (double)knobs->smoothing / (double)among;
}

static double focal_truth(const float *y, const float *t, size_t n, const hill__cost_knobs *knobs, double *slope)
{
    double cost = 0, sum = 0, pulls = 0, gamma = (double)knobs->focus;
    for (size_t i = 0; i < n; i++)
        sum += exp((double)y[i]);
    for (size_t i = 0; i < n; i++) {
        double p = exp((double)y[i]) / sum, b = smoothed(t[i], n, knobs), rest = n == 1 ? 0 : 1 - p;
        double bend = rest > 0 ? gamma * pow(rest, gamma - 1) * p * log(p) : gamma == 0 ? 0 : -gamma * pow(rest, gamma);
        cost -= b * pow(rest, gamma) * log(p);
        slope[i] = b * (bend - pow(rest, gamma)); /* p times the derivative by p */
        pulls += slope[i];
    }
    for (size_t i = 0; i < n; i++)
        slope[i] -= exp((double)y[i]) / sum * pulls;
    return cost;
}

static double hinge_truth(const float *y, const float *t, size_t n, double *slope)
{
    double cost = 0;
    size_t c = 0;
    for (size_t i = 0; i < n; i++) {
        slope[i] = 0;
        c = t[i] > t[c] ? i : c;
    }
    if (n == 1) {
        double side = t[0] > 0 ? 1 : -1, short_of = 1 - side * (double)y[0];
        slope[0] = short_of > 0 ? -side : 0;
        return fmax(short_of, 0);
    }
    for (size_t j = 0; j < n; j++) {
        double short_of = 1 - (double)y[c] + (double)y[j];
        if (j == c || t[j] == t[c] || short_of <= 0)
            continue;
        cost += short_of / (double)n;
        slope[j] += 1 / (double)n;
        slope[c] -= 1 / (double)n;
    }
    return cost;
}

/* Cost of one row by its formula, in double; *slope gets the derivative by y[i]. */
static double cost_truth(hill__cost_kind kind, const float *y, const float *t, size_t n, const hill__cost_knobs *knobs,
                         double *slope)
{
    if (kind == HILL__COST_softmax_focal)
        return focal_truth(y, t, n, knobs, slope);
    if (kind == HILL__COST_hinge)
        return hinge_truth(y, t, n, slope);
    double cost = 0, most = -INFINITY, sum = 0, total = 0, delta = (double)knobs->delta, q = (double)knobs->quantile;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, (double)y[i]);
        total += smoothed(t[i], n, knobs);
    }
    for (size_t i = 0; i < n; i++)
        sum += exp((double)y[i] - most);
    for (size_t i = 0; i < n; i++) {
        double a = (double)y[i], b = (double)t[i], e = a - b;
        switch (kind) {
        case HILL__COST_squared:
            cost += e * e / 2;
            slope[i] = e;
            break;
        case HILL__COST_absolute:
            cost += fabs(e);
            slope[i] = (e > 0) - (e < 0);
            break;
        case HILL__COST_huber:
            cost += fabs(e) <= delta ? e * e / 2 : delta * (fabs(e) - delta / 2);
            slope[i] = fabs(e) <= delta ? e : copysign(delta, e);
            break;
        case HILL__COST_softmax_cross_entropy:
            b = smoothed(t[i], n, knobs);
            cost += b * (most + log(sum) - a);
            slope[i] = exp(a - most) / sum * total - b;
            break;
        case HILL__COST_quantile:
            cost += e > 0 ? (1 - q) * e : -q * e;
            slope[i] = e > 0 ? 1 - q : e < 0 ? -q : 0;
            break;
        case HILL__COST_poisson:
            cost += exp(a) - b - (b > 0 ? b * (a - log(b)) : 0);
            slope[i] = exp(a) - b;
            break;
        default:
            b = smoothed(t[i], 2, knobs);
            cost += b * softplus_truth(-a) + (1 - b) * softplus_truth(a);
            slope[i] = sigmoid_truth(a) - b;
        }
    }
    return cost;
}

static void draw_targets(float *t, size_t rows, size_t n, hill__cost_kind kind)
{
    bool one_hot = kind == HILL__COST_softmax_cross_entropy || kind == HILL__COST_softmax_focal;
    draw_floats(t, rows * n, 77 + n, 1);
    for (size_t i = 0; i < rows * n; i++)
        t[i] = one_hot                                    ? (float)(i % n == (i / n * 7) % n)
               : kind == HILL__COST_sigmoid_cross_entropy ? (i % 3 == 2 ? fabsf(t[i]) : (float)(i % 3))
               : kind == HILL__COST_poisson               ? fmaxf(0, floorf(4 * t[i]))
                                                          : t[i];
}

static void costs_are_right_with_and_without_gradient(void **state)
{
    (void)state;
    enum { ROWS = 3 };
    static float y[ROWS * WIDEST], t[ROWS * WIDEST], d[ROWS * WIDEST + 1], expected[ROWS * WIDEST];
    static double slope[WIDEST];
    EACH_ROW(k)
    for (size_t round = 0; round < COUNT_OF(knobs_of_costs) * HILL__COST_COUNT; round++)
        for (size_t n = 1; n <= WIDEST; n = n < 40 ? n + 1 : n * 5 + 3) {
            size_t kind = round % HILL__COST_COUNT, set = round / HILL__COST_COUNT;
            float cost[ROWS + 1], bare[ROWS], scalar[ROWS];
            draw_floats(y, ROWS * n, n, 4);
            draw_targets(t, ROWS, n, (hill__cost_kind)kind);
            d[ROWS * n] = cost[ROWS] = GUARD;
            hill__cost c = {
                .y = y, .t = t, .d = d, .cost = cost, .rows = ROWS, .n = n, .scale = 0.125f, .knobs = knobs_of_costs[set]};
            k->cost[kind](&c);
            assert_true(d[ROWS * n] == GUARD && cost[ROWS] == GUARD);
            for (size_t r = 0; r < ROWS; r++) {
                double truth = cost_truth((hill__cost_kind)kind, y + r * n, t + r * n, n, &knobs_of_costs[set], slope);
                assert_true(fabs((double)cost[r] - truth) <= 2e-6 * truth + 1e-6);
                for (size_t i = 0; i < n; i++)
                    assert_true(fabs((double)d[r * n + i] - 0.125 * slope[i]) <= 1e-6 * fabs(slope[i]) + 1e-7);
            }
            c.d = NULL;
            c.cost = bare;
            k->cost[kind](&c);
            assert_memory_equal(bare, cost, sizeof bare);
            c.d = expected;
            c.cost = scalar;
            hill__kernels_scalar.cost[kind](&c);
            assert_same_floats(cost, scalar, ROWS, "cost", k->name);
            assert_same_floats(d, expected, ROWS * n, "cost's gradient", k->name);
        }
}

/* Logits far out: the pair of cost and output activation neither overflows nor loses its gradient. */
static void costs_of_far_logits_are_finite(void **state)
{
    (void)state;
    EACH_ROW(k)
    {
        float y[] = {1e4f, -1e4f, 0}, t[] = {0, 1, 0}, d[3], cost;
        hill__cost c = {.y = y, .t = t, .d = d, .cost = &cost, .rows = 1, .n = 3, .scale = 1};
        k->cost[HILL__COST_softmax_cross_entropy](&c);
        assert_true(cost == 2e4f && d[0] == 1 && d[1] == -1 && d[2] == 0);
        k->cost[HILL__COST_sigmoid_cross_entropy](&c);
        assert_true(fabsf(cost - 2e4f - 0.6931472f) < 0.01f && d[0] == 1 && d[1] == -1 && d[2] == 0.5f);
    }
}

static void costs_hide_no_nan(void **state)
{
    (void)state;
    float y[37], t[37] = {0}, d[37], cost;
    EACH_ROW(k)
    for (size_t kind = 0; kind < HILL__COST_COUNT; kind++)
        for (size_t n = 1; n <= 37; n++)
            for (size_t at = 0; at < n; at++) {
                draw_floats(y, n, n, 2);
                y[at] = NAN;
                hill__cost c = {
                    .y = y, .t = t, .d = d, .cost = &cost, .rows = 1, .n = n, .scale = 1, .knobs = knobs_of_costs[0]};
                k->cost[kind](&c);
                assert_true(isnan(cost) && isnan(d[at]));
            }
}

/* ---- products ------------------------------------------------------------------------------------------------------------ */

#define SIDE_MOST 129
/* Room for c with its stride, and for operands. */
static float gemm_a[SIDE_MOST * (SIDE_MOST + 8)], gemm_b[SIDE_MOST * (SIDE_MOST + 8)];
static float gemm_c[SIDE_MOST * (SIDE_MOST + 8)], gemm_first[SIDE_MOST * (SIDE_MOST + 8)], gemm_bias[SIDE_MOST];

/* The contract: one chain of fused multiply-adds from +0 in increasing k, bias last, then onto what is there. */
static float product_by_contract(const hill__gemm *g, size_t i, size_t j, float before)
{
    float sum = 0;
    for (size_t k = 0; k < g->depth; k++)
        sum = fmaf(g->a[i * g->a_row + k * g->a_step], g->b[k * g->b_row + j], sum);
    sum = g->bias ? sum + g->bias[j] : sum;
    return g->add ? before + sum : sum;
}

/* n products of depth `depth` are within (depth + 2) roundings of the truth. */
static void assert_near_truth(const hill__gemm *g, size_t i, size_t j, float before)
{
    double sum = g->bias ? (double)g->bias[j] : 0, size = fabs(sum);
    for (size_t k = 0; k < g->depth; k++) {
        double term = (double)g->a[i * g->a_row + k * g->a_step] * (double)g->b[k * g->b_row + j];
        sum += term;
        size += fabs(term);
    }
    sum += g->add ? (double)before : 0;
    size += g->add ? fabs((double)before) : 0;
    assert_true(fabs((double)g->c[i * g->c_row + j] - sum) <= (double)(g->depth + 2) * 0x1p-24 * size);
}

static void check_product(const hill__kernels *k, size_t rows, size_t cols, size_t depth, unsigned variant)
{
    bool transposed = variant & 1;
    hill__gemm g = {.a = gemm_a,
                    .a_row = transposed ? 1 : depth + (variant >> 1 & 1) * 3,
                    .a_step = transposed ? rows + (variant >> 1 & 1) * 5 : 1,
                    .b = gemm_b,
                    .b_row = cols + (variant >> 2 & 1) * 7,
                    .c = gemm_c,
                    .c_row = cols + (variant >> 3 & 1) * 3,
                    .rows = rows,
                    .cols = cols,
                    .depth = depth,
                    .bias = variant >> 4 & 1 ? gemm_bias : NULL,
                    .add = variant >> 5 & 1};
    const size_t floats = rows * g.c_row;
    memcpy(gemm_c, gemm_first, (floats + 4) * sizeof *gemm_c);
    k->gemm(&g);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < g.c_row; j++) {
            size_t at = i * g.c_row + j;
            float right = j < cols ? product_by_contract(&g, i, j, gemm_first[at]) : gemm_first[at];
            if (bits_of(gemm_c[at]) != bits_of(right))
                fail_msg("%s: %zu x %zu x %zu, variant %u: [%zu, %zu] is %.9g, not %.9g", k->name, rows, cols, depth, variant,
                         i, j, (double)gemm_c[at], (double)right);
        }
    assert_memory_equal(gemm_c + floats, gemm_first + floats, 4 * sizeof *gemm_c);
    assert_near_truth(&g, rows - 1, cols - 1, gemm_first[(rows - 1) * g.c_row + cols - 1]);
    assert_near_truth(&g, rows / 2, cols / 2, gemm_first[rows / 2 * g.c_row + cols / 2]);
}

static void products_are_right_to_the_bit(void **state)
{
    (void)state;
    static const size_t sides[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                   17, 18, 19, 20, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 129};
    static const size_t depths[] = {1, 2, 3, 7, 17, 64, 129};
    draw_floats(gemm_a, COUNT_OF(gemm_a), 1, 1);
    draw_floats(gemm_b, COUNT_OF(gemm_b), 2, 1);
    draw_floats(gemm_first, COUNT_OF(gemm_first), 3, 1);
    draw_floats(gemm_bias, COUNT_OF(gemm_bias), 4, 1);
    EACH_ROW(k)
    {
        unsigned variant = 0;
        for (size_t r = 0; r < COUNT_OF(sides); r++)
            for (size_t c = 0; c < COUNT_OF(sides); c++)
                for (size_t d = 0; d < COUNT_OF(depths); d++)
                    if (sides[r] * sides[c] * depths[d] < 20000 || (r + c + d) % (SANITIZED ? 31 : 11) == 0)
                        check_product(k, sides[r], sides[c], depths[d], variant += 5);
        for (variant = 0; variant < 64; variant++) {
            check_product(k, 13, 67, 19, variant);
            check_product(k, 1, 1, 1, variant);
        }
    }
}

/* Zero products of nothing: the sum is +0, then bias. */
static void products_of_depth_0(void **state)
{
    (void)state;
    EACH_ROW(k)
    {
        float c[3] = {GUARD, GUARD, GUARD}, bias[2] = {1, -0.0f};
        k->gemm(&(hill__gemm){.a = gemm_a,
                              .a_row = 1,
                              .a_step = 1,
                              .b = gemm_b,
                              .b_row = 2,
                              .c = c,
                              .c_row = 2,
                              .rows = 1,
                              .cols = 2,
                              .bias = bias});
        assert_int_equal(bits_of(c[0]), bits_of(1));
        assert_int_equal(bits_of(c[1]), bits_of(0));
        assert_true(c[2] == GUARD);
    }
}

/* A NaN or an infinity in an operand reaches the results that it belongs to, and no other; 0 times infinity is NaN. */
static void products_hide_no_nan(void **state)
{
    (void)state;
    enum { ROWS = 7, COLS = 37, DEPTH = 5 };
    static float a[ROWS * DEPTH], b[DEPTH * COLS], c[ROWS * COLS];
    EACH_ROW(k)
    for (size_t row = 0; row < ROWS; row++)
        for (size_t col = 0; col < COLS; col++) {
            draw_floats(a, COUNT_OF(a), 1, 1);
            draw_floats(b, COUNT_OF(b), 2, 1);
            a[row * DEPTH + 2] = NAN;
            b[3 * COLS + col] = INFINITY;
            a[(row + 1) % ROWS * DEPTH + 3] = 0;
            k->gemm(&(hill__gemm){.a = a,
                                  .a_row = DEPTH,
                                  .a_step = 1,
                                  .b = b,
                                  .b_row = COLS,
                                  .c = c,
                                  .c_row = COLS,
                                  .rows = ROWS,
                                  .cols = COLS,
                                  .depth = DEPTH});
            for (size_t i = 0; i < ROWS; i++)
                for (size_t j = 0; j < COLS; j++) {
                    bool is_nan = i == row || (j == col && i == (row + 1) % ROWS);
                    assert_true(is_nan     ? isnan(c[i * COLS + j])
                                : j == col ? isinf(c[i * COLS + j])
                                           : isfinite(c[i * COLS + j]));
                }
        }
}

/* ---- rules --------------------------------------------------------------------------------------------------------------- */

static double lasso_truth(double w, const hill__update *u)
{
    return (double)u->lasso * ((w > 0) - (w < 0));
}

/* One weight's update in double. */
static void rule_truth(hill__rule_kind rule, double *w, double g, double *m, double *v, const hill__update *u)
{
    double rate = (double)u->rate, momentum = (double)u->momentum, step;
    g += (double)u->decay * *w + lasso_truth(*w, u);
    switch (rule) {
    case HILL__RULE_sgd:
        step = g;
        break;
    case HILL__RULE_momentum:
        step = *m = momentum * *m + g;
        break;
    case HILL__RULE_nesterov:
        *m = momentum * *m + g;
        step = g + momentum * *m;
        break;
    case HILL__RULE_adagrad:
        *m += g * g;
        step = g / (sqrt(*m) + (double)u->epsilon);
        break;
    case HILL__RULE_rmsprop:
        *m = momentum * *m + (1 - momentum) * g * g;
        step = g / (sqrt(*m) + (double)u->epsilon);
        break;
    case HILL__RULE_nadam:
        *m = momentum * *m + (1 - momentum) * g;
        *v = (double)u->square * *v + (1 - (double)u->square) * g * g;
        step =
            (*m * (double)u->mean_part + g * (double)u->slope_part) / (sqrt(*v) * (double)u->correction + (double)u->epsilon);
        break;
    default:
        *m = momentum * *m + (1 - momentum) * g;
        *v = (double)u->square * *v + (1 - (double)u->square) * g * g;
        *w *= (double)u->keep;
        step = *m / (sqrt(*v) * (double)u->correction + (double)u->epsilon);
    }
    *w -= rate * step;
}

static void schedule_free_truth(double *w, double g, double *m, double *v, const hill__update *u)
{
    double between = (1 - (double)u->momentum) * *m + (double)u->momentum * *w;
    g += lasso_truth(between, u);
    *v = (double)u->square * *v + (1 - (double)u->square) * g * g;
    *m -= (double)u->rate * (g / (sqrt(*v) + (double)u->epsilon) + (double)u->decay * between);
    *w = (1 - (double)u->blend) * *w + (double)u->blend * *m;
}

static void rprop_truth(double *w, double g, double *m, double *v, const hill__update *u)
{
    g += (double)u->decay * *w + lasso_truth(*w, u);
    *v = *v == 0 ? 1 : *v;
    if (g * *m > 0)
        *v = fmin((double)1.2f * *v, (double)u->most);
    else if (g * *m < 0)
        *v = fmax(0.5 * *v, (double)u->least);
    *m = g * *m < 0 ? 0 : g;
    *w -= (double)u->rate * *v * ((*m > 0) - (*m < 0));
}

static void quickprop_truth(double *w, double g, double *m, double *v, const hill__update *u)
{
    double sign = *v < 0 ? -1 : 1, down, before = -*m * sign, ratio;
    g += (double)u->decay * *w + lasso_truth(*w, u);
    down = -g * sign;
    ratio = down > 1.75 / 2.75 * before ? 1.75 : fmax(-1.75, fmin(1.75, down / (before - down)));
    *v = *v == 0 ? -(double)u->rate * g : ratio * *v - (down > 0 ? (double)u->rate * g : 0);
    *m = g;
    *w += *v;
}

static void one_truth(hill__rule_kind rule, double *w, double g, double *m, double *v, const hill__update *u)
{
    switch (rule) {
    case HILL__RULE_schedule_free:
        schedule_free_truth(w, g, m, v, u);
        break;
    case HILL__RULE_rprop:
        rprop_truth(w, g, m, v, u);
        break;
    case HILL__RULE_quickprop:
        quickprop_truth(w, g, m, v, u);
        break;
    default:
        rule_truth(rule, w, g, m, v, u);
    }
}

static void rules_are_right(void **state)
{
    (void)state;
    enum { N = 48, STEPS = 20 };
    const hill__update u = {.rate = 0.05f,
                            .decay = 0.02f,
                            .lasso = 0.01f,
                            .keep = 0.999f,
                            .momentum = 0.875f,
                            .square = 0.96875f,
                            .momentum_rest = 0.125f,
                            .square_rest = 0.03125f,
                            .epsilon = 1e-6f,
                            .correction = 1.25f,
                            .mean_part = 0.75f,
                            .slope_part = 0.375f,
                            .blend = 0.0625f,
                            .least = 0.3f,
                            .most = 1.5f};
    EACH_ROW(k)
    for (size_t rule = 0; rule < HILL__RULE_COUNT; rule++) {
        float w[N + 1], g[N], m[N + 1] = {0}, v[N + 1] = {0}, scalar_w[N], scalar_m[N] = {0}, scalar_v[N] = {0};
        double right_w[N], right_m[N] = {0}, right_v[N] = {0};
        draw_floats(w, N, 1, 1);
        w[N] = m[N] = v[N] = GUARD;
        memcpy(scalar_w, w, sizeof scalar_w);
        for (size_t i = 0; i < N; i++)
            right_w[i] = (double)w[i];
        for (uint64_t step = 0; step < STEPS; step++) {
            draw_floats(g, N, 100 + step, 1);
            k->rule[rule](w, g, m, v, N, &u);
            hill__kernels_scalar.rule[rule](scalar_w, g, scalar_m, scalar_v, N, &u);
            for (size_t i = 0; i < N; i++)
                one_truth((hill__rule_kind)rule, &right_w[i], (double)g[i], &right_m[i], &right_v[i], &u);
        }
        for (size_t i = 0; i < N; i++) {
            assert_true(fabs((double)w[i] - right_w[i]) < 2e-6);
            assert_true(fabs((double)m[i] - right_m[i]) < 2e-6 && fabs((double)v[i] - right_v[i]) < 2e-6);
        }
        assert_same_floats(w, scalar_w, N, "rule's weights", k->name);
        assert_same_floats(m, scalar_m, N, "rule's moments", k->name);
        assert_same_floats(v, scalar_v, N, "rule's second moments", k->name);
        assert_true(w[N] == GUARD && m[N] == GUARD && v[N] == GUARD);
    }
}

/* Slopes that leave quickprop no parabola: none at all, the same twice, steeper again after a step the wrong way. */
static void quickprop_keeps_to_its_bounds(void **state)
{
    (void)state;
    static const float cases[][4] = {/* slope before, last step, slope, next step */
                                     {0, 0, 0, 0},
                                     {0, 0, 2, -0.5f},
                                     {1, -1, 1, -2},
                                     {0, 1, 0, 0},
                                     {1, 1, 1, -1},
                                     {1, 1, 0.75f, 1.75f},
                                     {1, 1, 1.25f, -1.75f},
                                     {-1, 1, 0.5f, -1.0f / 3},
                                     {-1, 1, -0.25f, 1.0f / 3 + 0.0625f},
                                     {1, -1, 0.5f, -1.125f},
                                     {-1, 1, -2, 2.25f}};
    const hill__update update = {.rate = 0.25f};
    EACH_ROW(k)
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        float w[16] = {0}, g[16], m[16], v[16];
        for (size_t j = 0; j < 16; j++) {
            m[j] = cases[i][0];
            v[j] = cases[i][1];
            g[j] = cases[i][2];
        }
        assert_true(k->rule[HILL__RULE_quickprop](w, g, m, v, 16, &update));
        for (size_t j = 0; j < 16; j++)
            if (fabsf(w[j] - cases[i][3]) > 1e-6f || v[j] != w[j] || m[j] != g[j])
                fail_msg("case %zu: %g, not %g", i, (double)w[j], (double)cases[i][3]);
    }
}

/* ---- whole vectors ------------------------------------------------------------------------------------------------------- */

static void whole_vectors_are_right(void **state)
{
    (void)state;
    enum { N = 800 };
    EACH_ROW(k)
    {
        float a[N], b[N], out[N + 1], scalar[N];
        double sum = 0;
        draw_floats(a, N, 1, 3);
        draw_floats(b, N, 2, 3);
        out[N] = GUARD;
        k->blend(out, a, b, N, 0.3f);
        hill__kernels_scalar.blend(scalar, a, b, N, 0.3f);
        assert_same_floats(out, scalar, N, "blend", k->name);
        for (size_t i = 0; i < N; i++) {
            assert_true(fabs((double)out[i] - (0.7 * (double)a[i] + 0.3 * (double)b[i])) < 1e-6);
            sum += (double)a[i] * (double)a[i];
        }
        assert_true(fabs(k->squares(a, N) / sum - 1) < 1e-6 && k->squares(a, N) == hill__kernels_scalar.squares(a, N));
        memcpy(out, a, sizeof a);
        k->bound(out, N, 0.5f, 0.25f);
        for (size_t i = 0; i < N; i++)
            assert_true(out[i] == fmaxf(fminf(0.5f * a[i], 0.25f), -0.25f));
        assert_true(out[N] == GUARD);
    }
}

/* Running means without a gradient end as 0, not as denormal numbers that last for ever. */
static void faded_means_are_zero(void **state)
{
    (void)state;
    static const hill__rule_kind rules[] = {HILL__RULE_momentum, HILL__RULE_nesterov, HILL__RULE_rmsprop, HILL__RULE_adam,
                                            HILL__RULE_nadam};
    hill__update update = {.rate = 0.1f,
                           .keep = 1,
                           .momentum = 0.9f,
                           .square = 0.9f,
                           .momentum_rest = 0.1f,
                           .square_rest = 0.1f,
                           .epsilon = 1e-8f,
                           .correction = 1};
    EACH_ROW(k)
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        float w[16], g[16] = {0}, m[16], v[16];
        for (size_t j = 0; j < 16; j++)
            w[j] = m[j] = v[j] = 1e-3f;
        for (size_t step = 0; step < 1000; step++)
            k->rule[rules[i]](w, g, m, v, 16, &update);
        for (size_t j = 0; j < 16; j++) {
            assert_true(m[j] == 0 && (v[j] == 0 || rules[i] < HILL__RULE_adam));
            assert_true(isfinite(w[j]));
        }
        g[3] = NAN;
        k->rule[rules[i]](w, g, m, v, 16, &update);
        assert_true(isnan(m[3]) && m[4] == 0);
    }
}

/* ---- sums over rows, transposition, finiteness --------------------------------------------------------------------------- */

static void sums_over_rows_are_one_chain(void **state)
{
    (void)state;
    static float x[70 * 70], sum[71], first[71];
    draw_floats(x, COUNT_OF(x), 1, 1);
    draw_floats(first, COUNT_OF(first), 2, 1);
    EACH_ROW(k)
    for (size_t n = 1; n <= 70; n++)
        for (size_t rows = 0; rows <= 70; rows = rows * 2 + 1)
            for (int add = 0; add < 2; add++) {
                memcpy(sum, first, sizeof sum);
                k->add_rows(sum, x, rows, n, n, add);
                for (size_t i = 0; i < n; i++) {
                    float total = 0;
                    for (size_t r = 0; r < rows; r++)
                        total += x[r * n + i];
                    assert_int_equal(bits_of(sum[i]), bits_of(add ? first[i] + total : total));
                }
                assert_true(sum[n] == first[n]);
            }
}

/* Columns from shorter than the bound to longer; what stands beside them stays. */
static void columns_are_shortened(void **state)
{
    (void)state;
    enum { ROWS = 7, ROOM = 40 };
    float w[ROWS * ROOM], scalar[ROWS * ROOM];
    EACH_ROW(k)
    for (size_t n = 1; n < ROOM; n++) {
        draw_floats(w, COUNT_OF(w), n, 1);
        for (size_t i = 0; i < COUNT_OF(w); i++)
            scalar[i] = w[i] *= (float)(i % ROOM) / 20;
        k->shorten(w, ROOM, ROWS, n, 0.7f);
        for (size_t j = 0; j < ROOM; j++) {
            double square = 0, length = 0;
            for (size_t r = 0; r < ROWS; r++) {
                square += (double)scalar[r * ROOM + j] * (double)scalar[r * ROOM + j];
                length += (double)w[r * ROOM + j] * (double)w[r * ROOM + j];
            }
            bool longer = j < n && sqrt(square) > 0.7;
            assert_true(longer ? fabs(sqrt(length) - 0.7) < 1e-6 : length == square);
        }
        hill__kernels_scalar.shorten(scalar, ROOM, ROWS, n, 0.7f);
        assert_same_floats(w, scalar, COUNT_OF(w), "shortened columns", k->name);
    }
}

/* Masks of every length, by the generator as base/random.h has it. */
static void masks_drop_by_philox(void **state)
{
    (void)state;
    enum { MOST = 300 };
    float mask[MOST + 1];
    const hill__drop drop = {
        .key = {0xDEADBEEFu, 0x12345678u}, .purpose = 6, .group = 0xFFFFFFFFu, .least = 20000, .stretch = 1.5f};
    EACH_ROW(k)
    for (size_t n = 1; n <= MOST; n++) {
        mask[n] = GUARD;
        k->drop(mask, n, &drop);
        for (size_t i = 0; i < n; i++) {
            const uint64_t group = drop.group + i / HILL__DROP_GROUP;
            const uint32_t counter[] = {(uint32_t)group, (uint32_t)(group >> 32), drop.purpose, (uint32_t)(i % 16)};
            size_t half = i % HILL__DROP_GROUP / 16;
            uint32_t out[4];
            hill__philox(counter, drop.key, out);
            assert_true(mask[i] == ((out[half / 2] >> half % 2 * 16 & 0xFFFF) < 20000 ? 0 : 1.5f));
        }
        assert_true(mask[n] == GUARD);
    }
}

/* Lines of every length: mean 0, deviation 1 but for the epsilon; the proof of the gradient has the slope. */
static void lines_are_standardised(void **state)
{
    (void)state;
    enum { LINES = 3, MOST = 40 };
    float x[LINES * MOST], d[LINES * MOST + 1], y[LINES * MOST + 1], inverse[LINES], right[LINES * MOST], right_inverse[LINES];
    EACH_ROW(k)
    for (size_t n = 1; n <= MOST; n++) {
        const size_t all = LINES * n;
        draw_floats(x, all, n, 3);
        draw_floats(d, all, 100 + n, 1);
        y[all] = d[all] = GUARD;
        k->standardize(y, inverse, x, LINES, n);
        hill__kernels_scalar.standardize(right, right_inverse, x, LINES, n);
        assert_same_floats(y, right, all, "standardised lines", k->name);
        assert_same_floats(inverse, right_inverse, LINES, "their deviations", k->name);
        for (size_t r = 0; r < LINES; r++) {
            double mean = 0, square = 0, wanted = 1 - 1e-5 * (double)inverse[r] * (double)inverse[r];
            for (size_t i = r * n; i < (r + 1) * n; i++) {
                mean += (double)y[i] / (double)n;
                square += (double)y[i] * (double)y[i] / (double)n;
            }
            assert_true(fabs(mean) < 1e-6 && fabs(square - (n == 1 ? 0 : wanted)) < 1e-5);
        }
        k->multiply(right, d, y, all);
        for (size_t i = 0; i < all; i++)
            assert_true(right[i] == d[i] * y[i]);
        memcpy(right, d, all * sizeof *right);
        k->standardize_slope(d, y, inverse, LINES, n);
        hill__kernels_scalar.standardize_slope(right, y, inverse, LINES, n);
        assert_same_floats(d, right, all, "slope of lines", k->name);
        assert_true(y[all] == GUARD && d[all] == GUARD);
    }
}

/* Activations with a weight a column, of every number of columns, against their formulas and the sums of those. */
static void weighed_activations_bend(void **state)
{
    (void)state;
    enum { ROWS = 5, MOST = 40 };
    float x[ROWS * MOST], d[ROWS * MOST], w[MOST], sum[MOST + 1], y[ROWS * MOST + 1], dx[ROWS * MOST + 1];
    EACH_ROW(k)
    for (size_t n = 1; n <= MOST; n++)
        for (hill__bend bend = 0; bend < HILL__BEND_COUNT; bend++) {
            const size_t all = ROWS * n;
            draw_floats(x, all, n, 4);
            draw_floats(d, all, 100 + n, 1);
            draw_floats(w, n, 200 + n, 2);
            x[n - 1] = 0;
            for (size_t i = 0; i < n; i++)
                sum[i] = 0.5f;
            y[all] = dx[all] = sum[n] = GUARD;
            k->bend[bend](y, x, w, ROWS, n);
            k->bend_slope[bend](dx, d, x, w, ROWS, n);
            k->bend_weights[bend](sum, d, x, w, ROWS, n, n);
            for (size_t c = 0; c < n; c++) {
                double total = 0.5;
                for (size_t i = c; i < all; i += n) {
                    const double v = (double)x[i], weight = (double)w[c], s = 1 / (1 + exp(-v * weight));
                    const bool above = v > 0, relu = bend == HILL__BEND_prelu;
                    const double right = relu ? above ? v : v * weight : v * s;
                    const double slope = relu ? above ? 1 : weight : s + v * weight * s * (1 - s);
                    total += (double)d[i] * (relu ? above ? 0 : v : v * v * s * (1 - s));
                    assert_true(fabs((double)y[i] - right) < 1e-6 && fabs((double)dx[i] - slope * (double)d[i]) < 1e-6);
                }
                assert_true(fabs((double)sum[c] - total) < 1e-5);
            }
            assert_true(y[all] == GUARD && dx[all] == GUARD && sum[n] == GUARD);
            x[0] = NAN;
            k->bend[bend](y, x, w, ROWS, n);
            k->bend_weights[bend](sum, d, x, w, ROWS, n, n);
            assert_true(y[0] != y[0] && sum[0] != sum[0]);
        }
}

/* Waves of every number, against libm's, and the slopes against the sums of theirs; whole turns of any number are nothing. */
static void waves_are_sines_and_cosines(void **state)
{
    (void)state;
    enum { ROWS = 3, COLS = 2, UNITS = ROWS * COLS, MOST = 37 };
    const double turn = 6.283185307179586;
    float x[UNITS], w[COLS * MOST], d[UNITS * 2 * MOST], y[UNITS * 2 * MOST + 1], dx[UNITS + 1], dw[MOST + 1];
    EACH_ROW(k)
    for (size_t n = 1; n <= MOST; n++) {
        draw_floats(x, UNITS, n, 3);
        draw_floats(w, COLS * n, 100 + n, 2);
        draw_floats(d, UNITS * 2 * n, 200 + n, 1);
        x[3] = 0x1p23f + 1;
        w[n] = n % 2 ? 1 : 0.25f;
        y[UNITS * 2 * n] = dx[UNITS] = dw[n] = GUARD;
        k->waves(y, x, w, ROWS, COLS, n);
        k->waves_slope(dx, d, y, w, ROWS, COLS, n);
        for (size_t unit = 0; unit < UNITS; unit++) {
            double slope = 0;
            for (size_t i = 0; i < n; i++) {
                const double turns = (double)(x[unit] * w[unit % COLS * n + i]), angle = turn * (turns - floor(turns));
                const float *at = y + unit * 2 * n + i, *above = d + unit * 2 * n + i;
                assert_true(fabs((double)at[0] - sin(angle)) < 1e-6 && fabs((double)at[n] - cos(angle)) < 1e-6);
                slope +=
                    turn * ((double)above[0] * cos(angle) - (double)above[n] * sin(angle)) * (double)w[unit % COLS * n + i];
            }
            assert_true(fabs((double)dx[unit] - slope) < 1e-4);
        }
        for (size_t i = 0; i < n; i++)
            dw[i] = 7;
        x[3] = 1;
        k->waves(y, x, w, ROWS, COLS, n);
        k->waves_weights(dw, d + 2 * n, y + 2 * n, x + 1, ROWS, COLS, n, n % 2);
        for (size_t i = 0; i < n; i++) {
            double slope = n % 2 ? 7 : 0;
            for (size_t unit = 1; unit < UNITS; unit += COLS) {
                const double angle = turn * (double)(x[unit] * w[n + i]);
                const float *above = d + unit * 2 * n + i;
                slope += turn * ((double)above[0] * cos(angle) - (double)above[n] * sin(angle)) * (double)x[unit];
            }
            assert_true(fabs((double)dw[i] - slope) < 1e-4);
        }
        assert_true(y[UNITS * 2 * n] == GUARD && dx[UNITS] == GUARD && dw[n] == GUARD);
        x[0] = INFINITY;
        k->waves(y, x, w, ROWS, COLS, n);
        assert_true(y[0] != y[0] && y[2 * n - 1] != y[2 * n - 1]);
    }
}

static void transposition_moves_every_float(void **state)
{
    (void)state;
    static float in[67 * 67], out[67 * 67 + 1];
    for (size_t i = 0; i < COUNT_OF(in); i++)
        in[i] = (float)i;
    EACH_ROW(k)
    for (size_t rows = 1; rows <= 67; rows += rows < 20 ? 1 : 9)
        for (size_t cols = 1; cols <= 67; cols += cols < 20 ? 1 : 9) {
            out[rows * cols] = GUARD;
            k->transpose(out, rows, in, cols, rows, cols);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < cols; c++)
                    assert_true(out[c * rows + r] == in[r * cols + c]);
            assert_true(out[rows * cols] == GUARD);
        }
}

static void finite_sees_every_nan_and_infinity(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY}, good[] = {FLT_MAX, -FLT_MAX, 0x1p-149f, -0.0f};
    float x[70];
    EACH_ROW(k)
    for (size_t n = 0; n < 70; n++) {
        for (size_t i = 0; i < 70; i++)
            x[i] = i < n ? good[i % 4] : NAN;
        assert_true(k->finite(x, n));
        for (size_t at = 0; at < n; at++)
            for (size_t b = 0; b < 3; b++) {
                x[at] = bad[b];
                assert_false(k->finite(x, n));
                x[at] = good[at % 4];
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementary_functions_are_within_2_ulp),
        cmocka_unit_test(activations_of_several_steps_are_near),
        cmocka_unit_test(corners_of_elementary_functions),
        cmocka_unit_test(powers_are_right),
        cmocka_unit_test(slopes_are_derivatives_of_maps),
        cmocka_unit_test(slopes_fade_out),
        cmocka_unit_test(maps_and_slopes_have_the_same_bits),
        cmocka_unit_test(maps_take_any_length),
        cmocka_unit_test(softmax_is_right),
        cmocka_unit_test(softmax_slope_is_right),
        cmocka_unit_test(softmax_hides_no_nan),
        cmocka_unit_test(costs_are_right_with_and_without_gradient),
        cmocka_unit_test(costs_of_far_logits_are_finite),
        cmocka_unit_test(costs_hide_no_nan),
        cmocka_unit_test(products_are_right_to_the_bit),
        cmocka_unit_test(products_of_depth_0),
        cmocka_unit_test(products_hide_no_nan),
        cmocka_unit_test(rules_are_right),
        cmocka_unit_test(quickprop_keeps_to_its_bounds),
        cmocka_unit_test(whole_vectors_are_right),
        cmocka_unit_test(faded_means_are_zero),
        cmocka_unit_test(sums_over_rows_are_one_chain),
        cmocka_unit_test(columns_are_shortened),
        cmocka_unit_test(masks_drop_by_philox),
        cmocka_unit_test(lines_are_standardised),
        cmocka_unit_test(weighed_activations_bend),
        cmocka_unit_test(waves_are_sines_and_cosines),
        cmocka_unit_test(transposition_moves_every_float),
        cmocka_unit_test(finite_sees_every_nan_and_infinity),
        cmocka_unit_test(every_row_listed_has_run),
    };
    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
