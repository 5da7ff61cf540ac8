/*
 * verbs.c - the tables of verbs and of the flags that are no knobs.
 *
 * Every example here is run by the tests in a folder that holds the files it names.
 */
#include "options.h"

#define ROW_RECIPE                                                                                      \
    {                                                                                                   \
        OPTION_RECIPE, "recipe", "FILE", "files", "knobs from a file of key=value lines; flags beat it" \
    }
#define ROW_TARGETS                                                                                     \
    {                                                                                                   \
        OPTION_TARGETS, "targets", "FILE", "files", "a file whose one column is the target, row by row" \
    }
#define ROW_VALID                                                                                                     \
    {                                                                                                                 \
        OPTION_VALID, "valid", "FRACTION|FILE", "files",                                                              \
            "fraction of the rows kept apart to see how training goes, or a file with such rows; auto is 0.1, and 0 " \
            "under 50 rows [auto]"                                                                                    \
    }
#define ROW_START                                                                                                           \
    {                                                                                                                       \
        OPTION_START, "start", "MODEL", "files", "start weights from a model or a bare safetensors file, instead of --init" \
    }
#define ROW_STRICT                                                                                   \
    {                                                                                                \
        OPTION_STRICT, "strict", NULL, "files", "makes it an error to guess anything about the data" \
    }
#define ROW_THREADS                                                                                                         \
    {                                                                                                                       \
        OPTION_THREADS, "threads", "N", "machine", "at most so many threads; no bit of a result depends on it [every core]" \
    }
#define ROW_ISA                                                                                \
    {                                                                                          \
        OPTION_ISA, "isa", "NAME", "machine",                                                  \
            "forces a row of kernels: scalar, avx2, avx512, neon; no bit depends on it [best]" \
    }
#define ROW_JSON                                                                              \
    {                                                                                         \
        OPTION_JSON, "json", NULL, "files", "one JSON value on standard output, for programs" \
    }
#define ROW_PORT                                                                                                     \
    {                                                                                                                \
        OPTION_PORT, "port", "N", "machine", "where on 127.0.0.1 the page is, from 1024 to 65535 [one that is free]" \
    }
#define ROWS_READING                                                                                          \
    {OPTION_MISSING, "missing", "LIST", "reading", "comma list of cells that mean missing [as in training]"}, \
        {OPTION_HEADER, "header", "WORD", "reading",                                                          \
         "whether the first line of a CSV file names its columns: auto, yes, no [as in training]"},           \
    {                                                                                                         \
        OPTION_DELIMITER, "delimiter", "C", "reading",                                                        \
            "the character between cells: one of , ; | or tab, space, auto [as in training]"                  \
    }

