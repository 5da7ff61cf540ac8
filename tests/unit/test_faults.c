/*
 * test_faults.c - memory that ends under every call of the public header that takes some: the first allocation fails, the
 * second, ..., alone or with all that follow. Each time the call says so, hands nothing out, and every block comes back; what
 * it was asked about is as good as before.
 */
#define _XOPEN_SOURCE 700

#include "base/fp.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader_files.h"
#include "support.h"

/* ---- trials -------------------------------------------------------------------------------------------------------------- */

/* One call under a failing heap. */
typedef struct trial {
    heap heap;
    hill_host host;
    size_t at; /* which allocation of the call fails */
    hill_error error;
    const void *context;
    const char *start; /* the file of a session's first weights */
} trial;

/* From here on allocations are counted, until calm(). */
static void arm(trial *t)
{
    t->heap.fail_at = t->heap.calls + t->at;
}

static void calm(trial *t)
{
    t->heap.fail_at = 0;
}

typedef int (*attempt)(trial *t);

/* One trial; false once the call went through without meeting the fault. */
static bool try(attempt call, const void *context, size_t at, bool for_good)
{
    trial t = {.heap = {.for_good = for_good}, .at = at, .error = HILL_ERROR_INIT, .context = context};
    t.host = heap_host(&t.heap);
    int status = call(&t);
    assert_heap_empty(&t.heap);
    if (status != (t.heap.failed ? HILL_EMEMORY : HILL_OK))
        fail_msg("allocation %zu: %s: %s", at, hill_status_name(status), t.error.text);
    if (t.heap.failed && t.error.status && !strstr(t.error.text, "memory"))
        fail_msg("allocation %zu: %s", at, t.error.text);
    return t.heap.failed > 0;
}

/* Every allocation of the call, alone and for good; at least so many of them. */
static void fail_everywhere(attempt call, const void *context, size_t least)
{
    for (unsigned for_good = 0; for_good < 2; for_good++) {
        size_t at = 1;
        while (try(call, context, at, for_good))
            at++;
        if (at <= least)
            fail_msg("only %zu allocations: something isn't tried", at - 1);
    }
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static char folder[64];

static const char *in_folder(const char *name)
{
    static char paths[4][200];
    static size_t next;
    char *path = paths[next++ % COUNT_OF(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, bytes_buffer content)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.length, file), content.length);
    assert_int_equal(fclose(file), 0);
}

static bytes_buffer gzipped(bytes_buffer content)
{
    return make_gzip(&content);
}

/* 60 rows: a number with gaps, a colour, what is to be told. */
static bytes_buffer make_mixed(void)
{
    bytes_buffer out = {.length = 0};
    put(&out, "size,colour,kind\n", 17);
    for (int i = 0; i < 60; i++) {
        char line[40];
        int length = snprintf(line, sizeof line, "%d.%d,%s,%s\n", i * 7 % 20, i % 10, i % 2 ? "red" : "\"dark, blue\"",
                              i * 7 % 20 > 9 ? "high" : "low");
        put(&out, i % 9 == 0 ? "?" : line, i % 9 == 0 ? 1 : strcspn(line, ","));
        put(&out, strchr(line, ','), (size_t)length - strcspn(line, ","));
    }
    return out;
}

static void make_images(const char *begin)
{
    unsigned char pixels[12 * 4], labels[12];
    char name[64];
    for (unsigned i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 37);
    for (unsigned i = 0; i < sizeof labels; i++)
        labels[i] = (unsigned char)(i % 3);
    snprintf(name, sizeof name, "%simages-idx3-ubyte", begin);
    write_file(name, make_idx((uint32_t[]){12, 2, 2}, 3, pixels, sizeof pixels));
    snprintf(name, sizeof name, "%slabels-idx1-ubyte", begin);
    write_file(name, make_idx((uint32_t[]){12}, 1, labels, sizeof labels));
}

