/*
 * schedule.h - the rate of each step, and exact powers and cosines to compute it with.
 */
#ifndef HILL_TRAIN_SCHEDULE_H
#define HILL_TRAIN_SCHEDULE_H

#include "plan/recipe.h"
#include "plan/words.h"

typedef struct hill__schedule {
    hill__schedule_id id;
    double rate;
    double drop;
    uint64_t drop_every; /* epochs */
    uint64_t warmup;     /* steps */
    uint64_t epoch_steps;
    uint64_t total; /* steps */
} hill__schedule;

hill__schedule hill__schedule_make(const hill_recipe *recipe, uint64_t epoch_steps, uint64_t total);

/* Rate of step number `step`, from 0. */
double hill__schedule_rate(const hill__schedule *schedule, uint64_t step);

/* base^exponent by repeated squaring: the same bits everywhere, unlike pow. */
double hill__power(double base, uint64_t exponent);

/* cos(pi t) for 0 <= t <= 1, within 2 ULP. */
double hill__cos_pi(double t);

#endif
