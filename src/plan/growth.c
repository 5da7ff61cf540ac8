/*
 * growth.c - reads the text of a growth: items between commas, each "WORD AMOUNT", or the word alone where it has none.
 */
#include "base/fp.h"

#include "plan/growth.h"

#include <string.h>

#include "base/number.h"

#define GROWTH_WORD 32

/* The most that an amount may be; 0: a word without. */
static const double growth_most[] = {
#define GROW(id, word, most, formula, sentence) most,
#include "plan/words.def"
};

typedef struct growth_item {
    char word[GROWTH_WORD], amount[GROWTH_WORD];
} growth_item;

static bool growth_copy(char out[GROWTH_WORD], const char *from, size_t length)
{
    if (length >= GROWTH_WORD)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

/* Takes one item and moves *text behind it. */
static bool growth_take(const char **text, growth_item *item)
{
    const char *at = *text + strspn(*text, " \t");
    size_t word = strcspn(at, " \t,");
    const char *number = at + word + strspn(at + word, " \t");
    size_t digits = strcspn(number, " \t,");
    const char *end = number + digits + strspn(number + digits, " \t");
    bool good = growth_copy(item->word, at, word) && growth_copy(item->amount, number, digits) && (*end == ',' || *end == '\0');
    *text = end;
    return good;
}

static int growth_accept(const growth_item *item, hill__growth *growth, hill_error *error)
{
    int id = hill__word_index(HILL_WORDS_GROW, item->word);
    double amount = 1, most = id < 0 ? 0 : growth_most[id];
    char limit[HILL__NUMBER_TEXT];
    if (id < 0) {
        const char *near = hill_nearest(HILL_WORDS_GROW, item->word);
        return hill__fail(error, HILL_ERECIPE, "grow: '%s' is no way to grow; %s%s%s", item->word,
                          near ? "did you mean '" : "shift 2 or rotate 10 would be one", near ? near : "", near ? "'?" : "");
    }
    if (most == 0 && item->amount[0])
        return hill__fail(error, HILL_ERECIPE, "grow: '%s' takes no amount, so '%s' doesn't belong there", item->word,
                          item->amount);
    hill__format_double(most, limit);
    if (most > 0 &&
        (hill__parse_double(item->amount, strlen(item->amount), &amount) != HILL__NUMBER_FINITE || amount < 0 || amount > most))
        return hill__fail(error, HILL_ERECIPE, "grow: '%s' needs an amount from 0 to %s, as in '%s %s'", item->word, limit,
                          item->word, id == HILL__GROW_scale || id == HILL__GROW_mixup ? "0.1" : "2");
    growth->amounts[id] = (float)amount;
    growth->any = growth->any || amount > 0;
    growth->moves = growth->moves || (amount > 0 && id != HILL__GROW_mixup);
    return HILL_OK;
}

int hill__growth_parse(const char *text, hill__growth *growth, hill_error *error)
{
    const char *at = text;
    *growth = (hill__growth){.any = false};
    if (strcmp(text, "none") == 0 || strspn(text, " \t") == strlen(text))
        return HILL_OK;
    for (;; at++) {
        growth_item item;
        if (!growth_take(&at, &item))
            return hill__fail(error, HILL_ERECIPE, "grow: character %zu: an item is 'WORD AMOUNT', as in 'shift 2'",
                              (size_t)(at - text) + 1);
        HILL__TRY(growth_accept(&item, growth, error));
        if (*at == '\0')
            return HILL_OK;
    }
}