static size_t entries(void)
{
    DIR *open = opendir(folder);
    assert_non_null(open);
    size_t count = 0;
    while (readdir(open))
        count++;
    closedir(open);
    return count;
}

/* A file that is to be written over; gives how many there are. */
static size_t write_old(const char *name)
{
    write_file(name, make_text("old"));
    return entries();
}

/* Whether it still is what it was; either way nothing stands beside it. */
static bool is_old(const char *name, size_t before)
{
    struct stat facts;
    assert_int_equal(entries(), before);
    assert_int_equal(stat(in_folder(name), &facts), 0);
    return facts.st_size == 3;
}

static hill_table *mixed; /* of mixed.csv */
static hill_model *model; /* of it */

static int make_files(void **state)
{
    static const unsigned char numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    (void)state;
    strcpy(folder, "/tmp/hill_faults_XXXXXX");
    assert_non_null(mkdtemp(folder));
    bytes_buffer npy = make_npy("{'descr': '<i2', 'fortran_order': True, 'shape': (3, 2), }", numbers, sizeof numbers);
    write_file("mixed.csv", make_mixed());
    write_file("mixed.csv.gz", gzipped(make_mixed()));
    write_file("three.tsv", make_text("a\tb\n1\tx\n2\ty\n3\tx\n"));
    write_file("three.txt", make_text("0\n1\n1\n"));
    write_file("three.npy", npy);
    write_file("three.npy.gz", gzipped(npy));
    write_file("stored.npz", make_npz_pair((npz_style){0, false}));
    write_file("packed.npz", make_npz_pair((npz_style){8, true}));
    make_images("t-");
    assert_int_equal(mkdir(in_folder("images"), 0700), 0);
    make_images("images/train-");
    assert_int_equal(hill_table_open(in_folder("mixed.csv"), NULL, NULL, &mixed, NULL), HILL_OK);
    assert_int_equal(hill_train(mixed, "net=4 tanh\nepochs=2", NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, in_folder("model"), NULL), HILL_OK);
    return 0;
}

static void remove_all(const char *path)
{
    DIR *open = opendir(path);
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        char name[400];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && remove(name) != 0)
            remove_all(name);
    }
    closedir(open);
    remove(path);
}

static int remove_files(void **state)
{
    (void)state;
    hill_model_free(model);
    hill_table_free(mixed);
    remove_all(folder);
    return 0;
}

/* ---- tables -------------------------------------------------------------------------------------------------------------- */

typedef struct reading {
    const char *name;
    const char *targets, *categories;
    bool like;
} reading;

static int open_table(trial *t)
{
    const reading *what = t->context;
    hill_table *table = (hill_table *)(uintptr_t)1;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    options.targets = what->targets ? in_folder(what->targets) : NULL;
    options.categories = what->categories;
    options.like = what->like ? model : NULL;
    arm(t);
    int status = hill_table_open(in_folder(what->name), &options, &t->host, &table, &t->error);
    assert_true((status == HILL_OK) == (table != NULL));
    assert_int_equal(t->error.status, status);
    hill_table_free(table);
    return status;
}

