/*
 * test_grow.c - what training rows become. A picture whose two channels are x and y shows where each of its pixels came from.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "plan/growth.h"
#include "train/grow.h"
#include "train/run.h"

#define SIDE 24u
#define PIXELS (SIDE * SIDE)
#define CHANNELS 2u
#define ROWS 40u

static const hill_shape shape = {sizeof(hill_shape), PIXELS *CHANNELS, 2, 0, HILL_TASK_NUMBERS, SIDE, SIDE, CHANNELS, NULL};

static hill_plan *growing(const char *growth, const hill_shape *of)
{
    char text[200];
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    snprintf(text, sizeof text, "net=3 tanh\nbatch=40\nepochs=3\ngrow=%s", growth);
    if (hill_recipe_new(NULL, &recipe, &error) < 0 || hill_recipe_parse(recipe, text, strlen(text), NULL, &error) < 0 ||
        hill_plan_new(recipe, of, NULL, &plan, &error) < 0)
        fail_msg("%s in:\n%s", error.text, text);
    hill_recipe_free(recipe);
    return plan;
}

typedef struct grown {
    float inputs[ROWS][PIXELS * CHANNELS], targets[ROWS][2], weights[ROWS];
} grown;

/* Rows first .. first + count - 1, in a block of their own, in epoch `epoch`, from `in`. */
static void grow(const char *growth, const grown *in, uint64_t first, size_t count, uint64_t epoch, grown *out)
{
    uint64_t rows[ROWS];
    hill_plan *plan = growing(growth, &shape);
    float *scratch = calloc(plan->scratch, sizeof *scratch);
    assert_non_null(scratch);
    assert_true(plan->growth.any);
    for (size_t i = 0; i < count; i++)
        rows[i] = first + i;
    memcpy(out->targets, in->targets[first], count * sizeof out->targets[0]);
    memcpy(out->weights, in->weights + first, count * sizeof out->weights[0]);
    hill__walk walk = {.kernels = hill__kernels_at(0), .rows = count, .inputs = in->inputs[first], .scratch = scratch};
    hill__grow_rows(plan, hill__grow_seed(7, epoch), rows, &walk, out->targets[0],
                    in->weights[first] > 0 ? out->weights : NULL);
    memcpy(out->inputs, walk.inputs, count * sizeof out->inputs[0]);
    free(scratch);
    hill_plan_free(plan);
}

static grown *places(void)
{
    grown *g = calloc(1, sizeof *g);
    assert_non_null(g);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t i = 0; i < PIXELS; i++) {
            g->inputs[r][CHANNELS * i] = (float)(i % SIDE);
            g->inputs[r][CHANNELS * i + 1] = (float)(i / SIDE);
        }
        g->targets[r][r % 2] = 1;
    }
    return g;
}

static const float *pixel(const grown *g, size_t row, size_t x, size_t y)
{
    return g->inputs[row] + CHANNELS * (y * SIDE + x);
}

/* ---- the maps -------------------------------------------------------------------------------------------------------------- */

