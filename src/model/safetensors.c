/*
 * safetensors.c - strict reading and deterministic writing of safetensors files. Invariant: no byte of a file is looked at
 * before it is known to be inside, and no size is computed that isn't checked.
 */
#include "base/fp.h"

#include "model/safetensors.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/sort.h"

/* Bytes of the length in front, and what the header's end is padded to. */
#define SAFETENSORS_PREFIX 8u

/* How a sealed file's header begins, and where the digits stand behind that. */
#define SEAL_KEY "{\"__metadata__\":{\"digest\":\""
#define SEAL_DIGITS (sizeof HILL__SEAL_NONE - 1)
#define SEAL_BEGIN (SAFETENSORS_PREFIX + sizeof SEAL_KEY - 1)
#define SEAL_END (SEAL_BEGIN + SEAL_DIGITS)

typedef struct safetensors_dtype {
    const char *name;
    unsigned bits;
} safetensors_dtype;

static const safetensors_dtype safetensors_dtypes[] = {{"F32", 32}, {"F64", 64}, {"F16", 16}, {"BF16", 16},   {"I64", 64},
                                                       {"I32", 32}, {"I16", 16}, {"I8", 8},   {"U64", 64},    {"U32", 32},
                                                       {"U16", 16}, {"U8", 8},   {"BOOL", 8}, {"F8_E4M3", 8}, {"F8_E5M2", 8}};

/* What the reader passes on. */
typedef struct safetensors_reader {
    hill__safetensors *file;
    const char *name;
    uint64_t most; /* bytes of the header */
    hill_error *error;
} safetensors_reader;

static int safetensors_bad(const safetensors_reader *reader, const char *what, const char *tensor, uint64_t at)
{
    return hill__fail(reader->error, HILL_EMODEL, "%s: tensor %.200s: %s, at byte %llu", reader->name, tensor, what,
                      (unsigned long long)at);
}

/* The byte of the file at which a value of the header stands. */
static uint64_t safetensors_at(const hill__json *value)
{
    return SAFETENSORS_PREFIX + (uint64_t)value->at;
}

static bool safetensors_text(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length && i < 1000; i++)
        if (bytes[i] < 0x20 && !(bytes[i] >= '\t' && bytes[i] <= '\r'))
            return false;
    return true;
}

/* What a file that is no safetensors file seems to be. */
static const char *safetensors_looks(const unsigned char *bytes, size_t length)
{
    if (length == 0)
        return "it is empty";
    if (length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
        return "it looks like a gzip file";
    if (length >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0)
        return "it looks like an NPY file";
    if (length >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return "it looks like an NPZ or zip file";
    if (length >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8 && bytes[2] <= 14 && bytes[3] >= 1 && bytes[3] <= 4)
        return "it looks like an IDX file";
    if (safetensors_text(bytes, length))
        return "it looks like text, a CSV file perhaps";
    return "its first bytes are no length of a header";
}

static uint64_t safetensors_length(const unsigned char *bytes)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < SAFETENSORS_PREFIX; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    return length;
}

static unsigned safetensors_bits(const char *dtype)
{
    for (size_t i = 0; i < sizeof safetensors_dtypes / sizeof safetensors_dtypes[0]; i++)
        if (strcmp(dtype, safetensors_dtypes[i].name) == 0)
            return safetensors_dtypes[i].bits;
    return 0;
}

/* Reads an array of `least` to `most` unsigned integers; false where it is none. */
static bool safetensors_list(const hill__json *array, size_t least, size_t most, uint64_t *out)
{
    if (!array || array->kind != HILL__JSON_ARRAY || array->count < least || array->count > most)
        return false;
    for (const hill__json *item = array->first; item; item = item->next)
        if (!hill__json_unsigned(item, out++))
            return false;
    return true;
}

/* The bytes a tensor must have; false where they don't fit. */
static bool safetensors_bytes(const hill__safetensor *tensor, unsigned bits, uint64_t *bytes)
{
    size_t count = bits / 8;
    for (size_t i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] > SIZE_MAX || !hill__mul(count, (size_t)tensor->shape[i], &count))
            return false;
    *bytes = count;
    return true;
}

