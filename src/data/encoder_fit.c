/*
 * encoder_fit.c - fits an encoder's inputs and number targets. Invariant: nothing here depends on any row but the training rows,
 * which are met in the order they are given in.
 */
#include "base/fp.h"

#include "data/encoder.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "data/bins.h"
#include "data/embed.h"

/* Columns that a note names before it goes on counting. */
#define FIT_NAMED 8u

typedef struct fit_stats {
    uint64_t present, missing;
    double low, high, mean, deviation;
} fit_stats;

/* A list of columns for a note: "age, fare (12)". */
typedef struct fit_listing {
    hill__text text;
    size_t count;
} fit_listing;

/* What fitting the inputs passes on. */
typedef struct fit_work {
    hill__encoder *encoder;
    const hill_table *table;
    const hill__encoder_options *options;
    const uint64_t *rows;
    uint64_t count;
    bool *keep;     /* [columns] */
    size_t *widths; /* [columns] of the tables of those that are embedded; 0: it isn't */
    size_t embedded;
    hill__lines *notes;
    fit_listing constant, filled;
    hill_error *error;
} fit_work;

/* Mean and population deviation in two passes, each in the rows' order. */
static void fit_measure(const double *numbers, const uint64_t *rows, uint64_t count, fit_stats *stats)
{
    *stats = (fit_stats){.deviation = 0};
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < count; i++) {
        double value = numbers[rows[i]];
        if (isnan(value)) {
            stats->missing++;
            continue;
        }
        if (stats->present == 0 || value < stats->low)
            stats->low = value;
        if (stats->present == 0 || value > stats->high)
            stats->high = value;
        stats->present++;
        sum += value;
    }
    if (stats->present == 0)
        return;
    stats->mean = stats->low == stats->high ? stats->low : sum / (double)stats->present;
    for (uint64_t i = 0; i < count; i++) {
        double distance = numbers[rows[i]] - stats->mean;
        if (!isnan(distance))
            squares += distance * distance;
    }
    stats->deviation = sqrt(squares / (double)stats->present);
}

static bool fit_is_constant(const fit_stats *stats)
{
    return stats->present == 0 || stats->low == stats->high || stats->deviation == 0;
}

static bool fit_too_large(const fit_stats *stats, bool scaled)
{
    if (scaled)
        return !isfinite(stats->mean) || !isfinite(stats->deviation);
    return stats->low < -(double)FLT_MAX || stats->high > (double)FLT_MAX;
}

static int fit_target(fit_work *work)
{
    hill__target *target = &work->encoder->target;
    const hill__column *column = &work->table->columns[work->options->target];
    fit_stats stats;
    if (work->encoder->task == HILL_TASK_CLASSES)
        return HILL_OK;
    fit_measure(column->numbers, work->rows, work->count, &stats);
    if (stats.present == 0)
        return hill__fail(work->error, HILL_EDATA, "%s: every cell of the target %s is missing", work->table->name,
                          column->name);
    if (fit_too_large(&stats, work->options->target_scaled))
        return hill__fail(work->error, HILL_EDATA, "%s: the target %s holds numbers that are too large", work->table->name,
                          column->name);
    if (fit_is_constant(&stats)) {
        char value[HILL__NUMBER_TEXT];
        (void)hill__format_double(stats.low, value);
        return hill__fail(work->error, HILL_EDATA, "%s: the target %s is always %s: there is nothing to learn",
                          work->table->name, column->name, value);
    }
    if (work->options->target_scaled) {
        target->mean = stats.mean;
        target->deviation = stats.deviation;
    }
    return HILL_OK;
}

static void fit_list(fit_listing *listing, const char *name, uint64_t cells)
{
    if (listing->count++ >= FIT_NAMED)
        return;
    hill__text_add_string(&listing->text, listing->count > 1 ? ", " : "");
    hill__text_add_string(&listing->text, name);
    if (cells)
        hill__text_add_format(&listing->text, " (%llu)", (unsigned long long)cells);
}

/* The listing as a note, `what` in front. */
static void fit_say(fit_work *work, fit_listing *listing, const char *what)
{
    if (listing->count > FIT_NAMED)
        hill__text_add_format(&listing->text, " and %zu more", listing->count - FIT_NAMED);
    if (listing->count > 0)
        hill__lines_add(work->notes, "%s: %s", what, hill__text_string(&listing->text));
    if (listing->text.failed)
        work->notes->text.failed = true;
    hill__text_free(&listing->text);
}

