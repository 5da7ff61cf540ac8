/*
 * cmd_check.c - proves the gradient on a model's net and data, and names the worst weight.
 */
#include "input.h"
#include "json.h"
#include "options.h"
#include "output.h"

static void print_check(text *out, const hill_check *check, bool good)
{
    text_string(out, "weights   ");
    text_count(out, check->weights);
    text_string(out, " compared over ");
    text_count(out, check->rows);
    text_string(out, check->rows == 1 ? " row, " : " rows, ");
    text_count(out, check->kinks);
    text_string(out, " left out at a kink\nworst     relative error ");
    text_number(out, check->worst, 3);
    if (check->worst_weight[0]) {
        text_format(out, " at %s\n          engine ", check->worst_weight);
        text_number(out, check->worst_engine, 9);
        text_string(out, ", formulas ");
        text_number(out, check->worst_formula, 9);
    }
    if (good) {
        text_string(out, "\nverdict   the gradient is right: every error is under ");
        text_number(out, check->limit, 3);
        text_string(out, "\n");
    } else {
        text_string(out, "\nverdict   NOT PROVED\n");
    }
}

static void print_check_json(text *out, const hill_check *check)
{
    json j = {out, false};
    json_open(&j, NULL, '{');
    json_double(&j, "worst_relative_error", check->worst);
    json_string(&j, "worst_weight", check->worst_weight);
    json_count(&j, "weights_checked", check->weights);
    json_close(&j, '}');
    text_string(out, "\n");
}

static int check_model(const arguments *a, hill_model *model, const hill_host *host)
{
    hill_error error = HILL_ERROR_INIT;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_table *table = NULL;
    hill_check check = HILL_CHECK_INIT;
    text out = TEXT_INIT;
    int code = input_options(a, hill_model_recipe(model), &options);
    options.like = model;
    if (code == 0)
        code = input_open(a->operands[1], &options, host, &table);
    if (code)
        return code;
    int status = hill_model_check(model, table, &check, &error);
    if (status == HILL_OK || status == HILL_ECHECK) {
        if (a->values[OPTION_JSON])
            print_check_json(&out, &check);
        else
            print_check(&out, &check, status == HILL_OK);
        code = output_answer(&out);
    }
    if (status != HILL_OK)
        code = output_failure(status, &error);
    text_free(&out);
    hill_table_free(table);
    return code;
}

int cmd_check(const arguments *a)
{
    hill_error error = HILL_ERROR_INIT;
    hill_host host = HILL_HOST_INIT;
    hill_model *model = NULL;
    int code = options_host(a, &host);
    if (code)
        return code;
    int status = hill_model_open(a->operands[0], &host, &model, &error);
    code = status == HILL_OK ? check_model(a, model, &host) : output_failure(status, &error);
    hill_model_free(model);
    return code;
}
