/*
 * downhill.h - train neural networks by gradient descent.
 *
 * This header is the manual. It has five parts, each one step further in:
 *
 *   1. Basics      status codes, errors, the host, knobs and words
 *   2. Tables      data files as typed columns
 *   3. Sessions    a table and a recipe become a trained model
 *   4. Models      save, open, predict, evaluate
 *   5. The engine  plan, source, run, step: the parts a session is made of
 *
 * The shortest whole program:
 *
 *     #include <downhill.h>
 *
 *     int main(void)
 *     {
 *         hill_table *table = NULL;
 *         hill_model *model = NULL;
 *         if (hill_table_open("xor.csv", NULL, NULL, &table, NULL) == HILL_OK &&
 *             hill_train(table, "target=y", NULL, &model, NULL) == HILL_OK)
 *             hill_model_save(model, "xor.safetensors", NULL);
 *         hill_model_free(model);
 *         hill_table_free(table);
 *     }
 *
 * Seven nouns and one verb. A *recipe* is text that says which net, cost, rule and knobs. A *plan* is the recipe compiled once:
 * a flat list of instructions. A *vector* is all weights as one float array; gradient and moments have the same layout. A
 * *source* fills a batch of inputs and targets. A *row* of the *trace* is what comes out of a step. A *knob* is a named number
 * or word with a default and bounds. A *kernel* is an inner loop; you never meet one. The verb is hill_step.
 *
 * Promises that hold everywhere:
 *
 *   - Same data, recipe and seed give the same bits: on any number of threads, any instruction set, any compiler.
 *   - The library never prints, exits, aborts, reads the environment, touches signals, locale or the floating-point mode, and
 *     has no mutable globals. Two objects that share nothing may be used from two threads at once. One object is used by one
 *     thread at a time, except plans and tables, which nothing changes after they are made.
 *   - Every function that can fail returns a status: 0 is good, negative is an error. A constructor sets *out to NULL when it
 *     fails. Every free function takes NULL.
 *   - Who makes an object frees it. A pointer returned by a getter is borrowed: it lives as long as the object asked.
 *   - Public structs begin with their size, so that a library newer than its caller knows which fields the caller has. Set it
 *     with the struct's initialiser, from the list at the end of this file.
 *   - `const hill_host *host` may be NULL everywhere: malloc, one thread, the best instruction set. `hill_error *error` too.
 *
 * Units: rows, columns and units are counted, costs are what the chosen cost says (see hill_words), times are never measured.
 */
#ifndef DOWNHILL_H
#define DOWNHILL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HILL_VERSION_MAJOR 0
#define HILL_VERSION_MINOR 1
#define HILL_VERSION_PATCH 0

/* The arithmetic contract that a model was made under. A model made under another number cannot be continued. */
#define HILL_ARITH 1

#if defined(HILL_SHARED) && defined(__GNUC__)
#define HILL_API __attribute__((visibility("default")))
#else
#define HILL_API
#endif

/* ------------------------------------------------------------------------------------------------------------------------
 * 1. Basics
 * --------------------------------------------------------------------------------------------------------------------- */

/*
 * Status codes: one list; names and texts come from it. Values never change meaning and are never reused.
 */
#define HILL_STATUS_MAP(X)                                                \
    X(OK, 0, "success")                                                   \
    X(ROW, 100, "a step was taken")                                       \
    X(DONE, 101, "the descent has ended")                                 \
    X(EARGUMENT, -1, "an argument breaks the rules of the call")          \
    X(EMEMORY, -2, "out of memory")                                       \
    X(ERECIPE, -3, "the recipe says something that cannot be")            \
    X(EDATA, -4, "something is wrong inside a data file")                 \
    X(EMODEL, -5, "something is wrong inside a model file")               \
    X(EINPUT, -6, "an input file cannot be opened")                       \
    X(ECREATE, -7, "an output file cannot be created")                    \
    X(EIO, -8, "reading or writing failed")                               \
    X(EDIVERGED, -9, "the descent diverged")                              \
    X(EFPENV, -10, "the caller changed the floating-point rounding mode") \
    X(EISA, -11, "this machine lacks the instruction set asked for")      \
    X(ETHREAD, -12, "a thread could not be started")                      \
    X(ECHECK, -13, "the gradient is not what the formulas say")           \
    X(EPART, -14, "a data file has no such part")

typedef enum hill_status {
#define HILL_STATUS_ENUM(name, value, text) HILL_##name = (value),
    HILL_STATUS_MAP(HILL_STATUS_ENUM)
#undef HILL_STATUS_ENUM
} hill_status;

/* "HILL_EDATA" for HILL_EDATA; "HILL_?" for a number that is no status. */
HILL_API const char *hill_status_name(int status);

/* The sentence beside the status in the list above. */
HILL_API const char *hill_status_text(int status);

/* "0.1.0": the version of the library that runs, which may differ from HILL_VERSION_*, the header it was compiled against. */
HILL_API const char *hill_version(void);

