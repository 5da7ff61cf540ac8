/*
 * test_reader_faults.c - hostile bytes and memory that ends: small files of every format, cut off at every byte, with every bit
 * turned, read under every failing allocation. Meant to run under the address and undefined-behaviour sanitizers too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "data/reader.h"
#include "reader_files.h"

#define SAMPLES 11u

static const hill__wanted wanted[] = {{"c2", 1, HILL_COLUMN_CATEGORY, false}, {"c1", 0, HILL_COLUMN_NUMBER, true}};
static const hill__schema schema = {wanted, 2, false};

static bytes_buffer make_sample(unsigned i)
{
    static const unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    bytes_buffer file;
    switch (i) {
    case 0:
        return make_text("age,name,\"x\"\"y\"\n1.5,\"a, \"\"b\"\"\",3\n?,\xc3\xa9,1e-3\n\n7,c,2\n");
    case 1:
        return make_text("1 2 3\n4 5 6\n7 8 9\n");
    case 2:
        return make_idx((uint32_t[]){3, 2, 2}, 3, data, 12);
    case 3:
        return make_idx((uint32_t[]){6, 2}, 2, data, 12);
    case 4:
        return make_npy("{'descr': '<i2', 'fortran_order': True, 'shape': (3, 2), }", data, 12);
    case 5:
        return make_npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", data, 12);
    case 6:
        return make_npz_pair((npz_style){0, false});
    case 7:
        return make_npz_pair((npz_style){8, false});
    case 8:
        return make_npz_pair((npz_style){0, true});
    case 9:
        file = make_sample(0);
        return make_gzip(&file);
    default:
        file = make_sample(4);
        return make_gzip(&file);
    }
}

/* Every array of a table is read once, so that a sanitizer sees what isn't there. */
static void touch(const hill_table *table)
{
    unsigned sum = 0;
    assert_true(table->rows > 0 && table->column_count + (table->image != NULL) > 0);
    for (size_t i = 0; i < table->column_count; i++) {
        const hill__column *column = &table->columns[i];
        assert_true(strlen(column->name) > 0);
        for (uint64_t row = 0; row < table->rows; row++) {
            if (column->kind == HILL_COLUMN_NUMBER)
                assert_true(isnan(column->numbers[row]) || fabs(column->numbers[row]) < HUGE_VAL);
            else
                assert_true(column->codes[row] == HILL__MISSING || column->codes[row] < column->values.count);
        }
    }
    for (size_t i = 0; table->image && i < table->rows * table->image_bytes; i++)
        sum += table->image[i];
    assert_true(sum <= table->rows * table->image_bytes * 255);
}

/* An allocator that fails once `left` blocks were given, and sees that each comes back with the size it was asked with. */
typedef struct fickle {
    size_t left, blocks, bytes, peak;
} fickle;

static void *fickle_alloc(void *self, size_t bytes)
{
    fickle *memory = self;
    if (memory->left == 0)
        return NULL;
    size_t *block = malloc(bytes + 2 * sizeof *block);
    if (!block)
        return NULL;
    memory->left--;
    memory->blocks++;
    memory->bytes += bytes;
    memory->peak = memory->peak > memory->bytes ? memory->peak : memory->bytes;
    block[0] = bytes;
    return block + 2;
}

static void fickle_free(void *self, void *block, size_t bytes)
{
    fickle *memory = self;
    size_t *start = (size_t *)block - 2;
    assert_int_equal(start[0], bytes);
    memory->blocks--;
    memory->bytes -= bytes;
    free(start);
}

/* Whatever the bytes are: a table that is whole, or an error that says where. The copy has no byte to spare behind it. */
static int read_bytes(const unsigned char *data, size_t length, const hill__reading *reading)
{
    unsigned char *copy = malloc(length ? length : 1);
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    assert_non_null(copy);
    memcpy(copy, data, length);
    hill_bytes bytes = {copy, length, "file"};
    int status = hill__table_parse(&bytes, reading, &table, &error);
    free(copy);
    if (status == HILL_OK) {
        touch(table);
    } else {
        assert_null(table);
        assert_true(status == HILL_EDATA || status == HILL_EMEMORY);
        assert_true(status == HILL_EMEMORY || (strncmp(error.text, "file", 4) == 0 && !strchr(error.text, '\n')));
    }
    hill_table_free(table);
    return status;
}

/* The same with memory that doesn't end: all of it comes back, and little was taken, for all of these files are small. */
static int read_whole(const bytes_buffer *file, size_t length, const hill__schema *like)
{
    fickle memory = {.left = SIZE_MAX};
    hill__reading reading = {
        .options = HILL_TABLE_OPTIONS_INIT, .allocator = {&memory, fickle_alloc, fickle_free}, .schema = like};
    int status = read_bytes(file->data, length, &reading);
    assert_int_not_equal(status, HILL_EMEMORY);
    assert_int_equal(memory.blocks, 0);
    assert_int_equal(memory.bytes, 0);
    assert_true(memory.peak < (size_t)1 << 20);
    return status;
}

static void cut_off_everywhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++) {
        bytes_buffer file = make_sample(i);
        for (size_t length = 0; length < file.length; length++) {
            int status = read_whole(&file, length, NULL);
            assert_true(i < 2 || status != HILL_OK); /* only text may end anywhere */
        }
    }
}

static void every_bit_turned(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++) {
        bytes_buffer file = make_sample(i);
        for (size_t bit = 0; bit < file.length * 8; bit++) {
            file.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
            read_whole(&file, file.length, NULL);
            read_whole(&file, file.length, &schema);
            file.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
}

static void memory_ends_everywhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * SAMPLES; i++) {
        bytes_buffer file = make_sample(i % SAMPLES);
        int status = HILL_EMEMORY;
        for (size_t blocks = 0; status == HILL_EMEMORY; blocks++) {
            fickle memory = {.left = blocks};
            hill__reading reading = {.options = HILL_TABLE_OPTIONS_INIT, .allocator = {&memory, fickle_alloc, fickle_free}};
            reading.options.missing = "?,x";
            reading.options.categories = i % SAMPLES == 1 ? "2" : NULL;
            reading.schema = i < SAMPLES ? NULL : &schema;
            status = read_bytes(file.data, file.length, &reading);
            assert_int_equal(memory.blocks, 0);
            assert_int_equal(memory.bytes, 0);
            assert_true(blocks < 1000);
        }
        assert_true(status == HILL_OK || status == HILL_EDATA);
    }
}

/* A row is refused before what it holds in doubled quotes is kept, a header before its names are. */
static void limits_come_before_memory(void **state)
{
    enum { BYTES = 1 << 20 };
    unsigned char *text = malloc(BYTES);
    (void)state;
    assert_non_null(text);
    for (int names = 0; names < 2; names++) {
        fickle memory = {.left = SIZE_MAX};
        hill__reading reading = {.options = HILL_TABLE_OPTIONS_INIT, .allocator = {&memory, fickle_alloc, fickle_free}};
        reading.limits.line = names ? BYTES : 1000;
        reading.limits.header = names ? 1000 : BYTES;
        memset(text, names ? 'a' : '"', BYTES);
        memcpy(text, names ? "a,b" : "a\n\"", 3);
        text[BYTES - 1] = '\n';
        assert_int_equal(read_bytes(text, BYTES, &reading), HILL_EDATA);
        assert_true(memory.peak < (names ? 3 * BYTES + 20000 : 20000)); /* a row of names is kept once, in room that doubles */
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cut_off_everywhere), cmocka_unit_test(every_bit_turned),
                                       cmocka_unit_test(memory_ends_everywhere), cmocka_unit_test(limits_come_before_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
