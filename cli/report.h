/*
 * report.h - what is said about models and metrics, in words and in JSON, the same in every verb.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "json.h"
#include "text.h"

#include <downhill.h>

/* Cells of the left column of everything said. */
#define REPORT_COLUMN 10

/* A line "label     words", wrapped to the terminal behind `descriptor`; one line elsewhere. */
void report_line(text *out, int descriptor, const char *label, const char *words);

/* "cost 0.012, accuracy 97.4% of 1,000 rows". */
void report_metrics(text *out, const hill_metrics *metrics, hill_task task);

/* The members that fit the task: cost, and accuracy, or rmse, mae, r2. */
void report_metrics_json(json *j, const hill_metrics *metrics, hill_task task);

/* The layers' widths: "2-32-32-2". */
void report_widths(text *out, const hill_model *model);

/* The knobs that are set, one key=value a line, as a recipe file has them. */
void report_recipe(text *out, const hill_recipe *recipe);

/* "12 rows", "1 row": a count and its noun. */
void report_count(text *out, uint64_t count, const char *noun);

#endif
