/*
 * file.c - reading files whole and writing them atomically. Invariant: between two system calls of a write, what stands at the
 * path is either all of the old file or all of the new one, and a failed write leaves no temporary file behind.
 */
#define _XOPEN_SOURCE 700

#include "base/fp.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Temporary names tried before giving up: so many stale ones beside a file mean that something else is wrong. */
#define FILE_TEMP_TRIES 1000u

/* Room for ".tmp" and a counter behind a path. */
#define FILE_TEMP_EXTRA 16u

/* First room for files that don't say how long they are. */
#define FILE_FIRST_ROOM 65536u

/* write() takes at most about 2 GiB a call on Linux and less elsewhere. */
#define FILE_WRITE_MOST ((size_t)1 << 30)

static void file_reason(int code, char *out, size_t size)
{
    if (strerror_r(code, out, size) != 0)
        snprintf(out, size, "error %d", code);
}

static int file_fail(hill_error *error, int status, const char *path, const char *what, int code)
{
    char reason[200];
    status = code == ENOMEM ? HILL_EMEMORY : status;
    file_reason(code, reason, sizeof reason);
    return hill__fail(error, status, "%s: %s: %s", path, what, reason);
}

static int file_open(const char *path, int flags, mode_t mode)
{
    int file;
    do
        file = open(path, flags | O_CLOEXEC, mode);
    while (file < 0 && errno == EINTR);
    return file;
}

/* After EINTR Linux has closed the file all the same, and what matters was synced before. */
static bool file_close(int file)
{
    return close(file) == 0 || errno == EINTR;
}

