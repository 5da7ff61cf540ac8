/*
 * help.c - help screens for verbs, knobs and words.
 *
 * Nothing about a flag is said here that its table doesn't say; screens are at most 100 columns wide and fit 80.
 */
#define _POSIX_C_SOURCE 200809L

#include "help.h"

#include "output.h"

#include <string.h>
#include <unistd.h>

#define FLAG_COLUMN 26
#define NARROW 60 /* columns under which a flag gets a line of its own */

typedef struct screen {
    text out;
    size_t width;
    bool bold;
} screen;

static screen screen_open(void)
{
    size_t width = output_width(STDOUT_FILENO, 80);
    return (screen){TEXT_INIT, width > 100 ? 100 : width < 40 ? 40 : width, output_has_colour(STDOUT_FILENO)};
}

static int screen_show(screen *s)
{
    int code = output_answer(&s->out);
    text_free(&s->out);
    return code;
}

static void heading(screen *s, const char *title)
{
    text_format(&s->out, s->bold ? "\n\033[1m%s\033[0m\n" : "\n%s\n", title);
}

/* A left column of `column` cells and a wrapped right one; a long left side gets a line of its own. */
static void row(screen *s, const char *left, const char *right, size_t column)
{
    size_t width = text_width(left) + 2;
    if (s->width < NARROW)
        column = 6;
    text_format(&s->out, "  %s", left);
    if (width + 2 > column) {
        text_string(&s->out, "\n");
        width = 0;
    }
    text_repeat(&s->out, " ", column - width);
    text_wrap(&s->out, right, column, column, s->width);
}

static void option_row(screen *s, const option *o)
{
    text left = TEXT_INIT;
    text_format(&left, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    row(s, text_get(&left), o->sentence, FLAG_COLUMN);
    text_end(&s->out, &left);
}

static void knob_row(screen *s, const hill_knob *knob)
{
    text left = TEXT_INIT, right = TEXT_INIT;
    text_format(&left, "--%s %s", knob->name, knob->argument);
    text_string(&right, knob->sentence);
    help_bounds(knob, &right);
    row(s, text_get(&left), text_get(&right), FLAG_COLUMN);
    text_end(&s->out, &left);
    text_end(&s->out, &right);
}

/* True where the verb's own table says something else about the knob's flag. */
static bool covered(const verb *v, const char *knob)
{
    for (size_t i = 0; i < v->option_count; i++)
        if (strcmp(v->options[i].name, knob) == 0)
            return true;
    return false;
}

static void option_groups(screen *s, const verb *v)
{
    static const struct {
        const char *group, *title;
    } groups[] = {{"files", "Flags"}, {"reading", "How to read the data"}, {"machine", "Machine"}};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        bool titled = false;
        for (size_t i = 0; i < v->option_count; i++) {
            if (strcmp(v->options[i].group, groups[g].group) != 0)
                continue;
            if (!titled)
                heading(s, groups[g].title);
            titled = true;
            option_row(s, &v->options[i]);
        }
    }
}

static void word_groups(screen *s)
{
    heading(s, "Words");
    hill_vocabulary vocabulary = HILL_WORDS_LAYER;
    const char *title = NULL;
    for (size_t i = 0; (title = help_vocabulary(i, &vocabulary)) != NULL; i++) {
        text names = TEXT_INIT;
        const hill_word *word = NULL;
        for (size_t w = 0; (word = hill_words(vocabulary, w)) != NULL; w++)
            text_format(&names, "%s%s", w ? ", " : "", word->name);
        row(s, title, text_get(&names), 16);
        text_end(&s->out, &names);
    }
    row(s, "", "`downhill help WORD` has their formulas.", 2);
}

static void knob_groups(screen *s, const verb *v)
{
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    const char *group = "";
    for (size_t i = 0; i < count; i++) {
        if (!verb_takes(v, &knobs[i]))
            continue;
        if (strcmp(group, knobs[i].group) != 0)
            heading(s, help_group(knobs[i].group));
        group = knobs[i].group;
        if (!covered(v, knobs[i].name))
            knob_row(s, &knobs[i]);
    }
    if (v->knobs && !*v->knobs)
        word_groups(s);
}

static void examples(screen *s, const example *list, size_t count)
{
    if (count > 0)
        heading(s, count == 1 ? "Example" : "Examples");
    for (size_t i = 0; i < count; i++)
        text_format(&s->out, "  %s\n      %s\n", list[i].command, list[i].sentence);
}