/*
 * What went wrong, in words for a person: what, where (file:line:column where there is one), what would be right. Filled by
 * every call that takes one and fails; left alone by a call that succeeds. UTF-8, ended by a zero byte, at most three lines.
 */
typedef struct hill_error {
    size_t size;
    int status;
    char text[1000];
} hill_error;

/*
 * Where memory comes from. `alloc` returns at least `bytes` bytes aligned for any type, or NULL; `free` takes back a block with
 * the size it was asked with, and is never called with NULL. Both are called by one thread at a time. Both NULL: malloc, free.
 */
typedef struct hill_allocator {
    void *self;
    void *(*alloc)(void *self, size_t bytes);
    void (*free)(void *self, void *block, size_t bytes);
} hill_allocator;

/*
 * What a file may ask of its reader before it is refused; a message about a limit names its knob. 0: the knob's default.
 * `columns` counts those of a table. `header` is that of a model, an NPY or a gzip file, and the names of a CSV file. A gzipped
 * file or a member of an NPZ may unpack to 64 MiB freely, and beyond that to `ratio` times its packed size.
 */
typedef struct hill_limits {
    size_t size;
    uint64_t line;    /* bytes of a row of text */
    uint64_t columns; /* of a table */
    uint64_t header;  /* bytes */
    uint64_t ratio;
} hill_limits;

/*
 * What a host lends to an object it makes. `threads` is a maximum (0 means 1): no more are started than there are cores, and a
 * small net uses one, because more would make it slower. `crowd` 1 starts all of them whatever the cores, which is only good for
 * proofs. `isa` forces a kernel row by name ("scalar", "avx2", "avx512", "neon"); NULL or "best" takes the
 * best this machine has. `limits` hold for the files that are opened with the host. None of it changes a bit of any result.
 */
typedef struct hill_host {
    size_t size;
    hill_allocator allocator;
    unsigned threads;
    const char *isa;
    int crowd;
    hill_limits limits;
} hill_host;

/*
 * An allocator over one block of the caller's, for programs that have no malloc. Freed blocks are only reused when they were
 * the last ones given. `used` and `peak` say how much of the block is and was taken; memory ending is HILL_EMEMORY.
 */
typedef struct hill_block {
    size_t size;
    void *memory;
    size_t bytes;
    size_t used;
    size_t peak;
} hill_block;
HILL_API hill_allocator hill_block_allocator(hill_block *block);

/* What this machine offers: the cores the process may use, the best kernel row, and the rows that run here, best first. */
typedef struct hill_machine {
    size_t size;
    unsigned cores;
    const char *isa;
    const char *isas[8];
    size_t isa_count;
    char cpu[64];
} hill_machine;
HILL_API int hill_machine_info(hill_machine *machine);

/*
 * A knob: a named number or word that shapes a run. The table of knobs is the one source of recipe keys, command-line flags,
 * help, manual and the metadata of models. `words` lists words it takes, separated by spaces; a HILL_KNOB_WORD takes one of
 * them or of its vocabulary, and a number may also be given as one of its words ("auto", "full").
 */
typedef enum hill_knob_kind { HILL_KNOB_NUMBER, HILL_KNOB_INTEGER, HILL_KNOB_WORD, HILL_KNOB_TEXT } hill_knob_kind;

typedef struct hill_knob {
    const char *name; /* recipe key; the flag is --name */
    hill_knob_kind kind;
    const char *initial;  /* the default, as text; "" is unset */
    double low, high;     /* inclusive bounds of a number */
    const char *words;    /* allowed words, "" when there are none */
    int vocabulary;       /* hill_vocabulary whose words are allowed too, or -1 */
    const char *unit;     /* what it counts, "" when nothing */
    const char *group;    /* "data", "net", "descent", "ending" or "limits" */
    const char *argument; /* how help names the value: "X", "N", "NET" */
    const char *sentence; /* what it does, one sentence */
} hill_knob;

/* The knob table; *count gets its length. The order is the order of a recipe's text. */
HILL_API const hill_knob *hill_knobs(size_t *count);

/* The knob called `name`, or NULL. */
HILL_API const hill_knob *hill_knob_find(const char *name);

/* A word of one of the recipe's vocabularies, with the formula it stands for. */
typedef struct hill_word {
    const char *name;
    const char *formula;
    const char *sentence;
} hill_word;

typedef enum hill_vocabulary {
    HILL_WORDS_LAYER,
    HILL_WORDS_ACTIVATION,
    HILL_WORDS_COST,
    HILL_WORDS_RULE,
    HILL_WORDS_SCHEDULE,
    HILL_WORDS_INIT,
    HILL_WORDS_GROW
} hill_vocabulary;

/* The i-th word of a vocabulary, or NULL past the end. */
HILL_API const hill_word *hill_words(hill_vocabulary vocabulary, size_t i);

/*
 * 1 if the rule compares the cost or the gradient of one step with that of the last, so that it is at home where every step looks at
 * all rows (which is what batch=auto means with it), and finds the lengths of its steps by itself; 0 for other rules; -1: no such rule.
 */
