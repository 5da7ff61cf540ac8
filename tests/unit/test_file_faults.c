/*
 * test_file_faults.c - files on a system that fails: every call of it, with every answer that makes a difference. What stood
 * at the path still stands, no temporary file is left, and the first reason is told. tests/CMakeLists.txt names the calls put
 * through here.
 */
#define _XOPEN_SOURCE 700

#include "base/fp.h"

#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"

/* ---- the system ---------------------------------------------------------------------------------------------------------- */

typedef enum call { OPEN, READ, WRITE, FSYNC, CLOSE, RENAME, FSTAT, STAT, ACCESS, REALPATH, STATVFS, CALLS } call;

/* No errno: one byte is read or written. */
#define SHORT (-1)

/* Calls number `at` .. at + times - 1 of a kind fail with `code`. */
typedef struct fault {
    call call;
    int code;
    unsigned at, times;
} fault;

static fault faults[2];
static unsigned calls[CALLS];
static off_t said_size;       /* what fstat() says of a file; 0: the truth */
static char opened_last[200]; /* the path of the last open() */
static char folder[64];
static const char at_root[] = "/hill_file_at_the_root";

static int fault_of(call kind)
{
    calls[kind]++;
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (faults[i].code && faults[i].call == kind && calls[kind] >= faults[i].at &&
            calls[kind] < faults[i].at + faults[i].times)
            return faults[i].code;
    return 0;
}

#define FAIL_OR(kind, failed)  \
    int code = fault_of(kind); \
    if (code > 0) {            \
        errno = code;          \
        return failed;         \
    }

/* Files at the root lie in our folder. */
static const char *placed(const char *path)
{
    static char paths[2][200];
    static size_t next;
    if (strncmp(path, at_root, sizeof at_root - 1) != 0)
        return path;
    char *out = paths[next++ % 2];
    snprintf(out, sizeof paths[0], "%s%s", folder, path);
    return out;
}

/* The linker calls them so. */
int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int file, void *bytes, size_t length);
ssize_t __real_write(int file, const void *bytes, size_t length);
int __real_close(int file);
int __real_rename(const char *from, const char *to);
int __real_fstat(int file, struct stat *facts);
int __real_stat(const char *path, struct stat *facts);
int __real_access(const char *path, int mode);
char *__real_realpath(const char *path, char *out);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int file, void *bytes, size_t length);
ssize_t __wrap_write(int file, const void *bytes, size_t length);
int __wrap_fsync(int file);
int __wrap_close(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_fstat(int file, struct stat *facts);
int __wrap_stat(const char *path, struct stat *facts);
int __wrap_access(const char *path, int mode);
char *__wrap_realpath(const char *path, char *out);
int __wrap_statvfs(const char *path, struct statvfs *facts);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    snprintf(opened_last, sizeof opened_last, "%s", path);
    FAIL_OR(OPEN, -1)
    return __real_open(placed(path), flags, mode);
}

ssize_t __wrap_read(int file, void *bytes, size_t length)
{
    FAIL_OR(READ, -1)
    return __real_read(file, bytes, code == SHORT ? 1 : length);
}

ssize_t __wrap_write(int file, const void *bytes, size_t length)
{
    FAIL_OR(WRITE, -1)
    return __real_write(file, bytes, code == SHORT ? 1 : length);
}

/* The disk isn't waited for. */
int __wrap_fsync(int file)
{
    (void)file;
    FAIL_OR(FSYNC, -1)
    return 0;
}

/* Closes in any case, as Linux does. */
int __wrap_close(int file)
{
    int result = __real_close(file);
    FAIL_OR(CLOSE, -1)
    return result;
}

int __wrap_rename(const char *from, const char *to)
{
    FAIL_OR(RENAME, -1)
    return __real_rename(placed(from), placed(to));
}

int __wrap_fstat(int file, struct stat *facts)
{
    FAIL_OR(FSTAT, -1)
    int result = __real_fstat(file, facts);
    facts->st_size = said_size ? said_size : facts->st_size;
    return result;
}

int __wrap_stat(const char *path, struct stat *facts)
{
    FAIL_OR(STAT, -1)
    return __real_stat(placed(path), facts);
}

int __wrap_access(const char *path, int mode)
{
    FAIL_OR(ACCESS, -1)
    return __real_access(path, mode);
}

char *__wrap_realpath(const char *path, char *out)
{
    FAIL_OR(REALPATH, NULL)
    return __real_realpath(path, out);
}

