/*
 * test_recipe.c - the grammar of recipes and nets: what is taken comes out as it went in, what isn't is refused with its place.
 */
#include "base/fp.h"

#include "support.h"

#include "plan/net.h"
#include "plan/recipe.h"
#include "plan/words.h"

typedef struct refusal {
    const char *text, *told;
} refusal;

static hill_recipe *new_recipe(void)
{
    hill_recipe *recipe;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    return recipe;
}

static void assert_told(int status, const hill_error *error, const refusal *refused)
{
    if (status != HILL_ERECIPE || !strstr(error->text, refused->told))
        fail_msg("'%.100s': %s: '%s' has no '%s'", refused->text, hill_status_name(status), error->text, refused->told);
}

/* ---- nets ---------------------------------------------------------------------------------------------------------------- */

static void nets_are_read(void **state)
{
    (void)state;
    hill__net net;
    assert_int_equal(hill__net_parse("", &net, NULL), HILL_OK);
    assert_true(net.count == 0 && !net.output);
    assert_int_equal(hill__net_parse(" \t", &net, NULL), HILL_OK);
    assert_true(net.count == 0 && !net.output);
    assert_int_equal(hill__net_parse("8, 1048576 tanh ,\t1\tgelu , output softmax", &net, NULL), HILL_OK);
    assert_int_equal(net.count, 3);
    assert_int_equal(net.layers[0].units, 8);
    assert_string_equal(net.layers[0].activation->word, "relu");
    assert_int_equal(net.layers[1].units, 1048576);
    assert_string_equal(net.layers[1].activation->word, "tanh");
    assert_int_equal(net.layers[2].units, 1);
    assert_string_equal(net.layers[2].activation->word, "gelu");
    assert_string_equal(net.output->word, "softmax");
    assert_int_equal(hill__net_parse("8, prelu, 8 gelu, swish, 8, layernorm", &net, NULL), HILL_OK);
    assert_string_equal(net.layers[0].activation->word, "identity"); /* for prelu is its activation */
    assert_string_equal(net.layers[2].activation->word, "gelu");
    assert_string_equal(net.layers[4].activation->word, "relu");
}

static void nets_are_refused_with_the_place(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"8 relu tanh", "character 8: a layer is 'UNITS ACTIVATION'"},
        {"8, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "character 4: a layer is 'UNITS ACTIVATION'"},
        {"8 reul", "character 3: 'reul' is no activation; did you mean 'relu'?"},
        {"8 zzzzzzzz", "'zzzzzzzz' is no activation; relu, tanh or sigmoid would be one"},
        {"4, output", "character 4: 'output' needs its activation"},
        {"output sigmoid, 4", "character 1: the output layer must be the last"},
        {"output zzzzzzzz", "character 8: 'zzzzzzzz' is no activation"},
        {"eight", "character 1: unknown layer 'eight'"},
        {"8, -3 relu", "character 4: unknown layer '-3'"},
        {"0 relu", "character 1: a layer has 1 to 1048576 units, not 0"},
        {"1048577", "a layer has 1 to 1048576 units, not 1048577"},
        {"18446744073709551616", "unknown layer '18446744073709551616'"},
        {",8", "character 1: a layer is missing here"},
        {"8,", "character 3: a layer is missing here"},
        {"8, ,8", "character 4: a layer is missing here"},
        {"8, 8 8 8", "character 8: a layer is 'UNITS ACTIVATION'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        hill__net net;
        int status = hill__net_parse(cases[i].text, &net, &error);
        assert_told(status, &error, &cases[i]);
    }
}

static void a_net_has_64_layers_at_most(void **state)
{
    (void)state;
    char text[400] = "";
    hill_error error = HILL_ERROR_INIT;
    hill__net net;
    for (int i = 0; i < 64; i++)
        strcat(text, i ? ",7" : "7");
    assert_int_equal(hill__net_parse(text, &net, &error), HILL_OK);
    assert_int_equal(net.count, 64);
    strcat(text, ", output tanh");
    assert_int_equal(hill__net_parse(text, &net, &error), HILL_OK);
    text[strlen(text) - strlen("output tanh")] = '7';
    text[strlen(text) - strlen("utput tanh")] = '\0';
    assert_int_equal(hill__net_parse(text, &net, &error), HILL_ERECIPE);
    assert_non_null(strstr(error.text, "character 130: more than 64 layers"));
}

/* ---- knobs and words ----------------------------------------------------------------------------------------------------- */

