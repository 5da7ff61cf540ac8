/*
 * test_safetensors.c - the reader takes sound files and names what is wrong with others; the writer writes sound ones.
 */
#include "base/fp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/safetensors.h"

static hill_allocator memory;

static int take(const void *bytes, size_t length, hill__safetensors **out, hill_error *error)
{
    hill__file_bytes copy = {hill__alloc(&memory, length, 1), length, length};
    memcpy(copy.data, bytes, length);
    return hill__safetensors_take(copy, "f.st", NULL, out, error);
}

/* A file of a header's text and `data` bytes that count up. */
static size_t make(const char *header, size_t data, unsigned char *out)
{
    size_t length = strlen(header);
    for (unsigned i = 0; i < 8; i++)
        out[i] = (unsigned char)(length >> (8 * i));
    memcpy(out + 8, header, length);
    for (size_t i = 0; i < data; i++)
        out[8 + length + i] = (unsigned char)i;
    return 8 + length + data;
}

static void takes(const char *header, size_t data)
{
    unsigned char bytes[4000];
    hill_error error = HILL_ERROR_INIT;
    hill__safetensors *file;
    if (take(bytes, make(header, data, bytes), &file, &error) != HILL_OK)
        fail_msg("%s: refused: %s", header, error.text);
    hill__safetensors_free(file);
}

static void refuses(const char *header, size_t data, const char *because)
{
    unsigned char bytes[4000];
    hill_error error = HILL_ERROR_INIT;
    hill__safetensors *file;
    assert_int_equal(take(bytes, make(header, data, bytes), &file, &error), HILL_EMODEL);
    assert_null(file);
    if (strncmp(error.text, "f.st: ", 6) != 0 || !strstr(error.text, because) || !strstr(error.text, "at byte "))
        fail_msg("%s: \"%s\" doesn't say \"%s\" and where", header, error.text, because);
}

#define T(name, dtype, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

static void test_sound(void **state)
{
    (void)state;
    takes("{}", 0);
    takes("{}   ", 0);
    takes("{\"__metadata__\":{}}", 0);
    takes("{\"__metadata__\":{\"a\":\"b\"}," T("w", "F32", "[2,3]", 0, 24) "}", 24);
    takes("{" T("b", "F32", "[2]", 24, 32) "," T("w", "F32", "[2,3]", 0, 24) "}", 32);
    takes("{" T("s", "F64", "[]", 0, 8) "}", 8);
    takes("{" T("i", "I64", "[1]", 0, 8) "," T("u", "BOOL", "[3]", 8, 11) "}", 11);
}

static void test_unsound(void **state)
{
    (void)state;
    refuses("{" T("w", "F32", "[2]", 0, 8) "," T("w", "F32", "[2]", 8, 16) "}", 16, "twice");
    refuses("{" T("w", "F31", "[2]", 0, 8) "}", 8, "dtype");
    refuses("{" T("w", "F32", "[3]", 0, 8) "}", 8, "differ");
    refuses("{" T("w", "F32", "[2]", 0, 8) "}", 7, "outside");
    refuses("{" T("w", "F32", "[2]", 0, 8) "}", 9, "1 bytes belong to no tensor");
    refuses("{}", 1, "belong to no tensor");
    refuses("{" T("w", "F32", "[2]", 8, 0) "}", 8, "outside");
    refuses("{" T("w", "F32", "[1]", 4, 8) "}", 8, "hole");
    refuses("{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 4, 12) "}", 12, "overlaps");
    refuses("{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 0, 8) "}", 8, "overlaps");
    refuses("{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[1]", 12, 16) "}", 16, "hole");
    refuses("{" T("w", "F32", "[4611686018427387904,4]", 0, 0) "}", 0, "differ");
    refuses("{" T("none", "F32", "[0,5]", 0, 0) "," T("w", "BF16", "[1]", 0, 2) "}", 2, "no bytes, at byte 16");
    refuses("{" T("w", "F32", "[-1]", 0, 4) "}", 4, "shape");
    refuses("{" T("w", "F32", "[1.0]", 0, 4) "}", 4, "shape");
    refuses("{" T("w", "F32", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "shape");
    refuses("{" T("w", "F32", "{}", 0, 4) "}", 4, "shape");
    refuses("{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets");
    refuses("{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "entry");
    refuses("{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "entry");
    refuses("{\"w\":[]}", 0, "entry");
    refuses("{\"w\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype");
    refuses("{\"w\":{\"type\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype");
    refuses("{\"w\":{\"dtype\":\"F32\",\"size\":[1],\"data_offsets\":[0,4]}}", 4, "shape");
    refuses("{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[2]", 0, 8) "}", 8, "overlaps");
    refuses("{" T("b", "F32", "[2]", 0, 8) "," T("a", "F32", "[1]", 0, 4) "}", 8, "overlaps");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "no text");
    refuses("{\"__metadata__\":[]}", 0, "no object");
    refuses("{\"w\":}", 0, "at byte 5");
}

