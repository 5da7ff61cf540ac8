/*
 * words.c - the vocabularies of the recipe, made from op.def and words.def, and the guess at what a mistyped word meant.
 */
#include "base/fp.h"

#include "plan/words.h"

#include <string.h>

#define WORD(word, formula, sentence) {word, formula, sentence},

static const hill_word layer_words[] = {
#define LAYER(id, word, flags, formula, sentence) WORD(word, formula, sentence)
#include "op/op.def"
    {NULL, NULL, NULL}};

static const hill_word activation_words[] = {
#define ACTIVATION(id, word, flags, formula, sentence) WORD(word, formula, sentence)
#include "op/op.def"
    {NULL, NULL, NULL}};

static const hill_word cost_words[] = {
#define COST(id, word, kernel, output, flags, formula, sentence) WORD(word, formula, sentence)
#include "op/op.def"
    {NULL, NULL, NULL}};

static const hill_word rule_words[] = {
#define RULE(id, word, move, loop, moments, rows, rate, decay, formula, sentence) WORD(word, formula, sentence)
#include "plan/words.def"
    {NULL, NULL, NULL}};

static const hill_word schedule_words[] = {
#define SCHEDULE(id, word, formula, sentence) WORD(word, formula, sentence)
#include "plan/words.def"
    {NULL, NULL, NULL}};

static const hill_word init_words[] = {
#define INIT(id, word, formula, sentence) WORD(word, formula, sentence)
#include "plan/words.def"
    {NULL, NULL, NULL}};

static const hill_word grow_words[] = {
#define GROW(id, word, most, formula, sentence) WORD(word, formula, sentence)
#include "plan/words.def"
    {NULL, NULL, NULL}};

/* In the order of hill_vocabulary. */
static const hill_word *const vocabularies[] = {layer_words,    activation_words, cost_words, rule_words,
                                                schedule_words, init_words,       grow_words};
#define VOCABULARY_COUNT (sizeof vocabularies / sizeof *vocabularies)

const hill_word *hill_words(hill_vocabulary vocabulary, size_t i)
{
    if ((size_t)vocabulary >= VOCABULARY_COUNT)
        return NULL;
    const hill_word *words = vocabularies[vocabulary];
    while (i-- && words->name)
        words++;
    return words->name ? words : NULL;
}

static const hill__rule_facts rule_facts[] = {
#define RULE(id, word, move, loop, moments, rows, rate, decay, formula, sentence) \
    {moments, HILL__ROWS_##rows, rate, HILL__DECAY_##decay},
#include "plan/words.def"
};

const hill__rule_facts *hill__rule_facts_of(hill__rule_id rule)
{
    return &rule_facts[rule];
}

int hill_rule_takes_all(const char *rule)
{
    int id = hill__word_index(HILL_WORDS_RULE, rule);
    return id < 0 ? -1 : rule_facts[id].rows != HILL__ROWS_ANY;
}

int hill__word_index(hill_vocabulary vocabulary, const char *word)
{
    const hill_word *words = vocabularies[vocabulary];
    for (int i = 0; words[i].name; i++)
        if (strcmp(words[i].name, word) == 0)
            return i;
    return -1;
}

#define LONGEST_WORD 32
#define NEAR 2

/* Edit distance of two words: letters put in, left out, changed or swapped with their neighbour. */
static size_t distance_between(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[3][LONGEST_WORD + 1];
    if (n > LONGEST_WORD || m > LONGEST_WORD)
        return LONGEST_WORD;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

static const char *candidate_at(int vocabulary, size_t i)
{
    if (vocabulary >= 0) {
        const hill_word *word = hill_words((hill_vocabulary)vocabulary, i);
        return word ? word->name : NULL;
    }
    size_t count;
    const hill_knob *knobs = hill_knobs(&count);
    return i < count ? knobs[i].name : NULL;
}

const char *hill_nearest(int vocabulary, const char *word)
{
    const char *nearest = NULL, *candidate;
    size_t least = NEAR + 1;
    for (size_t i = 0; (candidate = candidate_at(vocabulary, i)) != NULL; i++) {
        size_t distance = distance_between(word, candidate);
        if (distance < least && distance < strlen(candidate)) {
            least = distance;
            nearest = candidate;
        }
    }
    return nearest;
}