/* A disk with 400 free bytes. */
int __wrap_statvfs(const char *path, struct statvfs *facts)
{
    FAIL_OR(STATVFS, -1)
    *facts = (struct statvfs){.f_bavail = 100, .f_frsize = 4};
    return access(placed(path), R_OK);
}

/* ---- saving and reading -------------------------------------------------------------------------------------------------- */

static char path[100];
static heap memory;
static hill_allocator allocator = {&memory, heap_alloc, heap_free};

static void set_faults(fault one, fault two)
{
    memset(calls, 0, sizeof calls);
    faults[0] = one;
    faults[1] = two;
}

static int save(const char *to, const char *text, hill_error *error)
{
    int status = hill__file_write(to, text, strlen(text), &allocator, error);
    set_faults((fault){.code = 0}, (fault){.code = 0});
    assert_heap_empty(&memory);
    return status;
}

static int load(const char *from, hill__file_bytes *bytes, hill_error *error)
{
    int status = hill__file_read(from, &allocator, bytes, error);
    set_faults((fault){.code = 0}, (fault){.code = 0});
    return status;
}

static void expect(const char *from, const char *text)
{
    hill__file_bytes bytes;
    assert_int_equal(load(from, &bytes, NULL), HILL_OK);
    assert_int_equal(bytes.length, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.length);
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
    assert_heap_empty(&memory);
}

static int count_files(bool remove_them)
{
    int count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
        char name[400];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        count++;
        if (remove_them)
            remove(name);
    }
    closedir(open);
    return count;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hill_faults_XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/model", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    count_files(true);
    return rmdir(folder);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

typedef struct failure {
    fault one, two;
    int status;
    const char *told;
} failure;

static void assert_failure(int status, const hill_error *error, const failure *f, size_t i)
{
    if (status != f->status || (status < 0 && !strstr(error->text, f->told)) || (status < 0 && !strstr(error->text, path)))
        fail_msg("case %zu: %s: %s", i, hill_status_name(status), error->text);
}

/* The old file stands where there was one, else there is none. */
static void a_failed_write_changes_nothing(void **state)
{
    (void)state;
    static const failure cases[] = {
        {{OPEN, ENOSPC, 1, 9}, {0}, HILL_EIO, ": cannot write 3 bytes (400 are free): No space left on device"},
        {{OPEN, EDQUOT, 1, 9}, {0}, HILL_EIO, ": cannot write 3 bytes (400 are free): Disk quota exceeded"},
        {{OPEN, EROFS, 1, 9}, {0}, HILL_ECREATE, ": cannot be created: Read-only file system"},
        {{OPEN, EEXIST, 1, 1000}, {0}, HILL_ECREATE, ": cannot be created: File exists"},
        {{WRITE, ENOSPC, 1, 9}, {0}, HILL_EIO, ": cannot write 3 bytes (400 are free): No space left on device"},
        {{WRITE, ENOSPC, 1, 9}, {STATVFS, EACCES, 1, 1}, HILL_EIO, ": cannot write 3 bytes: No space left on device"},
        {{WRITE, SHORT, 1, 1}, {WRITE, EIO, 2, 1}, HILL_EIO, ": cannot write 3 bytes (400 are free): Input/output error"},
        {{WRITE, ENOSPC, 1, 1}, {CLOSE, EIO, 1, 1}, HILL_EIO, ": cannot write 3 bytes (400 are free): No space left on device"},
        {{FSYNC, EIO, 1, 1}, {0}, HILL_EIO, ": cannot write 3 bytes (400 are free): Input/output error"},
        {{FSYNC, ENOSPC, 1, 1}, {CLOSE, EIO, 1, 1}, HILL_EIO, ": cannot write 3 bytes (400 are free): No space left on device"},
        {{CLOSE, ENOSPC, 1, 1}, {0}, HILL_EIO, ": cannot write 3 bytes (400 are free): No space left on device"},
        {{RENAME, EACCES, 1, 1}, {0}, HILL_EIO, ": cannot write 3 bytes (400 are free): Permission denied"},
        {{WRITE, 9999, 1, 1}, {0}, HILL_EIO, "9999"},
        {{STAT, EACCES, 1, 1}, {0}, HILL_ECREATE, ": cannot be created: Permission denied"},
        {{ACCESS, EROFS, 1, 1}, {0}, HILL_ECREATE, ": cannot be written over: Read-only file system"},
        {{REALPATH, ELOOP, 1, 1}, {0}, HILL_ECREATE, ": cannot be created: "},
        {{REALPATH, ENOMEM, 1, 1}, {0}, HILL_EMEMORY, ": cannot be created: "},
    };
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const failure *f = &cases[i / 2];
        hill_error error = HILL_ERROR_INIT;
        bool there = i % 2;
        if (!there && (f->one.call == ACCESS || f->one.call == REALPATH))
            continue;
        if (there)
            assert_int_equal(save(path, "old", NULL), HILL_OK);
        set_faults(f->one, f->two);
        assert_failure(save(path, "new", &error), &error, f, i);
        assert_int_equal(count_files(false), there);
        if (there)
            expect(path, "old");
        count_files(true);
    }
}

