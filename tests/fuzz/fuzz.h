/*
 * fuzz.h - what the fuzz targets share: a memory that counts and ends, tables read from any bytes, files in memory.
 *
 * A target is one function over any bytes that remembers nothing. What it finds ends the process: a sanitizer does, or must().
 */
#ifndef HILL_FUZZ_H
#define HILL_FUZZ_H

#define _XOPEN_SOURCE 700

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/bytes.h"
#include "data/csv.h"
#include "data/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(fact) ((fact) ? (void)0 : fuzz_broken(#fact, __FILE__, __LINE__))

static inline void fuzz_broken(const char *fact, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, fact);
    abort();
}

/* ---- memory that ends, and that everybody gives back in the sizes it was taken ------------------------------------------ */

typedef struct fuzz_memory {
    size_t used, most;
    size_t asked; /* the largest block ever asked for, given or not */
} fuzz_memory;

#define FUZZ_MEMORY ((size_t)256 << 20)

/* What a reader that packs nothing out may ask for in one block: as much as a file of that size could be good for. */
#define FUZZ_JUSTIFIED(size) (((size_t)1 << 20) + 1024 * (size))

static inline void *fuzz_alloc(void *self, size_t bytes)
{
    fuzz_memory *memory = self;
    memory->asked = bytes > memory->asked ? bytes : memory->asked;
    if (bytes > FUZZ_MEMORY - memory->used)
        return NULL;
    void *block = malloc(bytes);
    if (!block)
        return NULL;
    memory->used += bytes;
    memory->most = memory->used > memory->most ? memory->used : memory->most;
    return block;
}

static inline void fuzz_free(void *self, void *block, size_t bytes)
{
    fuzz_memory *memory = self;
    must(bytes <= memory->used);
    memory->used -= bytes;
    free(block);
}

static inline hill_host fuzz_host(fuzz_memory *memory)
{
    hill_host host = HILL_HOST_INIT;
    host.allocator = (hill_allocator){memory, fuzz_alloc, fuzz_free};
    return host;
}

/* A copy with no byte to spare before or behind it. */
static inline hill__file_bytes fuzz_copy(const void *data, size_t size, const hill_allocator *allocator)
{
    hill__file_bytes copy = {hill__alloc(allocator, size, 1), size, size};
    must(copy.data);
    if (size)
        memcpy(copy.data, data, size);
    return copy;
}

/* ---- what a failure says ------------------------------------------------------------------------------------------------ */

