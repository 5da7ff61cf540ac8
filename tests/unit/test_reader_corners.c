/*
 * test_reader_corners.c - what the other tests of the readers don't come by: limits, unusual headers, options of other sizes,
 * text cut at every awkward place.
 */
#define _POSIX_C_SOURCE 200809L

#include "reading.h"

#include "data/csv.h"

#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bytes_buffer one_file;

static void assert_text_reads(const char *content, const hill__reading *reading, const char *guesses, size_t columns,
                              uint64_t rows)
{
    one_file = make_text(content);
    hill_table *table = parse_with(&one_file, reading);
    if (guesses && strcmp(hill_table_guesses(table), guesses) != 0)
        fail_msg("'%s': guessed %s", content, hill_table_guesses(table));
    assert_int_equal(hill_table_columns(table), columns);
    assert_int_equal(hill_table_rows(table), rows);
    hill_table_free(table);
}

static void assert_text_refused(const char *content, const hill__reading *reading, const char *told)
{
    one_file = make_text(content);
    assert_fails(&one_file, reading, HILL_EDATA, told);
}

/* ---- limits -------------------------------------------------------------------------------------------------------------- */

/* Each is kept to the byte: what needs just so much is read, what needs one more is refused, and the message names the flag. */
static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    static const unsigned char data[] = {1, 2, 3, 4};
    hill__reading reading = plain();
    reading.limits.line = 7;
    assert_text_reads("a,b,c\n1,2,333\n1,2,\"3\"\n", &reading, NULL, 3, 2);
    assert_text_refused("a,b,c\n1,2,3333\n", &reading, "f:2:9: the row is longer than 7 bytes; --limit-line");
    assert_text_refused("a,b,c\n1,2,\"33333\"\n", &reading, "f:2:11: the row is longer than 7 bytes; --limit-line");
    assert_text_refused("aaaa,bbbb\n1,2\n", &reading, "f:1:10: the row is longer than 7 bytes; --limit-line");
    reading = plain();
    reading.limits.columns = 3;
    assert_text_reads("a,b,c\n1,2,3\n", &reading, NULL, 3, 1);
    assert_text_refused("a,b,c,d\n1,2,3,4\n", &reading, "f:1:7: more than 3 columns; --limit-columns");
    one_file = make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 4), }", data, 4);
    assert_fails(&one_file, &reading, HILL_EDATA, "f: 4 columns, by its header at byte 10, are more than 3; --limit-columns");
    reading.limits.columns = 4;
    hill_table_free(parse_with(&one_file, &reading));
    reading = plain();
    reading.limits.header = 118;
    hill_table_free(parse_with(&one_file, &reading));
    reading.limits.header = 117;
    assert_fails(&one_file, &reading, HILL_EDATA, "f: its header of 118 bytes, by byte 8, is over 117; --limit-header");
    reading.limits.header = 6;
    assert_text_reads("aa,bb\n1,2\n", &reading, NULL, 2, 1);
    assert_text_refused("aa,bbb\n1,2\n", &reading, "f:1:1: a row of names longer than 6 bytes; --limit-header");
    reading.options.header = "no";
    assert_text_reads("aa,bbb\n1,2\n", &reading, NULL, 2, 2);
}

