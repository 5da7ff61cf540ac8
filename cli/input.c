/*
 * input.c - files that come in: data from a path or standard input, recipes.
 *
 * The library guesses a format from the content; only the choice between the two parts of a data set is made here.
 */
#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a recipe: a page is usual, and no key or value is long. */
#define RECIPE_MOST ((size_t)1 << 20)
/* Bytes of a pipe that are read before they are looked at. */
#define PIPE_PIECE ((size_t)1 << 20)

int input_rest(int descriptor, size_t most, text *out)
{
    char block[65536];
    while (out->length <= most) {
        ssize_t length = read(descriptor, block, sizeof block);
        if (length < 0 && output_again(descriptor, POLLIN))
            continue;
        if (length < 0)
            return errno;
        if (length == 0)
            return 0;
        text_bytes(out, block, (size_t)length);
        if (out->failed)
            return ENOMEM;
    }
    return 0;
}

/* Compressed files, arrays and models have bytes near their start that no text has. */
static bool looks_like_text(const text *content)
{
    const char *p = text_get(content);
    for (size_t i = 0; i < content->length && i < 64; i++)
        if ((unsigned char)p[i] < ' ' && !strchr("\t\r\n", p[i] ? p[i] : 1))
            return false;
    return true;
}

/*
 * Standard input to its end. A line of text that goes on for longer than a row may ends it sooner, for a pipe may never end by
 * itself. Returns 0 or an exit code after saying what is wrong.
 */
static int read_standard_input(uint64_t longest, text *content)
{
    size_t line = 0, most;
    do {
        size_t before = content->length;
        most = before + PIPE_PIECE;
        int problem = input_rest(STDIN_FILENO, most, content);
        if (problem)
            return output_error(output_problem(problem, CODE_IO), "standard input: cannot be read: %s", strerror(problem));
        const char *p = text_get(content);
        for (size_t i = before; i < content->length; i++)
            if (p[i] == '\n' || p[i] == '\r')
                line = i + 1;
        if (content->length - line > longest && looks_like_text(content))
            return output_error(CODE_DATA,
                                "standard input: at byte %zu begins a line longer than %llu bytes; --limit-line raises that, "
                                "if this is a table",
                                line, (unsigned long long)longest);
    } while (content->length > most);
    return 0;
}

static int open_standard_input(const hill_table_options *options, const hill_host *host, hill_table **out)
{
    text content = TEXT_INIT;
    hill_error error = HILL_ERROR_INIT;
    if (isatty(STDIN_FILENO)) {
        text hint = TEXT_INIT;
        text_string(&hint, "reading CSV from the keyboard; Ctrl-D ends it\n");
        output_say(&hint);
        text_free(&hint);
    }
    int code = read_standard_input(host->limits.line, &content);
    if (code == 0) {
        const hill_bytes bytes = {text_get(&content), content.length, "standard input"};
        int status = hill_table_parse(&bytes, options, host, out, &error);
        code = status == HILL_OK ? 0 : output_failure(status, &error);
    }
    text_free(&content);
    return code;
}

/* Folders and NPZ files may have two parts. */
static bool may_have_parts(const char *path)
{
    size_t length = strlen(path);
    return input_is_folder(path) || (length > 4 && strcmp(path + length - 4, ".npz") == 0);
}

/* The recipe's word for a knob, NULL where it is unset or "auto". */
static const char *told(const hill_recipe *recipe, const char *knob)
{
    if (!recipe || !hill_recipe_is_set(recipe, knob))
        return NULL;
    const char *value = hill_recipe_get(recipe, knob);
    return value && *value && strcmp(value, "auto") != 0 ? value : NULL;
}

static const char *flagged(const arguments *a, option_id id, const char *otherwise)
{
    const char *value = a->values[id];
    if (!value)
        return otherwise;
    return strcmp(value, "auto") == 0 ? NULL : value;
}

int input_options(const arguments *a, const hill_recipe *recipe, hill_table_options *out)
{
    out->targets = a->values[OPTION_TARGETS];
    out->missing = flagged(a, OPTION_MISSING, told(recipe, "missing"));
    out->categories = told(recipe, "category");
    out->header = flagged(a, OPTION_HEADER, told(recipe, "header"));
    if (out->header && strcmp(out->header, "yes") != 0 && strcmp(out->header, "no") != 0)
        return output_error(CODE_USAGE, "header '%s': must be auto, yes or no", out->header);
    const char *delimiter = flagged(a, OPTION_DELIMITER, told(recipe, "delimiter"));
    return options_delimiter(delimiter ? delimiter : "auto", &out->delimiter);
}

