/*
 * cmd_race.c - rules against each other: reads which ones, checks and opens everything, runs one after another, tells.
 *
 * Invariant: every racer sees the same rows in the same order from the same start weights; only rule and rate differ. Whatever can
 * be wrong with flags and files is found before the first step.
 */
#define _POSIX_C_SOURCE 200809L

#include "input.h"
#include "output.h"
#include "place.h"
#include "race.h"
#include "range.h"
#include "report.h"
#include "stop.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RACERS_MOST 64

/* Knobs left at auto that a rule might have a say in: all racers take what the first session chose. */
static const char *const shared_knobs[] = {"net", "cost", "init", "batch", "epochs", "grow", "schedule", "patience"};

static bool is_rule(const char *word)
{
    const hill_word *rule;
    for (size_t i = 0; (rule = hill_words(HILL_WORDS_RULE, i)) != NULL; i++)
        if (strcmp(rule->name, word) == 0)
            return true;
    return false;
}

static int unknown_rule(const char *word)
{
    text names = TEXT_INIT;
    const hill_word *rule;
    const char *nearest = hill_nearest(HILL_WORDS_RULE, word);
    for (size_t i = 0; (rule = hill_words(HILL_WORDS_RULE, i)) != NULL; i++)
        text_format(&names, "%s%s", i ? ", " : "", rule->name);
    int code = nearest ? output_error(CODE_USAGE, "--rules: there is no rule '%s'; did you mean '%s'?", word, nearest)
                       : output_error(CODE_USAGE, "--rules: there is no rule '%s'; there are %s", word, text_get(&names));
    text_free(&names);
    return code;
}

/* Whether the rate is one is seen when the racer's recipe is made. */
static int add_racer(race *g, const char *rule, const char *rate)
{
    if (!is_rule(rule))
        return unknown_rule(rule);
    racer *r = &g->racers[g->count];
    if (g->count == RACERS_MOST || strlen(rule) >= sizeof r->rule || strlen(rate) >= sizeof r->rate)
        return output_error(CODE_USAGE, "--rules: at most %d racers, and rates of at most 31 characters", RACERS_MOST);
    *r = (racer){.train = HILL_METRICS_INIT, .valid = HILL_METRICS_INIT};
    memcpy(r->rule, rule, strlen(rule) + 1);
    memcpy(r->rate, rate, strlen(rate) + 1);
    text_format(&r->name, "%s%s%s", rule, *rate ? " " : "", rate);
    text_format(&r->stem, "%s%s%s", rule, *rate ? "-" : "", rate);
    g->count++;
    if (r->name.failed || r->stem.failed)
        return output_failure(HILL_EMEMORY, NULL);
    for (size_t i = 0; i + 1 < g->count; i++)
        if (strcmp(text_get(&g->racers[i].name), text_get(&r->name)) == 0)
            return output_error(CODE_USAGE, "--rules: %s stands there twice", text_get(&r->name));
    return 0;
}

/* "sgd 0.5" or "adam", one item of the list, which is cut up. */
static int take_item(race *g, char *item)
{
    char *words[2] = {NULL, NULL};
    size_t count = 0;
    for (char *word = strtok(item, " "); word; word = strtok(NULL, " ")) {
        if (count == 2)
            return output_error(CODE_USAGE, "--rules: '%s %s %s ...': a rule, and at most a rate behind it, between commas",
                                words[0], words[1], word);
        words[count++] = word;
    }
    if (count == 0)
        return output_error(CODE_USAGE, "--rules: nothing stands between two commas; a rule is needed, as in 'sgd 0.1, adam'");
    return add_racer(g, words[0], words[1] ? words[1] : "");
}

static int list_racers(race *g)
{
    const char *list = g->base.a->values[OPTION_RULES];
    const hill_word *rule;
    int code = 0;
    g->racers = calloc(RACERS_MOST, sizeof *g->racers);
    if (!g->racers)
        return output_failure(HILL_EMEMORY, NULL);
    for (size_t i = 0; !list && code == 0 && (rule = hill_words(HILL_WORDS_RULE, i)) != NULL; i++)
        code = add_racer(g, rule->name, "");
    g->chosen = list != NULL;
    while (list && code == 0) {
        text item = TEXT_INIT;
        size_t length = strcspn(list, ",");
        text_bytes(&item, list, length);
        code = item.failed ? output_failure(HILL_EMEMORY, NULL) : take_item(g, item.data);
        text_free(&item);
        list = list[length] ? list + length + 1 : NULL;
    }
    return code;
}

static int read_flags(race *g)
{
    const arguments *a = g->base.a;
    const char *to = a->values[OPTION_TO];
    char *end = NULL;
    for (size_t i = 0; i < a->setting_count; i++)
        if (strcmp(a->settings[i].knob, "rule") == 0)
            return output_error(CODE_USAGE, "--rule: a race is between several; --rules LIST names them");
    if (to) {
        g->target = strtod(to, &end);
        g->told = true;
        if (end == to || *end || !isfinite(g->target))
            return output_error(CODE_USAGE, "--to %s: a cost is needed, as 0.01", to);
    }
    g->afresh = a->values[OPTION_FRESH] != NULL;
    int code = checkpoint_every(&g->base.checkpoints, a->values[OPTION_CHECKPOINT_EVERY]);
    if (code == 0)
        code = options_host(a, &g->base.host);
    return code == 0 ? list_racers(g) : code;
}

