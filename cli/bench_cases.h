/*
 * bench_cases.h - the nets that `bench` trains, and the data it trains them on.
 */
#ifndef CLI_BENCH_CASES_H
#define CLI_BENCH_CASES_H

#include <downhill.h>

typedef enum bench_data { BENCH_XOR, BENCH_IMAGES, BENCH_NUMBERS, BENCH_DATA } bench_data;

typedef struct bench_case {
    const char *name;
    bench_data data;
    const char *recipe;
} bench_case;

/* The cases in their order; *count gets how many. */
const bench_case *bench_cases(size_t *count);
const bench_case *bench_case_find(const char *name);

/* Makes the data, the same every time, and opens it as `train` would. Returns 0 or an exit code after saying what is wrong. */
int bench_open(bench_data data, const hill_host *host, hill_table **out);

#endif
