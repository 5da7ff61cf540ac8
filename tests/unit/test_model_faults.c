/*
 * test_model_faults.c - hostile model files: cut off at every byte, with every bit turned. Each is a model that answers, or is
 * refused with a reason; no memory is kept, and none is taken that the file doesn't justify.
 */
#define _POSIX_C_SOURCE 200809L

#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "model/model.h"
#include "tables.h"

/* The file, changed in place: a file written anew each time would be flushed to the disk by some systems. */
static char path[] = "/tmp/hill-model-XXXXXX";
static int descriptor;

static void put_bytes(const unsigned char *bytes, size_t length, size_t at)
{
    assert_int_equal(pwrite(descriptor, bytes, length, (off_t)at), length);
}

/* A heap that also knows its largest block. */
typedef struct watched {
    heap heap;
    size_t largest;
} watched;

static void *watched_alloc(void *self, size_t bytes)
{
    watched *w = self;
    w->largest = bytes > w->largest ? bytes : w->largest;
    return heap_alloc(&w->heap, bytes);
}

static void watched_free(void *self, void *block, size_t bytes)
{
    heap_free(&((watched *)self)->heap, block, bytes);
}

/* A number and a category with a missing cell, and two classes: what an encoder can have, in little. */
static hill_table *make_data_table(void)
{
    static const char *const names[] = {"x", "c", "y"};
    hill_table *table = make_table(6, names, 3);
    set_numbers(table, 0, (double[]){1, 2, 3, 4, 5, 6});
    set_texts(table, 1, (const char *const[]){"a", "b", NULL, "a", "b", "a"});
    set_texts(table, 2, (const char *const[]){"no", "yes", "no", "yes", "no", "yes"});
    assert_true(hill__table_measure(table));
    return table;
}

/* Opens what stands at the path and lets it answer. */
static int try_model(const hill_table *table, size_t length)
{
    watched memory = {.largest = 0};
    hill_host host = HILL_HOST_INIT;
    hill_model *model;
    hill_error error = HILL_ERROR_INIT;
    double out[12];
    host.allocator = (hill_allocator){&memory, watched_alloc, watched_free};
    int status = hill_model_open(path, &host, &model, &error);
    if (status == HILL_OK) {
        hill_model_facts facts = HILL_MODEL_FACTS_INIT;
        assert_int_equal(hill_model_info(model, &facts), HILL_OK);
        assert_int_equal(facts.classes, 2);
        int answered = hill_model_predict(model, table, 0, 6, out, &error);
        assert_true(answered == HILL_OK || answered == HILL_EDATA || answered == HILL_EMODEL);
    } else {
        assert_null(model);
        assert_int_equal(status, HILL_EMODEL);
        assert_true(strncmp(error.text, path, strlen(path)) == 0 && !strchr(error.text, '\n'));
        assert_true(memory.largest <= 40 * length + (1 << 16)); /* the room that an empty file is read into */
    }
    hill_model_free(model);
    assert_heap_empty(&memory.heap);
    return status;
}

static void every_cut_and_every_bit(void **state)
{
    (void)state;
    hill_table *table = make_data_table();
    hill_model *model;
    hill__file_bytes file;
    hill_allocator allocator = hill__allocator(NULL);
    size_t opened = 0;
    descriptor = mkstemp(path);
    assert_true(descriptor >= 0 && close(descriptor) == 0);
    assert_int_equal(hill_train(table, "net=2 tanh\nepochs=1\ntarget=y\n", NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, path, NULL), HILL_OK);
    hill_model_free(model);
    assert_int_equal(hill__file_read(path, &allocator, &file, NULL), HILL_OK);
    assert_int_equal(try_model(table, file.length), HILL_OK);
    descriptor = open(path, O_RDWR);
    assert_true(descriptor >= 0);
    for (size_t length = file.length; length-- > 0;) {
        assert_int_equal(ftruncate(descriptor, (off_t)length), 0);
        assert_int_equal(try_model(table, length), HILL_EMODEL);
    }
    put_bytes(file.data, file.length, 0);
    for (size_t bit = 0; bit < file.length * 8; bit++) {
        unsigned char turned = (unsigned char)(file.data[bit / 8] ^ 1u << bit % 8);
        put_bytes(&turned, 1, bit / 8);
        opened += try_model(table, file.length) == HILL_OK;
        put_bytes(&file.data[bit / 8], 1, bit / 8);
    }
    assert_true(opened > 100 && opened < file.length * 6); /* some bits are a weight's or a name's, most are the format's */
    hill__free(&allocator, file.data, file.capacity, 1);
    hill_table_free(table);
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_cut_and_every_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
