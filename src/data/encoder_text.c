/*
 * encoder_text.c - the encoder as JSON, in the metadata of model files. Invariant: what the parser takes can be used as it is:
 * every number is finite, every deviation above 0, every list free of doubles, every size checked.
 */
#include "base/fp.h"

#include "data/encoder.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "data/bins.h"
#include "data/embed.h"

/* Bytes of an image beyond which a file is not believed. */
#define ENCODER_PIXELS_MOST ((size_t)1 << 30)

static const char *const encoder_kinds[] = {
    [HILL_COLUMN_NUMBER] = "number", [HILL_COLUMN_CATEGORY] = "category", [HILL_COLUMN_IMAGE] = "image"};

static const char *const encoder_tasks[] = {[HILL_TASK_CLASSES] = "classes", [HILL_TASK_NUMBERS] = "numbers"};

static void encoder_write_string(hill__text *text, const char *key, const char *value)
{
    hill__text_add_format(text, "\"%s\":", key);
    hill__json_add_string(text, value, strlen(value));
}

static void encoder_write_double(hill__text *text, const char *key, double value)
{
    hill__text_add_format(text, ",\"%s\":", key);
    hill__json_add_double(text, value);
}

static void encoder_write_names(hill__text *text, const char *key, const hill__names *names)
{
    hill__text_add_format(text, ",\"%s\":[", key);
    for (size_t i = 0; i < names->count; i++) {
        hill__text_add_string(text, i ? "," : "");
        hill__json_add_string(text, names->items[i], strlen(names->items[i]));
    }
    hill__text_add_string(text, "]");
}

static void encoder_write_edges(hill__text *text, const hill__input *input)
{
    hill__text_add_string(text, ",\"edges\":[");
    for (size_t i = 0; i < input->edge_count; i++) {
        hill__text_add_string(text, i ? "," : "");
        hill__json_add_double(text, input->edges[i]);
    }
    hill__text_add_string(text, "]");
}

static void encoder_write_input(hill__text *text, const hill__input *input)
{
    encoder_write_string(text, "name", input->name);
    hill__text_add_format(text, ",\"position\":%zu,", input->position);
    encoder_write_string(text, "kind", encoder_kinds[input->kind]);
    if (input->kind == HILL_COLUMN_CATEGORY)
        encoder_write_names(text, "values", &input->values);
    if (input->embedded)
        hill__text_add_format(text, ",\"embedded\":%zu", input->embedded);
    if (input->kind == HILL_COLUMN_IMAGE) {
        hill__text_add_format(text, ",\"height\":%u,\"width\":%u,\"channels\":%u", input->height, input->width,
                              input->channels);
        encoder_write_double(text, "unit", input->unit);
    }
    if (input->kind == HILL_COLUMN_NUMBER)
        encoder_write_double(text, "fill", input->fill);
    if (input->edge_count)
        encoder_write_edges(text, input);
    if (input->kind != HILL_COLUMN_CATEGORY) {
        encoder_write_double(text, "mean", input->mean);
        encoder_write_double(text, "deviation", input->deviation);
    }
    hill__text_add_string(text, input->missing ? ",\"missing\":true" : ",\"missing\":false");
}

/* What the reader passes on. */
typedef struct encoder_reader {
    hill__encoder *encoder;
    hill_error *error;
} encoder_reader;

static int encoder_bad(const encoder_reader *reader, const hill__json *object, const char *what)
{
    return hill__fail(reader->error, HILL_EMODEL, "encoder: %s, at byte %lu of it", what, (unsigned long)object->at);
}

/* A text member without zero bytes, which names could not hold. */
static const hill__json *encoder_text(const hill__json *object, const char *key)
{
    const hill__json *value = hill__json_get(object, key);
    if (!value || value->kind != HILL__JSON_STRING || strlen(value->string) != value->length)
        return NULL;
    return value;
}

/* Index of a text member in a list of words, or SIZE_MAX. */
static size_t encoder_word(const hill__json *object, const char *key, const char *const *words, size_t count)
{
    const hill__json *value = encoder_text(object, key);
    for (size_t i = 0; value && i < count; i++)
        if (strcmp(value->string, words[i]) == 0)
            return i;
    return SIZE_MAX;
}

static bool encoder_flag(const hill__json *object, const char *key, bool *out)
{
    const hill__json *value = hill__json_get(object, key);
    *out = value && value->kind == HILL__JSON_TRUE;
    return value && (value->kind == HILL__JSON_TRUE || value->kind == HILL__JSON_FALSE);
}

static bool encoder_size(const hill__json *object, const char *key, size_t most, size_t *out)
{
    uint64_t value;
    if (!hill__json_unsigned(hill__json_get(object, key), &value) || value > most)
        return false;
    *out = (size_t)value;
    return true;
}

static bool encoder_scale(const hill__json *object, double *mean, double *deviation)
{
    return hill__json_double(hill__json_get(object, "mean"), mean) &&
           hill__json_double(hill__json_get(object, "deviation"), deviation) && *deviation > 0;
}