static void looks(const void *bytes, size_t length, const char *like)
{
    hill_error error = HILL_ERROR_INIT;
    hill__safetensors *file;
    assert_int_equal(take(bytes, length, &file, &error), HILL_EMODEL);
    if (!strstr(error.text, "is not a Downhill model") || !strstr(error.text, like))
        fail_msg("\"%s\" doesn't say \"%s\"", error.text, like);
}

static void test_other_files(void **state)
{
    (void)state;
    looks("", 0, "empty");
    looks("x1,x2,y\n0,0,0\n", 14, "CSV");
    looks("a", 1, "text");
    looks("\0\0\10\3\0\0\0\2\0\0\0\1", 12, "IDX");
    looks("\x93NUMPY\1\0v\0{'descr'", 19, "NPY");
    for (size_t i = 0; i < 6; i++) { /* nearly IDX */
        unsigned char bytes[12] = {0, 0, 8, 3};
        static const unsigned char wrong[][2] = {{0, 1}, {1, 1}, {2, 7}, {2, 15}, {3, 0}, {3, 5}};
        bytes[wrong[i][0]] = wrong[i][1];
        looks(bytes, sizeof bytes, "first bytes");
    }
    looks("\0\0\16\4", 4, "IDX");
    looks("\x1f\x8c\1\2", 4, "first bytes");
    looks("\x1f", 1, "first bytes");
    looks("a\33b", 3, "first bytes");
    unsigned char text[1200];
    memset(text, 'a', sizeof text);
    text[1100] = 1; /* who looks further than a thousand bytes */
    looks(text, sizeof text, "text");
    text[900] = 1;
    looks(text, sizeof text, "first bytes");
    looks("PK\3\4\24\0\0\0\10\0", 10, "NPZ");
    looks("\x1f\x8b\10\0\0\0\0\0\0\3", 10, "gzip");
    looks("\1\0\0\0\0\0\0\0[", 9, "first bytes");
    looks("\1\0\0\0\0\1\0\0{", 9, "first bytes"); /* a header of a terabyte */
}

static void test_cut_and_flipped(void **state)
{
    (void)state;
    unsigned char bytes[4000];
    size_t length =
        make("{\"__metadata__\":{\"a\":\"b\"}," T("w", "F32", "[2,3]", 0, 24) "," T("b", "F32", "[1]", 24, 28) "}", 28, bytes);
    hill__safetensors *file;
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(take(bytes, i, &file, NULL), HILL_EMODEL);
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1u << bit);
            if (take(bytes, length, &file, NULL) == HILL_OK) {
                float values[8];
                size_t at;
                const hill__safetensor *w = hill__safetensors_find(file, "w");
                if (w && strcmp(w->dtype, "F32") == 0)
                    (void)hill__safetensors_copy(file, w, values, &at);
                hill__safetensors_free(file);
            }
            bytes[i] ^= (unsigned char)(1u << bit);
        }
    }
}

static const hill_tensor tensors[] = {{sizeof(hill_tensor), "layer1.weight", 2, {2, 3}, 0},
                                      {sizeof(hill_tensor), "layer1.bias", 1, {3}, 16}};
static const hill__safetensors_meta_text metadata[] = {{"format", "x"}, {"note", "line\n\"quoted\" \xc3\xa9"}};

static void test_round_trip(void **state)
{
    (void)state;
    float values[32] = {0};
    for (size_t i = 0; i < 32; i++)
        values[i] = (float)i / 3 - 4;
    const float *const places[] = {values, values + 16};
    hill__safetensors_draft draft = {metadata, 2, tensors, 2, places};
    hill__file_bytes bytes, again;
    assert_int_equal(hill__safetensors_build(&draft, &memory, &bytes, NULL), HILL_OK);
    assert_int_equal(hill__safetensors_build(&draft, &memory, &again, NULL), HILL_OK);
    assert_int_equal(bytes.length, again.length);
    assert_memory_equal(bytes.data, again.data, bytes.length);
    hill__free(&memory, again.data, again.capacity, 1);
    const char *dump = getenv("HILL_TEST_DUMP"); /* for a look with other readers */
    if (dump)
        assert_int_equal(hill__file_write(dump, bytes.data, bytes.length, &memory, NULL), HILL_OK);

    hill__safetensors *file;
    assert_int_equal(hill__safetensors_take(bytes, "f.st", NULL, &file, NULL), HILL_OK);
    assert_int_equal(file->data_start % 8, 0);
    assert_int_equal(file->count, 2);
    assert_string_equal(hill__safetensors_meta(file, "note")->string, metadata[1].text);
    assert_null(hill__safetensors_meta(file, "none"));
    for (size_t i = 0; i < 2; i++) {
        const hill__safetensor *found = hill__safetensors_find(file, tensors[i].name);
        float got[6];
        size_t at, count = i == 0 ? 6 : 3;
        assert_non_null(found);
        assert_int_equal(found->rank, tensors[i].rank);
        assert_true(hill__safetensors_copy(file, found, got, &at));
        assert_memory_equal(got, values + tensors[i].offset, count * sizeof *got);
    }
    assert_null(hill__safetensors_find(file, "layer2.bias"));
    hill__safetensors_free(file);
}

