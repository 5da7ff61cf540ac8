/*
 * bytes.c - files whole in memory. Invariant: no more is ever unpacked than BYTES_FREE or BYTES_RATIO times what was packed, so
 * that a small file cannot fill the memory.
 */
#include "base/fp.h"

#include "data/bytes.h"

#include <string.h>

#ifndef HILL_NO_GZ
#define ZLIB_CONST
#include <zlib.h>
#endif

/* Up to so many bytes anything may expand; beyond them at most so many times. */
#define BYTES_FREE ((uint64_t)64 << 20)
#define BYTES_RATIO 200u

int hill__bytes_load(const char *path, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    *out = (hill__file_bytes){NULL, 0, 0};
    hill__file_bytes raw = {NULL, 0, 0};
    HILL__TRY(hill__file_read(path, allocator, &raw, error));
    if (!hill__bytes_are_gzip(raw.data, raw.length)) {
        *out = raw;
        return HILL_OK;
    }
    hill_bytes packed = {raw.data, raw.length, path};
    int status = hill__bytes_gunzip(&packed, allocator, out, error);
    hill__bytes_free(allocator, &raw);
    return status;
}

void hill__bytes_free(const hill_allocator *allocator, hill__file_bytes *bytes)
{
    hill__free(allocator, bytes->data, bytes->capacity, 1);
    *bytes = (hill__file_bytes){NULL, 0, 0};
}