static int safetensors_tensor(const safetensors_reader *reader, const hill__json *entry, hill__safetensor *tensor)
{
    const hill__safetensors *file = reader->file;
    const hill__json *dtype = hill__json_get(entry, "dtype"), *shape = hill__json_get(entry, "shape");
    uint64_t offsets[2], bytes, size = file->file.length - file->data_start, at = safetensors_at(entry);
    tensor->name = entry->key;
    if (!dtype || dtype->kind != HILL__JSON_STRING)
        return safetensors_bad(reader, "its dtype is no text", entry->key, at);
    tensor->dtype = dtype->string;
    unsigned bits = safetensors_bits(dtype->string);
    if (bits == 0)
        return safetensors_bad(reader, "unknown dtype", entry->key, at);
    if (!safetensors_list(shape, 0, HILL__SAFETENSORS_RANK_MOST, tensor->shape))
        return safetensors_bad(reader, "its shape isn't a list of sizes", entry->key, at);
    if (!safetensors_list(hill__json_get(entry, "data_offsets"), 2, 2, offsets))
        return safetensors_bad(reader, "its data_offsets aren't two numbers", entry->key, at);
    tensor->rank = shape->count;
    tensor->begin = offsets[0];
    tensor->end = offsets[1];
    if (tensor->begin > tensor->end || tensor->end > size)
        return safetensors_bad(reader, "its bytes lie outside the file, which is cut off or damaged", entry->key, at);
    if (!safetensors_bytes(tensor, bits, &bytes) || bytes != tensor->end - tensor->begin)
        return safetensors_bad(reader, "its shape and its bytes differ", entry->key, at);
    if (bytes == 0)
        return safetensors_bad(reader, "it has no bytes", entry->key, at);
    tensor->data = file->file.data + file->data_start + (size_t)tensor->begin;
    return HILL_OK;
}

static int safetensors_metadata(const safetensors_reader *reader, const hill__json *metadata)
{
    if (metadata->kind != HILL__JSON_OBJECT)
        return hill__fail(reader->error, HILL_EMODEL, "%s: __metadata__ is no object, at byte %llu", reader->name,
                          (unsigned long long)safetensors_at(metadata));
    for (const hill__json *item = metadata->first; item; item = item->next)
        if (item->kind != HILL__JSON_STRING)
            return hill__fail(reader->error, HILL_EMODEL, "%s: __metadata__: %.200s is no text, at byte %llu", reader->name,
                              item->key, (unsigned long long)safetensors_at(item));
    reader->file->metadata = metadata;
    return HILL_OK;
}

static int safetensors_compare(const void *self, size_t a, size_t b)
{
    const hill__safetensor *tensors = self;
    if (tensors[a].begin != tensors[b].begin)
        return tensors[a].begin < tensors[b].begin ? -1 : 1;
    if (tensors[a].end != tensors[b].end)
        return tensors[a].end < tensors[b].end ? -1 : 1;
    return 0;
}

/* Sees that the tensors own each byte of the data once. */
static int safetensors_cover(const safetensors_reader *reader, size_t *order)
{
    const hill__safetensors *file = reader->file;
    uint64_t at = 0, size = file->file.length - file->data_start;
    for (size_t i = 0; i < file->count; i++)
        order[i] = i;
    hill__sort(order, file->count, safetensors_compare, file->tensors);
    for (size_t i = 0; i < file->count; i++) {
        const hill__safetensor *tensor = &file->tensors[order[i]];
        if (tensor->begin != at)
            return safetensors_bad(reader, tensor->begin < at ? "it overlaps another" : "a hole lies before it", tensor->name,
                                   file->data_start + tensor->begin);
        at = tensor->end;
    }
    if (at != size)
        return hill__fail(reader->error, HILL_EMODEL, "%s: %llu bytes belong to no tensor, at byte %llu", reader->name,
                          (unsigned long long)(size - at), (unsigned long long)(file->data_start + at));
    return HILL_OK;
}

/* Takes the metadata and counts the tensors; memory is only taken for what looks like one. */
static int safetensors_count(const safetensors_reader *reader, const hill__json *root)
{
    for (const hill__json *entry = root->first; entry; entry = entry->next) {
        if (strcmp(entry->key, "__metadata__") == 0)
            HILL__TRY(safetensors_metadata(reader, entry));
        else if (entry->kind != HILL__JSON_OBJECT || entry->count != 3)
            return safetensors_bad(reader, "its entry isn't {dtype, shape, data_offsets}", entry->key, safetensors_at(entry));
        else
            reader->file->count++;
    }
    return HILL_OK;
}

static int safetensors_header(const safetensors_reader *reader)
{
    hill__safetensors *file = reader->file;
    const hill__json *root = hill__json_root(file->tree);
    const hill_allocator *allocator = &file->allocator;
    HILL__TRY(safetensors_count(reader, root));
    file->tensors = hill__alloc(allocator, file->count, sizeof *file->tensors);
    size_t *order = hill__alloc(allocator, file->count, sizeof *order);
    int status = file->tensors && order ? HILL_OK : hill__fail_memory(reader->error);
    hill__safetensor *tensor = file->tensors;
    for (const hill__json *entry = root->first; entry && status == HILL_OK; entry = entry->next)
        if (entry != file->metadata)
            status = safetensors_tensor(reader, entry, tensor++);
    if (status == HILL_OK)
        status = safetensors_cover(reader, order);
    hill__free(allocator, order, file->count, sizeof *order);
    return status;
}

