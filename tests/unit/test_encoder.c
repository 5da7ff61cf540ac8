/*
 * test_encoder.c - cells become the floats that encoder.h says, by training rows alone; rows are split as split.h says.
 */
#include "base/fp.h"

#include "tables.h"

#include <math.h>
#include <stdio.h>

#include "data/choose.h"
#include "data/embed.h"
#include "data/rows.h"
#include "data/split.h"
#include "kernel/kernel.h"

#define NA NAN

/* An encoder fitted on all rows, and its rows. */
typedef struct fitted {
    hill__encoder *encoder;
    hill__rows *rows;
    hill__lines notes;
    hill_error error;
    int status;
} fitted;

static hill__encoder_options fit_options(size_t target, hill_task task, bool scaled, const char *keep)
{
    return (hill__encoder_options){target, task, scaled, scaled, SIZE_MAX, keep, "none", 0};
}

static int fit_rows(fitted *out, const hill_table *table, const hill__encoder_options *options, const uint64_t *rows,
                    uint64_t count)
{
    HILL__TRY(hill__encoder_fit(out->encoder, table, options, rows, count, &out->notes, &out->error));
    return hill__rows_bind(out->rows, &out->error);
}

/* Fits on rows that aren't marked in held; NULL: on all. */
static fitted fit_table(const hill_table *table, hill__encoder_options options, const unsigned char *held)
{
    fitted out = {.error = HILL_ERROR_INIT};
    hill_allocator allocator = hill__allocator(NULL);
    hill__lines_init(&out.notes, &allocator);
    out.status = hill__encoder_new(table, &options, &allocator, &out.encoder, &out.error);
    if (out.status < 0)
        return out;
    hill__view view = {out.encoder, table, 0, table->rows, true};
    out.status = hill__rows_new(&view, &allocator, &out.rows, &out.error);
    if (out.status < 0)
        return out;
    uint64_t list[1000], count = 0;
    for (uint64_t i = 0; i < out.rows->count; i++)
        if (!held || !held[i])
            list[count++] = out.rows->list[i];
    out.status = fit_rows(&out, table, &options, list, count);
    return out;
}

static void free_fitted(fitted *out)
{
    hill__rows_free(out->rows);
    hill__encoder_free(out->encoder);
    hill__lines_free(&out->notes);
}

static void fill_row(const fitted *f, uint64_t row, float *inputs, float *targets)
{
    hill_source source = hill__rows_source(f->rows, hill__kernels_scalar.spread);
    assert_int_equal(source.fill(source.self, &row, 1, inputs, targets), HILL_OK);
}

static void expect_note(const fitted *f, const char *text)
{
    const char *note;
    for (size_t i = 0; (note = hill__lines_at(&f->notes, i)) != NULL; i++)
        if (strstr(note, text))
            return;
    fail_msg("no note says %s", text);
}

static const char *const abc[] = {"a", "b", "y"};

static void test_numbers(void **state)
{
    (void)state;
    hill_table *table = make_table(5, abc, 3);
    const double a[] = {1, 2, 3, NA, 1000}, b[] = {4, 4, 8, 8, -1}, y[] = {10, 20, 30, 20, 5};
    const unsigned char held[] = {0, 0, 0, 0, 1};
    set_numbers(table, 0, a);
    set_numbers(table, 1, b);
    set_numbers(table, 2, y);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, true, NULL), held);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.encoder->width, 3);
    assert_int_equal(hill__encoder_outputs(f.encoder), 1);
    double deviation = sqrt(2.0 / 3);
    float inputs[3], target;
    fill_row(&f, 0, inputs, &target);
    assert_true(inputs[0] == (float)(-1 / deviation) && inputs[1] == 0 && inputs[2] == -1);
    assert_true(target == (float)(-10 / sqrt(50.0)));
    fill_row(&f, 3, inputs, &target);
    assert_true(inputs[0] == 0 && inputs[1] == 1 && inputs[2] == 1 && target == 0);
    fill_row(&f, 4, inputs, &target);
    assert_true(inputs[0] == (float)(998 / deviation) && inputs[2] == -3.5f);
    assert_true(fabs(hill__encoder_unscale(f.encoder, (double)target) - 5) < 1e-6);
    assert_string_equal(hill__lines_at(&f.encoder->lines, 0), "a: number, mean 2, scale 0.8165, missing cells marked");
    expect_note(&f, "a (1)");
    free_fitted(&f);

    f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, false, NULL), held);
    fill_row(&f, 3, inputs, &target);
    assert_true(inputs[0] == 2 && inputs[1] == 1 && inputs[2] == 8 && target == 20);
    free_fitted(&f);
    hill_table_free(table);
}