/* A gzip header with an extra field, a name and a comment, which may also lack their ends. */
static void gzip_headers_have_their_limit(void **state)
{
    (void)state;
    bytes_buffer content = make_text("a,b\n1,2\n"), packed = make_gzip(&content), file;
    hill__reading reading = plain();
    for (unsigned flags = 0; flags < 32; flags += 4) {
        file = (bytes_buffer){.length = 0};
        put(&file, packed.data, 10);
        file.data[3] = (unsigned char)flags;
        if (flags & 4) {
            put_number(&file, 3, 2);
            put(&file, "xyz", 3);
        }
        if (flags & 8)
            put(&file, "name", 5);
        if (flags & 16)
            put(&file, "a comment", 10);
        size_t header = file.length;
        put(&file, packed.data + 10, packed.length - 10);
        reading.limits.header = header;
        hill_table_free(parse_with(&file, &reading));
        reading.limits.header = header - 1;
        assert_fails(&file, &reading, HILL_EDATA, "f: the gzip header at byte 0 has over ");
    }
    reading = plain();
    for (unsigned flag = 8; flag <= 16; flag *= 2) {
        file = packed;
        memset(file.data + 10, 'x', file.length - 10);
        file.data[3] = (unsigned char)flag;
        assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is cut off");
        reading.limits.header = file.length - 1;
        assert_fails(&file, &reading, HILL_EDATA, "f: the gzip header at byte 0 has over ");
        reading.limits.header = 0;
    }
    file = packed;
    file.data[3] = 4 | 8;
    memset(file.data + 10, 0xff, 2); /* an extra field beyond the end, and a name behind it */
    assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is cut off");
    file.length = 11;
    assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is cut off");
}

/* What says nothing true about its length is unpacked as it comes; zeros may stand behind it, and nothing else. */
static void gzip_lengths_are_not_trusted(void **state)
{
    (void)state;
    bytes_buffer content = {.length = 0}, file;
    hill__reading reading = plain();
    for (int i = 0; i < 60; i++)
        put(&content, "12345,67890\n", 12);
    file = make_gzip(&content);
    put(&file, "\0\0\0", 3);
    hill_table *table = parse_with(&file, &reading);
    assert_int_equal(table->rows, 60);
    hill_table_free(table);
    put(&file, "x", 1);
    assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is ");
    file.length = 17;
    assert_fails(&file, &reading, HILL_EDATA, "f: the packed data is cut off");
}

/* ---- arrays -------------------------------------------------------------------------------------------------------------- */

typedef struct array_case {
    const char *header;
    size_t length;
    const char *told; /* NULL: it is read */
} array_case;

static void npy_headers(void **state)
{
    static const unsigned char data[64] = {0};
    static const array_case cases[] = {
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (), }", 1, "f: no axes, by its header at byte 10"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1), }", 1, "f: more than 4 axes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1), }", 1, "f: its NPY header is damaged"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }", 0, "f: has no rows"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 0), }", 0, "f: has no columns"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999999999999, 9), }", 9,
         "f: its header promises more data"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, ), }", 9, "f: its NPY header is damaged"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3, ), }", 2,
         "f: its header promises 3 bytes of data, 2 are there: it is cut off"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3, ), }", 4,
         "f: its header promises 3 bytes of data, 4 are there: it goes on"},
        {"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1, 1), }", 1,
         "f: 3 axes, by its header at byte 10, are images"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (1, 1, 1), }", 2,
         "f: 3 axes, by its header at byte 10, are images"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2, 3)}", 12, NULL},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2, 3)}", 12, NULL},
        {"{\"descr\": \"|b1\", \"fortran_order\": False, \"shape\": (3,)}", 3, NULL},
        {"{'shape': (2, 3,), 'fortran_order': True,\n 'descr': '>i2'}", 12, NULL},
        {"{'descr': '|b2', 'fortran_order': False, 'shape': (1,), }", 2, "f: holds no plain numbers (type |b2"},
        {"{'descr': '|f1', 'fortran_order': False, 'shape': (1,), }", 1, "f: holds no plain numbers (type |f1"},
        {"{'descr': '|c8', 'fortran_order': False, 'shape': (1,), }", 8, "f: holds no plain numbers (type |c8"},
        {"{'descr': '!u1', 'fortran_order': False, 'shape': (1,), }", 1, "f: holds no plain numbers (type !u1"},
        {"{'descr': '<u3', 'fortran_order': False, 'shape': (1,), }", 3, "f: holds no plain numbers (type <u3"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "f: holds Python objects"},
        {"{'descr': '<a type with a name of more than forty characters', 'fortran_order': False, 'shape': (1,), }", 8,
         "f: holds no plain"},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", 8, "f: holds no plain numbers (type a record"},
        {"{'descr': 8, 'fortran_order': False, 'shape': (1,), }", 8, "f: its NPY header is damaged at byte 20"},
        {"{'descr': '<f8, 'fortran_order': False, 'shape': (1,), }", 8, "f: "},
        {"{'descr': '<f\\8', 'fortran_order': False, 'shape': (1,), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': 1, 'shape': (1,), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': [1], }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1 1), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1 1), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (01,), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (,), }", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }", 8, "f: has no rows"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'other': (1,)}", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False}", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8' 'fortran_order': False, 'shape': (1,)}", 8, "f: its NPY header is damaged"},
        {"{'descr' '<f8', 'fortran_order': False, 'shape': (1,)}", 8, "f: its NPY header is damaged"},
        {"{descr: '<f8', 'fortran_order': False, 'shape': (1,)}", 8, "f: its NPY header is damaged"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} 1", 8, "f: its NPY header is damaged"},
        {"['descr']", 8, "f: its NPY header is damaged at byte 10"},
        {"", 8, "f: its NPY header is damaged"},
    };
    hill__reading reading = plain();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        one_file = make_npy(cases[i].header, data, cases[i].length);
        if (cases[i].told)
            assert_fails(&one_file, &reading, HILL_EDATA, cases[i].told);
        else
            hill_table_free(parse_with(&one_file, &reading));
    }
}