static int fit_number(fit_work *work, size_t index)
{
    const hill__column *column = &work->table->columns[index];
    fit_stats stats;
    fit_measure(column->numbers, work->rows, work->count, &stats);
    if (fit_too_large(&stats, work->options->scaled))
        return hill__fail(work->error, HILL_EDATA, "%s: column %s holds numbers that are too large", work->table->name,
                          column->name);
    bool constant = fit_is_constant(&stats);
    if (stats.present == 0 || (constant && stats.missing == 0)) {
        fit_list(&work->constant, column->name, 0);
        return HILL_OK;
    }
    hill__input *input = hill__encoder_add(work->encoder, column->name, strlen(column->name), HILL_COLUMN_NUMBER);
    if (!input)
        return hill__fail_memory(work->error);
    input->position = index;
    input->missing = stats.missing > 0;
    input->fill = stats.mean;
    if (work->options->scaled) {
        input->mean = stats.mean;
        input->deviation = constant ? 1 : stats.deviation;
    }
    if (work->options->bins > 0 &&
        !hill__bins_fit(input, column->numbers, work->rows, work->count, work->options->bins, &work->encoder->allocator))
        return hill__fail_memory(work->error);
    if (stats.missing > 0)
        fit_list(&work->filled, column->name, stats.missing);
    return HILL_OK;
}

/*
 * Whether a category is embedded: where it's asked for by name, and by `auto` where it has too many values for a unit each, and yet
 * so few that a value has two training rows, as the values of an identifier don't.
 */
static bool fit_embeds(const fit_work *work, size_t index, const hill__census *census)
{
    if (strcmp(work->options->embed, "auto") != 0)
        return work->widths[index] > 0;
    return !work->keep[index] && census->found > HILL__CATEGORIES_MOST &&
           census->found <= (work->count - census->missing) / 2 && work->embedded < HILL__EMBED_COLUMNS;
}

/* The input has a table. */
static int fit_table(fit_work *work, hill__input *input, size_t width)
{
    size_t rows = hill__embed_rows(input);
    if (rows > HILL__EMBED_ROWS)
        return hill__fail(work->error, HILL_EDATA, "%s: embed: column %s has %zu different texts, at most %u can be embedded",
                          work->table->name, input->name, input->values.count, HILL__EMBED_ROWS - 2);
    if (work->embedded++ == HILL__EMBED_COLUMNS)
        return hill__fail(work->error, HILL_EDATA, "%s: embed: at most %u columns can be embedded", work->table->name,
                          HILL__EMBED_COLUMNS);
    input->embedded = width == HILL__EMBED_AUTO ? hill__embed_width(rows) : width;
    hill__lines_add(work->notes, "embedded: %s, whose %zu different texts become %zu number%s each", input->name,
                    input->values.count, input->embedded, input->embedded == 1 ? "" : "s");
    return HILL_OK;
}

/* Says that a column has too many texts, and what would take it in all the same. */
static void fit_say_left_out(const fit_work *work, size_t index, size_t found)
{
    hill__text name;
    hill__text_init(&name, &work->encoder->allocator);
    hill__embed_add_column(work->table, index, true, &name);
    const char *said = hill__text_string(&name), *quote = strpbrk(said, " '\"$&;|<>()*?") ? "'" : "";
    hill__lines_add(work->notes,
                    "left out: %s has %zu different texts, more than %u; --embed %s%s%s learns a few numbers for each, --keep "
                    "%s%s%s an input for each",
                    work->table->columns[index].name, found, HILL__CATEGORIES_MOST, quote, said, quote, quote, said, quote);
    work->notes->text.failed = work->notes->text.failed || name.failed;
    hill__text_free(&name);
}

static int fit_category(fit_work *work, size_t index)
{
    const hill__column *column = &work->table->columns[index];
    hill__names names;
    hill__census census = {.column = column, .rows = work->rows, .row_count = work->count};
    bool may = work->keep[index] || work->widths[index] > 0;
    census.most = may ? SIZE_MAX : HILL__CATEGORIES_MOST;
    HILL__TRY(hill__names_census(&names, &census, &work->encoder->allocator, work->error));
    if (census.found + (census.missing > 0) <= 1) {
        hill__names_free(&names);
        fit_list(&work->constant, column->name, 0);
        return HILL_OK;
    }
    bool embeds = fit_embeds(work, index, &census);
    if (census.found > HILL__CATEGORIES_MOST && !embeds && !work->keep[index]) {
        hill__names_free(&names);
        fit_say_left_out(work, index, census.found);
        return HILL_OK;
    }
    hill__input *input = hill__encoder_add(work->encoder, column->name, strlen(column->name), HILL_COLUMN_CATEGORY);
    if (!input) {
        hill__names_free(&names);
        return hill__fail_memory(work->error);
    }
    input->position = index;
    input->missing = census.missing > 0;
    input->values = names;
    return embeds ? fit_table(work, input, work->widths[index]) : HILL_OK;
}