/* Without a missing cell in training there is no indicator; a cell missing later is the mean. */
static void test_missing_later(void **state)
{
    (void)state;
    hill_table *table = make_table(4, abc, 3);
    const double a[] = {1, 3, 2, NA}, b[] = {0, 1, 0, 1}, y[] = {1, 2, 3, 4};
    const unsigned char held[] = {0, 0, 0, 1};
    set_numbers(table, 0, a);
    set_numbers(table, 1, b);
    set_numbers(table, 2, y);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, true, NULL), held);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.encoder->width, 2);
    float inputs[2];
    fill_row(&f, 3, inputs, NULL);
    assert_true(inputs[0] == 0);
    free_fitted(&f);
    hill_table_free(table);
}

static void test_categories(void **state)
{
    (void)state;
    hill_table *table = make_table(6, abc, 3);
    const char *const a[] = {"red", NULL, "blue", "red", "green", "blue"}, *const b[] = {"u", "v", "u", "v", "w", NULL};
    const double y[] = {3, -1, 10, 3, -1, 10};
    const unsigned char held[] = {0, 0, 0, 0, 1, 1};
    set_texts(table, 0, a);
    set_texts(table, 1, b);
    set_numbers(table, 2, y);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_CLASSES, true, NULL), held);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.encoder->width, 4 + 3); /* blue red missing unseen, u v unseen */
    assert_int_equal(hill__encoder_outputs(f.encoder), 3);
    assert_string_equal(f.encoder->target.classes.items[0], "-1");
    assert_string_equal(f.encoder->target.classes.items[1], "3");
    assert_string_equal(f.encoder->target.classes.items[2], "10");
    const float want[6][10] = {{0, 1, 0, 0, 1, 0, 0, 0, 1, 0}, {0, 0, 1, 0, 0, 1, 0, 1, 0, 0}, {1, 0, 0, 0, 1, 0, 0, 0, 0, 1},
                               {0, 1, 0, 0, 0, 1, 0, 0, 1, 0}, {0, 0, 0, 1, 0, 0, 1, 1, 0, 0}, {1, 0, 0, 0, 0, 0, 1, 0, 0, 1}};
    for (uint64_t row = 0; row < 6; row++) {
        float got[10];
        fill_row(&f, row, got, got + 7);
        assert_memory_equal(got, want[row], sizeof got);
    }
    free_fitted(&f);
    hill_table_free(table);
}

/* One gather of many rows gives what many gathers of one give. */
static void test_gathering(void **state)
{
    (void)state;
    hill_table *table = make_table(3, abc, 3);
    const char *const a[] = {"x", "y", "x"};
    const double b[] = {1, 2, 4}, y[] = {1, 2, 4};
    set_texts(table, 0, a);
    set_numbers(table, 1, b);
    set_numbers(table, 2, y);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, true, NULL), NULL);
    hill_source source = hill__rows_source(f.rows, hill__kernels_scalar.spread);
    const uint64_t order[] = {2, 0, 2, 1};
    float inputs[16], targets[4], one[4], target;
    assert_int_equal(source.inputs, 4);
    assert_int_equal(source.fill(source.self, order, 4, inputs, targets), HILL_OK);
    for (size_t i = 0; i < 4; i++) {
        fill_row(&f, order[i], one, &target);
        assert_memory_equal(inputs + 4 * i, one, sizeof one);
        assert_memory_equal(targets + i, &target, sizeof target);
    }
    const uint64_t beyond = 3;
    assert_int_equal(source.fill(source.self, &beyond, 1, inputs, targets), HILL_EARGUMENT);
    free_fitted(&f);
    hill_table_free(table);
}

static void test_images(void **state)
{
    (void)state;
    const char *const names[] = {"label"};
    hill_table *table = make_table(3, names, 1);
    const unsigned char bytes[] = {0, 255, 0, 255, 0, 255, 255, 0, 9, 9, 9, 9};
    const double labels[] = {7, 2, 7};
    const unsigned char held[] = {0, 0, 1};
    set_images(table, bytes, 2, 2);
    set_numbers(table, 0, labels);
    fitted f = fit_table(table, fit_options(0, HILL_TASK_CLASSES, true, NULL), held);
    assert_int_equal(f.status, HILL_OK);
    float got[6];
    fill_row(&f, 0, got, got + 4);
    /* A byte is scaled and shifted by floats, rounded once. */
    const float scale = (float)(1 / (255 * 0.5)), high = fmaf(255, scale, -1);
    const float first[] = {-1, high, -1, high, 0, 1};
    assert_memory_equal(got, first, sizeof got);
    assert_true(fabsf(high - 1) < 1e-6f);
    fill_row(&f, 2, got, NULL);
    assert_true(got[0] == fmaf(9, scale, -1));
    assert_string_equal(hill__lines_at(&f.encoder->lines, 0), "image: image, 2 x 2 x 1, mean 0.5, scale 0.5");
    free_fitted(&f);
    f = fit_table(table, fit_options(0, HILL_TASK_CLASSES, false, NULL), held);
    fill_row(&f, 0, got, NULL);
    assert_true(got[0] == 0 && got[1] == 255);
    free_fitted(&f);
    memset(table->image_block.data, 5, 12);
    f = fit_table(table, fit_options(0, HILL_TASK_CLASSES, true, NULL), NULL);
    assert_int_equal(f.status, HILL_EDATA);
    free_fitted(&f);
    hill_table_free(table);
}

