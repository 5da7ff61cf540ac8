/*
 * test_schedule.c - rates of steps, powers and cosines, against values that NumPy computed from the manual's formulas.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "train/schedule.h"

static hill__schedule make_schedule(const char *text, uint64_t epoch_steps, uint64_t total)
{
    hill_recipe *recipe;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, NULL), HILL_OK);
    hill__schedule schedule = hill__schedule_make(recipe, epoch_steps, total);
    hill_recipe_free(recipe);
    return schedule;
}

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-15 * fabs(wanted) + 2e-17))
        fail_msg("%.17g, not %.17g", got, wanted);
}

/* Of 100 steps, ten an epoch. */
static void rates_are_those_of_the_formulas(void **state)
{
    (void)state;
    static const uint64_t steps[8] = {0, 7, 14, 15, 29, 30, 65, 99};
    static const struct {
        const char *text;
        double rates[8];
    } cases[] = {
        {"", {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}},
        {"warmup=1.5", {0.0066666666666666671, 0.053333333333333337, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}},
        {"schedule=step\ndrop=0.5\ndrop-every=3", {0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.025, 0.0125}},
        {"schedule=step\ndrop=0.5\ndrop-every=3\nwarmup=1.5",
         {0.0066666666666666671, 0.053333333333333337, 0.1, 0.1, 0.1, 0.05, 0.025, 0.0125}},
        {"schedule=exponential\ndrop=0.9", {0.1, 0.1, 0.09, 0.09, 0.081, 0.0729, 0.0531441, 0.0387420489}},
        {"schedule=exponential\ndrop=0.9\nwarmup=1.5",
         {0.0066666666666666671, 0.053333333333333337, 0.1, 0.09, 0.081, 0.0729, 0.0531441, 0.0387420489}},
        {"schedule=cosine",
         {0.1, 0.098795838096937372, 0.095241352623300968, 0.094550326209418389, 0.08064535268264883, 0.079389262614623674,
          0.027300475013022664, 2.467198171341445e-05}},
        {"schedule=cosine\nwarmup=1.5",
         {0.0066666666666666671, 0.053333333333333337, 0.1, 0.1, 0.093454447315276412, 0.092510856786480702,
          0.036316850496395853, 3.4146992848843594e-05}},
        {"schedule=one-cycle",
         {0.0040000000000000036, 0.017152216387689725, 0.04940133238789996, 0.05459866761210004, 0.1, 0.09994965352845243,
          0.04775696745544034, 4.0000000000000003e-07}},
        {"schedule=flat-cosine", {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.07938926261462365, 9.866357858642206e-05}},
        {"schedule=coslog4",
         {0.0, 0.0012472943353773582, 0.08370444787212998, 0.06531941051542432, 0.09374536264682538, 0.09838444269228756,
          0.09472930369148214, 0.00018214406488273327}},
        {"schedule=plateau\ndrop=0.5", {0.025, 0.025, 0.025, 0.025, 0.025, 0.025, 0.025, 0.025}},
        {"schedule=plateau\nwarmup=1.5\ndrop=0.5",
         {0.0066666666666666671, 0.053333333333333337, 0.1, 0.025, 0.025, 0.025, 0.025, 0.025}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "rate=0.1\n%s", cases[i].text);
        hill__schedule schedule = make_schedule(text, 10, 100);
        for (size_t k = 0; k < 8; k++)
            assert_near(hill__schedule_rate(&schedule, steps[k], 2), cases[i].rates[k]);
    }
}

/* A warm-up that takes the whole run or longer leaves nothing for the cosine. */
static void a_warm_up_may_take_the_whole_run(void **state)
{
    (void)state;
    hill__schedule schedule = make_schedule("rate=0.5\nschedule=cosine\nwarmup=20", 10, 100);
    assert_near(hill__schedule_rate(&schedule, 99, 0), 0.25);
    schedule = make_schedule("rate=0.5\nschedule=cosine\nwarmup=10", 10, 100);
    assert_near(hill__schedule_rate(&schedule, 99, 0), 0.5);
    assert_near(hill__schedule_rate(&schedule, 100, 0), 0.5);
    assert_near(hill__schedule_rate(&schedule, 101, 0), 0);
}

static void powers_and_cosines_are_right(void **state)
{
    (void)state;
    static const double cosines[][2] = {{0, 1},
                                        {0.125, 0.92387953251128663},
                                        {0.25, 0.70710678118654768},
                                        {0.3, 0.58778525229247314},
                                        {1 / 3.0, 0.50000000000000011},
                                        {0.5, 0},
                                        {2 / 3.0, -0.49999999999999972},
                                        {0.75, -0.70710678118654746},
                                        {0.9, -0.95105651629515364},
                                        {1, -1}};
    for (size_t i = 0; i < COUNT_OF(cosines); i++)
        assert_near(hill__cos_pi(cosines[i][0]), cosines[i][1]);
    assert_true(hill__power(0.3, 0) == 1 && hill__power(0.3, 1) == 0.3 && hill__power(2, 63) == 0x1p63);
    assert_true(hill__power(0, 0) == 1 && hill__power(0, 5) == 0 && hill__power(0.5, UINT64_MAX) == 0);
    assert_near(hill__power(0.9, 10), 0.3486784401);
    static const double logarithms[][2] = {{1, 0},
                                           {1.0000001, 1.4426949695965583e-07},
                                           {1.4, 0.48542682717024166},
                                           {1.5, 0.5849625007211562},
                                           {3, 1.584962500721156},
                                           {10.1, 3.3362833878644325},
                                           {1e6, 19.931568569324174}};
    for (size_t i = 0; i < COUNT_OF(logarithms); i++)
        assert_near(hill__log2(logarithms[i][0]), logarithms[i][1]);
    assert_true(hill__log2(2) == 1 && hill__log2(16) == 4 && hill__log2(0x1p100) == 100);
}

/* Better by a ten-thousandth counts, and the cost of an epoch that is no number doesn't. */
static void plateaus_are_seen(void **state)
{
    (void)state;
    static const double costs[] = {5, 4, 4, 3.9999, 4, NAN, 3, 3, 3, 3, 3, 3, -1, -1.00005, -1, -1.01};
    static const uint64_t drops[] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2};
    hill__schedule schedule = make_schedule("rate=1\nschedule=plateau\ndrop-every=2", 10, 100);
    hill__plateau plateau = {.best = INFINITY};
    for (size_t i = 0; i < COUNT_OF(costs); i++) {
        hill__schedule_look(&schedule, &plateau, costs[i]);
        if (plateau.drops != drops[i])
            fail_msg("%u drops after cost %zu", (unsigned)plateau.drops, i);
    }
    assert_true(plateau.best == -1.01 && plateau.waited == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_those_of_the_formulas),
        cmocka_unit_test(a_warm_up_may_take_the_whole_run),
        cmocka_unit_test(powers_and_cosines_are_right),
        cmocka_unit_test(plateaus_are_seen),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
