/*
 * recipe.c - the knob table and recipes. Invariant: a value that stands in a recipe was accepted by its knob.
 */
#include "base/fp.h"

#include "plan/recipe.h"

#include <string.h>

#include "base/limits.h"
#include "base/number.h"
#include "plan/factors.h"
#include "plan/growth.h"
#include "plan/net.h"
#include "plan/words.h"

#define HILL_WORDS_NONE (-1)

/* The default of a limit, as text. */
#define LIMIT(name) LIMIT_TEXT(HILL__LIMIT_##name)
#define LIMIT_TEXT(number) LIMIT_STRING(number)
#define LIMIT_STRING(number) #number

static const hill_knob knob_table[] = {
#define KNOB(name, kind, initial, low, high, words, vocabulary, unit, group, argument, sentence) \
    {name, HILL_KNOB_##kind, initial, low, high, words, HILL_WORDS_##vocabulary, unit, group, argument, sentence},
#include "plan/knob.def"
};
#define KNOB_COUNT (sizeof knob_table / sizeof *knob_table)

const hill_knob *hill_knobs(size_t *count)
{
    *count = KNOB_COUNT;
    return knob_table;
}

const hill_knob *hill_knob_find(const char *name)
{
    for (size_t i = 0; i < KNOB_COUNT; i++)
        if (strcmp(knob_table[i].name, name) == 0)
            return &knob_table[i];
    return NULL;
}

/* True if `word` is one of the words between blanks in `list`. */
static bool is_listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    if (length == 0 || strchr(word, ' '))
        return false;
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static int refuse_word(const hill_knob *knob, const char *value, hill_error *error)
{
    const char *near = knob->vocabulary >= 0 ? hill_nearest(knob->vocabulary, value) : NULL;
    if (near)
        return hill__fail(error, HILL_ERECIPE, "%s: unknown word '%.40s'; did you mean '%s'?", knob->name, value, near);
    char list[400] = "";
    size_t length = 0;
    const hill_word *word;
    for (size_t i = 0; knob->vocabulary >= 0 && (word = hill_words((hill_vocabulary)knob->vocabulary, i)) != NULL; i++)
        if (length + strlen(word->name) + 2 < sizeof list) {
            list[length++] = ' ';
            memcpy(list + length, word->name, strlen(word->name) + 1);
            length += strlen(word->name);
        }
    return hill__fail(error, HILL_ERECIPE, "%s: unknown word '%.40s'; it takes one of: %s%s", knob->name, value, knob->words,
                      list);
}

static int accept_number(const hill_knob *knob, const char *value, hill_error *error)
{
    double number;
    uint64_t whole;
    bool is_number = hill__parse_double(value, strlen(value), &number) == HILL__NUMBER_FINITE;
    if (!is_number || (knob->kind == HILL_KNOB_INTEGER && !hill__parse_unsigned(value, strlen(value), &whole)))
        return hill__fail(error, HILL_ERECIPE, "%s: '%.40s' is no %snumber%s%s", knob->name, value,
                          knob->kind == HILL_KNOB_INTEGER ? "whole " : "", knob->words[0] ? "; or one of: " : "", knob->words);
    if (number < knob->low || number > knob->high) {
        char low[HILL__NUMBER_TEXT], high[HILL__NUMBER_TEXT];
        hill__format_double(knob->low, low);
        hill__format_double(knob->high, high);
        return hill__fail(error, HILL_ERECIPE, "%s: %s is out of bounds; it goes from %s to %s", knob->name, value, low, high);
    }
    return HILL_OK;
}

bool hill__recipe_pieces(const char *value, size_t *pieces)
{
    static const char word[] = "piecewise ";
    uint64_t number;
    *pieces = 0;
    if (strncmp(value, word, sizeof word - 1) != 0)
        return strcmp(value, "plain") == 0;
    value += sizeof word - 1;
    if (!hill__parse_unsigned(value, strlen(value), &number) || number < 1 || number > HILL__PIECES_MOST)
        return false;
    *pieces = (size_t)number;
    return true;
}

/* A text is one line of UTF-8, and some are more than that. */
static int accept_text(const hill_knob *knob, const char *value, hill_error *error)
{
    hill__net net;
    hill__growth growth;
    size_t left = strlen(value), length = 1;
    if (strpbrk(value, "\r\n"))
        return hill__fail(error, HILL_ERECIPE, "%s: a value is one line", knob->name);
    for (const char *at = value; left > 0 && length > 0; at += length, left -= length)
        length = hill__utf8((const unsigned char *)at, left);
    if (length == 0)
        return hill__fail(error, HILL_ERECIPE, "%s: byte %zu is no UTF-8", knob->name, strlen(value) - left + 1);
    if (strcmp(knob->name, "delimiter") == 0 && strcmp(value, "\\t") != 0 && (strlen(value) != 1 || !strchr(",;|\t ", *value)))
        return hill__fail(error, HILL_ERECIPE, "delimiter '%.40s': must be one of , ; | or the word tab, space or auto", value);
    if (strcmp(knob->name, "numbers") == 0 && !hill__recipe_pieces(value, &length))
        return hill__fail(error, HILL_ERECIPE,
                          "numbers: '%.40s' must be plain, or piecewise with 1 to %u pieces, as in 'piecewise 16'", value,
                          HILL__PIECES_MOST);
    if (strcmp(knob->name, "grow") == 0)
        return hill__growth_parse(value, &growth, error);
    if (strcmp(knob->name, "rate-factors") == 0)
        return hill__factors_check(value, 0, error);
    return strcmp(knob->name, "net") == 0 ? hill__net_parse(value, &net, error) : HILL_OK;
}

static int accept_value(const hill_knob *knob, const char *value, hill_error *error)
{
    if (is_listed(knob->words, value))
        return HILL_OK;
    switch (knob->kind) {
    case HILL_KNOB_NUMBER:
    case HILL_KNOB_INTEGER:
        return accept_number(knob, value, error);
    case HILL_KNOB_WORD:
        if (knob->vocabulary >= 0 && hill__word_index((hill_vocabulary)knob->vocabulary, value) >= 0)
            return HILL_OK;
        return refuse_word(knob, value, error);
    default: /* HILL_KNOB_TEXT */
        return accept_text(knob, value, error);
    }
}

int hill_recipe_new(const hill_host *host, hill_recipe **out, hill_error *error)
{
    hill_allocator allocator = hill__allocator(host);
    hill_recipe *recipe = hill__alloc(&allocator, 1, sizeof *recipe);
    *out = recipe;
    if (!recipe)
        return hill__fail_memory(error);
    recipe->allocator = allocator;
    hill__text_init(&recipe->text, &allocator);
    recipe->values = hill__alloc(&allocator, KNOB_COUNT, sizeof *recipe->values);
    if (!recipe->values) {
        hill__free(&allocator, recipe, 1, sizeof *recipe);
        *out = NULL;
        return hill__fail_memory(error);
    }
    return HILL_OK;
}

static void forget_value(hill_recipe *recipe, size_t i)
{
    if (recipe->values[i])
        hill__free(&recipe->allocator, recipe->values[i], strlen(recipe->values[i]) + 1, 1);
    recipe->values[i] = NULL;
}

void hill_recipe_free(hill_recipe *recipe)
{
    if (!recipe)
        return;
    hill_allocator allocator = recipe->allocator;
    hill__text_free(&recipe->text);
    for (size_t i = KNOB_COUNT; i-- > 0;)
        forget_value(recipe, i);
    hill__free(&allocator, recipe->values, KNOB_COUNT, sizeof *recipe->values);
    hill__free(&allocator, recipe, 1, sizeof *recipe);
}

int hill_recipe_set(hill_recipe *recipe, const char *knob, const char *value, hill_error *error)
{
    const hill_knob *row = hill_knob_find(knob);
    if (!row) {
        const char *near = hill_nearest(-1, knob);
        return hill__fail(error, HILL_ERECIPE, "unknown key '%.40s'%s%s%s", knob, near ? "; did you mean '" : "",
                          near ? near : "", near ? "'?" : "");
    }
    HILL__TRY(accept_value(row, value, error));
    char *copy = hill__copy_text(&recipe->allocator, value, strlen(value));
    if (!copy)
        return hill__fail_memory(error);
    size_t i = (size_t)(row - knob_table);
    forget_value(recipe, i);
    recipe->values[i] = copy;
    return HILL_OK;
}

/* begin..end without the blanks around it. */
static void trim(const char **begin, const char **end)
{
    while (*begin < *end && (**begin == ' ' || **begin == '\t'))
        ++*begin;
    while (*end > *begin && ((*end)[-1] == ' ' || (*end)[-1] == '\t' || (*end)[-1] == '\r'))
        --*end;
}

#define KEY_BYTES 40
#define VALUE_BYTES 2000

/* Copies begin..end into out of `size` bytes; false where it doesn't fit or holds a zero byte. */
static bool copy_part(char *out, size_t size, const char *begin, const char *end)
{
    size_t length = (size_t)(end - begin);
    if (length >= size || memchr(begin, '\0', length))
        return false;
    memcpy(out, begin, length);
    out[length] = '\0';
    return true;
}

static int parse_line(hill_recipe *recipe, const char *begin, const char *end, bool *seen, hill_error *error)
{
    char key[KEY_BYTES], value[VALUE_BYTES];
    trim(&begin, &end);
    if (begin == end || *begin == '#')
        return HILL_OK;
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    if (!equals)
        return hill__fail(error, HILL_ERECIPE, "a line is key=value");
    const char *key_end = equals, *value_begin = equals + 1;
    trim(&begin, &key_end);
    trim(&value_begin, &end);
    if (!copy_part(key, sizeof key, begin, key_end) || !copy_part(value, sizeof value, value_begin, end))
        return hill__fail(error, HILL_ERECIPE, "a key or a value is too long or holds a zero byte");
    const hill_knob *knob = hill_knob_find(key);
    if (knob && seen[knob - knob_table])
        return hill__fail(error, HILL_ERECIPE, "'%s' stands there twice", key);
    HILL__TRY(hill_recipe_set(recipe, key, value, error));
    seen[hill_knob_find(key) - knob_table] = true;
    return HILL_OK;
}

int hill_recipe_parse(hill_recipe *recipe, const char *text, size_t length, const char *origin, hill_error *error)
{
    bool seen[KNOB_COUNT] = {false};
    const char *end = text + length;
    for (size_t line = 1; text < end; line++) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        line_end = line_end ? line_end : end;
        hill_error inner = HILL_ERROR_INIT;
        int status = parse_line(recipe, text, line_end, seen, &inner);
        if (status < 0)
            return hill__fail(error, status, "%s:%zu: %s", origin ? origin : "recipe", line, inner.text);
        text = line_end < end ? line_end + 1 : end;
    }
    return HILL_OK;
}

