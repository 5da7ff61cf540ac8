/*
 * csv_cells.c - cells out of the bytes of a CSV file. Invariant: `at` stands at the first byte of a cell or of a row, `line`
 * and `line_start` belong to it.
 */
#include "base/fp.h"

#include "data/csv.h"

#include <inttypes.h>
#include <string.h>

void hill__csv_begin(hill__csv *csv, const hill_bytes *bytes, char delimiter, hill__text *scratch, hill_error *error)
{
    const unsigned char *data = bytes->data;
    size_t mark = bytes->length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    *csv = (hill__csv){.name = bytes->name, .error = error, .line = 1, .limits = HILL_LIMITS_INIT, .scratch = scratch};
    csv->at = csv->line_start = csv->row_start = mark ? data + mark : data;
    csv->end = bytes->length ? data + bytes->length : data;
    hill__csv_set_delimiter(csv, delimiter);
}

void hill__csv_set_delimiter(hill__csv *csv, char delimiter)
{
    csv->delimiter = (unsigned char)delimiter;
    memset(csv->stops, 0, sizeof csv->stops);
    csv->stops['\n'] = csv->stops['\r'] = csv->stops[csv->delimiter] = true;
}

static bool csv_is_blank(const hill__csv *csv, unsigned char c)
{
    return (c == ' ' || c == '\t') && c != csv->delimiter;
}

static bool csv_is_newline(unsigned char c)
{
    return c == '\n' || c == '\r';
}

static const unsigned char *csv_skip_spaces(const hill__csv *csv, const unsigned char *p)
{
    while (p < csv->end && *p == ' ')
        p++;
    return p;
}

/* Behind the line end at p. */
static const unsigned char *csv_newline(hill__csv *csv, const unsigned char *p)
{
    p += *p == '\r' && p + 1 < csv->end && p[1] == '\n' ? 2 : 1;
    csv->line++;
    csv->line_start = p;
    return p;
}

bool hill__csv_row(hill__csv *csv)
{
    while (csv->at < csv->end) {
        const unsigned char *p = csv->at;
        while (p < csv->end && (csv_is_blank(csv, *p) || *p == ' '))
            p++;
        if (p < csv->end && !csv_is_newline(*p)) {
            csv->at = csv->row_start = p;
            return true;
        }
        csv->at = p < csv->end ? csv_newline(csv, p) : p;
        csv->blank++;
    }
    return false;
}

/* Refuses a row that is too long up to p, before anything of it is kept. */
static int csv_check_row(const hill__csv *csv, const unsigned char *p)
{
    uint64_t most = HILL__LIMIT(csv->limits, line);
    if ((uint64_t)(p - csv->row_start) <= most)
        return HILL_OK;
    return hill__fail(csv->error, HILL_EDATA,
                      "%s:%" PRIu64 ":%zu: the row is longer than %" PRIu64
                      " bytes; --limit-line raises that, if this is a table",
                      csv->name, csv->line, (size_t)(p - csv->line_start) + 1, most);
}

/* Ends the cell at p, where a delimiter, a line end or the end is. */
static int csv_end_cell(hill__csv *csv, const unsigned char *p, hill__csv_cell *cell)
{
    HILL__TRY(csv_check_row(csv, p));
    if (p < csv->end && *p == csv->delimiter) {
        p++;
        if (csv->delimiter != ' ') {
            csv->at = p;
            return HILL_OK;
        }
        p = csv_skip_spaces(csv, p);
        if (p < csv->end && !csv_is_newline(*p)) {
            csv->at = p;
            return HILL_OK;
        }
    }
    cell->last = true;
    csv->at = p < csv->end ? csv_newline(csv, p) : p;
    return HILL_OK;
}

/* Undoes doubled quotes: [from, to) goes to the scratch text, which is emptied at a cell's first piece. */
static bool csv_keep_piece(hill__csv *csv, const unsigned char *from, const unsigned char *to, bool first)
{
    if (first)
        hill__text_clear(csv->scratch);
    hill__text_add(csv->scratch, (const char *)from, (size_t)(to - from));
    return !csv->scratch->failed;
}

static int csv_garbage(hill__csv *csv, const unsigned char *p)
{
    char excerpt[HILL__CSV_EXCERPT];
    hill__csv_excerpt((const char *)p, hill__utf8(p, (size_t)(csv->end - p)), excerpt);
    return hill__fail(csv->error, HILL_EDATA,
                      "%s:%" PRIu64
                      ":%zu: \"%s\" stands behind a closing quote; a delimiter or the end of the line belongs there "
                      "(a quote inside quotes is written twice)",
                      csv->name, csv->line, (size_t)(p - csv->line_start) + 1, excerpt);
}

/* Reads from behind the opening quote. */
static int csv_read_quoted(hill__csv *csv, const unsigned char *p, hill__csv_cell *cell)
{
    const unsigned char *from = p;
    bool pieces = false;
    for (;;) {
        while (p < csv->end && *p != '"')
            p = csv_is_newline(*p) ? csv_newline(csv, p) : p + 1;
        if (p == csv->end)
            return hill__fail(csv->error, HILL_EDATA, "%s:%" PRIu64 ":%zu: the quote that opens here is never closed",
                              csv->name, cell->line, cell->column);
        bool doubled = p + 1 < csv->end && p[1] == '"';
        HILL__TRY(csv_check_row(csv, p));
        if ((doubled || pieces) && !csv_keep_piece(csv, from, p + doubled, !pieces))
            return hill__fail_memory(csv->error);
        if (!doubled)
            break;
        pieces = true;
        from = p = p + 2;
    }
    cell->text = pieces ? hill__text_string(csv->scratch) : (const char *)from;
    cell->length = pieces ? csv->scratch->length : (size_t)(p - from);
    p++;
    while (p < csv->end && csv_is_blank(csv, *p))
        p++;
    if (p < csv->end && !csv->stops[*p])
        return csv_garbage(csv, p);
    return csv_end_cell(csv, p, cell);
}

