/*
 * test_readers.c - tables out of files of every format: values, kinds, guesses, and what is said about bad ones.
 */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "reading.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void csv_types_and_facts(void **state)
{
    hill_column column = HILL_COLUMN_INIT;
    (void)state;
    hill_table *table = parse_text("age, name ,\"n\"\"x\"\n1.5,ann,3\n\nNA,\"bob, jr\",3\n-2,?,-0\n");
    assert_numbers(table, 0, "age", (double[]){1.5, (double)NAN, -2});
    assert_numbers(table, 2, "n\"x", (double[]){3, 3, 0});
    assert_string_equal(cell(table, 1, 0), "ann");
    assert_string_equal(cell(table, 1, 1), "bob, jr");
    assert_null(cell(table, 1, 2));
    assert_string_equal(hill_table_format(table), "csv");
    assert_string_equal(hill_table_guesses(table), "--delimiter ',' --header yes");
    assert_string_equal(hill_table_note(table, 0), "1 blank line was skipped");
    assert_null(hill_table_note(table, 1));
    assert_int_equal(hill_table_rows(table), 3);
    assert_int_equal(hill_table_column(table, 0, &column), HILL_OK);
    assert_true(column.low == -2 && column.high == 1.5 && column.mean == -0.25);
    assert_int_equal(column.missing, 1);
    assert_int_equal(column.distinct, 2);
    assert_false(table->columns[0].whole);
    assert_true(table->columns[2].whole);
    assert_int_equal(hill_table_column(table, 2, &column), HILL_OK);
    assert_int_equal(column.distinct, 2);
    assert_string_equal(hill_table_category(table, 1, 1), "bob, jr");
    assert_null(hill_table_category(table, 1, 2));
    assert_int_equal(hill_table_column(table, 3, &column), HILL_EARGUMENT);
    char place[40];
    hill__table_place(table, 1, place, sizeof place);
    assert_string_equal(place, "f:4");
    assert_int_equal(hill__table_find(table, "name"), 1);
    assert_int_equal(hill__table_find(table, "3"), 2);
    assert_true(hill__table_find(table, "4") == SIZE_MAX && hill__table_find(table, "0") == SIZE_MAX);
    hill_table_free(table);
}

typedef struct guess_case {
    const char *text, *guesses;
    size_t columns;
    uint64_t rows;
} guess_case;