static int safetensors_parse(const safetensors_reader *reader)
{
    hill__safetensors *file = reader->file;
    const unsigned char *bytes = file->file.data;
    uint64_t length = file->file.length >= SAFETENSORS_PREFIX ? safetensors_length(bytes) : 0;
    bool header = length > 0 && file->file.length > SAFETENSORS_PREFIX && bytes[SAFETENSORS_PREFIX] == '{' && length >> 40 == 0;
    if (!header)
        return hill__fail(reader->error, HILL_EMODEL, "%s: is not a Downhill model: %s", reader->name,
                          safetensors_looks(bytes, file->file.length));
    if (length > reader->most)
        return hill__fail(reader->error, HILL_EMODEL,
                          "%s: its header of %llu bytes, by byte 0, is over %llu; --limit-header raises that", reader->name,
                          (unsigned long long)length, (unsigned long long)reader->most);
    if (length > file->file.length - SAFETENSORS_PREFIX)
        return hill__fail(reader->error, HILL_EMODEL, "%s: cut off: its header of %llu bytes goes on at byte %zu", reader->name,
                          (unsigned long long)length, file->file.length);
    file->data_start = SAFETENSORS_PREFIX + (size_t)length;
    hill_error inner = HILL_ERROR_INIT;
    int status =
        hill__json_parse((const char *)bytes + SAFETENSORS_PREFIX, (size_t)length, &file->allocator, &file->tree, &inner);
    if (status == HILL_EDATA)
        return hill__fail(reader->error, HILL_EMODEL, "%s: damaged header, which begins at byte %u: %s of it", reader->name,
                          SAFETENSORS_PREFIX, inner.text);
    return status < 0 ? hill__fail_memory(reader->error) : safetensors_header(reader);
}

static void safetensors_write_header(const hill__safetensors_draft *draft, hill__text *text)
{
    hill__text_add_string(text, "{\"__metadata__\":{");
    for (size_t i = 0; i < draft->metadata_count; i++) {
        hill__text_add_string(text, i ? "," : "");
        hill__json_add_string(text, draft->metadata[i].key, strlen(draft->metadata[i].key));
        hill__text_add_string(text, ":");
        hill__json_add_string(text, draft->metadata[i].text, strlen(draft->metadata[i].text));
    }
    hill__text_add_string(text, "}");
}

/* The entries of the tensors; false where their bytes don't fit a size_t. */
static bool safetensors_write_entries(const hill__safetensors_draft *draft, hill__text *text, size_t *total)
{
    *total = 0;
    for (size_t i = 0; i < draft->tensor_count; i++) {
        const hill_tensor *tensor = &draft->tensors[i];
        size_t bytes = sizeof(float), begin = *total;
        hill__text_add_string(text, ",");
        hill__json_add_string(text, tensor->name, strlen(tensor->name));
        hill__text_add_string(text, ":{\"dtype\":\"F32\",\"shape\":[");
        for (size_t k = 0; k < tensor->rank; k++) {
            if (!hill__mul(bytes, tensor->shape[k], &bytes))
                return false;
            hill__text_add_format(text, "%s%zu", k ? "," : "", tensor->shape[k]);
        }
        if (!hill__add(begin, bytes, total))
            return false;
        hill__text_add_format(text, "],\"data_offsets\":[%zu,%zu]}", begin, *total);
    }
    hill__text_add_string(text, "}");
    while (text->length % SAFETENSORS_PREFIX != 0 && !text->failed)
        hill__text_add_string(text, " ");
    return true;
}

static unsigned char *safetensors_put(unsigned char *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *at++ = (unsigned char)(value >> (8 * i));
    return at;
}

static void safetensors_put_tensor(const hill_tensor *tensor, const float *values, unsigned char **at)
{
    size_t count = 1;
    for (size_t k = 0; k < tensor->rank; k++)
        count *= tensor->shape[k];
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        *at = safetensors_put(*at, bits, sizeof bits);
    }
}

/* The hash of all but its own digits, where a sealed file has them. */
static void safetensors_digest(const hill__file_bytes *bytes, char digits[SEAL_DIGITS + 1])
{
    uint64_t hash = hill__hash(bytes->data + SEAL_END, bytes->length - SEAL_END, hill__hash(bytes->data, SEAL_BEGIN, 0));
    snprintf(digits, SEAL_DIGITS + 1, "%016llx", (unsigned long long)hash);
}

static bool safetensors_has_seal(const hill__file_bytes *bytes)
{
    return bytes->length > SEAL_END && memcmp(bytes->data + SAFETENSORS_PREFIX, SEAL_KEY, sizeof SEAL_KEY - 1) == 0;
}

