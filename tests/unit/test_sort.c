/*
 * test_sort.c - hill__sort sorts, keeps the order of equals, and never compares much more than it must.
 */
#include "base/fp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/sort.h"

#define MOST 3000

typedef struct counted {
    uint32_t items[MOST];
    size_t *comparisons;
} counted;

static int compare(const void *self, size_t a, size_t b)
{
    const counted *list = self;
    ++*list->comparisons;
    return list->items[a] < list->items[b] ? -1 : list->items[a] > list->items[b];
}

static void sorts(counted *list, size_t count)
{
    size_t order[MOST], comparisons = 0, logarithm = 1;
    unsigned char met[MOST] = {0};
    list->comparisons = &comparisons;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    hill__sort(order, count, compare, list);
    while ((size_t)1 << logarithm < count)
        logarithm++;
    assert_true(comparisons <= 4 * count * logarithm);
    for (size_t i = 0; i < count; i++) {
        assert_false(met[order[i]]);
        met[order[i]] = 1;
        if (i == 0)
            continue;
        uint32_t before = list->items[order[i - 1]], here = list->items[order[i]];
        assert_true(before < here || (before == here && order[i - 1] < order[i]));
    }
}

static void test_sort(void **state)
{
    (void)state;
    static counted list;
    for (size_t count = 0; count <= 40; count++)
        for (uint32_t values = 1; values < 50; values += 7) {
            for (size_t i = 0; i < count; i++)
                list.items[i] = hill__random_bits(count, values, 0, i) % values;
            sorts(&list, count);
        }
    for (size_t i = 0; i < MOST; i++)
        list.items[i] = (uint32_t)i;
    sorts(&list, MOST);
    for (size_t i = 0; i < MOST; i++)
        list.items[i] = (uint32_t)(MOST - i);
    sorts(&list, MOST);
    for (size_t i = 0; i < MOST; i++)
        list.items[i] = hill__random_bits(1, 2, 3, i);
    sorts(&list, MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sort)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
