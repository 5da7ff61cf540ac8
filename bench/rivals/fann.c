/*
 * fann.c - FANN beside us: plain backpropagation as its own training functions do it, driven as common.py says.
 *
 * A batch is FANN_TRAIN_BATCH over a set of that many rows: the set's pointers go to random rows of the data, so nothing is
 * copied. FANN has no softmax, Adam or ReLU: the other cases are not its own. The driver defines FANN_VERSION.
 */
#define _POSIX_C_SOURCE 200809L

#include <floatfann.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURN 0.3 /* seconds that a turn should take */
#define WARM 1.0 /* seconds of steps before the first */

struct fann_case {
    const char *name;
    unsigned widths[3];
    unsigned batch, rows;
    float rate;
};

static const struct fann_case cases[] = {
    {"xor", {2, 4, 1}, 1, 4, 0.1F},
    {"nielsen", {784, 30, 10}, 10, 60000, 0.1F},
};

struct bench {
    const struct fann_case *of;
    struct fann *net;
    struct fann_train_data *all, *batch;
    unsigned *order; /* the rows as this pass takes them */
    unsigned at;     /* how many of them it has taken */
    uint64_t random;
};

static const struct fann_case *find_case(const char *name)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, name) == 0) {
            return &cases[i];
        }
    }
    fprintf(stderr, "fann: no case %s\n", name);
    exit(2);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static unsigned draw(struct bench *b, unsigned below)
{
    b->random = b->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(((b->random >> 32) * below) >> 32);
}

static void fill(struct bench *b)
{
    unsigned inputs = b->of->widths[0], outputs = b->of->widths[2];
    for (unsigned i = 0; i < b->of->rows; i++) {
        for (unsigned k = 0; k < inputs; k++) {
            b->all->input[i][k] = b->of->batch == 1 ? (float)(i >> (1 - k) & 1) : (float)draw(b, 1000) / 1000.0F;
        }
        for (unsigned k = 0; k < outputs; k++) {
            b->all->output[i][k] = b->of->batch == 1 ? (float)((i >> 1 ^ i) & 1) : 0.0F;
        }
        if (b->of->batch != 1) {
            b->all->output[i][draw(b, outputs)] = 1.0F;
        }
        b->order[i] = i;
    }
}

static void set_up(struct bench *b, const char *name)
{
    b->of = find_case(name);
    b->random = 1;
    b->net = fann_create_standard_array(3, b->of->widths);
    b->all = fann_create_train(b->of->rows, b->of->widths[0], b->of->widths[2]);
    b->batch = fann_create_train(b->of->batch, b->of->widths[0], b->of->widths[2]);
    b->order = malloc(b->of->rows * sizeof *b->order);
    if (b->net == NULL || b->all == NULL || b->batch == NULL || b->order == NULL) {
        fprintf(stderr, "fann: out of memory\n");
        exit(1);
    }
    /* A steepness of 1/2, FANN's default, makes its sigmoid the usual one. */
    fann_set_activation_function_hidden(b->net, FANN_SIGMOID);
    fann_set_activation_function_output(b->net, FANN_SIGMOID);
    fann_set_train_error_function(b->net, FANN_ERRORFUNC_LINEAR);
    fann_set_training_algorithm(b->net, b->of->batch == 1 ? FANN_TRAIN_INCREMENTAL : FANN_TRAIN_BATCH);
    fann_set_learning_rate(b->net, b->of->rate);
    fann_set_learning_momentum(b->net, 0.0F);
    fill(b);
}

static void shuffle(struct bench *b)
{
    for (unsigned i = b->of->rows - 1; i > 0; i--) {
        unsigned other = draw(b, i + 1), row = b->order[i];
        b->order[i] = b->order[other];
        b->order[other] = row;
    }
}

static void step(struct bench *b)
{
    if (b->at == b->of->rows) {
        b->at = 0;
    }
    if (b->of->batch == 1) {
        fann_train(b->net, b->all->input[b->at], b->all->output[b->at]);
        b->at++;
        return;
    }
    if (b->at == 0) {
        shuffle(b);
    }
    for (unsigned i = 0; i < b->of->batch; i++) {
        b->batch->input[i] = b->all->input[b->order[b->at]];
        b->batch->output[i] = b->all->output[b->order[b->at]];
        b->at++;
    }
    fann_train_epoch(b->net, b->batch);
}

static double seconds_of(struct bench *b, long steps)
{
    double begin = now();
    for (long i = 0; i < steps; i++) {
        step(b);
    }
    return now() - begin;
}

static long steps_of_a_turn(struct bench *b)
{
    long steps = 1;
    double end = now() + WARM;
    for (;;) {
        double seconds = seconds_of(b, steps);
        if (now() > end && seconds > TURN / 4) {
            return (long)((double)steps * TURN / seconds) + 1;
        }
        if (seconds < TURN / 2) {
            steps *= 2;
        }
    }
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    char line[16];
    if (argc < 2) {
        puts("{\"name\": \"FANN\", \"version\": \"" FANN_VERSION "\", \"ways\": "
             "[{\"way\": \"train\", \"column\": \"FANN\", \"cases\": [\"xor\", \"nielsen\"], \"threaded\": false}]}");
        return 0;
    }
    set_up(&b, argv[1]);
    long steps = steps_of_a_turn(&b);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        printf("%.6g\n", 1e6 * seconds_of(&b, steps) / (double)steps);
        fflush(stdout);
    }
    return 0;
}
