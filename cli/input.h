/*
 * input.h - files that come in: data from a path or standard input, recipes.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "options.h"
#include "text.h"

#include <sys/stat.h>

/* How to read data: what the recipe was told (a model's stands for its training), under what the flags say. */
int input_options(const arguments *a, const hill_recipe *recipe, hill_table_options *out);

/* Opens data; "-" is CSV on standard input. Returns 0 or an exit code after saying what is wrong. */
int input_open(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out);

/* The same, but of a directory or an NPZ the test part where there is one. */
int input_open_test(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out);

/* A verb's MODEL and DATA: the model, what it is, and rows to hold it to. Returns 0 or an exit code; what was opened is the caller's. */
int input_open_both(const arguments *a, hill_model **model, hill_model_facts *facts, hill_table **table);

/* The test part of a directory or an NPZ; *out is NULL where there is none. */
int input_open_twin(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out);

/* A recipe's text. Returns 0 or an exit code after saying what is wrong. */
int input_read(const char *path, text *out);

bool input_is_folder(const char *path);

/* Whether a file is as it was, by what the system keeps of it. */
bool input_unchanged(const struct stat *then, const struct stat *now);

/* True for a file with content of its own: no folder, device or pipe. */
bool input_is_plain(const char *path);

/* Appends what can still be read from a descriptor, and of more than `most` bytes a little more. Returns 0 or an errno. */
int input_rest(int descriptor, size_t most, text *out);

/* The first bytes of a file; `closed` is the exit code where it can't be opened. Returns 0 or an exit code after saying why. */
int input_head(const char *path, int closed, char *head, size_t size, size_t *length);

/* Whether the file begins like a safetensors file. Returns 0 or an exit code, as input_head. */
int input_is_model(const char *path, bool *model);

#endif
