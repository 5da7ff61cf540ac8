/*
 * test_table.c - what a table counts and keeps: different values however they crowd, sums beyond all bounds, columns that join.
 */
#include "base/fp.h"

#include "support.h"
#include "tables.h"

/* A table of one column of numbers. */
static hill_table *numbers_table(const double *numbers, uint64_t rows)
{
    hill_table *table = make_table(rows, (const char *const[]){"x"}, 1);
    set_numbers(table, 0, numbers);
    return table;
}

static void measured(const double *numbers, uint64_t rows, hill_column *facts)
{
    hill_table *table = numbers_table(numbers, rows);
    assert_true(hill__table_measure(table));
    *facts = (hill_column)HILL_COLUMN_INIT;
    assert_int_equal(hill_table_column(table, 0, facts), HILL_OK);
    hill_table_free(table);
}

static void numbers_are_measured(void **state)
{
    (void)state;
    hill_column facts;
    measured((double[]){-0.0, 0, 3, (double)NAN, 3, -1}, 6, &facts);
    assert_int_equal(facts.distinct, 3);
    assert_int_equal(facts.missing, 1);
    assert_true(facts.low == -1 && facts.high == 3 && facts.mean == 1);
    measured((double[]){(double)NAN, (double)NAN}, 2, &facts);
    assert_int_equal(facts.distinct, 0);
    assert_true(isnan(facts.mean) && isnan(facts.low) && isnan(facts.high));
    measured((double[]){1.7e308, 1.7e308, (double)NAN, 1.1e308}, 4, &facts);
    assert_true(fabs(facts.mean - 1.5e308) < 1e294);
}

static void whole_numbers_are_told(void **state)
{
    (void)state;
    static const double cases[] = {0x1p52, -0x1p52, 0x1p60 + 0x1p20, -0x1p1000, 0x1p51 + 0.5, -0x1p51 - 0.5, 3, -3, 0.5, -0.5};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_table *table = numbers_table(&cases[i], 1);
        assert_true(hill__table_measure(table));
        assert_int_equal(table->columns[0].whole, floor(cases[i]) == cases[i]);
        hill_table_free(table);
    }
}

/* Numbers chosen so that the set's first factor sends them all to the same slots. */
static void numbers_that_crowd_are_counted(void **state)
{
    (void)state;
    static double numbers[3000];
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t inverse = 1, drawn = 0;
    size_t count = 0;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - factor * inverse;
    assert_true(factor * inverse == 1);
    while (count < COUNT_OF(numbers)) {
        uint64_t bits = ++drawn * inverse;
        memcpy(&numbers[count], &bits, sizeof bits);
        count += isfinite(numbers[count]) && numbers[count] != 0;
    }
    hill_column facts;
    measured(numbers, count, &facts);
    assert_int_equal(facts.distinct, count);
    /* The set is dealt anew meanwhile, which takes memory. */
    heap h = {0};
    hill_table *table = numbers_table(numbers, count);
    hill_allocator usual = table->allocator;
    for (size_t at = 1; at <= 2; at++) {
        table->allocator = (hill_allocator){&h, heap_alloc, heap_free};
        h.fail_at = h.calls + at;
        assert_false(hill__table_measure(table));
        assert_heap_empty(&h);
    }
    table->allocator = usual;
    hill_table_free(table);
}

static void counting_stops_at_a_million(void **state)
{
    (void)state;
    const size_t rows = 1000100;
    double *numbers = malloc(rows * sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < rows; i++)
        numbers[i] = (double)i - 50;
    hill_column facts;
    measured(numbers, rows, &facts);
    assert_int_equal(facts.distinct, 1000000);
    assert_true(facts.high == (double)rows - 51);
    free(numbers);
}

/* Two tables differ by their hashes if they differ in anything but the file they came from. */
static void hashes_tell_tables_apart(void **state)
{
    (void)state;
    static const double one[] = {1, 2}, two[] = {1, 3};
    static const char *const texts[] = {"a", "b"}, *const others[] = {"a", "c"}, *const turned[] = {"b", "a"};
    uint64_t hashes[8];
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        hill_table *table = make_table(2, (const char *const[]){i == 2 ? "y" : "x"}, 1);
        if (i < 4)
            set_numbers(table, 0, i == 1 ? two : one);
        else
            set_texts(table, 0, i == 4 ? texts : i == 5 ? others : turned);
        if (i == 3 || i == 7)
            set_images(table, (const unsigned char *)"1234", 2, 1);
        hashes[i] = hill__table_hash(table);
        hill_table_free(table);
        for (size_t k = 0; k < i; k++)
            assert_true(hashes[k] != hashes[i]);
    }
    hill_table *table = numbers_table(one, 2);
    assert_true(hill__table_hash(table) == hashes[0]);
    hill_table_free(table);
}