static int encoder_read_names(const encoder_reader *reader, const hill__json *object, const char *key, hill__names *names)
{
    const hill__json *list = hill__json_get(object, key);
    if (!list || list->kind != HILL__JSON_ARRAY)
        return encoder_bad(reader, object, "a list of values is missing");
    if (!hill__names_init(names, list->count, &reader->encoder->allocator))
        return hill__fail_memory(reader->error);
    for (const hill__json *item = list->first; item; item = item->next) {
        if (item->kind != HILL__JSON_STRING || strlen(item->string) != item->length)
            return encoder_bad(reader, object, "a value is no text");
        if (!hill__names_add(names, item->string, item->length))
            return hill__fail_memory(reader->error);
    }
    return hill__names_close(names) ? HILL_OK : encoder_bad(reader, object, "a value stands twice");
}

static int encoder_read_image(const encoder_reader *reader, const hill__json *object, hill__input *input)
{
    size_t height, width, channels;
    if (!encoder_size(object, "height", ENCODER_PIXELS_MOST, &height) ||
        !encoder_size(object, "width", ENCODER_PIXELS_MOST, &width) ||
        !encoder_size(object, "channels", ENCODER_PIXELS_MOST, &channels) || height == 0 || width == 0 || channels == 0 ||
        (double)height * (double)width * (double)channels > (double)ENCODER_PIXELS_MOST)
        return encoder_bad(reader, object, "an image without height, width and channels");
    if (!hill__json_double(hill__json_get(object, "unit"), &input->unit) || !(input->unit > 0) || input->missing)
        return encoder_bad(reader, object, "an image without its unit");
    input->height = (uint32_t)height;
    input->width = (uint32_t)width;
    input->channels = (uint32_t)channels;
    return HILL_OK;
}

static int encoder_read_category(const encoder_reader *reader, const hill__json *object, hill__input *input)
{
    HILL__TRY(encoder_read_names(reader, object, "values", &input->values));
    if (!hill__json_get(object, "embedded"))
        return HILL_OK;
    if (!encoder_size(object, "embedded", HILL__EMBED_WIDTH, &input->embedded) || input->embedded == 0 ||
        hill__embed_rows(input) > HILL__EMBED_ROWS)
        return encoder_bad(reader, object, "an embedded input without a width, or with too many values");
    return HILL_OK;
}

/* The edges of a number's bins: they must ascend, and lie no farther apart than a double says. */
static int encoder_read_edges(const encoder_reader *reader, const hill__json *object, hill__input *input)
{
    const hill__json *list = hill__json_get(object, "edges");
    if (list->kind != HILL__JSON_ARRAY || list->count < 2 || list->count > HILL__BINS_MOST + 1)
        return encoder_bad(reader, object, "edges that are no list of two or more");
    input->edge_room = list->count;
    input->edges = hill__alloc(&reader->encoder->allocator, input->edge_room, sizeof *input->edges);
    if (!input->edges)
        return hill__fail_memory(reader->error);
    for (const hill__json *item = list->first; item; item = item->next) {
        double *edge = &input->edges[input->edge_count];
        if (!hill__json_double(item, edge) ||
            (input->edge_count > 0 && !(edge[-1] < *edge && isfinite(*edge - input->edges[0]))))
            return encoder_bad(reader, object, "edges that are no ascending numbers");
        input->edge_count++;
    }
    return HILL_OK;
}

static int encoder_read_input(const encoder_reader *reader, const hill__json *object)
{
    const hill__json *name = encoder_text(object, "name");
    size_t kind = encoder_word(object, "kind", encoder_kinds, 3);
    if (!name || kind == SIZE_MAX)
        return encoder_bad(reader, object, "an input without name or kind");
    hill__input *input = hill__encoder_add(reader->encoder, name->string, name->length, (hill_column_kind)kind);
    if (!input)
        return hill__fail_memory(reader->error);
    if (!encoder_size(object, "position", SIZE_MAX - 1, &input->position) || !encoder_flag(object, "missing", &input->missing))
        return encoder_bad(reader, object, "an input without position or missing");
    if (input->kind == HILL_COLUMN_CATEGORY)
        return encoder_read_category(reader, object, input);
    if (!encoder_scale(object, &input->mean, &input->deviation))
        return encoder_bad(reader, object, "an input without mean and a deviation above 0");
    if (input->kind == HILL_COLUMN_IMAGE)
        return encoder_read_image(reader, object, input);
    if (!hill__json_double(hill__json_get(object, "fill"), &input->fill))
        return encoder_bad(reader, object, "an input without fill");
    return hill__json_get(object, "edges") ? encoder_read_edges(reader, object, input) : HILL_OK;
}