static void knobs_and_words_are_found(void **state)
{
    (void)state;
    size_t count;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(hill_knob_find(knobs[i].name), &knobs[i]);
    assert_null(hill_knob_find("rat"));
    for (int vocabulary = HILL_WORDS_LAYER; vocabulary <= HILL_WORDS_INIT; vocabulary++) {
        const hill_word *word;
        size_t n = 0;
        for (; (word = hill_words((hill_vocabulary)vocabulary, n)) != NULL; n++) {
            assert_int_equal(hill__word_index((hill_vocabulary)vocabulary, word->name), n);
            assert_string_equal(hill_nearest(vocabulary, word->name), word->name);
        }
        assert_true(n > 0);
        assert_null(hill_words((hill_vocabulary)vocabulary, n + 1));
        assert_int_equal(hill__word_index((hill_vocabulary)vocabulary, "nothing"), -1);
    }
    assert_null(hill_words((hill_vocabulary)(HILL_WORDS_GROW + 1), 0));
    assert_null(hill_words((hill_vocabulary)-1, 0));
}

static void the_nearest_word_is_meant(void **state)
{
    (void)state;
    static const struct {
        int vocabulary;
        const char *word, *nearest;
    } cases[] = {
        {-1, "rte", "rate"},
        {-1, "epohcs", "epochs"},
        {-1, "seeed", "seed"},
        {-1, "momemtun", "momentum"},
        {HILL_WORDS_RULE, "adma", "adam"},
        {HILL_WORDS_RULE, "", NULL},
        {HILL_WORDS_RULE, "sg", "sgd"},
        {HILL_WORDS_INIT, "xx", NULL},
        {-1, "completely-else", NULL},
        {-1, "a-word-that-is-longer-than-thirty-two-letters", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *nearest = hill_nearest(cases[i].vocabulary, cases[i].word);
        if (!nearest != !cases[i].nearest || (nearest && strcmp(nearest, cases[i].nearest) != 0))
            fail_msg("'%s': '%s'", cases[i].word, nearest ? nearest : "nothing");
    }
}

/* ---- recipes ------------------------------------------------------------------------------------------------------------- */

static void values_come_out_as_they_went_in(void **state)
{
    (void)state;
    static const char text[] = "# a comment\n"
                               "\n"
                               "  rate = 0.5\t\r\n"
                               "\tbatch=full\n"
                               "target=a = b\n"
                               "missing=\n"
                               "rule=sgd\n"
                               "net=4 tanh";
    hill_recipe *recipe = new_recipe();
    hill_error error = HILL_ERROR_INIT;
    assert_string_equal(hill_recipe_text(recipe), "");
    assert_int_equal(hill_recipe_parse(recipe, text, sizeof text - 1, NULL, &error), HILL_OK);
    assert_string_equal(hill_recipe_get(recipe, "rate"), "0.5");
    assert_string_equal(hill_recipe_get(recipe, "target"), "a = b");
    assert_string_equal(hill_recipe_get(recipe, "missing"), "");
    assert_string_equal(hill_recipe_get(recipe, "epochs"), "auto");
    assert_null(hill_recipe_get(recipe, "epoch"));
    assert_true(hill_recipe_is_set(recipe, "batch"));
    assert_false(hill_recipe_is_set(recipe, "epochs"));
    assert_false(hill_recipe_is_set(recipe, "epoch"));
    assert_string_equal(hill_recipe_text(recipe), "target=a = b\nmissing=\nnet=4 tanh\nrule=sgd\nrate=0.5\nbatch=full\n");
    assert_int_equal(hill_recipe_set(recipe, "rate", "0.25", NULL), HILL_OK);
    assert_true(hill__recipe_number(recipe, "rate") == 0.25);
    assert_true(hill__recipe_number(recipe, "rule") == 0);
    assert_true(hill__recipe_number(recipe, "ruel") == 0);
    assert_int_equal(hill__recipe_count(recipe, "drop-every"), 10);
    assert_int_equal(hill__recipe_count(recipe, "batch"), 0);
    assert_int_equal(hill__recipe_count(recipe, "bacht"), 0);
    assert_true(hill__recipe_is(recipe, "batch", "full"));
    assert_false(hill__recipe_is(recipe, "batch", "auto"));
    assert_false(hill__recipe_is(recipe, "bacht", "full"));
    hill_recipe_free(recipe);
    hill_recipe_free(NULL);
}

static void values_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"rte=1", "recipe:1: unknown key 'rte'; did you mean 'rate'?"},
        {"zzzzzzzzz=1", "unknown key 'zzzzzzzzz'"},
        {"rate=x", "rate: 'x' is no number; or one of: auto"},
        {"rate=inf", "rate: 'inf' is no number"},
        {"momentum=x", "momentum: 'x' is no number"},
        {"batch=1.5", "batch: '1.5' is no whole number; or one of: auto full"},
        {"batch=x", "batch: 'x' is no whole number"},
        {"batch=0", "batch: 0 is out of bounds; it goes from 1 to 1073741824"},
        {"rate=-1", "rate: -1 is out of bounds; it goes from 0 to 1000000"},
        {"valid=0.91", "valid: 0.91 is out of bounds; it goes from 0 to 0.9"},
        {"rule=adma", "rule: unknown word 'adma'; did you mean 'adam'?"},
        {"rule=full", "rule: unknown word 'full'; it takes one of:  sgd momentum nesterov adagrad rmsprop adam adamw nadam "
                      "schedule-free muon rprop quickprop lbfgs lm"},
        {"cost=auto quadratic", "cost: unknown word 'auto quadratic'; it takes one of: auto squared"},
        {"order=sorted", "order: unknown word 'sorted'; it takes one of: shuffled file"},
        {"order=", "order: unknown word ''"},
        {"order=shuffled file", "unknown word 'shuffled file'"},
        {"order=huffled", "unknown word 'huffled'"},
        {"order=shuffle", "unknown word 'shuffle'"},
        {"net=8 reul", "net: character 3"},
        {"rate", "recipe:1: a line is key=value"},
        {"rate=1\n\nrate=2", "recipe:3: 'rate' stands there twice"},
        {"a-key-that-is-longer-than-thirty-nine-letters=1", "a key or a value is too long"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        hill_recipe *recipe = new_recipe();
        int status = hill_recipe_parse(recipe, cases[i].text, strlen(cases[i].text), NULL, &error);
        assert_told(status, &error, &cases[i]);
        hill_recipe_free(recipe);
    }
}