static void csv_guesses(void **state)
{
    static const guess_case cases[] = {{"1,2\n3,4\n", "--delimiter ',' --header no", 2, 2},
                                       {"a;b\r\n1,5;2\r\n2,5;3\r\n", "--delimiter ';' --header yes", 2, 2},
                                       {"a\tb\r1\t\r2\t3", "--delimiter tab --header yes", 2, 2},
                                       {"1|2|3", "--delimiter '|' --header no", 3, 1},
                                       {"  1   2 \n 3 4\n", "--delimiter space --header no", 2, 2},
                                       {"\xef\xbb\xbfx\n1\n2\n", "--delimiter ',' --header yes", 1, 2},
                                       {"39, Private, x\n50, Self, y\n38, Private, x\n", "--delimiter ',' --header no", 3, 3},
                                       {"name,city\nbob,paris\nann,rome\n", "--delimiter ',' --header yes", 2, 2},
                                       {"red,big\nred,small\n", "--delimiter ',' --header no", 2, 2},
                                       {"Ann Lee\nBob Ray\nAnn Lee\n", "--delimiter ',' --header no", 1, 3},
                                       {"id;text\n1;a, b\n2;c, d\n", "--delimiter ';' --header yes", 2, 2},
                                       {"a,b\n1,\"x\ny\"\n", "--delimiter ',' --header yes", 2, 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        hill_table *table = parse_text(cases[i].text);
        assert_string_equal(hill_table_guesses(table), cases[i].guesses);
        assert_int_equal(hill_table_columns(table), cases[i].columns);
        assert_int_equal(hill_table_rows(table), cases[i].rows);
        hill_table_free(table);
    }
}

static void csv_options(void **state)
{
    bytes_buffer file = make_text("a;b;a\n1;-9;x\n2;3;y\n");
    hill__reading reading = plain();
    (void)state;
    reading.options.header = "no";
    reading.options.delimiter = ';';
    hill_table *table = parse_with(&file, &reading);
    assert_int_equal(table->rows, 3);
    assert_string_equal(cell(table, 1, 0), "b");
    assert_string_equal(hill_table_guesses(table), "");
    hill_table_free(table);
    reading = plain();
    reading.options.missing = "-9 , x";
    reading.options.categories = "1, a (3)";
    table = parse_with(&file, &reading);
    assert_string_equal(cell(table, 0, 1), "2");
    assert_numbers(table, 1, "b", (double[]){(double)NAN, 3});
    assert_null(cell(table, 2, 0));
    assert_string_equal(hill_table_note(table, 0), "column 3 has the name of another and is called a (3)");
    hill_table_free(table);
    reading.options.categories = "zz";
    assert_fails(&file, &reading, HILL_EDATA, "f: there is no column zz");
    hill_table *none = NULL;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_bytes bytes = {file.data, file.length, NULL};
    options.header = "maybe";
    assert_int_equal(hill_table_parse(&bytes, &options, NULL, &none, NULL), HILL_EARGUMENT);
    options.header = NULL;
    options.delimiter = 'x';
    assert_int_equal(hill_table_parse(&bytes, &options, NULL, &none, NULL), HILL_EARGUMENT);
}

static void csv_bad_files(void **state)
{
    char nines[500] = "a,b\n1,2\n3,";
    (void)state;
    assert_text_fails("", "f: has no rows");
    assert_text_fails("\n  \n", "f: has no rows");
    assert_text_fails("a,b\n", "f: has a header and no rows");
    assert_text_fails("a,b\n1,2\n3\n", "f:3:1: 1 cell where the first row has 2");
    assert_text_fails("a,b\n1,2\n3,4,5,6\n", "f:3:5: 4 cells where the first row has 2");
    assert_text_fails("a,b\n1,\"2\n3,4\n", "f:2:3: the quote that opens here is never closed");
    assert_text_fails("a,b\n1,\"2\"x\n", "f:2:6: \"x\" stands behind a closing quote");
    assert_text_fails("a,b\n1,\xff\n", "f:2:3: byte 0xff is no UTF-8");
    assert_text_fails("a,b\n1,\xed\xa0\x80\n", "f:2:3: byte 0xed is no UTF-8");
    assert_text_fails("a,b\n1,\xf0\x8f\xbf\xbf\n", "f:2:3: byte 0xf0 is no UTF-8");
    assert_text_fails("a,b\n1,\xe0\x9f\xbf\n", "f:2:3: byte 0xe0 is no UTF-8");
    assert_text_fails("a,b\n1,\xf4\x90\x80\x80\n", "f:2:3: byte 0xf4 is no UTF-8");
    assert_text_fails("a,b\n1,\xc3", "f:2:3: byte 0xc3 is no UTF-8");
    assert_text_fails("\xff\xfe"
                      "a",
                      "f:1:1: this is UTF-16");
    assert_text_fails("a,b\n1,2\n2, -inf\n", "f:3:4: column b: \"-inf\" is no finite number");
    assert_text_fails("a,b\n1,1e999\n2,3\n", "f:2:3: column b: \"1e999\" is no finite number");
    memset(nines + 10, '9', 400);
    assert_text_fails(nines, "f:3:3: column b: \"99999999999999999999999999999999999999999999...\" is no finite number");
    memcpy(nines + 10, "0.", 2);
    hill_table *table = parse_text(nines);
    assert_numbers(table, 1, "b", (double[]){2, 1});
    hill_table_free(table);
    bytes_buffer zero = {.data = "a,b\n1,\0002\n", .length = 9};
    hill__reading reading = plain();
    assert_fails(&zero, &reading, HILL_EDATA, "f:2:3: a zero byte");
}

/* A text among many numbers makes a category, and is named. */
static void csv_nearly_numbers(void **state)
{
    bytes_buffer file = make_text("a,b\n");
    (void)state;
    for (int i = 0; i < 30; i++)
        put(&file, i == 17 ? "1,abc\n" : "1,2\n", i == 17 ? 6 : 4);
    hill__reading reading = plain();
    hill_table *table = parse_with(&file, &reading);
    assert_string_equal(cell(table, 1, 17), "abc");
    assert_string_equal(hill_table_note(table, 0), "column b was read as a category because line 19 holds \"abc\"");
    hill_table_free(table);
}

/* More values than the first table of a dictionary holds; a text longer than any buffer. */
static void csv_many_categories(void **state)
{
    enum { ROWS = 400, LONG = 3000 };
    char *text = calloc(1, ROWS * 10 + LONG + 10);
    assert_non_null(text);
    (void)state;
    for (int i = 0; i < ROWS; i++)
        assert_true(sprintf(text + strlen(text), "x%d\n", i * 7 % 211) > 0);
    memset(text + strlen(text), 'y', LONG);
    hill_bytes bytes = {text, strlen(text), "f"};
    hill__reading reading = plain();
    hill_table *table = NULL;
    assert_int_equal(hill__table_parse(&bytes, &reading, &table, NULL), HILL_OK);
    assert_int_equal(table->rows, ROWS + 1);
    assert_int_equal(table->columns[0].distinct, 212);
    for (int i = 0; i < ROWS; i++) {
        char name[16];
        assert_true(snprintf(name, sizeof name, "x%d", i * 7 % 211) > 0);
        assert_string_equal(cell(table, 0, (uint64_t)i), name);
    }
    assert_int_equal(strlen(cell(table, 0, ROWS)), LONG);
    hill_table_free(table);
    free(text);
}

/* Text i of those that the dictionary's first hash puts into one of 2,048 slots. */
static void colliding_text(unsigned *next, char *text, size_t size)
{
    uint64_t hash;
    do {
        assert_true(snprintf(text, size, "v%u", (*next)++) > 0);
        hash = 0xcbf29ce484222325u;
        for (const char *p = text; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
    } while (((hash ^ (hash >> 32)) & 2047) != 77);
}

/* Texts chosen to crowd are dealt anew by another hash; their numbers stay. */
static void csv_texts_that_collide(void **state)
{
    hill__lines values;
    hill__dictionary dictionary;
    hill_allocator allocator = hill__allocator(NULL);
    (void)state;
    hill__lines_init(&values, &allocator);
    hill__dictionary_init(&dictionary, &values);
    for (int again = 0; again < 2; again++) {
        unsigned next = 0;
        for (uint32_t i = 0; i < 700; i++) {
            char text[16];
            uint32_t code;
            colliding_text(&next, text, sizeof text);
            assert_true(hill__dictionary_code(&dictionary, text, strlen(text), &code));
            assert_int_equal(code, i);
            assert_int_equal(hill__dictionary_find(&dictionary, text, strlen(text)), i);
        }
    }
    assert_true(dictionary.salt > 0 && dictionary.salt < 5);
    hill__dictionary_free(&dictionary);
    hill__lines_free(&values);
}

static const hill__wanted wanted[] = {{"color", 1, HILL_COLUMN_CATEGORY, false},
                                      {"size", 0, HILL_COLUMN_NUMBER, false},
                                      {"y", 2, HILL_COLUMN_NUMBER, true},
                                      {"last", 3, HILL_COLUMN_NUMBER, false}};
static const hill__schema named = {wanted, COUNT(wanted), true};
static const hill__schema unnamed = {wanted, COUNT(wanted), false};

/* What a model needs, in its order and kinds, by name where there are names and by position where there are none. */
static void csv_like_a_model(void **state)
{
    static const char *const texts[] = {"last,extra,size,color\n7,q,1,5\n8,q,2,6\n", /* by name, others ignored, no target */
                                        "1,5,0,7\n2,6,0,8\n",                        /* by position */
                                        "1,5,7\n2,6,8\n"};                           /* by position, without the target */
    hill__reading reading = plain();
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(texts); i++) {
        reading.schema = i < COUNT(texts) ? &named : &unnamed;
        if (i == COUNT(texts))
            continue; /* names that a model without names can't know */
        bytes_buffer file = make_text(texts[i % COUNT(texts)]);
        hill_table *table = parse_with(&file, &reading);
        bool target = i % COUNT(texts) == 1;
        assert_int_equal(table->column_count, target ? 4 : 3);
        assert_int_equal(table->has_header, reading.schema->has_header);
        assert_string_equal(table->columns[0].name, "color");
        assert_string_equal(cell(table, 0, 0), "5");
        assert_numbers(table, 1, "size", (double[]){1, 2});
        if (target) {
            assert_numbers(table, 2, "y", (double[]){0, 0});
            assert_string_equal(hill_table_note(table, 0), "columns were taken by position, column 3 as the target");
        }
        assert_numbers(table, table->column_count - 1, "last", (double[]){7, 8});
        hill_table_free(table);
    }
}

static void csv_unlike_a_model(void **state)
{
    hill__reading reading = plain();
    (void)state;
    reading.schema = &named;
    bytes_buffer file = make_text("size,last,hue\n1,2,3\n");
    assert_fails(&file, &reading, HILL_EDATA, "f: column color isn't there, which the model needs; there are size, last, hue");
    file = make_text("height,weight\n1,2\n");
    assert_fails(&file, &reading, HILL_EDATA, "f: column color isn't there");
    file = make_text("size,color,last\n1,red,2\n3,red,big\n");
    assert_fails(&file, &reading, HILL_EDATA, "f:3:7: column last: \"big\" where the model needs a number");
    file = make_text("size,color,last\n1,red,2\n3,red,inf\n");
    assert_fails(&file, &reading, HILL_EDATA, "f:3:7: column last: \"inf\" is no finite number");
    file = make_text("1,2\n3,4\n");
    assert_fails(&file, &reading, HILL_EDATA, "f: has 2 columns where the model was trained on 4");
    static const hill__wanted twice[] = {{"a", 0, HILL_COLUMN_NUMBER, false}, {"a", 0, HILL_COLUMN_NUMBER, true}};
    static const hill__schema tampered = {twice, COUNT(twice), false};
    reading.schema = &tampered;
    assert_fails(&file, &reading, HILL_EMODEL, "f: the model wants one of its columns twice");
    static const hill__wanted image = {"image", 0, HILL_COLUMN_IMAGE, false};
    static const hill__schema images = {&image, 1, false};
    reading.schema = &images;
    assert_fails(&file, &reading, HILL_EDATA, "f: holds no images");
}

static void idx_files(void **state)
{
    static const unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    hill__reading reading = plain();
    hill_column column = HILL_COLUMN_INIT;
    (void)state;
    bytes_buffer file = make_idx((uint32_t[]){3, 2, 2}, 3, data, 12);
    hill_table *table = parse_with(&file, &reading);
    assert_int_equal(hill_table_columns(table), 1);
    assert_int_equal(hill_table_column(table, 0, &column), HILL_OK);
    assert_int_equal(column.kind, HILL_COLUMN_IMAGE);
    assert_true(column.image_height == 2 && column.image_width == 2 && column.image_channels == 1 && isnan(column.mean));
    assert_memory_equal(table->image, data, 12);
    assert_string_equal(hill_table_format(table), "idx");
    hill_table_free(table);
    file = make_idx((uint32_t[]){6, 2}, 2, data, 12);
    table = parse_with(&file, &reading);
    assert_numbers(table, 1, "c2", (double[]){2, 4, 6, 8, 10, 12});
    hill_table_free(table);
    file = make_idx((uint32_t[]){3}, 1, data, 3);
    table = parse_with(&file, &reading);
    assert_numbers(table, 0, "label", (double[]){1, 2, 3});
    hill_table_free(table);
    file = make_idx((uint32_t[]){4, 2, 2}, 3, data, 12);
    assert_fails(&file, &reading, HILL_EDATA, "f: its header promises 16 bytes of data, 12 are there: it is cut off");
    file = make_idx((uint32_t[]){UINT32_MAX, UINT32_MAX, UINT32_MAX}, 3, data, 12);
    assert_fails(&file, &reading, HILL_EDATA, "f: its header promises more data than any memory holds");
    file = make_idx((uint32_t[]){2, 2, 2}, 3, data, 12);
    assert_fails(&file, &reading, HILL_EDATA,
                 "f: its header promises 8 bytes of data, 12 are there: it goes on behind its end");
    file = make_idx((uint32_t[]){0, 2, 2}, 3, data, 0);
    assert_fails(&file, &reading, HILL_EDATA, "f: has no rows");
}

static void npy_files(void **state)
{
    static const unsigned char data[] = {0, 1, 0, 2, 0, 3, 0xff, 0xff, 0x80, 0, 0, 6};
    hill__reading reading = plain();
    (void)state;
    bytes_buffer file = make_npy("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 2), }", data, 12);
    hill_table *table = parse_with(&file, &reading);
    assert_numbers(table, 0, "c1", (double[]){1, 2, 3});
    assert_numbers(table, 1, "c2", (double[]){-1, -32768, 6});
    assert_string_equal(hill_table_format(table), "npy");
    hill_table_free(table);
    file = make_npy("{\"shape\":(2,3,2),'fortran_order':False,'descr':'|u1'}", data, 12);
    table = parse_with(&file, &reading);
    assert_memory_equal(table->image, data, 12);
    assert_true(table->image_height == 3 && table->image_width == 2);
    hill_table_free(table);
    file = make_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", "\0\0\x80\x3f\0\0\x80\x7f", 8);
    assert_fails(&file, &reading, HILL_EDATA, "f: row 1, column 2: an infinity");
    file = make_npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", data, 8);
    assert_fails(&file, &reading, HILL_EDATA, "f: holds Python objects");
    file = make_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", data, 4);
    assert_fails(&file, &reading, HILL_EDATA, "f: its NPY header is damaged");
    file = make_npy("{'descr': '<f4', 'fortran_order': False}", data, 4);
    assert_fails(&file, &reading, HILL_EDATA, "f: its NPY header is damaged");
    file = make_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 2), }", data, 8);
    assert_fails(&file, &reading, HILL_EDATA, "f: its header promises more data than any memory holds");
}

