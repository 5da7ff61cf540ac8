/*
 * reader_files.h - makes small data files of every format in memory, for the tests of the readers.
 */
#ifndef HILL_TEST_READER_FILES_H
#define HILL_TEST_READER_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "data/bytes.h"

typedef struct bytes_buffer {
    unsigned char data[4096];
    size_t length;
} bytes_buffer;

static inline void put(bytes_buffer *out, const void *bytes, size_t length)
{
    memcpy(out->data + out->length, bytes, length);
    out->length += length;
}

/* The `count` lowest bytes of a number, least significant first. */
static inline void put_number(bytes_buffer *out, uint64_t number, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out->data[out->length++] = (unsigned char)(number >> 8 * i);
}

static inline void put_big(bytes_buffer *out, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        out->data[out->length++] = (unsigned char)(number >> shift);
}

static inline bytes_buffer make_text(const char *text)
{
    bytes_buffer out = {.length = 0};
    put(&out, text, strlen(text));
    return out;
}

/* An IDX file of bytes. */
static inline bytes_buffer make_idx(const uint32_t *shape, size_t axes, const void *data, size_t length)
{
    bytes_buffer out = {.data = {0, 0, 8, (unsigned char)axes}, .length = 4};
    for (size_t i = 0; i < axes; i++)
        put_big(&out, shape[i]);
    put(&out, data, length);
    return out;
}

/* An NPY file of version 1.0 whose header is `header`. */
static inline bytes_buffer make_npy(const char *header, const void *data, size_t length)
{
    bytes_buffer out = {.data = "\x93NUMPY\x01", .length = 8};
    size_t padded = (strlen(header) + 10 + 64) / 64 * 64 - 10;
    put_number(&out, padded, 2);
    put(&out, header, strlen(header));
    while (out.length < padded + 9)
        put(&out, " ", 1);
    put(&out, "\n", 1);
    put(&out, data, length);
    return out;
}

/* A deflate stream of one block that is stored, not packed. */
static inline void put_deflated(bytes_buffer *out, const bytes_buffer *content)
{
    put_number(out, 1, 1);
    put_number(out, content->length, 2);
    put_number(out, ~content->length, 2);
    put(out, content->data, content->length);
}

static inline bytes_buffer make_gzip(const bytes_buffer *content)
{
    bytes_buffer out = {.data = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, .length = 10};
    put_deflated(&out, content);
    put_number(&out, hill__bytes_crc(content->data, content->length), 4);
    put_number(&out, content->length, 4);
    return out;
}

/* How an NPZ is written: packed by no method (0) or deflate (8), with sizes of 32 bits or, as zip64 has it, of 64. */
typedef struct npz_style {
    unsigned method;
    bool wide;
} npz_style;

/* What stands alike in both headers of a member: from the version needed to the length of the extra field. */
static inline void put_member(bytes_buffer *out, const char *name, const bytes_buffer *content, npz_style style, size_t extra)
{
    size_t packed = content->length + (style.method ? 5 : 0);
    put_number(out, 20, 2);
    put_number(out, 0, 2);
    put_number(out, style.method, 2);
    put_number(out, 0, 4);
    put_number(out, hill__bytes_crc(content->data, content->length), 4);
    put_number(out, style.wide ? UINT32_MAX : packed, 4);
    put_number(out, style.wide ? UINT32_MAX : content->length, 4);
    put_number(out, strlen(name), 2);
    put_number(out, extra, 2);
}

static inline void put_entry(bytes_buffer *out, const char *name, const bytes_buffer *content, npz_style style, size_t offset)
{
    put(out, "PK\1\2", 4);
    put_number(out, 20, 2);
    put_member(out, name, content, style, style.wide ? 34 : 0);
    put_number(out, 0, 8);
    put_number(out, 0, 2);
    put_number(out, style.wide ? UINT32_MAX : offset, 4);
    put(out, name, strlen(name));
    if (!style.wide)
        return;
    put_number(out, 7, 2); /* a field of another kind comes first */
    put_number(out, 2, 2);
    put_number(out, 0, 2);
    put_number(out, 1, 2);
    put_number(out, 24, 2);
    put_number(out, content->length, 8);
    put_number(out, content->length + (style.method ? 5 : 0), 8);
    put_number(out, offset, 8);
}

static inline void put_end(bytes_buffer *out, size_t directory, size_t count, npz_style style)
{
    size_t end = out->length;
    if (style.wide) {
        put(out, "PK\6\6", 4);
        put_number(out, 44, 8);
        put_number(out, 45, 2);
        put_number(out, 45, 2);
        put_number(out, 0, 8);
        put_number(out, count, 8);
        put_number(out, count, 8);
        put_number(out, end - directory, 8);
        put_number(out, directory, 8);
        put(out, "PK\6\7", 4);
        put_number(out, 0, 4);
        put_number(out, end, 8);
        put_number(out, 1, 4);
    }
    put(out, "PK\5\6", 4);
    put_number(out, 0, 4);
    put_number(out, count, 2);
    put_number(out, count, 2);
    put_number(out, style.wide ? UINT32_MAX : end - directory, 4);
    put_number(out, style.wide ? UINT32_MAX : directory, 4);
    put_number(out, 0, 2);
}

static inline bytes_buffer make_npz(const char *const *names, const bytes_buffer *contents, size_t count, npz_style style)
{
    bytes_buffer out = {.length = 0};
    size_t offsets[8];
    for (size_t i = 0; i < count; i++) {
        offsets[i] = out.length;
        put(&out, "PK\3\4", 4);
        put_member(&out, names[i], &contents[i], style, 0);
        put(&out, names[i], strlen(names[i]));
        if (style.method)
            put_deflated(&out, &contents[i]);
        else
            put(&out, contents[i].data, contents[i].length);
    }
    size_t directory = out.length;
    for (size_t i = 0; i < count; i++)
        put_entry(&out, names[i], &contents[i], style, offsets[i]);
    put_end(&out, directory, count, style);
    return out;
}

/* x is [3][2] doubles 0 to 5, y is [3] bytes 0, 1, 1. */
static inline bytes_buffer make_npz_pair(npz_style style)
{
    static const char *const names[] = {"x_train.npy", "y_train.npy"};
    static const unsigned char y[] = {0, 1, 1};
    bytes_buffer numbers = {.length = 0}, contents[2];
    for (int i = 0; i < 6; i++) {
        double x = i;
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        put_number(&numbers, bits, 8);
    }
    contents[0] = make_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", numbers.data, numbers.length);
    contents[1] = make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", y, sizeof y);
    return make_npz(names, contents, 2, style);
}

#endif
