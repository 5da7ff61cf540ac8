/*
 * cmd_find_rate.c - suggests a rate for `train`: the rate range test, its curve on the screen, as a picture and as a log.
 *
 * Invariant: nothing is left but the files that were asked for, each whole or not there.
 */
#include "input.h"
#include "json.h"
#include "output.h"
#include "range.h"
#include "report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SVG_HEAD "<svg "

/* Pictures and logs of earlier tests may be written over, and nothing else. */
static int check_outputs(training *t)
{
    const char *log = t->a->values[OPTION_LOG], *svg = t->a->values[OPTION_SVG];
    char head[sizeof SVG_HEAD - 1];
    size_t length = 0;
    if (log && svg && output_same_file(log, svg))
        return output_error(CODE_USAGE, "--svg %s: is where the log goes; take another name", svg);
    int code = log ? trace_check(log) : 0;
    if (code || !svg)
        return code;
    int problem = output_probe(svg);
    if (problem == 0)
        return 0;
    if (input_is_folder(svg) || problem != EEXIST)
        return output_error(output_problem(problem, CODE_CREATE), "--svg %s: cannot be created: %s", svg,
                            input_is_folder(svg) ? "it is a folder" : strerror(problem));
    if (!input_is_plain(svg))
        return 0;
    code = input_head(svg, CODE_CREATE, head, sizeof head, &length);
    if (code || length == 0 || (length == sizeof head && memcmp(head, SVG_HEAD, length) == 0))
        return code;
    return output_error(CODE_CREATE, "--svg %s: exists and is no picture of Downhill; it is left alone: take another name",
                        svg);
}

static int write_file(const char *path, text *content)
{
    output_file file;
    int code = output_create(path, &file);
    if (code)
        return code;
    code = output_append(&file, content);
    if (code) {
        output_drop(&file);
        return code;
    }
    return output_close(&file);
}

static void add_places(json *j, const range *r)
{
    if (r->suggestion > 0)
        json_double(j, "rate", r->suggestion);
    else
        json_null(j, "rate");
    json_string(j, "why", text_get(&r->why));
    json_double(j, "start_cost", r->start);
    if (r->count == 0) {
        json_null(j, "lowest_cost");
        json_null(j, "lowest_rate");
        json_null(j, "steepest_rate");
    } else {
        json_double(j, "lowest_cost", r->points[r->lowest].smooth);
        json_double(j, "lowest_rate", r->points[r->lowest].rate);
        json_double(j, "steepest_rate", r->points[r->steepest].rate);
    }
    if (r->lost < r->count)
        json_double(j, "lost_at", r->points[r->lost].rate);
    else
        json_null(j, "lost_at");
    json_count(j, "steps", r->count);
}

static int write_log(const training *t, const range *r)
{
    text out = TEXT_INIT, recipe = TEXT_INIT;
    trace_files files = train_files(t);
    report_recipe(&recipe, hill_session_recipe(t->session));
    trace_first_line(&out, text_get(&recipe), &files, &t->facts);
    text_string(&out, "\n");
    for (size_t i = 0; i < r->count; i++) {
        json j = {&out, false};
        json_open(&j, NULL, '{');
        json_count(&j, "step", i + 1);
        json_double(&j, "rate", r->points[i].rate);
        json_double(&j, "cost", r->points[i].cost);
        json_double(&j, "still_cost", r->points[i].still);
        json_double(&j, "smooth_cost", r->points[i].smooth);
        json_close(&j, '}');
        text_string(&out, "\n");
    }
    json j = {&out, false};
    json_open(&j, NULL, '{');
    add_places(&j, r);
    json_close(&j, '}');
    text_string(&out, "\n");
    text_end(&out, &recipe);
    int code = write_file(t->a->values[OPTION_LOG], &out);
    text_free(&out);
    return code;
}

static int write_picture(const training *t, const range *r)
{
    text out = TEXT_INIT;
    range_svg(&out, r, t->data, hill_recipe_get(t->recipe, "rule"));
    int code = write_file(t->a->values[OPTION_SVG], &out);
    text_free(&out);
    return code;
}

static int answer(const training *t, const range *r)
{
    text out = TEXT_INIT, words = TEXT_INIT;
    if (t->a->values[OPTION_JSON]) {
        json j = {&out, false};
        json_open(&j, NULL, '{');
        add_places(&j, r);
        json_close(&j, '}');
        text_string(&out, "\n");
    } else if (r->count > 0) {
        size_t width = output_width(STDOUT_FILENO, 80);
        range_draw(&out, r, width > 100 ? 100 : width, output_speaks_utf8());
    }
    if (!t->a->values[OPTION_JSON] && r->suggestion > 0) {
        text_format(&words, "--rate %g: %s", r->suggestion, text_get(&r->why));
        report_line(&out, STDOUT_FILENO, "suggested", text_get(&words));
    }
    text_end(&out, &words);
    int code = output_answer(&out);
    text_free(&out);
    if (code == 0 && r->suggestion <= 0)
        code = output_error(CODE_FAILED, "%s", text_get(&r->why));
    return code;
}

static int test_and_tell(training *t)
{
    range r;
    int code = range_test(t, t->session, &r);
    if (code == 0 && t->a->values[OPTION_LOG])
        code = write_log(t, &r);
    if (code == 0 && t->a->values[OPTION_SVG])
        code = write_picture(t, &r);
    if (code == 0)
        code = answer(t, &r);
    range_free(&r);
    return code;
}

static int prepare(training *t)
{
    const char *rule = hill_recipe_get(t->recipe, "rule");
    if (hill_rule_takes_all(rule) == 1)
        return output_error(CODE_USAGE, "--rule %s: finds the lengths of its steps by itself; there is no rate to find", rule);
    return range_prepare(t->recipe);
}

int cmd_find_rate(const arguments *a)
{
    static int (*const phases[])(training *) = {train_read_recipe, prepare,       check_outputs,
                                                train_open_tables, train_session, train_refuse_guesses,
                                                train_introduce,   test_and_tell};
    training t = train_make(a);
    int code = train_standard_inputs(a);
    t.untested = true;
    return train_through(&t, code, phases, sizeof phases / sizeof *phases);
}