static void npz_files(void **state)
{
    static const npz_style styles[] = {{0, false}, {8, false}, {0, true}};
    hill__reading reading = plain();
    (void)state;
    for (size_t i = 0; i < COUNT(styles); i++) {
        bytes_buffer file = make_npz_pair(styles[i]);
        hill_table *table = NULL;
        hill_error error = HILL_ERROR_INIT;
        if (parse_status(&file, &reading, &table, &error) < 0 && strstr(error.text, "without zlib"))
            continue;
        assert_non_null(table);
        assert_numbers(table, 0, "c1", (double[]){0, 2, 4});
        assert_numbers(table, 2, "y", (double[]){0, 1, 1});
        assert_string_equal(hill_table_format(table), "npz");
        hill_table_free(table);
        file.data[200]++;
        assert_fails(&file, &reading, HILL_EDATA, "f: x_train: ");
    }
    bytes_buffer file = make_npz_pair(styles[0]);
    size_t entry = 0;
    while (memcmp(file.data + entry, "PK\1\2", 4) != 0)
        entry++;
    file.data[entry + 22]++; /* 65,536 bytes more, packed and unpacked, than there are */
    file.data[entry + 26]++;
    assert_fails(&file, &reading, HILL_EDATA, "f: the zip archive is damaged or cut off");
    file = make_npz_pair(styles[0]);
    reading.options.part = HILL_PART_TEST;
    assert_fails(&file, &reading, HILL_EPART, "f: needs x_test for a test part; its arrays are: x_train, y_train");
    reading = plain();
    static const char *const names[] = {"a.npy", "b.npy"};
    bytes_buffer none[2] = {{.length = 0}, {.length = 0}};
    file = make_npz(names, none, 2, styles[0]);
    assert_fails(&file, &reading, HILL_EDATA, "f: needs one array, or x_train and y_train");
}

