/*
 * checkpoint.c - the state of a descent on disk: two files that are written in turn, and the way back from them.
 *
 * Invariant: once one was written, there is a whole one at every moment until the model is safe. Which one is the latest is found
 * by reading them, never by a name or a date.
 */
#define _POSIX_C_SOURCE 200809L

#include "checkpoint.h"

#include "output.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVERY_DEFAULT "30s"
#define NOT_THERE 1 /* no hill_status */

int checkpoint_every(checkpoints *c, const char *value)
{
    const char *every = value ? value : EVERY_DEFAULT;
    char *end = NULL;
    size_t digits = strspn(every, "0123456789.");
    double number = strtod(every, &end);
    bool seconds = strcmp(every + digits, "s") == 0;
    if (digits == 0 || end != every + digits || (*end && !seconds) || number > 1e9 || (!seconds && number != floor(number)))
        return output_error(
            CODE_USAGE, "--checkpoint-every %s: a number of steps is needed, as 50, or of seconds, as 30s; 0 for none", every);
    c->off = number == 0;
    c->steps = seconds ? 0 : (uint64_t)number;
    c->seconds = seconds ? number : 0;
    return 0;
}

/* True for "BASE.tmpN" and, of a checkpoint, "BASE.<key>.ckpt-N.tmpN": files that a killed process was writing. */
static bool is_left_over(const char *name, const char *base, const char *key)
{
    size_t length = strlen(base), key_length = strlen(key);
    if (strncmp(name, base, length) != 0)
        return false;
    name += length;
    if (name[0] == '.' && strncmp(name + 1, key, key_length) == 0 && strncmp(name + 1 + key_length, ".ckpt-", 6) == 0) {
        name += 1 + key_length + 6;
        name += *name == '1' || *name == '2';
    }
    return strncmp(name, ".tmp", 4) == 0 && name[4] && name[4 + strspn(name + 4, "0123456789")] == '\0';
}

static void sweep(const checkpoints *c)
{
    const char *path = text_get(&c->out), *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *key = hill_session_key(c->session);
    text folder = TEXT_INIT, name = TEXT_INIT;
    text_bytes(&folder, path, (size_t)(base - path));
    DIR *list = folder.failed ? NULL : opendir(folder.length ? text_get(&folder) : ".");
    const struct dirent *entry;
    while (list && (entry = readdir(list)) != NULL) {
        if (!is_left_over(entry->d_name, base, key))
            continue;
        text_clear(&name);
        text_string(&name, text_get(&folder));
        text_string(&name, entry->d_name);
        /* What can't be taken away is in nobody's way. */
        if (!name.failed)
            (void)unlink(text_get(&name));
    }
    if (list)
        (void)closedir(list);
    text_free(&name);
    text_free(&folder);
}

int checkpoint_begin(checkpoints *c, hill_session *session, const char *out)
{
    struct stat facts;
    c->session = session;
    c->newest = -1;
    text_string(&c->out, out);
    for (int i = 0; i < 2; i++) {
        text_clear(&c->names[i]);
        text_format(&c->names[i], "%s.%s.ckpt-%d", out, hill_session_key(session), i + 1);
    }
    if (c->out.failed || c->names[0].failed || c->names[1].failed)
        return output_failure(HILL_EMEMORY, NULL);
    if (stat(out, &facts) == 0 && !S_ISREG(facts.st_mode))
        c->off = true;
    else
        sweep(c);
    return 0;
}

/* How far a run is; ways back count first, for every one begins a new stretch of steps. */
typedef struct position {
    unsigned ways_back;
    uint64_t step;
} position;

static position position_of(const checkpoints *c)
{
    position here = {0, 0};
    here.step = hill_run_steps(hill_session_run(c->session), &here.ways_back);
    return here;
}

static bool is_after(position a, position b)
{
    return a.ways_back != b.ways_back ? a.ways_back > b.ways_back : a.step > b.step;
}

static void say(const char *label, const char *words)
{
    text out = TEXT_INIT;
    report_line(&out, STDERR_FILENO, label, words);
    output_say(&out);
    text_free(&out);
}

/* Goes on from the i-th file: a status, or NOT_THERE, as under a name that no file can have. */
static int try_one(checkpoints *c, int i, hill_error *error)
{
    struct stat facts;
    const char *name = text_get(&c->names[i]);
    if (stat(name, &facts) != 0 && (errno == ENOENT || errno == ENAMETOOLONG))
        return NOT_THERE;
    return hill_session_resume(c->session, name, error);
}

/* What is wrong with a file that is there is said, for the run would be silently behind. */
static void say_passed_over(const hill_error *error)
{
    text words = TEXT_INIT;
    text_format(&words, "passed over: %s", error->text);
    say("note", text_get(&words));
    text_free(&words);
}

