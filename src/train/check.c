/*
 * check.c - proves the engine's gradient against central differences of the operators' formulas.
 *
 * The formulas are walked in double precision, naively and row by row; a probe moves one weight up and down. Of the layer that
 * the weight belongs to only the one unit it feeds is computed anew. Invariant: nothing here calls a kernel but to obtain the
 * gradient under test.
 */
#include "base/fp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "train/init.h"
#include "train/run.h"

#define CHECK_WEIGHTS 10000u
#define CHECK_ROWS 256u
#define CHECK_ROWS_LEAST 8u
/* Multiply-adds that a check may take, a few seconds. */
#define CHECK_WORK 4e9
/* Points of weight space that are tried at most. */
#define CHECK_DRAWS 3u
/* Over the limit by no more than this is little. */
#define CHECK_LITTLE 10
/* A gradient under this part of the whole vector's root mean square is next to nothing. */
#define CHECK_NOTHING 1e-6
#define PROBE 1e-6
/* A gradient under this part of its tensor's root mean square counts as that much. */
#define CHECK_FLOOR 1e-3
/* Part of the weights that may lie at a kink. */
#define CHECK_KINKS 0.01

/* One instruction of the chain that the formulas walk: layer, activation, ..., output activation, cost. */
typedef struct check_link {
    const hill__op *op;
    const hill__instr *layer; /* of a layer */
    size_t inputs, outputs;
    size_t at;    /* where its outputs begin in a row of values */
    size_t instr; /* which instruction it is, or was fused into */
} check_link;

typedef struct checker {
    hill_run *run;
    const hill_plan *plan;
    hill_allocator allocator;
    hill_check *check;
    check_link *links;
    size_t link_count;
    size_t width; /* values a row: inputs, then every link's outputs */
    size_t rows;
    double *values;  /* [rows][width], at the weights */
    double *probed;  /* [width], one row with a weight moved */
    double *other;   /* [width], and moved the other way */
    double *weights; /* [vector] */
    double *targets; /* [rows][outputs] */
    float *gradient; /* [vector] under test */
    float *point;    /* [vector] where it is tested */
} checker;

static void link_add(checker *c, const hill__op *op, const hill__instr *layer, size_t outputs, size_t instr)
{
    size_t inputs = c->link_count ? c->links[c->link_count - 1].outputs : c->plan->inputs;
    c->links[c->link_count++] = (check_link){op, layer, inputs, outputs, c->width, instr};
    c->width += outputs;
}

/* Takes the plan apart into unfused links, the output activation included. */
static void link_all(checker *c)
{
    c->width = c->plan->inputs;
    for (size_t i = 0; i < c->plan->count; i++) {
        const hill__instr *instr = &c->plan->instrs[i];
        bool is_layer = instr->op->family == HILL__LAYER;
        link_add(c, instr->op, is_layer ? instr : NULL, instr->outputs, i);
        if (is_layer && instr->activation != hill__op_at(HILL__OP_identity))
            link_add(c, instr->activation, NULL, instr->outputs, i);
    }
}

static bool has_weights(const check_link *link)
{
    return link->op->flags & HILL__OP_WEIGHTS;
}

static bool has_moments(const check_link *link)
{
    return link->layer && link->layer->mean != HILL__NOWHERE;
}

/* Where in a row of values the input of a join's group is. */
static size_t skip_of(const checker *c, const check_link *join)
{
    size_t at = 0;
    for (const check_link *link = c->links; link < join && join->layer->skip != HILL__NOWHERE; link++)
        if (link->instr == join->layer->from)
            at = link->at;
    return at;
}

/* Computes outputs first .. first + count - 1 of link l for one row of values. */
static void walk_link(const checker *c, size_t l, double *values, const double *target, size_t first, size_t count)
{
    const check_link *link = &c->links[l];
    hill__formula formula = {.x = values + (l ? c->links[l - 1].at : 0),
                             .inputs = link->inputs,
                             .weight = has_weights(link) ? c->weights + link->layer->weight : NULL,
                             .bias = has_weights(link) && link->layer->biases ? c->weights + link->layer->bias : NULL,
                             .mean = has_moments(link) ? c->weights + link->layer->mean : NULL,
                             .variance = has_moments(link) ? c->weights + link->layer->variance : NULL,
                             .columns = link->layer ? link->layer->columns : 0,
                             .y = values + link->at,
                             .outputs = link->outputs,
                             .window = link->layer ? &link->layer->window : NULL,
                             .skip = link->op == hill__op_at(HILL__OP_join) ? values + skip_of(c, link) : NULL,
                             .lookups = link->layer ? link->layer->lookups : NULL,
                             .lookup_count = link->layer ? link->layer->lookup_count : 0,
                             .vector = c->weights,
                             .first = first,
                             .count = count,
                             .target = target,
                             .knobs = &c->plan->cost_knobs};
    link->op->formula(&formula);
}

