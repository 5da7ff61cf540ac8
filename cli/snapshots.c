/*
 * snapshots.c - states of a descent that are kept to look at it later: a model file for some epochs, in a folder beside the log.
 *
 * Invariant: which epochs follows from the length of the run alone, and what a file holds from the descent alone, so that a run that
 * was killed and gone on with leaves the same files. Of what else lies in the folder nothing is touched.
 */
#define _POSIX_C_SOURCE 200809L

#include "snapshots.h"

#include "output.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BEGIN "epoch-"
#define NAME_END ".safetensors"
#define NAME_DIGITS 6
#define MOST 1000000

void snapshots_folder(text *out, const char *log)
{
    text_bytes(out, log, trace_stem(log));
    text_string(out, ".snapshots");
}

void snapshots_file(text *out, const char *folder, uint64_t epoch)
{
    text_format(out, "%s/" NAME_BEGIN "%0*llu" NAME_END, folder, NAME_DIGITS, (unsigned long long)epoch);
}

/* The same for a file that was being written; *rest is what stands behind the name. */
static bool read_name(const char *name, uint64_t *epoch, const char **rest)
{
    if (strncmp(name, NAME_BEGIN, strlen(NAME_BEGIN)) != 0)
        return false;
    const char *number = name + strlen(NAME_BEGIN);
    size_t digits = strspn(number, "0123456789");
    if (digits < NAME_DIGITS || digits > 19 || strncmp(number + digits, NAME_END, strlen(NAME_END)) != 0)
        return false;
    *epoch = strtoull(number, NULL, 10);
    *rest = number + digits + strlen(NAME_END);
    return true;
}

bool snapshots_epoch(const char *name, uint64_t *epoch)
{
    const char *rest;
    return read_name(name, epoch, &rest) && *rest == '\0';
}

static int read_count(snapshots *s, const char *value)
{
    unsigned long long number = value ? strtoull(value, NULL, 10) : 0;
    if (value && (*value == '\0' || strlen(value) > 7 || value[strspn(value, "0123456789")] || number > MOST))
        return output_error(CODE_USAGE, "--snapshots %s: a number of epochs is needed, 0 to %d, as 100", value, MOST);
    s->most = number;
    return 0;
}

/* Whether the folder is there and can be written to, or can be made. */
static int check_folder(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode))
        return output_error(CODE_CREATE, "%s: is no folder, so the snapshots can't go there; take another --log", path);
    int problem = access(path, W_OK | X_OK) == 0 ? 0 : errno;
    if (problem == ENOENT) {
        problem = mkdir(path, 0777) == 0 ? 0 : errno;
        if (!problem)
            (void)rmdir(path); /* it is made once there is something to put into it */
    }
    if (!problem)
        return 0;
    return output_error(output_problem(problem, CODE_CREATE), "%s: cannot be created: %s", path, strerror(problem));
}

/* Start weights from among the snapshots that the new run takes away would be gone with them. */
static bool is_among(const char *folder, const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    uint64_t epoch;
    text of_file = TEXT_INIT;
    if (!slash || !snapshots_epoch(slash + 1, &epoch))
        return false;
    text_bytes(&of_file, file, (size_t)(slash - file));
    bool same = output_same_file(folder, text_get(&of_file));
    text_free(&of_file);
    return same;
}

int snapshots_check(snapshots *s, const arguments *a, const char *out)
{
    struct stat facts;
    const char *log = a->values[OPTION_LOG], *start = a->values[OPTION_START];
    int code = read_count(s, a->values[OPTION_SNAPSHOTS]);
    if (code)
        return code;
    if (s->most && !log)
        return output_error(CODE_USAGE, "--snapshots: they go into a folder beside the log; --log RUN.jsonl says where");
    if (!log)
        return 0;
    bool plain = stat(log, &facts) != 0 || S_ISREG(facts.st_mode);
    if (s->most && !plain)
        return output_error(CODE_USAGE, "--snapshots: they go into a folder beside the log, and %s is no plain file", log);
    if (plain)
        snapshots_folder(&s->folder, log);
    if (s->folder.failed)
        return output_failure(HILL_EMEMORY, NULL);
    if (s->most && output_same_file(text_get(&s->folder), out))
        return output_error(CODE_USAGE, "--out %s: is where the snapshots go; take another name", out);
    if (plain && is_among(text_get(&s->folder), start))
        return output_error(CODE_USAGE,
                            "--start %s: is a snapshot of the run in %s, which this one would replace; take another --log",
                            start, log);
    return s->most ? check_folder(text_get(&s->folder)) : 0;
}