/* Versions 2 and 3 have a longer length; others aren't known; what is called NPY and isn't is refused, too. */
static void npy_versions(void **state)
{
    static const char header[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}";
    hill__reading reading = plain();
    hill_table *table;
    (void)state;
    for (unsigned version = 0; version < 5; version++) {
        bytes_buffer file = {.data = "\x93NUMPY", .length = 6};
        put_number(&file, version, 2);
        put_number(&file, sizeof header - 1, version > 1 ? 4 : 2);
        put(&file, header, sizeof header - 1);
        put(&file, "\3\4", 2);
        if (version >= 1 && version <= 3) {
            table = parse_with(&file, &reading);
            assert_numbers(table, 0, "c1", (double[]){3, 4});
            hill_table_free(table);
        } else
            assert_fails(&file, &reading, HILL_EDATA, "f: NPY version ");
        file.data[7] = 1;
        assert_fails(&file, &reading, HILL_EDATA, "f: NPY version ");
        file.length = version > 1 ? 11 : 9;
        assert_fails(&file, &reading, HILL_EDATA, "f: is cut off within its header");
        file.length = 6;
        assert_fails(&file, &reading, HILL_EDATA, "f: is cut off within its header");
    }
    hill_error error = HILL_ERROR_INIT;
    hill_bytes bytes = {"\x93NUMPX\1\0\0\0", 10, "f"};
    assert_int_equal(hill__npy_read(&bytes, &reading, &table, &error), HILL_EDATA);
    assert_string_equal(error.text, "f: is no NPY file, at byte 0");
    assert_int_equal(hill__idx_read(&bytes, &reading, &table, &error), HILL_EDATA);
    assert_string_equal(error.text, "f: is no IDX file");
}

/* Images that stay in the file's bytes are looked at by nobody here, so a header may promise 5 GB without a byte of it. */
static void images_of_five_gigabytes_are_too_large(void **state)
{
    bytes_buffer file = make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 5000000000, 1), }", "", 0);
    hill__reading reading = plain();
    hill_error error = HILL_ERROR_INIT;
    hill_table *table;
    (void)state;
    reading.lasting = true;
    hill_bytes bytes = {file.data, file.length + (size_t)5000000000u, "f"};
    assert_int_equal(hill__npy_read(&bytes, &reading, &table, &error), HILL_EDATA);
    assert_null(table);
    assert_string_equal(error.text, "f: its images are too large, by its header at byte 10");
}

