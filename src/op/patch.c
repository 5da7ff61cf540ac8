/*
 * patch.c - patches of pictures as the rows of a matrix, and their sum back into pictures.
 *
 * Elements of a patch that lie side by side in the picture, too, are moved together: a piece. The places of one output row see the
 * same piece `stride` pixels apart, so that one loop moves it for all of them.
 */
#include "base/fp.h"

#include "op/patch.h"

#include <string.h>

/* Neighbouring elements of a patch: where they are in the window, and from which channel on. */
typedef struct patch_piece {
    size_t row, column, channel;
    size_t length;
} patch_piece;

/* The piece that begins at an element. Where windows may reach beyond the picture it ends with its pixel. */
static patch_piece piece_at(const hill__patches *patches, size_t element, bool together)
{
    const hill__window *window = patches->window;
    size_t channels = window->in.channels / window->groups;
    patch_piece piece = {element / channels / window->width, element / channels % window->width, element % channels, 0};
    size_t left = together ? (window->width - piece.column) * channels : channels;
    piece.length = left - piece.channel;
    if (piece.length > patches->end - element)
        piece.length = patches->end - element;
    piece.channel += patches->group * channels;
    return piece;
}

/* Places of one output row of one picture. */
typedef struct patch_row {
    size_t picture, y, x, count;
} patch_row;

static patch_row row_at(const hill__window *window, size_t place, size_t left)
{
    patch_row row = {.picture = place / hill__pixels(&window->out)};
    size_t pixel = place % hill__pixels(&window->out);
    row.y = pixel / window->out.width;
    row.x = pixel % window->out.width;
    row.count = window->out.width - row.x;
    if (row.count > left)
        row.count = left;
    return row;
}

/* Those places of a row whose piece lies within the picture. */
static hill__span span_of(const hill__window *window, const patch_row *row, const patch_piece *piece)
{
    const hill__extent *in = &window->in;
    size_t y = row->y * window->stride + piece->row, first = row->x, end = row->x + row->count;
    hill__span span = {0, 0, 0};
    if (window->padded) {
        size_t missing = window->left > piece->column ? window->left - piece->column : 0;
        size_t least = missing / window->stride + (missing % window->stride != 0);
        size_t places =
            in->width + window->left > piece->column ? (in->width + window->left - piece->column - 1) / window->stride + 1 : 0;
        first = first < least ? least : first;
        end = end > places ? places : end;
        if (y < window->top || y - window->top >= in->height || first >= end)
            return span;
        y -= window->top;
    }
    span.skip = first - row->x;
    span.count = end - first;
    size_t x = first * window->stride + piece->column - (window->padded ? window->left : 0);
    span.offset = row->picture * hill__extent_units(in) + (y * in->width + x) * in->channels + piece->channel;
    return span;
}

hill__span hill__span_of(const hill__window *window, size_t picture, size_t y, size_t row, size_t column)
{
    return span_of(window, &(patch_row){picture, y, 0, window->out.width}, &(patch_piece){row, column, 0, window->in.channels});
}

/* Places of a row. `together`: their windows reach beyond no side. */
static void unfold_places(const hill__patches *patches, const float *x, const patch_row *row, bool together, float *out)
{
    const hill__window *window = patches->window;
    const size_t step = window->stride * window->in.channels, width = patches->end - patches->begin;
    patch_piece piece;
    for (size_t element = patches->begin; element < patches->end; element += piece.length) {
        piece = piece_at(patches, element, together);
        hill__span span = span_of(window, row, &piece);
        float *to = out + (element - patches->begin);
        for (size_t i = 0; i < row->count; i++)
            if (i < span.skip || i >= span.skip + span.count)
                memset(to + i * width, 0, piece.length * sizeof *to);
        if (span.count)
            patches->kernels->copy_window(to + span.skip * width, width, x + span.offset, step, span.count, piece.length, 0);
    }
}

/* The places at the sides, where windows may reach beyond them, and those between. */
static void unfold_row(const hill__patches *patches, const float *x, const patch_row *row, float *out)
{
    const hill__window *window = patches->window;
    const size_t width = patches->end - patches->begin, stride = window->stride, end = row->x + row->count;
    size_t first = row->x, last = end;
    if (window->padded) {
        size_t least = window->left / stride + (window->left % stride != 0);
        size_t room = window->in.width + window->left;
        size_t most = room >= window->width ? (room - window->width) / stride + 1 : 0;
        first = least < first ? first : least > end ? end : least;
        last = most > end ? end : most < first ? first : most;
    }
    const size_t sides[] = {row->x, first, last, end};
    for (size_t i = 0; i < 3; i++) {
        patch_row part = {row->picture, row->y, sides[i], sides[i + 1] - sides[i]};
        if (part.count)
            unfold_places(patches, x, &part, i == 1 && window->groups == 1, out + (sides[i] - row->x) * width);
    }
}

void hill__unfold(const hill__patches *patches, const float *x, size_t first, size_t count, float *rows)
{
    patch_row row;
    for (size_t done = 0; done < count; done += row.count) {
        row = row_at(patches->window, first + done, count - done);
        unfold_row(patches, x, &row, rows + done * (patches->end - patches->begin));
    }
}

/* Pieces of several pixels would overlap with those of the next place: pixel by pixel they don't. */
static void fold_row(const hill__patches *patches, float *dx, const patch_row *row, const float *in)
{
    const hill__window *window = patches->window;
    const size_t step = window->stride * window->in.channels, width = patches->end - patches->begin;
    patch_piece piece;
    for (size_t element = patches->begin; element < patches->end; element += piece.length) {
        piece = piece_at(patches, element, false);
        hill__span span = span_of(window, row, &piece);
        const float *from = in + (element - patches->begin) + span.skip * width;
        if (span.count)
            patches->kernels->add_window(dx + span.offset, step, from, width, span.count, piece.length, 1);
    }
}

void hill__fold(const hill__patches *patches, float *dx, size_t first, size_t count, const float *rows)
{
    patch_row row;
    for (size_t done = 0; done < count; done += row.count) {
        row = row_at(patches->window, first + done, count - done);
        fold_row(patches, dx, &row, rows + done * (patches->end - patches->begin));
    }
}

/* Places along one side, and, with `same`, how far the first window reaches before the picture. */
static bool place_side(size_t length, size_t window, size_t stride, bool same, size_t *places, size_t *before, bool *padded)
{
    *before = 0;
    if (!same) {
        *places = length >= window ? (length - window) / stride + 1 : 0;
        return length >= window;
    }
    *places = length / stride + (length % stride != 0);
    size_t covered = (*places - 1) * stride + window;
    *before = covered > length ? (covered - length) / 2 : 0;
    *padded = *padded || covered > length;
    return true;
}

bool hill__window_place(hill__window *window, bool same)
{
    window->padded = false;
    return place_side(window->in.height, window->height, window->stride, same, &window->out.height, &window->top,
                      &window->padded) &&
           place_side(window->in.width, window->width, window->stride, same, &window->out.width, &window->left,
                      &window->padded);
}
