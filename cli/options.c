/*
 * options.c - reads command lines by the tables of verbs.c and the library's knobs, and guesses what a wrong word meant.
 *
 * Nothing is looked up by abbreviation: a word that is in no table is an error, with the nearest one named.
 */
#include "options.h"

#include "output.h"

#include <stdlib.h>
#include <string.h>

#define WORD_CELLS 32

/* Edits (one letter put in, left out, changed, or two swapped) that turn a into b; OPTIONS_FAR where it isn't near. */
static size_t mistakes(const char *a, const char *b)
{
    size_t rows[3][WORD_CELLS + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_CELLS || m > WORD_CELLS)
        return OPTIONS_FAR;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

static const option *option_find(const verb *v, const char *name, size_t length)
{
    for (size_t i = 0; i < v->option_count; i++)
        if (strlen(v->options[i].name) == length && memcmp(v->options[i].name, name, length) == 0)
            return &v->options[i];
    return NULL;
}

static const hill_knob *knob_find(const verb *v, const char *name, size_t length)
{
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        if (strlen(knobs[i].name) == length && memcmp(knobs[i].name, name, length) == 0 && verb_takes(v, &knobs[i]))
            return &knobs[i];
    return NULL;
}

static const char *flag_nearest(const verb *v, const char *name)
{
    const char *best = NULL;
    size_t least = OPTIONS_FAR;
    options_nearer(name, "help", &best, &least);
    for (size_t i = 0; i < v->option_count; i++)
        options_nearer(name, v->options[i].name, &best, &least);
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        if (verb_takes(v, &knobs[i]))
            options_nearer(name, knobs[i].name, &best, &least);
    return best;
}

/* The first other verb that has this flag, or NULL. */
static const char *flag_elsewhere(const char *name, size_t length)
{
    size_t count = 0;
    const verb *all = verbs(&count);
    for (size_t i = 0; i < count; i++)
        if (option_find(&all[i], name, length) || knob_find(&all[i], name, length))
            return all[i].name;
    return NULL;
}

static int unknown_flag(const verb *v, const char *word, const char *name, size_t length)
{
    char plain[WORD_CELLS + 1] = "";
    const char *nearest = NULL;
    if (length <= WORD_CELLS) {
        memcpy(plain, name, length);
        plain[length] = '\0';
        nearest = flag_nearest(v, plain);
    }
    size_t shown = strcspn(word, "=");
    const char *elsewhere = flag_elsewhere(name, length);
    if (elsewhere)
        return output_error(CODE_USAGE, "%s has no flag %.*s; %s has", v->name, (int)shown, word, elsewhere);
    if (nearest)
        return output_error(CODE_USAGE, "%s has no flag %.*s; did you mean --%s?", v->name, (int)shown, word, nearest);
    return output_error(CODE_USAGE, "%s has no flag %.*s; see: downhill help %s", v->name, (int)shown, word, v->name);
}

static int take_operand(arguments *out, const char *word)
{
    if (out->operand_count == out->verb->most)
        return output_error(CODE_USAGE, "%s: one word too many: '%s'\nusage: downhill %s%s%s [flags]", out->verb->name, word,
                            out->verb->name, *out->verb->operands ? " " : "", out->verb->operands);
    out->operands[out->operand_count++] = word;
    return 0;
}

/* One flag at words[*i]; the value may be the next word. */
static int take_flag(arguments *out, int count, char **words, int *i)
{
    const char *word = words[*i];
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const option *row = option_find(out->verb, name, length);
    const hill_knob *knob = row ? NULL : knob_find(out->verb, name, length);
    if (!row && !knob) {
        if (length == 4 && memcmp(name, "help", 4) == 0 && !value) {
            out->help = true;
            return 0;
        }
        return unknown_flag(out->verb, word, name, length);
    }
    const char *argument = row ? row->argument : knob->argument;
    if (!argument && value)
        return output_error(CODE_USAGE, "--%s takes no value", row->name);
    if (argument && !value) {
        /* What looks like the next flag is no value: the value was forgotten. --name=--odd says it is one. */
        if (*i + 1 >= count || (strncmp(words[*i + 1], "--", 2) == 0))
            return output_error(CODE_USAGE, "--%.*s needs a value: --%.*s %s", (int)length, name, (int)length, name, argument);
        value = words[++*i];
    }
    if (row)
        out->values[row->id] = value ? value : "";
    else
        out->settings[out->setting_count++] = (setting){knob->name, value};
    return 0;
}

/* -o FILE, which is --out FILE. */
static int take_short(arguments *out, int count, char **words, int *i)
{
    if (*i + 1 >= count || strncmp(words[*i + 1], "--", 2) == 0)
        return output_error(CODE_USAGE, "-o needs a value: -o %s", option_find(out->verb, "out", 3)->argument);
    out->values[OPTION_OUT] = words[++*i];
    return 0;
}

const verb *verb_find(const char *name)
{
    size_t count = 0;
    const verb *all = verbs(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

const char *verb_nearest(const char *name)
{
    const char *best = NULL;
    size_t least = OPTIONS_FAR, count = 0;
    const verb *all = verbs(&count);
    for (size_t i = 0; i < count; i++)
        options_nearer(name, all[i].name, &best, &least);
    return best;
}

/* A word isn't taken for a name that it has no letter of. */
void options_nearer(const char *word, const char *name, const char **best, size_t *least)
{
    size_t distance = mistakes(word, name);
    if (distance < strlen(name) && distance < *least) {
        *best = name;
        *least = distance;
    }
}

bool verb_takes(const verb *v, const hill_knob *knob)
{
    return v->knobs && (!*v->knobs || strcmp(v->knobs, knob->group) == 0);
}

int options_parse(const verb *v, int count, char **words, arguments *out)
{
    bool flags = true;
    int code = 0;
    count -= 2;
    *out = (arguments){.program = words[0], .word_count = count, .words = words + 2, .verb = v};
    words += 2;
    out->settings = calloc((size_t)count + 1, sizeof *out->settings);
    if (!out->settings)
        return output_error(CODE_FAILED, "out of memory");
    for (int i = 0; i < count; i++) { /* help anywhere is help, whatever else is wrong */
        if (strcmp(words[i], "--") == 0)
            break;
        if (strcmp(words[i], "-h") == 0 || strcmp(words[i], "--help") == 0)
            out->help = true;
    }
    for (int i = 0; i < count && code == 0 && !out->help; i++) {
        if (flags && strcmp(words[i], "--") == 0)
            flags = false;
        else if (flags && strcmp(words[i], "-o") == 0 && option_find(v, "out", 3))
            code = take_short(out, count, words, &i);
        else if (flags && strncmp(words[i], "--", 2) == 0)
            code = take_flag(out, count, words, &i);
        else if (flags && words[i][0] == '-' && words[i][1] != '\0')
            code = unknown_flag(v, words[i], words[i] + 1, strcspn(words[i] + 1, "="));
        else
            code = take_operand(out, words[i]);
    }
    if (code == 0 && !out->help && out->operand_count < v->least) {
        const char *missing = out->operand_count == 1 ? strchr(v->operands, ' ') + 1 : v->operands;
        code = output_error(CODE_USAGE, "%s: %s is missing\nusage: downhill %s %s [flags]", v->name, missing, v->name,
                            v->operands);
    }
    return code;
}

void options_free(arguments *a)
{
    free(a->settings);
    a->settings = NULL;
}

int options_apply(const arguments *a, hill_recipe *recipe)
{
    for (size_t i = 0; i < a->setting_count; i++) {
        hill_error error = HILL_ERROR_INIT;
        const char *knob = a->settings[i].knob;
        int status = hill_recipe_set(recipe, knob, a->settings[i].value, &error);
        /* The message begins with the knob's name; here it was a flag. */
        if (status == HILL_ERECIPE && strncmp(error.text, knob, strlen(knob)) == 0)
            return output_error(output_code(status), "--%s", error.text);
        if (status != HILL_OK)
            return output_failure(status, &error);
    }
    return 0;
}

/* The limits among the flags. The knobs of train are a recipe's, which may have come from a file. */
static int lend_limits(const arguments *a, hill_host *host)
{
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    if (!a->verb->knobs || !*a->verb->knobs)
        return 0;
    int status = hill_recipe_new(host, &recipe, &error);
    int code = status == HILL_OK ? options_apply(a, recipe) : output_failure(status, &error);
    if (code == 0)
        hill_recipe_limits(recipe, &host->limits);
    hill_recipe_free(recipe);
    return code;
}

int options_host(const arguments *a, hill_host *host)
{
    hill_machine machine = HILL_MACHINE_INIT;
    const char *threads = a->values[OPTION_THREADS];
    const char *isa = a->values[OPTION_ISA];
    int status = hill_machine_info(&machine);
    if (status != HILL_OK)
        return output_failure(status, NULL);
    int code = lend_limits(a, host);
    if (code)
        return code;
    host->threads = machine.cores;
    if (threads) {
        char *end = NULL;
        unsigned long value = *threads >= '0' && *threads <= '9' ? strtoul(threads, &end, 10) : 0;
        if (!end || *end || value < 1 || value > 1024)
            return output_error(CODE_USAGE, "--threads %s: must be a whole number from 1 to 1024", threads);
        host->threads = (unsigned)value;
    }
    host->isa = isa;
    if (!isa || strcmp(isa, "best") == 0)
        return 0;
    text names = TEXT_INIT;
    for (size_t i = 0; i < machine.isa_count; i++) {
        if (strcmp(machine.isas[i], isa) == 0) {
            text_free(&names);
            return 0;
        }
        text_format(&names, "%s%s", i ? ", " : "", machine.isas[i]);
    }
    code = output_error(CODE_USAGE, "--isa %s: this machine has no such row of kernels; it has %s", isa, text_get(&names));
    text_free(&names);
    return code;
}

int options_delimiter(const char *word, char *out)
{
    static const struct {
        const char *word;
        char delimiter;
    } words[] = {{"auto", 0}, {"tab", '\t'}, {"\\t", '\t'}, {"\t", '\t'}, {"space", ' '},
                 {" ", ' '},  {",", ','},    {";", ';'},    {"|", '|'}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0) {
            *out = words[i].delimiter;
            return 0;
        }
    return output_error(CODE_USAGE, "delimiter '%s': must be one of , ; | or the word tab, space or auto", word);
}