/* UTF-8 of so many lines, without control characters. */
static inline void fuzz_shown(const char *text, size_t most)
{
    size_t length = strlen(text), lines = 1;
    must(length > 0 && hill__csv_check_text(&(hill_bytes){text, length, "text"}, NULL) == HILL_OK);
    for (size_t i = 0; i < length; i++) {
        must(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
        lines += text[i] == '\n';
    }
    must(lines <= most);
}

/* At most three lines, and the file comes first unless memory ended. */
static inline void fuzz_said(const hill_error *error, int status, const char *file)
{
    must(error->status == status);
    fuzz_shown(error->text, 3);
    must(status == HILL_EMEMORY || strncmp(error->text, file, strlen(file)) == 0);
}

/* ---- tables -------------------------------------------------------------------------------------------------------------- */

/* Reads every cell once, so that a sanitizer sees what isn't there. */
static inline void fuzz_touch(const hill_table *table)
{
    must(table->rows > 0 && table->column_count + (table->image != NULL) > 0);
    for (size_t i = 0; i < table->column_count; i++) {
        const hill__column *column = &table->columns[i];
        must(strlen(column->name) > 0);
        for (uint64_t row = 0; row < table->rows; row++)
            if (column->kind == HILL_COLUMN_NUMBER)
                must(isnan(column->numbers[row]) || fabs(column->numbers[row]) < HUGE_VAL);
            else
                must(column->codes[row] == HILL__MISSING || column->codes[row] < column->values.count);
    }
    unsigned sum = 0;
    for (size_t i = 0; table->image && i < table->rows * table->image_bytes; i++)
        sum |= table->image[i];
    must(sum <= 255);
    for (size_t i = 0; hill_table_note(table, i); i++)
        fuzz_shown(hill_table_note(table, i), 1);
}

/* Two columns that a model wants by name, else by place. */
static const hill__wanted fuzz_wanted[] = {{"c2", 1, HILL_COLUMN_CATEGORY, false}, {"c1", 0, HILL_COLUMN_NUMBER, true}};
static const hill__schema fuzz_schema = {fuzz_wanted, 2, false};

/*
 * Ways to read that all formats have, by bits of `how`: 1 the columns that a model wants, 2 the second one as categories, 4 the
 * test part, 8 limits that are soon met.
 */
static inline hill__reading fuzz_reading(unsigned how, fuzz_memory *memory)
{
    hill_host host = fuzz_host(memory);
    hill__reading reading = {.options = HILL_TABLE_OPTIONS_INIT, .allocator = host.allocator};
    reading.schema = how & 1 ? &fuzz_schema : NULL;
    reading.options.categories = how & 2 ? "2" : NULL;
    reading.options.part = how & 4 ? HILL_PART_TEST : HILL_PART_TRAIN;
    if (how & 8)
        reading.limits = (hill_limits){sizeof(hill_limits), 16, 2, 100, 1};
    return reading;
}

/* The table that the bytes are, looked at; NULL where they are none. */
static inline hill_table *fuzz_table(const void *data, size_t size, const hill__reading *reading)
{
    hill__file_bytes copy = fuzz_copy(data, size, &reading->allocator);
    hill_table *table;
    hill_error error = HILL_ERROR_INIT;
    hill_bytes bytes = {copy.data, size, "file"};
    int status = hill__table_parse(&bytes, reading, &table, &error);
    hill__bytes_free(&reading->allocator, &copy);
    must((status == HILL_OK) == (table != NULL));
    if (table)
        fuzz_touch(table);
    else
        fuzz_said(&error, status, "file");
    must(table || status == HILL_EDATA || status == HILL_EMEMORY || reading->options.part == HILL_PART_TEST);
    return table;
}

/* The whole life of a table. `justified` is the largest block that may be asked for. */
static inline void fuzz_read(const void *data, size_t size, unsigned how, size_t justified)
{
    fuzz_memory memory = {0, 0, 0};
    hill__reading reading = fuzz_reading(how, &memory);
    hill_table_free(fuzz_table(data, size, &reading));
    must(memory.used == 0);
    must(memory.asked <= justified);
}

/* ---- files, for what only takes a path ----------------------------------------------------------------------------------- */

/* A path of this process's own, in TMPDIR, which had better be in memory: saving a model waits for the disk. */
static inline const char *fuzz_path(void)
{
    static char path[200];
    const char *folder = getenv("TMPDIR");
    int length = snprintf(path, sizeof path, "%s/hill-fuzz-%ld", folder ? folder : "/tmp", (long)getpid());
    must(length > 0 && (size_t)length < sizeof path);
    return path;
}

/* Writes that file. */
static inline const char *fuzz_file(const void *data, size_t size)
{
    FILE *file = fopen(fuzz_path(), "wb");
    must(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    return fuzz_path();
}

/*
 * The same for a safetensors file. Bytes that begin with a brace are a header up to the first zero byte, and tensors behind it;
 * the length is put in front here, so that a header may grow and shrink.
 */
static inline const char *fuzz_safetensors(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] != '{')
        return fuzz_file(data, size);
    const uint8_t *end = memchr(data, 0, size);
    uint64_t length = end ? (size_t)(end - data) : size;
    size_t tensors = end ? size - (size_t)length - 1 : 0;
    uint8_t *bytes = malloc(8 + (size_t)length + tensors);
    must(bytes);
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(length >> 8 * i);
    memcpy(bytes + 8, data, (size_t)length);
    memcpy(bytes + 8 + length, end ? end + 1 : data, tensors);
    fuzz_file(bytes, 8 + (size_t)length + tensors);
    free(bytes);
    return fuzz_path();
}

#endif