/* Pixels that came from within the picture: x and y of where from, for a map that is a shift, a turn and a zoom. */
static void every_map_is_what_its_word_says(void **state)
{
    (void)state;
    static const struct {
        const char *growth;
        double shift, degrees, zoom;
    } cases[] = {
        {"shift 3", 3, 0, 0}, {"rotate 20", 0, 20, 0}, {"scale 0.2", 0, 0, 0.2}, {"shift 2, rotate 10, scale 0.1", 2, 10, 0.1}};
    const double middle = (SIDE - 1) / 2.0;
    grown *in = places(), *out = calloc(1, sizeof *out);
    assert_non_null(out);
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        double most_shift = 0, most_turn = 0, most_zoom = 0, mean = 0;
        grow(cases[c].growth, in, 0, ROWS, 5, out);
        for (size_t r = 0; r < ROWS; r++) {
            const float *a = pixel(out, r, 8, 12), *b = pixel(out, r, 15, 12), *d = pixel(out, r, 8, 15);
            double ux = (b[0] - a[0]) / 7, uy = (b[1] - a[1]) / 7, vx = (d[0] - a[0]) / 3, vy = (d[1] - a[1]) / 3;
            assert_true(fabs(ux - vy) < 1e-4 && fabs(uy + vx) < 1e-4); /* a turn and a zoom, nothing askew */
            double size = sqrt(ux * ux + uy * uy), turn = atan2(uy, ux) * 180 / acos(-1), zoom = 1 / size - 1;
            /* the place that the middle came to: solve a + (x - 8) u + (y - 12) v = middle */
            double px = middle - a[0], py = middle - a[1];
            double x = 8 + (px * ux + py * uy) / (size * size), y = 12 + (py * ux - px * uy) / (size * size);
            most_shift = fmax(most_shift, fmax(fabs(x - middle), fabs(y - middle)));
            most_turn = fmax(most_turn, fabs(turn));
            most_zoom = fmax(most_zoom, fabs(zoom));
            mean += (x - middle + turn + 20 * zoom) / ROWS;
        }
        assert_true(most_shift <= cases[c].shift + 1e-3 && most_shift >= 0.8 * cases[c].shift);
        assert_true(most_turn <= cases[c].degrees + 1e-3 && most_turn >= 0.8 * cases[c].degrees);
        assert_true(most_zoom <= cases[c].zoom + 1e-4 && most_zoom >= 0.8 * cases[c].zoom);
        assert_true(fabs(mean) < 0.35 * (cases[c].shift + cases[c].degrees + 20 * cases[c].zoom)); /* both ways */
    }
    free(in);
    free(out);
}

/* As many pixels in the quadratic mean, over many rows, and smooth: neighbours move alike. */
static void pictures_are_bent(void **state)
{
    (void)state;
    grown *in = places(), *out = calloc(1, sizeof *out);
    assert_non_null(out);
    double squares = 0, steps = 0;
    size_t count = 0;
    for (uint64_t epoch = 0; epoch < 10; epoch++) {
        grow("elastic 1.5", in, 0, ROWS, epoch, out);
        for (size_t r = 0; r < ROWS; r++)
            for (size_t y = 7; y < SIDE - 7; y++)
                for (size_t x = 7; x < SIDE - 7; x++, count += 2) {
                    const float *here = pixel(out, r, x, y), *next = pixel(out, r, x + 1, y);
                    double dx = here[0] - (float)x, dy = here[1] - (float)y;
                    double step = next[0] - (float)(x + 1) - dx;
                    squares += dx * dx + dy * dy;
                    steps += 2 * step * step;
                }
    }
    assert_true(fabs(sqrt(squares / (double)count) - 1.5) < 0.1);
    assert_true(sqrt(steps / (double)count) < 0.4);
    free(in);
    free(out);
}

static void mirrors_covers_and_mixtures(void **state)
{
    (void)state;
    grown *in = places(), *out = calloc(1, sizeof *out);
    assert_non_null(out);
    size_t mirrored = 0, covered = 0;
    grow("flip", in, 0, ROWS, 1, out);
    for (size_t r = 0; r < ROWS; r++) {
        bool mirror = pixel(out, r, 0, 0)[0] > 0;
        mirrored += mirror;
        for (size_t x = 0; x < SIDE; x++)
            assert_true(pixel(out, r, x, 5)[0] == (float)(mirror ? SIDE - 1 - x : x) && pixel(out, r, x, 5)[1] == 5);
    }
    assert_in_range(mirrored, 10, 30);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < PIXELS * CHANNELS; i++)
            in->inputs[r][i] = 1;
    grow("cutout 6", in, 0, ROWS, 1, out);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < PIXELS * CHANNELS; i++)
            covered += out->inputs[r][i] == 0;
    assert_in_range(covered / CHANNELS / ROWS, 24, 36);
    memset(in->inputs, 0, sizeof in->inputs);
    for (size_t r = 0; r < ROWS; r++)
        in->inputs[r][3] = (float)(r % 2);
    grow("mixup 0.4", in, 0, ROWS - 1, 1, out); /* the last has nobody to mix with */
    float most = 0;
    for (size_t r = 0; r < ROWS - 1; r++) {
        float part = r % 2 ? 1 - out->inputs[r][3] : out->inputs[r][3];
        assert_true(part >= 0 && part <= 0.4f);
        assert_true(fabsf(out->targets[r][r % 2] - (1 - part)) < 1e-6f && fabsf(out->targets[r][1 - r % 2] - part) < 1e-6f);
        most = part > most ? part : most;
    }
    assert_true(most > 0.35f && out->inputs[ROWS - 2][3] == 0);
    free(in);
    free(out);
}