/* Half-precision numbers; a column of numbers read as a category. */
static void npy_halves_as_categories(void **state)
{
    static const unsigned char data[] = {0, 0x3c, 0, 0xc5, 1, 0, 0xff, 0x7b, 0, 0x7e, 0, 0x3c};
    hill__reading reading = plain();
    (void)state;
    bytes_buffer file = make_npy("{'descr': '<f2', 'fortran_order': False, 'shape': (6,), }", data, sizeof data);
    hill_table *table = parse_with(&file, &reading);
    assert_numbers(table, 0, "c1", (double[]){1, -5, 0x1p-24, 65504, (double)NAN, 1});
    hill_table_free(table);
    reading.options.categories = "c1";
    table = parse_with(&file, &reading);
    assert_string_equal(cell(table, 0, 1), "-5");
    assert_null(cell(table, 0, 4));
    assert_string_equal(cell(table, 0, 5), "1");
    assert_int_equal(table->columns[0].values.count, 4);
    hill_table_free(table);
}

static void not_data(void **state)
{
    bytes_buffer file = {.data = "\x10\0\0\0\0\0\0\0{\"__metadata__\"", .length = 24};
    hill__reading reading = plain();
    (void)state;
    assert_fails(&file, &reading, HILL_EDATA, "f: is a model, not data");
    file = make_text("1,2\n");
    reading.options.part = HILL_PART_TEST;
    assert_fails(&file, &reading, HILL_EPART, "f: has no test part");
}

