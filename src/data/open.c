/*
 * open.c - from a path to a table: which format it is, which files belong together, what a model wants of it. Invariant: a
 * table handed out was measured, and is whole or isn't there.
 */
#include "base/fp.h"

#include <string.h>

#include "base/file.h"
#include "data/bytes.h"
#include "data/reader.h"

#define OPEN_NAMES_NEEDED "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"

/* A safetensors file begins with the length of its header, 8 bytes, and the header with a brace. */
static bool open_is_model(const hill_bytes *bytes)
{
    const unsigned char *p = bytes->data;
    return bytes->length > 8 && p[8] == '{' && p[5] == 0 && p[6] == 0 && p[7] == 0;
}

static int open_read_format(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    if (reading->options.part == HILL_PART_TEST && !hill__zip_is(bytes))
        return hill__fail(error, HILL_EPART,
                          "%s: has no test part; a folder of MNIST-style files or an NPZ with x_test has one", bytes->name);
    if (open_is_model(bytes))
        return hill__fail(error, HILL_EDATA, "%s: is a model, not data", bytes->name);
    if (hill__npy_is(bytes))
        return hill__npy_read(bytes, reading, out, error);
    if (hill__zip_is(bytes))
        return hill__zip_read(bytes, reading, out, error);
    if (hill__idx_is(bytes))
        return hill__idx_read(bytes, reading, out, error);
    return hill__csv_read(bytes, reading, out, error);
}

static bool open_is_csv(const hill_table *table)
{
    return strcmp(table->format, "csv") == 0 || strcmp(table->format, "tsv") == 0;
}

/* A file as its format's reader gives it. The table keeps the bytes where its images lie among them. */
static int open_read_file(const char *path, const hill__reading *how, hill_table **out, hill_error *error)
{
    hill__file_bytes file;
    hill__reading lasting = *how, *reading = &lasting;
    lasting.lasting = true;
    *out = NULL;
    HILL__TRY(hill__bytes_load(path, &reading->limits, &reading->allocator, &file, error));
    hill_bytes bytes = {file.data, file.length, path};
    int status = open_read_format(&bytes, reading, out, error);
    if (status == HILL_OK && (*out)->image && !(*out)->image_block.data)
        (*out)->image_block = file;
    else
        hill__bytes_free(&reading->allocator, &file);
    return status;
}

/* Replaces the last `from` in text behind `base` by `to`, of the same length; false where there is none. */
static bool open_replace(char *base, const char *from, const char *to)
{
    char *last = NULL;
    for (char *p = strstr(base, from); p; p = strstr(p + 1, from))
        last = p;
    if (last)
        memcpy(last, to, strlen(to));
    return last != NULL;
}

/* Into `out` the name of the labels file beside an images file; false where there is none. */
static bool open_find_labels(const char *images, hill__text *out)
{
    hill__text_clear(out);
    hill__text_add_string(out, images);
    if (out->failed)
        return false;
    char *slash = strrchr(out->data, '/');
    char *base = slash ? slash + 1 : out->data;
    if (!open_replace(base, "images", "labels"))
        return false;
    if (!open_replace(base, "idx3", "idx1"))
        open_replace(base, "idx4", "idx1");
    if (hill__path_kind_of(out->data) != HILL__PATH_NONE)
        return true;
    if (strcmp(out->data + out->length - 3, ".gz") == 0)
        out->data[out->length -= 3] = '\0';
    else
        hill__text_add_string(out, ".gz");
    return !out->failed && hill__path_kind_of(out->data) != HILL__PATH_NONE;
}

/* Adds the labels to the images of an IDX file, where they lie beside it. */
static int open_add_labels(const char *images, const hill__reading *reading, hill_table *table, hill_error *error)
{
    hill__text path;
    hill__text_init(&path, &reading->allocator);
    hill_table *labels = NULL;
    int status = HILL_OK;
    if (open_find_labels(images, &path)) {
        status = open_read_file(path.data, reading, &labels, error);
        if (status == HILL_OK && strcmp(labels->format, "idx") != 0)
            status = hill__fail(error, HILL_EDATA, "%s: is no IDX file", labels->name);
        if (status == HILL_OK)
            status = hill__table_append(table, labels, NULL, error);
    } else if (path.failed) {
        status = hill__fail_memory(error);
    }
    hill_table_free(labels);
    hill__text_free(&path);
    return status;
}

