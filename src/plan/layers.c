/*
 * layers.c - the instructions of a plan, appended one by one: what each reads, writes and needs room for.
 */
#include "base/fp.h"

#include "plan/layers.h"

#include <string.h>

/* Takes `floats` from *total, padded; false when sizes wrap. */
static bool reserve(size_t *total, size_t floats, size_t *offset)
{
    size_t padded;
    *offset = *total;
    return hill__round_up(floats, HILL__PAD, &padded) && hill__add(*total, padded, total);
}

static bool reserve_rows(hill__builder *builder, size_t units, size_t *offset)
{
    size_t floats;
    return hill__mul(units, builder->plan->block_rows, &floats) && reserve(&builder->plan->scratch, floats, offset);
}

static hill__instr *append(hill__builder *builder, const hill__op *op, size_t outputs)
{
    hill_plan *plan = builder->plan;
    void *instrs = plan->instrs;
    if (!hill__grow(&plan->allocator, &instrs, &plan->capacity, plan->count + 1, sizeof *plan->instrs))
        return NULL;
    plan->instrs = instrs;
    hill__instr *instr = &plan->instrs[plan->count++];
    *instr = (hill__instr){.op = op,
                           .activation = hill__op_at(HILL__OP_identity),
                           .inputs = builder->width,
                           .outputs = outputs,
                           .weight = HILL__NOWHERE,
                           .bias = HILL__NOWHERE,
                           .mean = HILL__NOWHERE,
                           .variance = HILL__NOWHERE,
                           .skip = HILL__NOWHERE,
                           .saved = HILL__NOWHERE,
                           .below = hill__op_at(HILL__OP_identity),
                           .x = builder->x,
                           .first = plan->layers == 0};
    return instr;
}

static bool add_activation(hill__builder *builder, const hill__op *activation)
{
    hill__instr *instr = append(builder, activation, builder->width);
    if (!instr || !reserve_rows(builder, builder->width, &instr->y))
        return false;
    instr->z = activation->flags & HILL__OP_FROM_INPUT ? instr->x : instr->y;
    builder->x = instr->y;
    return true;
}

/* The layer that makes this one's input lets it multiply by its slope, where that is a matter of single units. */
static void take_slope_below(hill_plan *plan, hill__instr *instr)
{
    hill__instr *below = plan->count > 1 ? instr - 1 : NULL;
    if (instr->first || !below || below->op->family != HILL__LAYER || below->activation == hill__op_at(HILL__OP_identity) ||
        below->activation->flags & HILL__OP_ROW)
        return;
    instr->below = below->activation;
    instr->below_z = below->z;
    below->slope_above = true;
}

/* What a layer turns over for its input's gradient: its weights, or, where it has no window and they are smaller, d and dx. */
static bool reserve_turned(hill__builder *builder, hill__instr *instr)
{
    size_t units, floats;
    if (!hill__add(instr->inputs, instr->outputs, &units) || !hill__mul(units, builder->plan->block_rows, &floats))
        return false;
    instr->turn_d = floats < instr->weights && instr->window.height == 0;
    floats = instr->turn_d ? floats : instr->weights;
    builder->largest_turned = floats > builder->largest_turned ? floats : builder->largest_turned;
    return true;
}

/* A tensor of the layer under way. What isn't trained gets its place behind all that is, once the layers are there. */
static bool reserve_tensor(hill__builder *builder, const hill__slot *draft, size_t *offset)
{
    hill_plan *plan = builder->plan;
    void *slots = plan->slots;
    if (!hill__grow(&plan->allocator, &slots, &plan->slot_capacity, plan->slot_count + 1, sizeof *plan->slots))
        return false;
    plan->slots = slots;
    hill__slot *slot = &plan->slots[plan->slot_count++];
    *slot = *draft;
    slot->layer = plan->layers + 1;
    slot->instr = plan->count - 1;
    slot->count = 1;
    for (size_t i = 0; i < slot->rank; i++)
        if (!hill__mul(slot->count, slot->shape[i], &slot->count))
            return false;
    bool fits = reserve(slot->trained ? &plan->vector : &builder->kept, slot->count, offset);
    slot->offset = *offset;
    plan->parameters += slot->trained ? slot->count : 0;
    return fits;
}

