/*
 * words.h - the vocabularies of the recipe as numbers.
 */
#ifndef HILL_PLAN_WORDS_H
#define HILL_PLAN_WORDS_H

#include "downhill.h"

typedef enum hill__rule_id {
#define RULE(id, word, move, loop, moments, rows, rate, decay, formula, sentence) HILL__RULE_ID_##id,
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

/* Of how many rows a rule wants to see the cost before each step: any number, mostly all, or always all. */
typedef enum hill__rule_rows { HILL__ROWS_ANY, HILL__ROWS_ALL, HILL__ROWS_ALWAYS } hill__rule_rows;

/* Where weight decay goes: into the gradient, or apart from it. */
typedef enum hill__rule_decay { HILL__DECAY_INTO, HILL__DECAY_APART } hill__rule_decay;

/* What a plan must know of a rule. */
typedef struct hill__rule_facts {
    size_t moments; /* vectors that it keeps beside the weights */
    hill__rule_rows rows;
    const char *rate; /* what auto means */
    hill__rule_decay decay;
} hill__rule_facts;

const hill__rule_facts *hill__rule_facts_of(hill__rule_id rule);

/* Place of `word` in its vocabulary, or -1. */
int hill__word_index(hill_vocabulary vocabulary, const char *word);

#endif