/* Bytes in the order of their file stay there; others are turned, and the pixels are those of the array. */
static void images_stay_or_are_turned(void **state)
{
    static const unsigned char rows_first[] = {1, 2, 3, 4, 5, 6, 7, 8}, columns_first[] = {1, 5, 3, 7, 2, 6, 4, 8};
    hill__reading reading = plain();
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bytes_buffer file = make_npy(i % 2 ? "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }"
                                           : "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }",
                                     i % 2 ? columns_first : rows_first, 8);
        hill_bytes bytes = {file.data, file.length, "f"};
        hill_table *table;
        reading.lasting = i / 2;
        assert_int_equal(hill__npy_read(&bytes, &reading, &table, NULL), HILL_OK);
        assert_memory_equal(table->image, rows_first, 8);
        assert_int_equal(table->image == file.data + file.length - 8, i == 2);
        hill_table_free(table);
    }
}

static void idx_types(void **state)
{
    static const struct {
        unsigned char code, item;
        double number;
    } types[] = {{0x08, 1, 255}, {0x09, 1, -1}, {0x0b, 2, -1}, {0x0c, 4, -1}, {0x0d, 4, (double)NAN}, {0x0e, 8, (double)NAN}};
    hill__reading reading = plain();
    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        bytes_buffer file = {.data = {0, 0, types[i].code, 1, 0, 0, 0, 1}, .length = 8};
        memset(file.data + 8, 0xff, types[i].item);
        file.length += types[i].item;
        hill_table *table = parse_with(&file, &reading);
        assert_numbers(table, 0, "label", &types[i].number);
        hill_table_free(table);
    }
    bytes_buffer file = {.data = {0, 0, 8, 5, 0, 0, 0, 1}, .length = 25};
    assert_fails(&file, &reading, HILL_EDATA, "f: more than 4 axes");
    file.length = 23;
    assert_fails(&file, &reading, HILL_EDATA, "f: is cut off within its header, at byte 23");
    file.data[2] = 0x0a; /* no type: then it is text, which has no zero byte */
    assert_fails(&file, &reading, HILL_EDATA, "f:1:1: a zero byte");
    file.data[2] = 8;
    file.data[3] = 0;
    assert_fails(&file, &reading, HILL_EDATA, "f:1:1: a zero byte");
}

static void half_floats(void **state)
{
    static const unsigned char data[] = {0, 0x7c, 1, 0xfc};
    hill__reading reading = plain();
    (void)state;
    one_file = make_npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }", data, 4);
    assert_fails(&one_file, &reading, HILL_EDATA, "f: row 1, column 1: an infinity, which is no finite number, at byte 128");
    one_file = make_npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", data + 2, 2);
    hill_table *table = parse_with(&one_file, &reading);
    assert_numbers(table, 0, "c1", (double[]){(double)NAN});
    hill_table_free(table);
}

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