static void test_left_out(void **state)
{
    (void)state;
    const char *const names[] = {"same", "empty", "word", "many", "x", "y"};
    hill_table *table = make_table(70, names, 6);
    double same[70], empty[70], x[70], y[70];
    const char *word[70], *many[70];
    char texts[70][8];
    for (size_t i = 0; i < 70; i++) {
        same[i] = 5;
        empty[i] = NA;
        x[i] = (double)i;
        y[i] = (double)(i % 7) / 3;
        word[i] = "word";
        snprintf(texts[i], sizeof texts[i], "t%zu", i < 65 ? i : 0);
        many[i] = texts[i];
    }
    set_numbers(table, 0, same);
    set_numbers(table, 1, empty);
    set_texts(table, 2, word);
    set_texts(table, 3, many);
    set_numbers(table, 4, x);
    set_numbers(table, 5, y);
    fitted f = fit_table(table, fit_options(5, HILL_TASK_NUMBERS, true, NULL), NULL);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.encoder->input_count, 1);
    assert_string_equal(f.encoder->inputs[0].name, "x");
    expect_note(&f, "same, empty, word");
    expect_note(&f, "many has 65 different texts, more than 64; --embed many learns a few numbers for each, --keep many");
    free_fitted(&f);
    f = fit_table(table, fit_options(5, HILL_TASK_NUMBERS, true, "x, many"), NULL);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.encoder->width, 66 + 1);
    free_fitted(&f);
    f = fit_table(table, fit_options(5, HILL_TASK_NUMBERS, true, "mani"), NULL);
    assert_int_equal(f.status, HILL_EDATA);
    free_fitted(&f);
    f = fit_table(table, fit_options(0, HILL_TASK_NUMBERS, true, NULL), NULL);
    assert_int_equal(f.status, HILL_EDATA);
    assert_non_null(strstr(f.error.text, "same is always 5"));
    free_fitted(&f);
    f = fit_table(table, fit_options(2, HILL_TASK_CLASSES, true, NULL), NULL);
    assert_int_equal(f.status, HILL_EDATA);
    assert_non_null(strstr(f.error.text, "one class only, word"));
    free_fitted(&f);
    f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, true, NULL), NULL);
    assert_int_equal(f.status, HILL_EDATA);
    free_fitted(&f);
    f = fit_table(table, fit_options(1, HILL_TASK_CLASSES, true, NULL), NULL);
    assert_int_equal(f.status, HILL_EDATA);
    free_fitted(&f);
    hill_table_free(table);
}

/* Text, back and text again is the same; *copy is the encoder that was read. */
static void there_and_back(const hill__encoder *encoder, hill__encoder **copy)
{
    hill_error error = HILL_ERROR_INIT;
    hill__text first, second;
    hill__text_init(&first, &encoder->allocator);
    hill__text_init(&second, &encoder->allocator);
    hill__encoder_write(encoder, &first);
    assert_int_equal(hill__encoder_parse(first.data, first.length, &encoder->allocator, copy, &error), HILL_OK);
    hill__encoder_write(*copy, &second);
    assert_string_equal(first.data, second.data);
    assert_int_equal((*copy)->width, encoder->width);
    hill__text_free(&second);
    hill__text_free(&first);
}

/* 200 rows: `few` has 3 values, `many` 70 and a missing cell, `who` is another one in almost every row, x is the row. */
static hill_table *make_many(void)
{
    static const char *const names[] = {"few", "many", "who", "x", "y"};
    static char texts[3][200][12];
    static const char *cells[3][200];
    double x[200], y[200];
    for (size_t i = 0; i < 200; i++) {
        snprintf(texts[0][i], sizeof texts[0][i], "f%zu", i % 3);
        snprintf(texts[1][i], sizeof texts[1][i], "m%02zu", i % 70);
        snprintf(texts[2][i], sizeof texts[2][i], "w%zu", i < 198 ? i : 0);
        for (size_t k = 0; k < 3; k++)
            cells[k][i] = texts[k][i];
        x[i] = (double)i;
        y[i] = (double)(i % 7);
    }
    cells[1][5] = NULL;
    hill_table *table = make_table(200, names, 5);
    for (size_t k = 0; k < 3; k++)
        set_texts(table, k, cells[k]);
    set_numbers(table, 3, x);
    set_numbers(table, 4, y);
    return table;
}

