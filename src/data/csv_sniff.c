/*
 * csv_sniff.c - guesses about a CSV file from its first rows. Invariant: a guess never fails because of what is wrong further
 * down; the reading that follows says it, with its place.
 */
#include "base/fp.h"

#include "data/csv.h"

#include <string.h>

#include "base/number.h"
#include "data/dictionary.h"

/* Rows that shapes and types are guessed from, and bytes that any guess looks at. */
#define SNIFF_ROWS 100u
#define SNIFF_BYTES ((size_t)1 << 20)

static const char *const sniff_missing[] = {"NA", "na", "N/A", "n/a", "?", "null", "NULL", "NaN", "nan", "NAN"};

static bool sniff_add_word(hill__csv_missing *missing, const char *word, size_t length)
{
    char *copy = hill__copy_text(&missing->allocator, word, length);
    if (!copy)
        return false;
    missing->first[(unsigned char)copy[0]] = true;
    hill__lines_add(&missing->words, "%s", copy);
    hill__free(&missing->allocator, copy, length + 1, 1);
    return !missing->words.text.failed;
}

bool hill__csv_missing_init(hill__csv_missing *missing, const char *list, const hill_allocator *allocator)
{
    *missing = (hill__csv_missing){.allocator = *allocator};
    hill__lines_init(&missing->words, allocator);
    for (size_t i = 0; !list && i < sizeof sniff_missing / sizeof *sniff_missing; i++)
        if (!sniff_add_word(missing, sniff_missing[i], strlen(sniff_missing[i])))
            return false;
    size_t length;
    for (const char *word; list && (word = hill__list_next(&list, &length)) != NULL;)
        if (!sniff_add_word(missing, word, length))
            return false;
    return true;
}

void hill__csv_missing_free(hill__csv_missing *missing)
{
    hill__lines_free(&missing->words);
}

bool hill__csv_missing_is(const hill__csv_missing *missing, const char *text, size_t length)
{
    if (length == 0)
        return true;
    if (!missing->first[(unsigned char)text[0]])
        return false;
    for (size_t i = 0; i < missing->words.count; i++) {
        const char *word = hill__lines_at(&missing->words, i);
        if (strlen(word) == length && memcmp(word, text, length) == 0)
            return true;
    }
    return false;
}

/* A copy of the place that sees no more than SNIFF_BYTES and whose failures nobody hears. */
static hill__csv sniff_window(const hill__csv *csv)
{
    hill__csv window = *csv;
    window.error = NULL;
    if ((size_t)(csv->end - csv->at) > SNIFF_BYTES)
        window.end = csv->at + SNIFF_BYTES;
    return window;
}

/* Did the window's end cut off the row that was just read? */
static bool sniff_is_cut(const hill__csv *window, const hill__csv *csv)
{
    return window->at == window->end && window->end < csv->end;
}

/* How the first rows look when cut by one delimiter. */
typedef struct sniff_shape {
    size_t rows;
    size_t cells;   /* in most rows */
    size_t same;    /* rows with so many */
    size_t numbers; /* cells that are numbers, in all rows */
} sniff_shape;

static sniff_shape sniff_shape_of(const hill__csv *start, char delimiter)
{
    size_t counts[SNIFF_ROWS];
    sniff_shape shape = {0, 0, 0, 0};
    hill__csv window = sniff_window(start);
    hill__csv_set_delimiter(&window, delimiter);
    while (shape.rows < SNIFF_ROWS && hill__csv_row(&window)) {
        hill__csv_cell cell;
        size_t count = 0;
        do {
            double number;
            if (hill__csv_cell_read(&window, &cell) < 0)
                return (sniff_shape){0, 0, 0, 0};
            shape.numbers += hill__parse_double(cell.text, cell.length, &number) == HILL__NUMBER_FINITE;
            count++;
        } while (!cell.last);
        if (shape.rows > 0 && sniff_is_cut(&window, start))
            break;
        counts[shape.rows++] = count;
    }
    for (size_t i = 0; i < shape.rows; i++) {
        size_t same = 0;
        for (size_t k = 0; k < shape.rows; k++)
            same += counts[k] == counts[i];
        if (counts[i] > 1 && same > shape.same) {
            shape.same = same;
            shape.cells = counts[i];
        }
    }
    return shape;
}