static void text_of_every_shape(void **state)
{
    static const struct {
        const char *text, *guesses;
        size_t columns;
        uint64_t rows;
    } cases[] = {
        {"a,b\r1,2\r", "--delimiter ',' --header yes", 2, 1},
        {"a,b\r\n1,2\r\n", "--delimiter ',' --header yes", 2, 1},
        {"a,b\r1,2\r\r", "--delimiter ',' --header yes", 2, 1},
        {"a,b\n1,2\n \t ", "--delimiter ',' --header yes", 2, 1},
        {"a b\n1 2 \n3  4", "--delimiter space --header yes", 2, 2},
        {"a b\n1 2 \r\n  \r\n3  4  ", "--delimiter space --header yes", 2, 2},
        {"a\tb\n 1 \t \"2\" \n", "--delimiter tab --header yes", 2, 1},
        {"a,b\n\"1\"\"\"  ,2\n", "--delimiter ',' --header yes", 2, 1},
        {"a,b\n\"x\"\"y\"\"\",2\n", "--delimiter ',' --header yes", 2, 1},
        {"a,b\n\"\",\"\"", "--delimiter ',' --header yes", 2, 1},
        {"a,\"b\nc\"\n1,2\n", "--delimiter ',' --header yes", 2, 1},
        {"\xef\xbb\xbf"
         "1,2\n",
         "--delimiter ',' --header no", 2, 1},
        {"\xef\xbb,1\n", NULL, 0, 0},
        {"\xe2\x82\xac,\xf0\x90\x80\x80,\xf4\x8f\xbf\xbf,\xed\x9f\xbf\n1,2,3,4\n", "--delimiter ',' --header yes", 4, 1},
        {"\xe2\x82\x7f,1\n", NULL, 0, 0},
        {"\xe2\x82\xc0,1\n", NULL, 0, 0},
        {"\xc0\x80,1\n", NULL, 0, 0},
        {"\xf5\x80\x80\x80,1\n", NULL, 0, 0},
        {"\xfe\xff,1\n", NULL, 0, 0},
        {"\xff\xfe,1\n", NULL, 0, 0},
        {"\xff\xff,1\n", NULL, 0, 0},
        {"\xfe\xfe,1\n", NULL, 0, 0},
        {"\xff", NULL, 0, 0},
    };
    hill__reading reading = plain();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].guesses)
            assert_text_reads(cases[i].text, &reading, cases[i].guesses, cases[i].columns, cases[i].rows);
        else
            assert_text_refused(cases[i].text, &reading, "f:1:1: ");
    }
}

static void text_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"a,b\n1,2\n3,4,5,\"6", "f:3:7: the quote that opens here is never closed"},
        {"a,b\n1,2\n3,4,\"5\"6", "f:3:8: \"6\" stands behind a closing quote"},
        {"a,b\n1,2\n3,\"4\"\xe2\x82\xac\n", "f:3:6: \"\xe2\x82\xac\" stands behind a closing quote"},
        {"a,b\n1,2\n3,inf\n4,inf\n", "f:3:3: column b: \"inf\" is no finite number"},
        {"a,b\n1,2\ninf,2\n4,inf\n", "f:3:1: column a: \"inf\" is no finite number"},
        {"a,b\n1,inf\ninf,2\n", "f:2:3: column b: \"inf\" is no finite number"},
        {"a,b\ninf,inf\n1,2\n", "f:2:1: column a: \"inf\" is no finite number"},
        {"a,b\n1,\"2", "f:2:3: the quote that opens here is never closed"},
        {"a,b\n1,\"\"", "f:"},
        {"a,b\n1,2,3\n", "f:2:5: 3 cells where the first row has 2"},
        {"a,b\n1,2,3,4\n", "f:2:5: 4 cells where the first row has 2"},
    };
    hill__reading reading = plain();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (strcmp(cases[i].told, "f:") == 0)
            assert_text_reads(cases[i].text, &reading, NULL, 2, 1);
        else
            assert_text_refused(cases[i].text, &reading, cases[i].told);
}

/* An excerpt ends before the character that doesn't fit, wherever it begins. */
static void excerpts_are_whole_characters(void **state)
{
    hill__reading reading = plain();
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[300] = "a\n1\n", told[100];
        hill_error error = HILL_ERROR_INIT;
        hill_table *table;
        memset(text + 4, '9', shift + 1);
        text[4] = '\x01';
        for (size_t i = 0; i < 40; i++)
            strcat(text, "\xe2\x82\xac");
        static const hill__wanted wanted[] = {{"a", 0, HILL_COLUMN_NUMBER, false}};
        static const hill__schema schema = {wanted, 1, true};
        reading.schema = &schema;
        one_file = make_text(text);
        assert_int_equal(parse_status(&one_file, &reading, &table, &error), HILL_EDATA);
        snprintf(told, sizeof told, "f:3:1: column a: \" %.*s\xe2\x82\xac", (int)shift, "999");
        if (strncmp(error.text, told, strlen(told)) != 0 || !strstr(error.text, "\xe2\x82\xac...\" where the model needs"))
            fail_msg("%s", error.text);
    }
}