/* A mixed row's cost is the mixture of its parts' costs, each as often as its row counts. */
static void mixtures_count_as_their_parts(void **state)
{
    (void)state;
    grown *in = places(), *out = calloc(1, sizeof *out);
    assert_non_null(out);
    memset(in->inputs, 0, sizeof in->inputs);
    for (size_t r = 0; r < ROWS; r++) {
        in->inputs[r][3] = (float)(r % 2);
        in->weights[r] = r % 2 ? 0.5f : 4;
    }
    grow("mixup 0.4", in, 0, ROWS, 1, out);
    for (size_t r = 0; r < ROWS; r++) {
        float ones = out->inputs[r][3], of_even = (1 - ones) * 4, of_odd = ones * 0.5f;
        assert_true(fabsf(out->weights[r] - (of_even + of_odd)) < 1e-5f);
        assert_true(fabsf(out->weights[r] * out->targets[r][0] - of_even) < 1e-5f);
        assert_true(fabsf(out->weights[r] * out->targets[r][1] - of_odd) < 1e-5f);
    }
    free(in);
    free(out);
}

/* ---- a function of seed, epoch and row ------------------------------------------------------------------------------------- */

static void a_row_grows_alike_wherever_it_is(void **state)
{
    (void)state;
    static const char all[] = "shift 2, rotate 10, scale 0.1, elastic 1, flip, cutout 4";
    grown *in = places(), *whole = calloc(1, sizeof *whole), *part = calloc(1, sizeof *part);
    assert_non_null(whole);
    assert_non_null(part);
    grow(all, in, 0, ROWS, 3, whole);
    for (uint64_t first = 0; first < ROWS; first += 7) {
        size_t count = ROWS - first < 7 ? (size_t)(ROWS - first) : 7;
        grow(all, in, first, count, 3, part);
        assert_memory_equal(part->inputs, whole->inputs[first], count * sizeof part->inputs[0]);
    }
    grow(all, in, 0, ROWS, 4, part);
    for (size_t r = 0; r < ROWS; r++)
        assert_memory_not_equal(part->inputs[r], whole->inputs[r], sizeof part->inputs[r]);
    assert_memory_not_equal(whole->inputs[0], whole->inputs[1], sizeof whole->inputs[0]);
    free(in);
    free(whole);
    free(part);
}

/* A run that grows: the same weights on any number of threads; others than without; what it is scored on doesn't grow. */
static void runs_grow(void **state)
{
    (void)state;
    float weights[3][PIXELS * CHANNELS * 4];
    hill_score scores[3];
    data *rows = make_data(ROWS, shape.inputs, shape.outputs, TARGET_NUMBERS, 3);
    for (unsigned i = 0; i < 3; i++) {
        hill_run *run;
        hill_host host = HILL_HOST_INIT;
        host.threads = i == 1 ? 3 : 1;
        host.crowd = 1;
        hill_plan *plan = growing(i == 2 ? "none" : "rotate 5, mixup 0.3", &shape);
        assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
        assert_true(plan->vector <= PIXELS * CHANNELS * 4);
        run->share_rows = 1;
        scores[i] = (hill_score)HILL_SCORE_INIT;
        assert_int_equal(hill_run_evaluate(run, NULL, &rows->source, &scores[i]), HILL_OK);
        while (hill_step(run, NULL) == HILL_ROW)
            continue;
        memcpy(weights[i], run->weights, plan->vector * sizeof(float));
        hill_run_free(run);
        hill_plan_free(plan);
    }
    assert_memory_equal(weights[0], weights[1], 3 * PIXELS * CHANNELS * sizeof(float));
    assert_memory_not_equal(weights[0], weights[2], 3 * PIXELS * CHANNELS * sizeof(float));
    assert_true(scores[0].cost == scores[2].cost);
    free_data(rows);
}