static void a_value_is_one_line_of_text(void **state)
{
    (void)state;
    static const char zero[] = "seed=1\ntarget=a\0b";
    char large[2100];
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = new_recipe();
    assert_int_equal(hill_recipe_set(recipe, "target", "a\nb", &error), HILL_ERECIPE);
    assert_string_equal(error.text, "target: a value is one line");
    assert_int_equal(hill_recipe_set(recipe, "target", "a\rb", &error), HILL_ERECIPE);
    assert_int_equal(hill_recipe_parse(recipe, zero, sizeof zero - 1, "file", &error), HILL_ERECIPE);
    assert_string_equal(error.text, "file:2: a key or a value is too long or holds a zero byte");
    memset(large, 'a', sizeof large);
    memcpy(large, "target=", 7);
    assert_int_equal(hill_recipe_parse(recipe, large, 7 + 2000, NULL, &error), HILL_ERECIPE);
    assert_false(hill_recipe_is_set(recipe, "target"));
    assert_int_equal(hill_recipe_parse(recipe, large, 7 + 1999, NULL, &error), HILL_OK);
    assert_int_equal(strlen(hill_recipe_get(recipe, "target")), 1999);
    hill_recipe_free(recipe);
}

static void limits_are_lent(void **state)
{
    (void)state;
    hill_limits limits = HILL_LIMITS_INIT;
    hill_recipe *recipe = new_recipe(), *copy;
    hill_allocator allocator = hill__allocator(NULL);
    limits.ratio = 77;
    assert_int_equal(hill_recipe_set(recipe, "limit-line", "123456", NULL), HILL_OK);
    assert_int_equal(hill_recipe_set(recipe, "seed", "5", NULL), HILL_OK);
    hill_recipe_limits(recipe, &limits);
    assert_int_equal(limits.line, 123456);
    assert_int_equal(limits.ratio, 77);
    assert_int_equal(hill__recipe_copy(recipe, &allocator, &copy, NULL), HILL_OK);
    assert_string_equal(hill_recipe_text(copy), "seed=5\n");
    hill_recipe_free(copy);
    hill_recipe_free(recipe);
}

static void rules_say_whether_they_take_all_rows(void **state)
{
    (void)state;
    const hill_word *rule;
    for (size_t i = 0; (rule = hill_words(HILL_WORDS_RULE, i)) != NULL; i++) {
        int all = hill__rule_facts_of((hill__rule_id)i)->rows != HILL__ROWS_ANY;
        assert_int_equal(hill_rule_takes_all(rule->name), all);
    }
    assert_int_equal(hill_rule_takes_all("sgd"), 0);
    assert_int_equal(hill_rule_takes_all("rprop"), 1);
    assert_int_equal(hill_rule_takes_all("frobnicate"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets_are_read),
        cmocka_unit_test(nets_are_refused_with_the_place),
        cmocka_unit_test(a_net_has_64_layers_at_most),
        cmocka_unit_test(knobs_and_words_are_found),
        cmocka_unit_test(the_nearest_word_is_meant),
        cmocka_unit_test(values_come_out_as_they_went_in),
        cmocka_unit_test(values_are_refused_with_the_reason),
        cmocka_unit_test(a_value_is_one_line_of_text),
        cmocka_unit_test(limits_are_lent),
        cmocka_unit_test(rules_say_whether_they_take_all_rows),
    };
    return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