static void interrupted_calls_are_made_again(void **state)
{
    (void)state;
    static const failure cases[] = {{{OPEN, EINTR, 1, 3}, {0}, 0, ""},   {{WRITE, EINTR, 1, 3}, {0}, 0, ""},
                                    {{WRITE, SHORT, 1, 99}, {0}, 0, ""}, {{WRITE, EINTR, 2, 1}, {WRITE, SHORT, 1, 1}, 0, ""},
                                    {{FSYNC, EINTR, 1, 3}, {0}, 0, ""},  {{CLOSE, EINTR, 1, 3}, {0}, 0, ""},
                                    {{READ, EINTR, 1, 3}, {0}, 0, ""},   {{READ, SHORT, 1, 99}, {0}, 0, ""}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill__file_bytes bytes;
        set_faults(cases[i].one, cases[i].two);
        assert_int_equal(save(path, "some words", NULL), HILL_OK);
        expect(path, "some words");
        set_faults(cases[i].one, cases[i].two);
        assert_int_equal(load(path, &bytes, NULL), HILL_OK);
        assert_int_equal(bytes.length, 10);
        assert_memory_equal(bytes.data, "some words", 10);
        hill__free(&allocator, bytes.data, bytes.capacity, 1);
        assert_int_equal(count_files(true), 1);
    }
}

/* The new file is in place by then. A folder that can't be opened or be synced at all is no failure. */
static void a_folder_may_fail_to_be_synced(void **state)
{
    (void)state;
    static const failure cases[] = {
        {{OPEN, EACCES, 2, 1}, {0}, HILL_OK, ""},
        {{FSYNC, EINVAL, 2, 1}, {0}, HILL_OK, ""},
        {{FSYNC, EBADF, 2, 1}, {0}, HILL_OK, ""},
        {{FSYNC, EIO, 2, 1}, {0}, HILL_EIO, "cannot write 3 bytes (400 are free): Input/output error"},
        {{FSYNC, ENOSPC, 2, 1}, {CLOSE, EIO, 2, 1}, HILL_EIO, "cannot write 3 bytes (400 are free): No space left on device"},
        {{CLOSE, EIO, 2, 1}, {0}, HILL_EIO, "cannot write 3 bytes (400 are free): Input/output error"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        set_faults(cases[i].one, cases[i].two);
        assert_failure(save(path, "new", &error), &error, &cases[i], i);
        expect(path, "new");
        assert_int_equal(count_files(true), 1);
    }
}

static void the_folder_of_a_path_is_synced(void **state)
{
    (void)state;
    char before[400];
    assert_int_equal(save(path, "text", NULL), HILL_OK);
    assert_string_equal(opened_last, folder);
    assert_int_equal(save(at_root, "text", NULL), HILL_OK);
    assert_string_equal(opened_last, "/");
    expect(at_root, "text");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    int status = save("here", "text", NULL);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(status, HILL_OK);
    assert_string_equal(opened_last, ".");
    assert_int_equal(count_files(false), 3);
}

static void devices_are_written_to_directly(void **state)
{
    (void)state;
    static const failure cases[] = {
        {{OPEN, EACCES, 1, 1}, {0}, HILL_ECREATE, "/dev/null: cannot be opened for writing: Permission denied"},
        {{WRITE, EIO, 1, 1}, {0}, HILL_EIO, "/dev/null: cannot write 3 bytes: Input/output error"},
        {{WRITE, ENOSPC, 1, 1}, {CLOSE, EIO, 1, 1}, HILL_EIO, "/dev/null: cannot write 3 bytes: No space left on device"},
        {{CLOSE, ENOSPC, 1, 1}, {0}, HILL_EIO, "/dev/null: cannot write 3 bytes: No space left on device"},
        {{CLOSE, EINTR, 1, 1}, {0}, HILL_OK, ""},
    };
    strcpy(path, "/dev/null");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        set_faults(cases[i].one, cases[i].two);
        assert_failure(save(path, "new", &error), &error, &cases[i], i);
    }
    assert_int_equal(calls[RENAME], 0);
}

