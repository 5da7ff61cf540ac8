/*
 * net.c - reads the text of a net: items between commas, each "UNITS [ACTIVATION]", "LAYER ..." or, last, "output ACTIVATION";
 * brackets around items make them a group.
 */
#include "base/fp.h"

#include "plan/net.h"

#include <string.h>

#include "base/number.h"

#define WORD_BYTES 40
#define WORDS_AN_ITEM (1 + HILL__LOOKUPS)

typedef struct net_word {
    char text[WORD_BYTES];
    size_t at; /* 1-based character */
} net_word;

typedef struct net_reader {
    const char *text;
    size_t at;
    net_word words[WORDS_AN_ITEM];
    size_t count;
    size_t next; /* of the words, while a layer is read */
    size_t open; /* groups that haven't ended */
    hill_error *error;
} net_reader;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool ends_word(char c)
{
    return c == '\0' || c == ',' || c == '[' || c == ']' || is_blank(c);
}

/* Takes the words of one item; leaves `at` on the comma, the bracket or the end. */
static int read_item(net_reader *reader)
{
    reader->count = 0;
    for (;;) {
        while (is_blank(reader->text[reader->at]))
            reader->at++;
        size_t begin = reader->at;
        while (!ends_word(reader->text[reader->at]))
            reader->at++;
        size_t length = reader->at - begin;
        if (length == 0)
            return HILL_OK;
        if (reader->count == WORDS_AN_ITEM || length >= WORD_BYTES)
            return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: a layer is 'UNITS ACTIVATION', as in '64 relu'",
                              begin + 1);
        net_word *word = &reader->words[reader->count++];
        memcpy(word->text, reader->text + begin, length);
        word->text[length] = '\0';
        word->at = begin + 1;
    }
}

static int find_activation(net_reader *reader, const net_word *word, const hill__op **out)
{
    *out = hill__op_find(HILL__ACTIVATION, word->text);
    if (*out)
        return HILL_OK;
    const hill__op *layer = hill__op_find(HILL__LAYER, word->text);
    if (layer && layer->flags & HILL__OP_BENDS)
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: '%s' has weights, so it is a layer of its own, as in '64 identity, %s'",
                          word->at, word->text, word->text);
    const char *near = hill_nearest(HILL_WORDS_ACTIVATION, word->text);
    return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: '%s' is no activation; %s%s%s", word->at, word->text,
                      near ? "did you mean '" : "relu, tanh or sigmoid would be one", near ? near : "", near ? "'?" : "");
}

static int read_output(net_reader *reader, hill__net *net)
{
    const net_word *first = &reader->words[0];
    if (reader->count < 2)
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: 'output' needs its activation, as in 'output sigmoid'", first->at);
    if (reader->text[reader->at] || reader->open)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: the output layer must be the last", first->at);
    return find_activation(reader, &reader->words[1], &net->output);
}

static bool parse_size(const char *text, size_t length, size_t most, size_t *out)
{
    uint64_t value;
    if (!hill__parse_unsigned(text, length, &value) || value < 1 || value > most)
        return false;
    *out = (size_t)value;
    return true;
}

/* The next word, which must be a size; `what` names it. */
static int read_size(net_reader *reader, const char *what, size_t most, size_t *out)
{
    const net_word *word = &reader->words[reader->next];
    if (reader->next < reader->count && parse_size(word->text, strlen(word->text), most, out)) {
        reader->next++;
        return HILL_OK;
    }
    const net_word *before = &reader->words[reader->next - 1];
    return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: '%s' needs %s, 1 to %zu", before->at, before->text,
                      what, most);
}

/* The next word, which must be a part of all, and not all. */
static int read_part(net_reader *reader, double *out)
{
    const net_word *word = &reader->words[reader->next], *before = word - 1;
    if (reader->next == reader->count || hill__parse_double(word->text, strlen(word->text), out) != HILL__NUMBER_FINITE ||
        !(*out >= 0 && *out <= HILL__NET_PART))
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: '%s' needs the part it drops, as in '%s 0.2', 0 to 0.99", before->at,
                          before->text, before->text);
    reader->next++;
    return HILL_OK;
}

