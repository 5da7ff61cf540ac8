/*
 * race_table.c - who was how good and how fast: a table that fits 80 columns, or JSON.
 *
 * The target is looked at when a pass ends: the first such cost that is as low counts. Where none was given it is the cost that half
 * of the rules reach, so that a rule that got nowhere doesn't set it, nor one that went far beyond the others.
 */
#include "race.h"

#include "json.h"
#include "output.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 80
#define COLUMNS 59 /* cells of a line behind the racer's name, without "right" */
#define RIGHT 8    /* cells of "right" */

/* What racers are ranked by: the cost of the model on validation rows, or on the training rows where there are no others. */
static double rank_of(const racer *r)
{
    double cost = r->valid.rows ? r->valid.cost : r->train.cost;
    return r->diverged || isnan(cost) ? INFINITY : cost;
}

static int by_rank(const void *a, const void *b)
{
    double x = rank_of(a), y = rank_of(b);
    if (x != y)
        return x < y ? -1 : 1;
    return strcmp(text_get(&((const racer *)a)->name), text_get(&((const racer *)b)->name));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double least_cost(const racer *r)
{
    double least = INFINITY;
    for (size_t i = 0; i < r->point_count && !r->diverged; i++)
        least = r->points[i].cost < least ? r->points[i].cost : least;
    return least;
}

/* A number of three digits that is no less: it is shown, and given back by --to. */
static double round_up(double value)
{
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%.3g", value);
    double rounded = strtod(digits, NULL);
    if (rounded >= value || value == 0)
        return rounded;
    (void)snprintf(digits, sizeof digits, "%.3g", rounded + pow(10, floor(log10(fabs(value))) - 2));
    return strtod(digits, NULL);
}

/* The cost that half of the racers reach; of those that diverged none does. NaN where fewer do. */
static int choose_target(race *g)
{
    double *least = malloc(g->count * sizeof *least);
    if (!least)
        return output_failure(HILL_EMEMORY, NULL);
    for (size_t i = 0; i < g->count; i++)
        least[i] = least_cost(&g->racers[i]);
    qsort(least, g->count, sizeof *least, ascending);
    double middle = least[(g->count - 1) / 2];
    g->target = isfinite(middle) ? round_up(middle) : NAN;
    free(least);
    return 0;
}

static void find_reached(const race *g, racer *r)
{
    r->reached = NULL;
    for (size_t i = 0; i < r->point_count && !r->reached; i++)
        if (r->points[i].cost <= g->target)
            r->reached = &r->points[i];
}

static size_t name_width(const race *g)
{
    size_t width = strlen("rule");
    for (size_t i = 0; i < g->count; i++)
        width = strlen(g->racers[i].rule) > width ? strlen(g->racers[i].rule) : width;
    return width < WIDTH - COLUMNS ? width : WIDTH - COLUMNS;
}

static void add_cost(text *out, double cost, bool there)
{
    char words[24] = "-";
    if (there)
        (void)snprintf(words, sizeof words, "%.3g", cost);
    text_format(out, "  %8s", words);
}

static void add_time(text *out, double seconds)
{
    text words = TEXT_INIT;
    if (seconds < 1000)
        text_format(&words, seconds < 0.1 ? "%.4f" : seconds < 10 ? "%.2f" : "%.0f", seconds);
    else
        text_count(&words, (uint64_t)seconds);
    text_format(out, "  %7s", text_get(&words));
    text_end(out, &words);
}

static void add_steps(text *out, uint64_t steps)
{
    text words = TEXT_INIT;
    text_count(&words, steps);
    text_format(out, "  %9s", text_get(&words));
    text_end(out, &words);
}

static void add_racer(const race *g, text *out, const racer *r, bool right)
{
    char rate[24];
    (void)snprintf(rate, sizeof rate, "%.4g%s", r->taken, r->ways_back ? "*" : "");
    text_cells(out, r->rule, name_width(g), false);
    text_format(out, "  %8s", rate);
    if (r->diverged) {
        text_string(out, "  diverged after step ");
        text_count(out, r->steps);
        text_string(out, "\n");
        return;
    }
    add_cost(out, r->train.cost, true);
    add_cost(out, r->valid.cost, r->valid.rows > 0);
    if (right) {
        text words = TEXT_INIT;
        text_percent(&words, r->valid.rows ? r->valid.accuracy : r->train.accuracy);
        text_format(out, "  %6s", text_get(&words));
        text_end(out, &words);
    }
    if (r->reached) {
        add_steps(out, r->reached->steps);
        add_time(out, r->reached->seconds);
    } else {
        text_format(out, "  %9s  %7s", "-", "-");
    }
    add_time(out, r->seconds);
    text_string(out, "\n");
}

static void add_head(const race *g, text *out, bool right)
{
    text target = TEXT_INIT;
    if (isnan(g->target))
        text_string(&target, "to a target");
    else
        text_format(&target, "to %s %.3g", g->by_valid ? "valid" : "train", g->target);
    text_repeat(out, " ", name_width(g) + 10);
    text_format(out, "%20s%s%20s%9s\n", "cost reached", right ? "        " : "", text_get(&target), "all");
    text_cells(out, "rule", name_width(g), false);
    text_format(out, "  %8s  %8s  %8s%s  %9s  %7s  %7s\n", "rate", "train", "valid", right ? "   right" : "", "steps",
                "seconds", "seconds");
    text_end(out, &target);
}

static void add_foot(const race *g, text *out)
{
    text words = TEXT_INIT;
    const char *rows = g->by_valid ? "validation" : "training";
    bool back = false;
    for (size_t i = 0; i < g->count; i++)
        back = back || (g->racers[i].ways_back && !g->racers[i].diverged);
    if (back)
        text_wrap(out, "* went back to its last good weights once or more, with half the rate each time", 0, 0, WIDTH);
    if (isnan(g->target))
        text_format(&words, "No cost on the %s rows is one that half of the rules reach; --to COST names another.", rows);
    else
        text_format(&words, "Steps and seconds to %.3g: until a pass first ended with that cost or less on the %s rows%s",
                    g->target, rows, g->told ? "." : "; half of the rules reach it, and --to names another.");
    text_wrap(out, text_get(&words), 0, 0, WIDTH);
    text_end(out, &words);
}

static int answer_table(const race *g)
{
    text out = TEXT_INIT;
    bool right = name_width(g) + COLUMNS + RIGHT <= WIDTH;
    for (size_t i = 0; i < g->count; i++)
        right = right && (g->racers[i].diverged || !isnan(g->racers[i].train.accuracy));
    add_head(g, &out, right);
    for (size_t i = 0; i < g->count; i++)
        add_racer(g, &out, &g->racers[i], right);
    add_foot(g, &out);
    int code = output_answer(&out);
    text_free(&out);
    return code;
}

static void json_metrics(json *j, const char *key, const hill_metrics *metrics, bool diverged)
{
    if (diverged || metrics->rows == 0) {
        json_null(j, key);
        return;
    }
    json_open(j, key, '{');
    report_metrics_json(j, metrics, isnan(metrics->accuracy) ? HILL_TASK_NUMBERS : HILL_TASK_CLASSES);
    json_close(j, '}');
}

static void json_racer(const race *g, json *j, const racer *r)
{
    text path = TEXT_INIT;
    json_open(j, NULL, '{');
    json_string(j, "rule", r->rule);
    json_double(j, "rate", r->taken);
    json_metrics(j, "train", &r->train, r->diverged);
    json_metrics(j, "valid", &r->valid, r->diverged);
    json_string(j, "stopped", r->diverged ? "diverged" : r->patience ? "patience" : "epochs");
    json_count(j, "steps", r->steps);
    json_count(j, "epochs", r->epochs);
    json_count(j, "best_epoch", r->best_epoch);
    json_count(j, "ways_back", r->ways_back);
    json_double(j, "seconds", r->seconds);
    if (r->reached) {
        json_count(j, "steps_to", r->reached->steps);
        json_double(j, "seconds_to", r->reached->seconds);
    } else {
        json_null(j, "steps_to");
        json_null(j, "seconds_to");
    }
    (void)race_path(g, r, ".jsonl", &path);
    json_string(j, "log", text_get(&path));
    (void)race_path(g, r, ".safetensors", &path);
    json_string(j, "model", r->diverged ? NULL : text_get(&path));
    json_close(j, '}');
    text_end(j->out, &path);
}

static int answer_json(const race *g)
{
    text out = TEXT_INIT;
    json j = {&out, false};
    json_open(&j, NULL, '{');
    json_double(&j, "to", g->target);
    json_string(&j, "on", g->by_valid ? "valid" : "train");
    json_open(&j, "racers", '[');
    for (size_t i = 0; i < g->count; i++)
        json_racer(g, &j, &g->racers[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    text_string(&out, "\n");
    int code = output_answer(&out);
    text_free(&out);
    return code;
}

int race_answer(race *g)
{
    int code = g->told ? 0 : choose_target(g);
    if (code)
        return code;
    for (size_t i = 0; i < g->count; i++)
        find_reached(g, &g->racers[i]);
    qsort(g->racers, g->count, sizeof *g->racers, by_rank);
    return g->base.a->values[OPTION_JSON] ? answer_json(g) : answer_table(g);
}