static const option train_options[] = {
    ROW_RECIPE,
    ROW_TARGETS,
    ROW_VALID,
    {OPTION_TEST, "test", "FILE", "files",
     "rows to measure the finished model on; a directory's own test part is found by itself"},
    ROW_START,
    {OPTION_OUT, "out", "MODEL", "files",
     "where the model goes, never over a file that isn't a Downhill model [DATA's name.safetensors in this folder]"},
    {OPTION_LOG, "log", "RUN.jsonl", "files",
     "a trace of the descent: one JSON object a line, about a thousand lines and every epoch"},
    {OPTION_SNAPSHOTS, "snapshots", "N", "files",
     "keeps the state of the descent at the start and after N passes at most, evenly spread and with the last among them, to "
     "look "
     "at it later: each a model that --resume and --start take, in the folder RUN.snapshots beside the log [0]"},
    {OPTION_CHECKPOINT_EVERY, "checkpoint-every", "N|Ns", "files",
     "saves the state of the descent every N steps or N seconds, in two files beside the model in turn, until that is safe; 0 "
     "never [30s]"},
    {OPTION_RESUME, "resume", "FILE", "files",
     "goes on from this checkpoint, with its knobs where none are given; the same command again finds its own by itself"},
    {OPTION_FRESH, "fresh", NULL, "files", "begins anew though a checkpoint of the same run is there"},
    {OPTION_LIVE, "live", NULL, "files",
     "keeps the curve of the costs, which a terminal shows at the end, on it while training; without a terminal it changes "
     "nothing"},
    ROW_STRICT,
    ROW_JSON,
    {OPTION_VIEW, "view", NULL, "machine",
     "serves a page on this machine that shows the descent, pauses and ends it, sets its rate; after the end until Ctrl-C. A "
     "rate set "
     "there is in no checkpoint: a run that goes on from one takes its schedule's again"},
    ROW_PORT,
    ROW_THREADS,
    ROW_ISA,
};
static const option find_options[] = {
    ROW_RECIPE,
    ROW_TARGETS,
    ROW_VALID,
    ROW_START,
    {OPTION_SVG, "svg", "FILE", "files", "the curve as a picture, for light and dark pages"},
    {OPTION_LOG, "log", "RUN.jsonl", "files", "the curve as a log: one JSON object a step, the suggestion last"},
    ROW_STRICT,
    ROW_JSON,
    ROW_THREADS,
    ROW_ISA,
};
static const option race_options[] = {
    {OPTION_RULES, "rules", "LIST", "files",
     "comma list of rules, each with a rate behind it if it isn't to take its own: 'sgd 0.5, adam' [every rule that is at home "
     "with "
     "the batches]"},
    {OPTION_FIND_RATES, "find-rates", NULL, "files",
     "rules without a rate in the list take the one that find-rate suggests, but for those that find their steps by "
     "themselves"},
    {OPTION_TO, "to", "COST", "files",
     "the cost that steps and seconds are counted to [the least that half of the rules reach]"},
    {OPTION_OUT, "out", "FOLDER", "files",
     "where the race goes: RULE.jsonl, a log, and RULE.safetensors, a model, of each rule, and race.jsonl, what is finished "
     "[DATA's name.race in this folder]"},
    ROW_RECIPE,
    ROW_TARGETS,
    ROW_VALID,
    ROW_START,
    {OPTION_CHECKPOINT_EVERY, "checkpoint-every", "N|Ns", "files",
     "saves the state of the descent under way every N steps or N seconds; 0 never [30s]"},
    {OPTION_FRESH, "fresh", NULL, "files", "runs again what is finished, and begins anew what isn't"},
    ROW_STRICT,
    ROW_JSON,
    ROW_THREADS,
    ROW_ISA,
};
static const option eval_options[] = {ROW_TARGETS, ROW_JSON, ROWS_READING, ROW_THREADS, ROW_ISA};
static const option predict_options[] = {
    {OPTION_OUT, "out", "FILE", "files", "where the answers go [standard output]"}, ROWS_READING, ROW_THREADS, ROW_ISA};
static const option info_options[] = {
    ROW_JSON,
    {OPTION_MISSING, "missing", "LIST", "reading", "comma list of cells that mean missing [auto]"},
    {OPTION_HEADER, "header", "WORD", "reading",
     "whether the first line of a CSV file names its columns: auto, yes, no [auto]"},
    {OPTION_DELIMITER, "delimiter", "C", "reading", "the character between cells: one of , ; | or tab, space, auto [auto]"}};
static const option report_options[] = {
    {OPTION_OUT, "out", "FILE", "files", "where the report goes, also as -o [RUN's name.html in this folder]"},
    ROW_THREADS,
    ROW_ISA,
};
static const option bench_options[] = {ROW_JSON, ROW_THREADS, ROW_ISA};
static const option view_options[] = {ROW_PORT, ROW_THREADS, ROW_ISA};
static const option help_options[] = {
    {OPTION_MAN, "man", NULL, "files", "the manual page, for man(1), made from the same tables as this help"}};