HILL_API int hill_rule_takes_all(const char *rule);

/* The name in a vocabulary, or among the knobs when `vocabulary` is -1, that `word` most likely meant; NULL if none is near. */
HILL_API const char *hill_nearest(int vocabulary, const char *word);

/*
 * A recipe: every knob with its value. Text form: one `key=value` a line, blanks around both cut off, `#` begins a comment line.
 * A key may stand once. Nothing else is allowed, so a recipe cannot grow into a program.
 */
typedef struct hill_recipe hill_recipe;

HILL_API int hill_recipe_new(const hill_host *host, hill_recipe **out, hill_error *error);
HILL_API void hill_recipe_free(hill_recipe *recipe);

/* Sets one knob. HILL_ERECIPE: no such knob, a word that isn't one, a number out of bounds, an unknown layer in `net`. */
HILL_API int hill_recipe_set(hill_recipe *recipe, const char *knob, const char *value, hill_error *error);

/* Sets every knob that `text` (of `length` bytes) names. `origin` is the file name that errors begin with; NULL: "recipe". */
HILL_API int hill_recipe_parse(hill_recipe *recipe, const char *text, size_t length, const char *origin, hill_error *error);

/* The knob's value as text, its default where it wasn't set; NULL for an unknown knob. */
HILL_API const char *hill_recipe_get(const hill_recipe *recipe, const char *knob);

/* 1 if the knob was set rather than left at its default. */
HILL_API int hill_recipe_is_set(const hill_recipe *recipe, const char *knob);

/* The canonical text: every knob that was set, in table order. Borrowed until the next call on this recipe. NULL: no memory. */
HILL_API const char *hill_recipe_text(hill_recipe *recipe);

/*
 * The limits that the recipe sets, into *limits; others stay, and where they are 0 become the knobs' defaults. They are the host's,
 * for files are opened before a recipe is used: hill_recipe_limits(recipe, &host.limits). No plan and no model keeps them.
 */
HILL_API void hill_recipe_limits(const hill_recipe *recipe, hill_limits *limits);

/* ------------------------------------------------------------------------------------------------------------------------
 * 2. Tables
 * --------------------------------------------------------------------------------------------------------------------- */

/*
 * A table is typed columns: numbers, categories (text), or one image block. It is read whole into memory and never changes.
 *
 * Files: CSV and TSV, NPY (1 or 2 numbers axes; bytes with 3 are images), NPZ, IDX, each also gzipped; an IDX images file finds
 * its labels twin by name; a directory holding the four usual MNIST-style names. Format is told from the content.
 */
typedef struct hill_table hill_table;
typedef struct hill_model hill_model;

typedef enum hill_part { HILL_PART_TRAIN, HILL_PART_TEST } hill_part;

/*
 * How to read. A NULL or 0 field means: guess, and say what was guessed (hill_table_guesses).
 */
typedef struct hill_table_options {
    size_t size;
    const char *targets; /* a file whose one column is the target, row by row; NULL: the target is in the data */
    const char *missing; /* comma list of cells that mean missing; NULL: empty, NA, N/A, ?, null, NaN */
    const char
        *categories; /* comma list of columns (names or 1-based numbers) to read as categories though they look like numbers */
    const char *header;     /* "yes", "no" or NULL */
    char delimiter;         /* ',', '\t', ';', '|', ' ' or 0 */
    hill_part part;         /* of a directory or an NPZ with both parts: which one */
    const hill_model *like; /* read only the columns this model needs, typed as in its training; NULL: all */
} hill_table_options;

/*
 * Reads a file. HILL_EINPUT: there is no such file or directory, or it cannot be opened; HILL_EPART: it has no such part;
 * HILL_EDATA: what is wrong inside it, with line and column.
 */
HILL_API int hill_table_open(const char *path, const hill_table_options *options, const hill_host *host, hill_table **out,
                             hill_error *error);

/* The same for CSV text in memory, which is copied. `name` stands for the file in messages. */
typedef struct hill_bytes {
    const void *data;
    size_t length;
    const char *name;
} hill_bytes;
HILL_API int hill_table_parse(const hill_bytes *bytes, const hill_table_options *options, const hill_host *host,
                              hill_table **out, hill_error *error);
HILL_API void hill_table_free(hill_table *table);

typedef enum hill_column_kind { HILL_COLUMN_NUMBER, HILL_COLUMN_CATEGORY, HILL_COLUMN_IMAGE } hill_column_kind;

/* One column as read. `distinct` counts different values that aren't missing, and stops at 1,000,000. */
typedef struct hill_column {
    size_t size;
    const char *name; /* from the header, or "c1", "c2", ... */
    hill_column_kind kind;
    uint64_t missing;
    uint64_t distinct;
    double low, high, mean; /* of a number column; NaN elsewhere */
    uint32_t image_height, image_width, image_channels;
} hill_column;

