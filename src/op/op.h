/*
 * op.h - operators: what an instruction of a plan does, forward and backward, and the formula it is proved against.
 */
#ifndef HILL_OP_OP_H
#define HILL_OP_OP_H

#include "base/threads.h"
#include "kernel/kernel.h"
#include "op/window.h"

typedef enum hill__op_id {
#define LAYER(id, word, flags, formula, sentence) HILL__OP_##id,
#define ACTIVATION(id, word, flags, formula, sentence) HILL__OP_##id,
#define COST(id, word, kernel, output, flags, formula, sentence) HILL__OP_##id,
#include "op/op.def"
    HILL__OP_COUNT
} hill__op_id;

typedef enum hill__family { HILL__LAYER, HILL__ACTIVATION, HILL__COST } hill__family;

#define HILL__OP_FROM_INPUT 1u
#define HILL__OP_KINK 2u
#define HILL__OP_ROW 4u
#define HILL__OP_UNITS 8u
#define HILL__OP_WINDOW 16u
#define HILL__OP_WEIGHTS 32u
#define HILL__OP_MARGIN 64u
#define HILL__OP_UNSCALED 128u
#define HILL__OP_COUNTS 256u
#define HILL__OP_PART 512u
#define HILL__OP_TABLES 1024u
#define HILL__OP_BENDS 2048u
#define HILL__OP_WAVES 4096u

/* Tables of a net, at most; their rows, whose numbers floats hold exactly; and what a row has. */
#define HILL__LOOKUPS 64u
#define HILL__LOOKUP_ROWS 16777216u
#define HILL__LOOKUP_WIDTH 1024u

/*
 * The rows of tables that a batch has looked up, a number a lookup: what its successor must clear of the gradient. SIZE_MAX: they
 * found no room, so all must be cleared.
 */
typedef struct hill__met {
    float *numbers;
    size_t count, room;
} hill__met;

/* An input that holds the number of a row, and the table that the row is of. */
typedef struct hill__lookup {
    size_t unit; /* of the inputs */
    size_t rows, width;
    size_t first;  /* where the row is among what comes out */
    size_t weight; /* offset in a vector */
} hill__lookup;

/* No buffer. */
#define HILL__NOWHERE SIZE_MAX

/*
 * One instruction of a plan. Offsets of buffers count floats from the start of scratch; a buffer has the block's rows.
 * `x` is HILL__NOWHERE for the first instruction, which reads the inputs.
 */
typedef struct hill__instr {
    const struct hill__op *op;
    const struct hill__op *activation; /* of a layer with weights: the one fused into it */
    size_t inputs, outputs;            /* units a row */
    hill__window window;               /* of a layer that has one */
    size_t weight, bias;               /* offsets in a vector, of a layer that has them */
    size_t weights, biases;            /* how many */
    size_t mean, variance;             /* of a layer that keeps such of its columns */
    size_t standard, inverse;          /* of a layer that standardises lines: those, and one over their deviations */
    double part;                       /* of a dropout: what it drops */
    size_t number;                     /* and how many stand before it */
    const hill__lookup *lookups;       /* of an embedding, by ascending unit */
    size_t lookup_count;
    size_t columns;               /* of a layer that treats every channel, or every unit of a row, alike */
    size_t fan_in, fan_out;       /* weights that a unit has, and that read an input */
    size_t work;                  /* multiply-adds a row and product */
    size_t x, z, y;               /* input; before the activation (where its slope needs that, else equal to y); output */
    size_t skip;                  /* of a join: the input of its group, HILL__NOWHERE where that is the net's */
    size_t saved;                 /* of a join and its fork: the gradient that goes past the group, HILL__NOWHERE for none */
    size_t from;                  /* of a join: the instruction that made `skip` */
    bool first;                   /* nobody needs the gradient of its input */
    const struct hill__op *below; /* of a layer: the activation fused into the layer that made x, or identity */
    size_t below_z;               /* what the slope of `below` is taken at */
    bool slope_above;             /* the layer that reads y multiplies by this layer's slope */
    bool turn_d;                  /* backward turns d and dx over, which are smaller than the weights */
} hill__instr;

/*
 * What a walk over the instructions works on. A backward walk keeps the gradient of the current buffer in `d`; an operator
 * that hands a gradient on to its input writes it to `d_next` and swaps the two.
 */
