/*
 * scene_bytes.c - arrays of floats as bytes between their least and their most, bytes in base64, histograms, cells as text.
 *
 * Invariant: what isn't finite counts for no bound and no bin, so that one broken weight doesn't hide the others.
 */
#include "scene_inside.h"

#include <math.h>
#include <stdlib.h>

#define BINS 32

/* Of what is finite; 0 and 0 where nothing is. */
static void range_of(const float *values, size_t count, double *low, double *high)
{
    bool any = false;
    *low = *high = 0;
    for (size_t i = 0; i < count; i++) {
        const double value = (double)values[i];
        if (!isfinite(value))
            continue;
        *low = any && *low < value ? *low : value;
        *high = any && *high > value ? *high : value;
        any = true;
    }
}

void scene_base64(json *j, const char *key, const unsigned char *bytes, size_t count)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text out = TEXT_INIT;
    for (size_t i = 0; i < count; i += 3) {
        const size_t left = count - i;
        const uint32_t three =
            (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        const char four[4] = {letters[three >> 18], letters[three >> 12 & 63], left > 1 ? letters[three >> 6 & 63] : '=',
                              left > 2 ? letters[three & 63] : '='};
        text_bytes(&out, four, 4);
    }
    json_string(j, key, text_get(&out));
    text_end(j->out, &out);
}

void scene_floats_inside(json *j, const float *values, size_t count)
{
    double low, high;
    unsigned char *bytes = malloc(count + 1);
    range_of(values, count, &low, &high);
    const double steps = high > low ? 255 / (high - low) : 0;
    for (size_t i = 0; bytes && i < count; i++) {
        const double value = (double)values[i], q = (value - low) * steps + 0.5;
        bytes[i] = isnan(q) || q < 0 ? 0 : q > 255 ? 255 : (unsigned char)q;
    }
    json_double(j, "low", low);
    json_double(j, "high", high);
    if (bytes)
        scene_base64(j, "data", bytes, count);
    j->out->failed = j->out->failed || !bytes;
    free(bytes);
}

void scene_floats(json *j, const char *key, const float *values, size_t count)
{
    json_open(j, key, '{');
    scene_floats_inside(j, values, count);
    json_close(j, '}');
}

void scene_bins(json *j, const char *key, const float *values, size_t count)
{
    uint64_t counts[BINS] = {0};
    double low, high;
    range_of(values, count, &low, &high);
    for (size_t i = 0; i < count; i++) {
        const double value = (double)values[i], part = high > low ? (value - low) / (high - low) * BINS : 0;
        if (isfinite(value))
            counts[part < BINS ? (size_t)part : BINS - 1]++;
    }
    json_open(j, key, '{');
    json_double(j, "low", low);
    json_double(j, "high", high);
    json_open(j, "counts", '[');
    for (size_t i = 0; i < BINS; i++)
        json_count(j, NULL, counts[i]);
    json_close(j, ']');
    json_close(j, '}');
}

void scene_cell(text *out, const hill_table *table, size_t column, uint64_t row)
{
    hill_column facts = HILL_COLUMN_INIT;
    double value;
    if (hill_table_column(table, column, &facts) != HILL_OK || hill_table_cell(table, column, row, &value) != HILL_OK ||
        isnan(value))
        return;
    if (facts.kind == HILL_COLUMN_CATEGORY)
        text_string(out, hill_table_category(table, column, (size_t)value));
    else
        text_double(out, value);
}