static void test_not_finite(void **state)
{
    (void)state;
    float values[32] = {0};
    values[17] = 1.0f / values[0];
    const float *const places[] = {values, values + 16};
    hill__safetensors_draft draft = {metadata, 2, tensors, 2, places};
    hill__file_bytes bytes;
    hill__safetensors *file;
    float got[3];
    size_t at = 0;
    assert_int_equal(hill__safetensors_build(&draft, &memory, &bytes, NULL), HILL_OK);
    assert_int_equal(hill__safetensors_take(bytes, "f.st", NULL, &file, NULL), HILL_OK);
    assert_false(hill__safetensors_copy(file, hill__safetensors_find(file, "layer1.bias"), got, &at));
    assert_int_equal(at, file->data_start + 24 + 4);
    hill__safetensors_free(file);
}

/* A header may have just as many bytes as the host's limit says. */
static void test_limit(void **state)
{
    (void)state;
    unsigned char bytes[200];
    size_t length = make("{" T("w", "F32", "[1]", 0, 4) "}", 4, bytes);
    for (size_t i = 0; i < 2; i++) {
        hill_host host = HILL_HOST_INIT;
        hill_error error = HILL_ERROR_INIT;
        hill__safetensors *file;
        hill__file_bytes copy = {hill__alloc(&memory, length, 1), length, length};
        memcpy(copy.data, bytes, length);
        host.limits.header = length - 12 - i;
        assert_int_equal(hill__safetensors_take(copy, "f.st", &host, &file, &error), i ? HILL_EMODEL : HILL_OK);
        assert_true(!i || strstr(error.text, "--limit-header raises that"));
        hill__safetensors_free(file);
    }
}

/* Sizes that wrap, and memory that ends. */
static void test_too_large(void **state)
{
    (void)state;
    static const hill_tensor large[][2] = {
        {{sizeof(hill_tensor), "a", 2, {SIZE_MAX / 8, 3}, 0}, {sizeof(hill_tensor), "b", 1, {1}, 0}},
        {{sizeof(hill_tensor), "a", 1, {SIZE_MAX / 8}, 0}, {sizeof(hill_tensor), "b", 1, {SIZE_MAX / 6}, 0}},
        {{sizeof(hill_tensor), "a", 1, {SIZE_MAX / 8}, 0}, {sizeof(hill_tensor), "b", 1, {SIZE_MAX / 8}, 0}},
    };
    for (size_t i = 0; i < 3; i++) {
        hill__safetensors_draft draft = {metadata, 2, large[i], 2, NULL};
        hill__file_bytes bytes;
        hill_error error = HILL_ERROR_INIT;
        assert_int_equal(hill__safetensors_build(&draft, &memory, &bytes, &error), HILL_EMEMORY);
        assert_null(bytes.data);
    }
    /* The header has a multiple of 8 bytes, and 8 stand before it. */
    hill_tensor most[2] = {{sizeof(hill_tensor), "a", 1, {SIZE_MAX / 8}, 0}, {sizeof(hill_tensor), "b", 1, {0}, 0}};
    for (size_t header = 0; header < 400; header += 8) {
        most[1].shape[0] = SIZE_MAX / 4 - SIZE_MAX / 8 - header / 4;
        hill__safetensors_draft draft = {metadata, 2, most, 2, NULL};
        hill__file_bytes bytes;
        hill_block none = {sizeof none, NULL, 0, 0, 0};
        char room[4000];
        none.memory = room;
        none.bytes = sizeof room;
        hill_allocator allocator = hill_block_allocator(&none);
        assert_int_equal(hill__safetensors_build(&draft, &allocator, &bytes, NULL), HILL_EMEMORY);
        assert_null(bytes.data);
    }
}

int main(void)
{
    memory = hill__allocator(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),      cmocka_unit_test(test_unsound),    cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_limit),      cmocka_unit_test(test_too_large),  cmocka_unit_test(test_cut_and_flipped),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