static void a_name_needs_memory(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    memory.fail_at = memory.calls + 1;
    assert_int_equal(save(path, "new", &error), HILL_EMEMORY);
    assert_int_equal(count_files(false), 0);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static void a_failed_read_gives_nothing(void **state)
{
    (void)state;
    static const failure cases[] = {
        {{OPEN, EMFILE, 1, 1}, {0}, HILL_EINPUT, ": cannot be opened: Too many open files"},
        {{OPEN, ENOMEM, 1, 1}, {0}, HILL_EMEMORY, ": cannot be opened: Cannot allocate memory"},
        {{FSTAT, EIO, 1, 1}, {0}, HILL_EINPUT, ": cannot be opened: Input/output error"},
        {{READ, EIO, 1, 1}, {0}, HILL_EIO, ": cannot be read: Input/output error"},
        {{READ, SHORT, 1, 1}, {READ, EISDIR, 2, 1}, HILL_EIO, ": cannot be read: Is a directory"},
        {{READ, EISDIR, 1, 1}, {CLOSE, EIO, 1, 1}, HILL_EIO, ": cannot be read: Is a directory"},
        {{CLOSE, EIO, 1, 1}, {0}, HILL_EIO, ": cannot be read: Input/output error"},
    };
    assert_int_equal(save(path, "text", NULL), HILL_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        hill__file_bytes bytes;
        set_faults(cases[i].one, cases[i].two);
        assert_failure(load(path, &bytes, &error), &error, &cases[i], i);
        assert_true(!bytes.data && bytes.length == 0 && bytes.capacity == 0);
        assert_heap_empty(&memory);
    }
}

/* A file that holds more than it said is read whole, as memory allows. */
static void files_may_grow_while_they_are_read(void **state)
{
    (void)state;
    char *text = malloc(300001);
    hill_error error = HILL_ERROR_INIT;
    hill__file_bytes bytes;
    for (size_t i = 0; i < 300000; i++)
        text[i] = (char)('a' + i % 23);
    text[300000] = '\0';
    assert_int_equal(save(path, text, NULL), HILL_OK);
    said_size = 5;
    assert_int_equal(load(path, &bytes, &error), HILL_OK);
    assert_int_equal(bytes.length, 300000);
    assert_memory_equal(bytes.data, text, 300000);
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
    memory.fail_at = memory.calls + 1;
    assert_int_equal(load(path, &bytes, &error), HILL_EMEMORY);
    assert_non_null(strstr(error.text, "model: no memory for its 5 bytes"));
    memory.fail_at = memory.calls + 2;
    assert_int_equal(load(path, &bytes, &error), HILL_EMEMORY);
    assert_non_null(strstr(error.text, "model: out of memory after 6 bytes"));
    said_size = 0;
    assert_null(bytes.data);
    assert_heap_empty(&memory);
    free(text);
}

static void what_cannot_be_looked_at_is_something(void **state)
{
    (void)state;
    static const struct {
        int code;
        hill__path_kind kind;
    } cases[] = {
        {ENOENT, HILL__PATH_NONE}, {ENOTDIR, HILL__PATH_NONE}, {ENAMETOOLONG, HILL__PATH_NONE}, {EACCES, HILL__PATH_OTHER}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set_faults((fault){STAT, cases[i].code, 1, 1}, (fault){.code = 0});
        assert_int_equal(hill__path_kind_of(path), cases[i].kind);
    }
    set_faults((fault){.code = 0}, (fault){.code = 0});
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_failed_write_changes_nothing),        IN_FOLDER(interrupted_calls_are_made_again),
        IN_FOLDER(a_folder_may_fail_to_be_synced),        IN_FOLDER(the_folder_of_a_path_is_synced),
        IN_FOLDER(devices_are_written_to_directly),       IN_FOLDER(a_name_needs_memory),
        IN_FOLDER(a_failed_read_gives_nothing),           IN_FOLDER(files_may_grow_while_they_are_read),
        IN_FOLDER(what_cannot_be_looked_at_is_something),
    };
    return cmocka_run_group_tests_name("file faults", tests, NULL, NULL);
}