HILL_API uint64_t hill_table_rows(const hill_table *table);
HILL_API size_t hill_table_columns(const hill_table *table);
HILL_API int hill_table_column(const hill_table *table, size_t i, hill_column *column);

/* The i-th value of a category column, in order of first appearance, or NULL past the end. */
HILL_API const char *hill_table_category(const hill_table *table, size_t column, size_t i);

/*
 * One cell: a number, or which of its category's values (hill_table_category) stands there; NaN where it is missing.
 * HILL_EARGUMENT: there is no such cell, or it is an image.
 */
HILL_API int hill_table_cell(const hill_table *table, size_t column, uint64_t row, double *value);

/* The bytes of a row's image, [height][width][channels] as its column says; NULL where there is none. */
HILL_API const unsigned char *hill_table_image(const hill_table *table, uint64_t row);

/* "csv", "tsv", "npy", "npz", "idx". */
HILL_API const char *hill_table_format(const hill_table *table);

/* What was guessed about the file, as the flags that would set it: "--header yes --delimiter ';'". "" if nothing was. */
HILL_API const char *hill_table_guesses(const hill_table *table);

/* The i-th thing a person should know about how the file was read ("3 blank lines were skipped"), or NULL past the end. */
HILL_API const char *hill_table_note(const hill_table *table, size_t i);

/* ------------------------------------------------------------------------------------------------------------------------
 * 3. Sessions: a table and a recipe become a trained model
 * --------------------------------------------------------------------------------------------------------------------- */

/*
 * Trains in one call: recipe text (NULL: every default), no progress, no log. *out is the model, the caller's to free.
 */
HILL_API int hill_train(const hill_table *table, const char *recipe, const hill_host *host, hill_model **out,
                        hill_error *error);

/*
 * A session does the same with the loop in your hands. It chooses target, task, encoder, split and every knob left at "auto",
 * and owns a run (part 5), which you step:
 *
 *     hill_session *session;
 *     hill_session_new(recipe, &tables, host, &session, &error);
 *     hill_run *run = hill_session_run(session);
 *     hill_row row = HILL_ROW_INIT;
 *     while ((status = hill_step(run, &row)) == HILL_ROW)
 *         if (row.epoch_end) printf("%llu %g %g\n", (unsigned long long)row.epoch, row.train_cost, row.valid_cost);
 *     if (status == HILL_DONE) hill_session_finish(session, &model, &error);
 */
typedef struct hill_session hill_session;
typedef struct hill_run hill_run;

/* The tables a session reads; they must outlive it. `valid` replaces the split. `test` is only read by hill_session_metrics. */
typedef struct hill_tables {
    size_t size;
    const hill_table *train;
    const hill_table *valid; /* or NULL */
    const hill_table *test;  /* or NULL */
    const char *start;       /* path of a model or a bare safetensors file with the start weights, or NULL */
} hill_tables;

HILL_API int hill_session_new(const hill_recipe *recipe, const hill_tables *tables, const hill_host *host, hill_session **out,
                              hill_error *error);
HILL_API void hill_session_free(hill_session *session);

/* The run to step. Owned by the session. */
HILL_API hill_run *hill_session_run(hill_session *session);

/* The recipe as it runs: every "auto" replaced by what was chosen. */
HILL_API const hill_recipe *hill_session_recipe(const hill_session *session);

/* What was guessed about target, task and net, as flags; "" if nothing was. */
HILL_API const char *hill_session_guesses(const hill_session *session);

/* The i-th thing a person should know: columns left out, cells filled in, how rows were split. NULL past the end. */
HILL_API const char *hill_session_note(const hill_session *session, size_t i);

/* Makes the model: the best weights on validation rows where there are any, else the last. The session can go on afterwards. */
HILL_API int hill_session_finish(hill_session *session, hill_model **out, hill_error *error);

/*
 * Checkpoints. hill_session_save writes the whole state of the descent between two steps, atomically as hill_model_save does.
 * The file is a model, the one that hill_session_finish would make now, with more tensors and metadata under "run". It holds no
 * data: hill_session_resume goes on from it in a session of the same recipe, tables and start weights, on any machine and
 * any number of threads, and what comes out is the same to the last bit as without the break. HILL_EMODEL: the file is damaged, or
 * of another recipe or other data; the text names every knob that differs with both values, and the session is as it was.
 */
HILL_API int hill_session_save(hill_session *session, const char *path, hill_error *error);
HILL_API int hill_session_resume(hill_session *session, const char *path, hill_error *error);

/*
 * The weights of a checkpoint's model are the best so far, where there are validation rows. This puts in their place those of the
 * moment, which the next step starts from; `model` is that of the file, or of the same net. HILL_EMODEL: the file is no checkpoint, or of
 * another net; the model is as it was.
 */
HILL_API int hill_model_take_moment(hill_model *model, const char *path, hill_error *error);

/* Sixteen hexadecimal digits of recipe, tables and start weights: sessions that share them can go on from each other's checkpoints. */
HILL_API const char *hill_session_key(const hill_session *session);

