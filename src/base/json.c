/*
 * json.c - a strict JSON reader and writer. Invariant: the reader walks the text twice with the same code, first to judge and
 * count, then to fill two blocks of exactly the size it counted.
 */
#include "base/fp.h"

#include "base/json.h"

#include <string.h>

#include "base/number.h"
#include "base/sort.h"

#define JSON_DEPTH 32u

/* Values that any text may hold, and the bytes that each takes where there are more. */
#define JSON_NODES ((size_t)1 << 20)
#define JSON_NODE_BYTES 16u

struct hill__json_tree {
    hill_allocator allocator;
    hill__json *nodes;
    size_t node_count;
    char *text; /* keys, strings and numbers, each with its zero byte */
    size_t text_count;
};

/* The place of a walk. `nodes` and `text` are NULL in the first one. */
typedef struct json_walk {
    const unsigned char *bytes;
    size_t length;
    size_t at;
    hill__json *nodes;
    size_t node_count;
    char *text;
    size_t text_count;
    size_t *order; /* scratch of the second walk, with room for every node */
    hill_error *error;
} json_walk;

static int json_fail(json_walk *walk, size_t at, const char *what)
{
    return hill__fail(walk->error, HILL_EDATA, "%s at byte %zu", what, at);
}

static int json_peek(const json_walk *walk)
{
    return walk->at < walk->length ? walk->bytes[walk->at] : -1;
}

static void json_skip_blanks(json_walk *walk)
{
    int c = json_peek(walk);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        walk->at++;
        c = json_peek(walk);
    }
}

static void json_put(json_walk *walk, unsigned char byte)
{
    if (walk->text)
        walk->text[walk->text_count] = (char)byte;
    walk->text_count++;
}

/* Where the next text will begin; only worth anything in the second walk. */
static const char *json_text_here(const json_walk *walk)
{
    return walk->text ? walk->text + walk->text_count : NULL;
}

static void json_put_point(json_walk *walk, uint32_t point)
{
    if (point < 0x80) {
        json_put(walk, (unsigned char)point);
        return;
    }
    unsigned tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char heads[4] = {0, 0xc0, 0xe0, 0xf0};
    json_put(walk, (unsigned char)(heads[tail] | (point >> (6 * tail))));
    while (tail-- > 0)
        json_put(walk, (unsigned char)(0x80 | ((point >> (6 * tail)) & 0x3f)));
}

/* The four hex digits behind a backslash and u; false where they aren't there. */
static bool json_hex(json_walk *walk, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int c = json_peek(walk);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *out = *out * 16 + (uint32_t)digit;
        walk->at++;
    }
    return true;
}

static int json_escape_unicode(json_walk *walk, size_t start)
{
    uint32_t point, low;
    if (!json_hex(walk, &point))
        return json_fail(walk, start, "an escape without four hex digits");
    if (point >= 0xdc00 && point <= 0xdfff)
        return json_fail(walk, start, "a lone surrogate");
    if (point >= 0xd800 && point <= 0xdbff) {
        if (json_peek(walk) != '\\' || walk->length - walk->at < 2 || walk->bytes[walk->at + 1] != 'u')
            return json_fail(walk, start, "a lone surrogate");
        walk->at += 2;
        if (!json_hex(walk, &low) || low < 0xdc00 || low > 0xdfff)
            return json_fail(walk, start, "a lone surrogate");
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    json_put_point(walk, point);
    return HILL_OK;
}

static int json_escape(json_walk *walk)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    size_t start = walk->at++;
    int c = json_peek(walk);
    walk->at++;
    if (c == 'u')
        return json_escape_unicode(walk, start);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    if (!found)
        return json_fail(walk, start, "an unknown escape");
    json_put(walk, (unsigned char)values[found - names]);
    return HILL_OK;
}

/* A string, from its quote to behind its closing one; *length gets the decoded bytes. */
static int json_string(json_walk *walk, size_t *length)
{
    size_t quote = walk->at++, start = walk->text_count;
    for (;;) {
        int c = json_peek(walk);
        if (c < 0)
            return json_fail(walk, quote, "a string without its closing quote");
        if (c == '"')
            break;
        if (c < 0x20)
            return json_fail(walk, walk->at, "a control character in a string");
        if (c == '\\') {
            HILL__TRY(json_escape(walk));
            continue;
        }
        size_t size = hill__utf8(walk->bytes + walk->at, walk->length - walk->at);
        if (size == 0)
            return json_fail(walk, walk->at, "invalid UTF-8");
        for (; size > 0; size--)
            json_put(walk, walk->bytes[walk->at++]);
    }
    walk->at++;
    *length = walk->text_count - start;
    json_put(walk, '\0');
    return HILL_OK;
}

/* Copies one digit or more. */
static bool json_digits(json_walk *walk)
{
    size_t start = walk->at;
    for (int c = json_peek(walk); c >= '0' && c <= '9'; c = json_peek(walk)) {
        json_put(walk, (unsigned char)c);
        walk->at++;
    }
    return walk->at > start;
}