static const example train_examples[] = {
    {"downhill train xor.csv", "everything guessed, and said"},
    {"downhill train houses.csv --target price --net '64 relu, 64 relu'", "some knobs"},
    {"downhill train digits --batch 64 --epochs 2 --log digits.jsonl", "a folder of images"},
    {"downhill train xor.csv --recipe lesson.recipe --rate 1", "a recipe, and a flag that beats it"}};
static const example find_examples[] = {
    {"downhill find-rate houses.csv --target price", "what --rate to give to train"},
    {"downhill find-rate xor.csv --rule sgd --net '8 tanh' --svg rates.svg", "for another rule and net, with a picture"}};
static const example race_examples[] = {
    {"downhill race xor.csv --epochs 300", "every rule, at its own rate"},
    {"downhill race houses.csv --rules 'sgd 0.05, adam, rmsprop' --to 0.05", "some rules, to a cost"}};
static const example eval_examples[] = {{"downhill eval xor.safetensors xor.csv", "how good it is"},
                                        {"downhill eval digits.safetensors digits --json", "on the folder's test part"}};
static const example predict_examples[] = {
    {"downhill predict xor.safetensors xor.csv", "to the screen"},
    {"downhill predict xor.safetensors - < xor.csv > answers.csv", "in a pipe"},
    {"downhill predict houses.safetensors houses.csv --out prices.csv", "to a file, whole or not at all"}};
static const example info_examples[] = {{"downhill info", "this machine and this build"},
                                        {"downhill info houses.csv", "the columns of a table"},
                                        {"downhill info xor.safetensors", "what is in a model"}};
static const example check_examples[] = {{"downhill check xor.safetensors xor.csv", "is the gradient right?"}};
static const example report_examples[] = {{"downhill report digits.jsonl -o digits.html", "a file to show around"}};
static const example bench_examples[] = {{"downhill bench xor --threads 1", "one case on one core"}};
static const example view_examples[] = {{"downhill view digits.jsonl", "the address to open is printed; Ctrl-C ends it"}};
static const example help_examples[] = {{"downhill help train", "the flags and knobs of train"}};

#define DATA_PARAGRAPH                                                                                                     \
    "DATA is a CSV or TSV, NPY, NPZ or IDX file (each also .gz), a directory with the four usual MNIST-style names, or - " \
    "for CSV on standard input."

#define TABLE(name) name, sizeof name / sizeof *name

