/*
 * cmd_predict.c - answers rows with a model: CSV, one line a row, in the order of the rows.
 *
 * A line depends on nothing but its row, so that answers to a part of a file are a part of the answers to the file.
 */
#include "input.h"
#include "options.h"
#include "output.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_CELLS 65536 /* answers held at a time */

typedef struct answering {
    hill_model *model;
    hill_table *table;
    hill_model_facts facts;
    size_t width; /* outputs a row */
    output_file file;
    bool to_file;
    text out;
} answering;

/* The net computes in float: more digits than a float's would be invented. */
static void add_answer(text *out, double value)
{
    if (fabs(value) <= (double)FLT_MAX)
        text_float(out, (float)value);
    else
        text_double(out, value);
}

static void add_header(answering *p)
{
    text_string(&p->out, "prediction");
    for (size_t i = 0; i < p->facts.classes; i++) {
        text name = TEXT_INIT;
        text_format(&name, "p(%s)", hill_model_class(p->model, i));
        text_string(&p->out, ",");
        text_cell(&p->out, text_get(&name));
        text_end(&p->out, &name);
    }
    text_string(&p->out, "\n");
}

static void add_row(answering *p, const double *answers)
{
    if (p->facts.task == HILL_TASK_NUMBERS) {
        add_answer(&p->out, answers[0]);
    } else {
        text_cell(&p->out, hill_model_class(p->model, hill_argmax(answers, p->width)));
        for (size_t i = 0; i < p->width; i++) {
            text_string(&p->out, ",");
            add_answer(&p->out, answers[i]);
        }
    }
    text_string(&p->out, "\n");
}

static int flush_answers(answering *p)
{
    return p->to_file ? output_append(&p->file, &p->out) : output_answer(&p->out);
}

static int answer_all(answering *p)
{
    uint64_t rows = hill_table_rows(p->table);
    size_t block = p->width < BLOCK_CELLS ? BLOCK_CELLS / p->width : 1;
    double *answers = calloc(block, p->width * sizeof *answers);
    int code = answers ? 0 : output_failure(HILL_EMEMORY, NULL);
    add_header(p);
    for (uint64_t first = 0; first < rows && code == 0; first += block) {
        hill_error error = HILL_ERROR_INIT;
        size_t count = rows - first < block ? (size_t)(rows - first) : block;
        int status = hill_model_predict(p->model, p->table, first, count, answers, &error);
        if (status != HILL_OK) {
            code = output_failure(status, &error);
            break;
        }
        for (size_t i = 0; i < count; i++)
            add_row(p, answers + i * p->width);
        code = flush_answers(p);
    }
    if (code == 0)
        code = flush_answers(p);
    free(answers);
    return code;
}

int cmd_predict(const arguments *a)
{
    answering p = {.facts = HILL_MODEL_FACTS_INIT};
    const char *path = a->values[OPTION_OUT];
    p.to_file = path && strcmp(path, "-") != 0;
    if (p.to_file && (output_same_file(path, a->operands[0]) || output_same_file(path, a->operands[1])))
        return output_error(CODE_USAGE, "--out %s: is an input, too; take another name", path);
    int code = input_open_both(a, &p.model, &p.facts, &p.table);
    p.width = p.facts.task == HILL_TASK_CLASSES ? p.facts.classes : 1;
    if (code == 0 && p.to_file)
        code = output_create(path, &p.file);
    if (code == 0) {
        code = answer_all(&p);
        if (p.to_file && code == 0)
            code = output_close(&p.file);
        else if (p.to_file)
            output_drop(&p.file);
    }
    text_free(&p.out);
    hill_table_free(p.table);
    hill_model_free(p.model);
    return code;
}
