/*
 * look.c - the layers of a plan as the person who wrote its net sees them. Invariant: one layer an item of the net, in its order,
 * and the output layer last.
 */
#include "base/fp.h"

#include <stdio.h>
#include <string.h>

#include "plan/plan.h"

/* Brackets are no layers; the last of those that training walks is the output's. */
static bool look_is_layer(const hill_plan *plan, size_t i)
{
    const hill__op *op = plan->instrs[i].op;
    return i < plan->hidden_count && op->family == HILL__LAYER && op != hill__op_at(HILL__OP_fork) &&
           op != hill__op_at(HILL__OP_join);
}

size_t hill__plan_layer_instr(const hill_plan *plan, size_t layer)
{
    for (size_t i = 0; i < plan->hidden_count; i++)
        if (look_is_layer(plan, i) && layer-- == 0)
            return i;
    return HILL__NOWHERE;
}

/* How units lie behind instruction `i`, whose input lies like *extent. */
static void look_extent(const hill__instr *instr, hill__extent *extent)
{
    if (instr->window.height)
        *extent = instr->window.out;
    else if (instr->outputs != instr->inputs && extent->height > 0 && instr->op->flags & HILL__OP_WAVES)
        extent->channels *= instr->outputs / instr->inputs;
    else if (instr->op->flags & (HILL__OP_UNITS | HILL__OP_TABLES))
        *extent = (hill__extent){0, 0, 0};
}

static void look_name(const hill_plan *plan, size_t at, hill_layer *layer)
{
    const hill__instr *instr = &plan->instrs[at];
    size_t number = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const hill__slot *slot = &plan->slots[i];
        if (slot->instr != at)
            continue;
        number = slot->layer;
        if (instr->weight != HILL__NOWHERE && slot->offset == instr->weight && slot->trained)
            layer->weight = i;
        else if (instr->bias != HILL__NOWHERE && slot->offset == instr->bias && slot->trained)
            layer->bias = i;
    }
    if (number) {
        snprintf(layer->name, sizeof layer->name, "layer%zu", number);
        return;
    }
    for (size_t i = 0; i <= at; i++)
        number += plan->instrs[i].op == instr->op;
    snprintf(layer->name, sizeof layer->name, "%s%zu", instr->op->word, number);
}

/* Item `i` of the net's text, without blanks around it; the length is 0 past the last. */
static const char *look_item(const char *net, size_t i, size_t *length)
{
    for (;;) {
        net += strspn(net, " \t,[]");
        *length = strcspn(net, ",[]");
        if (*length == 0 || i-- == 0)
            break;
        net += *length;
    }
    while (*length > 0 && (net[*length - 1] == ' ' || net[*length - 1] == '\t'))
        --*length;
    return net;
}

static void look_words(const hill_plan *plan, size_t i, size_t at, hill_layer *layer)
{
    const hill__instr *instr = &plan->instrs[at];
    if (at + 1 == plan->hidden_count) {
        const bool apart = plan->instrs[plan->hidden_count].op->family == HILL__ACTIVATION;
        const hill__op *activation = apart ? plan->instrs[plan->hidden_count].op : instr->activation;
        snprintf(layer->words, sizeof layer->words, "%zu %s", instr->outputs, activation->word);
        return;
    }
    size_t length;
    const char *item = look_item(hill_recipe_get(plan->recipe, "net"), i, &length);
    length = length < sizeof layer->words ? length : sizeof layer->words - 1;
    memcpy(layer->words, item, length);
    layer->words[length] = '\0';
}

int hill_plan_layer(const hill_plan *plan, size_t i, hill_layer *layer)
{
    const size_t at = hill__plan_layer_instr(plan, i);
    if (at == HILL__NOWHERE || !layer || layer->size < sizeof *layer)
        return HILL_EARGUMENT;
    const hill__instr *instr = &plan->instrs[at];
    hill__extent seen = plan->picture;
    for (size_t k = 0; k < at; k++)
        look_extent(&plan->instrs[k], &seen);
    *layer = (hill_layer){.size = layer->size,
                          .kind = instr->op->word,
                          .inputs = instr->inputs,
                          .units = instr->outputs,
                          .weight = SIZE_MAX,
                          .bias = SIZE_MAX};
    if (instr->op == hill__op_at(HILL__OP_conv))
        seen = (hill__extent){instr->window.height, instr->window.width, instr->window.in.channels / instr->window.groups};
    else if (!plan->picture.height)
        seen.height = 0;
    if (instr->op->flags & HILL__OP_UNITS && seen.height) {
        layer->height = seen.height;
        layer->width = seen.width;
        layer->channels = seen.channels;
    }
    look_name(plan, at, layer);
    look_words(plan, i, at, layer);
    return HILL_OK;
}
