/*
 * test_number.c - numbers in text, against answers that were computed elsewhere and against the C library's own conversions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A fixed stream of test inputs (xorshift). */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Both must be the same bits, and the kind must say whether that is finite. */
static void assert_like_strtod(const char *text)
{
    double mine = -1, theirs = strtod(text, NULL);
    hill__number_kind kind = hill__parse_double(text, strlen(text), &mine);
    if (bits_of(mine) != bits_of(theirs))
        fail_msg("%s: read as %a, should be %a", text, mine, theirs);
    assert_int_equal(kind, isinf(theirs) ? HILL__NUMBER_INFINITE : HILL__NUMBER_FINITE);
}

static void assert_like_strtof(const char *text)
{
    float mine = -1, theirs = strtof(text, NULL);
    hill__number_kind kind = hill__parse_float(text, strlen(text), &mine);
    if (memcmp(&mine, &theirs, sizeof mine) != 0)
        fail_msg("%s: read as float %a, should be %a", text, (double)mine, (double)theirs);
    assert_int_equal(kind, isinf(theirs) ? HILL__NUMBER_INFINITE : HILL__NUMBER_FINITE);
}

static void hard_decimals(void **state)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0e999999999999999999999",
                                        "5.",
                                        ".5",
                                        "+1",
                                        "1e23",
                                        "8.5e22",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "9007199254740993.0000000000000000000000000000000000001",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "1e308",
                                        "1e309",
                                        "1E5",
                                        "1e99999999999999999999",
                                        "1e-99999999999999999999",
                                        "4.9e-324",
                                        "5e-324",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "2.2250738585072011e-308",
                                        "2.2250738585072012e-308",
                                        "123456789012345678901234567890",
                                        "0.000000000000000000000000000000123456789",
                                        "1.00000000000000011102230246251565404",
                                        "1.00000000000000011102230246251565404236316680908203125",
                                        "1.00000000000000011102230246251565404236316680908203124",
                                        "1.00000000000000011102230246251565404236316680908203126",
                                        "16777217",
                                        "16777216.5",
                                        "3.4028235677973366e38",
                                        "3.40282356779733661637539395458142568447e38",
                                        "3.40282356779733661637539395458142568448e38",
                                        "7e-46",
                                        "7.1e-46",
                                        "16777216e10",
                                        "16777216e11",
                                        "16777216e-10",
                                        "16777216e-11",
                                        "9007199254740992e22",
                                        "9007199254740992e23",
                                        "9007199254740992e-22",
                                        "9007199254740992e-23"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_like_strtod(texts[i]);
        assert_like_strtof(texts[i]);
    }
}

/*
 * Halfway between two doubles, which takes up to 767 digits, and a hair above it, more than 800 digits away. (Where long double
 * is double these are plain doubles.)
 */
static void halfway_with_many_digits(void **state)
{
    char text[2000];
    (void)state;
    for (int exponent = -1075; exponent <= -1000; exponent += 25) {
        int length = snprintf(text, sizeof text, "%.1100Lf", ldexpl(0x20000000000001, exponent));
        assert_true(length > 1000);
        assert_like_strtod(text);
        memset(text + length, '0', 100);
        memcpy(text + length + 100, "1", 2);
        assert_like_strtod(text);
    }
    memset(text, '9', 400);
    text[400] = '\0';
    assert_like_strtod(text);
    memcpy(text, "0.", 2);
    assert_like_strtod(text);
}

static void random_decimals(void **state)
{
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        char text[80];
        uint64_t a = next_random(&random), b = next_random(&random);
        int exponent = (int)(b % 700) - 350;
        if (i % 2)
            exponent = (int)(b % 60) - 30;
        unsigned long long head = a >> b % 64, tail = i % 3 ? 0 : next_random(&random);
        assert_true(snprintf(text, sizeof text, "%s%llu.%llue%d", a & 1 ? "-" : "", head, tail, exponent) > 0);
        assert_like_strtod(text);
        assert_like_strtof(text);
    }
}

static void not_numbers(void **state)
{
    static const char *const texts[] = {"",    "+",     "-",     ".",   "e5",  "1e",    "1e+",  "1 ",
                                        " 1",  "0x10",  "1,000", "nan", "NaN", "1.2.3", "infi", "infinit",
                                        "--1", "1e5.5", "1_0",   "1f",  "+-1", "1e1e1", "i",    "infinityy"};
    static const char *const infinities[] = {"inf", "-inf", "+INF", "Infinity", "-iNFINITY", "1e400", "-1e400"};
    double value;
    float narrow;
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(hill__parse_double(texts[i], strlen(texts[i]), &value), HILL__NUMBER_NONE);
        assert_int_equal(hill__parse_float(texts[i], strlen(texts[i]), &narrow), HILL__NUMBER_NONE);
    }
    for (size_t i = 0; i < COUNT(infinities); i++) {
        assert_int_equal(hill__parse_double(infinities[i], strlen(infinities[i]), &value), HILL__NUMBER_INFINITE);
        assert_true(isinf(value) && (value < 0) == (infinities[i][0] == '-'));
        assert_int_equal(hill__parse_float(infinities[i], strlen(infinities[i]), &narrow), HILL__NUMBER_INFINITE);
        assert_true(isinf(narrow) && (narrow < 0) == (infinities[i][0] == '-'));
    }
    assert_int_equal(hill__parse_double("12x", 2, &value), HILL__NUMBER_FINITE);
    assert_true(value == 12);
}