static void gzipped(void **state)
{
    bytes_buffer text = make_text("a,b\n1,2\n"), more = make_text("3,4\n"), file = make_gzip(&text), tail = make_gzip(&more);
    hill__reading reading = plain();
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    (void)state;
    put(&file, tail.data, tail.length);
    if (parse_status(&file, &reading, &table, &error) < 0 && strstr(error.text, "without zlib"))
        skip();
    assert_non_null(table);
    assert_numbers(table, 1, "b", (double[]){2, 4});
    hill_table_free(table);
    file.length--;
    assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is cut off");
    file.length++;
    file.data[file.length - 8]++;
    assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is damaged");
}

/* Files in a folder of their own. */
static char folder[] = "/tmp/hill-readers-XXXXXX";

static void path_in_folder(const char *name, char *path, size_t size)
{
    assert_true(snprintf(path, size, "%s/%s", folder, name) > 0);
}

static void write_file(const char *name, const bytes_buffer *content)
{
    char path[200];
    path_in_folder(name, path, sizeof path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content->data, 1, content->length, file), content->length);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *name)
{
    char path[200];
    path_in_folder(name, path, sizeof path);
    assert_int_equal(remove(path), 0);
}

static int open_in_folder(const char *name, const hill__reading *reading, hill_table **out, hill_error *error)
{
    char path[200];
    path_in_folder(name, path, sizeof path);
    return hill__table_open(path, reading, out, error);
}

