/*
 * bytes.c - files whole in memory. Invariant: room grows with what was unpacked and never by what a file claims, and no more is
 * unpacked than BYTES_FREE or the limit's ratio times what was packed, so that a small file cannot fill the memory.
 */
#include "base/fp.h"

#include "data/bytes.h"

#include <string.h>

#ifndef HILL_NO_GZ
#define ZLIB_CONST
#include <zlib.h>
#endif

/* Up to so many bytes anything may expand. */
#define BYTES_FREE ((size_t)64 << 20)

/* Bytes that one packed byte can stand for, at the very most. */
#define BYTES_DEFLATE 1032u

/* Bytes that go into or out of zlib at once. */
#define BYTES_STEP ((size_t)1 << 24)

int hill__bytes_load(const char *path, const hill_limits *limits, const hill_allocator *allocator, hill__file_bytes *out,
                     hill_error *error)
{
    *out = (hill__file_bytes){NULL, 0, 0};
    hill__file_bytes raw = {NULL, 0, 0};
    HILL__TRY(hill__file_read(path, allocator, &raw, error));
    if (!hill__bytes_are_gzip(raw.data, raw.length)) {
        *out = raw;
        return HILL_OK;
    }
    hill__packed packed = {{raw.data, raw.length, path}, 0, *limits};
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

/* A zlib stream over all of `packed`, and what came out of it. */
typedef struct bytes_stream {
    z_stream z;
    const hill__packed *packed;
    const unsigned char *end;
    hill_allocator allocator;
    hill__file_bytes *out;
    hill_error *error;
} bytes_stream;

/* Byte of the file that comes next. */
static size_t bytes_at(const bytes_stream *stream)
{
    return stream->packed->at + (size_t)(stream->z.next_in - (const unsigned char *)stream->packed->bytes.data);
}

static int bytes_zlib_fail(const bytes_stream *stream, int result)
{
    if (result == Z_MEM_ERROR)
        return hill__fail_memory(stream->error);
    return hill__fail(stream->error, HILL_EDATA, "%s: the packed data is %s at byte %zu; copy or download the file again",
                      stream->packed->bytes.name, result == Z_BUF_ERROR ? "cut off" : "damaged", bytes_at(stream));
}

/* Refuses `length` unpacked bytes where no honest data shrinks so well. */
static int bytes_check_ratio(const bytes_stream *stream, uint64_t length)
{
    uint64_t ratio = HILL__LIMIT(stream->packed->limits, ratio);
    if (length <= BYTES_FREE || length / ratio <= stream->packed->bytes.length)
        return HILL_OK;
    return hill__fail(stream->error, HILL_EDATA,
                      "%s: unpacks to over 64 MiB and %llu times its size, at byte %zu; --limit-ratio raises that",
                      stream->packed->bytes.name, (unsigned long long)ratio, bytes_at(stream));
}

/* Opens the stream with room for `room` bytes, or, for that may be a lie, as many as there could be. */
static int bytes_open(bytes_stream *stream, int window, size_t room)
{
    stream->end = (const unsigned char *)stream->packed->bytes.data + stream->packed->bytes.length;
    stream->z = (z_stream){.zalloc = bytes_zlib_alloc,
                           .zfree = bytes_zlib_free,
                           .opaque = &stream->allocator,
                           .next_in = stream->packed->bytes.data};
    room = room < BYTES_FREE ? room : BYTES_FREE;
    if (room / BYTES_DEFLATE > stream->packed->bytes.length)
        room = stream->packed->bytes.length * BYTES_DEFLATE;
    *stream->out = (hill__file_bytes){NULL, 0, room + 1};
    stream->out->data = hill__alloc_raw(&stream->allocator, stream->out->capacity, 1);
    if (stream->out->data && inflateInit2(&stream->z, window) == Z_OK)
        return HILL_OK;
    hill__bytes_free(&stream->allocator, stream->out);
    return hill__fail_memory(stream->error);
}

static int bytes_close(bytes_stream *stream, int status)
{
    (void)inflateEnd(&stream->z);
    if (status < 0)
        hill__bytes_free(&stream->allocator, stream->out);
    return status;
}

static uInt bytes_most(size_t count)
{
    return (uInt)(count < BYTES_STEP ? count : BYTES_STEP);
}

/* Unpacks to the end of the stream, or to more than `most` bytes. */
static int bytes_unpack(bytes_stream *stream, size_t most)
{
    hill__file_bytes *out = stream->out;
    while (out->length <= most) {
        void *data = out->data;
        if (!hill__grow(&stream->allocator, &data, &out->capacity, out->length + 1, 1))
            return hill__fail_memory(stream->error);
        out->data = data;
        stream->z.avail_in = bytes_most((size_t)(stream->end - stream->z.next_in));
        stream->z.next_out = out->data + out->length;
        stream->z.avail_out = bytes_most(out->capacity - out->length);
        int result = inflate(&stream->z, Z_NO_FLUSH);
        out->length = (size_t)(stream->z.next_out - out->data);
        HILL__TRY(bytes_check_ratio(stream, out->length));
        if (result == Z_STREAM_END)
            return HILL_OK;
        if (result != Z_OK)
            return bytes_zlib_fail(stream, result);
    }
    return HILL_OK;
}

/* Bytes of the gzip header at p. Its name and its comment may have any length, and may go on to the end. */
static size_t bytes_gzip_header(const unsigned char *p, size_t left)
{
    if (left < 12)
        return left;
    size_t length = p[3] & 4 ? 12 + hill__bytes_u16(p + 10) : 10;
    for (int flag = 8; flag <= 16; flag *= 2) {
        const unsigned char *zero = p[3] & flag && length < left ? memchr(p + length, 0, left - length) : NULL;
        if (p[3] & flag)
            length = zero ? (size_t)(zero - p) + 1 : left;
    }
    return length;
}

/* One member after another until nothing but zeros is left. */
static int bytes_gunzip_all(bytes_stream *stream)
{
    uint64_t most = HILL__LIMIT(stream->packed->limits, header);
    for (;;) {
        if (bytes_gzip_header(stream->z.next_in, (size_t)(stream->end - stream->z.next_in)) > most)
            return hill__fail(stream->error, HILL_EDATA,
                              "%s: the gzip header at byte %zu has over %llu bytes; --limit-header raises that",
                              stream->packed->bytes.name, bytes_at(stream), (unsigned long long)most);
        HILL__TRY(bytes_unpack(stream, SIZE_MAX));
        while (stream->z.next_in < stream->end && *stream->z.next_in == 0)
            stream->z.next_in++;
        if (stream->z.next_in == stream->end)
            return HILL_OK;
        (void)inflateReset(&stream->z);
    }
}

/* The last four bytes of a gzip file usually say how long the content is. */
static size_t bytes_gunzip_guess(const hill_bytes *packed)
{
    return packed->length >= 18 ? hill__bytes_u32((const unsigned char *)packed->data + packed->length - 4) : 0;
}

int hill__bytes_gunzip(const hill__packed *packed, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    bytes_stream stream = {.packed = packed, .allocator = *allocator, .out = out, .error = error};
    HILL__TRY(bytes_open(&stream, 16 + MAX_WBITS, bytes_gunzip_guess(&packed->bytes)));
    return bytes_close(&stream, bytes_gunzip_all(&stream));
}

int hill__bytes_inflate(const hill__packed *packed, size_t length, const hill_allocator *allocator, hill__file_bytes *out,
                        hill_error *error)
{
    bytes_stream stream = {.packed = packed, .allocator = *allocator, .out = out, .error = error};
    HILL__TRY(bytes_open(&stream, -MAX_WBITS, length));
    int status = bytes_check_ratio(&stream, length);
    if (status == HILL_OK)
        status = bytes_unpack(&stream, length);
    if (status == HILL_OK && (out->length != length || stream.z.next_in != stream.end))
        status = hill__fail(error, HILL_EDATA, "%s: unpacks to another length than its %zu bytes, at byte %zu",
                            packed->bytes.name, length, bytes_at(&stream));
    return bytes_close(&stream, status);
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

int hill__bytes_gunzip(const hill__packed *packed, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    (void)allocator;
    return bytes_no_gz(packed->bytes.name, out, error);
}

int hill__bytes_inflate(const hill__packed *packed, size_t length, const hill_allocator *allocator, hill__file_bytes *out,
                        hill_error *error)
{
    (void)allocator;
    (void)length;
    return bytes_no_gz(packed->bytes.name, out, error);
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
