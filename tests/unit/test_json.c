/*
 * test_json.c - the JSON reader takes exactly RFC 8259 within its bounds, and what the writer writes it reads back.
 */
#include "base/fp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static hill_allocator memory(void)
{
    return hill__allocator(NULL);
}

static hill__json_tree *read_text(const char *text, size_t length, hill_error *error)
{
    hill_allocator allocator = memory();
    hill__json_tree *tree;
    int status = hill__json_parse(text, length, &allocator, &tree, error);
    if (status == HILL_OK)
        assert_non_null(tree);
    else {
        assert_null(tree);
        assert_int_equal(status, HILL_EDATA);
    }
    return tree;
}

static void takes(const char *text)
{
    hill_error error = HILL_ERROR_INIT;
    hill__json_tree *tree = read_text(text, strlen(text), &error);
    if (!tree)
        fail_msg("%s: refused: %s", text, error.text);
    hill__json_free(tree);
}

/* Refused, the error ending in the byte where it went wrong. */
static void refuses_bytes(const char *text, size_t length, size_t at)
{
    hill_error error = HILL_ERROR_INIT;
    hill__json_tree *tree = read_text(text, length, &error);
    char end[40];
    snprintf(end, sizeof end, "at byte %zu", at);
    if (tree)
        fail_msg("%s: taken", text);
    const char *found = strstr(error.text, end);
    if (!found || strcmp(found, end) != 0)
        fail_msg("%s: \"%s\" doesn't end in \"%s\"", text, error.text, end);
}

static void refuses(const char *text, size_t at)
{
    refuses_bytes(text, strlen(text), at);
}

static void test_values(void **state)
{
    (void)state;
    takes("null");
    takes(" \t\r\n true \n");
    takes("[]");
    takes("{}");
    takes("-0");
    takes("0.5e-07");
    takes("1E+400");
    takes("[1,[2,[3]],{\"a\":{}}]");
    takes("\"\\ud83d\\ude00 \\u0000 \\/ \xc3\xa9 \xf4\x8f\xbf\xbf\"");
    takes("{\"a\":1,\"A\":1,\"a \":1}");
    takes("\"\xc2\x80 \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf1\x80\x80\x80\"");
    takes("\"\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\\uFFFF\\ud800\\udc00\\udbff\\udfff\"");
}

static void test_refused(void **state)
{
    (void)state;
    refuses("", 0);
    refuses("  ", 2);
    refuses("nul", 0);
    refuses("True", 0);
    refuses("1 2", 2);
    refuses("[1,]", 3);
    refuses("[1 2]", 3);
    refuses("[", 1);
    refuses("{\"a\":1,}", 7);
    refuses("{\"a\" 1}", 5);
    refuses("{a:1}", 1);
    refuses("{\"a\":}", 5);
    refuses("01", 0);
    refuses("+1", 0);
    refuses("-", 0);
    refuses("1.", 0);
    refuses(".5", 0);
    refuses("1e", 0);
    refuses("NaN", 0);
    refuses("Infinity", 0);
    refuses("\"abc", 0);
    refuses("\"a\nb\"", 2);
    refuses("\"\\x\"", 1);
    refuses("\"\\u12g4\"", 1);
    refuses("\"\\ud800\"", 1);
    refuses("\"\\udc00\"", 1);
    refuses("\"\\ud800\\u0041\"", 1);
    refuses("\"\xc0\x80\"", 1);
    refuses("\"\xed\xa0\x80\"", 1);
    refuses("\"\xf4\x90\x80\x80\"", 1);
    refuses("\"\xe2\x82\"", 1);
    refuses("\"\xff\"", 1);
    refuses("\"\xe0\x9f\xbf\"", 1);
    refuses("\"\xf0\x8f\xbf\xbf\"", 1);
    refuses("\"\xe2\x82", 1);
    refuses("\"\xf5\x80\x80\x80\"", 1);
    refuses("\"\xc3\x28\"", 1);
    refuses("\"\\ud800\\", 1);
    refuses("\"\\ud800\\n\"", 1);
    refuses("\"\\ud800\\udc0g\"", 1);
    refuses("\"\\ud800\\ue000\"", 1);
    refuses("\"\\", 1);
    refuses("-a", 0);
    refuses("{\"a\":1,\"b\":2,\"\\u0061\":3}", 23);
    refuses("[{\"k\":[],\"k\":[]}]", 15);
    refuses("{\"a\\u0000b\":1}", 1);
    refuses_bytes("[1]\0", 4, 3);
    refuses("// no\n1", 0);
}

