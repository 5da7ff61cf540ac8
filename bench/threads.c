/*
 * threads.c - does a second thread ever make a step slower? Sweeps widths and batches, powers of two and one more or less, and
 * compares the step on all threads with the step on one, run in turns: medians and their ratio.
 *
 *     cc -O2 -Iinclude bench/threads.c build/libdownhill.a -lm -lz -pthread -o build/threads
 *
 *     build/threads [THREADS] [WIDEST]
 *
 * Prints a line for every net that is slower by more than 5%, and ends with the worst ratio and the median one.
 */
#define _POSIX_C_SOURCE 200809L

#include <downhill.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TURNS 15
#define TURN_SECONDS 0.0015
#define LIMIT 1.05
#define ROWS 2048

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static double time_steps(hill_run *run, unsigned steps)
{
    double begin = now();
    for (unsigned i = 0; i < steps; i++)
        if (hill_step(run, NULL) != HILL_ROW)
            return -1;
    return (now() - begin) / steps;
}

/* Median step on `threads` over median step on one; negative where something failed. */
static double compare(size_t width, unsigned batch, unsigned threads, const hill_source *source)
{
    char text[200];
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    hill_run *runs[2] = {NULL, NULL};
    hill_shape shape = HILL_SHAPE_INIT;
    double times[2][TURNS], ratio = -1;
    shape.inputs = shape.outputs = width;
    int length = snprintf(text, sizeof text, "net=%zu relu\ncost=squared\nrule=adam\nrate=1e-6\nbatch=%u\nepochs=100000000",
                          width, batch);
    int good = hill_recipe_new(NULL, &recipe, &error) == HILL_OK &&
               hill_recipe_parse(recipe, text, (size_t)length, NULL, &error) == HILL_OK &&
               hill_plan_new(recipe, &shape, NULL, &plan, &error) == HILL_OK;
    for (int i = 0; i < 2 && good; i++) {
        hill_host host = HILL_HOST_INIT;
        host.threads = i ? threads : 1;
        good = hill_run_new(plan, source, NULL, &host, &runs[i]) == HILL_OK;
    }
    if (good) {
        double once = time_steps(runs[0], 3);
        unsigned steps = once < TURN_SECONDS ? (unsigned)(TURN_SECONDS / (once > 1e-8 ? once : 1e-8)) + 1 : 1;
        (void)time_steps(runs[1], 3);
        for (int turn = 0; turn < TURNS; turn++)
            for (int i = 0; i < 2; i++)
                times[i][turn] = time_steps(runs[i], steps);
        ratio = median(times[1], TURNS) / median(times[0], TURNS);
    }
    hill_run_free(runs[0]);
    hill_run_free(runs[1]);
    hill_plan_free(plan);
    hill_recipe_free(recipe);
    return ratio;
}

int main(int argc, char **argv)
{
    hill_machine machine = HILL_MACHINE_INIT;
    (void)hill_machine_info(&machine);
    unsigned threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : machine.cores;
    size_t most = argc > 2 ? strtoul(argv[2], NULL, 10) : 1024, count = 0, slower = 0;
    static double ratios[4096];
    float *floats = calloc(ROWS * (most + 1), sizeof *floats);
    if (!floats)
        return 1;
    for (size_t i = 0; i < ROWS * (most + 1); i++)
        floats[i] = (float)(i * 2654435761u % 1000) * 1e-3f;
    for (size_t power = 1; power <= most; power *= 2)
        for (size_t width = power > 2 ? power - 1 : power; width <= power + 1 && width <= most + 1; width++)
            for (unsigned base = 1; base <= 1024; base *= 4)
                for (unsigned batch = base > 1 ? base - 1 : base; batch <= base + 1; batch++) {
                    hill_arrays arrays = {sizeof arrays, floats, floats, ROWS, width, width, NULL};
                    hill_source source = hill_array_source(&arrays);
                    double ratio = compare(width, batch, threads, &source);
                    if (ratio < 0)
                        return 1;
                    ratios[count++] = ratio;
                    if (ratio > LIMIT && ++slower)
                        printf("width %4zu batch %4u: %.3f\n", width, batch, ratio);
                }
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        worst = ratios[i] > worst ? ratios[i] : worst;
    printf("%zu nets, %u threads over 1: worst %.3f, median %.3f, %zu over %.2f\n", count, threads, worst,
           median(ratios, count), slower, LIMIT);
    free(floats);
    return 0;
}
