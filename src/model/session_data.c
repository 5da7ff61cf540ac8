/*
 * session_data.c - from tables to rows that a run can gather. Invariant: once done, the session's recipe says which target, task
 * and held-out fraction were taken, so that the recipe makes the same rows of the same table again.
 */
#include "base/fp.h"

#include "model/session.h"

#include <string.h>

#include "base/number.h"
#include "data/choose.h"
#include "data/embed.h"
#include "data/split.h"
#include "op/op.h"

/* What the encoder may embed, a net has room for. */
_Static_assert(HILL__EMBED_ROWS == HILL__LOOKUP_ROWS && HILL__EMBED_WIDTH == HILL__LOOKUP_WIDTH &&
                   HILL__EMBED_COLUMNS == HILL__LOOKUPS,
               "tables of the encoder and of the net");

/* The target as the recipe will name it: by name where that finds it again, else by number. */
static int session_name_target(hill_session *session, size_t target, hill_error *error)
{
    const hill_table *table = session->tables.train;
    const char *name = table->columns[target].name;
    size_t length = strlen(name);
    char number[HILL__NUMBER_TEXT];
    bool clean = length > 0 && name[0] != ' ' && name[length - 1] != ' ' && strcmp(name, "auto") != 0;
    for (size_t i = 0; i < length; i++)
        clean = clean && (unsigned char)name[i] >= ' ';
    if (!clean || hill__table_find(table, name) != target) {
        hill__format_double((double)(target + 1), number);
        name = number;
    }
    return hill_recipe_set(session->recipe, "target", name, error);
}

unsigned hill__session_cost_flags(const hill_session *session)
{
    const hill__op *cost = hill__op_find(HILL__COST, hill_recipe_get(session->recipe, "cost"));
    return cost ? cost->flags : 0;
}

static int session_new_encoder(hill_session *session, hill__encoder_options *options, hill_error *error)
{
    const hill_table *table = session->tables.train;
    const char *task = hill_recipe_get(session->recipe, "task");
    const unsigned flags = hill__session_cost_flags(session);
    if (flags & HILL__OP_COUNTS && strcmp(task, "auto") == 0)
        task = "numbers";
    HILL__TRY(hill__session_weight_column(session, &options->weight, error));
    HILL__TRY(hill__choose_target(table, hill_recipe_get(session->recipe, "target"), options->weight, &options->target, error));
    if (options->target == options->weight)
        return hill__fail(error, HILL_EDATA, "%s: column %s cannot be both the target and the weights", table->name,
                          table->columns[options->target].name);
    options->task = hill__choose_task(table, options->target, task);
    options->scaled = !hill__recipe_is(session->recipe, "scale", "none");
    options->target_scaled = options->scaled && !(flags & HILL__OP_UNSCALED);
    if (options->scaled && !options->target_scaled && options->task == HILL_TASK_NUMBERS)
        hill__lines_add(&session->notes, "not scaled: the target %s, which the %s cost takes as it is",
                        table->columns[options->target].name, hill_recipe_get(session->recipe, "cost"));
    HILL__TRY(session_name_target(session, options->target, error));
    HILL__TRY(hill_recipe_set(session->recipe, "task", options->task == HILL_TASK_CLASSES ? "classes" : "numbers", error));
    options->keep = hill_recipe_get(session->recipe, "keep");
    options->embed = hill_recipe_get(session->recipe, "embed");
    (void)hill__recipe_pieces(hill_recipe_get(session->recipe, "numbers"), &options->bins); /* its knob took it */
    return hill__encoder_new(table, options, &session->allocator, &session->encoder, error);
}

/* The rows of a table that have a target; what is left out is counted and said. */
static int session_list(hill_session *session, const hill_table *table, const char *what, hill__rows **out, hill_error *error)
{
    const char *target = session->encoder->target.name;
    hill__view view = {session->encoder, table, 0, table->rows, true};
    HILL__TRY(hill__rows_new(&view, &session->allocator, out, error));
    const hill__rows *rows = *out;
    if (rows->without)
        hill__lines_add(&session->notes, "left out: %llu %s rows without a %s", (unsigned long long)rows->without, what,
                        target);
    if (rows->unknown)
        hill__lines_add(&session->notes, "left out: %llu %s rows whose %s is in no training row",
                        (unsigned long long)rows->unknown, what, target);
    if (rows->count == 0)
        return hill__fail(error, HILL_EDATA, "%s: no row has a target %s to use", table->name, target);
    return HILL_OK;
}