int hill__csv_cell_read(hill__csv *csv, hill__csv_cell *cell)
{
    const unsigned char *p = csv->at, *end = csv->end;
    while (p < end && csv_is_blank(csv, *p))
        p++;
    cell->line = csv->line;
    cell->column = (size_t)(p - csv->line_start) + 1;
    cell->last = false;
    if (p < end && *p == '"')
        return csv_read_quoted(csv, p + 1, cell);
    const unsigned char *from = p;
    while (p < end && !csv->stops[*p])
        p++;
    const unsigned char *to = p;
    while (to > from && csv_is_blank(csv, to[-1]))
        to--;
    cell->text = (const char *)from;
    cell->length = (size_t)(to - from);
    return csv_end_cell(csv, p, cell);
}

/* Is there a zero or a byte over 127 among the eight at p? Exact for zeros as long as no byte is over 127. */
static bool csv_is_plain(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return ((word | (word - 0x0101010101010101u)) & 0x8080808080808080u) == 0;
}

static int csv_bad_text(const hill_bytes *bytes, size_t at, hill_error *error)
{
    hill__csv csv;
    hill_bytes before = {bytes->data, at, bytes->name};
    hill__csv_begin(&csv, &before, ',', NULL, NULL);
    const unsigned char *p = csv.at, *bad = (const unsigned char *)bytes->data + at;
    while (p < csv.end)
        p = csv_is_newline(*p) ? csv_newline(&csv, p) : p + 1;
    size_t column = (size_t)(bad - csv.line_start) + 1;
    if (*bad == 0)
        return hill__fail(error, HILL_EDATA, "%s:%" PRIu64 ":%zu: a zero byte; this is no text", bytes->name, csv.line, column);
    return hill__fail(error, HILL_EDATA, "%s:%" PRIu64 ":%zu: byte 0x%02x is no UTF-8; save the file as UTF-8", bytes->name,
                      csv.line, column, *bad);
}

int hill__csv_check_text(const hill_bytes *bytes, hill_error *error)
{
    const unsigned char *p = bytes->data;
    size_t length = bytes->length, i = 0;
    if (length >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
        return hill__fail(error, HILL_EDATA, "%s:1:1: this is UTF-16; save the file as UTF-8", bytes->name);
    while (i < length) {
        if (length - i >= 8 && csv_is_plain(p + i)) {
            i += 8;
            continue;
        }
        size_t step = p[i] ? hill__utf8(p + i, length - i) : 0;
        if (step == 0)
            return csv_bad_text(bytes, i, error);
        i += step;
    }
    return HILL_OK;
}

void hill__csv_excerpt(const char *text, size_t length, char out[HILL__CSV_EXCERPT])
{
    const size_t room = HILL__CSV_EXCERPT - 4;
    size_t kept = length;
    if (length > room)
        for (kept = room; kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80;)
            kept--;
    for (size_t i = 0; i < kept; i++)
        out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    strcpy(out + kept, kept < length ? "..." : "");
}

void hill__csv_cells_init(hill__csv_cells *cells, const hill_allocator *allocator)
{
    *cells = (hill__csv_cells){.count = 0};
    hill__text_init(&cells->text, allocator);
}

void hill__csv_cells_free(hill__csv_cells *cells)
{
    hill__free(&cells->text.allocator, cells->starts, cells->capacity, sizeof *cells->starts);
    hill__text_free(&cells->text);
    cells->starts = NULL;
    cells->count = cells->capacity = 0;
}

int hill__csv_cells_read(hill__csv_cells *cells, hill__csv *csv)
{
    hill__csv_cell cell;
    cells->count = 0;
    cells->line = csv->line;
    hill__text_clear(&cells->text);
    do {
        HILL__TRY(hill__csv_cell_read(csv, &cell));
        void *starts = cells->starts;
        if (cells->count == HILL__LIMIT(csv->limits, columns))
            return hill__fail(csv->error, HILL_EDATA, "%s:%" PRIu64 ":%zu: more than %zu columns; --limit-columns raises that",
                              csv->name, cell.line, cell.column, cells->count);
        if (!hill__grow(&cells->text.allocator, &starts, &cells->capacity, cells->count + 2, sizeof *cells->starts))
            return hill__fail_memory(csv->error);
        cells->starts = starts;
        cells->starts[cells->count] = cells->text.length;
        hill__text_add(&cells->text, cell.text, cell.length);
        hill__text_add(&cells->text, "", 1);
        cells->starts[++cells->count] = cells->text.length;
    } while (!cell.last);
    return cells->text.failed ? hill__fail_memory(csv->error) : HILL_OK;
}

const char *hill__csv_cells_at(const hill__csv_cells *cells, size_t i, size_t *length)
{
    *length = cells->starts[i + 1] - cells->starts[i] - 1;
    return cells->text.data + cells->starts[i];
}