static fitted fit_embed(const hill_table *table, const char *embed, const char *keep)
{
    hill__encoder_options options = fit_options(4, HILL_TASK_NUMBERS, false, keep);
    options.embed = embed;
    return fit_table(table, options, NULL);
}

/* What is embedded takes a unit with the number of a row; what the net's layer and the knob are then. */
static void test_embedded(void **state)
{
    (void)state;
    hill_table *table = make_many();
    const struct {
        const char *embed, *keep, *layer, *choice;
        size_t width;
    } cases[] = {
        {"none", NULL, "", "none", 4 + 1},
        {"auto", NULL, "embed 5:72x3", "many=3", 4 + 1 + 1},
        {"auto", "many", "", "none", 4 + 72 + 1},
        {"many", NULL, "embed 5:72x3", "many=3", 4 + 1 + 1},
        {"many=17", "many", "embed 5:72x17", "many=17", 4 + 1 + 1},
        {" 2 = 5, few ,", NULL, "embed 1:4x2 2:72x5", "few=2,many=5", 1 + 1 + 1},
        {"who=1,few=1024", NULL, "embed 1:4x1024 2:199x1", "few=1024,who=1", 1 + 1 + 1},
    };
    hill_allocator allocator = hill__allocator(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fitted f = fit_embed(table, cases[i].embed, cases[i].keep);
        if (f.status != HILL_OK)
            fail_msg("%s: %s", cases[i].embed, f.error.text);
        assert_int_equal(f.encoder->width, cases[i].width);
        hill__text layer, choice;
        hill__text_init(&layer, &allocator);
        hill__text_init(&choice, &allocator);
        hill__embed_layer(f.encoder, &layer);
        hill__embed_choice(f.encoder, table, &choice);
        assert_string_equal(hill__text_string(&layer), cases[i].layer);
        assert_string_equal(hill__text_string(&choice), cases[i].choice);
        hill__encoder *copy;
        there_and_back(f.encoder, &copy);
        for (size_t k = 0; k < copy->input_count; k++)
            assert_int_equal(copy->inputs[k].embedded, f.encoder->inputs[k].embedded);
        hill__encoder_free(copy);
        hill__text_free(&layer);
        hill__text_free(&choice);
        free_fitted(&f);
    }
    fitted f = fit_embed(table, "many,few", NULL);
    const struct {
        uint64_t row;
        float inputs[3];
    } rows[] = {{0, {0, 0, 0}}, {4, {1, 4, 4}}, {5, {2, 70, 5}}, {75, {0, 5, 75}}, {139, {1, 69, 139}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float got[3];
        fill_row(&f, rows[i].row, got, NULL);
        assert_memory_equal(got, rows[i].inputs, sizeof got);
    }
    assert_true(f.rows->plain);
    assert_string_equal(hill__lines_at(&f.encoder->lines, 0), "few: category of 3: f0, f1, f2, embedded as 2 numbers");
    expect_note(&f, "embedded: many, whose 70 different texts become 3 numbers each");
    free_fitted(&f);
    hill_table_free(table);
}

/* Edges by hand: quartiles, in between where no cell is; equal ones stand once; a cell fills the bins below its own. */
static void test_bins(void **state)
{
    (void)state;
    hill_table *table = make_table(9, abc, 3);
    const double a[] = {8, NA, 1, 2, 4, 16, 0.5, 3, -100}, b[] = {0, 1, 0, 1, 0, 0, 0, 1, 7}, y[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const unsigned char held[] = {0, 0, 0, 0, 0, 0, 0, 0, 1};
    set_numbers(table, 0, a);
    set_numbers(table, 1, b);
    set_numbers(table, 2, y);
    hill__encoder_options options = fit_options(2, HILL_TASK_NUMBERS, true, NULL);
    options.bins = 4;
    fitted f = fit_table(table, options, held);
    assert_int_equal(f.status, HILL_OK);
    const double edges[] = {0.5, 1.5, 3, 6, 16};
    assert_int_equal(f.encoder->inputs[0].edge_count, 5);
    assert_memory_equal(f.encoder->inputs[0].edges, edges, sizeof edges);
    assert_int_equal(f.encoder->inputs[1].edge_count, 2);
    assert_int_equal(f.encoder->width, 4 + 1 + 1);
    const float mean = (float)((34.5 / 7 - 3) / 3);
    const float rows[][6] = {{1, 1, 1, 0.2f, 0, 0},
                             {1, 1, mean, 0, 1, 1},
                             {0.5f, 0, 0, 0, 0, 0},
                             {1, (float)(1.0 / 3), 0, 0, 0, 1},
                             {1, 1, (float)(1.0 / 3), 0, 0, 0},
                             {1, 1, 1, 1, 0, 0},
                             {0, 0, 0, 0, 0, 0},
                             {1, 1, 0, 0, 0, 1},
                             {-100.5f, 0, 0, 0, 0, 7}};
    for (uint64_t row = 0; row < 9; row++) {
        float got[6];
        fill_row(&f, row, got, NULL);
        for (size_t i = 0; i < 6; i++)
            if (got[i] != rows[row][i])
                fail_msg("row %d, unit %zu: %g, not %g", (int)row, i, (double)got[i], (double)rows[row][i]);
    }
    assert_string_equal(hill__lines_at(&f.encoder->lines, 0), "a: number in 4 pieces from 0.5 to 16, missing cells marked");
    assert_string_equal(hill__lines_at(&f.encoder->lines, 1), "b: number in 1 piece from 0 to 1");
    hill__encoder *copy;
    there_and_back(f.encoder, &copy);
    assert_memory_equal(copy->inputs[0].edges, edges, sizeof edges);
    hill__encoder_free(copy);
    free_fitted(&f);
    hill_table_free(table);
}

/* Missing cells beside cells that are all the same have no bins; a cell that would fill one beyond all bounds is refused. */
static void test_bins_at_the_border(void **state)
{
    (void)state;
    hill_table *table = make_table(4, abc, 3);
    const double a[] = {2, NA, 2, 2}, b[] = {0, 1e-100, 1e-100, 1}, y[] = {1, 2, 3, 4};
    const unsigned char held[] = {0, 0, 0, 1};
    set_numbers(table, 0, a);
    set_numbers(table, 1, b);
    set_numbers(table, 2, y);
    hill__encoder_options options = fit_options(2, HILL_TASK_NUMBERS, false, NULL);
    options.bins = 8;
    fitted f = fit_table(table, options, NULL);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.encoder->inputs[0].edge_count, 0);
    assert_int_equal(f.encoder->inputs[0].units, 2);
    free_fitted(&f);
    f = fit_table(table, options, held);
    assert_int_equal(f.status, HILL_EDATA);
    assert_non_null(strstr(f.error.text, "row 4: column b: the number is too large"));
    free_fitted(&f);
    hill_table_free(table);
}

static void test_embed_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"nobody", "embed: there is no column nobody; it has 5 columns"},
        {"nobody=3", "there is no column nobody; it has 5 columns"},
        {"x", "embed: column x holds numbers; --category x reads them as text"},
        {"y", "embed: column y is the target"},
        {"many=0", "embed: 'many=0' has no width of 1 to 1024 behind its '='"},
        {"many=1025", "'many=1025' has no width"},
        {"many=", "'many=' has no width"},
        {"few,many=x", "'many=x' has no width"},
        {"=3", "there is no column "},
    };
    hill_table *table = make_many();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fitted f = fit_embed(table, cases[i][0], NULL);
        assert_int_equal(f.status, HILL_EDATA);
        if (!strstr(f.error.text, cases[i][1]))
            fail_msg("%s: '%s' has no '%s'", cases[i][0], f.error.text, cases[i][1]);
        free_fitted(&f);
    }
    hill_table_free(table);
    assert_int_equal(hill__embed_width(1), 1);
    assert_int_equal(hill__embed_width(16), 2);
    assert_int_equal(hill__embed_width(17), 3);
    assert_int_equal(hill__embed_width(5001), 9);
    assert_int_equal(hill__embed_width(HILL__EMBED_ROWS), 64);
}

