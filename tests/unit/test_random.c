/*
 * test_random.c - Philox4x32-10 gives the published numbers; permutations are permutations; uniforms are uniform.
 */
#include "base/fp.h"

#include "support.h"

/* The known answers that Random123, the generator's first implementation, is published with. */
static void philox_gives_the_published_numbers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        uint32_t out[4];
        hill__philox(known[i].counter, known[i].key, out);
        for (size_t word = 0; word < 4; word++)
            assert_int_equal(out[word], known[i].out[word]);
    }
}

/* Where seed, step, purpose and element go: a part of the contract that no published number covers. */
static void bits_are_a_word_of_a_block(void **state)
{
    (void)state;
    const uint64_t seed = 0x0123456789abcdefu, step = 0xfedcba9876543210u;
    for (uint64_t element = 0; element < 20; element++) {
        const uint32_t key[2] = {0x89abcdef, 0x01234567};
        const uint32_t counter[4] = {0x76543210, 0xfedcba98, 7, (uint32_t)(element / 4)};
        uint32_t out[4];
        hill__philox(counter, key, out);
        assert_int_equal(hill__random_bits(seed, step, 7, element), out[element % 4]);
        assert_true(hill__random_uniform(seed, step, 7, element) == (float)(out[element % 4] >> 8) / 16777216.0f);
    }
}

static void uniform_numbers_fill_their_range_evenly(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18, BINS = 64 };
    uint64_t bins[BINS] = {0};
    double sum = 0, previous = 0, product = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        float x = hill__random_uniform(3, 1, HILL__PURPOSE_INIT, i);
        assert_true(x >= 0 && x < 1);
        assert_true((double)x * 0x1p24 == (double)(uint32_t)(x * 0x1p24f));
        bins[(size_t)(x * BINS)]++;
        sum += (double)x;
        product += ((double)x - 0.5) * (previous - 0.5);
        previous = (double)x;
    }
    double chi = 0, each = (double)COUNT / BINS;
    for (size_t i = 0; i < BINS; i++)
        chi += ((double)bins[i] - each) * ((double)bins[i] - each) / each;
    assert_true(chi > 30 && chi < 110); /* 63 degrees of freedom: 63 +- 11 */
    assert_true(sum / COUNT > 0.498 && sum / COUNT < 0.502);
    assert_true(product / COUNT < 0.001 && product / COUNT > -0.001); /* neighbours: 0 +- 0.00016 */
}

static void assert_bijection(uint64_t count, uint64_t seed, uint64_t step, unsigned char *seen)
{
    hill__permutation order = hill__permutation_make(count, seed, step, HILL__PURPOSE_ORDER);
    memset(seen, 0, (size_t)count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = hill__permutation_at(&order, i);
        assert_true(at < count);
        assert_false(seen[at]);
        seen[at] = 1;
    }
}

static void permutations_meet_every_row_once(void **state)
{
    (void)state;
    static const uint64_t large[] = {4095, 4096, 4097, 65535, 65537, 131071, 262144};
    unsigned char *seen = malloc(262144);
    assert_non_null(seen);
    for (uint64_t count = 1; count <= 2000; count++)
        assert_bijection(count, count % 7, count % 3, seen);
    for (size_t i = 0; i < COUNT_OF(large); i++)
        assert_bijection(large[i], 1, i, seen);
    free(seen);
}

static int compare_counts(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Too many to meet them all: those met lie inside and differ. */
static void permutations_of_more_rows_than_memory_holds(void **state)
{
    (void)state;
    enum { MET = 20000 };
    static const uint64_t counts[] = {((uint64_t)1 << 32) + 1, ((uint64_t)1 << 40) + 12345, UINT64_MAX / 2 + 2, UINT64_MAX};
    static uint64_t met[MET];
    for (size_t c = 0; c < COUNT_OF(counts); c++) {
        hill__permutation order = hill__permutation_make(counts[c], 5, 0, HILL__PURPOSE_ORDER);
        for (uint64_t i = 0; i < MET; i++) {
            met[i] = hill__permutation_at(&order, i % 2 ? counts[c] - 1 - i : i);
            assert_true(met[i] < counts[c]);
        }
        qsort(met, MET, sizeof *met, compare_counts);
        for (size_t i = 1; i < MET; i++)
            assert_true(met[i - 1] != met[i]);
        assert_true(met[0] < counts[c] / 1000 && met[MET - 1] > counts[c] - counts[c] / 1000);
    }
}

static void epochs_seeds_and_purposes_have_orders_of_their_own(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    hill__permutation orders[] = {
        hill__permutation_make(COUNT, 1, 0, HILL__PURPOSE_ORDER),
        hill__permutation_make(COUNT, 1, 1, HILL__PURPOSE_ORDER),
        hill__permutation_make(COUNT, 2, 0, HILL__PURPOSE_ORDER),
        hill__permutation_make(COUNT, 1, 0, HILL__PURPOSE_SPLIT),
        {.count = 0},
    };
    for (size_t a = 0; a < 4; a++)
        for (size_t b = a + 1; b < 5; b++) {
            size_t same = 0; /* of two drawn orders one place in a thousand agrees */
            for (uint64_t i = 0; i < COUNT; i++)
                same += hill__permutation_at(&orders[a], i) == (b < 4 ? hill__permutation_at(&orders[b], i) : i);
            assert_true(same < 10);
        }
}

/* The first row of an epoch is any row, equally often; so is every order of three rows. */
static void orders_are_drawn_evenly(void **state)
{
    (void)state;
    enum { EPOCHS = 12000 };
    size_t first[12] = {0}, orders[27] = {0};
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        hill__permutation twelve = hill__permutation_make(12, 1, epoch, HILL__PURPOSE_ORDER);
        hill__permutation three = hill__permutation_make(3, 1, epoch, HILL__PURPOSE_ORDER);
        first[hill__permutation_at(&twelve, 0)]++;
        orders[hill__permutation_at(&three, 0) * 9 + hill__permutation_at(&three, 1) * 3 + hill__permutation_at(&three, 2)]++;
    }
    for (size_t i = 0; i < 12; i++)
        assert_in_range(first[i], 800, 1200); /* 1000 +- 30 */
    static const size_t all[] = {5, 7, 11, 15, 19, 21};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_in_range(orders[all[i]], 1800, 2200); /* 2000 +- 40 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(bits_are_a_word_of_a_block),
        cmocka_unit_test(uniform_numbers_fill_their_range_evenly),
        cmocka_unit_test(permutations_meet_every_row_once),
        cmocka_unit_test(permutations_of_more_rows_than_memory_holds),
        cmocka_unit_test(epochs_seeds_and_purposes_have_orders_of_their_own),
        cmocka_unit_test(orders_are_drawn_evenly),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
