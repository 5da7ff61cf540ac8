/*
 * cmd_bench.c - how fast this machine trains, and what part of its multipliers' peak that is.
 *
 * Steps and peak are measured in short turns: a processor lowers its clock under the load of dense products, and only a peak
 * that is measured between the steps meets the clock that they had. Medians count.
 */
#include "bench_cases.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "stop.h"

#include <stdlib.h>
#include <string.h>

#define TURNS 201
#define TURN_SECONDS 0.003
#define WARM_SECONDS 0.3
#define PEAK_SECONDS 0.0003

typedef struct figures {
    double microseconds; /* a step */
    double gflops, peak;
    unsigned threads;
    const char *isa;
} figures;

typedef struct bench {
    const arguments *a;
    hill_machine machine;
    hill_table *tables[BENCH_DATA]; /* made when first needed */
    progress progress;
    text out;
    json json;
} bench;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Operations a nanosecond of a loop that does nothing but multiply and add. *rounds grows until that takes long enough. */
static double measure_peak(hill_run *run, uint64_t *rounds)
{
    for (;; *rounds *= 2) {
        double begin = progress_clock();
        double operations = hill_run_work(run, *rounds);
        double seconds = progress_clock() - begin;
        if (seconds >= PEAK_SECONDS / 2)
            return operations / seconds * 1e-9;
    }
}

/* Takes `steps` steps as `train` does; *seconds gets how long they took. */
static int take_steps(hill_run *run, uint64_t steps, double *seconds)
{
    hill_row row = HILL_ROW_INIT;
    double begin = progress_clock();
    for (uint64_t i = 0; i < steps; i++) {
        int status = hill_step(run, &row);
        if (status != HILL_ROW)
            return output_error(output_code(status), "bench: %s", hill_run_message(run));
    }
    *seconds = progress_clock() - begin;
    return 0;
}

static int measure_turns(hill_run *run, double step_operations, figures *out)
{
    double times[TURNS], peaks[TURNS], seconds = 0, warm = 0;
    uint64_t steps = 1, rounds = 1000;
    int code = 0;
    while (code == 0 && (warm < WARM_SECONDS || seconds < TURN_SECONDS / 2)) {
        code = take_steps(run, steps, &seconds);
        warm += seconds;
        if (seconds < TURN_SECONDS / 2)
            steps *= 2;
    }
    for (size_t turn = 0; turn < TURNS && code == 0; turn++) {
        if (stop_signal)
            return output_error(stop_signal == SIGINT ? CODE_INTERRUPT : CODE_TERMINATE, "bench: stopped");
        peaks[turn] = measure_peak(run, &rounds);
        code = take_steps(run, steps, &times[turn]);
        times[turn] /= (double)steps;
    }
    if (code)
        return code;
    double seconds_a_step = median(times, TURNS);
    out->microseconds = seconds_a_step * 1e6;
    out->gflops = step_operations / seconds_a_step * 1e-9;
    out->peak = median(peaks, TURNS);
    return 0;
}

static int measure_case(bench *b, const bench_case *c, const hill_host *host, figures *out)
{
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    hill_session *session = NULL;
    hill_model *model = NULL;
    hill_tables tables = HILL_TABLES_INIT;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    int code = b->tables[c->data] ? 0 : bench_open(c->data, host, &b->tables[c->data]);
    if (code)
        return code;
    tables.train = b->tables[c->data];
    int status = hill_recipe_new(host, &recipe, &error);
    if (status == HILL_OK)
        status = hill_recipe_parse(recipe, c->recipe, strlen(c->recipe), c->name, &error);
    if (status == HILL_OK)
        status = hill_session_new(recipe, &tables, host, &session, &error);
    if (status == HILL_OK)
        status = hill_session_finish(session, &model, &error); /* knows the plan */
    if (status == HILL_OK)
        status = hill_plan_info(hill_model_plan(model), &sizes);
    if (status == HILL_OK) {
        double batch = strtod(hill_recipe_get(recipe, "batch"), NULL);
        code = measure_turns(hill_session_run(session), sizes.row_operations * batch, out);
    } else {
        code = output_failure(status, &error);
    }
    hill_model_free(model);
    hill_session_free(session);
    hill_recipe_free(recipe);
    return code;
}