static void test_too_large(void **state)
{
    (void)state;
    hill_table *table = make_table(3, abc, 3);
    const double a[] = {1, 2, 3}, big[] = {1e300, -1e300, 1e308}, y[] = {1, 2, 3};
    set_numbers(table, 0, a);
    set_numbers(table, 1, big);
    set_numbers(table, 2, y);
    for (int scaled = 0; scaled < 2; scaled++) {
        fitted f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, scaled, NULL), NULL);
        assert_int_equal(f.status, HILL_EDATA);
        assert_non_null(strstr(f.error.text, "column b"));
        free_fitted(&f);
    }
    const unsigned char held[] = {0, 0, 1};
    const double later[] = {1, 2, 1e300};
    memcpy(table->columns[1].numbers, later, sizeof later);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_NUMBERS, true, NULL), held);
    assert_int_equal(f.status, HILL_EDATA);
    assert_non_null(strstr(f.error.text, "row 3"));
    free_fitted(&f);
    hill_table_free(table);
}

/* Text and back is the same text, and gives the same floats. */
static void test_text(void **state)
{
    (void)state;
    const char *const names[] = {"n \"1\"", "c\xc3\xa9", "y"};
    hill_table *table = make_table(4, names, 3);
    const double a[] = {0.1, NA, 1e-9, 3};
    const char *const c[] = {"a,b", "\xe2\x82\xac", NULL, "a,b"}, *const y[] = {"no", "yes", "no", NULL};
    const unsigned char bytes[] = {1, 2, 3, 4};
    set_numbers(table, 0, a);
    set_texts(table, 1, c);
    set_texts(table, 2, y);
    set_images(table, bytes, 1, 1);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_CLASSES, true, NULL), NULL);
    assert_int_equal(f.status, HILL_OK);
    assert_int_equal(f.rows->count, 3);
    assert_int_equal(f.rows->without, 1);
    hill_allocator allocator = hill__allocator(NULL);
    hill__text first, second;
    hill__text_init(&first, &allocator);
    hill__text_init(&second, &allocator);
    hill__encoder_write(f.encoder, &first);
    hill__encoder *copy;
    assert_int_equal(hill__encoder_parse(first.data, first.length, &allocator, &copy, &f.error), HILL_OK);
    hill__encoder_write(copy, &second);
    assert_string_equal(first.data, second.data);
    assert_int_equal(copy->width, f.encoder->width);
    assert_string_equal(copy->schema.columns[1].name, names[0]);
    assert_int_equal(copy->schema.count, 4);
    assert_true(copy->schema.columns[3].target);

    hill__view view = {copy, table, 0, 4, true};
    hill__rows *rows;
    assert_int_equal(hill__rows_new(&view, &allocator, &rows, NULL), HILL_OK);
    assert_int_equal(hill__rows_bind(rows, NULL), HILL_OK);
    hill_source source = hill__rows_source(rows, hill__kernels_scalar.spread);
    for (uint64_t row = 0; row < 3; row++) {
        float one[8], other[8];
        assert_true(copy->width <= 8);
        fill_row(&f, row, one, NULL);
        assert_int_equal(source.fill(source.self, &row, 1, other, NULL), HILL_OK);
        assert_memory_equal(one, other, copy->width * sizeof *one);
    }
    hill__rows_free(rows);

    /* Nothing that is cut or has a letter changed makes it crash, and what is still taken writes something again. */
    for (size_t i = 0; i < first.length; i++) {
        hill__encoder *broken;
        assert_int_equal(hill__encoder_parse(first.data, i, &allocator, &broken, NULL), HILL_EMODEL);
        char kept = first.data[i];
        for (const char *with = "0-\"}nz"; *with; with++) {
            first.data[i] = *with;
            if (hill__encoder_parse(first.data, first.length, &allocator, &broken, NULL) == HILL_OK)
                hill__encoder_free(broken);
            else
                assert_null(broken);
        }
        first.data[i] = kept;
    }
    hill__encoder_free(copy);
    hill__text_free(&first);
    hill__text_free(&second);
    free_fitted(&f);
    hill_table_free(table);
}