/* Mean and deviation over all bytes of the training rows: counts are exact, and the 256 sums are few. */
static int fit_image(fit_work *work)
{
    const hill_table *table = work->table;
    uint64_t bins[256] = {0};
    for (uint64_t i = 0; i < work->count; i++) {
        const unsigned char *bytes = table->image + (size_t)work->rows[i] * table->image_bytes;
        for (size_t k = 0; k < table->image_bytes; k++)
            bins[bytes[k]]++;
    }
    double total = (double)work->count * (double)table->image_bytes, sum = 0, squares = 0;
    for (int b = 0; b < 256; b++)
        sum += (double)bins[b] * ((double)b / 255);
    double mean = sum / total;
    for (int b = 0; b < 256; b++) {
        double distance = (double)b / 255 - mean;
        squares += (double)bins[b] * (distance * distance);
    }
    double deviation = sqrt(squares / total);
    for (int b = 0; b < 256; b++)
        if (bins[b] == work->count * table->image_bytes)
            return hill__fail(work->error, HILL_EDATA, "%s: every byte of every image is %d", table->name, b);

    hill__input *input = hill__encoder_add(work->encoder, "image", strlen("image"), HILL_COLUMN_IMAGE);
    if (!input)
        return hill__fail_memory(work->error);
    input->height = table->image_height;
    input->width = table->image_width;
    input->channels = table->image_channels;
    if (work->options->scaled) {
        input->unit = 255;
        input->mean = mean;
        input->deviation = deviation;
    }
    return HILL_OK;
}

static int fit_inputs(fit_work *work)
{
    if (work->options->keep && *work->options->keep)
        HILL__TRY(hill__table_mark(work->table, work->options->keep, work->keep, work->error));
    HILL__TRY(hill__embed_mark(work->table, work->options->embed, work->options->target, work->widths, work->error));
    HILL__TRY(fit_target(work));
    if (work->table->image)
        HILL__TRY(fit_image(work));
    for (size_t i = 0; i < work->table->column_count; i++) {
        if (i == work->options->target || i == work->options->weight)
            continue;
        if (work->table->columns[i].kind == HILL_COLUMN_NUMBER)
            HILL__TRY(fit_number(work, i));
        else
            HILL__TRY(fit_category(work, i));
    }
    if (work->encoder->input_count == 0)
        return hill__fail(work->error, HILL_EDATA, "%s: no column but the target %s is left to learn from", work->table->name,
                          work->encoder->target.name);
    return hill__encoder_close(work->encoder) ? HILL_OK : hill__fail_memory(work->error);
}

int hill__encoder_fit(hill__encoder *encoder, const hill_table *table, const hill__encoder_options *options,
                      const uint64_t *rows, uint64_t count, hill__lines *notes, hill_error *error)
{
    const hill_allocator *allocator = &encoder->allocator;
    fit_work work = {
        .encoder = encoder, .table = table, .options = options, .rows = rows, .count = count, .notes = notes, .error = error};
    hill__text_init(&work.constant.text, allocator);
    hill__text_init(&work.filled.text, allocator);
    work.keep = hill__alloc(allocator, table->column_count, sizeof *work.keep);
    work.widths = hill__alloc(allocator, table->column_count, sizeof *work.widths);
    int status = work.keep && work.widths ? fit_inputs(&work) : hill__fail_memory(error);
    fit_say(&work, &work.constant, "left out, the same in every training row");
    fit_say(&work, &work.filled, "missing cells became the mean, marked by an input of their own");
    hill__free(allocator, work.widths, table->column_count, sizeof *work.widths);
    hill__free(allocator, work.keep, table->column_count, sizeof *work.keep);
    if (status == HILL_OK && notes->text.failed)
        status = hill__fail_memory(error);
    return status;
}