static void images_come_first(void **state)
{
    (void)state;
    hill_column facts = HILL_COLUMN_INIT;
    hill_table *table = make_table(2, (const char *const[]){"x"}, 1);
    set_texts(table, 0, (const char *const[]){"a", "b"});
    set_images(table, (const unsigned char *)"1234", 2, 1);
    assert_int_equal(hill_table_columns(table), 2);
    assert_int_equal(hill_table_column(table, 0, &facts), HILL_OK);
    assert_string_equal(facts.name, "image");
    assert_int_equal(hill_table_column(table, 1, &facts), HILL_OK);
    assert_string_equal(facts.name, "x");
    assert_int_equal(hill_table_column(table, 2, &facts), HILL_EARGUMENT);
    assert_null(hill_table_category(table, 0, 0));
    assert_string_equal(hill_table_category(table, 1, 1), "b");
    assert_null(hill_table_category(table, 2, 0));
    assert_false(hill__table_make_image(table, SIZE_MAX / 2, 3));
    hill_table_free(table);
}

static void places_are_lines_where_there_are_lines(void **state)
{
    (void)state;
    char place[40];
    hill_table *table = numbers_table((double[]){1, 2}, 2);
    hill__table_place(table, 1, place, sizeof place);
    assert_string_equal(place, "hand.csv: row 2");
    table->lines = hill__alloc(&table->allocator, 2, sizeof *table->lines);
    table->lines[1] = 77;
    hill__table_place(table, 1, place, sizeof place);
    assert_string_equal(place, "hand.csv:77");
    hill__table_place(table, 2, place, sizeof place);
    assert_string_equal(place, "hand.csv: row 3");
    hill_table_free(table);
}

static void a_column_joins(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    static const char *const names[] = {NULL, "x", "new"}, *const called[] = {"x", "x (2)", "new"};
    for (size_t i = 0; i < 3; i++) {
        hill_table *table = numbers_table((double[]){1, 2}, 2), *other = numbers_table((double[]){3, 4}, 2);
        assert_int_equal(hill__table_append(table, other, names[i], &error), HILL_OK);
        assert_int_equal(table->column_count, 2);
        assert_string_equal(table->columns[1].name, called[i]);
        assert_true(table->columns[1].numbers[1] == 4);
        hill_table_free(other);
        hill_table_free(table);
    }
    hill_table *table = numbers_table((double[]){1, 2}, 2), *image = make_table(2, NULL, 0),
               *longer = numbers_table((double[]){1, 2, 3}, 3);
    set_images(image, (const unsigned char *)"1234", 2, 1);
    assert_int_equal(hill__table_append(table, image, "y", &error), HILL_EDATA);
    assert_string_equal(error.text, "hand.csv: holds 1 columns where the one column of targets is needed");
    assert_int_equal(hill__table_append(table, longer, "y", &error), HILL_EDATA);
    assert_string_equal(error.text, "hand.csv: 3 rows, but hand.csv has 2: the counts must agree");
    assert_int_equal(hill__table_append(image, longer, "y", &error), HILL_EDATA);
    hill_table_free(longer);
    hill_table_free(image);
    hill_table_free(table);
}

/* Behind images, whose table has no columns yet; and where memory ends at each step. */
static void a_column_joins_images(void **state)
{
    (void)state;
    for (size_t at = 0; at < 5; at++) {
        heap h = {0};
        hill_error error = HILL_ERROR_INIT;
        hill_allocator allocator = {&h, heap_alloc, heap_free};
        hill_table *table = hill__table_new("images", "idx", &allocator), *other = hill__table_new("labels", "idx", &allocator);
        table->rows = other->rows = 2;
        assert_true(hill__table_make_image(table, 2, 2));
        assert_true(hill__table_set_columns(other, 1));
        assert_true(hill__table_set_name(other, 0, "a name of some length", 21));
        assert_true(hill__table_set_kind(other, 0, HILL_COLUMN_NUMBER));
        h.fail_at = at ? h.calls + at : 0;
        int status = hill__table_append(table, other, "another name of some length", &error);
        assert_int_equal(status, at && at < 4 ? HILL_EMEMORY : HILL_OK);
        hill_table_free(other);
        hill_table_free(table);
        assert_heap_empty(&h);
    }
}

static void columns_are_marked(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    hill_table *table = make_table(1, (const char *const[]){"a", "b b", "c"}, 3);
    static const struct {
        const char *list;
        bool marks[3];
    } cases[] = {{"", {0}}, {" , ,", {0}}, {"a", {1}}, {"b b ,  3 ", {0, 1, 1}}, {",a,,1 , c", {1, 0, 1}}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool marks[3] = {false};
        assert_int_equal(hill__table_mark(table, cases[i].list, marks, &error), HILL_OK);
        assert_memory_equal(marks, cases[i].marks, sizeof marks);
    }
    char list[400];
    bool marks[3];
    memset(list, 'x', sizeof list);
    list[399] = '\0';
    assert_int_equal(hill__table_mark(table, list, marks, &error), HILL_EDATA);
    assert_true(strlen(error.text) < 300 && strstr(error.text, "hand.csv: there is no column xxx"));
    hill_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_measured),
        cmocka_unit_test(whole_numbers_are_told),
        cmocka_unit_test(numbers_that_crowd_are_counted),
        cmocka_unit_test(counting_stops_at_a_million),
        cmocka_unit_test(hashes_tell_tables_apart),
        cmocka_unit_test(images_come_first),
        cmocka_unit_test(places_are_lines_where_there_are_lines),
        cmocka_unit_test(a_column_joins),
        cmocka_unit_test(a_column_joins_images),
        cmocka_unit_test(columns_are_marked),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
