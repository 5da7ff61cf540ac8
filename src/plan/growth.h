/*
 * growth.h - the text of what a training row may become: "shift 2, rotate 10, mixup 0.2".
 */
#ifndef HILL_PLAN_GROWTH_H
#define HILL_PLAN_GROWTH_H

#include <stdbool.h>

#include "base/status.h"
#include "plan/words.h"

/* How much of each there is at most; 0: none. Units are the words' own (words.def). */
typedef struct hill__growth {
    float amounts[HILL__GROW_COUNT];
    bool any;
    bool moves; /* it moves pixels, and needs a picture */
} hill__growth;

/* "" and "none" are no growth. HILL_ERECIPE: says what isn't understood. */
int hill__growth_parse(const char *text, hill__growth *growth, hill_error *error);

#endif