/* What is no text at all doesn't lead it astray. */
static void excerpts_of_no_characters(void **state)
{
    char text[100], out[HILL__CSV_EXCERPT];
    (void)state;
    memset(text, 0x80, sizeof text);
    hill__csv_excerpt(text, sizeof text, out);
    assert_string_equal(out, "...");
}

static void names_are_all_different(void **state)
{
    hill__reading reading = plain();
    (void)state;
    one_file = make_text("a,a,,a,c3 (5),,x\nb,b,b,b,b,b,b\n1,2,3,4,5,6,7\n");
    reading.options.header = "yes";
    hill_table *table = parse_with(&one_file, &reading);
    static const char *const names[] = {"a", "a (2)", "c3", "a (4)", "c3 (5)", "c6", "x"};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(table->columns[i].name, names[i]);
    assert_string_equal(hill_table_note(table, 0), "column 2 has the name of another and is called a (2)");
    assert_string_equal(hill_table_guesses(table), "--delimiter ','");
    hill_table_free(table);
    one_file = make_text("a,a,a (2),a (3)\n1,2,3,4\n");
    table = parse_with(&one_file, &reading);
    assert_string_equal(table->columns[1].name, "a (2)");
    assert_string_equal(table->columns[2].name, "a (2) (3)");
    hill_table_free(table);
    reading.options.header = NULL;
    reading.options.delimiter = ',';
    table = parse_with(&one_file, &reading);
    assert_string_equal(hill_table_guesses(table), "--header yes");
    hill_table_free(table);
    one_file = make_text("\n1,2\n\n\n3,4\n");
    table = parse_with(&one_file, &reading);
    assert_string_equal(hill_table_note(table, 0), "3 blank lines were skipped");
    hill_table_free(table);
}

static void missing_cells_are_listed(void **state)
{
    hill__reading reading = plain();
    (void)state;
    one_file = make_text("a,b\n-,1\n  none ,2\nx,3\n-x,4\n");
    reading.options.missing = " -, none ,, ,";
    hill_table *table = parse_with(&one_file, &reading);
    assert_null(cell(table, 0, 0));
    assert_null(cell(table, 0, 1));
    assert_string_equal(cell(table, 0, 2), "x");
    assert_string_equal(cell(table, 0, 3), "-x");
    hill_table_free(table);
    assert_text_reads("?,b\n1,x\n2,x\n",
                      &(hill__reading){.options = HILL_TABLE_OPTIONS_INIT, .allocator = hill__allocator(NULL)},
                      "--delimiter ',' --header no", 2, 3);
    one_file = make_text("a,b\n-,1\n  none ,2\nx,3\n-x,4\n");
    reading.options.missing = "";
    table = parse_with(&one_file, &reading);
    assert_string_equal(cell(table, 0, 0), "-");
    hill_table_free(table);
}

