/*
 * embed.c - the knob embed: which category columns become numbers of rows, and how wide their tables are. Invariant: what
 * hill__embed_choice writes makes the same choice of the same table again.
 */
#include "base/fp.h"

#include "data/embed.h"

#include <string.h>

#include "base/number.h"

/* Bytes that a recipe's line has room for, less some. */
#define EMBED_CHOICE_MOST 1900u

/* Where the name of an item "zip=8" ends; *width: the number behind the last '=', or HILL__EMBED_AUTO. false: no width. */
static bool embed_split(const char *item, size_t *length, size_t *width)
{
    size_t equals = *length;
    uint64_t number;
    *width = HILL__EMBED_AUTO;
    while (equals > 0 && item[equals - 1] != '=')
        equals--;
    if (equals == 0)
        return true;
    const char *digits = item + equals;
    size_t count = *length - equals, blanks = 0;
    while (blanks < count && digits[blanks] == ' ')
        blanks++;
    if (!hill__parse_unsigned(digits + blanks, count - blanks, &number) || number < 1 || number > HILL__EMBED_WIDTH)
        return false;
    *width = (size_t)number;
    for (*length = equals - 1; *length > 0 && item[*length - 1] == ' ';)
        --*length;
    return true;
}

/* Bytes of an item that a message shows. */
static int embed_shown(size_t length)
{
    return (int)(length < 200 ? length : 200);
}

static int embed_item(const hill_table *table, const char *item, size_t length, size_t target, size_t *widths,
                      hill_error *error)
{
    size_t column = SIZE_MAX, width = HILL__EMBED_AUTO;
    HILL__TRY(hill__table_find_bytes(table, item, length, &column, error));
    if (column == SIZE_MAX) {
        if (!embed_split(item, &length, &width))
            return hill__fail(error, HILL_EDATA, "%s: embed: '%.*s' has no width of 1 to %u behind its '='", table->name,
                              embed_shown(length), item, HILL__EMBED_WIDTH);
        HILL__TRY(hill__table_find_bytes(table, item, length, &column, error));
    }
    if (column == SIZE_MAX)
        return hill__fail(error, HILL_EDATA, "%s: embed: there is no column %.*s; it has %zu columns", table->name,
                          embed_shown(length), item, table->column_count);
    const hill__column *found = &table->columns[column];
    if (column == target)
        return hill__fail(error, HILL_EDATA, "%s: embed: column %s is the target", table->name, found->name);
    if (found->kind != HILL_COLUMN_CATEGORY)
        return hill__fail(error, HILL_EDATA, "%s: embed: column %s holds numbers; --category %s reads them as text",
                          table->name, found->name, found->name);
    widths[column] = width;
    return HILL_OK;
}

int hill__embed_mark(const hill_table *table, const char *text, size_t target, size_t *widths, hill_error *error)
{
    if (strcmp(text, "none") == 0)
        return HILL_OK;
    if (strcmp(text, "auto") == 0) {
        for (size_t i = 0; i < table->column_count; i++)
            if (i != target && table->columns[i].kind == HILL_COLUMN_CATEGORY)
                widths[i] = HILL__EMBED_AUTO;
        return HILL_OK;
    }
    size_t length;
    for (const char *item; (item = hill__list_next(&text, &length)) != NULL;)
        HILL__TRY(embed_item(table, item, length, target, widths, error));
    return HILL_OK;
}

/* The fourth root (TensorFlow team: Introducing TensorFlow Feature Columns, 2017), rounded up: at most 64, of 2^24 rows. */
size_t hill__embed_width(size_t rows)
{
    size_t width = 1;
    while (width * width * width * width < rows && width < 64)
        width++;
    return width;
}

size_t hill__embed_rows(const hill__input *input)
{
    return input->values.count + (input->missing ? 2 : 1);
}

void hill__embed_layer(const hill__encoder *encoder, hill__text *text)
{
    for (size_t i = 0; i < encoder->input_count; i++) {
        const hill__input *input = &encoder->inputs[i];
        if (!input->embedded)
            continue;
        hill__text_add_string(text, text->length ? "" : "embed");
        hill__text_add_format(text, " %zu:%zux%zu", input->first + 1, hill__embed_rows(input), input->embedded);
    }
}

/* Whether a list can name a column so. */
static bool embed_can_name(const hill_table *table, size_t column)
{
    const char *name = table->columns[column].name;
    size_t length = strlen(name);
    bool can = length > 0 && name[0] != ' ' && name[length - 1] != ' ' && !strpbrk(name, ",=");
    for (size_t i = 0; i < length; i++)
        can = can && (unsigned char)name[i] >= ' ';
    return can && hill__table_find(table, name) == column;
}

void hill__embed_add_column(const hill_table *table, size_t column, bool by_name, hill__text *text)
{
    if (by_name && embed_can_name(table, column))
        hill__text_add_string(text, table->columns[column].name);
    else
        hill__text_add_format(text, "%zu", column + 1);
}

static void embed_list(const hill__encoder *encoder, const hill_table *table, bool by_name, hill__text *text)
{
    for (size_t i = 0; i < encoder->input_count; i++) {
        const hill__input *input = &encoder->inputs[i];
        if (!input->embedded)
            continue;
        hill__text_add_string(text, text->length ? "," : "");
        hill__embed_add_column(table, input->position, by_name, text);
        hill__text_add_format(text, "=%zu", input->embedded);
    }
}

/* Columns by their names, so that tables of other orders are read alike; by their numbers where names are too long for a line. */
void hill__embed_choice(const hill__encoder *encoder, const hill_table *table, hill__text *text)
{
    embed_list(encoder, table, true, text);
    if (text->length > EMBED_CHOICE_MOST) {
        hill__text_clear(text);
        embed_list(encoder, table, false, text);
    }
    if (text->length == 0)
        hill__text_add_string(text, "none");
}
