/*
 * factors.c - reads what layers multiply the rate with. Layers are counted as in the names of tensors.
 */
#include "base/fp.h"

#include "plan/factors.h"

#include <stdbool.h>
#include <string.h>

#include "base/number.h"

#define FACTOR_MOST 1e6

/* Layers first .. last, SIZE_MAX for the net's last one, and their factor. */
typedef struct factor_item {
    size_t first, last;
    double factor;
} factor_item;

static const char *factor_blanks(const char *at)
{
    return at + strspn(at, " ");
}

/* A layer's number, or "last"; NULL where there is neither. */
static const char *factor_layer(const char *at, size_t *layer)
{
    size_t digits = strspn(at, "0123456789");
    uint64_t number = 0;
    *layer = SIZE_MAX;
    if (strncmp(at, "last", 4) == 0)
        return at + 4;
    if (digits == 0 || !hill__parse_unsigned(at, digits, &number) || number == 0 || number >= SIZE_MAX)
        return NULL;
    *layer = (size_t)number;
    return at + digits;
}

/* Behind the item at `at`, which ends at a comma or the end; NULL where it isn't one. */
static const char *factor_read(const char *at, factor_item *item)
{
    at = factor_layer(factor_blanks(at), &item->first);
    item->last = item->first;
    if (at && *at == '-')
        at = factor_layer(at + 1, &item->last);
    if (!at || *(at = factor_blanks(at)) != ':' || item->last < item->first)
        return NULL;
    at = factor_blanks(at + 1);
    size_t length = strcspn(at, " ,");
    if (hill__parse_double(at, length, &item->factor) != HILL__NUMBER_FINITE || !(item->factor >= 0) ||
        item->factor > FACTOR_MOST)
        return NULL;
    at = factor_blanks(at + length);
    return *at == ',' || *at == '\0' ? at : NULL;
}

int hill__factors_check(const char *text, size_t layers, hill_error *error)
{
    factor_item item;
    for (const char *at = text, *end; *factor_blanks(at); at = *end ? end + 1 : end) {
        end = factor_read(at, &item);
        if (!end || (*end && !*factor_blanks(end + 1)))
            return hill__fail(
                error, HILL_ERECIPE,
                "rate-factors: character %zu: an item is a layer or two with a - between, a colon and a number from 0 "
                "on, as in '1:0.1, 3-4:0, last:2'",
                (size_t)(at - text) + 1);
        size_t most = item.last < SIZE_MAX ? item.last : item.first < SIZE_MAX ? item.first : 0;
        if (layers > 0 && most > layers)
            return hill__fail(error, HILL_ERECIPE, "rate-factors: there is no layer %zu; %zu have weights", most, layers);
    }
    return HILL_OK;
}

double hill__factor_of(const char *text, size_t layer, size_t layers)
{
    factor_item item;
    double factor = 1;
    for (const char *at = text, *end; *factor_blanks(at) && (end = factor_read(at, &item)) != NULL; at = *end ? end + 1 : end) {
        size_t first = item.first < SIZE_MAX ? item.first : layers, last = item.last < SIZE_MAX ? item.last : layers;
        factor = first <= layer && layer <= last ? item.factor : factor;
    }
    return factor;
}