/* Another table is matched by name, and its values by text, whatever their order; unknown classes are counted. */
static void test_other_table(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b", "y"}, *const turned[] = {"more", "y", "b", "a"};
    hill_table *table = make_table(3, names, 3), *other = make_table(3, turned, 4);
    const double a[] = {1, 2, 3}, more[] = {9, 9, 9};
    const char *const b[] = {"p", "q", "p"}, *const y[] = {"no", "yes", "no"}, *const y2[] = {"yes", "perhaps", "no"},
                      *const b2[] = {"q", "q", "new"};
    set_numbers(table, 0, a);
    set_texts(table, 1, b);
    set_texts(table, 2, y);
    set_numbers(other, 0, more);
    set_texts(other, 1, y2);
    set_texts(other, 2, b2);
    set_numbers(other, 3, a);
    fitted f = fit_table(table, fit_options(2, HILL_TASK_CLASSES, false, NULL), NULL);
    hill_allocator allocator = hill__allocator(NULL);
    hill__view view = {f.encoder, other, 0, 3, true};
    hill__rows *rows;
    assert_int_equal(hill__rows_new(&view, &allocator, &rows, NULL), HILL_OK);
    assert_int_equal(hill__rows_bind(rows, NULL), HILL_OK);
    assert_int_equal(rows->count, 2);
    assert_int_equal(rows->unknown, 1);
    hill_source source = hill__rows_source(rows, hill__kernels_scalar.spread);
    const uint64_t both[] = {0, 1};
    float inputs[8], targets[4];
    const float want[] = {1, 0, 1, 0, 3, 0, 0, 1}, classes[] = {0, 1, 1, 0};
    assert_int_equal(source.fill(source.self, both, 2, inputs, targets), HILL_OK);
    assert_memory_equal(inputs, want, sizeof want);
    assert_memory_equal(targets, classes, sizeof classes);
    hill__rows_free(rows);

    hill_error error = HILL_ERROR_INIT;
    assert_true(hill__table_set_name(other, 3, "A", 1));
    view.targets = false;
    assert_int_equal(hill__rows_new(&view, &allocator, &rows, NULL), HILL_OK);
    assert_int_equal(hill__rows_bind(rows, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "column a isn't there"));
    hill__rows_free(rows);
    assert_true(hill__table_set_name(other, 3, "b", 1));
    assert_true(hill__table_set_name(other, 2, "a", 1));
    assert_int_equal(hill__rows_new(&view, &allocator, &rows, NULL), HILL_OK);
    assert_int_equal(hill__rows_bind(rows, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "holds text where numbers are needed"));
    hill__rows_free(rows);
    other->has_header = false; /* then by position, whatever the names */
    assert_int_equal(hill__rows_new(&view, &allocator, &rows, NULL), HILL_OK);
    assert_int_equal(hill__rows_bind(rows, NULL), HILL_OK);
    hill__rows_free(rows);
    free_fitted(&f);
    hill_table_free(table);
    hill_table_free(other);
}