/* The next word, "3:5001x9": an input, the rows of its table, and their width. */
static int read_lookup(net_reader *reader, hill__net *net)
{
    const net_word *word = &reader->words[reader->next++];
    const char *text = word->text, *colon = strchr(text, ':'), *cross = colon ? strchr(colon, 'x') : NULL;
    hill__lookup *lookup = &net->lookups[net->lookup_count];
    if (!cross || !parse_size(text, (size_t)(colon - text), SIZE_MAX, &lookup->unit) ||
        !parse_size(colon + 1, (size_t)(cross - colon - 1), HILL__LOOKUP_ROWS, &lookup->rows) ||
        !parse_size(cross + 1, strlen(cross + 1), HILL__LOOKUP_WIDTH, &lookup->width))
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: '%s' is no table UNIT:ROWSxWIDTH, as in '3:5001x9', of at most %u rows and a "
                          "width of at most %u",
                          word->at, text, HILL__LOOKUP_ROWS, HILL__LOOKUP_WIDTH);
    lookup->unit--;
    if (net->lookup_count > 0 && lookup->unit <= lookup[-1].unit)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: '%s' stands behind unit %zu; units must ascend",
                          word->at, text, lookup[-1].unit + 1);
    net->lookup_count++;
    return HILL_OK;
}

static int read_lookups(net_reader *reader, hill__net *net)
{
    const net_word *first = &reader->words[0];
    if (net->count > 1)
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: '%s' must be the first layer, for it is the inputs that hold the rows' numbers",
                          first->at, first->text);
    if (reader->count == 1)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: '%s' needs its tables, as in '%s 3:5001x9'",
                          first->at, first->text, first->text);
    while (reader->next < reader->count)
        HILL__TRY(read_lookup(reader, net));
    return HILL_OK;
}

/* A number of waves, and perhaps the deviation of their numbers: small ones are the safe choice, as the paper's authors say. */
static int read_waves(net_reader *reader, hill__net_layer *layer)
{
    HILL__TRY(read_size(reader, "a number of waves", HILL__NET_UNITS, &layer->waves));
    layer->deviation = 0.01;
    if (reader->next == reader->count)
        return HILL_OK;
    const net_word *word = &reader->words[reader->next++];
    if (hill__parse_double(word->text, strlen(word->text), &layer->deviation) != HILL__NUMBER_FINITE ||
        !(layer->deviation > 0 && layer->deviation <= HILL__NET_DEVIATION))
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: '%s' is no deviation of waves, above 0 to %d, as in 'periodic 16 0.1'", word->at,
                          word->text, HILL__NET_DEVIATION);
    return HILL_OK;
}

/* "5x5", "5" or "all". */
static int read_window(net_reader *reader, hill__net_layer *layer)
{
    const net_word *word = &reader->words[reader->next], *before = word - 1;
    const char *text = word->text, *cross = reader->next < reader->count ? strchr(text, 'x') : NULL;
    bool good = reader->next < reader->count;
    if (good && cross)
        good = parse_size(text, (size_t)(cross - text), HILL__NET_WINDOW, &layer->height) &&
               parse_size(cross + 1, strlen(cross + 1), HILL__NET_WINDOW, &layer->width);
    else if (good && strcmp(text, "all") != 0)
        good = parse_size(text, strlen(text), HILL__NET_WINDOW, &layer->width);
    if (!good)
        return hill__fail(reader->error, HILL_ERECIPE,
                          "net: character %zu: '%s' needs a window, as in '%s %s3x3', sides 1 to %d", before->at, before->text,
                          layer->op->word, layer->op->flags & HILL__OP_UNITS ? "32 " : "", HILL__NET_WINDOW);
    reader->next++;
    return HILL_OK;
}

/* What may follow a layer: "stride 2", "same", "groups 4" and an activation, where it has such. */
static int read_option(net_reader *reader, hill__net_layer *layer)
{
    const net_word *word = &reader->words[reader->next++];
    bool window = layer->op->flags & HILL__OP_WINDOW, weights = layer->op->flags & HILL__OP_WEIGHTS;
    bool activates = weights && !(layer->op->flags & HILL__OP_WAVES);
    if (window && strcmp(word->text, "stride") == 0)
        return read_size(reader, "a number of pixels", HILL__NET_WINDOW, &layer->stride);
    if (window && weights && strcmp(word->text, "groups") == 0)
        return read_size(reader, "a number of groups", HILL__NET_UNITS, &layer->groups);
    if (window && weights && strcmp(word->text, "same") == 0) {
        layer->same = true;
        return HILL_OK;
    }
    if (activates && reader->next == reader->count)
        return find_activation(reader, word, &layer->activation);
    return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: '%s' doesn't belong to a layer %s", word->at,
                      word->text, layer->op->word);
}