/* Copies the next byte if it is one of `bytes`. */
static bool json_one_of(json_walk *walk, const char *bytes)
{
    int c = json_peek(walk);
    if (c <= 0 || !strchr(bytes, c))
        return false;
    json_put(walk, (unsigned char)c);
    walk->at++;
    return true;
}

static int json_number(json_walk *walk, size_t *length)
{
    size_t begin = walk->at, start = walk->text_count;
    (void)json_one_of(walk, "-");
    bool good = json_one_of(walk, "0") || json_digits(walk);
    if (good && json_one_of(walk, "."))
        good = json_digits(walk);
    if (good && json_one_of(walk, "eE")) {
        (void)json_one_of(walk, "+-");
        good = json_digits(walk);
    }
    int next = json_peek(walk);
    if (!good || (next >= '0' && next <= '9'))
        return json_fail(walk, begin, "a malformed number");
    *length = walk->text_count - start;
    json_put(walk, '\0');
    return HILL_OK;
}

static int json_value(json_walk *walk, const char *key, unsigned depth, hill__json **out);

/* The key of a member and the colon behind it. */
static int json_key(json_walk *walk, const char **key)
{
    size_t start = walk->at, length, text = walk->text_count;
    if (json_peek(walk) != '"')
        return json_fail(walk, start, "a key in quotes is missing");
    *key = json_text_here(walk);
    HILL__TRY(json_string(walk, &length));
    if (walk->text && memchr(walk->text + text, '\0', length))
        return json_fail(walk, start, "a key with a zero byte");
    json_skip_blanks(walk);
    if (json_peek(walk) != ':')
        return json_fail(walk, walk->at, "a colon is missing");
    walk->at++;
    json_skip_blanks(walk);
    return HILL_OK;
}

static int json_compare_keys(const void *self, size_t a, size_t b)
{
    const hill__json *nodes = self;
    return strcmp(nodes[a].key, nodes[b].key);
}

/* Refuses a whole object in which a key stands twice. */
static int json_check_keys(json_walk *walk, const hill__json *object)
{
    size_t count = 0;
    for (const hill__json *member = object->first; member; member = member->next)
        walk->order[count++] = (size_t)(member - walk->nodes);
    hill__sort(walk->order, count, json_compare_keys, walk->nodes);
    for (size_t i = 1; i < count; i++) {
        const char *key = walk->nodes[walk->order[i]].key;
        if (json_compare_keys(walk->nodes, walk->order[i - 1], walk->order[i]) == 0)
            return hill__fail(walk->error, HILL_EDATA, "the key \"%.100s\" twice in the object that ends at byte %zu", key,
                              walk->at - 1);
    }
    return HILL_OK;
}

/* The members of an array or object, from its opening bracket to behind its closing one. */
static int json_members(json_walk *walk, hill__json *node, int close, unsigned depth)
{
    size_t count = 0;
    hill__json *last = NULL;
    if (depth >= JSON_DEPTH)
        return json_fail(walk, walk->at, "nesting over 32 deep");
    walk->at++;
    json_skip_blanks(walk);
    if (json_peek(walk) == close) {
        walk->at++;
        return HILL_OK;
    }
    for (;;) {
        const char *key = NULL;
        hill__json *member;
        if (close == '}')
            HILL__TRY(json_key(walk, &key));
        HILL__TRY(json_value(walk, key, depth + 1, &member));
        if (last)
            last->next = member;
        else if (node)
            node->first = member;
        last = member;
        count++;
        json_skip_blanks(walk);
        int c = json_peek(walk);
        if (c != ',' && c != close)
            return json_fail(walk, walk->at, close == '}' ? "a comma or } is missing" : "a comma or ] is missing");
        walk->at++;
        if (c == close)
            break;
        json_skip_blanks(walk);
    }
    if (!node)
        return HILL_OK;
    node->count = count;
    return close == '}' ? json_check_keys(walk, node) : HILL_OK;
}

static int json_word(json_walk *walk, const char *word)
{
    size_t length = strlen(word);
    if (walk->length - walk->at < length || memcmp(walk->bytes + walk->at, word, length) != 0)
        return json_fail(walk, walk->at, "a value is missing");
    walk->at += length;
    return HILL_OK;
}

static hill__json_kind json_kind_of(int c)
{
    switch (c) {
    case '{':
        return HILL__JSON_OBJECT;
    case '[':
        return HILL__JSON_ARRAY;
    case '"':
        return HILL__JSON_STRING;
    case 't':
        return HILL__JSON_TRUE;
    case 'f':
        return HILL__JSON_FALSE;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? HILL__JSON_NUMBER : HILL__JSON_NULL;
    }
}

