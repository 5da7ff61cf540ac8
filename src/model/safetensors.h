/*
 * safetensors.h - the container of model files: 8 bytes of length, a JSON header, the tensors' bytes.
 *
 * The reader refuses what the format forbids: a header beyond the limit, that is no JSON object, holds a key twice, an unknown dtype
 * or metadata that is no text; a tensor without bytes, or whose shape and bytes differ; bytes that no tensor or two tensors own.
 */
#ifndef HILL_MODEL_SAFETENSORS_H
#define HILL_MODEL_SAFETENSORS_H

#include "base/file.h"
#include "base/json.h"

#define HILL__SAFETENSORS_RANK_MOST 8u

typedef struct hill__safetensor {
    const char *name;
    const char *dtype; /* "F32", ... */
    size_t rank;
    uint64_t shape[HILL__SAFETENSORS_RANK_MOST];
    uint64_t begin, end; /* bytes of the data part */
    const unsigned char *data;
} hill__safetensor;

typedef struct hill__safetensors {
    hill_allocator allocator;
    hill__file_bytes file;
    hill__json_tree *tree;
    const hill__json *metadata; /* object of texts, or NULL */
    hill__safetensor *tensors;  /* in the order of the header */
    size_t count;
    size_t data_start; /* byte of the file */
} hill__safetensors;

/*
 * Reads a file. HILL_EINPUT, HILL_EIO: it cannot be read; HILL_EMODEL: it isn't a sound safetensors file, with what it looks
 * like, or what is wrong and at which byte.
 */
int hill__safetensors_read(const char *path, const hill_host *host, hill__safetensors **out, hill_error *error);

/* The same for bytes in memory, which it takes over: they are freed with the rest, or at once on failure. */
int hill__safetensors_take(hill__file_bytes bytes, const char *name, const hill_host *host, hill__safetensors **out,
                           hill_error *error);
void hill__safetensors_free(hill__safetensors *file);

/* The tensor of that name, or NULL. */
const hill__safetensor *hill__safetensors_find(const hill__safetensors *file, const char *name);

/* The metadata text of that key, or NULL. */
const hill__json *hill__safetensors_meta(const hill__safetensors *file, const char *key);

/* Copies an F32 tensor; false where a value isn't finite, and *at is its byte of the file. */
bool hill__safetensors_copy(const hill__safetensors *file, const hill__safetensor *tensor, float *out, size_t *at);

/* A file to write: its metadata and tensors in their order. */
typedef struct hill__safetensors_meta_text {
    const char *key;
    const char *text;
} hill__safetensors_meta_text;

typedef struct hill__safetensors_draft {
    const hill__safetensors_meta_text *metadata;
    size_t metadata_count;
    const hill_tensor *tensors; /* their `offset` doesn't matter */
    size_t tensor_count;
    const float *const *values; /* [tensor_count] the floats of each */
} hill__safetensors_draft;

/* The file as bytes, the same for the same draft; free with hill__free(allocator, data, capacity, 1). */
int hill__safetensors_build(const hill__safetensors_draft *draft, const hill_allocator *allocator, hill__file_bytes *out,
                            hill_error *error);

/*
 * A seal is a hash of the whole file but its own sixteen digits, as "digest", the first text of the metadata. Who writes a file with
 * HILL__SEAL_NONE there seals it afterwards; who reads one finds it whole or gets HILL_EMODEL.
 */
#define HILL__SEAL_NONE "0000000000000000"
void hill__safetensors_seal(hill__file_bytes *bytes);
bool hill__safetensors_is_sealed(const hill__safetensors *file);

#endif