static const verb table[] = {
    {"train", "DATA", 1, 1, "", TABLE(train_options), TABLE(train_examples), "makes a model from data",
     DATA_PARAGRAPH
     "\nA flag beats the recipe, the recipe beats the default. What is guessed is said, as the flags that would "
     "set it.\nCtrl-C and SIGTERM end the descent after a step and save its state: the same command again goes on from there, "
     "to the same bits. SIGUSR1 saves and goes on.",
     cmd_train},
    {"find-rate", "DATA", 1, 1, "", TABLE(find_options), TABLE(find_examples), "suggests a rate for train",
     DATA_PARAGRAPH
     "\nTakes a few hundred steps of the descent that train would make with the same flags, but each with a longer rate than "
     "the "
     "last, from 1e-7 on, until the cost has run away (the rate range test, Smith 2015). Shows the cost against the rate and "
     "suggests one halfway, in powers of ten, between the rate at which it falls fastest and a tenth of that at which half of "
     "the "
     "fall is lost again. What --rate, --schedule, --warmup and --epochs say doesn't count.\nNo model is made, and nothing but "
     "--svg and --log is "
     "left. Where no rate can be suggested it says why and fails with 1.",
     cmd_find_rate},
    {"race", "DATA", 1, 1, "", TABLE(race_options), TABLE(race_examples),
     "lets rules descend from the same start and compares them",
     DATA_PARAGRAPH
     "\nEach rule makes the descent that train would make with it and the same flags, one after another: the same rows in the "
     "same "
     "batches from the same start weights. A rule takes its own default rate unless --rules, --find-rates or --rate gives "
     "another. "
     "All passes are made unless --patience is given. Test rows aren't looked at, for choosing a rule by them would spoil "
     "them.\nThe "
     "table has the costs of each rule's model, and the steps and seconds until a pass ended with a cost of --to or less: on "
     "validation rows, or on training rows where there are no others.\nThe same command again goes on where a race was "
     "stopped or killed, and runs nothing that is finished: more rules may be added. All but the seconds comes out the same.",
     cmd_race},
    {"eval", "MODEL DATA", 2, 2, "limits", TABLE(eval_options), TABLE(eval_examples), "measures a model on data",
     DATA_PARAGRAPH "\nPrints cost and accuracy with the confusion matrix for classes; cost, errors and R2 for numbers. Of a "
                    "directory it takes the test part where there is one.",
     cmd_eval},
    {"predict", "MODEL DATA", 2, 2, "limits", TABLE(predict_options), TABLE(predict_examples), "answers rows with a model",
     DATA_PARAGRAPH "\nWrites CSV: a header, then a line for every row in its order. The first column is `prediction`; for "
                    "classes a column p(CLASS) for each class follows. Columns are matched by name, or by place where there is "
                    "no header; others are ignored.",
     cmd_predict},
    {"info", "[FILE]", 0, 1, "limits", TABLE(info_options), TABLE(info_examples), "describes data, a model or this machine",
     "FILE is DATA as train takes it, or a model. Without it: this build, the CPU, and the kernels it can run.", cmd_info},
    {"check", "MODEL DATA", 2, 2, "limits", TABLE(eval_options), TABLE(check_examples),
     "proves the gradient on a model's net and data",
     DATA_PARAGRAPH "\nCompares the engine's gradient with central differences of the operators' written formulas in double "
                    "precision, at random weights, and names the worst weight. Fails with 1 unless "
                    "every relative error is under a limit that it names: 0.0001 for layers of up to 16 inputs, and more for "
                    "wider ones.",
     cmd_check},
    {"report", "RUN.jsonl...", 1, OPERANDS_MOST, "limits", TABLE(report_options), TABLE(report_examples),
     "writes what there is to see of a run into one file",
     "RUN.jsonl is a log that train --log wrote. The file is a page that opens from disk and asks nobody for anything: the "
     "trace "
     "as curves, the net's weights, maps of what its units say over two columns, how it answers, and the rows that it is worst "
     "at. It needs the model and the data where the log says they are, and holds some of the rows. More logs are runs to "
     "compare: their traces are drawn over one another. A report takes less than 3 MB; what found no room is said.",
     cmd_report},
    {"bench", "[CASE...]", 0, OPERANDS_MOST, NULL, TABLE(bench_options), TABLE(bench_examples),
     "measures how fast this machine trains",
     "Trains the cases xor, nielsen, digits, wide and table (or those named) on made-up data by the same code as train, at one "
     "thread and at all, and prints the time of a step, its floating-point operations a nanosecond, and what fraction that is "
     "of "
     "the peak: what the multipliers do in a loop that does nothing else, measured in turns with the steps.",
     cmd_bench},
    {"view", "RUN.jsonl...", 1, OPERANDS_MOST, "limits", TABLE(view_options), TABLE(view_examples),
     "shows descents on a page in the browser",
     "RUN.jsonl is what --log of train wrote; several are drawn over one another, and net, map and answers are of the first. A "
     "log that "
     "still grows is followed. The page is served on this machine alone, to who has the address that is printed, until Ctrl-C.",
     cmd_view},
    {"help", "[VERB]", 0, 1, NULL, TABLE(help_options), TABLE(help_examples), "explains a verb", "Also: downhill VERB --help.",
     cmd_help},
    {"version", "", 0, 0, NULL, NULL, 0, NULL, 0, "prints the version", "Also: downhill --version.", cmd_version},
};

const verb *verbs(size_t *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}