/* A file that couldn't be read may be as good as ever: no reason to begin anew, and to write over it. */
static int take_newest(checkpoints *c)
{
    hill_error errors[2] = {HILL_ERROR_INIT, HILL_ERROR_INIT};
    position at[2] = {{0, 0}, {0, 0}};
    int status[2];
    for (int i = 0; i < 2; i++) {
        status[i] = try_one(c, i, &errors[i]);
        if (status[i] == HILL_OK)
            at[i] = position_of(c);
    }
    bool both = status[0] == HILL_OK && status[1] == HILL_OK;
    if (both && is_after(at[0], at[1]))
        status[0] = try_one(c, 0, &errors[0]); /* the run is at the other one now, and stays there if this fails */
    c->newest = status[0] == HILL_OK && !(both && is_after(at[1], at[0])) ? 0 : status[1] == HILL_OK ? 1 : -1;
    for (int i = 0; i < 2; i++) {
        if (status[i] == HILL_EMEMORY)
            return output_failure(status[i], &errors[i]);
        if (c->newest < 0 && (status[i] == HILL_EIO || status[i] == HILL_EINPUT))
            return output_error(output_code(status[i]), "%s; --fresh begins anew", errors[i].text);
        if (status[i] < 0)
            say_passed_over(&errors[i]);
    }
    if (c->newest < 0 && (status[0] < 0 || status[1] < 0))
        say("note", "no checkpoint can be gone on from: the descent begins anew");
    return 0;
}

int checkpoint_resume(checkpoints *c, const char *file, const char **from)
{
    hill_error error = HILL_ERROR_INIT;
    *from = NULL;
    if (file) {
        int status = hill_session_resume(c->session, file, &error);
        if (status != HILL_OK)
            return output_failure(status, &error);
        for (int i = 0; i < 2; i++)
            if (output_same_file(file, text_get(&c->names[i])))
                c->newest = i;
        *from = file;
        c->fresh = c->newest < 0;
    } else if (!c->fresh) {
        int code = take_newest(c);
        if (code)
            return code;
        if (c->newest >= 0)
            *from = text_get(&c->names[c->newest]);
    }
    c->newest_step = hill_run_steps(hill_session_run(c->session), NULL);
    c->next = c->newest == 0;
    return 0;
}

void checkpoint_schedule(checkpoints *c, uint64_t step, double now)
{
    bool by_steps = !c->off && c->steps > 0;
    c->due_step = by_steps ? step - step % c->steps + c->steps : UINT64_MAX;
    c->due = c->off || by_steps ? INFINITY : now + c->seconds;
}

bool checkpoint_stands(const checkpoints *c)
{
    struct stat facts;
    return c->newest >= 0 && stat(text_get(&c->names[c->newest]), &facts) == 0;
}

/* The state that stays, for a message. */
static void add_standing(const checkpoints *c, text *words)
{
    if (!checkpoint_stands(c))
        return;
    text_format(words, "; %s, of step ", text_get(&c->names[c->newest]));
    text_count(words, c->newest_step);
    text_string(words, ", is intact");
}

static void clear_screen(const checkpoints *c)
{
    if (c->progress)
        progress_clear(c->progress);
}

static void say_failure(checkpoints *c, const char *reason)
{
    text words = TEXT_INIT;
    if (c->failing)
        return;
    c->failing = true;
    text_format(&words, "no checkpoint: %s; the descent goes on and will try again", reason);
    add_standing(c, &words);
    clear_screen(c);
    say("warning", text_get(&words));
    text_free(&words);
}

static void say_recovery(checkpoints *c)
{
    text words = TEXT_INIT;
    c->failing = false;
    text_format(&words, "checkpoints can be written again: %s", text_get(&c->names[c->newest]));
    clear_screen(c);
    say("note", text_get(&words));
    text_free(&words);
}

bool checkpoint_save(checkpoints *c, double now)
{
    hill_error error = HILL_ERROR_INIT;
    uint64_t step = hill_run_steps(hill_session_run(c->session), NULL);
    int status = hill_session_save(c->session, text_get(&c->names[c->next]), &error);
    checkpoint_schedule(c, step, now);
    if (status != HILL_OK) {
        say_failure(c, error.text);
        return false;
    }
    c->newest = c->next;
    c->newest_step = step;
    c->next = !c->next;
    if (c->fresh)
        (void)unlink(text_get(&c->names[c->next]));
    c->fresh = false;
    if (c->failing)
        say_recovery(c);
    return true;
}

void checkpoint_remove(checkpoints *c)
{
    for (int i = 0; i < 2; i++)
        (void)unlink(text_get(&c->names[i]));
    sweep(c);
}

void checkpoint_free(checkpoints *c)
{
    text_free(&c->names[0]);
    text_free(&c->names[1]);
    text_free(&c->out);
}
