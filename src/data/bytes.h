/*
 * bytes.h - files whole in memory, unpacked where their content says that they are packed.
 */
#ifndef HILL_DATA_BYTES_H
#define HILL_DATA_BYTES_H

#include "base/file.h"
#include "base/limits.h"

/*
 * Reads a file; one that is gzipped comes back unpacked. Free with hill__bytes_free. HILL_EINPUT, HILL_EIO: as hill__file_read;
 * HILL_EDATA: the gzip stream is damaged, ends too early or is beyond the limits.
 */
int hill__bytes_load(const char *path, const hill_limits *limits, const hill_allocator *allocator, hill__file_bytes *out,
                     hill_error *error);
void hill__bytes_free(const hill_allocator *allocator, hill__file_bytes *bytes);

/* Does it begin like a gzip file? */
bool hill__bytes_are_gzip(const void *data, size_t length);

/* What is to be unpacked: bytes, the name that errors begin with, and where in the file they stand. */
typedef struct hill__packed {
    hill_bytes bytes;
    size_t at;
    hill_limits limits;
} hill__packed;

/* Unpacks gzip members one after another. */
int hill__bytes_gunzip(const hill__packed *packed, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error);

/* Unpacks a raw deflate stream that must give exactly `length` bytes. */
int hill__bytes_inflate(const hill__packed *packed, size_t length, const hill_allocator *allocator, hill__file_bytes *out,
                        hill_error *error);

/* CRC-32 as in gzip and zip. */
uint32_t hill__bytes_crc(const void *data, size_t length);

/* Unsigned integers at any address, least significant byte first; the last one most significant first. */
uint32_t hill__bytes_u16(const unsigned char *p);
uint32_t hill__bytes_u32(const unsigned char *p);
uint64_t hill__bytes_u64(const unsigned char *p);
uint32_t hill__bytes_big_u32(const unsigned char *p);

#endif
