/*
 * output.c - answers to standard output, talk to standard error, files whole or not at all, and the exit codes.
 *
 * Nothing else in the command writes to a descriptor, so that every failed write is seen once, here.
 */
#define _POSIX_C_SOURCE 200809L

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MOST 2000 /* bytes of an error's words */

/* Ends `string` after its third line. */
static void three_lines(char *string)
{
    size_t lines = 0;
    for (char *s = string; *s; s++)
        if (*s == '\n' && (++lines == 3 || s[1] == '\0')) {
            *s = '\0';
            return;
        }
}

/* Where memory has run out that can still be said: the line never outgrows its room, for text_safe makes nothing longer. */
static void say_error(char *words)
{
    char room[WORDS_MOST + 20];
    text line = {room, 0, sizeof room, false};
    three_lines(words);
    text_string(&line, "downhill: ");
    text_safe(&line, words, true);
    text_string(&line, "\n");
    output_say(&line);
}

/* Makes a file of a new name in the folder of `path`; -1 and errno. *name is to be freed, NULL where there is no file. */
static int make_temporary(const char *path, char **name)
{
    static const char pattern[] = ".downhill-XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    int descriptor = -1;
    *name = malloc(folder + sizeof pattern);
    if (!*name)
        return -1;
    do {
        memcpy(*name, path, folder);
        memcpy(*name + folder, pattern, sizeof pattern);
        descriptor = mkstemp(*name);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        int problem = errno;
        free(*name);
        *name = NULL;
        errno = problem;
    }
    return descriptor;
}

int output_code(int status)
{
    switch (status) {
    case HILL_OK:
        return CODE_GOOD;
    case HILL_EARGUMENT:
    case HILL_ERECIPE:
    case HILL_EISA:
        return CODE_USAGE;
    case HILL_EDATA:
    case HILL_EMODEL:
        return CODE_DATA;
    case HILL_EINPUT:
    case HILL_EPART:
        return CODE_INPUT;
    case HILL_ECREATE:
        return CODE_CREATE;
    case HILL_EIO:
        return CODE_IO;
    default:
        return CODE_FAILED;
    }
}

int output_problem(int problem, int otherwise)
{
    return problem == ENOMEM ? CODE_FAILED : otherwise;
}

int output_error(int code, const char *format, ...)
{
    char words[WORDS_MOST];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (length >= 0)
        say_error(words);
    return code;
}

int output_failure(int status, const hill_error *error)
{
    return output_error(output_code(status), "%s", error && error->text[0] ? error->text : hill_status_text(status));
}

bool output_again(int descriptor, short events)
{
    struct pollfd ready = {descriptor, events, 0};
    if (errno == EAGAIN)
        return poll(&ready, 1, -1) >= 0 || errno == EINTR;
    return errno == EINTR;
}

int output_write(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && output_again(descriptor, POLLOUT))
            continue;
        if (written < 0)
            return errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

int output_answer(text *t)
{
    if (t->failed)
        return output_error(CODE_FAILED, "out of memory");
    int problem = output_write(STDOUT_FILENO, text_get(t), t->length);
    text_clear(t);
    if (problem == EPIPE)
        return CODE_PIPE;
    return problem ? output_error(output_problem(problem, CODE_IO), "standard output: %s", strerror(problem)) : 0;
}

void output_say(text *t)
{
    /* Where standard error itself is gone there is nobody left to tell. */
    (void)output_write(STDERR_FILENO, text_get(t), t->failed ? 0 : t->length);
    text_clear(t);
}

bool output_is_terminal(int descriptor)
{
    const char *kind = getenv("TERM");
    return isatty(descriptor) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool output_has_colour(int descriptor)
{
    const char *plain = getenv("NO_COLOR");
    return output_is_terminal(descriptor) && !(plain && *plain);
}

/* By the variables that a C library would look at, in their order. */
bool output_speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8");
    }
    return false;
}

size_t output_width(int descriptor, size_t otherwise)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return otherwise;
    return size.ws_col;
}

size_t output_height(int descriptor, size_t otherwise)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return otherwise;
    return size.ws_row;
}

int output_open(const char *path, int flags)
{
    int descriptor = -1;
    do {
        descriptor = open(path, flags | O_CLOEXEC, 0666);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

int output_sync(int descriptor)
{
    int result = 0;
    do {
        result = fsync(descriptor);
    } while (result != 0 && errno == EINTR);
    return result;
}

int output_create(const char *path, output_file *file)
{
    struct stat facts;
    *file = (output_file){path, NULL, -1};
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode))
        file->descriptor = output_open(path, O_WRONLY);
    else
        file->descriptor = make_temporary(path, &file->temporary);
    if (file->descriptor >= 0)
        return 0;
    return output_error(output_problem(errno, CODE_CREATE), "%s: cannot be created: %s", path, strerror(errno));
}

int output_append(output_file *file, text *t)
{
    int problem = t->failed ? ENOMEM : output_write(file->descriptor, text_get(t), t->length);
    text_clear(t);
    if (!problem)
        return 0;
    return output_error(output_problem(problem, CODE_IO), "%s: cannot be written: %s", file->path, strerror(problem));
}

int output_close(output_file *file)
{
    int problem = 0;
    if (file->temporary) {
        struct stat facts;
        mode_t mask = umask(0);
        (void)umask(mask);
        /* A file replaced keeps its permissions; a new one gets the usual ones, not mkstemp's private ones. */
        mode_t mode = stat(file->path, &facts) == 0 ? facts.st_mode & 0777 : 0666 & ~mask;
        if (fchmod(file->descriptor, mode) != 0 || output_sync(file->descriptor) != 0)
            problem = errno;
    }
    /* After EINTR the file is closed all the same. */
    if (close(file->descriptor) != 0 && errno != EINTR && !problem)
        problem = errno;
    file->descriptor = -1;
    if (!problem && file->temporary && rename(file->temporary, file->path) != 0)
        problem = errno;
    if (problem) {
        output_drop(file);
        return output_error(CODE_IO, "%s: cannot be written: %s", file->path, strerror(problem));
    }
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

void output_drop(output_file *file)
{
    if (file->descriptor >= 0)
        (void)close(file->descriptor);
    if (file->temporary)
        (void)unlink(file->temporary);
    free(file->temporary);
    *file = (output_file){file->path, NULL, -1};
}

int output_probe(const char *path)
{
    int descriptor = output_open(path, O_WRONLY | O_CREAT | O_EXCL);
    if (descriptor < 0)
        return errno;
    (void)unlink(path);
    (void)close(descriptor);
    return 0;
}

bool output_same_file(const char *a, const char *b)
{
    struct stat first, second;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}