typedef enum hill_which { HILL_WHICH_TRAIN, HILL_WHICH_VALID, HILL_WHICH_TEST } hill_which;

/*
 * How good a model is. Cost is the mean over rows, each of which counts once, whatever the recipe's weights. For classes:
 * accuracy, and rmse, mae, r2 are NaN; for numbers the reverse, in the target's own unit.
 */
typedef struct hill_metrics {
    size_t size;
    uint64_t rows;
    double cost;
    double accuracy;
    double rmse, mae, r2;
} hill_metrics;

/* Metrics of `model`, made by this session, on one of its row sets. rows is 0 and all else NaN where there is no such set. */
HILL_API int hill_session_metrics(hill_session *session, const hill_model *model, hill_which which, hill_metrics *metrics,
                                  hill_error *error);

/* ------------------------------------------------------------------------------------------------------------------------
 * 4. Models
 * --------------------------------------------------------------------------------------------------------------------- */

/* A model is a plan, its vector and the encoder that turns raw rows into its inputs and its outputs back: one file. */
HILL_API int hill_model_open(const char *path, const hill_host *host, hill_model **out, hill_error *error);
HILL_API void hill_model_free(hill_model *model);

/*
 * Writes a safetensors file: to a temporary name beside `path`, synced, then renamed over it, so that `path` holds the old file
 * or the new one and never a part. HILL_ECREATE: it cannot be created; HILL_EIO: the disk refused.
 */
HILL_API int hill_model_save(const hill_model *model, const char *path, hill_error *error);

typedef enum hill_task { HILL_TASK_CLASSES, HILL_TASK_NUMBERS } hill_task;

typedef struct hill_model_facts {
    size_t size;
    hill_task task;
    size_t columns;      /* raw input columns */
    size_t inputs;       /* units the net takes */
    size_t outputs;      /* units it gives */
    size_t classes;      /* 0 for numbers */
    size_t parameters;   /* weights and biases */
    const char *target;  /* name of the target column */
    uint64_t rows;       /* training rows */
    uint64_t epochs;     /* passes made */
    uint64_t steps;      /* steps taken */
    uint64_t best_epoch; /* the pass whose weights these are */
} hill_model_facts;

HILL_API int hill_model_info(const hill_model *model, hill_model_facts *facts);
HILL_API const hill_recipe *hill_model_recipe(const hill_model *model);

/* Name of class i, or NULL past the end. */
HILL_API const char *hill_model_class(const hill_model *model, size_t i);

/* Line i of a description of how raw columns become inputs ("age: number, mean 29.7, scale 14.5"), or NULL past the end. */
HILL_API const char *hill_model_column(const hill_model *model, size_t i);

/*
 * Answers rows first .. first + count - 1 of a table opened with options.like = model. For classes `out` is
 * [count][classes] probabilities (the outputs, where the last activation isn't softmax); for numbers [count][1] in the
 * target's own unit. A row's answer depends on nothing but the row.
 */
HILL_API int hill_model_predict(hill_model *model, const hill_table *table, uint64_t first, size_t count, double *out,
                                hill_error *error);

/*
 * The same rows as the net sees them, for part 5: inputs [count][inputs] and, unless `targets` is NULL, targets [count][outputs],
 * all NaN for a row without a target, or with a class that is unknown to the model.
 */
HILL_API int hill_model_encode(hill_model *model, const hill_table *table, uint64_t first, size_t count, float *inputs,
                               float *targets, hill_error *error);

/* Which class a row of `classes` outputs means: the first of the largest; 0 if they are all NaN. */
HILL_API size_t hill_argmax(const double *outputs, size_t classes);

/*
 * Metrics of the model on a table opened with options.like = model, which must have the target column. `confusion`, where not
 * NULL, is [classes][classes]: rows that are class i and were called class j.
 */
HILL_API int hill_model_evaluate(hill_model *model, const hill_table *table, hill_metrics *metrics, uint64_t *confusion,
                                 hill_error *error);

/*
 * Proves the gradient on this model's net and these rows: central differences in double precision of the operators' written
 * formulas against what the engine computes, at random weights drawn by the recipe's seed. The error of a weight is
 * |g - d| / max(|g|, |d|, 0.001 x rms of that tensor's gradient). HILL_ECHECK: it isn't below `limit`, or the gradient is all
 * zero, or more than 1% of the weights lie at a kink. The default limit is 1e-4 for layers of up to 16 inputs and grows with the
 * square root of the widest layer's inputs, as the rounding errors of float sums do; a wrong gradient is off by far more.
 */
typedef struct hill_check {
    size_t size;
    double worst;           /* largest relative error */
    char worst_weight[128]; /* "layer2.weight[3, 7]" */
    double worst_engine;    /* the engine's gradient there */
    double worst_formula;   /* the formulas' */
    uint64_t weights;       /* weights compared */
    uint64_t kinks;         /* weights left out because a probe straddles a kink */
    uint64_t rows;          /* rows the cost was taken over */
    double limit;           /* what `worst` must stay under; 0: the default, which the check fills in */
} hill_check;

