/*
 * net.c - reads the text of a net: items between commas, each "UNITS [ACTIVATION]" or, last, "output ACTIVATION".
 */
#include "base/fp.h"

#include "plan/net.h"

#include <string.h>

#include "base/number.h"

#define WORD_BYTES 40
#define WORDS_AN_ITEM 2

typedef struct net_word {
    char text[WORD_BYTES];
    size_t at; /* 1-based character */
} net_word;

typedef struct net_reader {
    const char *text;
    size_t at;
    net_word words[WORDS_AN_ITEM];
    size_t count;
    hill_error *error;
} net_reader;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes the words of one item; leaves `at` on the comma or the end. */
static int read_item(net_reader *reader)
{
    reader->count = 0;
    for (;;) {
        while (is_blank(reader->text[reader->at]))
            reader->at++;
        size_t begin = reader->at;
        while (reader->text[reader->at] && reader->text[reader->at] != ',' && !is_blank(reader->text[reader->at]))
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
    const char *near = hill_nearest(HILL_WORDS_ACTIVATION, word->text);
    return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: '%s' is no activation; %s%s%s", word->at, word->text,
                      near ? "did you mean '" : "relu, tanh or sigmoid would be one", near ? near : "", near ? "'?" : "");
}

static int read_layer(net_reader *reader, hill__net *net)
{
    const net_word *first = &reader->words[0];
    uint64_t units;
    if (strcmp(first->text, "output") == 0) {
        if (reader->count < 2)
            return hill__fail(reader->error, HILL_ERECIPE,
                              "net: character %zu: 'output' needs its activation, as in 'output sigmoid'", first->at);
        if (reader->text[reader->at])
            return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: the output layer must be the last", first->at);
        return find_activation(reader, &reader->words[1], &net->output);
    }
    if (!hill__parse_unsigned(first->text, strlen(first->text), &units))
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: unknown layer '%s'; a layer is written '64 relu'",
                          first->at, first->text);
    if (units < 1 || units > HILL__NET_UNITS)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: a layer has 1 to %d units, not %s", first->at,
                          HILL__NET_UNITS, first->text);
    if (net->count == HILL__NET_LAYERS)
        return hill__fail(reader->error, HILL_ERECIPE, "net: character %zu: more than %d layers", first->at, HILL__NET_LAYERS);
    hill__net_layer *layer = &net->layers[net->count++];
    *layer = (hill__net_layer){(size_t)units, hill__op_at(HILL__OP_relu)};
    return reader->count == 2 ? find_activation(reader, &reader->words[1], &layer->activation) : HILL_OK;
}

int hill__net_parse(const char *text, hill__net *net, hill_error *error)
{
    net_reader reader = {.text = text, .error = error};
    *net = (hill__net){.count = 0};
    HILL__TRY(read_item(&reader));
    if (reader.count == 0 && text[reader.at] == '\0')
        return HILL_OK;
    for (;;) {
        if (reader.count == 0)
            return hill__fail(error, HILL_ERECIPE, "net: character %zu: a layer is missing here", reader.at + 1);
        HILL__TRY(read_layer(&reader, net));
        if (text[reader.at] == '\0')
            return HILL_OK;
        reader.at++;
        HILL__TRY(read_item(&reader));
    }
}
