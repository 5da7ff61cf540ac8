/*
 * fail.c - the command with a door for faults. Linked with --wrap (tests/CMakeLists.txt names the calls), it serves runs of the
 * command in which one call of a kind fails, or that one and all after it.
 *
 * `faults OUT ERR` reads requests from standard input, each a line of words parted by tabs,
 *
 *     KIND FAULT N once|good STDIN WORD...
 *
 * forks before main(), runs the command on the words with output to OUT and ERR, and answers with a line
 *
 *     exit|signal NUMBER CALLS MET LIVE OPEN CALL PATH
 *
 * CALLS of the kind were made, MET of them failed, and of the first CALL and PATH say which it was; LIVE blocks and OPEN
 * descriptors were left when main() returned. Only calls made by the command and the library are met, not those inside libc.
 * Invariant: a call outside of main(), or of another kind, is the system's own.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MOST 64
#define REQUEST_MOST 8192
#define NAMED_DESCRIPTORS 64
#define SECONDS_MOST 60 /* a run that takes longer hangs */
#define NOT_FINISHED (-1)

/* Faults that are no errno. */
enum {
    FAULT_NONE = 0,
    FAULT_SHORT = 10000, /* one byte is read or written */
    FAULT_FULL,          /* half is written, and from then on there is no space */
    FAULT_DIE,           /* the call is made, and the process ends at once */
    FAULT_TERM           /* SIGTERM comes, and then the call is made */
};

static const struct {
    const char *name;
    int fault;
} faults[] = {{"none", FAULT_NONE}, {"short", FAULT_SHORT}, {"full", FAULT_FULL}, {"die", FAULT_DIE}, {"SIGTERM", FAULT_TERM},
              {"ENOMEM", ENOMEM},   {"EMFILE", EMFILE},     {"EACCES", EACCES},   {"EIO", EIO},       {"EINTR", EINTR},
              {"ENOSPC", ENOSPC},   {"EAGAIN", EAGAIN},     {"EPIPE", EPIPE}};

/* What a child tells its parent, in shared memory. */
typedef struct findings {
    unsigned calls, met;
    int live, open;
    char call[16];
    char path[256];
} findings;

static findings *found;
static bool armed; /* inside main() */
static const char *kind;
static int fault;
static unsigned at;
static bool for_good;
static char names[NAMED_DESCRIPTORS][sizeof found->path];
static struct timespec slept;

static const char *name_of(int descriptor)
{
    return descriptor >= 0 && descriptor < NAMED_DESCRIPTORS && *names[descriptor] ? names[descriptor] : "?";
}

static int named(int descriptor, const char *path)
{
    if (armed && descriptor >= 0 && descriptor < NAMED_DESCRIPTORS)
        (void)snprintf(names[descriptor], sizeof names[0], "%s", path);
    return descriptor;
}

/* Whether the call that is about to be made is to fail; if so, errno is set. */
static bool fails(const char *of_kind, const char *call, const char *path)
{
    if (!armed || strcmp(kind, of_kind) != 0)
        return false;
    found->calls++;
    if (found->calls != at && !(for_good && found->calls > at))
        return false;
    if (found->met++ == 0) {
        (void)snprintf(found->call, sizeof found->call, "%s", call);
        (void)snprintf(found->path, sizeof found->path, "%s", *path ? path : "-");
    }
    if (fault == FAULT_TERM)
        return raise(SIGTERM) != 0;
    errno = fault;
    return true;
}

static void counted(const void *block, int more)
{
    if (armed && block)
        found->live += more;
}

/* ---- the calls ----------------------------------------------------------------------------------------------------------- */