HILL_API int hill_model_check(hill_model *model, const hill_table *table, hill_check *check, hill_error *error);

/* The model's plan and weights, for part 5. */
typedef struct hill_plan hill_plan;
HILL_API const hill_plan *hill_model_plan(const hill_model *model);
HILL_API float *hill_model_weights(hill_model *model);

/* ------------------------------------------------------------------------------------------------------------------------
 * 5. The engine
 * --------------------------------------------------------------------------------------------------------------------- */

/*
 * What a net is built for. `rows` (0: unknown) only helps to choose knobs left at "auto". Inputs that are a picture say so by its
 * height, width and channels, whose product they are: [height][width][channels], as layers with a window see them.
 */
typedef struct hill_shape {
    size_t size;
    size_t inputs;
    size_t outputs;
    uint64_t rows;
    hill_task task;
    size_t height, width, channels; /* height 0: no picture */
    const char *embed;              /* a layer that is put in front of a net without one, as "embed 3:5001x9"; NULL: none */
} hill_shape;

/*
 * Compiles a recipe. The plan copies what it needs; it never changes and may be shared by threads.
 * HILL_ERECIPE: the recipe cannot be built for this shape.
 */
HILL_API int hill_plan_new(const hill_recipe *recipe, const hill_shape *shape, const hill_host *host, hill_plan **out,
                           hill_error *error);
HILL_API void hill_plan_free(hill_plan *plan);

/* The recipe with every "auto" replaced. */
HILL_API const hill_recipe *hill_plan_recipe(const hill_plan *plan);

/*
 * Sizes. A vector has `vector` floats, of which `parameters` are weights and biases and the rest zero padding between tensors.
 * The three byte counts are what hill_run_new takes from its allocator for vectors, scratch and staging, before its own
 * handle; they don't depend on the rows of the data. `row_operations` are the multiplications and additions in the products of
 * one training row, up and down; a step takes as many times that as it has rows.
 */
typedef struct hill_plan_sizes {
    size_t size;
    size_t inputs, outputs;
    size_t parameters;
    size_t tensors;
    size_t vector;
    size_t vector_bytes;
    size_t scratch_bytes;
    size_t staging_bytes;
    double row_operations;
} hill_plan_sizes;
HILL_API int hill_plan_info(const hill_plan *plan, hill_plan_sizes *sizes);

/*
 * Tensor i of the vector: "layer1.weight" [inputs, outputs], of a convolution [height, width, channels of a group, outputs], or
 * "layer1.bias" [outputs], row-major from float `offset`. Layers are those that have weights.
 */
typedef struct hill_tensor {
    size_t size;
    char name[64];
    size_t rank;
    size_t shape[4];
    size_t offset;
} hill_tensor;
HILL_API int hill_plan_tensor(const hill_plan *plan, size_t i, hill_tensor *tensor);

/*
 * A layer as a person wrote it. Layers are counted from 0, the output layer is the last; brackets of a group are none.
 */
typedef struct hill_layer {
    size_t size;
    char name[64];    /* "layer2", as its tensors begin; of a layer without any its kind and a number: "maxpool1" */
    char words[128];  /* "32 relu", "conv 16 3x3 same relu"; a longer text is cut */
    const char *kind; /* its word of HILL_WORDS_LAYER: "dense", "conv", ... */
    size_t inputs;    /* of a row, the units that come in */
    size_t units;     /* and those that go out */
    size_t height, width, channels; /* of a convolution's window, or of the picture that a dense layer sees; else 0 */
    size_t weight, bias;            /* which tensors (hill_plan_tensor) it computes with; SIZE_MAX: it has none */
} hill_layer;

/* HILL_EARGUMENT: there is no layer `i`. */
HILL_API int hill_plan_layer(const hill_plan *plan, size_t i, hill_layer *layer);

/*
 * A source fills batches. `fill` writes rows rows[0..count-1] (each below `rows`) as inputs [count][inputs] and, unless
 * targets is NULL, targets [count][targets]; it returns 0 or a negative status, which hill_step passes on. It must give the
 * same floats for the same row every time, and may be called for any row in any order. `expect`, which may be NULL, is told the
 * rows of the batch to come while the present one is worked on, so that a source whose rows are far away can begin to fetch.
 * `number`, which may be NULL, says what a person calls a row, for messages; else that is its place, counted from 1. `weigh`,
 * which may be NULL, writes what each of the rows counts for: its cost and gradient are multiplied by that, 0 or more, and means
 * are taken over rows all the same, so weights should be 1 on the mean.
 */
typedef struct hill_source {
    size_t size;
    void *self;
    uint64_t rows;
    size_t inputs;
    size_t targets;
    int (*fill)(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets);
    void (*expect)(void *self, const uint64_t *rows, size_t count);
    uint64_t (*number)(void *self, uint64_t row);
    int (*weigh)(void *self, const uint64_t *rows, size_t count, float *weights);
} hill_source;