typedef struct hill__walk {
    const hill__kernels *kernels;
    hill__pool *pool;
    const float *weights;
    float *gradient;
    float *kept; /* a step's: the vector whose means and variances follow the rows; NULL: nothing follows, nothing is dropped */
    hill__met *met; /* NULL: nothing is known of the gradient */
    bool add;       /* a later block of the batch: add to the gradient instead of writing it */
    float *scratch;
    const float *inputs;
    const float *targets;
    uint64_t seed, step;      /* what is dropped; likewise the next two */
    double drops;             /* so much of the layers' parts */
    size_t first_row;         /* of this block, in its batch */
    const float *row_weights; /* NULL: every row counts once */
    size_t rows;              /* of this block */
    float *d, *d_next;
    float *turned;     /* room for what a layer turns over: its weights, or d and dx */
    float *costs;      /* [rows] */
    hill__flag broken; /* raised where the gradient of a weight or bias isn't finite */
    float scale;       /* one over the rows of the batch */
    hill__cost_knobs knobs;
} hill__walk;

/* The naive double-precision form of an operator for one row; outputs first .. first + count - 1 of y are computed. */
typedef struct hill__formula {
    const double *x;
    size_t inputs;
    const double *weight, *bias; /* [inputs][outputs], [outputs] */
    const double *mean, *variance;
    size_t columns;
    double *y;
    size_t outputs;
    const hill__window *window;  /* of a layer */
    const double *skip;          /* of a join */
    const hill__lookup *lookups; /* of an embedding */
    size_t lookup_count;
    const double *vector; /* what the lookups' offsets are of */
    size_t first, count;
    const double *target;
    const hill__cost_knobs *knobs;
} hill__formula;

typedef struct hill__op {
    const char *word;
    hill__family family;
    unsigned flags;
    unsigned kernel; /* hill__map or hill__cost_kind */
    hill__op_id output;
    const char *formula_text;
    const char *sentence;
    void (*forward)(const hill__instr *instr, hill__walk *walk);
    void (*backward)(const hill__instr *instr, hill__walk *walk);
    void (*formula)(const hill__formula *formula);
} hill__op;

const hill__op *hill__op_at(hill__op_id id);

/* The operator of a family called `word`, or NULL. */
const hill__op *hill__op_find(hill__family family, const char *word);

/* Start of a buffer. */
static inline float *hill__buffer(const hill__walk *walk, size_t offset)
{
    return walk->scratch + offset;
}

static inline const float *hill__input_of(const hill__instr *instr, const hill__walk *walk)
{
    return instr->x == HILL__NOWHERE ? walk->inputs : walk->scratch + instr->x;
}

/* Runs task on as many threads as `work` (multiply-adds, or elements times what one costs in such) deserves. */
void hill__walk_share(const hill__walk *walk, size_t work, hill__task task, void *context);

/* A product that threads share, each with whole tiles of results. */
void hill__multiply(const hill__walk *walk, const hill__gemm *gemm);

/* The families' functions, for op.c's table. */
#define LAYER(id, word, flags, formula, sentence)                          \
    void hill__##id##_forward(const hill__instr *instr, hill__walk *walk); \
    void hill__##id##_backward(const hill__instr *instr, hill__walk *walk);
#include "op/op.def"
void hill__activation_forward(const hill__instr *instr, hill__walk *walk);
void hill__activation_backward(const hill__instr *instr, hill__walk *walk);
void hill__cost_forward(const hill__instr *instr, hill__walk *walk);
void hill__cost_backward(const hill__instr *instr, hill__walk *walk);
#define LAYER(id, word, flags, formula, sentence) void hill__##id##_formula(const hill__formula *f);
#define ACTIVATION(id, word, flags, formula, sentence) void hill__##id##_formula(const hill__formula *f);
#define COST(id, word, kernel, output, flags, formula, sentence) void hill__##id##_formula(const hill__formula *f);
#include "op/op.def"

/* How far above its kink input i of a cost with KINK or MARGIN lies. */
double hill__cost_edge(const hill__op *cost, const hill__formula *formula, size_t i);

/* Activation loops on buffers of any shape, shared by dense and activation.c: in place where y == x. */
void hill__activate(const hill__op *activation, const hill__walk *walk, float *y, const float *x, size_t units);
void hill__activate_slope(const hill__op *activation, const hill__walk *walk, float *d, const float *v, size_t units);

/* Takes walk->d, the gradient of a layer's output, before its activation, where the layer above hasn't done so. */
void hill__slope_own(const hill__instr *instr, const hill__walk *walk);

/* Multiplies d_next, a layer's gradient of its input, by the slope of the activation that made that: for so many rows from one on. */
void hill__slope_below(const hill__instr *instr, const hill__walk *walk, size_t first, size_t rows);

/* d_next becomes d. */
void hill__hand_on(hill__walk *walk);

/* Whether the most of a window is another input with values `a` than with `b`. */
bool hill__maxpool_turns(const hill__window *window, const double *a, const double *b);

#endif
