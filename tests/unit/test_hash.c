/*
 * test_hash.c - XXH64 against published values (its reference implementation's).
 */
#include "support.h"

#include "base/hash.h"

static void hashes_are_the_published_ones(void **state)
{
    static const struct {
        const char *text;
        uint64_t seed, hash;
    } published[] = {
        {"", 0, 0xEF46DB3751D8E999u},       {"a", 0, 0xD24EC4F1A98C6E5Bu},
        {"abc", 0, 0x44BC2CF5AD770999u},    {"Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1u},
        {"xxhash", 0, 0x32DD38952C4BC720u}, {"xxhash", 20141025, 0xB559B98D844E0635u},
    };
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        assert_true(hill__hash(published[i].text, strlen(published[i].text), published[i].seed) == published[i].hash);
    assert_true(hill__hash(NULL, 0, 0) == published[0].hash);
}

static void every_bit_counts(void **state)
{
    unsigned char bytes[80] = {0};
    (void)state;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        uint64_t hash = hill__hash(bytes, length, 7);
        for (size_t bit = 0; bit < 8 * length; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(hill__hash(bytes, length, 7) != hash);
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_true(hill__hash(bytes, length, 8) != hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_published_ones),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