/* Whether the first line holds names, where a model knows some. */
static void headers_of_models(void **state)
{
    static const hill__wanted numbers[] = {{"a", 0, HILL_COLUMN_NUMBER, false}, {"b", 1, HILL_COLUMN_NUMBER, true}};
    static const hill__wanted texts[] = {{"a", 0, HILL_COLUMN_CATEGORY, false}, {"b", 1, HILL_COLUMN_CATEGORY, true}};
    static const hill__wanted bare[] = {{"c1", 0, HILL_COLUMN_CATEGORY, false}, {"c2", 1, HILL_COLUMN_CATEGORY, true}};
    static const hill__wanted target[] = {{"c1", 0, HILL_COLUMN_CATEGORY, true}};
    static const struct {
        hill__schema schema;
        const char *text, *guesses;
        uint64_t rows;
    } cases[] = {
        {{numbers, 2, true}, "a,b\n1,2\n", "--delimiter ',' --header yes", 1},
        {{numbers, 2, true}, "b,a\n1,2\n", "--delimiter ',' --header yes", 1},
        {{numbers, 2, true}, "1,2\n3,4\n", "--delimiter ',' --header no", 2},
        {{texts, 2, true}, "a,b\nx,y\n", "--delimiter ',' --header yes", 1},
        {{texts, 2, true}, "x,y\nz,w\n", "--delimiter ',' --header no", 2},
        {{texts, 2, true}, "p,q\nx,1\n", "--delimiter ',' --header yes", 0},
        {{bare, 2, false}, "c1,c2\nx,y\n", "--delimiter ',' --header yes", 1},
        {{bare, 2, false}, "x,y\nz,w\n", "--delimiter ',' --header no", 2},
        {{bare, 2, false}, "x,y\nz,1\n", "--delimiter ',' --header yes", 1},
        {{target, 1, false}, "x\ny\n", "--delimiter ',' --header no", 2},
        {{target, 1, true}, "c1\ny\n", "--delimiter ',' --header no", 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        hill__reading reading = plain();
        hill_table *table = NULL;
        hill_error error = HILL_ERROR_INIT;
        one_file = make_text(cases[i].text);
        reading.schema = &cases[i].schema;
        int status = parse_status(&one_file, &reading, &table, &error);
        if (status == HILL_OK &&
            (!cases[i].rows || strcmp(hill_table_guesses(table), cases[i].guesses) != 0 || table->rows != cases[i].rows))
            fail_msg("case %zu: %s, %d rows", i, hill_table_guesses(table), (int)table->rows);
        if (status != HILL_OK && cases[i].rows)
            fail_msg("case %zu: %s", i, error.text);
        hill_table_free(table);
    }
}

/* Guesses look at the first MiB, which may end anywhere; what is behind it counts all the same. */
static void long_files_are_guessed_by_their_first_part(void **state)
{
    const size_t room = (size_t)3 << 20;
    char *text = malloc(room);
    hill__reading reading = plain();
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        size_t length = 0;
        hill_table *table;
        hill_error error = HILL_ERROR_INIT;
        if (kind == 0) /* rows of seven bytes */
            for (length = (size_t)snprintf(text, room, "a;b\n"); length < ((size_t)1 << 20) + 1000; length += 7)
                memcpy(text + length, "12;345\n", 7);
        if (kind == 1) { /* one row that is longer than what is looked at */
            memset(text, 'x', room);
            memcpy(text + ((size_t)2 << 20), ";y\nz;w\n", 7);
            length = ((size_t)2 << 20) + 7;
        }
        if (kind == 2) { /* the second row is */
            memset(text, 'x', room);
            memcpy(text, "a;b\n", 4);
            memcpy(text + ((size_t)2 << 20), ";7\n", 3);
            length = ((size_t)2 << 20) + 3;
        }
        hill_bytes bytes = {text, length, "f"};
        if (hill__table_parse(&bytes, &reading, &table, &error) != HILL_OK)
            fail_msg("%u: %s", kind, error.text);
        static const char *const guesses[] = {"--delimiter ';' --header yes", "--delimiter ',' --header yes",
                                              "--delimiter ';' --header yes"};
        if (strcmp(hill_table_guesses(table), guesses[kind]) != 0)
            fail_msg("%u: %s", kind, hill_table_guesses(table));
        hill_table_free(table);
    }
    free(text);
}

/* ---- what callers give --------------------------------------------------------------------------------------------------- */

