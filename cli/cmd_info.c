/*
 * cmd_info.c - describes a data file, a model, or this build and machine.
 */
#include "input.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "report.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define NAME_MOST 28

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

static int answer(text *out)
{
    int code = output_answer(out);
    text_free(out);
    return code;
}

static int info_machine(bool as_json)
{
    hill_machine machine = HILL_MACHINE_INIT;
    text out = TEXT_INIT;
    int status = hill_machine_info(&machine);
    if (status != HILL_OK)
        return output_failure(status, NULL);
    if (as_json) {
        json j = {&out, false};
        json_open(&j, NULL, '{');
        json_string(&j, "version", hill_version());
        json_count(&j, "arith", HILL_ARITH);
        json_string(&j, "compiler", COMPILER);
        json_string(&j, "cpu", machine.cpu);
        json_count(&j, "cores", machine.cores);
        json_string(&j, "isa", machine.isa);
        json_open(&j, "isas", '[');
        for (size_t i = 0; i < machine.isa_count; i++)
            json_string(&j, NULL, machine.isas[i]);
        json_close(&j, ']');
        json_close(&j, '}');
        text_string(&out, "\n");
        return answer(&out);
    }
    text_format(&out, "downhill  %s, arithmetic %d, built by %s\n", hill_version(), HILL_ARITH, COMPILER);
    text_string(&out, "cpu       ");
    text_safe(&out, machine.cpu[0] ? machine.cpu : "unknown", false);
    text_format(&out, ", %u core%s\nkernels   %s", machine.cores, machine.cores == 1 ? "" : "s", machine.isa);
    text_string(&out, " (--isa can force: ");
    for (size_t i = 0; i < machine.isa_count; i++)
        text_format(&out, "%s%s", i ? ", " : "", machine.isas[i]);
    text_string(&out, ")\n");
    return answer(&out);
}

static const char *kind_name(hill_column_kind kind)
{
    return kind == HILL_COLUMN_NUMBER ? "number" : kind == HILL_COLUMN_CATEGORY ? "category" : "image";
}

static void column_range(text *out, const hill_table *table, size_t i, const hill_column *column)
{
    if (column->kind == HILL_COLUMN_IMAGE) {
        text_format(out, "%u x %u x %u bytes", column->image_height, column->image_width, column->image_channels);
    } else if (column->kind == HILL_COLUMN_NUMBER) {
        if (isnan(column->low))
            return;
        text_number(out, column->low, 6);
        text_string(out, " .. ");
        text_number(out, column->high, 6);
        text_string(out, ", mean ");
        text_number(out, column->mean, 6);
    } else {
        const char *value = NULL;
        for (size_t v = 0; v < 3 && (value = hill_table_category(table, i, v)) != NULL; v++) {
            text_string(out, v ? ", " : "");
            text_cells(out, value, text_width(value) < 16 ? text_width(value) : 16, false);
        }
        if (column->distinct > 3)
            text_string(out, ", ...");
    }
}

