/*
 * words.h - the vocabularies of the recipe as numbers.
 */
#ifndef HILL_PLAN_WORDS_H
#define HILL_PLAN_WORDS_H

#include "downhill.h"

typedef enum hill__rule_id {
#define RULE(id, word, loop, moments, formula, sentence) HILL__RULE_ID_##id,
#include "plan/words.def"
    HILL__RULE_ID_COUNT
} hill__rule_id;

typedef enum hill__schedule_id {
#define SCHEDULE(id, word, formula, sentence) HILL__SCHEDULE_##id,
#include "plan/words.def"
    HILL__SCHEDULE_COUNT
} hill__schedule_id;

typedef enum hill__init_id {
#define INIT(id, word, formula, sentence) HILL__INIT_##id,
#include "plan/words.def"
    HILL__INIT_COUNT
} hill__init_id;

typedef enum hill__grow_id {
#define GROW(id, word, most, formula, sentence) HILL__GROW_##id,
#include "plan/words.def"
    HILL__GROW_COUNT
} hill__grow_id;

/* Vectors that a rule keeps beside the weights. */
size_t hill__rule_moments(hill__rule_id rule);

/* Place of `word` in its vocabulary, or -1. */
int hill__word_index(hill_vocabulary vocabulary, const char *word);

#endif