/* Sees that a cost of counts gets no negative number. */
static int session_see_counts(const hill_session *session, const hill__rows *rows, hill_error *error)
{
    if (!(hill__session_cost_flags(session) & HILL__OP_COUNTS) || session->encoder->task != HILL_TASK_NUMBERS)
        return HILL_OK;
    for (uint64_t i = 0; i < rows->count; i++)
        if (hill__rows_number(rows, i) < 0) {
            char place[300];
            hill__table_place(rows->table, rows->list[i], place, sizeof place);
            return hill__fail(error, HILL_EDATA, "%s: column %s: the %s cost takes counts, 0 or more", place,
                              session->encoder->target.name, hill_recipe_get(session->recipe, "cost"));
        }
    return HILL_OK;
}

static int session_bind(const hill_session *session, hill__rows *rows, hill_error *error)
{
    HILL__TRY(hill__rows_bind(rows, error));
    return session_see_counts(session, rows, error);
}

/* The fraction to hold out; "auto" becomes a number here. */
static int session_fraction(hill_session *session, uint64_t rows, double *fraction, hill_error *error)
{
    bool small = rows < HILL__HOLDOUT_LEAST || session->tables.valid;
    char text[HILL__NUMBER_TEXT];
    if (session->tables.valid || hill__recipe_is(session->recipe, "valid", "auto")) {
        hill__format_double(small ? 0 : HILL__HOLDOUT_AUTO, text);
        HILL__TRY(hill_recipe_set(session->recipe, "valid", text, error));
    }
    *fraction = hill__recipe_number(session->recipe, "valid");
    return HILL_OK;
}

static int session_hold_out(hill_session *session, double fraction, hill_error *error)
{
    hill__rows *train = session->train;
    uint64_t count, seed = hill__recipe_count(session->recipe, "seed");
    size_t rows = (size_t)train->count, classes = train->labels ? session->encoder->target.classes.count : 1;
    hill__holdout split = {train->labels, train->count, classes, fraction, seed};
    unsigned char *held = hill__alloc(&session->allocator, rows, 1);
    int status = held ? hill__holdout_rows(&split, &session->allocator, held, &count) : HILL_EMEMORY;
    if (status < 0)
        status = hill__fail_memory(error);
    else if (count > 0)
        status = hill__rows_split(train, held, &session->valid, error);
    hill__free(&session->allocator, held, rows, 1);
    if (status == HILL_OK && session->valid)
        hill__lines_add(&session->notes, "held out: %llu of %zu rows, drawn by seed %llu%s, to see how training goes",
                        (unsigned long long)count, rows, (unsigned long long)seed, classes > 1 ? " from each class alike" : "");
    return status;
}

static int session_rows(hill_session *session, hill_error *error)
{
    double fraction;
    HILL__TRY(session_list(session, session->tables.train, "training", &session->train, error));
    HILL__TRY(session_fraction(session, session->train->count, &fraction, error));
    if (session->tables.valid)
        return session_list(session, session->tables.valid, "validation", &session->valid, error);
    return fraction > 0 ? session_hold_out(session, fraction, error) : HILL_OK;
}

/* What the encoder embeds, as the recipe will say it. */
static int session_name_embedded(hill_session *session, hill_error *error)
{
    hill__text text;
    hill__text_init(&text, &session->allocator);
    hill__embed_choice(session->encoder, session->tables.train, &text);
    int status =
        text.failed ? hill__fail_memory(error) : hill_recipe_set(session->recipe, "embed", hill__text_string(&text), error);
    hill__text_free(&text);
    return status;
}

int hill__session_data(hill_session *session, hill_error *error)
{
    hill__encoder_options options;
    const hill_tables *tables = &session->tables;
    HILL__TRY(session_new_encoder(session, &options, error));
    HILL__TRY(session_rows(session, error));
    HILL__TRY(hill__encoder_fit(session->encoder, tables->train, &options, session->train->list, session->train->count,
                                &session->notes, error));
    HILL__TRY(session_name_embedded(session, error));
    HILL__TRY(session_bind(session, session->train, error));
    if (session->valid)
        HILL__TRY(session_bind(session, session->valid, error));
    HILL__TRY(hill__session_weights(session, error));
    if (tables->test) {
        HILL__TRY(session_list(session, tables->test, "test", &session->test, error));
        HILL__TRY(session_bind(session, session->test, error));
    }
    return session->notes.text.failed ? hill__fail_memory(error) : HILL_OK;
}