static void table_json(text *out, const char *path, const hill_table *table)
{
    json j = {out, false};
    const char *note = NULL;
    json_open(&j, NULL, '{');
    json_string(&j, "file", path);
    json_string(&j, "format", hill_table_format(table));
    json_string(&j, "guesses", hill_table_guesses(table));
    json_count(&j, "rows", hill_table_rows(table));
    json_open(&j, "columns", '[');
    for (size_t i = 0; i < hill_table_columns(table); i++) {
        hill_column column = HILL_COLUMN_INIT;
        if (hill_table_column(table, i, &column) != HILL_OK)
            break;
        json_open(&j, NULL, '{');
        json_string(&j, "name", column.name);
        json_string(&j, "type", kind_name(column.kind));
        json_count(&j, "missing", column.missing);
        json_count(&j, "distinct", column.distinct);
        json_double(&j, "low", column.low);
        json_double(&j, "high", column.high);
        json_double(&j, "mean", column.mean);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_open(&j, "notes", '[');
    for (size_t i = 0; (note = hill_table_note(table, i)) != NULL; i++)
        json_string(&j, NULL, note);
    json_close(&j, ']');
    json_close(&j, '}');
    text_string(out, "\n");
}

static void table_columns(text *out, const hill_table *table)
{
    size_t names = 4;
    size_t count = hill_table_columns(table);
    for (size_t i = 0; i < count; i++) {
        hill_column column = HILL_COLUMN_INIT;
        if (hill_table_column(table, i, &column) == HILL_OK && text_width(column.name) > names)
            names = text_width(column.name);
    }
    names = names < NAME_MOST ? names : NAME_MOST;
    text_string(out, "\n    #  ");
    text_cells(out, "name", names, false);
    text_string(out, "  type       missing   distinct  values\n");
    for (size_t i = 0; i < count; i++) {
        hill_column column = HILL_COLUMN_INIT;
        text cell = TEXT_INIT;
        if (hill_table_column(table, i, &column) != HILL_OK)
            continue;
        text_format(out, "%5zu  ", i + 1);
        text_cells(out, column.name, names, false);
        text_format(out, "  %-8s", kind_name(column.kind));
        text_count(&cell, column.missing);
        text_format(out, "  %8s", text_get(&cell));
        text_clear(&cell);
        text_count(&cell, column.distinct);
        text_format(out, "  %9s  ", column.kind == HILL_COLUMN_IMAGE ? "-" : text_get(&cell));
        column_range(out, table, i, &column);
        text_string(out, "\n");
        text_end(out, &cell);
    }
}

static int info_table(const arguments *a, const char *path)
{
    hill_host host = HILL_HOST_INIT;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_table *table = NULL;
    text out = TEXT_INIT;
    int code = options_host(a, &host);
    if (code == 0)
        code = input_options(a, NULL, &options);
    if (code == 0)
        code = input_open(path, &options, &host, &table);
    if (code)
        return code;
    if (a->values[OPTION_JSON]) {
        table_json(&out, path, table);
    } else {
        const char *note = NULL;
        text words = TEXT_INIT;
        report_line(&out, STDOUT_FILENO, "file", path);
        report_line(&out, STDOUT_FILENO, "format", hill_table_format(table));
        if (*hill_table_guesses(table))
            report_line(&out, STDOUT_FILENO, "guessed", hill_table_guesses(table));
        for (size_t i = 0; (note = hill_table_note(table, i)) != NULL; i++)
            report_line(&out, STDOUT_FILENO, "note", note);
        text_count(&words, hill_table_rows(table));
        report_line(&out, STDOUT_FILENO, "rows", text_get(&words));
        text_end(&out, &words);
        table_columns(&out, table);
    }
    hill_table_free(table);
    return answer(&out);
}

static void model_json(text *out, const char *path, hill_model *model, const hill_model_facts *facts)
{
    json j = {out, false};
    text widths = TEXT_INIT;
    const char *line = NULL;
    const hill_recipe *recipe = hill_model_recipe(model);
    report_widths(&widths, model);
    json_open(&j, NULL, '{');
    json_string(&j, "model", path);
    json_string(&j, "task", facts->task == HILL_TASK_CLASSES ? "classes" : "numbers");
    json_string(&j, "target", facts->target);
    json_string(&j, "net", text_get(&widths));
    json_count(&j, "inputs", facts->inputs);
    json_count(&j, "outputs", facts->outputs);
    json_count(&j, "parameters", facts->parameters);
    json_count(&j, "rows", facts->rows);
    json_count(&j, "epochs", facts->epochs);
    json_count(&j, "steps", facts->steps);
    json_count(&j, "best_epoch", facts->best_epoch);
    json_open(&j, "classes", '[');
    for (size_t i = 0; (line = hill_model_class(model, i)) != NULL; i++)
        json_string(&j, NULL, line);
    json_close(&j, ']');
    json_open(&j, "columns", '[');
    for (size_t i = 0; (line = hill_model_column(model, i)) != NULL; i++)
        json_string(&j, NULL, line);
    json_close(&j, ']');
    json_open(&j, "recipe", '{');
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        if (hill_recipe_is_set(recipe, knobs[i].name))
            json_string(&j, knobs[i].name, hill_recipe_get(recipe, knobs[i].name));
    json_close(&j, '}');
    json_close(&j, '}');
    text_string(out, "\n");
    text_end(out, &widths);
}

static void model_text(text *out, const char *path, hill_model *model, const hill_model_facts *facts)
{
    text words = TEXT_INIT;
    const char *line = NULL;
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    report_line(out, STDOUT_FILENO, "model", path);
    text_format(&words, "%s, %s", facts->target ? facts->target : "(none)",
                facts->task == HILL_TASK_CLASSES ? "classes:" : "a number");
    for (size_t i = 0; i < 20 && (line = hill_model_class(model, i)) != NULL; i++)
        text_format(&words, "%s %s", i ? "," : "", line);
    if (facts->classes > 20)
        text_format(&words, ", ... (%zu)", facts->classes);
    report_line(out, STDOUT_FILENO, "target", text_get(&words));
    text_clear(&words);
    report_widths(&words, model);
    text_string(&words, ", ");
    report_count(&words, facts->parameters, "parameter");
    report_line(out, STDOUT_FILENO, "net", text_get(&words));
    text_clear(&words);
    report_count(&words, facts->rows, "row");
    text_string(&words, ", ");
    report_count(&words, facts->epochs, "pass");
    text_string(&words, ", ");
    report_count(&words, facts->steps, "step");
    text_string(&words, "; weights of pass ");
    text_count(&words, facts->best_epoch);
    report_line(out, STDOUT_FILENO, "training", text_get(&words));
    text_string(out, "\nRecipe\n");
    for (size_t i = 0; i < count; i++)
        if (hill_recipe_is_set(hill_model_recipe(model), knobs[i].name)) {
            text_format(out, "  %s=", knobs[i].name);
            text_safe(out, hill_recipe_get(hill_model_recipe(model), knobs[i].name), false);
            text_string(out, "\n");
        }
    text_string(out, "\nColumns\n");
    for (size_t i = 0; (line = hill_model_column(model, i)) != NULL; i++) {
        text_string(out, "  ");
        text_safe(out, line, false);
        text_string(out, "\n");
    }
    text_end(out, &words);
}

static int info_model(const arguments *a, const char *path)
{
    hill_error error = HILL_ERROR_INIT;
    hill_host host = HILL_HOST_INIT;
    hill_model *model = NULL;
    hill_model_facts facts = HILL_MODEL_FACTS_INIT;
    text out = TEXT_INIT;
    int code = options_host(a, &host);
    if (code)
        return code;
    int status = hill_model_open(path, &host, &model, &error);
    if (status == HILL_OK)
        status = hill_model_info(model, &facts);
    if (status != HILL_OK) {
        hill_model_free(model);
        return output_failure(status, &error);
    }
    if (a->values[OPTION_JSON])
        model_json(&out, path, model, &facts);
    else
        model_text(&out, path, model, &facts);
    hill_model_free(model);
    return answer(&out);
}

int cmd_info(const arguments *a)
{
    if (a->operand_count == 0)
        return info_machine(a->values[OPTION_JSON] != NULL);
    bool model = false;
    int code = input_is_model(a->operands[0], &model);
    if (code)
        return code;
    return model ? info_model(a, a->operands[0]) : info_table(a, a->operands[0]);
}