/* The cost of one row after a weight of link l has changed: of unit `unit` in a dense layer, of units everywhere in others. */
static double walk_from(const checker *c, size_t l, size_t unit, double *values, const double *target)
{
    bool everywhere = c->links[l].op != hill__op_at(HILL__OP_dense);
    walk_link(c, l, values, target, everywhere ? 0 : unit, everywhere ? c->links[l].outputs : 1);
    for (size_t next = l + 1; next < c->link_count; next++)
        walk_link(c, next, values, target, 0, c->links[next].outputs);
    return values[c->width - 1];
}

/* How far input i of a link lies from where its slope jumps. */
static double edge_at(const check_link *link, const double *x, const double *target, size_t i)
{
    if (link->op->family != HILL__COST)
        return x[i];
    return hill__cost_edge(link->op, &(hill__formula){.x = x, .inputs = link->inputs, .target = target}, i);
}

/* True if a link with a kink changes sides between two rows of values. */
static bool straddles(const checker *c, const double *a, const double *b, const double *target)
{
    for (size_t l = 1; l < c->link_count; l++) {
        const check_link *link = &c->links[l];
        size_t x = c->links[l - 1].at;
        if (link->op == hill__op_at(HILL__OP_maxpool) && hill__maxpool_turns(&link->layer->window, a + x, b + x))
            return true;
        for (size_t i = 0; link->op->flags & (HILL__OP_KINK | HILL__OP_MARGIN) && i < link->inputs; i++) {
            double above = edge_at(link, a + x, target, i), other = edge_at(link, b + x, target, i);
            if (above != other && ((above > 0) != (other > 0) || above == 0 || other == 0))
                return true;
        }
    }
    return false;
}

/* Derivative of the mean cost by weight `at`, which feeds unit `unit` of link l. false at a kink. */
static bool probe_weight(checker *c, size_t l, size_t at, size_t unit, double *derivative)
{
    const double kept = c->weights[at], step = PROBE * (fabs(kept) > 1 ? fabs(kept) : 1);
    double sum = 0;
    bool smooth = true;
    for (size_t r = 0; r < c->rows; r++) {
        const double *target = c->targets + r * c->plan->outputs;
        memcpy(c->probed, c->values + r * c->width, c->width * sizeof *c->probed);
        memcpy(c->other, c->values + r * c->width, c->width * sizeof *c->other);
        c->weights[at] = kept + step;
        double up = walk_from(c, l, unit, c->probed, target);
        c->weights[at] = kept - step;
        double down = walk_from(c, l, unit, c->other, target);
        c->weights[at] = kept;
        sum += up - down;
        smooth = smooth && !straddles(c, c->probed, c->other, target);
    }
    *derivative = sum / (2 * step) / (double)c->rows;
    return smooth;
}

/* Root mean square of the engine's gradient over a tensor. */
static double tensor_rms(const checker *c, size_t offset, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)c->gradient[offset + i] * (double)c->gradient[offset + i];
    return sqrt(sum / (double)count);
}

/* Multiply-adds that one row of one probe of link l takes. */
static double probe_work(const checker *c, size_t l)
{
    const check_link *probed = &c->links[l];
    double work = (double)c->width;
    work += (double)(probed->op->flags & HILL__OP_WINDOW ? probed->layer->work : probed->inputs);
    for (size_t next = l + 1; next < c->link_count; next++)
        work += has_weights(&c->links[next]) ? (double)c->links[next].layer->work : 20 * (double)c->links[next].inputs;
    return 2 * work;
}

/* Weights of a tensor to probe, so that all tensors together stay within bounds; *rows shrinks first. */
static size_t probes_for(const checker *c, size_t l, size_t count)
{
    double most = CHECK_WORK / (double)c->plan->slot_count / probe_work(c, l) / (double)c->rows;
    double share = (double)CHECK_WEIGHTS * (double)count / (double)c->plan->parameters;
    double probes = share < most ? share : most;
    probes = probes < 20 ? 20 : probes;
    return probes < (double)count ? (size_t)probes : count;
}

/* "layer2.weight[3, 7]" */
static void name_element(const hill_tensor *tensor, size_t element, char *out, size_t size)
{
    size_t below = hill__tensor_count(tensor);
    int length = snprintf(out, size, "%s[", tensor->name);
    for (size_t i = 0; i < tensor->rank && (size_t)length < size; i++) {
        below /= tensor->shape[i];
        length += snprintf(out + length, size - (size_t)length, "%s%zu%s", i ? ", " : "", element / below,
                           i + 1 < tensor->rank ? "" : "]");
        element %= below;
    }
}