/* A source over float arrays of the caller's: inputs [rows][n], targets [rows][m], weights [rows] or NULL. They must outlive it. */
typedef struct hill_arrays {
    size_t size;
    const float *inputs;
    const float *targets;
    uint64_t rows;
    size_t input_count;
    size_t target_count;
    const float *weights;
} hill_arrays;
HILL_API hill_source hill_array_source(const hill_arrays *arrays);

/*
 * A run is a descent under way: the plan's vectors, the rule's moments and the place in the data. The plan and the sources'
 * `self` must outlive it. With `train` NULL it only evaluates and answers, at weights that are given each time, and keeps no
 * vectors of its own. `valid` may be NULL; where it isn't, the end of each epoch costs a pass over it, the best weights
 * are kept, and the run ends early once `patience` epochs brought nothing better.
 */
HILL_API int hill_run_new(const hill_plan *plan, const hill_source *train, const hill_source *valid, const hill_host *host,
                          hill_run **out);
HILL_API void hill_run_free(hill_run *run);

/* A row of the trace. */
typedef struct hill_row {
    size_t size;
    unsigned want;         /* set by the caller: HILL_WANT_NORMS or 0 */
    int epoch_end;         /* 1: this step ended an epoch, and train_cost (and valid_*) are of that epoch */
    int back;              /* 1: no step was taken, the descent went back to `step`; see hill_step */
    uint64_t step;         /* steps taken, this one included */
    uint64_t epoch;        /* the epoch this step belongs to, from 1 */
    double cost;           /* mean cost over the batch, before the update */
    double rate;           /* what the schedule gave this step */
    double gradient_norm;  /* with HILL_WANT_NORMS, else NaN */
    double weight_norm;    /* before the update; likewise */
    double step_norm;      /* length of the update; likewise */
    double train_cost;     /* at an epoch's end: mean of cost over its rows, as they were met; else NaN */
    double valid_cost;     /* at an epoch's end, with validation rows; else NaN */
    double valid_accuracy; /* the same, for classes; else NaN */
} hill_row;
#define HILL_WANT_NORMS 1u

/*
 * Takes one step: gathers a batch, walks forward and backward, updates the weights. `row` may be NULL. Allocates nothing.
 * Returns HILL_ROW; HILL_DONE once the descent has ended (and again if called again); or an error: HILL_EDIVERGED, HILL_EFPENV,
 * or what the source returned. After a source has failed the next call does what this one left: the step, or only the end of its
 * epoch, whose row then has no cost.
 *
 * A descent diverges when a cost, a gradient or a weight becomes no finite number. That is seen in the step where it happens, and
 * the step isn't taken. With the knob on-divergence=rollback the run goes back to its last good weights (of the last epoch that
 * was the best on validation rows, or of the last 256th step, while costs were no more than twice the first), goes on from there
 * with half the rate, and returns HILL_ROW with row->back 1; hill_run_message says what happened. After five ways back, or where
 * going back would meet the same numbers again, the run holds the good weights, and the step returns HILL_EDIVERGED.
 */
HILL_API int hill_step(hill_run *run, hill_row *row);

/* What the last error or way back of this run was, in words; "" if there was none. */
HILL_API const char *hill_run_message(const hill_run *run);

/* Why the run is over: "epochs" (all were made), "patience", "diverged"; "" while it isn't. */
HILL_API const char *hill_run_stopped(const hill_run *run);

/* Steps taken so far, without those that were gone back over; *ways_back, where not NULL, gets how often that happened. */
HILL_API uint64_t hill_run_steps(const hill_run *run, unsigned *ways_back);

/* Steps in an epoch, and in the whole run if nothing ends it early. */
HILL_API uint64_t hill_run_epoch_steps(const hill_run *run);
HILL_API uint64_t hill_run_total_steps(const hill_run *run);

/*
 * The flat vectors, of plan sizes `vector` floats: the weights, which the host may change between steps; the last step's
 * gradient; the weights that are best so far (the current ones where there are no validation rows), and their epoch. With the
 * knob average they are averages of weights.
 */
HILL_API float *hill_run_weights(hill_run *run);
HILL_API const float *hill_run_gradient(const hill_run *run);
HILL_API const float *hill_run_best(const hill_run *run, uint64_t *epoch);

/* Draws the weights anew by the recipe's `init`, from `seed`, and goes back to step 0. */
HILL_API int hill_run_restart(hill_run *run, uint64_t seed);

/*
 * The rate of the steps to come, whatever the schedule says; 0 gives it its say again, and so does a restart. Like a change of the
 * weights this is the host's to remember: no checkpoint keeps it. HILL_EARGUMENT: below 0, or no finite number.
 */
HILL_API int hill_run_set_rate(hill_run *run, double rate);