/* Each output its own weights of all it sees, and a bias. */
static bool reserve_products(hill__builder *builder, hill__instr *instr, const hill__net_layer *layer)
{
    const hill__window *window = &instr->window;
    hill__slot weight = {.name = "weight", .rank = 2, .shape = {instr->inputs, layer->units}, .trained = true};
    hill__slot bias = {.name = "bias", .rank = 1, .shape = {layer->units}, .start = HILL__START_BIAS, .trained = true};
    size_t places = 1;
    instr->biases = layer->units;
    instr->fan_in = instr->inputs;
    instr->fan_out = layer->units;
    if (window->height) {
        size_t channels = window->in.channels / window->groups, pixels = window->height * window->width;
        const size_t shape[] = {window->height, window->width, channels, layer->units};
        weight.rank = 4;
        memcpy(weight.shape, shape, sizeof shape);
        places = hill__pixels(&window->out);
        if (!hill__mul(channels, pixels, &instr->fan_in) || !hill__mul(layer->units / window->groups, pixels, &instr->fan_out))
            return false;
    }
    return hill__mul(instr->fan_in, instr->biases, &instr->weights) && hill__mul(instr->weights, places, &instr->work) &&
           reserve_tensor(builder, &weight, &instr->weight) && reserve_tensor(builder, &bias, &instr->bias) &&
           (instr->first || reserve_turned(builder, instr));
}

/* Room for the standardised lines of a layer, and a number for each. */
static bool reserve_lines(hill__builder *builder, hill__instr *instr)
{
    return instr->op != hill__op_at(HILL__OP_layernorm) ||
           (reserve_rows(builder, instr->outputs, &instr->standard) &&
            reserve_rows(builder, instr->outputs / instr->columns, &instr->inverse));
}

/* What is treated alike: the channels of a picture, or the units of a row. */
static size_t alike_of(const hill__extent *in)
{
    return in->height == 1 && in->channels == 1 ? in->width : in->channels;
}

/* A weight a column, in a layer that normalises a bias, in a batchnorm a mean and a variance; and room for five numbers of each. */
static bool reserve_columns(hill__builder *builder, hill__instr *instr)
{
    instr->columns = alike_of(&builder->extent);
    instr->weights = instr->columns;
    const bool has_bias = instr->op != hill__op_at(HILL__OP_scale) && !(instr->op->flags & HILL__OP_BENDS);
    const hill__start start = instr->op == hill__op_at(HILL__OP_prelu) ? HILL__START_QUARTER : HILL__START_ONE;
    hill__slot slot = {.name = "weight", .rank = 1, .shape = {instr->columns}, .start = start, .trained = true};
    size_t room;
    if (!hill__round_up(instr->columns, HILL__PAD, &room) || !hill__mul(room, 5, &room) ||
        !reserve(&builder->plan->scratch, room, &instr->saved) || !reserve_tensor(builder, &slot, &instr->weight))
        return false;
    if (!has_bias)
        return true;
    instr->biases = instr->columns;
    slot.name = "bias";
    slot.start = HILL__START_ZERO;
    bool fits = reserve_tensor(builder, &slot, &instr->bias) && reserve_lines(builder, instr);
    if (instr->op != hill__op_at(HILL__OP_batchnorm))
        return fits;
    slot.name = "mean";
    slot.trained = false;
    fits = fits && reserve_tensor(builder, &slot, &instr->mean);
    slot.name = "variance";
    slot.start = HILL__START_ONE;
    return fits && reserve_tensor(builder, &slot, &instr->variance);
}

/* So many numbers a column. */
static bool reserve_waves(hill__builder *builder, hill__instr *instr, const hill__net_layer *layer)
{
    instr->columns = alike_of(&builder->extent);
    const hill__slot slot = {.name = "weight",
                             .rank = 2,
                             .shape = {instr->columns, layer->waves},
                             .start = HILL__START_NORMAL,
                             .deviation = layer->deviation,
                             .trained = true};
    return hill__mul(instr->columns, layer->waves, &instr->weights) && reserve_tensor(builder, &slot, &instr->weight);
}

static bool reserve_weights(hill__builder *builder, hill__instr *instr, const hill__net_layer *layer)
{
    bool fits = instr->op->flags & HILL__OP_UNITS   ? reserve_products(builder, instr, layer)
                : instr->op->flags & HILL__OP_WAVES ? reserve_waves(builder, instr, layer)
                                                    : reserve_columns(builder, instr);
    builder->plan->layers++;
    return fits;
}

/* The tables of an embedding, each a tensor. */
static bool reserve_tables(hill__builder *builder, hill__instr *instr)
{
    hill_plan *plan = builder->plan;
    hill__slot slot = {.name = "table", .rank = 2, .start = HILL__START_TABLE, .trained = true};
    instr->lookups = plan->lookups;
    instr->lookup_count = plan->lookup_count;
    for (size_t i = 0; i < plan->lookup_count; i++) {
        slot.number = i + 1;
        slot.shape[0] = plan->lookups[i].rows;
        slot.shape[1] = plan->lookups[i].width;
        if (!reserve_tensor(builder, &slot, &plan->lookups[i].weight))
            return false;
    }
    plan->layers++;
    size_t rows = plan->batch > 0 && plan->batch < HILL__MET_ROWS ? plan->batch : HILL__MET_ROWS;
    plan->met_room = rows * plan->lookup_count;
    return reserve(&plan->scratch, plan->met_room, &plan->met);
}