static void tables_of_every_format(void **state)
{
    static const reading all[] = {{"mixed.csv", NULL, NULL, false},
                                  {"mixed.csv", NULL, "size", false},
                                  {"mixed.csv", NULL, NULL, true},
                                  {"mixed.csv.gz", NULL, NULL, true},
                                  {"three.tsv", "three.txt", NULL, false},
                                  {"three.npy", "three.txt", "2", false},
                                  {"three.npy.gz", NULL, NULL, false},
                                  {"stored.npz", NULL, NULL, false},
                                  {"packed.npz", NULL, NULL, false},
                                  {"packed.npz", "three.txt", NULL, false},
                                  {"t-images-idx3-ubyte", NULL, NULL, false},
                                  {"images", NULL, NULL, false}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        fail_everywhere(open_table, &all[i], 5);
}

static int parse_table(trial *t)
{
    bytes_buffer text = make_mixed();
    hill_bytes bytes = {text.data, text.length, "text"};
    hill_table *table;
    arm(t);
    int status = hill_table_parse(&bytes, NULL, &t->host, &table, &t->error);
    assert_true((status == HILL_OK) == (table != NULL));
    hill_table_free(table);
    return status;
}

static void a_table_of_text(void **state)
{
    (void)state;
    fail_everywhere(parse_table, NULL, 10);
}

/* ---- recipes and plans --------------------------------------------------------------------------------------------------- */

static const char knobs[] = "net=4 tanh, dropout 0.1, layernorm, 3 "
                            "relu\nepochs=2\nrate=0.25\nseed=7\ntarget=kind\nvalid=0.25\nclass-weights=balanced\n";

static int make_recipe(trial *t)
{
    hill_recipe *recipe;
    arm(t);
    int status = hill_recipe_new(&t->host, &recipe, &t->error);
    assert_true((status == HILL_OK) == (recipe != NULL));
    if (status == HILL_OK)
        status = hill_recipe_parse(recipe, knobs, strlen(knobs), NULL, &t->error);
    if (status == HILL_OK && !hill_recipe_text(recipe))
        status = HILL_EMEMORY;
    calm(t);
    if (recipe) { /* whatever went wrong, it takes knobs as before */
        assert_int_equal(hill_recipe_set(recipe, "rate", "0.5", NULL), HILL_OK);
        assert_string_equal(hill_recipe_get(recipe, "rate"), "0.5");
        assert_non_null(hill_recipe_text(recipe));
    }
    hill_recipe_free(recipe);
    return status;
}

static int make_plan_of(trial *t)
{
    hill_recipe *recipe;
    hill_plan *plan;
    hill_shape shape = HILL_SHAPE_INIT;
    shape.inputs = shape.outputs = 2;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, knobs, strlen(knobs), NULL, NULL), HILL_OK);
    arm(t);
    int status = hill_plan_new(recipe, &shape, &t->host, &plan, &t->error);
    assert_true((status == HILL_OK) == (plan != NULL));
    hill_plan_free(plan);
    hill_recipe_free(recipe);
    return status;
}

static void recipes_and_plans(void **state)
{
    (void)state;
    fail_everywhere(make_recipe, NULL, 5);
    fail_everywhere(make_plan_of, NULL, 5);
}

/* ---- sessions ------------------------------------------------------------------------------------------------------------ */

static int new_session(trial *t, hill_session **out)
{
    hill_recipe *recipe;
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = mixed;
    tables.test = mixed;
    tables.start = t->start;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    const char *text = t->start ? "net=4 tanh\nepochs=2\n" : knobs;
    assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, NULL), HILL_OK);
    int status = hill_session_new(recipe, &tables, &t->host, out, &t->error);
    assert_true((status == HILL_OK) == (*out != NULL));
    hill_recipe_free(recipe);
    return status;
}

static int make_session(trial *t)
{
    hill_session *session;
    t->start = t->context;
    arm(t);
    int status = new_session(t, &session);
    hill_session_free(session);
    return status;
}

static hill_session *ready_session(trial *t)
{
    hill_session *session;
    assert_int_equal(new_session(t, &session), HILL_OK);
    return session;
}

static int finish_session(trial *t)
{
    hill_session *session = ready_session(t);
    hill_model *made;
    while (hill_step(hill_session_run(session), NULL) == HILL_ROW)
        continue;
    arm(t);
    int status = hill_session_finish(session, &made, &t->error);
    assert_true((status == HILL_OK) == (made != NULL));
    hill_model_free(made);
    calm(t);
    assert_int_equal(hill_session_finish(session, &made, &t->error), HILL_OK);
    hill_model_free(made);
    hill_session_free(session);
    return status;
}

