/*
 * threads.c - the pool. Invariant: between two calls of hill__pool_run every worker waits for `round` to change, and a worker
 * that isn't part of a round touches nothing of it.
 *
 * Workers and the caller look for a short while before they block: a step of a small net is over sooner than a sleeping thread
 * wakes up, and endless looking would steal the time of whoever has work. Soon they let others have the processor between two
 * looks: the system often wakes a worker where its caller runs, and as long as the two take turns in blocking it sees no reason
 * to part them. Where others do want it, each yield may cost a whole slice of time: then threads block at once. Nobody takes the
 * mutex while nobody sleeps.
 */
#define _GNU_SOURCE /* sched_getaffinity and its kin */

#include "base/fp.h"

#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

/* Looks with a pause between two, and after those looks with a yield. */
#define LOOKS_PAUSED 300u
#define LOOKS 1500u

/* After so many yields it is seen whether a quarter of them let others run. */
#define YIELDS 16

typedef struct pool_worker {
    hill__pool *pool;
    pthread_t thread;
    unsigned part;
} pool_worker;

struct hill__pool {
    hill_allocator allocator;
    pool_worker *workers; /* [size - 1] */
    unsigned size;
    unsigned started;
    int caller_core; /* -1: not known */
    pthread_mutex_t mutex;
    pthread_cond_t wake, finished;
    hill__task task;
    void *context;
    _Atomic uint64_t round; /* how many there were, and in its low bits the parts of the last one */
    atomic_uint busy;       /* workers of the round that aren't done yet */
    atomic_uint sleepers;   /* workers that wait for `wake` or are about to */
    atomic_bool waiting;    /* the caller waits for `finished` or is about to */
    atomic_bool stop;
};

#define ROUND_PARTS 0xFFFFu /* parts in `round` */
#define ROUND_NEXT 0x10000u

/* How often this thread had to leave its processor to another; 0 where the system doesn't say. */
static long switches(void)
{
#if defined(RUSAGE_THREAD)
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) == 0)
        return usage.ru_nivcsw + usage.ru_nvcsw;
#endif
    return 0;
}

/* A wait that begins: so many looks, and the switches when the first yield was made. */
typedef struct pool_wait {
    unsigned look;
    long switched;
} pool_wait;

/* Passes a moment; false where it's time to block. */
static bool look_again(pool_wait *wait)
{
    unsigned look = wait->look++;
    if (look >= LOOKS_PAUSED) {
        if (look == LOOKS_PAUSED)
            wait->switched = switches();
        else if ((look - LOOKS_PAUSED) % YIELDS == 0 && switches() - wait->switched > YIELDS / 4)
            return false;
        (void)sched_yield();
        return look < LOOKS;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
    return true;
}

/* Waits until there was another round than `seen`, and returns it. */
static uint64_t wait_for_round(hill__pool *pool, uint64_t seen)
{
    uint64_t round;
    pool_wait wait = {0};
    do {
        if ((round = atomic_load_explicit(&pool->round, memory_order_acquire)) != seen)
            return round;
    } while (look_again(&wait));
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while ((round = atomic_load(&pool->round)) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
    return round;
}

static void finish_part(hill__pool *pool)
{
    if (atomic_fetch_sub(&pool->busy, 1) != 1 || !atomic_load(&pool->waiting))
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->finished);
    pthread_mutex_unlock(&pool->mutex);
}

/*
 * Keeps a worker off the core that its caller ran on when the pool was made. The system likes to wake a thread where its waker
 * runs, and may leave the two there for a second.
 */
static void keep_off(int core)
{
#if defined(__linux__)
    cpu_set_t set;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 2)
        return;
    CPU_CLR((unsigned)core, &set);
    /* Only a wish: without it work is done as well. */
    (void)sched_setaffinity(0, sizeof set, &set);
#else
    (void)core;
#endif
}