/* Where the tables' rows go: each into the place of its unit. */
static int place_tables(hill__builder *builder, const hill__net_layer *layer, hill__extent *out, hill_error *error)
{
    hill_plan *plan = builder->plan;
    size_t more = 0;
    if (plan->picture.height)
        return hill__fail(error, HILL_ERECIPE, "net: character %zu: the inputs are a picture, which holds no rows' numbers",
                          layer->at);
    for (size_t i = 0; i < plan->lookup_count; i++) {
        hill__lookup *lookup = &plan->lookups[i];
        if (lookup->unit >= builder->width)
            return hill__fail(error, HILL_ERECIPE, "net: character %zu: there is no unit %zu; the inputs are %zu", layer->at,
                              lookup->unit + 1, builder->width);
        lookup->first = lookup->unit + more;
        more += lookup->width - 1;
    }
    *out = (hill__extent){1, builder->width + more, 1};
    return HILL_OK;
}

/* Places what layers keep behind what is trained. */
static bool place_kept(hill__builder *builder)
{
    hill_plan *plan = builder->plan;
    plan->trained = plan->vector;
    for (size_t i = 0; i < plan->slot_count; i++)
        plan->slots[i].offset += plan->slots[i].trained ? 0 : plan->trained;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->instrs[i].mean != HILL__NOWHERE) {
            plan->instrs[i].mean += plan->trained;
            plan->instrs[i].variance += plan->trained;
        }
    return hill__add(plan->vector, builder->kept, &plan->vector);
}

/* Where the window goes, and what comes out. */
static int place_window(hill__builder *builder, const hill__net_layer *layer, hill__window *window, hill_error *error)
{
    const hill__extent *in = &builder->extent;
    size_t outputs;
    bool all = layer->width == 0, lines = layer->height == 0 && in->height == 1;
    *window = (hill__window){.in = *in, .groups = layer->groups};
    window->width = all ? in->width : layer->width;
    window->height = all ? in->height : lines ? 1 : layer->height ? layer->height : layer->width;
    window->stride = layer->stride ? layer->stride : layer->op->flags & HILL__OP_WEIGHTS ? 1 : window->width;
    window->out.channels = layer->units ? layer->units : in->channels;
    if (!hill__window_place(window, layer->same))
        return hill__fail(error, HILL_ERECIPE,
                          "net: character %zu: a window of %zux%zu is larger than what it slides over, %zux%zu%s", layer->at,
                          window->height, window->width, in->height, in->width,
                          builder->plan->picture.height ? "" : "; the inputs are no pictures, but a row of columns");
    if (in->channels % window->groups || window->out.channels % window->groups)
        return hill__fail(error, HILL_ERECIPE, "net: character %zu: %zu groups share out neither %zu channels to %zu evenly",
                          layer->at, window->groups, in->channels, window->out.channels);
    if (!hill__mul(hill__pixels(&window->out), window->out.channels, &outputs))
        return hill__fail_memory(error);
    return HILL_OK;
}

/* A group begins. Where no weights stand before it nobody needs the gradient of its input. */
static bool begin_group(hill__builder *builder, const hill__net_layer *layer)
{
    size_t i = builder->group_count++;
    builder->groups[i].x = builder->x;
    builder->groups[i].from = builder->plan->count - 1;
    builder->groups[i].extent = builder->extent;
    builder->groups[i].saved = HILL__NOWHERE;
    if (builder->plan->layers == 0)
        return true;
    hill__instr *instr = append(builder, layer->op, builder->width);
    if (!instr || !reserve_rows(builder, builder->width, &builder->groups[i].saved))
        return false;
    instr->y = instr->z = builder->x;
    instr->saved = builder->groups[i].saved;
    return true;
}