static void test_depth(void **state)
{
    (void)state;
    char text[80];
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    refuses_bytes(text, 66, 32);
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    text[64] = '\0';
    takes(text);
}

/* What a string holds once it is read, byte for byte. */
static void test_escapes(void **state)
{
    (void)state;
    const char text[] = "\"\\u007f\\u0080\\u07ff\\u0800\\uD7ff\\ue000\\ud800\\udc00\\udbff\\udfff\\b\\f\\n\\r\\t\\\"\\\\\\/\"";
    const char expected[] =
        "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\b\f\n\r\t\"\\/";
    hill__json_tree *tree = read_text(text, sizeof text - 1, NULL);
    assert_non_null(tree);
    assert_string_equal(hill__json_root(tree)->string, expected);
    assert_int_equal(hill__json_root(tree)->length, sizeof expected - 1);
    hill__json_free(tree);
}

/* A text may hold 2^20 values, and more where they are 16 bytes long on average. */
static void test_many_values(void **state)
{
    (void)state;
    const size_t values = (size_t)1 << 20, blanks = (size_t)1 << 24;
    char *text = malloc(blanks + 2 * values + 100);
    assert_non_null(text);
    memset(text, ' ', blanks);
    char *list = text + blanks, *end = list + 2 * values;
    for (char *at = list; at < end; at += 2)
        memcpy(at, at == list ? "[1" : ",1", 2);
    strcpy(end - 2, "]"); /* the list is a value, too */
    takes(list);
    strcpy(end - 2, ",1]");
    refuses(list, 2 * values - 1);
    strcpy(end - 2, ",1,1,1,1]");
    takes(text);
    free(text);
}

static void test_cut(void **state)
{
    (void)state;
    const char text[] = "{\"name\":[1.5e3,true,null,\"x\\u00e9\"],\"b\":{\"c\":false}}";
    hill_error error = HILL_ERROR_INIT;
    for (size_t length = 0; length < sizeof text - 1; length++)
        assert_null(read_text(text, length, &error));
    takes(text);
}

static void test_reading(void **state)
{
    (void)state;
    const char text[] = "{\"s\":\"a\\n\\u0000\\ud83d\\ude00\",\"n\":-1.5e3,\"u\":18446744073709551615,\"l\":[1,\"b\",{}],\"w\":"
                        "2.0,\"i\":1e999}";
    hill_error error = HILL_ERROR_INIT;
    hill__json_tree *tree = read_text(text, sizeof text - 1, &error);
    const hill__json *root = hill__json_root(tree);
    double number;
    uint64_t count;
    assert_int_equal(root->kind, HILL__JSON_OBJECT);
    assert_int_equal(root->count, 6);
    const hill__json *s = hill__json_get(root, "s");
    assert_int_equal(s->length, 7);
    assert_memory_equal(s->string, "a\n\0\xf0\x9f\x98\x80", 8);
    assert_string_equal(s->key, "s");
    assert_true(hill__json_double(hill__json_get(root, "n"), &number));
    assert_true(number == -1500);
    assert_false(hill__json_unsigned(hill__json_get(root, "n"), &count));
    assert_true(hill__json_unsigned(hill__json_get(root, "u"), &count));
    assert_true(count == UINT64_MAX);
    assert_false(hill__json_unsigned(hill__json_get(root, "w"), &count));
    assert_false(hill__json_double(s, &number));
    assert_false(hill__json_double(hill__json_get(root, "i"), &number));
    const hill__json *list = hill__json_get(root, "l");
    assert_int_equal(list->count, 3);
    assert_string_equal(list->first->next->string, "b");
    assert_int_equal(list->first->next->next->kind, HILL__JSON_OBJECT);
    assert_null(list->first->next->next->next);
    assert_null(hill__json_get(root, "x"));
    assert_null(hill__json_get(list, "s"));
    assert_null(hill__json_get(NULL, "s"));
    assert_false(hill__json_double(NULL, &number));
    assert_false(hill__json_unsigned(NULL, &count));
    assert_false(hill__json_unsigned(s, &count));
    hill__json_free(tree);
    hill__json_free(NULL);
}