static void *work(void *argument)
{
    pool_worker *worker = argument;
    hill__pool *pool = worker->pool;
    keep_off(pool->caller_core);
    for (uint64_t seen = 0;;) {
        seen = wait_for_round(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        unsigned parts = (unsigned)(seen & ROUND_PARTS);
        if (worker->part < parts) {
            pool->task(pool->context, worker->part, parts);
            finish_part(pool);
        }
    }
}

/* Workers see all that was written before; a worker that went to sleep unseen has seen the round. */
static void begin_round(hill__pool *pool, unsigned parts)
{
    uint64_t round = atomic_load_explicit(&pool->round, memory_order_relaxed);
    atomic_store(&pool->round, (round & ~(uint64_t)ROUND_PARTS) + ROUND_NEXT + parts);
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_parts(hill__pool *pool)
{
    pool_wait wait = {0};
    do {
        if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0)
            return;
    } while (look_again(&wait));
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->waiting, true);
    while (atomic_load(&pool->busy) != 0)
        pthread_cond_wait(&pool->finished, &pool->mutex);
    atomic_store(&pool->waiting, false);
    pthread_mutex_unlock(&pool->mutex);
}

/* Loops keep up to 128 KiB near at hand, which is all that some systems give a thread. */
#define STACK_BYTES ((size_t)1 << 20)

static int start_worker(pool_worker *worker)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);
    if (failed)
        return failed;
    failed = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (!failed)
        failed = pthread_create(&worker->thread, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    return failed;
}

int hill__pool_new(unsigned threads, const hill_allocator *allocator, hill__pool **out)
{
    *out = NULL;
    if (threads > ROUND_PARTS)
        threads = ROUND_PARTS;
    if (threads <= 1)
        return HILL_OK;
    hill__pool *pool = hill__alloc(allocator, 1, sizeof *pool);
    if (!pool)
        return HILL_EMEMORY;
    pool->allocator = *allocator;
    pool->size = threads;
    pool->caller_core = -1;
#if defined(__linux__)
    pool->caller_core = sched_getcpu();
#endif
    pool->workers = hill__alloc(allocator, threads - 1, sizeof *pool->workers);
    if (!pool->workers) {
        hill__free(allocator, pool, 1, sizeof *pool);
        return HILL_EMEMORY;
    }
    int failed = pthread_mutex_init(&pool->mutex, NULL) | pthread_cond_init(&pool->wake, NULL) |
                 pthread_cond_init(&pool->finished, NULL);
    for (; !failed && pool->started < threads - 1; pool->started += !failed) {
        pool_worker *worker = &pool->workers[pool->started];
        *worker = (pool_worker){.pool = pool, .part = pool->started + 1};
        failed = start_worker(worker);
    }
    if (failed) {
        hill__pool_free(pool);
        return HILL_ETHREAD;
    }
    *out = pool;
    return HILL_OK;
}

void hill__pool_free(hill__pool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->stop, true);
    begin_round(pool, 0);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    hill_allocator allocator = pool->allocator;
    hill__free(&allocator, pool->workers, pool->size - 1, sizeof *pool->workers);
    hill__free(&allocator, pool, 1, sizeof *pool);
}

unsigned hill__pool_size(const hill__pool *pool)
{
    return pool ? pool->size : 1;
}

void hill__pool_run(hill__pool *pool, unsigned parts, hill__task task, void *context)
{
    if (parts > hill__pool_size(pool))
        parts = hill__pool_size(pool);
    if (parts <= 1) {
        task(context, 0, 1);
        return;
    }
    pool->task = task;
    pool->context = context;
    atomic_store_explicit(&pool->busy, parts - 1, memory_order_relaxed);
    begin_round(pool, parts);
    task(context, 0, parts);
    wait_for_parts(pool);
}

unsigned hill__core_count(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

void hill__split(size_t count, size_t unit, unsigned part, unsigned parts, size_t *begin, size_t *end)
{
    if (parts == 1) {
        *begin = 0;
        *end = count;
        return;
    }
    size_t units = count / unit + (count % unit != 0);
    size_t each = units / parts, more = units % parts;
    size_t first = part * each + (part < more ? part : more);
    size_t last = first + each + (part < more);
    *begin = first * unit < count ? first * unit : count;
    *end = last * unit < count ? last * unit : count;
}