static int end_group(hill__builder *builder, const hill__net_layer *layer, hill_error *error)
{
    size_t i = --builder->group_count;
    const hill__extent *in = &builder->groups[i].extent, *out = &builder->extent;
    if (in->height != out->height || in->width != out->width || in->channels != out->channels)
        return hill__fail(
            error, HILL_ERECIPE,
            "net: character %zu: the group in brackets takes %zux%zux%zu and gives %zux%zux%zu; it must give what it "
            "takes",
            layer->at, in->height, in->width, in->channels, out->height, out->width, out->channels);
    hill__instr *instr = append(builder, layer->op, builder->width);
    if (!instr || !reserve_rows(builder, builder->width, &instr->y))
        return hill__fail_memory(error);
    instr->z = instr->y;
    instr->skip = builder->groups[i].x;
    instr->from = builder->groups[i].from;
    instr->saved = builder->groups[i].saved;
    builder->x = instr->y;
    return HILL_OK;
}

/* Waves lie where the channels were that they are of. */
static int place_waves(const hill__net_layer *layer, hill__extent *out, hill_error *error)
{
    size_t each, outputs;
    if (!hill__mul(layer->waves, 2, &each) || !hill__mul(out->channels, each, &out->channels) ||
        !hill__mul(hill__pixels(out), out->channels, &outputs))
        return hill__fail_memory(error);
    return HILL_OK;
}

/* A layer that computes something of its own. */
static int add_computing(hill__builder *builder, const hill__net_layer *layer, hill_error *error)
{
    hill_plan *plan = builder->plan;
    hill__window window = {.height = 0};
    hill__extent out = layer->units ? (hill__extent){1, layer->units, 1} : builder->extent;
    if (layer->op->flags & HILL__OP_WINDOW) {
        HILL__TRY(place_window(builder, layer, &window, error));
        out = window.out;
    }
    if (layer->op->flags & HILL__OP_TABLES)
        HILL__TRY(place_tables(builder, layer, &out, error));
    if (layer->op->flags & HILL__OP_WAVES)
        HILL__TRY(place_waves(layer, &out, error));
    size_t outputs = hill__extent_units(&out);
    hill__instr *instr = append(builder, layer->op, outputs);
    if (!instr || !reserve_rows(builder, outputs, &instr->y))
        return hill__fail_memory(error);
    instr->window = window;
    instr->z = instr->y;
    if (layer->op->flags & HILL__OP_WEIGHTS && !reserve_weights(builder, instr, layer))
        return hill__fail_memory(error);
    if (layer->op->flags & HILL__OP_TABLES && !reserve_tables(builder, instr))
        return hill__fail_memory(error);
    if (layer->op->flags & HILL__OP_PART) {
        instr->part = layer->part;
        instr->number = plan->dropouts++;
        if (!reserve_rows(builder, outputs, &instr->saved))
            return hill__fail_memory(error);
    }
    take_slope_below(plan, instr);
    builder->x = instr->y;
    builder->width = outputs;
    builder->extent = out;
    builder->widest = outputs > builder->widest ? outputs : builder->widest;
    bool none = layer->activation == hill__op_at(HILL__OP_identity), done = true;
    if (builder->fused)
        instr->activation = layer->activation;
    if (!builder->fused && !none)
        done = add_activation(builder, layer->activation);
    else if (layer->activation->flags & HILL__OP_FROM_INPUT)
        done = reserve_rows(builder, outputs, &instr->z);
    return done ? HILL_OK : hill__fail_memory(error);
}

int hill__add_layer(hill__builder *builder, const hill__net_layer *layer, hill_error *error)
{
    if (layer->op == hill__op_at(HILL__OP_join))
        return end_group(builder, layer, error);
    if (layer->op == hill__op_at(HILL__OP_fork))
        return begin_group(builder, layer) ? HILL_OK : hill__fail_memory(error);
    return add_computing(builder, layer, error);
}

int hill__add_head(hill__builder *builder, const hill__op *output, const hill__op *cost, hill_error *error)
{
    hill_plan *plan = builder->plan;
    bool together = cost->output != HILL__OP_identity;
    hill__net_layer layer = {.op = hill__op_at(HILL__OP_dense),
                             .units = plan->outputs,
                             .activation = together ? hill__op_at(HILL__OP_identity) : output};
    HILL__TRY(hill__add_layer(builder, &layer, error));
    plan->hidden_count = plan->count;
    size_t x = builder->x;
    if (together && !add_activation(builder, output))
        return hill__fail_memory(error);
    plan->answer = builder->x;
    builder->x = x;
    bool done = append(builder, cost, 1) && place_kept(builder) && reserve(&plan->scratch, plan->block_rows, &plan->costs) &&
                reserve_rows(builder, builder->widest, &plan->d) && reserve_rows(builder, builder->widest, &plan->d_next) &&
                reserve(&plan->scratch, builder->largest_turned, &plan->turned) &&
                (!plan->growth.any || reserve_rows(builder, plan->inputs, &plan->grown));
    return done ? HILL_OK : hill__fail_memory(error);
}