/* Text classes that are all numbers stand in the order of the numbers, else bytewise; input categories always bytewise. */
static void test_order(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "y"};
    const char *texts[] = {"10", "9", "-1", "09"};
    for (int word = 0; word < 2; word++) {
        texts[2] = word ? "x" : "-1";
        hill_table *table = make_table(4, names, 2);
        set_texts(table, 0, texts);
        set_texts(table, 1, texts);
        fitted f = fit_table(table, fit_options(1, HILL_TASK_CLASSES, true, NULL), NULL);
        assert_int_equal(f.status, HILL_OK);
        static const char *const classes[2][4] = {{"-1", "09", "9", "10"}, {"09", "10", "9", "x"}}, *const values[2][4] = {
                                                                                                        {"-1", "09", "10", "9"},
                                                                                                        {"09", "10", "9", "x"}};
        for (size_t i = 0; i < 4; i++) {
            assert_string_equal(f.encoder->target.classes.items[i], classes[word][i]);
            assert_string_equal(f.encoder->inputs[0].values.items[i], values[word][i]);
            assert_int_equal(hill__names_find(&f.encoder->target.classes, classes[word][i]), i);
        }
        assert_int_equal(hill__names_find(&f.encoder->target.classes, "1"), SIZE_MAX);
        free_fitted(&f);
        hill_table_free(table);
    }
}

/* Rows that are split go on being the same rows, with their own targets. */
static void test_parts(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "y"};
    const double a[] = {0, 1, 2, 3, 4, 5}, y[] = {0, 1, 2, 2, 1, NA};
    const unsigned char held[] = {0, 1, 0, 1, 0};
    hill_table *table = make_table(6, names, 2);
    set_numbers(table, 0, a);
    set_numbers(table, 1, y);
    hill_allocator allocator = hill__allocator(NULL);
    hill__encoder_options options = fit_options(1, HILL_TASK_CLASSES, false, NULL);
    hill__encoder *encoder;
    hill__rows *rows, *other;
    hill__lines notes;
    hill__lines_init(&notes, &allocator);
    assert_int_equal(hill__encoder_new(table, &options, &allocator, &encoder, NULL), HILL_OK);
    hill__view view = {encoder, table, 0, 6, true};
    assert_int_equal(hill__rows_new(&view, &allocator, &rows, NULL), HILL_OK);
    assert_int_equal(hill__rows_split(rows, held, &other, NULL), HILL_OK);
    assert_int_equal(hill__encoder_fit(encoder, table, &options, rows->list, rows->count, &notes, NULL), HILL_OK);
    const double want[2][3] = {{0, 2, 4}, {1, 3}};
    hill__rows *const sides[] = {rows, other};
    for (size_t s = 0; s < 2; s++) {
        assert_int_equal(hill__rows_bind(sides[s], NULL), HILL_OK);
        hill_source source = hill__rows_source(sides[s], hill__kernels_scalar.spread);
        assert_int_equal(source.rows, 3 - s);
        for (uint64_t i = 0; i < source.rows; i++) {
            float input, targets[3];
            assert_int_equal(source.fill(source.self, &i, 1, &input, targets), HILL_OK);
            assert_true(input == (float)want[s][i]);
            for (size_t c = 0; c < 3; c++)
                assert_true(targets[c] == ((double)c == y[(size_t)input] ? 1.0f : 0.0f));
        }
        hill__rows_free(sides[s]);
    }
    hill__lines_free(&notes);
    hill__encoder_free(encoder);
    hill_table_free(table);
}