/* The classes of a number column, as numbers: they must ascend. */
static int encoder_read_numbers(const encoder_reader *reader, const hill__json *object, hill__target *target)
{
    size_t count = target->classes.count;
    target->numbers = hill__alloc(&reader->encoder->allocator, count, sizeof *target->numbers);
    if (!target->numbers)
        return hill__fail_memory(reader->error);
    for (size_t i = 0; i < count; i++) {
        const char *text = target->classes.items[i];
        if (hill__parse_double(text, strlen(text), &target->numbers[i]) != HILL__NUMBER_FINITE ||
            (i > 0 && !(target->numbers[i - 1] < target->numbers[i])))
            return encoder_bad(reader, object, "classes of a number column are no ascending numbers");
    }
    return HILL_OK;
}

static int encoder_read_target(const encoder_reader *reader, const hill__json *object)
{
    hill__target *target = &reader->encoder->target;
    const hill__json *name = encoder_text(object, "name");
    size_t kind = encoder_word(object, "kind", encoder_kinds, 2);
    if (!name || kind == SIZE_MAX || !encoder_size(object, "position", SIZE_MAX - 1, &target->position))
        return encoder_bad(reader, object, "a target without name, position or kind");
    target->kind = (hill_column_kind)kind;
    target->name = hill__copy_text(&reader->encoder->allocator, name->string, name->length);
    if (!target->name)
        return hill__fail_memory(reader->error);
    if (reader->encoder->task == HILL_TASK_NUMBERS) {
        if (kind != HILL_COLUMN_NUMBER || !encoder_scale(object, &target->mean, &target->deviation))
            return encoder_bad(reader, object, "a target without mean and a deviation above 0");
        return HILL_OK;
    }
    HILL__TRY(encoder_read_names(reader, object, "classes", &target->classes));
    if (target->classes.count < 2 || target->classes.count > HILL__CLASSES_MOST)
        return encoder_bad(reader, object, "a target without two classes");
    return kind == HILL_COLUMN_NUMBER ? encoder_read_numbers(reader, object, target) : HILL_OK;
}

static int encoder_read(const encoder_reader *reader, const hill__json *root)
{
    hill__encoder *encoder = reader->encoder;
    size_t task = encoder_word(root, "task", encoder_tasks, 2);
    const hill__json *inputs = hill__json_get(root, "inputs");
    if (!encoder_flag(root, "header", &encoder->has_header) || task == SIZE_MAX)
        return encoder_bad(reader, root, "header or task is missing");
    if (!inputs || inputs->kind != HILL__JSON_ARRAY || inputs->count == 0)
        return encoder_bad(reader, root, "no inputs");
    encoder->task = (hill_task)task;
    for (const hill__json *item = inputs->first; item; item = item->next)
        HILL__TRY(encoder_read_input(reader, item));
    const hill__json *target = hill__json_get(root, "target");
    HILL__TRY(target ? encoder_read_target(reader, target) : encoder_bad(reader, root, "no target"));
    return hill__encoder_close(encoder) ? HILL_OK : hill__fail_memory(reader->error);
}

void hill__encoder_write(const hill__encoder *encoder, hill__text *text)
{
    hill__text_add_string(text, encoder->has_header ? "{\"header\":true," : "{\"header\":false,");
    encoder_write_string(text, "task", encoder_tasks[encoder->task]);
    hill__text_add_string(text, ",\"inputs\":[");
    for (size_t i = 0; i < encoder->input_count; i++) {
        hill__text_add_string(text, i ? ",{" : "{");
        encoder_write_input(text, &encoder->inputs[i]);
        hill__text_add_string(text, "}");
    }
    const hill__target *target = &encoder->target;
    hill__text_add_string(text, "],\"target\":{");
    encoder_write_string(text, "name", target->name);
    hill__text_add_format(text, ",\"position\":%zu,", target->position);
    encoder_write_string(text, "kind", encoder_kinds[target->kind]);
    if (encoder->task == HILL_TASK_CLASSES) {
        encoder_write_names(text, "classes", &target->classes);
    } else {
        encoder_write_double(text, "mean", target->mean);
        encoder_write_double(text, "deviation", target->deviation);
    }
    hill__text_add_string(text, "}}");
}

int hill__encoder_parse(const char *text, size_t length, const hill_allocator *allocator, hill__encoder **out,
                        hill_error *error)
{
    *out = NULL;
    hill_error inner = HILL_ERROR_INIT;
    hill__json_tree *tree;
    int status = hill__json_parse(text, length, allocator, &tree, &inner);
    if (status == HILL_EDATA)
        return hill__fail(error, HILL_EMODEL, "encoder: %s", inner.text);
    if (status < 0)
        return hill__fail_memory(error);
    encoder_reader reader = {hill__alloc(allocator, 1, sizeof(hill__encoder)), error};
    if (reader.encoder) {
        reader.encoder->allocator = *allocator;
        reader.encoder->target.deviation = 1;
        hill__lines_init(&reader.encoder->lines, allocator);
        status = encoder_read(&reader, hill__json_root(tree));
    } else {
        status = hill__fail_memory(error);
    }
    hill__json_free(tree);
    if (status < 0) {
        hill__encoder_free(reader.encoder);
        return status;
    }
    *out = reader.encoder;
    return HILL_OK;
}