int input_open(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out)
{
    hill_error error = HILL_ERROR_INIT;
    if (strcmp(path, "-") == 0)
        return open_standard_input(options, host, out);
    int status = hill_table_open(path, options, host, out, &error);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

int input_open_test(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out)
{
    int code = input_open_twin(path, options, host, out);
    return code != 0 || *out ? code : input_open(path, options, host, out);
}

int input_open_both(const arguments *a, hill_model **model, hill_model_facts *facts, hill_table **table)
{
    hill_error error = HILL_ERROR_INIT;
    hill_host host = HILL_HOST_INIT;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    int code = options_host(a, &host);
    if (code)
        return code;
    int status = hill_model_open(a->operands[0], &host, model, &error);
    if (status == HILL_OK)
        status = hill_model_info(*model, facts);
    if (status != HILL_OK)
        return output_failure(status, &error);
    code = input_options(a, hill_model_recipe(*model), &options);
    options.like = *model;
    return code ? code : input_open_test(a->operands[1], &options, &host, table);
}

int input_open_twin(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out)
{
    *out = NULL;
    if (!may_have_parts(path))
        return 0;
    hill_error error = HILL_ERROR_INIT;
    hill_table_options test = *options;
    test.part = HILL_PART_TEST;
    int status = hill_table_open(path, &test, host, out, &error);
    return status == HILL_OK || status == HILL_EPART ? 0 : output_failure(status, &error);
}

int input_read(const char *path, text *out)
{
    int descriptor = output_open(path, O_RDONLY);
    if (descriptor < 0)
        return output_error(output_problem(errno, CODE_INPUT), "%s: cannot be opened: %s", path, strerror(errno));
    int problem = input_rest(descriptor, RECIPE_MOST, out);
    (void)close(descriptor);
    if (out->length > RECIPE_MOST)
        return output_error(CODE_USAGE, "%s: is longer than 1 MiB, at byte %zu; a recipe is some key=value lines", path,
                            RECIPE_MOST);
    return problem ? output_error(output_problem(problem, CODE_IO), "%s: cannot be read: %s", path, strerror(problem)) : 0;
}

int input_head(const char *path, int closed, char *head, size_t size, size_t *length)
{
    *length = 0;
    int descriptor = output_open(path, O_RDONLY);
    if (descriptor < 0)
        return output_error(output_problem(errno, closed), "%s: cannot be opened: %s", path, strerror(errno));
    ssize_t got = 1;
    while (got != 0 && *length < size) {
        got = read(descriptor, head + *length, size - *length);
        if (got < 0 && !output_again(descriptor, POLLIN))
            break;
        *length += got > 0 ? (size_t)got : 0;
    }
    int problem = got < 0 ? errno : 0;
    (void)close(descriptor);
    return problem ? output_error(output_problem(problem, CODE_IO), "%s: cannot be read: %s", path, strerror(problem)) : 0;
}

bool input_is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool input_unchanged(const struct stat *then, const struct stat *now)
{
    return then->st_dev == now->st_dev && then->st_ino == now->st_ino && then->st_size == now->st_size &&
           then->st_mtim.tv_sec == now->st_mtim.tv_sec && then->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

bool input_is_plain(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

int input_is_model(const char *path, bool *model)
{
    char head[10];
    size_t length = 0;
    struct stat facts;
    *model = false;
    bool there = stat(path, &facts) == 0;
    if (!there && errno != ENOENT)
        return output_error(output_problem(errno, CODE_INPUT), "%s: cannot be opened: %s", path, strerror(errno));
    if (!there || !S_ISREG(facts.st_mode))
        return 0;
    int code = input_head(path, CODE_INPUT, head, sizeof head, &length);
    /* Eight bytes of header length, of which the last ones are zero in any real file, and then JSON. */
    *model = length == sizeof head && head[6] == 0 && head[7] == 0 && head[8] == '{' && head[9] == '"';
    return code;
}