/* Takes away the snapshots of steps behind `step`, and where `all` is said those before it, too; and what a kill left half written. */
static void sweep(const snapshots *s, uint64_t step, bool all)
{
    text path = TEXT_INIT;
    DIR *list = opendir(text_get(&s->folder));
    const struct dirent *entry;
    while (list && (entry = readdir(list)) != NULL) {
        uint64_t epoch;
        const char *rest;
        if (!read_name(entry->d_name, &epoch, &rest))
            continue;
        bool torn = strncmp(rest, ".tmp", 4) == 0 && rest[4] && rest[4 + strspn(rest + 4, "0123456789")] == '\0';
        bool stale = *rest == '\0' && (all || epoch > step / s->epoch_steps);
        if (!torn && !stale)
            continue;
        text_clear(&path);
        text_format(&path, "%s/%s", text_get(&s->folder), entry->d_name);
        if (!path.failed)
            (void)unlink(text_get(&path));
    }
    if (list)
        (void)closedir(list);
    text_free(&path);
}

static void schedule(snapshots *s, uint64_t step)
{
    s->due_step = UINT64_MAX;
    if (!s->most || step >= s->total)
        return;
    uint64_t rest = s->every - step % s->every;
    s->due_step = s->total - step < rest ? s->total : step + rest;
}

int snapshots_begin(snapshots *s, hill_session *session)
{
    unsigned ways_back;
    const hill_run *run = hill_session_run(session);
    uint64_t step = hill_run_steps(run, &ways_back), epochs;
    const char *folder = text_get(&s->folder);
    bool anew = step == 0 && ways_back == 0;
    s->session = session;
    s->total = hill_run_total_steps(run);
    s->epoch_steps = hill_run_epoch_steps(run) ? hill_run_epoch_steps(run) : 1;
    epochs = s->total / s->epoch_steps;
    if (s->most)
        s->every = (epochs / s->most + (epochs % s->most != 0)) * s->epoch_steps;
    schedule(s, step);
    if (s->most && anew)
        s->due_step = 0;
    if (*folder)
        sweep(s, step, anew);
    if (s->most && mkdir(folder, 0777) != 0 && errno != EEXIST)
        return output_error(output_problem(errno, CODE_CREATE), "%s: cannot be created: %s", folder, strerror(errno));
    return 0;
}

bool snapshots_take(snapshots *s, uint64_t step, hill_error *error)
{
    text path = TEXT_INIT;
    snapshots_file(&path, text_get(&s->folder), step / s->epoch_steps);
    int status = path.failed ? HILL_EMEMORY : hill_session_save(s->session, text_get(&path), error);
    bool first = status != HILL_OK && !s->failed;
    s->failed = s->failed || status != HILL_OK;
    schedule(s, step);
    text_free(&path);
    return !first;
}

void snapshots_back(snapshots *s, uint64_t step)
{
    if (!s->most)
        return;
    sweep(s, step, false);
    schedule(s, step);
}

bool snapshots_end(snapshots *s, uint64_t step, hill_error *error)
{
    text path = TEXT_INIT;
    if (!s->most)
        return true;
    snapshots_file(&path, text_get(&s->folder), step / s->epoch_steps);
    bool there = !path.failed && access(text_get(&path), F_OK) == 0;
    text_free(&path);
    return there || snapshots_take(s, step, error);
}

void snapshots_free(snapshots *s)
{
    text_free(&s->folder);
}