const char *hill_recipe_get(const hill_recipe *recipe, const char *knob)
{
    const hill_knob *row = hill_knob_find(knob);
    if (!row)
        return NULL;
    const char *value = recipe->values[row - knob_table];
    return value ? value : row->initial;
}

int hill_recipe_is_set(const hill_recipe *recipe, const char *knob)
{
    const hill_knob *row = hill_knob_find(knob);
    return row && recipe->values[row - knob_table];
}

const char *hill_recipe_text(hill_recipe *recipe)
{
    hill__text_clear(&recipe->text);
    recipe->text.failed = false; /* there may be memory again */
    for (size_t i = 0; i < KNOB_COUNT; i++)
        if (recipe->values[i]) {
            hill__text_add_string(&recipe->text, knob_table[i].name);
            hill__text_add_string(&recipe->text, "=");
            hill__text_add_string(&recipe->text, recipe->values[i]);
            hill__text_add_string(&recipe->text, "\n");
        }
    return recipe->text.failed ? NULL : hill__text_string(&recipe->text);
}

void hill_recipe_limits(const hill_recipe *recipe, hill_limits *limits)
{
    const char *const knobs[] = {"limit-line", "limit-columns", "limit-header", "limit-ratio"};
    uint64_t *const fields[] = {&limits->line, &limits->columns, &limits->header, &limits->ratio};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (hill_recipe_is_set(recipe, knobs[i]) || *fields[i] == 0)
            *fields[i] = hill__recipe_count(recipe, knobs[i]);
}

