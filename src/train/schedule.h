/*
 * schedule.h - the rate of each step, and exact powers, cosines and logarithms to compute it with.
 */
#ifndef HILL_TRAIN_SCHEDULE_H
#define HILL_TRAIN_SCHEDULE_H

#include "plan/recipe.h"
#include "plan/words.h"

typedef struct hill__schedule {
    hill__schedule_id id;
    double rate;
    double drop;
    uint64_t drop_every; /* epochs; plateau: that bring nothing before a drop */
    uint64_t warmup;     /* steps */
    uint64_t epoch_steps;
    uint64_t total; /* steps */
} hill__schedule;

hill__schedule hill__schedule_make(const hill_recipe *recipe, uint64_t epoch_steps, uint64_t total);

/* What the plateau schedule has seen: the best cost, how many epochs ago that was, how often the rate was dropped. */
typedef struct hill__plateau {
    double best; /* INFINITY: none yet */
    uint64_t waited;
    uint64_t drops;
} hill__plateau;

/* An epoch ended with this cost. */
void hill__schedule_look(const hill__schedule *schedule, hill__plateau *plateau, double cost);

/* Rate of step number `step`, from 0, after so many drops of the plateau schedule. */
double hill__schedule_rate(const hill__schedule *schedule, uint64_t step, uint64_t drops);

/* base^exponent by repeated squaring: the same bits everywhere, unlike pow. */
double hill__power(double base, uint64_t exponent);

/* cos(pi t) for 0 <= t <= 1, within 2 ULP. */
double hill__cos_pi(double t);

/* The logarithm of x >= 1 to the base 2, within 2 ULP or 1e-16. */
double hill__log2(double x);

#endif