int __real_main(int count, char **words);
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t bytes);
void __real_free(void *block);
char *__real_realpath(const char *path, char *out);
int __real_open(const char *path, int flags, ...);
int __real_mkstemp(char *pattern);
DIR *__real_opendir(const char *path);
ssize_t __real_read(int descriptor, void *bytes, size_t size);
ssize_t __real_write(int descriptor, const void *bytes, size_t size);
int __real_close(int descriptor);
int __real_ftruncate(int descriptor, off_t length);
int __real_stat(const char *path, struct stat *facts);
int __real_fstat(int descriptor, struct stat *facts);
int __real_access(const char *path, int mode);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int descriptor, off_t offset);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_main(int count, char **words);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t bytes);
void __wrap_free(void *block);
char *__wrap_realpath(const char *path, char *out);
int __wrap_open(const char *path, int flags, ...);
int __wrap_mkstemp(char *pattern);
DIR *__wrap_opendir(const char *path);
ssize_t __wrap_read(int descriptor, void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size);
int __wrap_close(int descriptor);
int __wrap_fsync(int descriptor);
int __wrap_ftruncate(int descriptor, off_t length);
int __wrap_stat(const char *path, struct stat *facts);
int __wrap_fstat(int descriptor, struct stat *facts);
int __wrap_access(const char *path, int mode);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int descriptor, off_t offset);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);
unsigned __wrap_hill__core_count(void);

void *__wrap_malloc(size_t bytes)
{
    void *block = fails("memory", "malloc", "") ? NULL : __real_malloc(bytes);
    counted(block, 1);
    return block;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *block = fails("memory", "calloc", "") ? NULL : __real_calloc(count, size);
    counted(block, 1);
    return block;
}

void *__wrap_realloc(void *block, size_t bytes)
{
    void *bigger = fails("memory", "realloc", "") ? NULL : __real_realloc(block, bytes);
    counted(bigger, !block);
    return bigger;
}

void __wrap_free(void *block)
{
    counted(block, -1);
    __real_free(block);
}

char *__wrap_realpath(const char *path, char *out)
{
    char *real = !out && fails("memory", "realpath", path) ? NULL : __real_realpath(path, out);
    counted(real, !out);
    return real;
}

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    const char *call = flags & O_CREAT ? "create" : (flags & O_ACCMODE) == O_RDONLY ? "open" : "open-to-write";
    return fails("open", call, path) ? -1 : named(__real_open(path, flags, mode), path);
}

int __wrap_mkstemp(char *pattern)
{
    return fails("open", "create", pattern) ? -1 : named(__real_mkstemp(pattern), pattern);
}

DIR *__wrap_opendir(const char *path)
{
    return fails("open", "opendir", path) ? NULL : __real_opendir(path);
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t size)
{
    if (fails("read", "read", name_of(descriptor))) {
        if (fault != FAULT_SHORT)
            return -1;
        size = size < 1 ? size : 1;
    }
    return __real_read(descriptor, bytes, size);
}

/* Words to a person are a kind of their own: where they are lost nothing else may change. */
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    if (fails(descriptor == STDERR_FILENO ? "say" : "write", "write", name_of(descriptor))) {
        if (fault == FAULT_FULL && found->met > 1)
            errno = ENOSPC;
        if (fault < FAULT_SHORT || (fault == FAULT_FULL && found->met > 1))
            return -1;
        size = fault == FAULT_SHORT && size > 1 ? 1 : size - size / 2;
    }
    return __real_write(descriptor, bytes, size);
}

/* Whatever close returns, Linux has closed the file. */
int __wrap_close(int descriptor)
{
    bool bad = fails("close", "close", name_of(descriptor));
    int code = errno, result = __real_close(descriptor);
    if (bad)
        errno = code;
    return bad ? -1 : result;
}

int __wrap_fsync(int descriptor)
{
    return fails("fsync", "fsync", name_of(descriptor)) ? -1 : 0; /* nobody cuts the power of a test */
}

int __wrap_ftruncate(int descriptor, off_t length)
{
    return fails("truncate", "ftruncate", name_of(descriptor)) ? -1 : __real_ftruncate(descriptor, length);
}

int __wrap_stat(const char *path, struct stat *facts)
{
    return fails("look", "stat", path) ? -1 : __real_stat(path, facts);
}

int __wrap_fstat(int descriptor, struct stat *facts)
{
    return fails("look", "fstat", name_of(descriptor)) ? -1 : __real_fstat(descriptor, facts);
}

int __wrap_access(const char *path, int mode)
{
    return fails("look", "access", path) ? -1 : __real_access(path, mode);
}

int __wrap_rename(const char *from, const char *to)
{
    bool bad = fails("rename", "rename", to);
    if (bad && fault != FAULT_DIE)
        return -1;
    int result = __real_rename(from, to);
    if (bad)
        _exit(0);
    return result;
}

