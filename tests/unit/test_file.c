/*
 * test_file.c - files are read whole and written atomically; what stood there stands until the new one is whole.
 */
#define _XOPEN_SOURCE 700

#include "base/fp.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][400];
    static size_t next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hill_file_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int count_files(void)
{
    int count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry = readdir(open); entry; entry = readdir(open))
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *open = opendir(folder);
    for (struct dirent *entry = readdir(open); entry; entry = readdir(open))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(in_folder(entry->d_name));
    closedir(open);
    return rmdir(folder);
}

static int save(const char *path, const void *data, size_t length, hill_error *error)
{
    hill_allocator allocator = hill__allocator(NULL);
    return hill__file_write(path, data, length, &allocator, error);
}

static void expect(const char *path, const void *data, size_t length)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    assert_int_equal(hill__file_read(path, &allocator, &bytes, NULL), HILL_OK);
    assert_int_equal(bytes.length, length);
    assert_memory_equal(bytes.data, data, length);
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
}

static void test_round_trip(void **state)
{
    (void)state;
    size_t length = 300000;
    char *data = malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (char)(i * 7 + i / 251);
    const char *path = in_folder("model");
    assert_int_equal(save(path, "", 0, NULL), HILL_OK);
    expect(path, "", 0);
    assert_int_equal(save(path, data, length, NULL), HILL_OK);
    expect(path, data, length);
    assert_int_equal(save(path, "short", 5, NULL), HILL_OK);
    expect(path, "short", 5);
    assert_int_equal(count_files(), 1);
    free(data);
}

static void test_kinds(void **state)
{
    (void)state;
    const char *path = in_folder("model");
    assert_int_equal(hill__path_kind_of(path), HILL__PATH_NONE);
    assert_int_equal(save(path, "x", 1, NULL), HILL_OK);
    assert_int_equal(hill__path_kind_of(path), HILL__PATH_FILE);
    assert_int_equal(hill__path_kind_of(folder), HILL__PATH_FOLDER);
    assert_int_equal(hill__path_kind_of("/dev/null"), HILL__PATH_OTHER);
}

static void test_no_input(void **state)
{
    (void)state;
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(hill__file_read(in_folder("none"), &allocator, &bytes, &error), HILL_EINPUT);
    assert_non_null(strstr(error.text, in_folder("none")));
    assert_non_null(strstr(error.text, "No such file"));
    assert_null(bytes.data);
    assert_int_equal(hill__file_read(folder, &allocator, &bytes, &error), HILL_EINPUT);
    assert_non_null(strstr(error.text, "directory"));
    assert_int_equal(hill__file_read(in_folder("none"), &allocator, &bytes, NULL), HILL_EINPUT);
}

static void test_no_output(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(save(in_folder("none/model"), "x", 1, &error), HILL_ECREATE);
    assert_non_null(strstr(error.text, "none/model"));
    assert_int_equal(save(folder, "x", 1, &error), HILL_ECREATE);
    char name[300];
    memset(name, 'a', sizeof name);
    name[254] = '\0';
    assert_int_equal(save(in_folder(name), "x", 1, &error), HILL_ECREATE);
    assert_int_equal(count_files(), 0);
}

/* The limit on a file's size stands in for a full disk: the old file stays, the new one leaves nothing behind. */
static void test_disk_full(void **state)
{
    (void)state;
    static char data[100000];
    hill_error error = HILL_ERROR_INIT;
    const char *path = in_folder("model");
    assert_int_equal(save(path, "old", 3, NULL), HILL_OK);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int status = save(path, data, sizeof data, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, HILL_EIO);
    assert_non_null(strstr(error.text, path));
    assert_non_null(strstr(error.text, "100000 bytes"));
    assert_non_null(strstr(error.text, "too large"));
    expect(path, "old", 3);
    assert_int_equal(count_files(), 1);
}

static void test_full_device(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    if (hill__path_kind_of("/dev/full") != HILL__PATH_OTHER)
        skip();
    assert_int_equal(save("/dev/full", "x", 1, &error), HILL_EIO);
    assert_non_null(strstr(error.text, "No space left"));
    assert_int_equal(hill__path_kind_of("/dev/full"), HILL__PATH_OTHER);
    assert_int_equal(save("/dev/null", "x", 1, &error), HILL_OK);
}

/* A name that an earlier, killed write left behind is stepped over. */
static void test_stale_names(void **state)
{
    (void)state;
    const char *path = in_folder("model");
    assert_int_equal(save(in_folder("model.tmp0"), "stale", 5, NULL), HILL_OK);
    assert_int_equal(save(path, "new", 3, NULL), HILL_OK);
    expect(path, "new", 3);
    expect(in_folder("model.tmp0"), "stale", 5);
    assert_int_equal(count_files(), 2);
}

static void test_links_and_modes(void **state)
{
    (void)state;
    const char *path = in_folder("model"), *link = in_folder("link");
    struct stat facts;
    assert_int_equal(save(path, "old", 3, NULL), HILL_OK);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(symlink("model", link), 0);
    assert_int_equal(save(link, "new", 3, NULL), HILL_OK);
    assert_int_equal(lstat(link, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    expect(path, "new", 3);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void *feed(void *path)
{
    int file = open(path, O_WRONLY);
    for (int i = 0; i < 3; i++)
        if (write(file, "abcdef", 6) != 6)
            return NULL;
    close(file);
    return NULL;
}

static void test_pipe(void **state)
{
    (void)state;
    char path[200];
    pthread_t thread;
    snprintf(path, sizeof path, "%s", in_folder("pipe"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(hill__path_kind_of(path), HILL__PATH_OTHER);
    assert_int_equal(pthread_create(&thread, NULL, feed, path), 0);
    expect(path, "abcdefabcdefabcdef", 18);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_round_trip),  IN_FOLDER(test_kinds),           IN_FOLDER(test_no_input),
        IN_FOLDER(test_no_output),   IN_FOLDER(test_disk_full),       IN_FOLDER(test_full_device),
        IN_FOLDER(test_stale_names), IN_FOLDER(test_links_and_modes), IN_FOLDER(test_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