static void verb_rows(screen *s)
{
    size_t count = 0;
    const verb *all = verbs(&count);
    for (size_t i = 0; i < count; i++) {
        text left = TEXT_INIT;
        text_format(&left, "%s %s", all[i].name, all[i].operands);
        row(s, text_get(&left), all[i].sentence, 23);
        text_end(&s->out, &left);
    }
}

/* The words of a vocabulary with their formulas. */
static void word_rows(screen *s, hill_vocabulary vocabulary)
{
    const hill_word *word = NULL;
    text_string(&s->out, "\n");
    for (size_t i = 0; (word = hill_words(vocabulary, i)) != NULL; i++) {
        row(s, word->name, word->sentence, FLAG_COLUMN);
        if (*word->formula)
            row(s, "", word->formula, FLAG_COLUMN);
    }
}

/* The verb, knob or word that `name` most likely meant, or NULL. */
static const char *anything_nearest(const char *name)
{
    const char *best = NULL;
    size_t least = OPTIONS_FAR, count = 0;
    const verb *all = verbs(&count);
    for (size_t i = 0; i < count; i++)
        options_nearer(name, all[i].name, &best, &least);
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        options_nearer(name, knobs[i].name, &best, &least);
    hill_vocabulary vocabulary = HILL_WORDS_LAYER;
    for (size_t i = 0; help_vocabulary(i, &vocabulary); i++) {
        const hill_word *word = NULL;
        for (size_t w = 0; (word = hill_words(vocabulary, w)) != NULL; w++)
            options_nearer(name, word->name, &best, &least);
    }
    return best;
}

/* A knob or a word of a vocabulary: "downhill help relu". */
static int help_word(const char *name)
{
    screen s = screen_open();
    bool found = false;
    const hill_knob *knob = hill_knob_find(name);
    if (knob) {
        text_format(&s.out, "%s: a knob of train; --%s %s, or %s=%s in a recipe\n", name, name, knob->argument, name,
                    knob->argument);
        knob_row(&s, knob);
        if (knob->vocabulary >= 0)
            word_rows(&s, (hill_vocabulary)knob->vocabulary);
        found = true;
    }
    hill_vocabulary vocabulary = HILL_WORDS_LAYER;
    const char *title = NULL;
    for (size_t i = 0; (title = help_vocabulary(i, &vocabulary)) != NULL; i++) {
        const hill_word *word = NULL;
        for (size_t w = 0; (word = hill_words(vocabulary, w)) != NULL; w++) {
            if (strcmp(word->name, name) != 0)
                continue;
            text_format(&s.out, "%s: one of the %s\n", name, title);
            if (word->formula && *word->formula)
                text_format(&s.out, "  %s\n", word->formula);
            text_string(&s.out, "  ");
            text_wrap(&s.out, word->sentence, 2, 2, s.width);
            found = true;
        }
    }
    if (found)
        return screen_show(&s);
    text_free(&s.out);
    const char *nearest = anything_nearest(name);
    if (nearest)
        return output_error(CODE_USAGE, "there is no help about '%s'; did you mean %s?", name, nearest);
    return output_error(CODE_USAGE, "there is no help about '%s': it is no verb, knob or word; see: downhill help", name);
}

int help_short(void)
{
    screen s = screen_open();
    text_format(&s.out, "Downhill %s trains neural networks by gradient descent.\n\n", hill_version());
    verb_rows(&s);
    text_string(&s.out, "\nExample: downhill train xor.csv && downhill predict xor.safetensors xor.csv\n");
    text_string(&s.out, "More: downhill help train\n");
    return screen_show(&s);
}

int help_all(void)
{
    screen s = screen_open();
    text_string(&s.out, "usage: downhill VERB ...\n\nTrains neural networks by gradient descent.\n");
    heading(&s, "Verbs");
    verb_rows(&s);
    heading(&s, "Every verb");
    row(&s, "-h, --help", "explains the verb", FLAG_COLUMN);
    row(&s, "--version", "prints the version", FLAG_COLUMN);
    row(&s, "--", "ends the flags: what follows is a file though it begins with -", FLAG_COLUMN);
    heading(&s, "Exit status");
    static const struct {
        int code;
        const char *sentence;
    } codes[] = {
#define HELP_CODE(name, value, sentence) {value, sentence},
        EXIT_MAP(HELP_CODE)
#undef HELP_CODE
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        text left = TEXT_INIT;
        text_format(&left, "%d", codes[i].code);
        row(&s, text_get(&left), codes[i].sentence, 8);
        text_end(&s.out, &left);
    }
    size_t count = 0;
    const verb *all = verbs(&count);
    heading(&s, "Examples");
    for (size_t i = 0; i < count; i++)
        if (all[i].example_count > 0)
            text_format(&s.out, "  %s\n", all[i].examples[0].command);
    return screen_show(&s);
}

