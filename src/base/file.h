/*
 * file.h - the only place that opens files: reading whole, and writing so that nothing is ever half there.
 */
#ifndef HILL_BASE_FILE_H
#define HILL_BASE_FILE_H

#include "base/memory.h"
#include "base/status.h"

/* What a path is; what can't be told is HILL__PATH_OTHER, and whoever opens it gets the reason. */
typedef enum hill__path_kind { HILL__PATH_NONE, HILL__PATH_FILE, HILL__PATH_FOLDER, HILL__PATH_OTHER } hill__path_kind;
hill__path_kind hill__path_kind_of(const char *path);

/* The whole of a file in memory. Free with hill__free(allocator, data, capacity, 1). */
typedef struct hill__file_bytes {
    unsigned char *data;
    size_t length;
    size_t capacity;
} hill__file_bytes;

/* Reads a regular file, a pipe or a device to its end. HILL_EINPUT: it can't be opened; HILL_EIO: reading failed. */
int hill__file_read(const char *path, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error);

/*
 * Writes a file atomically: a temporary name in the same folder, written, synced, closed, renamed, the folder synced. On any
 * failure the temporary file is removed and what stood at `path` still stands. HILL_ECREATE: it can't be created; HILL_EIO:
 * writing failed, with the path, the bytes needed and the system's reason in the text. A path that is no regular file
 * (a device, a pipe) is written to directly.
 */
int hill__file_write(const char *path, const void *data, size_t length, const hill_allocator *allocator, hill_error *error);

#endif
