/*
 * main.c - finds the verb and hands the words over.
 *
 * The command is a client of the library like any other: it knows <downhill.h> and nothing inside.
 */
#define _POSIX_C_SOURCE 200809L

#include "help.h"
#include "options.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A descriptor that came closed would be given to the next file opened, and an answer would be written into it. */
static int fill_descriptors(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDONLY) < 0)
            return output_error(CODE_FAILED, "/dev/null: cannot be opened: %s", strerror(errno));
    return 0;
}

int cmd_version(const arguments *a)
{
    text out = TEXT_INIT;
    (void)a;
    text_format(&out, "downhill %s\n", hill_version());
    int code = output_answer(&out);
    text_free(&out);
    return code;
}

/* A flag where a verb should stand. */
static int flag_first(const char *word)
{
    const char *nearest = verb_nearest(word + strspn(word, "-"));
    if (nearest && (strcmp(nearest, "version") == 0 || strcmp(nearest, "help") == 0))
        return output_error(CODE_USAGE, "there is no flag %s; did you mean --%s?", word, nearest);
    return output_error(CODE_USAGE, "%s: a verb comes first; see: downhill help", word);
}

static int run_verb(int count, char **words)
{
    const char *name = words[1];
    arguments a;
    const verb *v = verb_find(name);
    if (!v) {
        const char *nearest = verb_nearest(name);
        return nearest ? output_error(CODE_USAGE, "there is no verb '%s'; did you mean %s?", name, nearest)
                       : output_error(CODE_USAGE, "there is no verb '%s'; see: downhill help", name);
    }
    int code = options_parse(v, count, words, &a);
    if (code == 0)
        code = a.help ? help_verb(v) : v->run(&a);
    options_free(&a);
    return code;
}

int main(int count, char **words)
{
    int code = fill_descriptors();
    if (code)
        return code;
    /* Writing to a pipe that nobody reads, or past a file size limit, shall be an error that is seen, not a sudden death. */
    (void)signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
    (void)signal(SIGXFSZ, SIG_IGN);
#endif
    if (count < 2)
        code = help_short();
    else if (strcmp(words[1], "-h") == 0 || strcmp(words[1], "--help") == 0)
        code = help_all();
    else if (strcmp(words[1], "--version") == 0)
        code = cmd_version(NULL);
    else if (words[1][0] == '-')
        code = flag_first(words[1]);
    else
        code = run_verb(count, words);
    return code == CODE_PIPE ? CODE_GOOD : code;
}