static int choose_folder(race *g)
{
    struct stat facts;
    const char *out = g->base.a->values[OPTION_OUT];
    if (out)
        text_string(&g->folder, out);
    else
        place_stem(&g->folder, g->base.data);
    if (!out)
        text_string(&g->folder, ".race");
    while (g->folder.length > 1 && g->folder.data[g->folder.length - 1] == '/')
        g->folder.data[--g->folder.length] = '\0';
    if (g->folder.failed)
        return output_failure(HILL_EMEMORY, NULL);
    const char *path = text_get(&g->folder);
    if (stat(path, &facts) == 0)
        return S_ISDIR(facts.st_mode)
                   ? race_load(g)
                   : output_error(CODE_CREATE, "%s: is no folder; --out FOLDER says where the race goes", path);
    int problem = errno == ENOENT && mkdir(path, 0777) == 0 ? 0 : errno;
    if (!problem)
        (void)rmdir(path); /* it is made once there is something to put into it */
    return problem ? output_error(output_problem(problem, CODE_CREATE), "%s: cannot be created: %s", path, strerror(problem))
                   : 0;
}

/* Rules that are named decide what rows a step looks at, where nobody else does: all, if one of them needs to see all. */
static int choose_batch(race *g)
{
    hill_error error = HILL_ERROR_INIT;
    bool all = false;
    for (size_t i = 0; i < g->count; i++)
        all = all || hill_rule_takes_all(g->racers[i].rule) == 1;
    if (!g->chosen || !all || strcmp(hill_recipe_get(g->base.recipe, "batch"), "auto") != 0)
        return 0;
    int status = hill_recipe_set(g->base.recipe, "batch", "full", &error);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

/* The session that says what all have in common. Its rate counts for nothing, and isn't told. */
static int make_base(race *g)
{
    hill_error error = HILL_ERROR_INIT;
    training *t = &g->base;
    text asked = TEXT_INIT;
    int status = hill_recipe_is_set(t->recipe, "patience") ? HILL_OK : hill_recipe_set(t->recipe, "patience", "0", &error);
    const char *recipe = hill_recipe_text(t->recipe);
    text_string(&asked, recipe ? recipe : "");
    if (status == HILL_OK)
        status = recipe && !asked.failed ? hill_recipe_new(&t->host, &g->common, &error) : HILL_EMEMORY;
    if (status == HILL_OK)
        status = hill_recipe_parse(g->common, text_get(&asked), asked.length, NULL, &error);
    text_free(&asked);
    if (status == HILL_OK)
        status = hill_recipe_set(t->recipe, "rate", "1", &error);
    int code = status == HILL_OK ? train_session(t) : output_failure(status, &error);
    for (size_t i = 0; i < sizeof shared_knobs / sizeof *shared_knobs && code == 0; i++) {
        const char *taken = hill_recipe_get(hill_session_recipe(t->session), shared_knobs[i]);
        if (strcmp(taken, "auto") == 0)
            continue;
        status = hill_recipe_set(g->common, shared_knobs[i], taken, &error);
        code = status == HILL_OK ? 0 : output_failure(status, &error);
    }
    return code;
}

static int introduce(race *g)
{
    int code = train_refuse_guesses(&g->base);
    if (code == 0)
        code = train_introduce(&g->base);
    /* The metrics say whether there are validation rows; no more is wanted of the session. */
    hill_error error = HILL_ERROR_INIT;
    hill_model *model = NULL;
    hill_metrics metrics = HILL_METRICS_INIT;
    int status = code == 0 ? hill_session_finish(g->base.session, &model, &error) : HILL_OK;
    if (model)
        status = hill_session_metrics(g->base.session, model, HILL_WHICH_VALID, &metrics, &error);
    g->by_valid = metrics.rows > 0;
    g->whole = hill_run_epoch_steps(g->base.run) == 1;
    hill_model_free(model);
    hill_session_free(g->base.session);
    g->base.session = NULL;
    return status == HILL_OK ? code : output_failure(status, &error);
}

static void drop(race *g, size_t i)
{
    racer *r = &g->racers[i];
    text_free(&r->name);
    text_free(&r->stem);
    memmove(r, r + 1, (g->count - i - 1) * sizeof *r);
    g->count--;
}

/* A race of all rules is one of those that are at home with its batches. */
static int drop_strangers(race *g)
{
    text words = TEXT_INIT;
    for (size_t i = 0; i < g->count;) {
        if (g->chosen || g->whole || hill_rule_takes_all(g->racers[i].rule) != 1) {
            i++;
            continue;
        }
        text_format(&words, "%s%s",
                    words.length ? ", " : "left out, for they want to see all rows (--batch full): ", g->racers[i].rule);
        drop(g, i);
    }
    if (words.length)
        race_say(&g->base, "note", &words);
    text_free(&words);
    return 0;
}

/* A rule that cannot run with this net, cost or batch is left out of a race of all, and must not be named. */
static int leave_out(race *g, size_t i, const hill_error *error)
{
    const char *name = text_get(&g->racers[i].name);
    text words = TEXT_INIT;
    if (g->chosen)
        return output_error(CODE_USAGE, "--rules: %s: %s", name, error->text);
    text_format(&words, "%s is left out: %s", name, error->text);
    race_say(&g->base, "note", &words);
    text_free(&words);
    drop(g, i);
    return 0;
}

static int check_files(const race *g, const racer *r)
{
    text path = TEXT_INIT;
    int code = 0;
    if (input_is_folder(text_get(&g->folder))) {
        code = race_path(g, r, ".safetensors", &path);
        if (code == 0)
            code = place_check(text_get(&path), &g->base.host);
        if (code == 0)
            code = race_path(g, r, ".jsonl", &path);
        if (code == 0)
            code = trace_check(text_get(&path));
    }
    text_free(&path);
    return code;
}

/* The rate range test for a racer without a rate of its own; where it suggests none, the rule's own rate stays. */
static int find_rate(race *g, racer *r)
{
    hill_error error = HILL_ERROR_INIT;
    training t = race_lend(g);
    range found = {0};
    int status = race_recipe(g, r, &t, &error);
    int code = status == HILL_OK ? range_prepare(t.recipe) : output_failure(status, &error);
    if (code == 0)
        code = train_session(&t);
    if (code == 0)
        code = range_test(&t, t.session, &found);
    if (code == 0) {
        text words = TEXT_INIT;
        if (found.suggestion > 0)
            (void)snprintf(r->rate, sizeof r->rate, "%g", found.suggestion);
        text_format(&words, "%s%s%s: %s", r->rule, *r->rate ? " " : "", r->rate, text_get(&found.why));
        race_say(&t, "found", &words);
        text_free(&words);
    }
    range_free(&found);
    race_return(&t);
    return code;
}

/* Makes the racer's session once: whether it can be made, and what it is known by. A status. */
static int try_session(race *g, racer *r, hill_error *error)
{
    training t = race_lend(g);
    progress_wait(&t.progress, "preparing", text_get(&r->name));
    int status = race_session(g, r, &t, error);
    race_return(&t);
    return status;
}

static int meet(race *g)
{
    bool find = g->base.a->values[OPTION_FIND_RATES] != NULL;
    int code = 0;
    for (size_t i = 0; i < g->count && code == 0;) {
        hill_error error = HILL_ERROR_INIT;
        racer *r = &g->racers[i];
        int status = try_session(g, r, &error);
        if (status == HILL_ERECIPE) {
            code = leave_out(g, i, &error);
            continue;
        }
        if (status == HILL_OK && find && !r->rate[0] && hill_rule_takes_all(r->rule) == 0) {
            code = find_rate(g, r);
            status = code == 0 ? try_session(g, r, &error) : HILL_OK;
        }
        if (status != HILL_OK)
            code = output_failure(status, &error);
        if (code == 0)
            code = check_files(g, r);
        if (code == 0)
            code = race_recall(g, r);
        i++;
    }
    return code;
}

static int run_all(race *g)
{
    const char *folder = text_get(&g->folder);
    size_t before = 0;
    int code = 0;
    if (g->count == 0)
        return output_error(CODE_USAGE, "race: no rule can run with these flags");
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return output_error(output_problem(errno, CODE_CREATE), "%s: cannot be created: %s", folder, strerror(errno));
    for (size_t i = 0; i < g->count; i++)
        before += g->racers[i].done;
    if (before) {
        text words = TEXT_INIT;
        text_format(&words, "%zu of %zu were finished before, in %s; --fresh runs them again", before, g->count, folder);
        race_say(&g->base, "race", &words);
        text_free(&words);
    }
    for (size_t i = 0; i < g->count && code == 0; i++) {
        if (!g->racers[i].done)
            code = race_run(g, &g->racers[i], i + 1);
        if (code == 0)
            code = race_read_points(g, &g->racers[i]);
    }
    return code;
}

static void race_free(race *g)
{
    for (size_t i = 0; i < g->count; i++) {
        text_free(&g->racers[i].name);
        text_free(&g->racers[i].stem);
        free(g->racers[i].points);
    }
    free(g->racers);
    hill_recipe_free(g->common);
    text_free(&g->folder);
    text_free(&g->finished);
    train_free(&g->base);
}

static int read_recipe(race *g)
{
    return train_read_recipe(&g->base);
}

static int open_tables(race *g)
{
    return train_open_tables(&g->base);
}

int cmd_race(const arguments *a)
{
    static int (*const phases[])(race *) = {read_flags, read_recipe,    choose_batch, choose_folder, open_tables, make_base,
                                            introduce,  drop_strangers, meet,         run_all,       race_answer};
    race g = {.base = train_make(a)};
    g.base.untested = true;
    stop_endure();
    int code = train_standard_inputs(a);
    for (size_t i = 0; i < sizeof phases / sizeof *phases && code == 0; i++)
        code = phases[i](&g);
    race_free(&g);
    return code;
}