static int measure_session(trial *t)
{
    hill_session *session = ready_session(t);
    hill_model *made;
    hill_metrics metrics = HILL_METRICS_INIT, again = HILL_METRICS_INIT;
    assert_int_equal(hill_session_finish(session, &made, NULL), HILL_OK);
    arm(t);
    int status = HILL_OK;
    for (int which = HILL_WHICH_TRAIN; which <= HILL_WHICH_TEST && status == HILL_OK; which++)
        status = hill_session_metrics(session, made, (hill_which)which, &metrics, &t->error);
    calm(t);
    assert_int_equal(hill_session_metrics(session, made, HILL_WHICH_TEST, &again, NULL), HILL_OK);
    assert_true(status != HILL_OK || memcmp(&metrics, &again, sizeof again) == 0);
    hill_model_free(made);
    hill_session_free(session);
    return status;
}

static int train(trial *t)
{
    hill_model *made;
    arm(t);
    int status = hill_train(mixed, knobs, &t->host, &made, &t->error);
    assert_true((status == HILL_OK) == (made != NULL));
    hill_model_free(made);
    return status;
}

static void sessions(void **state)
{
    (void)state;
    fail_everywhere(make_session, NULL, 20);
    fail_everywhere(make_session, in_folder("model"), 20);
    fail_everywhere(finish_session, NULL, 10);
    fail_everywhere(measure_session, NULL, 3);
    fail_everywhere(train, NULL, 20);
}

static void take_steps(hill_session *session, unsigned count)
{
    while (count-- > 0)
        assert_int_equal(hill_step(hill_session_run(session), NULL), HILL_ROW);
}

static uint64_t steps_of(hill_session *session)
{
    return hill_run_steps(hill_session_run(session), NULL);
}

/* Where a save fails the old file stands, and the descent can go on. */
static int save_session(trial *t)
{
    hill_session *session = ready_session(t), *other = ready_session(t);
    take_steps(session, 2);
    size_t before = write_old("saved");
    arm(t);
    int status = hill_session_save(session, in_folder("saved"), &t->error);
    calm(t);
    assert_int_equal(is_old("saved", before), status != HILL_OK);
    if (status == HILL_OK)
        assert_int_equal(hill_session_resume(other, in_folder("saved"), NULL), HILL_OK);
    assert_int_equal(steps_of(other), status == HILL_OK ? 2 : 0);
    take_steps(session, 1);
    hill_session_free(other);
    hill_session_free(session);
    return status;
}

/* Where resuming fails the run is where it was, to the bit. */
static int resume_session(trial *t)
{
    hill_session *session = ready_session(t), *twin = ready_session(t);
    const float *here = hill_run_weights(hill_session_run(session)), *there = hill_run_weights(hill_session_run(twin));
    size_t bytes = *(const size_t *)t->context * sizeof *here;
    arm(t);
    int status = hill_session_resume(session, in_folder("checkpoint"), &t->error);
    calm(t);
    assert_int_equal(steps_of(session), status == HILL_OK ? 2 : 0);
    take_steps(twin, (unsigned)steps_of(session));
    assert_memory_equal(here, there, bytes);
    hill_session_free(twin);
    hill_session_free(session);
    return status;
}

static void checkpoints(void **state)
{
    (void)state;
    trial t = {.error = HILL_ERROR_INIT};
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    hill_model *made;
    t.host = heap_host(&t.heap);
    hill_session *session = ready_session(&t);
    take_steps(session, 2);
    assert_int_equal(hill_session_save(session, in_folder("checkpoint"), NULL), HILL_OK);
    assert_int_equal(hill_session_finish(session, &made, NULL), HILL_OK);
    assert_int_equal(hill_plan_info(hill_model_plan(made), &sizes), HILL_OK);
    hill_model_free(made);
    hill_session_free(session);
    fail_everywhere(save_session, NULL, 20);
    fail_everywhere(resume_session, &sizes.vector, 20);
}