static void test_writing(void **state)
{
    (void)state;
    hill_allocator allocator = memory();
    hill__text text;
    hill_error error = HILL_ERROR_INIT;
    const char hard[] = "q\" b\\ n\n t\t \x01 \xc3\xa9 \xf0\x9f\x98\x80";
    hill__text_init(&text, &allocator);
    hill__text_add_string(&text, "[");
    hill__json_add_string(&text, hard, sizeof hard - 1);
    hill__text_add_string(&text, ",");
    hill__json_add_string(&text, "a\xff\0b", 4);
    const double numbers[] = {0.1, -1e-300, 5e-324, 1.7976931348623157e308, 12345678, 1.0 / 3};
    for (size_t i = 0; i < 6; i++) {
        hill__text_add_string(&text, ",");
        hill__json_add_double(&text, numbers[i]);
    }
    hill__text_add_string(&text, ",");
    hill__json_add_double(&text, numbers[3] * 10);
    hill__text_add_string(&text, ",");
    hill__json_add_double(&text, numbers[3] * 10 - numbers[3] * 10);
    hill__text_add_string(&text, "]");
    assert_false(text.failed);

    hill__json_tree *tree = read_text(text.data, text.length, &error);
    assert_non_null(tree);
    const hill__json *item = hill__json_root(tree)->first;
    assert_string_equal(item->string, hard);
    item = item->next;
    assert_int_equal(item->length, 6);
    assert_memory_equal(item->string, "a\xef\xbf\xbd\0b", 6);
    for (size_t i = 0; i < 6; i++) {
        double number;
        item = item->next;
        assert_true(hill__json_double(item, &number));
        assert_true(number == numbers[i]);
    }
    assert_int_equal(item->next->kind, HILL__JSON_NULL);
    assert_int_equal(item->next->next->kind, HILL__JSON_NULL);
    hill__json_free(tree);
    hill__text_free(&text);
}

/* Every allocation in turn fails: no leak (a sanitizer looks), no crash, HILL_EMEMORY. */
typedef struct stingy {
    size_t left;
} stingy;

static void *stingy_alloc(void *self, size_t bytes)
{
    stingy *purse = self;
    return purse->left-- > 0 ? memory().alloc(NULL, bytes) : NULL;
}

static void stingy_free(void *self, void *block, size_t bytes)
{
    (void)self;
    memory().free(NULL, block, bytes);
}

static void test_memory(void **state)
{
    (void)state;
    size_t fails = 0;
    for (size_t left = 0;; left++) {
        stingy purse = {left};
        hill_allocator allocator = {&purse, stingy_alloc, stingy_free};
        hill__json_tree *tree;
        int status = hill__json_parse("{\"a\":[1,2]}", 11, &allocator, &tree, NULL);
        hill__json_free(tree);
        if (status == HILL_OK)
            break;
        assert_int_equal(status, HILL_EMEMORY);
        fails++;
    }
    assert_true(fails >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_refused), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_cut),    cmocka_unit_test(test_reading), cmocka_unit_test(test_writing),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_escapes), cmocka_unit_test(test_many_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