/*
 * The delimiter under which the largest part of the rows, and more than half, has the same number of cells, two at least. Among
 * equals the one that stands more rarely in ordinary text. Spaces stand in any text, so they must leave numbers between them.
 */
char hill__csv_sniff_delimiter(const hill__csv *start)
{
    static const char delimiters[] = {'\t', '|', ';', ',', ' '};
    char best = ',';
    size_t best_same = 0, best_rows = 1;
    for (size_t i = 0; i < sizeof delimiters; i++) {
        sniff_shape shape = sniff_shape_of(start, delimiters[i]);
        if (shape.same * 2 <= shape.rows || (delimiters[i] == ' ' && shape.numbers * 2 < shape.rows))
            continue;
        if (shape.same * best_rows > best_same * shape.rows) {
            best = delimiters[i];
            best_same = shape.same;
            best_rows = shape.rows;
        }
    }
    return best;
}

/* What the rows behind the first one hold in a column. */
typedef struct sniff_column {
    bool number, text; /* some cell is one */
    bool again;        /* the first row's text comes again */
} sniff_column;

static bool sniff_is_number(const char *text, size_t length)
{
    double number;
    return hill__parse_double(text, length, &number) == HILL__NUMBER_FINITE;
}

/*
 * One row behind the first; false where it has another number of cells or is cut off. With `missing` NULL its types don't
 * count.
 */
static bool sniff_row(hill__csv *window, const hill__csv *behind, const hill__csv_cells *first,
                      const hill__csv_missing *missing, sniff_column *columns)
{
    hill__csv_cell cell;
    size_t i = 0;
    do {
        if (hill__csv_cell_read(window, &cell) < 0 || i == first->count || sniff_is_cut(window, behind))
            return false;
        size_t length;
        const char *text = hill__csv_cells_at(first, i, &length);
        if (length == cell.length && memcmp(text, cell.text, length) == 0)
            columns[i].again = true;
        if (missing && !hill__csv_missing_is(missing, cell.text, cell.length)) {
            bool number = sniff_is_number(cell.text, cell.length);
            columns[i].number |= number;
            columns[i].text |= !number;
        }
        i++;
    } while (!cell.last);
    return i == first->count;
}

/* Are all cells of the first row texts, and no two the same? Where memory ends they are taken to be. */
static bool sniff_are_names(const hill__csv_cells *first, const hill__csv_missing *missing)
{
    hill__lines values;
    hill__dictionary dictionary;
    hill__lines_init(&values, &missing->allocator);
    hill__dictionary_init(&dictionary, &values);
    bool good = true;
    for (size_t i = 0; good && i < first->count; i++) {
        size_t length;
        uint32_t code;
        const char *text = hill__csv_cells_at(first, i, &length);
        good = !hill__csv_missing_is(missing, text, length) && !sniff_is_number(text, length) &&
               (!hill__dictionary_code(&dictionary, text, length, &code) || code == i);
    }
    hill__dictionary_free(&dictionary);
    hill__lines_free(&values);
    return good;
}

static hill__csv_header sniff_decide(const hill__csv_cells *first, const hill__csv_missing *missing,
                                     const sniff_column *columns)
{
    bool again = false;
    for (size_t i = 0; i < first->count; i++) {
        size_t length;
        const char *text = hill__csv_cells_at(first, i, &length);
        again |= columns[i].again;
        if (columns[i].number && !columns[i].text && !hill__csv_missing_is(missing, text, length) &&
            !sniff_is_number(text, length))
            return HILL__CSV_HEADER_CERTAIN;
    }
    return !again && sniff_are_names(first, missing) ? HILL__CSV_HEADER_LIKELY : HILL__CSV_HEADER_NO;
}

int hill__csv_sniff_header(const hill__csv *behind, const hill__csv_cells *first, const hill__csv_missing *missing,
                           hill__csv_header *out)
{
    sniff_column *columns = hill__alloc(&missing->allocator, first->count, sizeof *columns);
    if (!columns)
        return hill__fail_memory(behind->error);
    hill__csv window = sniff_window(behind);
    for (size_t rows = 0; hill__csv_row(&window); rows++)
        if (!sniff_row(&window, behind, first, rows < SNIFF_ROWS ? missing : NULL, columns))
            break;
    *out = sniff_decide(first, missing, columns);
    hill__free(&missing->allocator, columns, first->count, sizeof *columns);
    return HILL_OK;
}