static void compare(checker *c, const hill_tensor *tensor, size_t element, double derivative, double rms)
{
    double g = (double)c->gradient[tensor->offset + element];
    double below = fmax(fmax(fabs(g), fabs(derivative)), CHECK_FLOOR * rms);
    double error = fabs(g - derivative);
    error = error == 0 ? 0 : error / below; /* NaN stays */
    if (error <= c->check->worst || isnan(c->check->worst))
        return;
    c->check->worst = error;
    c->check->worst_engine = g;
    c->check->worst_formula = derivative;
    name_element(tensor, element, c->check->worst_weight, sizeof c->check->worst_weight);
}

/* The link of a layer. */
static size_t link_of(const checker *c, size_t instr)
{
    size_t l = 0;
    while (c->links[l].instr != instr)
        l++;
    return l;
}

/*
 * The i-th element of a tensor to probe. Of a table every second is of a row that one of the check's rows looks up, for all others
 * have no gradient.
 */
static size_t probe_at(const checker *c, size_t index, const hill__permutation *order, uint64_t i)
{
    const hill__slot *slot = &c->plan->slots[index];
    const size_t element = (size_t)hill__permutation_at(order, i);
    if (slot->start != HILL__START_TABLE || i % 2)
        return element;
    const hill__lookup *lookup = &c->plan->lookups[slot->number - 1];
    double number = c->values[(size_t)(i / 2 % c->rows) * c->width + lookup->unit];
    size_t row = number >= 0 && number < (double)lookup->rows ? (size_t)number : lookup->rows - 1;
    return row * lookup->width + element % lookup->width;
}

static void check_tensor(checker *c, size_t index)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    const size_t l = link_of(c, c->plan->slots[index].instr);
    hill_plan_tensor(c->plan, index, &tensor);
    const size_t outputs = tensor.shape[tensor.rank - 1], count = hill__tensor_count(&tensor);
    const size_t probes = probes_for(c, l, count);
    const double rms = tensor_rms(c, tensor.offset, count);
    hill__permutation order = hill__permutation_make(count, c->run->seed, index, HILL__PURPOSE_CHECK);
    for (size_t i = 0; i < probes; i++) {
        size_t element = probe_at(c, index, &order, i);
        double derivative;
        if (!probe_weight(c, l, tensor.offset + element, element % outputs, &derivative)) {
            c->check->kinks++;
            continue;
        }
        c->check->weights++;
        compare(c, &tensor, element, derivative, rms);
    }
}

/* Rows of the source, drawn by the seed, as doubles; and the engine's gradient over just those. */
typedef struct check_rows {
    hill_source source;
    hill__permutation order;
} check_rows;

static int fill_drawn(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    const check_rows *drawn = self;
    for (size_t i = 0; i < count; i++) {
        uint64_t row = hill__permutation_at(&drawn->order, rows[i]);
        HILL__TRY(drawn->source.fill(drawn->source.self, &row, 1, inputs + i * drawn->source.inputs,
                                     targets + i * drawn->source.targets));
    }
    return HILL_OK;
}

static int gather_rows(checker *c, const hill_source *source)
{
    check_rows drawn = {*source, hill__permutation_make(source->rows, c->run->seed, UINT64_MAX, HILL__PURPOSE_CHECK)};
    hill_source few = *source;
    few.self = &drawn;
    few.rows = c->rows;
    few.fill = fill_drawn;
    few.expect = NULL;
    few.weigh = NULL;
    HILL__TRY(hill_run_slope(c->run, c->point, &few, c->gradient));
    for (size_t r = 0; r < c->rows; r++) {
        c->run->rows[0] = r;
        HILL__TRY(hill__run_gather(c->run, &few, 1));
        double *values = c->values + r * c->width, *targets = c->targets + r * c->plan->outputs;
        for (size_t i = 0; i < c->plan->inputs; i++)
            values[i] = (double)c->run->inputs[i];
        for (size_t i = 0; i < c->plan->outputs; i++)
            targets[i] = (double)c->run->targets[i];
        for (size_t l = 0; l < c->link_count; l++)
            walk_link(c, l, values, targets, 0, c->links[l].outputs);
    }
    return HILL_OK;
}

/* All rows up to 256, fewer where even 200 probes a tensor would take too long. */
static size_t rows_for(const checker *c, uint64_t rows)
{
    size_t most = rows < CHECK_ROWS ? (size_t)rows : CHECK_ROWS;
    while (most > CHECK_ROWS_LEAST && probe_work(c, 0) * (double)most * 200 * (double)c->plan->slot_count > CHECK_WORK)
        most /= 2;
    return most;
}