/* The images file of a part in a folder, into `path`; false where there is none. */
static bool open_find_images(const char *folder, hill_part part, hill__text *path)
{
    static const char *const spellings[] = {"images-idx3-ubyte", "images.idx3-ubyte"};
    for (size_t i = 0; i < 4; i++) {
        hill__text_clear(path);
        hill__text_add_string(path, folder);
        if (path->length > 0 && path->data[path->length - 1] != '/')
            hill__text_add_string(path, "/");
        hill__text_add_string(path, part == HILL_PART_TEST ? "t10k-" : "train-");
        hill__text_add_string(path, spellings[i / 2]);
        hill__text_add_string(path, i % 2 ? ".gz" : "");
        if (path->failed || hill__path_kind_of(path->data) != HILL__PATH_NONE)
            return !path->failed;
    }
    return false;
}

static int open_folder(const char *folder, const hill__reading *reading, hill_table **out, hill_error *error)
{
    hill__text path;
    hill__text_init(&path, &reading->allocator);
    hill__reading file = *reading;
    hill_part part = reading->options.part;
    file.options.part = HILL_PART_TRAIN;
    int status = HILL_OK;
    if (open_find_images(folder, part, &path))
        status = open_read_file(path.data, &file, out, error);
    else if (path.failed)
        status = hill__fail_memory(error);
    else if (part == HILL_PART_TEST && open_find_images(folder, HILL_PART_TRAIN, &path))
        status = hill__fail(error, HILL_EPART, "%s: has no test part; t10k-images-idx3-ubyte is missing", folder);
    else
        status = hill__fail(error, HILL_EDATA, "%s: is a folder without the names expected (each may end in .gz):\n%s", folder,
                            OPEN_NAMES_NEEDED);
    if (status == HILL_OK && (*out)->image && !reading->options.targets)
        status = open_add_labels(path.data, &file, *out, error);
    hill__text_free(&path);
    return status;
}

static const hill__wanted *open_wanted_target(const hill__schema *schema)
{
    for (size_t i = 0; schema && i < schema->count; i++)
        if (schema->columns[i].target)
            return &schema->columns[i];
    return NULL;
}

/* Appends the column of options->targets, named and typed as the model has it, else by its own name, else "target". */
static int open_add_targets(const hill__reading *reading, hill_table *table, hill_error *error)
{
    const hill__wanted *wanted = open_wanted_target(reading->schema);
    hill__reading how = {.options = HILL_TABLE_OPTIONS_INIT, .allocator = reading->allocator, .limits = reading->limits};
    hill_table *targets;
    how.options.missing = reading->options.missing;
    HILL__TRY(open_read_file(reading->options.targets, &how, &targets, error));
    int status = HILL_OK;
    if (wanted && targets->column_count == 1)
        status = hill__schema_convert(targets, 0, wanted->kind, error);
    bool named = targets->has_header || strcmp(targets->format, "idx") == 0;
    const char *name = wanted ? wanted->name : named && targets->column_count ? targets->columns[0].name : "target";
    hill__text copy;
    hill__text_init(&copy, &reading->allocator);
    hill__text_add_string(&copy, name);
    if (status == HILL_OK && copy.failed)
        status = hill__fail_memory(error);
    if (status == HILL_OK)
        status = hill__table_append(table, targets, hill__text_string(&copy), error);
    if (status == HILL_OK && *hill_table_guesses(targets))
        hill__lines_add(&table->notes, "the targets were read with %s", hill_table_guesses(targets));
    hill__text_free(&copy);
    hill_table_free(targets);
    return status;
}

/* Columns that the caller wants as categories; the CSV reader knows them itself. */
static int open_make_categories(const hill__reading *reading, hill_table *table, hill_error *error)
{
    bool *marks = hill__alloc(&table->allocator, table->column_count, sizeof *marks);
    if (!marks)
        return hill__fail_memory(error);
    int status = hill__table_mark(table, reading->options.categories, marks, error);
    for (size_t i = 0; status == HILL_OK && i < table->column_count; i++)
        if (marks[i] && !hill__table_make_category(table, i))
            status = hill__fail_memory(error);
    hill__free(&table->allocator, marks, table->column_count, sizeof *marks);
    return status;
}

