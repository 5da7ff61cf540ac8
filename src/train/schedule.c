/*
 * schedule.c - rates as a pure function of the step, made of IEEE operations only.
 */
#include "base/fp.h"

#include "train/schedule.h"

hill__schedule hill__schedule_make(const hill_recipe *recipe, uint64_t epoch_steps, uint64_t total)
{
    return (hill__schedule){
        .id = (hill__schedule_id)hill__word_index(HILL_WORDS_SCHEDULE, hill_recipe_get(recipe, "schedule")),
        .rate = hill__recipe_number(recipe, "rate"),
        .drop = hill__recipe_number(recipe, "drop"),
        .drop_every = hill__recipe_count(recipe, "drop-every"),
        .warmup = (uint64_t)(hill__recipe_number(recipe, "warmup") * (double)epoch_steps),
        .epoch_steps = epoch_steps,
        .total = total,
    };
}

double hill__power(double base, uint64_t exponent)
{
    double power = 1;
    for (; exponent; exponent /= 2) {
        if (exponent % 2)
            power *= base;
        base *= base;
    }
    return power;
}

#define PI 3.14159265358979323846

/* Taylor's series, far enough for |x| <= pi / 4: sum of (-1)^n x^(2n + odd) / (2n + odd)!. */
static double series(double x, int odd)
{
    double square = x * x, term = odd ? x : 1, sum = 0;
    for (int n = 1; n <= 9; n++) {
        sum += term;
        term *= -square / (double)((2 * n + odd - 1) * (2 * n + odd));
    }
    return sum;
}

double hill__cos_pi(double t)
{
    if (t > 0.5)
        return -hill__cos_pi(1 - t);
    return t > 0.25 ? series((0.5 - t) * PI, 1) : series(t * PI, 0);
}

double hill__schedule_rate(const hill__schedule *schedule, uint64_t step)
{
    uint64_t epoch = step / schedule->epoch_steps;
    if (step < schedule->warmup)
        return schedule->rate * ((double)(step + 1) / (double)schedule->warmup);
    switch (schedule->id) {
    case HILL__SCHEDULE_step:
        return schedule->rate * hill__power(schedule->drop, epoch / schedule->drop_every);
    case HILL__SCHEDULE_exponential:
        return schedule->rate * hill__power(schedule->drop, epoch);
    case HILL__SCHEDULE_cosine: {
        uint64_t length = schedule->total > schedule->warmup ? schedule->total - schedule->warmup : 1;
        return schedule->rate * (0.5 + 0.5 * hill__cos_pi((double)(step - schedule->warmup) / (double)length));
    }
    default:
        return schedule->rate;
    }
}
