/*
 * manual.c - the manual page downhill(1), written from the tables of verbs, knobs, words and exit codes.
 *
 * It is built by `downhill help --man`, so that page and program can't differ.
 */
#include "help.h"
#include "output.h"

#include <string.h>

/* Text of a paragraph: what roff would read as its own is escaped. */
static void prose(text *out, const char *string)
{
    if (*string == '.' || *string == '\'')
        text_string(out, "\\&");
    for (; *string; string++) {
        if (*string == '\\')
            text_string(out, "\\e");
        else if (*string == '-')
            text_string(out, "\\-");
        else if (*string == '\n')
            text_string(out, "\n.PP\n");
        else
            text_bytes(out, string, 1);
    }
    text_string(out, "\n");
}

static void tagged(text *out, const char *name, const char *argument)
{
    text tag = TEXT_INIT;
    text_format(&tag, "\\fB\\-\\-");
    for (const char *s = name; *s; s++)
        text_format(&tag, *s == '-' ? "\\-" : "%c", *s);
    text_string(&tag, "\\fR");
    if (argument)
        text_format(&tag, " \\fI%s\\fR", argument);
    text_format(out, ".TP\n%s\n", text_get(&tag));
    text_end(out, &tag);
}

static void manual_verb(text *out, const verb *v)
{
    text_format(out, ".SS downhill %s%s%s%s\n", v->name, *v->operands ? " " : "", v->operands,
                v->option_count || v->knobs ? " [flags]" : "");
    text_format(out, "%c", v->sentence[0] - 'a' + 'A');
    prose(out, v->sentence + 1);
    text_string(out, ".PP\n");
    prose(out, v->paragraphs);
    for (size_t i = 0; i < v->option_count; i++) {
        tagged(out, v->options[i].name, v->options[i].argument);
        prose(out, v->options[i].sentence);
    }
    if (v->knobs) {
        text_string(out, ".PP\n");
        prose(out, *v->knobs ? "The limits below are flags, too." : "Every knob below is a flag, too.");
    }
}

static void manual_knobs(text *out)
{
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    const char *group = "";
    text_string(out, ".SH KNOBS\n");
    prose(out,
          "Flags of train (--name value) and lines of a recipe (name=value, # begins a comment line). The default stands in "
          "brackets.");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(group, knobs[i].group) != 0)
            text_format(out, ".SS %s\n", help_group(knobs[i].group));
        group = knobs[i].group;
        text sentence = TEXT_INIT;
        text_string(&sentence, knobs[i].sentence);
        help_bounds(&knobs[i], &sentence);
        tagged(out, knobs[i].name, knobs[i].argument);
        prose(out, text_get(&sentence));
        text_end(out, &sentence);
    }
}

static void manual_words(text *out)
{
    hill_vocabulary vocabulary = HILL_WORDS_LAYER;
    const char *title = NULL;
    text_string(out, ".SH WORDS\n");
    for (size_t i = 0; (title = help_vocabulary(i, &vocabulary)) != NULL; i++) {
        const hill_word *word = NULL;
        text_format(out, ".SS %s\n", title);
        for (size_t w = 0; (word = hill_words(vocabulary, w)) != NULL; w++) {
            text_format(out, ".TP\n\\fB%s\\fR\n", word->name);
            prose(out, word->sentence);
            if (word->formula && *word->formula) {
                text_string(out, ".br\n");
                prose(out, word->formula);
            }
        }
    }
}

static void manual_codes(text *out)
{
    static const struct {
        int code;
        const char *sentence;
    } codes[] = {
#define MANUAL_CODE(name, value, sentence) {value, sentence},
        EXIT_MAP(MANUAL_CODE)
#undef MANUAL_CODE
    };
    text_string(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        text_format(out, ".TP\n%d\n", codes[i].code);
        prose(out, codes[i].sentence);
    }
    text_string(out, ".PP\n");
    prose(out, "A reader of standard output that goes away early (as head does) is no error.");
}

static void manual_ending(text *out)
{
    text_string(out, ".SH OUTPUT\n");
    prose(out,
          "Answers go to standard output, talk goes to standard error. On a terminal one line shows the descent as it goes; "
          "elsewhere whole lines without escape codes do, about twenty over a long run.");
    text_string(out, ".PP\n");
    prose(out,
          "With --json, train prints one object with model, rows (trained on), inputs, outputs, parameters, epochs, steps, "
          "seconds, stopped, train, valid and test; the last three are null or hold cost, and accuracy for classes, or rmse, "
          "mae and r2 for numbers. eval prints rows, cost, and accuracy, confusion and classes, or rmse, mae and r2; check "
          "prints worst_relative_error, worst_weight and weights_checked. find-rate prints rate, why, start_cost, lowest_cost, "
          "lowest_rate, steepest_rate, lost_at and steps; race prints to, on (the rows the target is about) and racers, the "
          "best one "
          "first, each with rule, rate, train, valid, stopped, steps, epochs, best_epoch, ways_back, seconds, steps_to, "
          "seconds_to, log and model. What is no finite number is null, and so is confusion "
          "for more than 2,048 classes.");
    text_string(out, ".PP\n");
    prose(out,
          "A --log has an object about the run first (downhill, recipe, data, rows, inputs, outputs, parameters), then one a "
          "reported step (step, epoch, cost, rate, gradient_norm, weight_norm, step_norm, train_cost, valid_cost, "
          "valid_accuracy, seconds), then one that says why the descent ended (stopped). Which steps are reported depends "
          "on their number alone.");
    text_string(out, ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n");
    prose(out, "where it isn't empty, no colour and no bold anywhere");
    text_string(out, ".TP\n.B TERM\n");
    prose(out, "dumb, or unset: a terminal is treated like a file");
    text_string(out, ".SH EXAMPLES\n");
    size_t count = 0;
    const verb *all = verbs(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t e = 0; e < all[i].example_count; e++) {
            text_string(out, ".TP\n");
            prose(out, all[i].examples[e].command);
            prose(out, all[i].examples[e].sentence);
        }
}

int help_manual(void)
{
    text out = TEXT_INIT;
    size_t count = 0;
    const verb *all = verbs(&count);
    text_format(&out, ".TH DOWNHILL 1 \"\" \"Downhill %s\" \"User Commands\"\n", hill_version());
    text_string(&out, ".SH NAME\ndownhill \\- train neural networks by gradient descent\n.SH SYNOPSIS\n");
    for (size_t i = 0; i < count; i++)
        text_format(&out, "%s.B downhill %s\n%s%s", i ? ".br\n" : "", all[i].name, all[i].operands,
                    *all[i].operands ? "\n" : "");
    text_string(&out, ".SH DESCRIPTION\n");
    prose(&out,
          "A network is units and weighted connections; a cost says how bad it is; the gradient says which way is down. "
          "Downhill takes a table or a folder of images and walks down until the cost is low, writes the model to one file, "
          "measures it, and answers raw rows with it. The same data, recipe and seed give the same bits on any number of "
          "threads and any machine.");
    text_string(&out, ".SH VERBS\n");
    for (size_t i = 0; i < count; i++)
        manual_verb(&out, &all[i]);
    manual_knobs(&out);
    manual_words(&out);
    manual_codes(&out);
    manual_ending(&out);
    int code = output_answer(&out);
    text_free(&out);
    return code;
}