static void callers_are_told_what_is_wrong(void **state)
{
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    hill_bytes none = {NULL, 5, NULL}, empty = {NULL, 0, NULL}, some = {"a\n1\n", 4, NULL};
    (void)state;
    assert_int_equal(hill_table_open("f", NULL, NULL, NULL, &error), HILL_EARGUMENT);
    assert_int_equal(hill_table_open(NULL, NULL, NULL, &table, &error), HILL_EARGUMENT);
    assert_int_equal(hill_table_parse(&some, NULL, NULL, NULL, &error), HILL_EARGUMENT);
    assert_int_equal(hill_table_parse(NULL, NULL, NULL, &table, &error), HILL_EARGUMENT);
    assert_int_equal(hill_table_parse(&none, NULL, NULL, &table, &error), HILL_EARGUMENT);
    assert_int_equal(hill_table_parse(&empty, NULL, NULL, &table, &error), HILL_EDATA);
    assert_string_equal(error.text, "table: has no rows");
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    options.header = "maybe";
    assert_int_equal(hill_table_open("f", &options, NULL, &table, &error), HILL_EARGUMENT);
    options.header = "no";
    assert_int_equal(hill_table_parse(&some, &options, NULL, &table, &error), HILL_OK);
    assert_int_equal(hill_table_rows(table), 2);
    hill_table_free(table);
    options.header = "yes";
    options.size = offsetof(hill_table_options, header); /* a caller whose header ends there */
    assert_int_equal(hill_table_parse(&some, &options, NULL, &table, &error), HILL_OK);
    assert_string_equal(hill_table_guesses(table), "--delimiter ',' --header yes");
    hill_column column = HILL_COLUMN_INIT;
    assert_int_equal(hill_table_column(table, 0, NULL), HILL_EARGUMENT);
    assert_int_equal(hill_table_column(table, 1, &column), HILL_EARGUMENT);
    column.size = 3;
    assert_int_equal(hill_table_column(table, 0, &column), HILL_EARGUMENT);
    column = (hill_column){.size = offsetof(hill_column, low), .low = 77};
    assert_int_equal(hill_table_column(table, 0, &column), HILL_OK);
    assert_int_equal(column.distinct, 1);
    assert_true(column.low == 77);
    column.size = 10 * sizeof column;
    assert_null(hill_table_category(table, 0, 0));
    assert_null(hill_table_category(table, 5, 0));
    hill_table_free(table);
    hill_table_free(NULL);
}

static void tables_of_images_have_them_first(void **state)
{
    static const unsigned char data[] = {1, 2, 3, 4};
    hill__reading reading = plain();
    hill_column column = HILL_COLUMN_INIT;
    (void)state;
    one_file = make_idx((uint32_t[]){1, 2, 2}, 3, data, 4);
    hill_table *table = parse_with(&one_file, &reading);
    assert_int_equal(hill_table_columns(table), 1);
    assert_int_equal(hill_table_column(table, 0, &column), HILL_OK);
    assert_int_equal(column.kind, HILL_COLUMN_IMAGE);
    assert_int_equal(column.image_width, 2);
    assert_null(hill_table_category(table, 0, 0));
    assert_null(hill_table_category(table, 1, 0));
    char place[20];
    hill__table_place(table, 0, place, sizeof place);
    assert_string_equal(place, "f: row 1");
    hill_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(gzip_headers_have_their_limit),
        cmocka_unit_test(gzip_lengths_are_not_trusted),
        cmocka_unit_test(npy_headers),
        cmocka_unit_test(npy_versions),
        cmocka_unit_test(images_of_five_gigabytes_are_too_large),
        cmocka_unit_test(images_stay_or_are_turned),
        cmocka_unit_test(idx_types),
        cmocka_unit_test(half_floats),
        cmocka_unit_test(text_of_every_shape),
        cmocka_unit_test(text_is_refused_with_its_place),
        cmocka_unit_test(excerpts_are_whole_characters),
        cmocka_unit_test(excerpts_of_no_characters),
        cmocka_unit_test(names_are_all_different),
        cmocka_unit_test(missing_cells_are_listed),
        cmocka_unit_test(headers_of_models),
        cmocka_unit_test(long_files_are_guessed_by_their_first_part),
        cmocka_unit_test(callers_are_told_what_is_wrong),
        cmocka_unit_test(tables_of_images_have_them_first),
    };
    return cmocka_run_group_tests_name("reader corners", tests, NULL, NULL);
}