int help_verb(const verb *v)
{
    screen s = screen_open();
    text_format(&s.out, "usage: downhill %s%s%s%s\n\n", v->name, *v->operands ? " " : "", v->operands,
                v->option_count || v->knobs ? " [flags]" : "");
    text_format(&s.out, "%c%s.\n", v->sentence[0] - 'a' + 'A', v->sentence + 1);
    for (const char *paragraph = v->paragraphs; *paragraph;) {
        text line = TEXT_INIT;
        size_t length = strcspn(paragraph, "\n");
        text_bytes(&line, paragraph, length);
        text_string(&s.out, "\n");
        text_wrap(&s.out, text_get(&line), 0, 0, s.width);
        text_end(&s.out, &line);
        paragraph += length + (paragraph[length] == '\n');
    }
    option_groups(&s, v);
    knob_groups(&s, v);
    examples(&s, v->examples, v->example_count);
    return screen_show(&s);
}

/* True if the sentence speaks of the word anyway. */
static bool told_of(const hill_knob *knob, const char *word, size_t length)
{
    char plain[64] = "";
    if (length < sizeof plain)
        memcpy(plain, word, length);
    return strstr(knob->sentence, plain) != NULL;
}

void help_bounds(const hill_knob *knob, text *out)
{
    bool number = knob->kind == HILL_KNOB_NUMBER || knob->kind == HILL_KNOB_INTEGER;
    if (number) {
        text_string(out, "; ");
        text_number(out, knob->low, 7);
        if (knob->high < 1e9) {
            text_string(out, " to ");
            text_number(out, knob->high, 10);
        } else {
            text_string(out, " or more");
        }
    }
    bool first = true;
    for (const char *word = knob->words; *word;) {
        size_t length = strcspn(word, " ");
        if (*word != '@' && (number || !told_of(knob, word, length)) && !(length == 4 && memcmp(word, "auto", 4) == 0)) {
            text_string(out, first && !number ? "; " : number ? " or " : ", ");
            text_bytes(out, word, length);
            first = false;
        }
        word += length + strspn(word + length, " ");
    }
    hill_vocabulary vocabulary = HILL_WORDS_LAYER;
    const char *title = NULL;
    for (size_t i = 0; knob->vocabulary >= 0 && (title = help_vocabulary(i, &vocabulary)) != NULL; i++)
        if ((int)vocabulary == knob->vocabulary)
            text_format(out, "; one of the %s", title);
    if (*knob->initial)
        text_format(out, " [%s]", knob->initial);
}

const char *help_group(const char *group)
{
    static const struct {
        const char *group, *title;
    } titles[] = {{"data", "The data"},
                  {"net", "The net"},
                  {"descent", "The descent"},
                  {"ending", "The end"},
                  {"limits", "What a file may ask for"}};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i].group, group) == 0)
            return titles[i].title;
    return group;
}

const char *help_vocabulary(size_t i, hill_vocabulary *vocabulary)
{
    static const struct {
        hill_vocabulary vocabulary;
        const char *title;
    } list[] = {{HILL_WORDS_LAYER, "layers"}, {HILL_WORDS_ACTIVATION, "activations"}, {HILL_WORDS_COST, "costs"},
                {HILL_WORDS_RULE, "rules"},   {HILL_WORDS_SCHEDULE, "schedules"},     {HILL_WORDS_INIT, "inits"},
                {HILL_WORDS_GROW, "growths"}};
    if (i >= sizeof list / sizeof *list)
        return NULL;
    *vocabulary = list[i].vocabulary;
    return list[i].title;
}

int cmd_help(const arguments *a)
{
    if (a->values[OPTION_MAN])
        return help_manual();
    if (a->operand_count == 0)
        return help_all();
    const verb *v = verb_find(a->operands[0]);
    return v ? help_verb(v) : help_word(a->operands[0]);
}
