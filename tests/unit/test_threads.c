/*
 * test_threads.c - the pool: every part of every round is done once and is done before the call returns, however many threads
 * there are and however they sleep. Calls of the system that say how many cores there are, and that make threads, can be made
 * to fail (tests/CMakeLists.txt names them).
 */
#define _GNU_SOURCE /* cpu_set_t */

#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/threads.h"

/* ---- a system that fails ------------------------------------------------------------------------------------------------ */

static bool no_affinity;
static int cores = -1;  /* what sched_getaffinity() says; -1: the truth */
static int core = -2;   /* what sched_getcpu() says; -2: the truth */
static long processors; /* what sysconf() says; 0: the truth */
static int threads_left = -1;

/* A sanitizer asks the system before it is ready to look at who asks. */
#if defined(__clang__)
#define UNSEEN __attribute__((disable_sanitizer_instrumentation))
#else
#define UNSEEN
#endif

/* The linker calls them so. */
int __real_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __real_sched_getcpu(void);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *argument);
long __real_sysconf(int name);
UNSEEN int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
UNSEEN int __wrap_sched_getcpu(void);
UNSEEN int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *argument);
UNSEEN long __wrap_sysconf(int name);

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    int result = no_affinity ? -1 : __real_sched_getaffinity(pid, size, set);
    if (cores >= 0)
        CPU_ZERO_S(size, set);
    for (int i = 0; i < cores; i++)
        CPU_SET_S((size_t)i, size, set);
    return result;
}

int __wrap_sched_getcpu(void)
{
    return core == -2 ? __real_sched_getcpu() : core;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *argument)
{
    if (threads_left == 0)
        return EAGAIN;
    threads_left -= threads_left > 0;
    return __real_pthread_create(thread, attributes, begin, argument);
}

long __wrap_sysconf(int name)
{
    return processors ? processors : __real_sysconf(name);
}

/* ---- the pool ------------------------------------------------------------------------------------------------------------ */

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

static void a_pool_that_cannot_be_made_is_none(void **state)
{
    (void)state;
    heap h = {0};
    hill_allocator allocator = {&h, heap_alloc, heap_free};
    hill__pool *pool;
    for (size_t at = 1; at <= 2; at++) {
        h.fail_at = h.calls + at;
        assert_int_equal(hill__pool_new(4, &allocator, &pool), HILL_EMEMORY);
        assert_null(pool);
        assert_heap_empty(&h);
    }
    for (threads_left = 0; threads_left < 3;) {
        int left = threads_left;
        assert_int_equal(hill__pool_new(4, &allocator, &pool), HILL_ETHREAD);
        assert_null(pool);
        assert_heap_empty(&h);
        threads_left = left + 1;
    }
    threads_left = 0;
    assert_int_equal(hill__pool_new(UINT32_MAX, &allocator, &pool), HILL_ETHREAD);
    threads_left = -1;
    assert_heap_empty(&h);
}

/* Work is done where nothing can be found out about cores, too. */
static void cores_that_are_not_known(void **state)
{
    (void)state;
    hill_allocator allocator = hill__allocator(NULL);
    hill__pool *pool;
    assert_true(hill__core_count() >= 1 && hill__core_count() <= (unsigned long)__real_sysconf(_SC_NPROCESSORS_ONLN));
    no_affinity = true;
    assert_int_equal(hill__core_count(), __real_sysconf(_SC_NPROCESSORS_ONLN));
    processors = 5;
    assert_int_equal(hill__core_count(), 5);
    processors = -1;
    assert_int_equal(hill__core_count(), 1);
    processors = 0;
    for (unsigned i = 0; i < 4; i++) {
        core = (int[]){-2, -1, 1 << 20, 0}[i];
        no_affinity = i == 0;
        cores = i == 3 ? 1 : -1;
        assert_int_equal(hill__pool_new(3, &allocator, &pool), HILL_OK);
        run_rounds(pool, 3, 50, false);
        hill__pool_free(pool);
    }
    assert_int_equal(hill__core_count(), 1);
    cores = 0;
    assert_int_equal(hill__core_count(), __real_sysconf(_SC_NPROCESSORS_ONLN));
    cores = -1;
    core = -2;
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
        cmocka_unit_test(every_part_is_done_once),    cmocka_unit_test(sleepers_wake_up),
        cmocka_unit_test(a_pool_that_never_ran_ends), cmocka_unit_test(a_pool_that_cannot_be_made_is_none),
        cmocka_unit_test(cores_that_are_not_known),   cmocka_unit_test(parts_cover_everything_once),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
