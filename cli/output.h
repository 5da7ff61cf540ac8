/*
 * output.h - answers to standard output, talk to standard error, files whole or not at all, and the exit codes.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "text.h"

#include <downhill.h>

/* One list; the manual is made from it. */
#define EXIT_MAP(X)                                                                                          \
    X(GOOD, 0, "all went well")                                                                              \
    X(FAILED, 1, "training failed or diverged, or a gradient isn't what the formulas say")                   \
    X(USAGE, 2, "an unknown verb or flag, a knob out of bounds, a recipe that cannot be built")              \
    X(DATA, 65, "something is wrong inside a data or model file, a target column that isn't in it included") \
    X(INPUT, 66, "there is no such input")                                                                   \
    X(CREATE, 73, "the output cannot be created; found before training starts")                              \
    X(IO, 74, "reading or writing failed")                                                                   \
    X(INTERRUPT, 130, "stopped by Ctrl-C (SIGINT)")                                                          \
    X(TERMINATE, 143, "stopped by SIGTERM")

typedef enum exit_code {
#define EXIT_ENUM(name, value, sentence) CODE_##name = (value),
    EXIT_MAP(EXIT_ENUM)
#undef EXIT_ENUM
} exit_code;

/* The exit code that a status of the library stands for. */
int output_code(int status);

/* The exit code that an errno stands for: `otherwise`, unless memory ran out. */
int output_problem(int problem, int otherwise);

/* "downhill: " and the words, on standard error, at most three lines. Returns `code`. */
int output_error(int code, const char *format, ...) CLI_PRINTF(2, 3);

/* The same for an error of the library; returns its exit code. */
int output_failure(int status, const hill_error *error);

/*
 * After a read or write that failed: whether to call again, because a signal came, or because another program that shares the
 * pipe or terminal has set it not to block; then this waits until it is ready for `events`, POLLIN or POLLOUT.
 */
bool output_again(int descriptor, short events);

/* Writes all bytes to a descriptor: 0 or an errno. */
int output_write(int descriptor, const char *bytes, size_t length);

/*
 * Writes text to standard output (error) and empties it. Returns 0, or an exit code after saying why; a reader of a pipe that
 * has gone away (`| head -1`) is CODE_PIPE: nothing more is wanted, and nothing is wrong.
 */
#define CODE_PIPE (-1)
int output_answer(text *t);
void output_say(text *t);

/* open(), gone on with where a signal interrupts it; a file that it makes has the usual permissions. */
int output_open(const char *path, int flags);

/* fsync(), gone on with likewise. */
int output_sync(int descriptor);

/* Whether a descriptor is a terminal that can redraw a line (TERM isn't "dumb"), and whether colour is welcome there. */
bool output_is_terminal(int descriptor);
bool output_has_colour(int descriptor);

/* Whether terminals are said to show UTF-8. */
bool output_speaks_utf8(void);

/* Columns of the terminal behind the descriptor; `otherwise` where there is none. */
size_t output_width(int descriptor, size_t otherwise);

/* Its rows, likewise. */
size_t output_height(int descriptor, size_t otherwise);

/*
 * A file written whole or not at all: a temporary name beside it, renamed at the end. What is no plain file (a pipe, a device)
 * is written as it comes.
 */
typedef struct output_file {
    const char *path;
    char *temporary; /* NULL: written as it comes */
    int descriptor;
} output_file;

int output_create(const char *path, output_file *file);
int output_append(output_file *file, text *t);
int output_close(output_file *file); /* renames: 0 or an exit code */
void output_drop(output_file *file); /* leaves nothing */

/* 0 if the file can be made, which isn't there before nor after; else an errno. */
int output_probe(const char *path);

/* True if both names are the same file. */
bool output_same_file(const char *a, const char *b);

#endif