/* "64 relu" */
static int read_dense(net_reader *reader, hill__net_layer *layer)
{
    const net_word *first = &reader->words[0];
    uint64_t units;
    if (!hill__parse_unsigned(first->text, strlen(first->text), &units))
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: unknown layer '%s'; a layer is written '64 relu'",
                          first->at, first->text);
    if (units < 1 || units > HILL__NET_UNITS)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: a layer has 1 to %d units, not %s", first->at,
                          HILL__NET_UNITS, first->text);
    if (reader->count > 2)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: a layer is 'UNITS ACTIVATION', as in '64 relu'",
                          reader->words[2].at);
    layer->units = (size_t)units;
    return reader->count == 2 ? find_activation(reader, &reader->words[1], &layer->activation) : HILL_OK;
}

static int add_layer(net_reader *reader, hill__net *net, const hill__op *op, size_t at, hill__net_layer **out)
{
    if (net->count == HILL__NET_LAYERS)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: more than %d layers", at, HILL__NET_LAYERS);
    *out = &net->layers[net->count++];
    **out = (hill__net_layer){.op = op, .groups = 1, .at = at};
    return HILL_OK;
}

/* Brackets that stand here, and the blanks around them. */
static int read_brackets(net_reader *reader, hill__net *net, char bracket)
{
    hill__net_layer *layer;
    for (;; reader->at++) {
        while (is_blank(reader->text[reader->at]))
            reader->at++;
        if (reader->text[reader->at] != bracket)
            return HILL_OK;
        if (bracket == ']' && reader->open == 0)
            return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: ']' ends a group that hasn't begun",
                              reader->at + 1);
        reader->open += bracket == '[' ? 1 : (size_t)-1;
        HILL__TRY(add_layer(reader, net, hill__op_at(bracket == '[' ? HILL__OP_fork : HILL__OP_join), reader->at + 1, &layer));
    }
}

static int read_layer(net_reader *reader, hill__net *net)
{
    const net_word *first = &reader->words[0];
    if (strcmp(first->text, "output") == 0)
        return read_output(reader, net);
    const hill__op *op = hill__op_find(HILL__LAYER, first->text);
    hill__net_layer *layer = NULL;
    HILL__TRY(add_layer(reader, net, op ? op : hill__op_at(HILL__OP_dense), first->at, &layer));
    if (!op)
        return read_dense(reader, layer);
    reader->next = 1;
    if (op->flags & HILL__OP_UNITS)
        HILL__TRY(read_size(reader, "a number of units", HILL__NET_UNITS, &layer->units));
    if (op->flags & HILL__OP_WINDOW)
        HILL__TRY(read_window(reader, layer));
    if (op->flags & HILL__OP_PART)
        HILL__TRY(read_part(reader, &layer->part));
    if (op->flags & HILL__OP_TABLES)
        HILL__TRY(read_lookups(reader, net));
    if (op->flags & HILL__OP_WAVES)
        HILL__TRY(read_waves(reader, layer));
    while (reader->next < reader->count)
        HILL__TRY(read_option(reader, layer));
    return HILL_OK;
}

/* Where no activation is written: relu behind units, unless an activation with weights of its own follows. */
static void choose_activations(hill__net *net)
{
    for (size_t i = 0; i < net->count; i++) {
        hill__net_layer *layer = &net->layers[i];
        bool bent = i + 1 < net->count && net->layers[i + 1].op->flags & HILL__OP_BENDS;
        if (!layer->activation)
            layer->activation = hill__op_at(layer->op->flags & HILL__OP_UNITS && !bent ? HILL__OP_relu : HILL__OP_identity);
    }
}

int hill__net_parse(const char *text, hill__net *net, hill_error *error)
{
    net_reader reader = {.text = text, .error = error};
    *net = (hill__net){.count = 0};
    if (strspn(text, " \t") == strlen(text))
        return HILL_OK;
    for (;; reader.at++) {
        HILL__TRY(read_brackets(&reader, net, '['));
        HILL__TRY(read_item(&reader));
        if (reader.count == 0)
            return hill__fail(error, HILL_ERECIPE, "net: character %zu: a layer is missing here", reader.at + 1);
        HILL__TRY(read_layer(&reader, net));
        HILL__TRY(read_brackets(&reader, net, ']'));
        if (text[reader.at] == '\0')
            break;
        if (text[reader.at] != ',')
            return hill__fail(error, HILL_ERECIPE, "net: character %zu: a comma belongs here", reader.at + 1);
    }
    choose_activations(net);
    return reader.open == 0 ? HILL_OK : hill__fail(error, HILL_ERECIPE, "net: a group has no ']' at its end");
}
