/*
 * test_memory.c - sizes that would wrap are refused, blocks are what was asked for, and a hill_block is never written past its
 * end.
 */
#include "base/fp.h"

#include "support.h"

#include "base/memory.h"

static void sums_and_products_do_not_wrap(void **state)
{
    (void)state;
    size_t out = 7;
    assert_true(hill__mul(SIZE_MAX / 3, 3, &out) && out == SIZE_MAX / 3 * 3);
    assert_true(hill__mul(SIZE_MAX, 0, &out) && out == 0);
    assert_true(hill__add(SIZE_MAX - 5, 5, &out) && out == SIZE_MAX);
    assert_true(hill__round_up(33, 16, &out) && out == 48);
    assert_true(hill__round_up(48, 16, &out) && out == 48);
    out = 7;
    assert_false(hill__mul(SIZE_MAX / 3 + 1, 3, &out));
    assert_false(hill__add(SIZE_MAX - 5, 6, &out));
    assert_false(hill__round_up(SIZE_MAX - 3, 16, &out));
    assert_int_equal(out, 7);
}

/* A host must give both functions, else neither counts. */
static void allocators_are_whole_or_malloc(void **state)
{
    (void)state;
    heap h = {0};
    hill_host host = heap_host(&h);
    assert_ptr_equal(hill__allocator(&host).self, &h);
    host.allocator.free = NULL;
    assert_null(hill__allocator(&host).self);
    host = heap_host(&h);
    host.allocator.alloc = NULL;
    assert_null(hill__allocator(&host).self);
    assert_true(hill__allocator(NULL).alloc == hill__allocator(&host).alloc);
}

static void blocks_are_zero_and_come_back_whole(void **state)
{
    (void)state;
    heap h = {0};
    hill_allocator allocator = {&h, heap_alloc, heap_free};
    char *block = hill__alloc(&allocator, 5, 3);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(block[i], 0);
    assert_int_equal(h.bytes, 15);
    hill__free(&allocator, block, 5, 3);
    block = hill__alloc(&allocator, 0, 8);
    assert_non_null(block);
    hill__free(&allocator, block, 0, 8);
    char *aligned = hill__alloc_aligned(&allocator, 100);
    assert_int_equal((uintptr_t)aligned % HILL__ALIGN, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(aligned[i], 0);
    hill__free_aligned(&allocator, aligned, 100);
    hill__free_aligned(&allocator, NULL, 100);
    hill__free(&allocator, NULL, 5, 3);
    char *copy = hill__copy_text(&allocator, "text and more", 4);
    assert_string_equal(copy, "text");
    hill__free(&allocator, copy, 5, 1);
    copy = hill__copy_text(&allocator, NULL, 0);
    assert_string_equal(copy, "");
    hill__free(&allocator, copy, 1, 1);
    assert_heap_empty(&h);
}

static void memory_that_ends_or_would_wrap_is_none(void **state)
{
    (void)state;
    heap h = {0};
    hill_allocator allocator = {&h, heap_alloc, heap_free};
    assert_null(hill__alloc(&allocator, SIZE_MAX / 2, 3));
    assert_null(hill__alloc_aligned(&allocator, SIZE_MAX - 10));
    assert_null(hill__copy_text(&allocator, "", SIZE_MAX));
    assert_int_equal(h.calls, 0);
    for (size_t kind = 0; kind < 3; kind++) {
        h.fail_at = h.calls + 1;
        assert_null(kind == 0   ? hill__alloc(&allocator, 1, 1)
                    : kind == 1 ? hill__alloc_aligned(&allocator, 1)
                                : hill__copy_text(&allocator, "a", 1));
    }
    assert_int_equal(h.calls, 3);
    assert_heap_empty(&h);
}

static void arrays_grow_and_keep_what_they_hold(void **state)
{
    (void)state;
    heap h = {0};
    hill_allocator allocator = {&h, heap_alloc, heap_free};
    void *items = NULL;
    size_t capacity = 0;
    for (size_t n = 1; n <= 100; n++) {
        assert_true(hill__grow(&allocator, &items, &capacity, n, sizeof n));
        assert_true(capacity >= n);
        ((size_t *)items)[n - 1] = n;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(((size_t *)items)[i], i + 1);
    }
    void *before = items;
    size_t room = capacity;
    h.fail_at = h.calls + 1;
    assert_false(hill__grow(&allocator, &items, &capacity, room + 1, sizeof(size_t)));
    assert_false(hill__grow(&allocator, &items, &capacity, SIZE_MAX - 1, sizeof(size_t)));
    assert_true(items == before && capacity == room);
    hill__free(&allocator, items, capacity, sizeof(size_t));
    assert_heap_empty(&h);
}

static void a_block_gives_what_it_has(void **state)
{
    (void)state;
    static char memory[1000];
    for (size_t shift = 0; shift < 16; shift++) {
        hill_block block = {sizeof block, memory + shift, 100, 0, 0};
        hill_allocator allocator = hill_block_allocator(&block);
        char *one = allocator.alloc(allocator.self, 10), *two = allocator.alloc(allocator.self, 20);
        assert_true(one >= memory + shift && two >= one + 10 && two + 20 <= memory + shift + 100);
        assert_int_equal((uintptr_t)one % 16, 0);
        assert_int_equal((uintptr_t)two % 16, 0);
        size_t used = block.used;
        assert_int_equal(block.peak, used);
        assert_null(allocator.alloc(allocator.self, 100));
        assert_null(allocator.alloc(allocator.self, SIZE_MAX - 5));
        assert_int_equal(block.used, used);
        allocator.free(allocator.self, one, 10);
        assert_int_equal(block.used, used); /* not the last one */
        allocator.free(allocator.self, two, 20);
        assert_int_equal(block.used, used - 20);
        assert_ptr_equal(allocator.alloc(allocator.self, 8), two);
        assert_int_equal(block.peak, used);
    }
    hill_block full = {sizeof full, memory, SIZE_MAX, SIZE_MAX - 3, 0};
    hill_allocator allocator = hill_block_allocator(&full);
    assert_null(allocator.alloc(allocator.self, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_do_not_wrap),       cmocka_unit_test(allocators_are_whole_or_malloc),
        cmocka_unit_test(blocks_are_zero_and_come_back_whole), cmocka_unit_test(memory_that_ends_or_would_wrap_is_none),
        cmocka_unit_test(arrays_grow_and_keep_what_they_hold), cmocka_unit_test(a_block_gives_what_it_has),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