static bool file_sync(int file)
{
    int result;
    do
        result = fsync(file);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

static bool file_write_all(int file, const unsigned char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, data, length < FILE_WRITE_MOST ? length : FILE_WRITE_MOST);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* Reads to the end into out->data, which always has a byte of room left to notice the end with. */
static int file_read_all(int file, const char *path, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    for (;;) {
        if (out->length == out->capacity) {
            void *data = out->data;
            if (!hill__grow(allocator, &data, &out->capacity, out->length + 1, 1))
                return hill__fail(error, HILL_EMEMORY, "%s: out of memory after %zu bytes", path, out->length);
            out->data = data;
        }
        ssize_t got = read(file, out->data + out->length, out->capacity - out->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_fail(error, HILL_EIO, path, "cannot be read", errno);
        if (got == 0)
            return HILL_OK;
        out->length += (size_t)got;
    }
}

static int file_read_open(int file, const char *path, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    struct stat facts;
    if (fstat(file, &facts) != 0)
        return file_fail(error, HILL_EINPUT, path, "cannot be opened", errno);
    if (S_ISDIR(facts.st_mode))
        return hill__fail(error, HILL_EINPUT, "%s: is a directory, a file is needed", path);
    size_t room = FILE_FIRST_ROOM;
    if (S_ISREG(facts.st_mode) && facts.st_size > 0) {
        if ((uintmax_t)facts.st_size >= SIZE_MAX)
            return hill__fail(error, HILL_EMEMORY, "%s: too large for this machine", path);
        room = (size_t)facts.st_size + 1;
    }
    out->data = hill__alloc_raw(allocator, room, 1);
    if (!out->data)
        return hill__fail(error, HILL_EMEMORY, "%s: no memory for its %zu bytes", path, room - 1);
    out->capacity = room;
    return file_read_all(file, path, allocator, out, error);
}

/* Writes to what is there already and cannot be renamed over: a device or a pipe. */
static int file_write_direct(const char *path, const void *data, size_t length, hill_error *error)
{
    int file = file_open(path, O_WRONLY, 0);
    if (file < 0)
        return file_fail(error, HILL_ECREATE, path, "cannot be opened for writing", errno);
    bool good = file_write_all(file, data, length);
    int code = errno;
    if (!file_close(file) && good) {
        good = false;
        code = errno;
    }
    char reason[200];
    file_reason(code, reason, sizeof reason);
    if (!good)
        return hill__fail(error, HILL_EIO, "%s: cannot write %zu bytes: %s", path, length, reason);
    return HILL_OK;
}

/* Opens a file that wasn't there before, of the name "PATH.tmpN"; -1 and errno where none can be made. */
static int file_open_temp(const char *path, mode_t mode, char *temp, size_t size)
{
    for (unsigned i = 0; i < FILE_TEMP_TRIES; i++) {
        snprintf(temp, size, "%s.tmp%u", path, i);
        int file = file_open(temp, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

/* The folder that a path lies in, into `folder`, as large as the path and two bytes at least. */
static void file_folder(const char *path, char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length == 0)
        memcpy(folder, slash ? "/" : ".", 2);
    else {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
}

/* Makes a rename last through a power cut: 0 or an errno. A folder that can't be opened or be synced at all is left at that. */
static int file_sync_folder(const char *folder)
{
    int file = file_open(folder, O_RDONLY, 0);
    if (file < 0)
        return 0;
    int code = file_sync(file) || errno == EINVAL || errno == EBADF ? 0 : errno;
    return file_close(file) || code ? code : errno;
}

/* The steps after the temporary file is open, up to the rename: 0 or an errno. */
static int file_write_temp(int file, const char *path, const char *temp, const void *data, size_t length)
{
    bool good = file_write_all(file, data, length) && file_sync(file);
    int code = errno;
    if (!file_close(file) && good) {
        good = false;
        code = errno;
    }
    if (good && rename(temp, path) != 0) {
        good = false;
        code = errno;
    }
    if (!good) {
        (void)unlink(temp); /* the first reason is the one to tell */
        return code;
    }
    return 0;
}

/* "cannot write 400 bytes (120 are free): No space left on device". */
static int file_fail_writing(const char *path, size_t length, const char *folder, int code, hill_error *error)
{
    struct statvfs disk;
    char reason[200];
    file_reason(code, reason, sizeof reason);
    if (statvfs(folder, &disk) != 0)
        return hill__fail(error, HILL_EIO, "%s: cannot write %zu bytes: %s", path, length, reason);
    return hill__fail(error, HILL_EIO, "%s: cannot write %zu bytes (%llu are free): %s", path, length,
                      (unsigned long long)disk.f_bavail * disk.f_frsize, reason);
}

static int file_write_atomic(const char *path, mode_t mode, const void *data, size_t length, const hill_allocator *allocator,
                             hill_error *error)
{
    size_t size = strlen(path) + FILE_TEMP_EXTRA;
    char *temp = hill__alloc(allocator, size, 1);
    if (!temp)
        return hill__fail_memory(error);
    int status = HILL_OK, code = 0;
    int file = file_open_temp(path, mode, temp, size);
    if (file < 0) {
        code = errno;
        file_folder(path, temp);
        status = code == ENOSPC || code == EDQUOT ? file_fail_writing(path, length, temp, code, error)
                                                  : file_fail(error, HILL_ECREATE, path, "cannot be created", code);
    } else {
        code = file_write_temp(file, path, temp, data, length);
        file_folder(path, temp);
        if (code == 0)
            code = file_sync_folder(temp);
        if (code)
            status = file_fail_writing(path, length, temp, code, error);
    }
    hill__free(allocator, temp, size, 1);
    return status;
}

hill__path_kind hill__path_kind_of(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? HILL__PATH_NONE : HILL__PATH_OTHER;
    if (S_ISREG(facts.st_mode))
        return HILL__PATH_FILE;
    return S_ISDIR(facts.st_mode) ? HILL__PATH_FOLDER : HILL__PATH_OTHER;
}

int hill__file_read(const char *path, const hill_allocator *allocator, hill__file_bytes *out, hill_error *error)
{
    *out = (hill__file_bytes){NULL, 0, 0};
    int file = file_open(path, O_RDONLY, 0);
    if (file < 0)
        return file_fail(error, HILL_EINPUT, path, "cannot be opened", errno);
    int status = file_read_open(file, path, allocator, out, error);
    if (!file_close(file) && status == HILL_OK)
        status = file_fail(error, HILL_EIO, path, "cannot be read", errno);
    if (status < 0) {
        hill__free(allocator, out->data, out->capacity, 1);
        *out = (hill__file_bytes){NULL, 0, 0};
    }
    return status;
}

int hill__file_write(const char *path, const void *data, size_t length, const hill_allocator *allocator, hill_error *error)
{
    struct stat facts;
    if (stat(path, &facts) != 0) {
        if (errno != ENOENT)
            return file_fail(error, HILL_ECREATE, path, "cannot be created", errno);
        return file_write_atomic(path, 0666, data, length, allocator, error);
    }
    if (S_ISDIR(facts.st_mode))
        return hill__fail(error, HILL_ECREATE, "%s: is a directory, a file name is needed", path);
    if (!S_ISREG(facts.st_mode))
        return file_write_direct(path, data, length, error);
    if (access(path, W_OK) != 0)
        return file_fail(error, HILL_ECREATE, path, "cannot be written over", errno);

    /* A link keeps being one: the file it leads to is replaced. realpath's block comes from malloc: that is its contract. */
    char *real = realpath(path, NULL);
    if (!real)
        return file_fail(error, HILL_ECREATE, path, "cannot be created", errno);
    int status = file_write_atomic(real, facts.st_mode & 0777, data, length, allocator, error);
    free(real);
    return status;
}
