/*
 * plan.h - a recipe compiled once: instructions in forward order, the layout of a vector and of scratch.
 */
#ifndef HILL_PLAN_PLAN_H
#define HILL_PLAN_PLAN_H

#include "op/op.h"
#include "plan/growth.h"
#include "plan/recipe.h"
#include "plan/words.h"

/* Rows that are worked on at once. Part of the arithmetic: a gradient is one chain within a block, blocks are added in order. */
#define HILL__BLOCK_ROWS 256u
/* Smallest block, so that a net with batch 1 is still evaluated many rows at a time. */
#define HILL__BLOCK_LEAST 32u
/* Rows of a batch whose lookups are noted. A larger one takes so long that clearing whole tables behind it is little. */
#define HILL__MET_ROWS 4096u
/* Floats a vector's tensors and scratch buffers are padded to: kernels may read and write the lanes behind the last float. */
#define HILL__PAD HILL__LANES

/* What a tensor begins as. */
typedef enum hill__start {
    HILL__START_DRAWN,
    HILL__START_BIAS,
    HILL__START_ONE,
    HILL__START_ZERO,
    HILL__START_TABLE,
    HILL__START_QUARTER,
    HILL__START_NORMAL
} hill__start;

/* A tensor of a vector. */
typedef struct hill__slot {
    const char *name;
    size_t number; /* behind the name; 0: none */
    size_t layer;  /* from 1, of those that have tensors */
    size_t instr;  /* its instruction */
    size_t rank, shape[4];
    size_t offset, count;
    hill__start start;
    double deviation; /* of a normal start */
    bool trained;     /* else a layer keeps it: no gradient, no rule */
} hill__slot;

struct hill_plan {
    hill_allocator allocator;
    hill_recipe *recipe; /* resolved */
    hill_task task;
    size_t inputs, outputs;
    hill__extent picture; /* what the inputs are; height 0: no picture */
    hill__instr *instrs;  /* layers and activations, then the cost */
    size_t count;
    size_t capacity;
    size_t
        hidden_count; /* instructions that training walks: all but the cost and, with a fused cost, the answer's activation */
    size_t answer;    /* buffer that holds the answers */
    size_t costs;     /* buffer of a block's row costs */
    size_t d, d_next; /* buffers of the backward walk */
    size_t turned;
    size_t grown; /* buffer of inputs that have grown */
    hill__growth growth;
    size_t block_rows;
    size_t batch; /* rows a step; 0: all there are */
    size_t vector;
    size_t trained; /* floats from the start that rules see; behind them is what layers keep */
    size_t parameters;
    size_t layers; /* that have tensors */
    size_t dropouts;
    hill__lookup lookups[HILL__LOOKUPS]; /* of its embedding */
    size_t lookup_count;
    size_t met, met_room; /* buffer of the rows that a batch meets, and its floats */
    hill__slot *slots;
    size_t slot_count, slot_capacity;
    size_t scratch; /* floats */
    hill__rule_id rule;
    double average;                /* 0: none */
    size_t muon_room, muon_square; /* floats for its largest matrix, and for its shorter side's square */
    hill__cost_knobs cost_knobs;
};

/* hill_plan_new; `fused` false gives every activation an instruction of its own: the twin that tests compare with. */
int hill__plan_build(const hill_recipe *recipe, const hill_shape *shape, bool fused, const hill_allocator *allocator,
                     hill_plan **out, hill_error *error);

/*
 * hill_plan_new for a model: blocks have fewer rows where whole ones would take much more memory than the weights, as those of a
 * hostile file may be made to. Answers don't depend on it.
 */
int hill__plan_answering(const hill_recipe *recipe, const hill_shape *shape, const hill_allocator *allocator, hill_plan **out,
                         hill_error *error);

/* Vectors that follow the weights from step to step: those that the rule keeps, and their average. */
size_t hill__plan_moments(const hill_plan *plan);

/* Vectors of a run: weights and moments, twice; gradient, best weights, weights before the step. */
size_t hill__plan_vectors(const hill_plan *plan);

/* Whether a tensor is a weight matrix of a hidden layer; *cols: its outputs. */
bool hill__slot_is_matrix(const hill_plan *plan, const hill__slot *slot, size_t *cols);

/* Floats of a tensor. */
size_t hill__tensor_count(const hill_tensor *tensor);

/* The instruction of a layer as hill_plan_layer counts them; HILL__NOWHERE: there is none. */
size_t hill__plan_layer_instr(const hill_plan *plan, size_t layer);

/* The cost instruction. */
const hill__instr *hill__plan_cost(const hill_plan *plan);

#endif