static void unsigned_integers(void **state)
{
    uint64_t value = 7;
    (void)state;
    assert_true(hill__parse_unsigned("18446744073709551615", 20, &value));
    assert_true(value == UINT64_MAX);
    assert_true(hill__parse_unsigned("007", 3, &value));
    assert_int_equal(value, 7);
    assert_false(hill__parse_unsigned("18446744073709551616", 20, &value));
    assert_false(hill__parse_unsigned("", 0, &value));
    assert_false(hill__parse_unsigned("+1", 2, &value));
    assert_false(hill__parse_unsigned("1 ", 2, &value));
}

typedef struct written {
    double value;
    const char *text;
} written;

static void notation(void **state)
{
    static const written cases[] = {{0.001, "0.001"},
                                    {1200, "1200"},
                                    {1.5e-7, "1.5e-07"},
                                    {1e16, "10000000000000000"},
                                    {1e17, "1e+17"},
                                    {0.00001234, "0.00001234"},
                                    {1e-6, "1e-06"},
                                    {-0.0, "-0"},
                                    {0, "0"},
                                    {-1.5e-300, "-1.5e-300"},
                                    {0.1, "0.1"},
                                    {0.1 + 0.2, "0.30000000000000004"},
                                    {5e-324, "5e-324"},
                                    {0x1p-44, "5.684341886080802e-14"}, /* its nearest 16 digits read back as another number */
                                    {9007199254740993.0, "9007199254740992"},
                                    {DBL_MAX, "1.7976931348623157e+308"},
                                    {(double)INFINITY, "inf"},
                                    {-(double)INFINITY, "-inf"},
                                    {(double)NAN, "nan"}};
    char text[HILL__NUMBER_TEXT];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(hill__format_double(cases[i].value, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
    assert_int_equal(hill__format_float(0.1f, text), 3);
    assert_string_equal(text, "0.1");
    hill__format_float(16777216.0f, text);
    assert_string_equal(text, "16777216");
    hill__format_float(0x1p-149f, text);
    assert_string_equal(text, "1e-45");
    hill__format_float(FLT_MAX, text);
    assert_string_equal(text, "3.4028235e+38");
    hill__format_rounded(2.0 / 3, 0, text);
    assert_string_equal(text, "0.7");
    hill__format_rounded(2.0 / 3, 18, text);
    assert_string_equal(text, "0.66666666666666663");
    hill__format_rounded(2.0 / 3, 4, text);
    assert_string_equal(text, "0.6667");
    hill__format_rounded(1999999, 3, text);
    assert_string_equal(text, "2000000");
    hill__format_rounded(-9.9999e-9, 2, text);
    assert_string_equal(text, "-1e-08");
}

/* Digits from the first to the last that isn't 0, the exponent's apart. */
static int significant_digits(const char *text)
{
    int digits = 0, last = 0;
    for (const char *p = text; *p && *p != 'e'; p++) {
        digits += *p >= '0' && *p <= '9' && (digits || *p != '0');
        last = *p >= '1' && *p <= '9' ? digits : last;
    }
    return last;
}

/* What is written reads back as the same bits, and no shorter decimal would. */
static void written_reads_back(void **state)
{
    uint64_t random = 1234567;
    (void)state;
    for (int i = 0; i < 30000; i++) {
        char text[HILL__NUMBER_TEXT], shorter[HILL__NUMBER_TEXT];
        double value = double_of(next_random(&random)), back = 0;
        if (i % 3 == 0)
            value = double_of(next_random(&random) >> 12); /* subnormal */
        if (i % 3 == 1)
            value = (double)(int64_t)(next_random(&random) % 2000000) / 1000;
        if (!isfinite(value))
            continue;
        size_t length = hill__format_double(value, text);
        assert_int_equal(length, strlen(text));
        assert_int_equal(hill__parse_double(text, length, &back), HILL__NUMBER_FINITE);
        assert_true(bits_of(back) == bits_of(value));
        int digits = significant_digits(text);
        if (digits > 1) {
            assert_true(snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value) > 0);
            assert_true(bits_of(strtod(shorter, NULL)) != bits_of(value));
        }
    }
}

static void floats_read_back(void **state)
{
    uint64_t random = 99;
    (void)state;
    for (int i = 0; i < 30000; i++) {
        char text[HILL__NUMBER_TEXT];
        uint32_t word = (uint32_t)(next_random(&random) >> (i % 2 ? 32 : 41));
        float value, back = 0;
        memcpy(&value, &word, sizeof value);
        if (!isfinite(value))
            continue;
        size_t length = hill__format_float(value, text);
        assert_true(length <= 18 && significant_digits(text) <= 9);
        assert_int_equal(hill__parse_float(text, length, &back), HILL__NUMBER_FINITE);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void locale_changes_nothing(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    char text[HILL__NUMBER_TEXT];
    double value = 0;
    size_t i = 0;
    (void)state;
    while (i < COUNT(names) && !setlocale(LC_NUMERIC, names[i]))
        i++;
    if (i == COUNT(names))
        skip();
    hill__format_double(1.5, text);
    hill__number_kind kind = hill__parse_double("2.5", 3, &value);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(text, "1.5");
    assert_int_equal(kind, HILL__NUMBER_FINITE);
    assert_true(value == 2.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hard_decimals),         cmocka_unit_test(halfway_with_many_digits),
                                       cmocka_unit_test(random_decimals),       cmocka_unit_test(not_numbers),
                                       cmocka_unit_test(unsigned_integers),     cmocka_unit_test(notation),
                                       cmocka_unit_test(written_reads_back),    cmocka_unit_test(floats_read_back),
                                       cmocka_unit_test(locale_changes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
