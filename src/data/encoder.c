/*
 * encoder.c - what an encoder is made of: its inputs and their units, the target, the words about them. Invariant: once closed,
 * the units of the inputs lie side by side from 0 to width - 1.
 */
#include "base/fp.h"

#include "data/encoder.h"

#include <string.h>

#include "base/number.h"

/* Values of a category that its description shows. */
#define ENCODER_SHOWN 6u

static bool encoder_units(const hill__input *input, size_t *units)
{
    if (input->kind == HILL_COLUMN_IMAGE)
        return hill__mul(input->height, input->width, units) && hill__mul(*units, input->channels, units);
    if (input->embedded) {
        *units = 1;
        return true;
    }
    if (input->kind == HILL_COLUMN_NUMBER)
        *units = input->edge_count ? input->edge_count - 1 : 1;
    else if (!hill__add(input->values.count, 1, units))
        return false;
    return hill__add(*units, input->missing ? 1 : 0, units);
}

static void encoder_describe(hill__text *text, const hill__input *input)
{
    hill__text_clear(text);
    hill__text_add_string(text, input->name);
    if (input->kind == HILL_COLUMN_CATEGORY) {
        hill__text_add_format(text, ": category of %zu:", input->values.count);
        for (size_t i = 0; i < input->values.count && i < ENCODER_SHOWN; i++) {
            hill__text_add_string(text, i ? ", " : " ");
            hill__text_add_string(text, input->values.items[i]);
        }
        if (input->values.count > ENCODER_SHOWN)
            hill__text_add_string(text, ", ...");
        if (input->embedded)
            hill__text_add_format(text, ", embedded as %zu number%s", input->embedded, input->embedded == 1 ? "" : "s");
    } else {
        if (input->kind == HILL_COLUMN_IMAGE)
            hill__text_add_format(text, ": image, %u x %u x %u", input->height, input->width, input->channels);
        else
            hill__text_add_string(text, ": number");
        const bool pieces = input->edge_count > 0;
        if (pieces)
            hill__text_add_format(text, " in %zu piece%s", input->edge_count - 1, input->edge_count > 2 ? "s" : "");
        hill__text_add_string(text, pieces ? " from " : ", mean ");
        hill__text_add_rounded(text, pieces ? input->edges[0] : input->mean, 4);
        hill__text_add_string(text, pieces ? " to " : ", scale ");
        hill__text_add_rounded(text, pieces ? input->edges[input->edge_count - 1] : input->deviation, 4);
    }
    if (input->missing)
        hill__text_add_string(text, ", missing cells marked");
}

static bool encoder_write_schema(hill__encoder *encoder)
{
    encoder->wanted = hill__alloc(&encoder->allocator, encoder->input_count + 1, sizeof *encoder->wanted);
    if (!encoder->wanted)
        return false;
    for (size_t i = 0; i < encoder->input_count; i++) {
        const hill__input *input = &encoder->inputs[i];
        encoder->wanted[i] = (hill__wanted){input->name, input->position, input->kind, false};
    }
    const hill__target *target = &encoder->target;
    encoder->wanted[encoder->input_count] = (hill__wanted){target->name, target->position, target->kind, true};
    encoder->schema = (hill__schema){encoder->wanted, encoder->input_count + 1, encoder->has_header};
    return true;
}

static void encoder_free_inputs(hill__encoder *encoder)
{
    for (size_t i = 0; i < encoder->input_count; i++) {
        hill__input *input = &encoder->inputs[i];
        hill__free(&encoder->allocator, input->name, strlen(input->name) + 1, 1);
        hill__names_free(&input->values);
        hill__free(&encoder->allocator, input->edges, input->edge_room, sizeof *input->edges);
    }
    hill__free(&encoder->allocator, encoder->inputs, encoder->input_room, sizeof *encoder->inputs);
    hill__free(&encoder->allocator, encoder->wanted, encoder->input_count + 1, sizeof *encoder->wanted);
}

void hill__encoder_free(hill__encoder *encoder)
{
    if (!encoder)
        return;
    hill_allocator allocator = encoder->allocator;
    hill__target *target = &encoder->target;
    encoder_free_inputs(encoder);
    hill__free(&allocator, target->numbers, target->classes.count, sizeof *target->numbers);
    hill__names_free(&target->classes);
    if (target->name)
        hill__free(&allocator, target->name, strlen(target->name) + 1, 1);
    hill__lines_free(&encoder->lines);
    hill__free(&allocator, encoder, 1, sizeof *encoder);
}

size_t hill__encoder_outputs(const hill__encoder *encoder)
{
    return encoder->task == HILL_TASK_CLASSES ? encoder->target.classes.count : 1;
}

void hill__encoder_shape(const hill__encoder *encoder, hill_shape *shape)
{
    const hill__input *only = encoder->inputs;
    shape->inputs = encoder->width;
    shape->outputs = hill__encoder_outputs(encoder);
    shape->task = encoder->task;
    if (encoder->input_count != 1 || only->kind != HILL_COLUMN_IMAGE)
        return;
    shape->height = only->height;
    shape->width = only->width;
    shape->channels = only->channels;
}

size_t hill__encoder_class_of(const hill__encoder *encoder, double number)
{
    const double *numbers = encoder->target.numbers;
    size_t low = 0, high = numbers ? encoder->target.classes.count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers[middle] == number)
            return middle;
        if (numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

double hill__encoder_unscale(const hill__encoder *encoder, double output)
{
    return output * encoder->target.deviation + encoder->target.mean;
}

bool hill__encoder_close(hill__encoder *encoder)
{
    hill__text text;
    hill__text_init(&text, &encoder->allocator);
    encoder->width = 0;
    bool good = true;
    for (size_t i = 0; i < encoder->input_count && good; i++) {
        hill__input *input = &encoder->inputs[i];
        input->first = encoder->width;
        good = encoder_units(input, &input->units) && hill__add(encoder->width, input->units, &encoder->width);
        encoder_describe(&text, input);
        hill__lines_add(&encoder->lines, "%s", hill__text_string(&text));
    }
    good = good && !text.failed && !encoder->lines.text.failed && encoder_write_schema(encoder);
    hill__text_free(&text);
    return good;
}

hill__input *hill__encoder_add(hill__encoder *encoder, const char *name, size_t length, hill_column_kind kind)
{
    void *inputs = encoder->inputs;
    if (!hill__grow(&encoder->allocator, &inputs, &encoder->input_room, encoder->input_count + 1, sizeof *encoder->inputs))
        return NULL;
    encoder->inputs = inputs;
    hill__input *input = &encoder->inputs[encoder->input_count];
    *input = (hill__input){.kind = kind, .deviation = 1, .unit = 1};
    input->name = hill__copy_text(&encoder->allocator, name, length);
    if (!input->name)
        return NULL;
    encoder->input_count++;
    return input;
}