/* ---- texts ----------------------------------------------------------------------------------------------------------------- */

static void texts_are_read_and_refused(void **state)
{
    (void)state;
    hill__growth growth;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(hill__growth_parse("none", &growth, &error), HILL_OK);
    assert_false(growth.any);
    assert_int_equal(hill__growth_parse(" \t", &growth, &error), HILL_OK);
    assert_false(growth.any);
    assert_int_equal(hill__growth_parse(" shift 2.5 ,flip,\tmixup 0.25", &growth, &error), HILL_OK);
    assert_true(growth.any && growth.moves && growth.amounts[HILL__GROW_shift] == 2.5f);
    assert_true(growth.amounts[HILL__GROW_flip] == 1 && growth.amounts[HILL__GROW_mixup] == 0.25f);
    assert_int_equal(hill__growth_parse("mixup 0.25", &growth, &error), HILL_OK);
    assert_true(growth.any && !growth.moves);
    assert_int_equal(hill__growth_parse("shift 0", &growth, &error), HILL_OK);
    assert_false(growth.any);
    static const char *const cases[][2] = {
        {"shfit 2", "'shfit' is no way to grow; did you mean 'shift'?"},
        {"wobble", "'wobble' is no way to grow; shift 2 or rotate 10"},
        {"shift", "'shift' needs an amount from 0 to 1000, as in 'shift 2'"},
        {"shift -1", "'shift' needs an amount"},
        {"scale 1", "'scale' needs an amount from 0 to 0.9, as in 'scale 0.1'"},
        {"mixup 0.6", "'mixup' needs an amount from 0 to 0.5, as in 'mixup 0.1'"},
        {"shift 2222222222222222222222222222222222222222", "an item is 'WORD AMOUNT'"},
        {"flip 2", "'flip' takes no amount, so '2' doesn't belong there"},
        {"shift 2 3", "character 9: an item is 'WORD AMOUNT'"},
        {"shift 2,", "'' is no way to grow"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "an item is 'WORD AMOUNT'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(hill__growth_parse(cases[i][0], &growth, &error), HILL_ERECIPE);
        if (!strstr(error.text, cases[i][1]))
            fail_msg("'%s': '%s' has no '%s'", cases[i][0], error.text, cases[i][1]);
    }
}

static void only_pictures_are_moved(void **state)
{
    (void)state;
    hill_shape line = shape;
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe;
    hill_plan *plan;
    line.height = 0;
    assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
    assert_int_equal(hill_recipe_set(recipe, "grow", "rotate 3", &error), HILL_OK);
    assert_int_equal(hill_plan_new(recipe, &line, NULL, &plan, &error), HILL_ERECIPE);
    assert_non_null(strstr(error.text, "grow: only pictures can be moved"));
    hill_recipe_free(recipe);
    hill_plan_free(growing("mixup 0.1", &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_map_is_what_its_word_says),  cmocka_unit_test(pictures_are_bent),
        cmocka_unit_test(mirrors_covers_and_mixtures),      cmocka_unit_test(mixtures_count_as_their_parts),
        cmocka_unit_test(a_row_grows_alike_wherever_it_is), cmocka_unit_test(runs_grow),
        cmocka_unit_test(texts_are_read_and_refused),       cmocka_unit_test(only_pictures_are_moved),
    };
    return cmocka_run_group_tests_name("grow", tests, NULL, NULL);
}