/* Mean cost over a source's rows, each times its weight, and for classes the fraction whose largest output is the target's. */
typedef struct hill_score {
    size_t size;
    uint64_t rows;
    double cost;
    double accuracy;
} hill_score;

/* Scores any point of weight space: `weights` is a vector of the plan's layout; NULL: the run's own. Doesn't move the run. */
HILL_API int hill_run_evaluate(hill_run *run, const float *weights, const hill_source *source, hill_score *score);

/* The gradient of the mean cost over a source's rows at `weights` (NULL: the run's own) into `gradient`. Doesn't move the run. */
HILL_API int hill_run_slope(hill_run *run, const float *weights, const hill_source *source, float *gradient);

/* The cost of each of a source's rows, times its weight: costs [rows]. */
HILL_API int hill_run_costs(hill_run *run, const float *weights, const hill_source *source, float *costs);

/* The net's answers at `weights` (NULL: the run's own): inputs [rows][inputs] to outputs [rows][outputs]. */
HILL_API int hill_run_answer(hill_run *run, const float *weights, const float *inputs, size_t rows, float *outputs);

/*
 * The same of layer `layer`: its units behind its activation, out [rows][units of the layer]. Of the last layer they are the
 * answers. HILL_EARGUMENT: there is no such layer.
 */
HILL_API int hill_run_units(hill_run *run, const float *weights, size_t layer, const float *inputs, size_t rows, float *out);

/*
 * hill_model_check without a model: over at most 256 rows of a source. Doesn't move the run.
 */
HILL_API int hill_run_check(hill_run *run, const hill_source *source, hill_check *check);

/*
 * Keeps the multipliers of the run's threads busy: `rounds` rounds of independent fused multiply-adds in registers, by the run's
 * kernels. Returns how many floating-point operations that was; over the time a caller measures they are the machine's peak,
 * which the speed of a step is to be compared with. Doesn't move the run.
 */
HILL_API double hill_run_work(hill_run *run, uint64_t rounds);

/*
 * Is this descent stuck? Compares the cost now with that of the best constant answer (the mean target) over the training rows.
 */
typedef struct hill_diagnosis {
    size_t size;
    int stuck;            /* 1: it is hardly better than a constant, and flat */
    double cost;          /* now, over the training rows */
    double constant_cost; /* of always answering the mean */
    double gradient_norm; /* over the training rows */
    char advice[400];     /* what to try, in words; "" when not stuck */
} hill_diagnosis;
HILL_API int hill_run_diagnose(hill_run *run, hill_diagnosis *diagnosis);

/* ------------------------------------------------------------------------------------------------------------------------
 * Initialisers: `hill_row row = HILL_ROW_INIT;` sets the size of a struct, and every field to its default.
 * --------------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
#define HILL_ERROR_INIT          {sizeof(hill_error), HILL_OK, {0}}
#define HILL_LIMITS_INIT         {sizeof(hill_limits), 0, 0, 0, 0}
#define HILL_HOST_INIT           {sizeof(hill_host), {NULL, NULL, NULL}, 1, NULL, 0, HILL_LIMITS_INIT}
#define HILL_MACHINE_INIT        {sizeof(hill_machine), 0, NULL, {NULL}, 0, {0}}
#define HILL_TABLE_OPTIONS_INIT  {sizeof(hill_table_options), NULL, NULL, NULL, NULL, 0, HILL_PART_TRAIN, NULL}
#define HILL_COLUMN_INIT         {sizeof(hill_column), NULL, HILL_COLUMN_NUMBER, 0, 0, 0, 0, 0, 0, 0, 0}
#define HILL_TABLES_INIT         {sizeof(hill_tables), NULL, NULL, NULL, NULL}
#define HILL_METRICS_INIT        {sizeof(hill_metrics), 0, 0, 0, 0, 0, 0}
#define HILL_MODEL_FACTS_INIT    {sizeof(hill_model_facts), HILL_TASK_CLASSES, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0}
#define HILL_CHECK_INIT          {sizeof(hill_check), 0, {0}, 0, 0, 0, 0, 0, 0}
#define HILL_SHAPE_INIT          {sizeof(hill_shape), 0, 0, 0, HILL_TASK_NUMBERS, 0, 0, 0, NULL}
#define HILL_PLAN_SIZES_INIT     {sizeof(hill_plan_sizes), 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define HILL_TENSOR_INIT         {sizeof(hill_tensor), {0}, 0, {0}, 0}
#define HILL_LAYER_INIT          {sizeof(hill_layer), {0}, {0}, NULL, 0, 0, 0, 0, 0, SIZE_MAX, SIZE_MAX}
#define HILL_SOURCE_INIT         {sizeof(hill_source), NULL, 0, 0, 0, NULL, NULL, NULL, NULL}
#define HILL_ROW_INIT            {sizeof(hill_row), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define HILL_SCORE_INIT          {sizeof(hill_score), 0, 0, 0}
#define HILL_DIAGNOSIS_INIT      {sizeof(hill_diagnosis), 0, 0, 0, 0, {0}}
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