bool hill__knob_is_lent(const hill_knob *knob)
{
    return strcmp(knob->group, "limits") == 0;
}

int hill__recipe_copy(const hill_recipe *recipe, const hill_allocator *allocator, hill_recipe **out, hill_error *error)
{
    hill_host host = HILL_HOST_INIT;
    host.allocator = *allocator;
    HILL__TRY(hill_recipe_new(&host, out, error));
    for (size_t i = 0; i < KNOB_COUNT; i++) {
        if (!recipe->values[i] || hill__knob_is_lent(&knob_table[i]))
            continue;
        int status = hill_recipe_set(*out, knob_table[i].name, recipe->values[i], error);
        if (status < 0) {
            hill_recipe_free(*out);
            *out = NULL;
            return status;
        }
    }
    return HILL_OK;
}

double hill__recipe_number(const hill_recipe *recipe, const char *knob)
{
    double value = 0;
    const char *text = hill_recipe_get(recipe, knob);
    return text && hill__parse_double(text, strlen(text), &value) == HILL__NUMBER_FINITE ? value : 0;
}

uint64_t hill__recipe_count(const hill_recipe *recipe, const char *knob)
{
    uint64_t value = 0;
    const char *text = hill_recipe_get(recipe, knob);
    return text && hill__parse_unsigned(text, strlen(text), &value) ? value : 0;
}

bool hill__recipe_is(const hill_recipe *recipe, const char *knob, const char *word)
{
    const char *text = hill_recipe_get(recipe, knob);
    return text && strcmp(text, word) == 0;
}
