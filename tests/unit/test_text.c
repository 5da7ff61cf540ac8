/*
 * test_text.c - text and lines that grow, and the words of a failure.
 */
#include "base/fp.h"

#include "support.h"

#include <wchar.h>

#include "base/text.h"

static void text_grows(void **state)
{
    (void)state;
    heap h = {0};
    hill_allocator allocator = {&h, heap_alloc, heap_free};
    hill__text text;
    hill__text_init(&text, &allocator);
    hill__text_clear(&text);
    assert_string_equal(hill__text_string(&text), "");
    hill__text_add(&text, NULL, 0);
    assert_string_equal(hill__text_string(&text), "");
    hill__text_add_string(&text, "a");
    hill__text_add_format(&text, "%d%s", 12, "b");
    hill__text_add_double(&text, 0.1);
    hill__text_add_float(&text, 0.1f);
    hill__text_add_rounded(&text, 1.0 / 3, 3);
    assert_string_equal(hill__text_string(&text), "a12b0.10.10.333");
    assert_int_equal(text.length, 15);
    hill__text_clear(&text);
    assert_string_equal(hill__text_string(&text), "");
    hill__text_add_format(&text, "%*s", 5000, "x");
    assert_int_equal(text.length, 1999);
    assert_int_equal(strlen(text.data), 1999);
    assert_false(text.failed);
    hill__text_free(&text);
    assert_heap_empty(&h);
}

/* Whatever was added before the failure stays as it is, and nothing is added behind it. */
static void text_that_failed_stays(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        heap h = {0};
        hill_allocator allocator = {&h, heap_alloc, heap_free};
        hill__text text;
        hill__text_init(&text, &allocator);
        if (kind != 2)
            hill__text_add_string(&text, "before");
        size_t length = text.length;
        h.fail_at = h.calls + 1;
        if (kind == 0)
            hill__text_add_format(&text, "%100s", "");
        else if (kind == 1)
            hill__text_add(&text, "", SIZE_MAX - 5);
        else if (kind == 2)
            hill__text_add(&text, "", SIZE_MAX);
        else
            hill__text_add_format(&text, "%lc", (wint_t)0x7FFFFFFF); /* no character: printf fails */
        assert_true(text.failed);
        hill__text_add_string(&text, "behind");
        assert_int_equal(text.length, length);
        assert_string_equal(hill__text_string(&text), length ? "before" : "");
        hill__text_free(&text);
        assert_heap_empty(&h);
    }
}

static void lines_are_found_again(void **state)
{
    (void)state;
    heap h = {0};
    hill_allocator allocator = {&h, heap_alloc, heap_free};
    hill__lines lines;
    char expected[40];
    hill__lines_init(&lines, &allocator);
    assert_null(hill__lines_at(&lines, 0));
    for (int i = 0; i < 50; i++)
        hill__lines_add(&lines, "line %d", i * i);
    assert_int_equal(lines.count, 50);
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "line %d", i * i);
        assert_string_equal(hill__lines_at(&lines, (size_t)i), expected);
    }
    assert_null(hill__lines_at(&lines, 50));
    hill__lines_free(&lines);
    assert_heap_empty(&h);
}

/* A line for which there is no memory is none, and it is known; the lines before it can be read. */
static void lines_that_failed_are_whole(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 6; at++) {
        heap h = {.fail_at = at};
        hill_allocator allocator = {&h, heap_alloc, heap_free};
        hill__lines lines;
        hill__lines_init(&lines, &allocator);
        for (int i = 0; i < 40; i++)
            hill__lines_add(&lines, "line");
        assert_true(lines.text.failed);
        assert_true(lines.count < 40);
        for (size_t i = 0; i < lines.count; i++)
            assert_string_equal(hill__lines_at(&lines, i), "line");
        assert_null(hill__lines_at(&lines, lines.count));
        hill__lines_free(&lines);
        assert_heap_empty(&h);
    }
}

static void every_status_has_its_words(void **state)
{
    (void)state;
#define ASSERT_WORDS(name, value, text)                          \
    assert_string_equal(hill_status_name(value), "HILL_" #name); \
    assert_string_equal(hill_status_text(value), text);
    HILL_STATUS_MAP(ASSERT_WORDS)
    assert_string_equal(hill_status_name(-1000), "HILL_?");
    assert_string_equal(hill_status_text(-1000), "unknown status");
    char version[40];
    snprintf(version, sizeof version, "%d.%d.%d", HILL_VERSION_MAJOR, HILL_VERSION_MINOR, HILL_VERSION_PATCH);
    assert_string_equal(hill_version(), version);
}

static void failures_are_told(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(hill__fail(NULL, HILL_EDATA, "%s", "unheard"), HILL_EDATA);
    assert_int_equal(hill__fail(&error, HILL_EDATA, "line %d", 3), HILL_EDATA);
    assert_int_equal(error.status, HILL_EDATA);
    assert_string_equal(error.text, "line 3");
    assert_int_equal(hill__fail(&error, HILL_EMODEL, "%*s", 3000, "long"), HILL_EMODEL);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_int_equal(hill__fail(&error, HILL_EINPUT, "%lc", (wint_t)0x7FFFFFFF), HILL_EINPUT); /* no character: printf fails */
    assert_string_equal(error.text, "");
    assert_int_equal(hill__fail_memory(&error), HILL_EMEMORY);
    assert_string_equal(error.text, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows),
        cmocka_unit_test(text_that_failed_stays),
        cmocka_unit_test(lines_are_found_again),
        cmocka_unit_test(lines_that_failed_are_whole),
        cmocka_unit_test(every_status_has_its_words),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