/* With no memory left a descent goes on to its end. */
static void steps_need_no_memory(void **state)
{
    (void)state;
    trial t = {.at = 1, .heap = {.for_good = true}, .error = HILL_ERROR_INIT};
    t.host = heap_host(&t.heap);
    hill_session *session = ready_session(&t);
    int status;
    arm(&t);
    while ((status = hill_step(hill_session_run(session), NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_DONE);
    assert_int_equal(t.heap.failed, 0);
    hill_session_free(session);
    assert_heap_empty(&t.heap);
}

/* ---- models -------------------------------------------------------------------------------------------------------------- */

static hill_model *ready_model(trial *t)
{
    hill_model *opened;
    assert_int_equal(hill_model_open(in_folder("model"), &t->host, &opened, NULL), HILL_OK);
    return opened;
}

static int open_model(trial *t)
{
    hill_model *opened;
    arm(t);
    int status = hill_model_open(in_folder("model"), &t->host, &opened, &t->error);
    assert_true((status == HILL_OK) == (opened != NULL));
    hill_model_free(opened);
    return status;
}

/* Where a save fails the old file stands, and nothing stands beside it. */
static int save_model(trial *t)
{
    hill_model *opened = ready_model(t), *saved;
    size_t before = write_old("saved");
    arm(t);
    int status = hill_model_save(opened, in_folder("saved"), &t->error);
    calm(t);
    assert_int_equal(is_old("saved", before), status != HILL_OK);
    if (status == HILL_OK) {
        assert_int_equal(hill_model_open(in_folder("saved"), NULL, &saved, NULL), HILL_OK);
        hill_model_free(saved);
    }
    hill_model_free(opened);
    return status;
}

static hill_table *like_model(void)
{
    hill_table *table;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    options.like = model;
    assert_int_equal(hill_table_open(in_folder("mixed.csv"), &options, NULL, &table, NULL), HILL_OK);
    return table;
}

static int predict(trial *t)
{
    hill_model *opened = ready_model(t);
    hill_table *table = like_model();
    double answers[120], again[120];
    arm(t);
    int status = hill_model_predict(opened, table, 0, 60, answers, &t->error);
    calm(t);
    assert_int_equal(hill_model_predict(opened, table, 0, 60, again, NULL), HILL_OK);
    assert_true(status != HILL_OK || memcmp(answers, again, sizeof again) == 0);
    hill_table_free(table);
    hill_model_free(opened);
    return status;
}

static int evaluate(trial *t)
{
    hill_model *opened = ready_model(t);
    hill_table *table = like_model();
    hill_metrics metrics = HILL_METRICS_INIT;
    uint64_t confusion[4];
    arm(t);
    int status = hill_model_evaluate(opened, table, &metrics, confusion, &t->error);
    calm(t);
    assert_int_equal(hill_model_evaluate(opened, table, &metrics, confusion, NULL), HILL_OK);
    assert_int_equal(confusion[0] + confusion[1] + confusion[2] + confusion[3], 60);
    hill_table_free(table);
    hill_model_free(opened);
    return status;
}

static int check(trial *t)
{
    hill_model *opened = ready_model(t);
    hill_table *table = like_model();
    hill_check result = HILL_CHECK_INIT, again = HILL_CHECK_INIT;
    arm(t);
    int status = hill_model_check(opened, table, &result, &t->error);
    calm(t);
    assert_int_equal(hill_model_check(opened, table, &again, NULL), HILL_OK);
    hill_table_free(table);
    hill_model_free(opened);
    return status;
}

static void models(void **state)
{
    (void)state;
    fail_everywhere(open_model, NULL, 20);
    fail_everywhere(save_model, NULL, 5);
    fail_everywhere(predict, NULL, 3);
    fail_everywhere(evaluate, NULL, 3);
    fail_everywhere(check, NULL, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_of_every_format),
                                       cmocka_unit_test(a_table_of_text),
                                       cmocka_unit_test(recipes_and_plans),
                                       cmocka_unit_test(sessions),
                                       cmocka_unit_test(checkpoints),
                                       cmocka_unit_test(steps_need_no_memory),
                                       cmocka_unit_test(models)};
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
