/*
 * names.c - lists of different texts. Invariant: once closed, items[sorted[i]] ascend bytewise and none stands twice.
 */
#include "base/fp.h"

#include "data/names.h"

#include <string.h>

#include "base/number.h"
#include "base/sort.h"

/* Values of a column: in the order of their numbers, or bytewise where `numbers` is NULL or two numbers are equal. */
typedef struct names_values {
    const hill__lines *texts;
    const double *numbers;
} names_values;

static int names_compare(const void *self, size_t a, size_t b)
{
    char *const *items = self;
    return strcmp(items[a], items[b]);
}

static int names_compare_values(const void *self, size_t a, size_t b)
{
    const names_values *values = self;
    if (values->numbers && values->numbers[a] != values->numbers[b])
        return values->numbers[a] < values->numbers[b] ? -1 : 1;
    return strcmp(hill__lines_at(values->texts, a), hill__lines_at(values->texts, b));
}

/* Reads every chosen value as a number; false where one isn't. */
static bool names_read_numbers(const hill__lines *texts, const size_t *order, size_t count, double *numbers)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = hill__lines_at(texts, order[i]);
        if (hill__parse_double(text, strlen(text), &numbers[order[i]]) != HILL__NUMBER_FINITE)
            return false;
    }
    return true;
}

/* Brings the chosen values of the column into order. */
static bool names_order(const hill__census *census, size_t *order, const hill_allocator *allocator)
{
    const hill__lines *texts = &census->column->values;
    double *numbers = hill__alloc(allocator, texts->count, sizeof *numbers);
    if (!numbers)
        return false;
    names_values values = {texts, NULL};
    if (census->numeric && names_read_numbers(texts, order, census->found, numbers))
        values.numbers = numbers;
    hill__sort(order, census->found, names_compare_values, &values);
    hill__free(allocator, numbers, texts->count, sizeof *numbers);
    return true;
}

/* Lists the codes that stand in the rows, ascending. */
static bool names_codes(hill__census *census, size_t *order, const hill_allocator *allocator)
{
    size_t room = census->column->values.count;
    bool *seen = hill__alloc(allocator, room, sizeof *seen);
    if (!seen)
        return false;
    census->found = 0;
    census->missing = 0;
    for (uint64_t i = 0; i < census->row_count; i++) {
        uint32_t code = census->column->codes[census->rows ? census->rows[i] : i];
        if (code < room)
            seen[code] = true;
        else
            census->missing++;
    }
    for (size_t code = 0; code < room; code++)
        if (seen[code])
            order[census->found++] = code;
    hill__free(allocator, seen, room, sizeof *seen);
    return true;
}

static int names_fill(hill__names *names, hill__census *census, size_t *order, const hill_allocator *allocator,
                      hill_error *error)
{
    if (!names_codes(census, order, allocator))
        return hill__fail_memory(error);
    if (census->found > census->most)
        return HILL_OK;
    if (!names_order(census, order, allocator) || !hill__names_init(names, census->found, allocator))
        return hill__fail_memory(error);
    for (size_t i = 0; i < census->found; i++) {
        const char *text = hill__lines_at(&census->column->values, order[i]);
        if (!hill__names_add(names, text, strlen(text)))
            return hill__fail_memory(error);
    }
    if (!hill__names_close(names))
        return hill__fail(error, HILL_EDATA, "column %s holds one value under two codes", census->column->name);
    return HILL_OK;
}

bool hill__names_init(hill__names *names, size_t room, const hill_allocator *allocator)
{
    *names = (hill__names){.allocator = *allocator, .room = room};
    names->items = hill__alloc(allocator, room, sizeof *names->items);
    names->sorted = hill__alloc(allocator, room, sizeof *names->sorted);
    if (names->items && names->sorted)
        return true;
    hill__names_free(names);
    return false;
}

void hill__names_free(hill__names *names)
{
    for (size_t i = 0; i < names->count; i++)
        hill__free(&names->allocator, names->items[i], strlen(names->items[i]) + 1, 1);
    hill__free(&names->allocator, names->items, names->room, sizeof *names->items);
    hill__free(&names->allocator, names->sorted, names->room, sizeof *names->sorted);
    *names = (hill__names){.allocator = names->allocator};
}

bool hill__names_add(hill__names *names, const char *text, size_t length)
{
    char *copy = hill__copy_text(&names->allocator, text, length);
    if (!copy)
        return false;
    names->sorted[names->count] = names->count;
    names->items[names->count++] = copy;
    return true;
}

bool hill__names_close(hill__names *names)
{
    hill__sort(names->sorted, names->count, names_compare, names->items);
    for (size_t i = 1; i < names->count; i++)
        if (strcmp(names->items[names->sorted[i - 1]], names->items[names->sorted[i]]) == 0)
            return false;
    return true;
}

size_t hill__names_find(const hill__names *names, const char *text)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int side = strcmp(text, names->items[names->sorted[middle]]);
        if (side == 0)
            return names->sorted[middle];
        if (side < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

int hill__names_census(hill__names *names, hill__census *census, const hill_allocator *allocator, hill_error *error)
{
    size_t room = census->column->values.count;
    *names = (hill__names){.allocator = *allocator};
    size_t *order = hill__alloc(allocator, room, sizeof *order);
    int status = order ? names_fill(names, census, order, allocator, error) : hill__fail_memory(error);
    hill__free(allocator, order, room, sizeof *order);
    if (status < 0)
        hill__names_free(names);
    return status;
}
