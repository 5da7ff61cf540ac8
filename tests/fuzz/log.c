/*
 * log.c - a line of a log, read by the command's reader and by the library's: both take it, or neither, and find the same in it.
 */
#include "fuzz.h"

#include "../../cli/json_read.h"
#include "base/json.h"

/* What the command's reader refuses or takes otherwise: zero bytes; and keys that stand twice, of which it gives none. */
static bool is_of_both(const char *begin, size_t size)
{
    for (size_t i = 0; i + 6 <= size; i++)
        if (memcmp(begin + i, "\\u0000", 6) == 0)
            return false;
    return true;
}

static json_kind kind_of(const hill__json *value)
{
    static const json_kind kinds[] = {
        [HILL__JSON_NULL] = JSON_NULL,     [HILL__JSON_FALSE] = JSON_FALSE,   [HILL__JSON_TRUE] = JSON_TRUE,
        [HILL__JSON_NUMBER] = JSON_NUMBER, [HILL__JSON_STRING] = JSON_STRING, [HILL__JSON_ARRAY] = JSON_ARRAY,
        [HILL__JSON_OBJECT] = JSON_OBJECT};
    return kinds[value->kind];
}

static void same_value(const json_value *mine, const hill__json *theirs)
{
    double a, b;
    text string = TEXT_INIT;
    must(mine->kind == kind_of(theirs));
    if (mine->kind == JSON_STRING) {
        must(json_take(mine, &string));
        must(string.length == theirs->length && memcmp(text_get(&string), theirs->string, string.length) == 0);
        must(!json_number(mine, &a));
    } else if (mine->kind == JSON_NUMBER && json_number(mine, &a)) {
        must(hill__json_double(theirs, &b) && a == b);
    }
    text_free(&string);
}

static void same_members(const json_value *mine, const hill__json *theirs)
{
    json_value member;
    for (const hill__json *at = theirs->kind == HILL__JSON_OBJECT ? theirs->first : NULL; at; at = at->next) {
        must(json_member(mine, at->key, &member));
        must(member.begin >= mine->begin && member.begin + member.length <= mine->begin + mine->length);
        same_value(&member, at);
    }
    must(!json_member(mine, "no such member\n", &member));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *begin = (const char *)data;
    hill_host host = fuzz_host(&(fuzz_memory){0, 0, 0});
    const hill_allocator allocator = host.allocator;
    hill_error error = HILL_ERROR_INIT;
    hill__json_tree *tree = NULL;
    json_value whole;
    const bool mine = json_whole(begin, size, &whole);
    const int status = hill__json_parse(begin, size, &allocator, &tree, &error);
    if (status == HILL_OK && is_of_both(begin, size)) {
        must(mine);
        same_value(&whole, hill__json_root(tree));
        same_members(&whole, hill__json_root(tree));
    } else if (mine) {
        must(status == HILL_OK || strstr(error.text, "twice") || strstr(error.text, "too many values"));
    }
    hill__json_free(tree);
    return 0;
}