/* One value; *out is NULL in the first walk. */
static int json_value(json_walk *walk, const char *key, unsigned depth, hill__json **out)
{
    hill__json *node = walk->nodes ? walk->nodes + walk->node_count : NULL;
    hill__json_kind kind = json_kind_of(json_peek(walk));
    const char *string = json_text_here(walk);
    size_t length = 0;
    if (walk->node_count >= JSON_NODES && walk->node_count >= walk->length / JSON_NODE_BYTES)
        return json_fail(walk, walk->at, "too many values for its length");
    walk->node_count++;
    *out = node;
    if (node) {
        node->kind = kind;
        node->at = (uint32_t)walk->at;
        node->key = key;
    }
    switch (kind) {
    case HILL__JSON_OBJECT:
        return json_members(walk, node, '}', depth);
    case HILL__JSON_ARRAY:
        return json_members(walk, node, ']', depth);
    case HILL__JSON_TRUE:
        return json_word(walk, "true");
    case HILL__JSON_FALSE:
        return json_word(walk, "false");
    case HILL__JSON_NULL:
        return json_word(walk, "null");
    case HILL__JSON_STRING:
        HILL__TRY(json_string(walk, &length));
        break;
    default: /* HILL__JSON_NUMBER */
        HILL__TRY(json_number(walk, &length));
    }
    if (node) {
        node->string = string;
        node->length = length;
    }
    return HILL_OK;
}

static int json_whole(json_walk *walk)
{
    hill__json *root;
    json_skip_blanks(walk);
    HILL__TRY(json_value(walk, NULL, 0, &root));
    json_skip_blanks(walk);
    if (walk->at != walk->length)
        return json_fail(walk, walk->at, "something behind the end of the value");
    return HILL_OK;
}

/* The second walk: fills the tree's blocks, with room beside them for looking at the keys of an object. */
static int json_fill(hill__json_tree *tree, json_walk walk)
{
    size_t count = tree->node_count;
    walk.nodes = tree->nodes;
    walk.text = tree->text;
    walk.at = walk.node_count = walk.text_count = 0;
    walk.order = hill__alloc_raw(&tree->allocator, count, sizeof *walk.order);
    int status = walk.order ? json_whole(&walk) : hill__fail_memory(walk.error);
    hill__free(&tree->allocator, walk.order, count, sizeof *walk.order);
    return status;
}

int hill__json_parse(const char *text, size_t length, const hill_allocator *allocator, hill__json_tree **out, hill_error *error)
{
    *out = NULL;
    json_walk walk = {.bytes = (const unsigned char *)text, .length = length, .error = error};
    HILL__TRY(json_whole(&walk));
    hill__json_tree *tree = hill__alloc(allocator, 1, sizeof *tree);
    if (!tree)
        return hill__fail_memory(error);
    tree->allocator = *allocator;
    tree->node_count = walk.node_count;
    tree->text_count = walk.text_count;
    tree->nodes = hill__alloc(allocator, tree->node_count, sizeof *tree->nodes);
    tree->text = hill__alloc(allocator, tree->text_count, 1);
    int status = tree->nodes && tree->text ? HILL_OK : hill__fail_memory(error);
    if (status == HILL_OK)
        status = json_fill(tree, walk);
    if (status < 0) {
        hill__json_free(tree);
        return status;
    }
    *out = tree;
    return HILL_OK;
}

void hill__json_free(hill__json_tree *tree)
{
    if (!tree)
        return;
    hill_allocator allocator = tree->allocator;
    hill__free(&allocator, tree->nodes, tree->node_count, sizeof *tree->nodes);
    hill__free(&allocator, tree->text, tree->text_count, 1);
    hill__free(&allocator, tree, 1, sizeof *tree);
}

const hill__json *hill__json_root(const hill__json_tree *tree)
{
    return tree->nodes;
}

const hill__json *hill__json_get(const hill__json *object, const char *key)
{
    if (!object || object->kind != HILL__JSON_OBJECT)
        return NULL;
    const hill__json *member = object->first;
    while (member && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

bool hill__json_double(const hill__json *value, double *out)
{
    return value && value->kind == HILL__JSON_NUMBER &&
           hill__parse_double(value->string, value->length, out) == HILL__NUMBER_FINITE;
}

bool hill__json_unsigned(const hill__json *value, uint64_t *out)
{
    return value && value->kind == HILL__JSON_NUMBER && hill__parse_unsigned(value->string, value->length, out);
}

void hill__json_add_string(hill__text *text, const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;
    hill__text_add(text, "\"", 1);
    while (at < end) {
        size_t size = hill__utf8(at, (size_t)(end - at));
        if (size == 0) /* the replacement character: what is written is always JSON */
            hill__text_add_string(text, "\xef\xbf\xbd");
        else if (*at == '"' || *at == '\\')
            hill__text_add_format(text, "\\%c", *at);
        else if (*at < 0x20)
            hill__text_add_format(text, "\\u%04x", *at);
        else
            hill__text_add(text, (const char *)at, size);
        at += size ? size : 1;
    }
    hill__text_add(text, "\"", 1);
}

void hill__json_add_double(hill__text *text, double value)
{
    if (value - value == 0)
        hill__text_add_double(text, value);
    else
        hill__text_add_string(text, "null");
}
