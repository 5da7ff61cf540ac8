/*
 * bench_cases.c - the nets that `bench` trains, and the data it trains them on.
 *
 * Invariant: a case is a recipe and a table like any other; nothing here or behind it is done for `bench` alone.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench_cases.h"

#include "input.h"
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGES 60000u
#define IMAGE_BYTES 784u
#define NUMBER_ROWS 20000u
#define NUMBER_COLUMNS 8u

/* As many passes as a recipe may ask for: a measurement ends when it has seen enough. */
#define ENDLESS "\nvalid=0\nepochs=1000000000000"

static const bench_case cases[] = {
    {"xor", BENCH_XOR,
     "task=numbers\nscale=none\nnet=4 sigmoid, output sigmoid\ncost=squared\nrule=sgd\nrate=0.1\nbatch=1\norder=file" ENDLESS},
    {"nielsen", BENCH_IMAGES, "net=30 sigmoid, output sigmoid\ncost=squared\nrule=sgd\nrate=0.1\nbatch=10" ENDLESS},
    {"digits", BENCH_IMAGES, "net=128 relu\ncost=cross-entropy\nrule=adam\nrate=0.001\nbatch=64" ENDLESS},
    {"wide", BENCH_IMAGES, "net=512 relu, 512 relu\ncost=cross-entropy\nrule=adam\nrate=0.001\nbatch=128" ENDLESS},
    {"lenet", BENCH_IMAGES,
     "net=conv 32 5x5 relu, maxpool 2, conv 64 5x5 relu, maxpool 2, 256 relu\n"
     "cost=cross-entropy\nrule=adam\nrate=0.001\nbatch=64" ENDLESS},
    {"table", BENCH_NUMBERS, "task=numbers\nnet=256 relu, 256 relu\ncost=squared\nrule=adamw\nrate=0.001\nbatch=256" ENDLESS},
};

const bench_case *bench_cases(size_t *count)
{
    *count = sizeof cases / sizeof *cases;
    return cases;
}

const bench_case *bench_case_find(const char *name)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    return NULL;
}

/* A linear congruential generator: what is drawn only has to be the same every time. */
static unsigned draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 40);
}

static int parse(const text *csv, const hill_host *host, hill_table **out)
{
    hill_error error = HILL_ERROR_INIT;
    hill_bytes bytes = {text_get(csv), csv->length, "bench"};
    if (csv->failed)
        return output_failure(HILL_EMEMORY, NULL);
    int status = hill_table_parse(&bytes, NULL, host, out, &error);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

static int open_xor(const hill_host *host, hill_table **out)
{
    text csv = TEXT_INIT;
    text_string(&csv, "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n");
    int code = parse(&csv, host, out);
    text_free(&csv);
    return code;
}

static int open_numbers(const hill_host *host, hill_table **out)
{
    uint64_t state = 1;
    text csv = TEXT_INIT;
    for (unsigned column = 0; column < NUMBER_COLUMNS; column++)
        text_format(&csv, "x%u,", column);
    text_string(&csv, "y\n");
    for (unsigned row = 0; row < NUMBER_ROWS; row++) {
        unsigned sum = 0;
        for (unsigned column = 0; column < NUMBER_COLUMNS; column++) {
            unsigned cell = draw(&state) % 1000;
            sum += cell * cell % (column + 900);
            text_format(&csv, "%u,", cell);
        }
        text_format(&csv, "%u.5\n", sum);
    }
    int code = parse(&csv, host, out);
    text_free(&csv);
    return code;
}

static void add_big(text *out, unsigned value)
{
    const char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    text_bytes(out, bytes, sizeof bytes);
}

/* One file of the pair that IDX keeps images in; a fifth of the pixels is ink, as in MNIST. */
static int write_idx(const char *path, bool images)
{
    uint64_t state = 2;
    output_file file;
    text bytes = TEXT_INIT;
    int code = output_create(path, &file);
    if (code)
        return code;
    add_big(&bytes, images ? 0x0803 : 0x0801);
    add_big(&bytes, IMAGES);
    if (images) {
        add_big(&bytes, 28);
        add_big(&bytes, 28);
    }
    for (unsigned i = 0; i < IMAGES && code == 0; i++) {
        char row[IMAGE_BYTES];
        for (size_t pixel = 0; pixel < (images ? IMAGE_BYTES : 1); pixel++) {
            unsigned value = draw(&state);
            row[pixel] = (char)(!images ? i % 10 : value % 5 ? 0 : value >> 8 & 0xFF);
        }
        text_bytes(&bytes, row, images ? IMAGE_BYTES : 1);
        code = output_append(&file, &bytes);
    }
    text_free(&bytes);
    if (code == 0)
        return output_close(&file);
    output_drop(&file);
    return code;
}

/* Images are read from files, as `train` reads them; the files live as long as that takes. */
static int open_images(const hill_host *host, hill_table **out)
{
    static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"};
    const char *place = getenv("TMPDIR");
    text folder = TEXT_INIT, paths[2] = {TEXT_INIT, TEXT_INIT};
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    text_format(&folder, "%s/downhill-bench-XXXXXX", place && *place ? place : "/tmp");
    if (folder.failed)
        return output_failure(HILL_EMEMORY, NULL);
    if (!mkdtemp(folder.data)) {
        int code = output_error(CODE_CREATE, "bench: no folder for 47 MB of images can be made in %s: %s; set TMPDIR",
                                place && *place ? place : "/tmp", strerror(errno));
        text_free(&folder);
        return code;
    }
    int code = 0;
    for (size_t i = 0; i < 2 && code == 0; i++) {
        text_format(&paths[i], "%s/%s", text_get(&folder), names[i]);
        code = paths[i].failed ? output_failure(HILL_EMEMORY, NULL) : write_idx(text_get(&paths[i]), i == 0);
    }
    if (code == 0)
        code = input_open(text_get(&folder), &options, host, out);
    for (size_t i = 0; i < 2; i++) {
        (void)unlink(text_get(&paths[i]));
        text_free(&paths[i]);
    }
    (void)rmdir(text_get(&folder));
    text_free(&folder);
    return code;
}

int bench_open(bench_data data, const hill_host *host, hill_table **out)
{
    *out = NULL;
    if (data == BENCH_XOR)
        return open_xor(host, out);
    return data == BENCH_NUMBERS ? open_numbers(host, out) : open_images(host, out);
}
