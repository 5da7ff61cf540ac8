/*
 * options.h - verbs, their flags, and what a command line said.
 *
 * A flag is a row of its verb's table or a knob of the library: every knob for `train`, the limits for other verbs that read
 * files. Help, the manual, parsing and suggestions read these same tables.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <downhill.h>

typedef enum option_id {
    OPTION_RECIPE,
    OPTION_TARGETS,
    OPTION_VALID,
    OPTION_TEST,
    OPTION_START,
    OPTION_OUT,
    OPTION_LOG,
    OPTION_SNAPSHOTS,
    OPTION_LIVE,
    OPTION_MISSING,
    OPTION_HEADER,
    OPTION_DELIMITER,
    OPTION_THREADS,
    OPTION_ISA,
    OPTION_CHECKPOINT_EVERY,
    OPTION_RESUME,
    OPTION_FRESH,
    OPTION_STRICT,
    OPTION_SVG,
    OPTION_RULES,
    OPTION_TO,
    OPTION_FIND_RATES,
    OPTION_JSON,
    OPTION_MAN,
    OPTION_VIEW,
    OPTION_PORT,
    OPTION_IDS
} option_id;

typedef struct option {
    option_id id;
    const char *name;
    const char *argument; /* how help names the value; NULL: a switch */
    const char *group;
    const char *sentence;
} option;

typedef struct example {
    const char *command;
    const char *sentence;
} example;

struct arguments;

typedef struct verb {
    const char *name;
    const char *operands; /* for the usage line: "MODEL DATA" */
    size_t least, most;   /* how many operands */
    const char *knobs;    /* the group of knobs that are flags, too; "" for every knob, NULL for none */
    const option *options;
    size_t option_count;
    const example *examples;
    size_t example_count;
    const char *sentence;   /* what it does, in one line */
    const char *paragraphs; /* more about it, paragraphs apart by a newline */
    int (*run)(const struct arguments *arguments);
} verb;

typedef struct setting {
    const char *knob;
    const char *value;
} setting;

#define OPERANDS_MOST 8

typedef struct arguments {
    const char *program; /* what the command was called by */
    int word_count;
    char **words; /* all behind the verb */
    const verb *verb;
    const char *operands[OPERANDS_MOST];
    size_t operand_count;
    const char *values[OPTION_IDS]; /* NULL: not given; "" for a switch that was */
    setting *settings;              /* knobs in the order given: a later one beats an earlier one */
    size_t setting_count;
    bool help;
} arguments;

/* The verbs, in the order of help; *count gets how many. */
const verb *verbs(size_t *count);
const verb *verb_find(const char *name);

/* The verb that `name` most likely meant, or NULL. */
const char *verb_nearest(const char *name);

/*
 * Keeps `name` as *best where it is nearer to `word` than what *least says, and near enough to be what was meant. *least
 * begins as OPTIONS_FAR.
 */
#define OPTIONS_FAR 3
void options_nearer(const char *word, const char *name, const char **best, size_t *least);

/* True if the knob is a flag of the verb. */
bool verb_takes(const verb *v, const hill_knob *knob);

/* Reads words[2] and all after it; words[0] is the program and words[1] the verb. Returns 0 or an exit code after saying why. */
int options_parse(const verb *v, int count, char **words, arguments *out);
void options_free(arguments *a);

/* The knobs that were given, put into a recipe; "valid" isn't one of them (see OPTION_VALID). */
int options_apply(const arguments *a, hill_recipe *recipe);

/* --threads (default: every core), --isa and, where they are the verb's only knobs, the limits. */
int options_host(const arguments *a, hill_host *host);

/* ',' for "auto" 0, '\t' for "tab", ...; an exit code after saying so where it is no delimiter. */
int options_delimiter(const char *word, char *out);

int cmd_train(const arguments *a);
int cmd_find_rate(const arguments *a);
int cmd_race(const arguments *a);
int cmd_eval(const arguments *a);
int cmd_predict(const arguments *a);
int cmd_info(const arguments *a);
int cmd_check(const arguments *a);
int cmd_report(const arguments *a);
int cmd_bench(const arguments *a);
int cmd_view(const arguments *a);
int cmd_help(const arguments *a);
int cmd_version(const arguments *a);

#endif
