/*
 * choose.c - target and task. Invariant: a choice depends on names, kinds and counts of columns, never on the order of rows.
 */
#include "base/fp.h"

#include "data/choose.h"

#include <string.h>

/* Whole numbers of more different values are not taken for classes. */
#define CHOOSE_CLASSES_MOST 10u

/* Columns that a message names, and the longest name that a near one is looked for. */
#define CHOOSE_NAMED 8u
#define CHOOSE_LONGEST 60u

static char choose_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool choose_same(const char *a, const char *b)
{
    while (*a && choose_lower(*a) == choose_lower(*b)) {
        a++;
        b++;
    }
    return choose_lower(*a) == choose_lower(*b);
}

/* Single-letter insertions, deletions and changes that lead from a to b, letter case apart. */
static size_t choose_distance(const char *a, const char *b)
{
    size_t row[CHOOSE_LONGEST + 1], length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t change = diagonal + (choose_lower(a[i]) != choose_lower(b[j]));
            size_t best = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < best ? change : best;
        }
    }
    return row[length];
}

/* The column whose name is at most a third wrong, or NULL. */
static const char *choose_nearest(const hill_table *table, const char *text)
{
    const char *best = NULL;
    size_t length = strlen(text), least = length / 3 + 1;
    for (size_t i = 0; length <= CHOOSE_LONGEST && i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        size_t distance = strlen(name) <= CHOOSE_LONGEST ? choose_distance(text, name) : least + 1;
        if (distance < least || (distance == least && !best && distance < length)) {
            least = distance;
            best = name;
        }
    }
    return best;
}

static int choose_fail(const hill_table *table, const char *text, hill_error *error)
{
    hill__text names;
    hill__text_init(&names, &table->allocator);
    for (size_t i = 0; i < table->column_count && i < CHOOSE_NAMED; i++) {
        hill__text_add_string(&names, i ? ", " : "");
        hill__text_add_string(&names, table->columns[i].name);
    }
    if (table->column_count > CHOOSE_NAMED)
        hill__text_add_format(&names, " and %zu more", table->column_count - CHOOSE_NAMED);
    const char *nearest = choose_nearest(table, text);
    int status =
        hill__fail(error, HILL_EDATA, "%s: there is no column %s to learn%s%s%s; there is %.500s", table->name, text,
                   nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "", hill__text_string(&names));
    hill__text_free(&names);
    return status;
}

static size_t choose_auto(const hill_table *table, size_t weight)
{
    static const char *const usual[] = {"target", "label", "class", "y"};
    for (size_t k = 0; k < sizeof usual / sizeof usual[0]; k++)
        for (size_t i = 0; i < table->column_count; i++)
            if (i != weight && choose_same(table->columns[i].name, usual[k]))
                return i;
    return table->column_count - (weight == table->column_count - 1 ? 2 : 1);
}

int hill__choose_target(const hill_table *table, const char *text, size_t weight, size_t *out, hill_error *error)
{
    if (table->column_count == 0)
        return hill__fail(error, HILL_EDATA, "%s: there is no target to learn; give one with --targets FILE", table->name);
    *out = strcmp(text, "auto") == 0 ? choose_auto(table, weight) : hill__table_find(table, text);
    if (*out >= table->column_count)
        return choose_fail(table, text, error);
    if (table->column_count == 1 && !table->image)
        return hill__fail(error, HILL_EDATA, "%s: %s is the only column; one to learn from is needed besides", table->name,
                          table->columns[0].name);
    return HILL_OK;
}

hill_task hill__choose_task(const hill_table *table, size_t target, const char *text)
{
    const hill__column *column = &table->columns[target];
    if (strcmp(text, "auto") != 0)
        return strcmp(text, "classes") == 0 ? HILL_TASK_CLASSES : HILL_TASK_NUMBERS;
    if (column->kind == HILL_COLUMN_CATEGORY)
        return HILL_TASK_CLASSES;
    return column->whole && column->distinct <= CHOOSE_CLASSES_MOST ? HILL_TASK_CLASSES : HILL_TASK_NUMBERS;
}
