/*
 * test_threads.c - the pool: every part of every round is done once and is done before the call returns, however many threads
 * there are and however they sleep.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "support.h"

#include <time.h>

#include "base/threads.h"

typedef struct counted {
    atomic_uint done[64];
    unsigned parts;
    bool slow; /* one part takes longer than anybody looks */
} counted;

static void count_part(void *context, unsigned part, unsigned parts)
{
    counted *c = context;
    assert_int_equal(parts, c->parts);
    if (c->slow && part + 1 == parts)
        (void)nanosleep(&(struct timespec){0, 3000000}, NULL);
    atomic_fetch_add(&c->done[part], 1);
}

static void run_rounds(hill__pool *pool, unsigned parts, unsigned rounds, bool slow)
{
    static counted c;
    memset(&c, 0, sizeof c);
    c.slow = slow;
    c.parts = parts < hill__pool_size(pool) ? parts : hill__pool_size(pool);
    for (unsigned round = 1; round <= rounds; round++) {
        hill__pool_run(pool, parts, count_part, &c);
        for (unsigned part = 0; part < 64; part++)
            assert_int_equal(atomic_load(&c.done[part]), part < c.parts ? round : 0);
    }
}

static void every_part_is_done_once(void **state)
{
    (void)state;
    hill_allocator allocator = hill__allocator(NULL);
    for (unsigned threads = 1; threads <= 9; threads += threads < 4 ? 1 : 5) {
        hill__pool *pool;
        assert_int_equal(hill__pool_new(threads, &allocator, &pool), HILL_OK);
        assert_int_equal(hill__pool_size(pool), threads);
        for (unsigned parts = 1; parts <= threads + 1; parts++)
            run_rounds(pool, parts, 300, false);
        hill__pool_free(pool);
    }
}

/* The caller sleeps until a slow part is done; workers sleep between rounds that come late. */
static void sleepers_wake_up(void **state)
{
    (void)state;
    hill_allocator allocator = hill__allocator(NULL);
    hill__pool *pool;
    assert_int_equal(hill__pool_new(3, &allocator, &pool), HILL_OK);
    run_rounds(pool, 3, 10, true);
    for (unsigned i = 0; i < 10; i++) {
        (void)nanosleep(&(struct timespec){0, 5000000}, NULL);
        run_rounds(pool, 2 + i % 2, 1, false);
    }
    hill__pool_free(pool);
}

static void a_pool_that_never_ran_ends(void **state)
{
    (void)state;
    hill_allocator allocator = hill__allocator(NULL);
    for (unsigned i = 0; i < 20; i++) {
        hill__pool *pool;
        assert_int_equal(hill__pool_new(4, &allocator, &pool), HILL_OK);
        hill__pool_free(pool);
    }
    hill__pool_free(NULL);
    assert_int_equal(hill__pool_size(NULL), 1);
}

static void parts_cover_everything_once(void **state)
{
    (void)state;
    for (size_t count = 0; count < 200; count += count < 70 ? 1 : 13)
        for (size_t unit = 1; unit <= 64; unit *= 4)
            for (unsigned parts = 1; parts <= 9; parts++) {
                size_t at = 0, begin, end;
                for (unsigned part = 0; part < parts; part++) {
                    hill__split(count, unit, part, parts, &begin, &end);
                    assert_true(begin == at && end >= begin && (begin % unit == 0 || begin == count));
                    at = end;
                }
                assert_int_equal(at, count);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_done_once),
        cmocka_unit_test(sleepers_wake_up),
        cmocka_unit_test(a_pool_that_never_ran_ends),
        cmocka_unit_test(parts_cover_everything_once),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