static void test_choosing(void **state)
{
    (void)state;
    const char *const names[] = {"Y", "weight", "Class", "z"};
    hill_table *table = make_table(3, names, 4);
    const double whole[] = {1, 2, 3}, half[] = {0.5, 1, 2};
    const char *const texts[] = {"a", "b", "a"};
    hill_error error = HILL_ERROR_INIT;
    size_t target;
    set_numbers(table, 0, whole);
    set_numbers(table, 1, half);
    set_texts(table, 2, texts);
    set_numbers(table, 3, whole);
    assert_true(hill__table_measure(table));
    assert_int_equal(hill__choose_target(table, "auto", SIZE_MAX, &target, NULL), HILL_OK);
    assert_int_equal(target, 2);
    assert_true(hill__table_set_name(table, 2, "c", 1));
    assert_int_equal(hill__choose_target(table, "auto", SIZE_MAX, &target, NULL), HILL_OK);
    assert_int_equal(target, 0);
    assert_true(hill__table_set_name(table, 0, "b", 1));
    assert_int_equal(hill__choose_target(table, "auto", SIZE_MAX, &target, NULL), HILL_OK);
    assert_int_equal(target, 3);
    assert_int_equal(hill__choose_target(table, "2", SIZE_MAX, &target, NULL), HILL_OK);
    assert_int_equal(target, 1);
    assert_int_equal(hill__choose_target(table, "wieght", SIZE_MAX, &target, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "did you mean weight?"));
    assert_non_null(strstr(error.text, "b, weight, c, z"));
    assert_int_equal(hill__choose_target(table, "price", SIZE_MAX, &target, &error), HILL_EDATA);
    assert_null(strstr(error.text, "did you mean"));
    assert_int_equal(hill__choose_target(table, "5", SIZE_MAX, &target, &error), HILL_EDATA);
    assert_int_equal(hill__choose_task(table, 0, "auto"), HILL_TASK_CLASSES);
    assert_int_equal(hill__choose_task(table, 1, "auto"), HILL_TASK_NUMBERS);
    assert_int_equal(hill__choose_task(table, 2, "auto"), HILL_TASK_CLASSES);
    assert_int_equal(hill__choose_task(table, 0, "numbers"), HILL_TASK_NUMBERS);
    assert_int_equal(hill__choose_task(table, 1, "classes"), HILL_TASK_CLASSES);
    table->columns[0].distinct = 11;
    assert_int_equal(hill__choose_task(table, 0, "auto"), HILL_TASK_NUMBERS);
    hill_table_free(table);
}

static uint64_t split_counts(const uint32_t *labels, uint64_t rows, size_t classes, double fraction, uint64_t seed,
                             unsigned char *held, uint64_t *by_class)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__holdout split = {labels, rows, classes, fraction, seed};
    uint64_t count, sum = 0;
    assert_int_equal(hill__holdout_rows(&split, &allocator, held, &count), HILL_OK);
    memset(by_class, 0, classes * sizeof *by_class);
    for (uint64_t i = 0; i < rows; i++)
        if (held[i]) {
            by_class[labels ? labels[i] : 0]++;
            sum++;
        }
    assert_int_equal(sum, count);
    return count;
}

static void test_split(void **state)
{
    (void)state;
    uint32_t labels[1000];
    unsigned char held[1000], again[1000];
    uint64_t by_class[4];
    for (uint32_t i = 0; i < 1000; i++) /* 500, 333, 166 and 1 rows */
        labels[i] = i == 999 ? 3 : i % 2 == 0 ? 0 : i % 6 == 5 ? 2 : 1;
    assert_int_equal(split_counts(labels, 1000, 4, 0.1, 7, held, by_class), 100);
    assert_int_equal(by_class[0], 50);
    assert_int_equal(by_class[1], 33);
    assert_int_equal(by_class[2], 17);
    assert_int_equal(by_class[3], 0);
    split_counts(labels, 1000, 4, 0.1, 7, again, by_class);
    assert_memory_equal(held, again, sizeof held);
    split_counts(labels, 1000, 4, 0.1, 8, again, by_class);
    assert_memory_not_equal(held, again, sizeof held);
    assert_int_equal(split_counts(NULL, 1000, 1, 0.25, 1, held, by_class), 250);
    assert_int_equal(split_counts(NULL, 1000, 1, 0, 1, held, by_class), 0);
    assert_int_equal(split_counts(NULL, 1, 1, 0.9, 1, held, by_class), 0);
    assert_int_equal(split_counts(NULL, 0, 1, 0.9, 1, held, by_class), 0);
    const uint32_t few[] = {0, 1, 2, 0};
    assert_int_equal(split_counts(few, 4, 3, 0.9, 1, held, by_class), 1); /* a row of each class stays */
    assert_int_equal(by_class[0], 1);

    /* Rows are drawn from all over, not from one end. */
    uint64_t halves[2] = {0, 0};
    split_counts(NULL, 1000, 1, 0.5, 3, held, by_class);
    for (size_t i = 0; i < 1000; i++)
        halves[i / 500] += held[i];
    assert_in_range(halves[0], 200, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_missing_later),
        cmocka_unit_test(test_categories),  cmocka_unit_test(test_gathering),
        cmocka_unit_test(test_images),      cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_embedded),    cmocka_unit_test(test_embed_refused),
        cmocka_unit_test(test_bins),        cmocka_unit_test(test_bins_at_the_border),
        cmocka_unit_test(test_too_large),   cmocka_unit_test(test_text),
        cmocka_unit_test(test_other_table), cmocka_unit_test(test_choosing),
        cmocka_unit_test(test_split),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