static int open_finish(const hill__reading *reading, hill_table *table, hill_error *error)
{
    bool apart = reading->options.targets != NULL;
    if (!open_is_csv(table) && reading->options.categories && !reading->schema)
        HILL__TRY(open_make_categories(reading, table, error));
    if (!open_is_csv(table) && reading->schema)
        HILL__TRY(hill__schema_apply(reading->schema, table, apart, error));
    if (apart)
        HILL__TRY(open_add_targets(reading, table, error));
    return hill__table_measure(table) && !table->notes.text.failed ? HILL_OK : hill__fail_memory(error);
}

/* The options, those that the caller's header doesn't know at their defaults. */
static int open_options(const hill_table_options *given, hill_table_options *out, hill_error *error)
{
    *out = (hill_table_options)HILL_TABLE_OPTIONS_INIT;
    if (given)
        memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
    if (out->header && strcmp(out->header, "yes") != 0 && strcmp(out->header, "no") != 0)
        return hill__fail(error, HILL_EARGUMENT, "header is \"%.40s\"; it may be yes or no", out->header);
    if (out->delimiter && !memchr(",\t;| ", out->delimiter, 5))
        return hill__fail(error, HILL_EARGUMENT, "the delimiter may be a comma, tab, semicolon, bar or space");
    return HILL_OK;
}

static int open_reading(const hill_table_options *options, const hill_host *host, hill__reading *out, hill_error *error)
{
    *out = (hill__reading){.allocator = hill__allocator(host), .limits = hill__limits(host)};
    HILL__TRY(open_options(options, &out->options, error));
    out->schema = hill__model_schema(out->options.like);
    return HILL_OK;
}

static int open_done(const hill__reading *reading, int status, hill_table **out, hill_error *error)
{
    if (status == HILL_OK)
        status = open_finish(reading, *out, error);
    if (status < 0) {
        hill_table_free(*out);
        *out = NULL;
    }
    return status;
}

int hill__table_open(const char *path, const hill__reading *reading, hill_table **out, hill_error *error)
{
    int status = HILL_OK;
    *out = NULL;
    if (hill__path_kind_of(path) == HILL__PATH_FOLDER) {
        status = open_folder(path, reading, out, error);
    } else {
        status = open_read_file(path, reading, out, error);
        if (status == HILL_OK && (*out)->image && strcmp((*out)->format, "idx") == 0 && !reading->options.targets)
            status = open_add_labels(path, reading, *out, error);
    }
    return open_done(reading, status, out, error);
}

int hill__table_parse(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    hill_bytes named = *bytes;
    hill__file_bytes unpacked = {NULL, 0, 0};
    named.name = bytes->name ? bytes->name : "table";
    *out = NULL;
    if (hill__bytes_are_gzip(bytes->data, bytes->length)) {
        hill__packed packed = {named, 0, reading->limits};
        HILL__TRY(hill__bytes_gunzip(&packed, &reading->allocator, &unpacked, error));
        named.data = unpacked.data;
        named.length = unpacked.length;
    }
    int status = open_done(reading, open_read_format(&named, reading, out, error), out, error);
    hill__bytes_free(&reading->allocator, &unpacked);
    return status;
}

int hill_table_open(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out,
                    hill_error *error)
{
    hill__reading reading;
    if (!out)
        return hill__fail(error, HILL_EARGUMENT, "hill_table_open: nowhere to put the table");
    *out = NULL;
    if (!path)
        return hill__fail(error, HILL_EARGUMENT, "hill_table_open: no path");
    HILL__TRY(open_reading(options, host, &reading, error));
    return hill__table_open(path, &reading, out, error);
}

int hill_table_parse(const hill_bytes *bytes, const hill_table_options *options, const hill_host *host, hill_table **out,
                     hill_error *error)
{
    hill__reading reading;
    if (!out)
        return hill__fail(error, HILL_EARGUMENT, "hill_table_parse: nowhere to put the table");
    *out = NULL;
    if (!bytes || (!bytes->data && bytes->length))
        return hill__fail(error, HILL_EARGUMENT, "hill_table_parse: no text");
    HILL__TRY(open_reading(options, host, &reading, error));
    return hill__table_parse(bytes, &reading, out, error);
}