int __wrap_unlink(const char *path)
{
    return fails("unlink", "unlink", path) ? -1 : __real_unlink(path);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int descriptor, off_t offset)
{
    return fails("mmap", "mmap", name_of(descriptor)) ? MAP_FAILED
                                                      : __real_mmap(address, bytes, protection, flags, descriptor, offset);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return fails("thread", "pthread_create", "") ? fault : __real_pthread_create(thread, attributes, run, argument);
}

/* Nobody waits for a command that waits for better times: the clock goes on instead. */
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)rest;
    slept.tv_sec += time->tv_sec;
    slept.tv_nsec += time->tv_nsec;
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);
    now->tv_nsec += slept.tv_nsec;
    now->tv_sec += slept.tv_sec + now->tv_nsec / 1000000000;
    now->tv_nsec %= 1000000000;
    return result;
}

/* Threads are started where they may fail, on any machine; elsewhere they would only take time. */
unsigned __wrap_hill__core_count(void)
{
    return strcmp(kind, "thread") == 0 ? 2 : 1;
}

/* ---- the server ---------------------------------------------------------------------------------------------------------- */

static void fail_server(const char *what)
{
    perror(what);
    _exit(2);
}

static void redirect(int descriptor, const char *path, int flags)
{
    int file = open(path, flags, 0600);
    if (file < 0 || dup2(file, descriptor) < 0 || (file != descriptor && close(file) != 0))
        fail_server(path);
}

static int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < NAMED_DESCRIPTORS; i++)
        count += fcntl(i, F_GETFD) != -1;
    return count;
}

/* The child: the words from the fifth on are the command's. Ends by exit(), so that a leak checker has its turn. */
static void run_command(char **words, int count, const char *out, const char *err)
{
    redirect(STDIN_FILENO, words[4], O_RDONLY);
    redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
    static const char *const standard[] = {"standard input", "standard output", "standard error"};
    for (int i = 0; i < 3; i++)
        (void)snprintf(names[i], sizeof names[i], "%s", standard[i]);
    int before = open_descriptors();
    (void)alarm(SECONDS_MOST);
    words[4] = (char[]){"downhill"};
    armed = true;
    int code = __real_main(count - 4, words + 4);
    armed = false;
    found->open = open_descriptors() - before;
    exit(code);
}

/* Sets what is to fail by the first words of a request; false where they make no sense. */
static bool arm(char **words, int count)
{
    if (count < 5)
        return false;
    kind = words[0];
    at = (unsigned)strtoul(words[2], NULL, 10);
    for_good = strcmp(words[3], "good") == 0;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (strcmp(faults[i].name, words[1]) == 0) {
            fault = faults[i].fault;
            return true;
        }
    return false;
}

static void serve(char *request, const char *out, const char *err)
{
    char *words[WORDS_MOST + 1] = {NULL};
    int count = 0, status = 0;
    for (char *word = strtok(request, "\t\n"); word && count < WORDS_MOST; word = strtok(NULL, "\t\n"))
        words[count++] = word;
    if (!arm(words, count))
        fail_server("a request that isn't one");
    *found = (findings){.open = NOT_FINISHED, .call = "-", .path = "-"};
    pid_t child = fork();
    if (child < 0)
        fail_server("fork");
    if (child == 0)
        run_command(words, count, out, err);
    if (waitpid(child, &status, 0) < 0)
        fail_server("waitpid");
    bool ended = WIFEXITED(status);
    if (dprintf(STDOUT_FILENO, "%s\t%d\t%u\t%u\t%d\t%d\t%s\t%s\n", ended ? "exit" : "signal",
                ended ? WEXITSTATUS(status) : WTERMSIG(status), found->calls, found->met, found->live, found->open, found->call,
                found->path) < 0)
        fail_server("answer");
}

int __wrap_main(int count, char **words)
{
    static char request[REQUEST_MOST];
    if (count != 3)
        fail_server("usage: faults OUT ERR");
    found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED)
        fail_server("mmap");
    for (;;) {
        ssize_t length = read(STDIN_FILENO, request, sizeof request - 1);
        if (length <= 0)
            _exit(0);
        request[length] = '\0';
        serve(request, words[1], words[2]);
    }
}