static bool take_memory(checker *c)
{
    const hill_allocator *a = &c->allocator;
    c->values = hill__alloc(a, c->rows * sizeof *c->values, c->width);
    c->probed = hill__alloc(a, c->width, sizeof *c->probed);
    c->other = hill__alloc(a, c->width, sizeof *c->other);
    c->weights = hill__alloc(a, c->plan->vector, sizeof *c->weights);
    c->targets = hill__alloc(a, c->rows * sizeof *c->targets, c->plan->outputs);
    c->gradient = hill__alloc(a, c->plan->vector, sizeof *c->gradient);
    c->point = hill__alloc(a, c->plan->vector, sizeof *c->point);
    return c->values && c->probed && c->other && c->weights && c->targets && c->gradient && c->point;
}

static void free_memory_of(checker *c)
{
    const hill_allocator *a = &c->allocator;
    hill__free(a, c->point, c->plan->vector, sizeof *c->point);
    hill__free(a, c->gradient, c->plan->vector, sizeof *c->gradient);
    hill__free(a, c->targets, c->rows * sizeof *c->targets, c->plan->outputs);
    hill__free(a, c->weights, c->plan->vector, sizeof *c->weights);
    hill__free(a, c->other, c->width, sizeof *c->other);
    hill__free(a, c->probed, c->width, sizeof *c->probed);
    hill__free(a, c->values, c->rows * sizeof *c->values, c->width);
    hill__free(a, c->links, 2 * c->plan->count, sizeof *c->links);
}

/* 1e-4 where sums have up to 16 terms; rounding errors of longer ones grow like a random walk. */
static double default_limit(const checker *c)
{
    size_t widest = 16;
    for (size_t l = 0; l < c->link_count; l++)
        if (has_weights(&c->links[l]) && c->links[l].layer->fan_in > widest)
            widest = c->links[l].layer->fan_in;
    return 1e-4 * sqrt((double)widest / 16);
}

/* The whole check at the point that `seed` draws. */
static int check_at(checker *c, const hill_source *source, uint64_t seed)
{
    c->check->worst = c->check->worst_engine = c->check->worst_formula = 0;
    c->check->weights = c->check->kinks = 0;
    c->check->worst_weight[0] = '\0';
    hill__init_anywhere(c->plan, seed, c->point);
    for (size_t i = 0; i < c->plan->vector; i++)
        c->weights[i] = (double)c->point[i];
    HILL__TRY(gather_rows(c, source));
    for (size_t i = 0; i < c->plan->slot_count; i++)
        if (c->plan->slots[i].trained)
            check_tensor(c, i);
    bool flat = tensor_rms(c, 0, c->plan->vector) == 0;
    double kinks = (double)c->check->kinks / (double)(c->check->kinks + c->check->weights);
    if (flat || kinks > CHECK_KINKS || !(c->check->worst < c->check->limit))
        return HILL_ECHECK;
    return HILL_OK;
}

/*
 * A failure that another point may not repeat: too many weights at a kink, a worst error little over the limit, or one of a
 * weight whose gradient is next to nothing.
 */
static bool is_bad_luck(const checker *c)
{
    const hill_check *check = c->check;
    double most = fmax(fabs(check->worst_engine), fabs(check->worst_formula));
    if ((double)check->kinks > CHECK_KINKS * (double)(check->kinks + check->weights))
        return check->worst < check->limit;
    return check->worst >= check->limit &&
           (check->worst < CHECK_LITTLE * check->limit || most < CHECK_NOTHING * tensor_rms(c, 0, c->plan->vector));
}

/*
 * Rounding of floats now and then makes a small gradient look wrong at one point, and a row can lie at a kink by chance; a bug
 * is wrong at every point.
 */
static int check_all(checker *c, const hill_source *source)
{
    int status = check_at(c, source, c->run->seed);
    for (uint64_t draw = 1; draw < CHECK_DRAWS && status == HILL_ECHECK && is_bad_luck(c); draw++)
        status = check_at(c, source, c->run->seed + draw);
    return status;
}

int hill_run_check(hill_run *run, const hill_source *source, hill_check *check)
{
    checker c = {.run = run, .plan = run->plan, .allocator = run->allocator, .check = check};
    if (source->rows == 0 || source->inputs != run->plan->inputs || source->targets != run->plan->outputs)
        return HILL_EARGUMENT;
    c.links = hill__alloc(&c.allocator, 2 * c.plan->count, sizeof *c.links);
    if (!c.links)
        return HILL_EMEMORY;
    link_all(&c);
    if (!(check->limit > 0))
        check->limit = default_limit(&c);
    c.rows = rows_for(&c, source->rows);
    check->rows = c.rows;
    int status = take_memory(&c) ? check_all(&c, source) : HILL_EMEMORY;
    free_memory_of(&c);
    return status;
}