static void print_figures(bench *b, const bench_case *c, const figures *f)
{
    if (b->a->values[OPTION_JSON]) {
        json_open(&b->json, NULL, '{');
        json_string(&b->json, "case", c->name);
        json_double(&b->json, "us_per_step", f->microseconds);
        json_double(&b->json, "gflops", f->gflops);
        json_double(&b->json, "peak_gflops", f->peak);
        json_double(&b->json, "fraction", f->gflops / f->peak);
        json_count(&b->json, "threads", f->threads);
        json_string(&b->json, "isa", f->isa);
        json_close(&b->json, '}');
        return;
    }
    text_format(&b->out, "%-8s %7u  %11.3f  %8.1f  %8.1f  %8.3f\n", c->name, f->threads, f->microseconds, f->gflops, f->peak,
                f->gflops / f->peak);
}

/* One case at one thread, and at all. */
static int run_case(bench *b, const bench_case *c)
{
    figures f = {0};
    hill_host host = HILL_HOST_INIT;
    int code = options_host(b->a, &host);
    unsigned most = host.threads;
    for (host.threads = b->a->values[OPTION_THREADS] ? most : 1; code == 0; host.threads = most) {
        progress_wait(&b->progress, "measuring", c->name);
        code = measure_case(b, c, &host, &f);
        progress_clear(&b->progress);
        f.threads = host.threads;
        f.isa = host.isa && strcmp(host.isa, "best") != 0 ? host.isa : b->machine.isa;
        if (code == 0)
            print_figures(b, c, &f);
        if (code == 0 && !b->a->values[OPTION_JSON])
            code = output_answer(&b->out);
        if (host.threads == most)
            break;
    }
    return code;
}

static int run_cases(bench *b)
{
    size_t count = 0;
    const bench_case *all = bench_cases(&count);
    int code = 0;
    if (!b->a->values[OPTION_JSON])
        text_format(&b->out, "%-8s %7s  %11s  %8s  %8s  %8s\n", "case", "threads", "us a step", "GFLOP/s", "peak", "fraction");
    for (size_t i = 0; i < b->a->operand_count && code == 0; i++)
        code = run_case(b, bench_case_find(b->a->operands[i]));
    for (size_t i = 0; i < count && b->a->operand_count == 0 && code == 0; i++)
        code = run_case(b, &all[i]);
    return code;
}

static int refuse_unknown(const arguments *a)
{
    for (size_t i = 0; i < a->operand_count; i++) {
        if (bench_case_find(a->operands[i]))
            continue;
        text names = TEXT_INIT;
        size_t count = 0;
        const bench_case *all = bench_cases(&count);
        for (size_t c = 0; c < count; c++)
            text_format(&names, "%s%s", c ? ", " : "", all[c].name);
        int code = output_error(CODE_USAGE, "bench: there is no case '%s'; there are %s", a->operands[i], text_get(&names));
        text_free(&names);
        return code;
    }
    return 0;
}

int cmd_bench(const arguments *a)
{
    bench b = {.a = a, .machine = HILL_MACHINE_INIT, .out = TEXT_INIT};
    int code = refuse_unknown(a);
    int status = code == 0 ? hill_machine_info(&b.machine) : HILL_OK;
    if (status != HILL_OK)
        code = output_failure(status, NULL);
    if (code)
        return code;
    stop_listen();
    progress_init(&b.progress);
    b.json.out = &b.out;
    bool as_json = a->values[OPTION_JSON] != NULL;
    if (as_json)
        json_open(&b.json, NULL, '[');
    code = run_cases(&b);
    if (as_json && code == 0) {
        json_close(&b.json, ']');
        text_string(&b.out, "\n");
        code = output_answer(&b.out);
    }
    for (size_t i = 0; i < BENCH_DATA; i++)
        hill_table_free(b.tables[i]);
    progress_free(&b.progress);
    text_free(&b.out);
    return code;
}
