/*
 * schedule.c - rates as a pure function of the step, made of IEEE operations only.
 */
#include "base/fp.h"

#include "train/schedule.h"

#include <math.h>

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

#define SQRT_TWO 1.41421356237309504880
#define TWO_OVER_LN_TWO 2.88539008177792681472

/* x = 2^n m with m about 1, and ln m = 2 artanh((m - 1) / (m + 1)), whose series ends soon. */
double hill__log2(double x)
{
    double whole = 0, sum = 0;
    for (; x > SQRT_TWO; x /= 2)
        whole++;
    double z = (x - 1) / (x + 1), square = z * z;
    for (int n = 23; n >= 1; n -= 2)
        sum = sum * square + 1.0 / n;
    return whole + TWO_OVER_LN_TWO * (z * sum);
}

/* From 1 at t = 0 to 0 at t = 1. */
static double half_cosine(double t)
{
    return 0.5 + 0.5 * hill__cos_pi(t);
}

/* Down from 1 at whole numbers of waves to 0 between them. */
static double waves(double t)
{
    double part = 2 * (t - (double)(uint64_t)t);
    return half_cosine(part > 1 ? 2 - part : part);
}

/*
 * One cycle of `length` steps, as PyTorch's OneCycleLR has it: 30% of them up from 1 / 25, the rest down to 1 / 250000.
 */
static double one_cycle(double step, double length)
{
    const double start = 1 / 25.0, end = start / 1e4;
    double top = 0.3 * length - 1;
    if (step <= top)
        return start + (1 - start) * (1 - half_cosine(top > 0 ? step / top : 1));
    return end + (1 - end) * half_cosine((step - top) / (length - 1 - top));
}

/* A cost counts as better by this part. */
#define PLATEAU_BETTER 1e-4

void hill__schedule_look(const hill__schedule *schedule, hill__plateau *plateau, double cost)
{
    double best = plateau->best;
    if (schedule->id != HILL__SCHEDULE_plateau)
        return;
    plateau->waited++;
    if (cost < best - PLATEAU_BETTER * (best < 0 ? -best : best) || (cost < best && best == INFINITY)) {
        plateau->best = cost;
        plateau->waited = 0;
    }
    if (plateau->waited > schedule->drop_every) {
        plateau->drops++;
        plateau->waited = 0;
    }
}

/* What the rate is multiplied with, `step` steps behind the warm-up, of `length`. */
static double part_of_rate(const hill__schedule *schedule, uint64_t step, uint64_t length)
{
    double t = (double)step / (double)length;
    switch (schedule->id) {
    case HILL__SCHEDULE_cosine:
        return half_cosine(t);
    case HILL__SCHEDULE_one_cycle:
        return one_cycle((double)step, (double)length);
    case HILL__SCHEDULE_flat_cosine:
        return t < 0.5 ? 1 : half_cosine(2 * t - 1);
    case HILL__SCHEDULE_coslog4:
        return 1 - waves(hill__log2(1 + 15 * t));
    default:
        return 1;
    }
}

double hill__schedule_rate(const hill__schedule *schedule, uint64_t step, uint64_t drops)
{
    uint64_t epoch = step / schedule->epoch_steps;
    if (step < schedule->warmup)
        return schedule->rate * ((double)(step + 1) / (double)schedule->warmup);
    switch (schedule->id) {
    case HILL__SCHEDULE_step:
        return schedule->rate * hill__power(schedule->drop, epoch / schedule->drop_every);
    case HILL__SCHEDULE_exponential:
        return schedule->rate * hill__power(schedule->drop, epoch);
    case HILL__SCHEDULE_plateau:
        return schedule->rate * hill__power(schedule->drop, drops);
    default: {
        uint64_t length = schedule->total > schedule->warmup ? schedule->total - schedule->warmup : 1;
        return schedule->rate * part_of_rate(schedule, step - schedule->warmup, length);
    }
    }
}