static void folder_of_images(void **state)
{
    static const unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    bytes_buffer images = make_idx((uint32_t[]){2, 2, 2}, 3, data, 8), labels = make_idx((uint32_t[]){2}, 1, data + 3, 2);
    hill__reading reading = plain();
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(open_in_folder("", &reading, &table, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "t10k-labels-idx1-ubyte"));
    write_file("train-images.idx3-ubyte", &images);
    write_file("train-labels.idx1-ubyte", &labels);
    assert_int_equal(open_in_folder("", &reading, &table, &error), HILL_OK);
    assert_int_equal(hill_table_columns(table), 2);
    assert_numbers(table, 0, "label", (double[]){4, 5});
    assert_memory_equal(table->image, data, 8);
    hill_table_free(table);
    reading.options.part = HILL_PART_TEST;
    assert_int_equal(open_in_folder("", &reading, &table, &error), HILL_EPART);
    reading = plain();
    labels = make_idx((uint32_t[]){3}, 1, data, 3);
    write_file("train-labels.idx1-ubyte", &labels);
    assert_int_equal(open_in_folder("train-images.idx3-ubyte", &reading, &table, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "train-labels.idx1-ubyte: 3 rows, but "));
    remove_file("train-labels.idx1-ubyte");
    assert_int_equal(open_in_folder("train-images.idx3-ubyte", &reading, &table, &error), HILL_OK);
    assert_int_equal(table->column_count, 0);
    hill_table_free(table);
    remove_file("train-images.idx3-ubyte");
    assert_int_equal(open_in_folder("nothing.csv", &reading, &table, &error), HILL_EINPUT);
    assert_int_equal(rmdir(folder), 0);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void targets_apart(void **state)
{
    bytes_buffer data = make_text("a,b\n1,2\n3,4\n"), price = make_text("price\n10\n20\n"), bare = make_text("5\nx\n");
    hill__reading reading = plain();
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    char targets[200];
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file("data.csv", &data);
    write_file("price.csv", &price);
    write_file("bare.csv", &bare);
    path_in_folder("price.csv", targets, sizeof targets);
    reading.options.targets = targets;
    assert_int_equal(open_in_folder("data.csv", &reading, &table, &error), HILL_OK);
    assert_numbers(table, 2, "price", (double[]){10, 20});
    hill_table_free(table);
    static const hill__wanted columns[] = {{"b", 1, HILL_COLUMN_NUMBER, false}, {"cost", 2, HILL_COLUMN_CATEGORY, true}};
    static const hill__schema schema = {columns, COUNT(columns), true};
    reading.schema = &schema;
    assert_int_equal(open_in_folder("data.csv", &reading, &table, &error), HILL_OK);
    assert_int_equal(table->column_count, 2);
    assert_string_equal(table->columns[1].name, "cost");
    assert_string_equal(cell(table, 1, 1), "20");
    hill_table_free(table);
    static const hill__wanted number[] = {{"b", 1, HILL_COLUMN_NUMBER, false}, {"cost", 2, HILL_COLUMN_NUMBER, true}};
    static const hill__schema numbers = {number, COUNT(number), true};
    path_in_folder("bare.csv", targets, sizeof targets);
    reading.schema = &numbers;
    assert_int_equal(open_in_folder("data.csv", &reading, &table, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "bare.csv:2: column c1: \"x\" where the model needs a number"));
    path_in_folder("data.csv", targets, sizeof targets);
    assert_int_equal(open_in_folder("data.csv", &reading, &table, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "data.csv: holds 2 columns where the one column of targets is needed"));
    remove_file("data.csv");
    remove_file("price.csv");
    remove_file("bare.csv");
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_types_and_facts), cmocka_unit_test(csv_guesses),        cmocka_unit_test(csv_options),
        cmocka_unit_test(csv_bad_files),       cmocka_unit_test(csv_nearly_numbers), cmocka_unit_test(csv_texts_that_collide),
        cmocka_unit_test(csv_like_a_model),    cmocka_unit_test(csv_unlike_a_model), cmocka_unit_test(idx_files),
        cmocka_unit_test(npy_files),           cmocka_unit_test(npz_files),          cmocka_unit_test(npy_halves_as_categories),
        cmocka_unit_test(csv_many_categories), cmocka_unit_test(not_data),           cmocka_unit_test(gzipped),
        cmocka_unit_test(folder_of_images),    cmocka_unit_test(targets_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