bool hill__bytes_are_gzip(const void *data, size_t length)
{
    const unsigned char *p = data;
    return length >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

int hill__bytes_check_ratio(const char *name, size_t packed, uint64_t length, hill_error *error)
{
    if (length > BYTES_FREE && length / BYTES_RATIO > packed)
        return hill__fail(error, HILL_EDATA, "%s: expands to more than %u times its size; unpack it yourself if that is right",
                          name, BYTES_RATIO);
    return HILL_OK;
}

#ifndef HILL_NO_GZ

/* zlib frees without saying the size, so it stands in front of each block. */
typedef union bytes_block {
    size_t size;
    max_align_t align;
} bytes_block;

static void *bytes_zlib_alloc(void *self, unsigned count, unsigned size)
{
    size_t bytes;
    if (!hill__mul(count, size, &bytes) || !hill__add(bytes, sizeof(bytes_block), &bytes))
        return NULL;
    bytes_block *block = hill__alloc(self, bytes, 1);
    if (!block)
        return NULL;
    block->size = bytes;
    return block + 1;
}

static void bytes_zlib_free(void *self, void *memory)
{
    bytes_block *block = (bytes_block *)memory - 1;
    hill__free(self, block, block->size, 1);
}

/* A zlib stream over all of `packed`, of which more than 4 GiB are handed over in parts. */
typedef struct bytes_stream {
    z_stream z;
    const unsigned char *end;
} bytes_stream;

static int bytes_stream_open(bytes_stream *stream, const hill_bytes *packed, int window, hill_allocator *allocator)
{
    *stream = (bytes_stream){.end = (const unsigned char *)packed->data + packed->length};
    stream->z.zalloc = bytes_zlib_alloc;
    stream->z.zfree = bytes_zlib_free;
    stream->z.opaque = allocator;
    stream->z.next_in = packed->data;
    return inflateInit2(&stream->z, window);
}

static uInt bytes_most(size_t count)
{
    return count < 1u << 30 ? (uInt)count : 1u << 30;
}

/* Unpacks into the room that `out` has left; returns what inflate does. */
static int bytes_stream_step(bytes_stream *stream, hill__file_bytes *out)
{
    stream->z.avail_in = bytes_most((size_t)(stream->end - stream->z.next_in));
    stream->z.next_out = out->data + out->length;
    stream->z.avail_out = bytes_most(out->capacity - out->length);
    int result = inflate(&stream->z, Z_NO_FLUSH);
    out->length = (size_t)(stream->z.next_out - out->data);
    return result;
}

static int bytes_zlib_fail(const char *name, int result, hill_error *error)
{
    if (result == Z_MEM_ERROR)
        return hill__fail_memory(error);
    if (result == Z_BUF_ERROR)
        return hill__fail(error, HILL_EDATA, "%s: the packed data is cut off; copy or download the file again", name);
    return hill__fail(error, HILL_EDATA, "%s: the packed data is damaged; copy or download the file again", name);
}

/* Doubles the room of `out` as far as honest data may need it. */
static int bytes_make_room(const hill_bytes *packed, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    HILL__TRY(hill__bytes_check_ratio(packed->name, packed->length, out->length, error));
    void *data = out->data;
    if (!hill__grow(allocator, &data, &out->capacity, out->length + 1, 1))
        return hill__fail_memory(error);
    out->data = data;
    return HILL_OK;
}

/* One member after another until nothing but zeros is left. */
static int bytes_gunzip_all(bytes_stream *stream, const hill_bytes *packed, const hill_allocator *allocator,
                            hill__file_bytes *out, hill_error *error)
{
    for (;;) {
        if (out->length == out->capacity)
            HILL__TRY(bytes_make_room(packed, allocator, out, error));
        int result = bytes_stream_step(stream, out);
        if (result == Z_OK || (result == Z_BUF_ERROR && stream->z.avail_out == 0))
            continue;
        if (result != Z_STREAM_END)
            return bytes_zlib_fail(packed->name, result, error);
        while (stream->z.next_in < stream->end && *stream->z.next_in == 0)
            stream->z.next_in++;
        if (stream->z.next_in == stream->end)
            return HILL_OK;
        if (inflateReset(&stream->z) != Z_OK)
            return bytes_zlib_fail(packed->name, Z_DATA_ERROR, error);
    }
}

/* The last four bytes of a gzip file usually say how long the content is; believed only as far as it can be. */
static size_t bytes_gunzip_guess(const hill_bytes *packed)
{
    size_t guess = 65536;
    if (packed->length >= 18)
        guess = hill__bytes_u32((const unsigned char *)packed->data + packed->length - 4);
    if (guess / BYTES_RATIO > packed->length)
        guess = packed->length * 4;
    return guess + 1;
}

int hill__bytes_gunzip(const hill_bytes *packed, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    bytes_stream stream;
    hill_allocator copy = *allocator;
    *out = (hill__file_bytes){NULL, 0, bytes_gunzip_guess(packed)};
    out->data = hill__alloc(allocator, out->capacity, 1);
    if (!out->data)
        return hill__fail_memory(error);
    int status = HILL_EMEMORY;
    if (bytes_stream_open(&stream, packed, 16 + MAX_WBITS, &copy) == Z_OK) {
        status = bytes_gunzip_all(&stream, packed, allocator, out, error);
        if (inflateEnd(&stream.z) != Z_OK && status == HILL_OK)
            status = bytes_zlib_fail(packed->name, Z_STREAM_ERROR, error);
    } else {
        status = hill__fail_memory(error);
    }
    if (status < 0)
        hill__bytes_free(allocator, out);
    return status;
}

int hill__bytes_inflate(const hill_bytes *packed, size_t length, const hill_allocator *allocator, hill__file_bytes *out,
                        hill_error *error)
{
    *out = (hill__file_bytes){NULL, 0, 0};
    HILL__TRY(hill__bytes_check_ratio(packed->name, packed->length, length, error));
    bytes_stream stream;
    hill_allocator copy = *allocator;
    if (!hill__add(length, 1, &out->capacity))
        return hill__fail_memory(error);
    out->data = hill__alloc(allocator, out->capacity, 1);
    if (!out->data || bytes_stream_open(&stream, packed, -MAX_WBITS, &copy) != Z_OK) {
        hill__bytes_free(allocator, out);
        return hill__fail_memory(error);
    }
    int result = Z_OK;
    while (result == Z_OK)
        result = bytes_stream_step(&stream, out);
    int status = HILL_OK;
    if (result != Z_STREAM_END && out->length <= length)
        status = bytes_zlib_fail(packed->name, result, error);
    else if (out->length != length)
        status = hill__fail(error, HILL_EDATA, "%s: an array unpacks to another length than the %zu bytes it should have",
                            packed->name, length);
    if (inflateEnd(&stream.z) != Z_OK && status == HILL_OK)
        status = bytes_zlib_fail(packed->name, Z_STREAM_ERROR, error);
    if (status < 0)
        hill__bytes_free(allocator, out);
    return status;
}

uint32_t hill__bytes_crc(const void *data, size_t length)
{
    return (uint32_t)crc32_z(0, data, length);
}

#else

static int bytes_no_gz(const char *name, hill__file_bytes *out, hill_error *error)
{
    *out = (hill__file_bytes){NULL, 0, 0};
    return hill__fail(error, HILL_EDATA, "%s: is compressed, and this Downhill was built without zlib; unpack it first", name);
}

int hill__bytes_gunzip(const hill_bytes *packed, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    (void)allocator;
    return bytes_no_gz(packed->name, out, error);
}

int hill__bytes_inflate(const hill_bytes *packed, size_t length, const hill_allocator *allocator, hill__file_bytes *out,
                        hill_error *error)
{
    (void)allocator;
    (void)length;
    return bytes_no_gz(packed->name, out, error);
}

/* Four bits at a time: table[i] is the remainder of i by the polynomial, bits reversed. */
uint32_t hill__bytes_crc(const void *data, size_t length)
{
    static const uint32_t table[16] = {0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
                                       0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
                                       0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
    const unsigned char *p = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

#endif

uint32_t hill__bytes_u16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

uint32_t hill__bytes_u32(const unsigned char *p)
{
    return hill__bytes_u16(p) | hill__bytes_u16(p + 2) << 16;
}

uint64_t hill__bytes_u64(const unsigned char *p)
{
    return hill__bytes_u32(p) | (uint64_t)hill__bytes_u32(p + 4) << 32;
}

uint32_t hill__bytes_big_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
