/*
 * session_weights.c - the knobs class-weights and weight: what they say becomes a weight for every row to train on and to
 * validate with. Invariant: the weights of classes depend on the training rows alone.
 */
#include "base/fp.h"

#include "model/session.h"

#include <string.h>

#include "base/number.h"

static int weights_fail(const hill_session *session, const char *item, size_t length, hill_error *error)
{
    const hill__names *classes = &session->encoder->target.classes;
    return hill__fail(
        error, HILL_EDATA,
        "class-weights: '%.*s' is no class with its weight, which is 0 or more: %.100s=2, say; or none, or balanced",
        (int)(length < 200 ? length : 200), item, classes->items[0]);
}

/* The class called so, blanks around the name left out; SIZE_MAX: there is none. */
static size_t weights_class(const hill__names *classes, const char *name, size_t length)
{
    for (; length > 0 && *name == ' '; name++)
        length--;
    while (length > 0 && name[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < classes->count; i++)
        if (strlen(classes->items[i]) == length && memcmp(classes->items[i], name, length) == 0)
            return i;
    return SIZE_MAX;
}

/*
 * The item that a list begins with: up to the first comma that lets it be a class and a number, for names may have commas and
 * equals signs too. Returns its length; 0 where it is none.
 */
static size_t weights_item(const hill__names *classes, const char *text, size_t *class, double *weight)
{
    for (size_t end = strcspn(text, ","), equals;; end += 1 + strcspn(text + end + 1, ",")) {
        for (equals = end; equals > 0 && text[equals - 1] != '=';)
            equals--;
        *class = equals > 1 ? weights_class(classes, text, equals - 1) : SIZE_MAX;
        if (*class != SIZE_MAX && hill__parse_double(text + equals, end - equals, weight) == HILL__NUMBER_FINITE &&
            *weight >= 0)
            return end;
        if (text[end] == '\0')
            return 0;
    }
}

/* Weights by a list "spam=5,ham=1"; classes that aren't in it have weight 1. */
static int weights_by_list(const hill_session *session, const char *text, double *weights, hill_error *error)
{
    const hill__names *classes = &session->encoder->target.classes;
    for (size_t i = 0; i < classes->count; i++)
        weights[i] = 1;
    for (size_t class = 0, length; *text; text += length + (text[length] == ',')) {
        double weight = 0;
        length = weights_item(classes, text, &class, &weight);
        if (length == 0)
            return weights_fail(session, text, strcspn(text, ","), error);
        weights[class] = weight;
    }
    return HILL_OK;
}

/* rows / (classes x rows of the class), of the classes that have training rows (King 2001). */
static void weights_balanced(const hill_session *session, double *weights)
{
    const size_t classes = session->encoder->target.classes.count;
    const hill__rows *rows = session->train;
    size_t present = 0;
    for (size_t i = 0; i < classes; i++)
        weights[i] = 0;
    for (uint64_t i = 0; i < rows->count; i++)
        weights[rows->labels[i]] += 1;
    for (size_t i = 0; i < classes; i++)
        present += weights[i] > 0;
    for (size_t i = 0; i < classes; i++)
        weights[i] = weights[i] > 0 ? (double)rows->count / ((double)present * weights[i]) : 1;
}

static int weights_find(const hill_session *session, const hill_table *table, size_t *column, hill_error *error)
{
    const char *name = hill_recipe_get(session->recipe, "weight");
    *column = SIZE_MAX;
    if (!*name)
        return HILL_OK;
    *column = hill__table_find(table, name);
    return *column < table->column_count
               ? HILL_OK
               : hill__fail(error, HILL_EDATA, "%s: there is no column %.200s of weights", table->name, name);
}

int hill__session_weight_column(const hill_session *session, size_t *column, hill_error *error)
{
    return weights_find(session, session->tables.train, column, error);
}

static int weights_give(const hill_session *session, const double *classes, hill__rows *rows, hill_error *error)
{
    size_t column;
    if (!rows)
        return HILL_OK;
    HILL__TRY(weights_find(session, rows->table, &column, error));
    return classes || column != SIZE_MAX ? hill__rows_weigh(rows, classes, column, error) : HILL_OK;
}

int hill__session_weights(hill_session *session, hill_error *error)
{
    const char *text = hill_recipe_get(session->recipe, "class-weights");
    const size_t count = session->encoder->target.classes.count;
    double *classes = NULL;
    int status = HILL_OK;
    if (strcmp(text, "none") != 0) {
        if (session->encoder->task != HILL_TASK_CLASSES)
            return hill__fail(error, HILL_ERECIPE, "class-weights: there are none, %s is learned as numbers",
                              session->encoder->target.name);
        classes = hill__alloc(&session->allocator, count, sizeof *classes);
        if (!classes)
            return hill__fail_memory(error);
        if (strcmp(text, "balanced") == 0)
            weights_balanced(session, classes);
        else
            status = weights_by_list(session, text, classes, error);
    }
    if (status == HILL_OK)
        status = weights_give(session, classes, session->train, error);
    if (status == HILL_OK)
        status = weights_give(session, classes, session->valid, error);
    hill__free(&session->allocator, classes, count, sizeof *classes);
    return status;
}
