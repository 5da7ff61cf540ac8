/*
 * json.c - JSON, read, written out of its tree and read again: the same tree. And as the text of an encoder, likewise.
 */
#include "fuzz.h"

#include "base/json.h"
#include "data/encoder.h"

static void write_value(hill__text *text, const hill__json *value)
{
    static const char *const words[] = {[HILL__JSON_NULL] = "null",
                                        [HILL__JSON_FALSE] = "false",
                                        [HILL__JSON_TRUE] = "true",
                                        [HILL__JSON_ARRAY] = "[",
                                        [HILL__JSON_OBJECT] = "{"};
    if (value->kind == HILL__JSON_STRING) {
        hill__json_add_string(text, value->string, value->length);
        return;
    }
    hill__text_add_string(text, value->kind == HILL__JSON_NUMBER ? value->string : words[value->kind]);
    if (value->kind != HILL__JSON_ARRAY && value->kind != HILL__JSON_OBJECT)
        return;
    for (const hill__json *member = value->first; member; member = member->next) {
        if (value->kind == HILL__JSON_OBJECT) {
            must(hill__json_get(value, member->key) == member);
            hill__json_add_string(text, member->key, strlen(member->key));
            hill__text_add_string(text, ":");
        }
        write_value(text, member);
        hill__text_add_string(text, member->next ? "," : "");
    }
    hill__text_add_string(text, value->kind == HILL__JSON_ARRAY ? "]" : "}");
}

static void write_again(const hill__json_tree *tree, const hill_allocator *allocator)
{
    hill__text first, second;
    hill__json_tree *again;
    hill__text_init(&first, allocator);
    hill__text_init(&second, allocator);
    write_value(&first, hill__json_root(tree));
    must(hill__json_parse(first.data, first.length, allocator, &again, NULL) == HILL_OK);
    write_value(&second, hill__json_root(again));
    must(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    hill__json_free(again);
    hill__text_free(&first);
    hill__text_free(&second);
}

/* Whatever JSON it is: an encoder that is written as the same text again and again, or what is wrong with it. */
static void read_encoder(const void *data, size_t size, const hill_allocator *allocator)
{
    hill_error error = HILL_ERROR_INIT;
    hill__encoder *encoder, *again;
    hill__text first, second;
    int status = hill__encoder_parse(data, size, allocator, &encoder, &error);
    if (status < 0) {
        must(status == HILL_EMODEL);
        fuzz_said(&error, status, "encoder: ");
        return;
    }
    hill__text_init(&first, allocator);
    hill__text_init(&second, allocator);
    hill__encoder_write(encoder, &first);
    must(hill__encoder_parse(first.data, first.length, allocator, &again, NULL) == HILL_OK);
    hill__encoder_write(again, &second);
    must(strcmp(first.data, second.data) == 0 && again->width == encoder->width);
    hill__text_free(&first);
    hill__text_free(&second);
    hill__encoder_free(again);
    hill__encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory memory = {0, 0, 0};
    hill_host host = fuzz_host(&memory);
    hill_error error = HILL_ERROR_INIT;
    hill__json_tree *tree;
    hill__file_bytes text = fuzz_copy(data, size, &host.allocator);
    int status = hill__json_parse((const char *)text.data, size, &host.allocator, &tree, &error);
    must(status == HILL_OK || status == HILL_EDATA);
    if (status == HILL_OK)
        write_again(tree, &host.allocator);
    else
        fuzz_said(&error, status, "");
    hill__json_free(tree);
    read_encoder(text.data, size, &host.allocator);
    hill__bytes_free(&host.allocator, &text);
    must(memory.used == 0 && memory.asked <= FUZZ_JUSTIFIED(size));
    return 0;
}