void hill__safetensors_seal(hill__file_bytes *bytes)
{
    char digits[SEAL_DIGITS + 1];
    if (!safetensors_has_seal(bytes))
        return;
    safetensors_digest(bytes, digits);
    memcpy(bytes->data + SEAL_BEGIN, digits, SEAL_DIGITS);
}

bool hill__safetensors_is_sealed(const hill__safetensors *file)
{
    return safetensors_has_seal(&file->file);
}

/* A seal that is there must be whole. */
static int safetensors_check_seal(const hill__file_bytes *bytes, const char *name, hill_error *error)
{
    char digits[SEAL_DIGITS + 1];
    if (!safetensors_has_seal(bytes))
        return HILL_OK;
    safetensors_digest(bytes, digits);
    if (memcmp(bytes->data + SEAL_BEGIN, digits, SEAL_DIGITS) != 0)
        return hill__fail(error, HILL_EMODEL, "%s: is damaged: its digest is %.16s, and that of what it holds is %s", name,
                          (const char *)bytes->data + SEAL_BEGIN, digits);
    return HILL_OK;
}

int hill__safetensors_take(hill__file_bytes bytes, const char *name, const hill_host *host, hill__safetensors **out,
                           hill_error *error)
{
    *out = NULL;
    hill_allocator allocator = hill__allocator(host);
    hill__safetensors *file = hill__alloc(&allocator, 1, sizeof *file);
    if (!file) {
        hill__free(&allocator, bytes.data, bytes.capacity, 1);
        return hill__fail_memory(error);
    }
    file->allocator = allocator;
    file->file = bytes;
    safetensors_reader reader = {file, name, HILL__LIMIT(hill__limits(host), header), error};
    int status = safetensors_parse(&reader);
    if (status == HILL_OK)
        status = safetensors_check_seal(&bytes, name, error);
    if (status < 0) {
        hill__safetensors_free(file);
        return status;
    }
    *out = file;
    return HILL_OK;
}

int hill__safetensors_read(const char *path, const hill_host *host, hill__safetensors **out, hill_error *error)
{
    *out = NULL;
    hill__file_bytes bytes;
    hill_allocator allocator = hill__allocator(host);
    HILL__TRY(hill__file_read(path, &allocator, &bytes, error));
    return hill__safetensors_take(bytes, path, host, out, error);
}

void hill__safetensors_free(hill__safetensors *file)
{
    if (!file)
        return;
    hill_allocator allocator = file->allocator;
    hill__free(&allocator, file->tensors, file->count, sizeof *file->tensors);
    hill__json_free(file->tree);
    hill__free(&allocator, file->file.data, file->file.capacity, 1);
    hill__free(&allocator, file, 1, sizeof *file);
}

const hill__safetensor *hill__safetensors_find(const hill__safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const hill__json *hill__safetensors_meta(const hill__safetensors *file, const char *key)
{
    return hill__json_get(file->metadata, key);
}

bool hill__safetensors_copy(const hill__safetensors *file, const hill__safetensor *tensor, float *out, size_t *at)
{
    size_t count = (size_t)(tensor->end - tensor->begin) / sizeof(float);
    const unsigned char *bytes = tensor->data;
    for (size_t i = 0; i < count; i++, bytes += sizeof(float)) {
        uint32_t bits = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        if ((bits & 0x7f800000u) == 0x7f800000u) {
            *at = (size_t)(bytes - file->file.data);
            return false;
        }
        memcpy(&out[i], &bits, sizeof bits);
    }
    return true;
}

int hill__safetensors_build(const hill__safetensors_draft *draft, const hill_allocator *allocator, hill__file_bytes *out,
                            hill_error *error)
{
    hill__text header;
    hill__text_init(&header, allocator);
    size_t total = 0, size = 0;
    safetensors_write_header(draft, &header);
    bool fits = safetensors_write_entries(draft, &header, &total) && hill__add(total, header.length, &size) &&
                hill__add(size, SAFETENSORS_PREFIX, &size);
    int status = HILL_OK;
    *out = (hill__file_bytes){NULL, 0, 0};
    if (fits && !header.failed)
        out->data = hill__alloc_raw(allocator, size, 1);
    if (!out->data)
        status = hill__fail_memory(error);
    if (status == HILL_OK) {
        out->length = out->capacity = size;
        unsigned char *at = safetensors_put(out->data, header.length, SAFETENSORS_PREFIX);
        memcpy(at, header.data, header.length);
        at += header.length;
        for (size_t i = 0; i < draft->tensor_count; i++)
            safetensors_put_tensor(&draft->tensors[i], draft->values[i], &at);
    }
    hill__text_free(&header);
    return status;
}
