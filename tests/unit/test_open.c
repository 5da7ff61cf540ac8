/*
 * test_open.c - from paths to tables: folders, twins, targets of their own; archives of arrays; and memory that ends on the
 * way.
 */
#define _XOPEN_SOURCE 700

#include "reading.h"

#include "support.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a folder ------------------------------------------------------------------------------------------------------------ */

static char folder[64], start_folder[400];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hill-open-XXXXXX");
    return getcwd(start_folder, sizeof start_folder) && mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *open = opendir(".");
    for (struct dirent *entry = readdir(open); entry; entry = readdir(open))
        if (entry->d_name[0] != '.')
            remove(entry->d_name);
    closedir(open);
    return chdir(start_folder) == 0 ? rmdir(folder) : -1;
}

static void write_file(const char *name, bytes_buffer content)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.length, file), content.length);
    assert_int_equal(fclose(file), 0);
}

static hill_table *open_with(const char *path, const hill__reading *reading)
{
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    if (hill__table_open(path, reading, &table, &error) != HILL_OK)
        fail_msg("%s", error.text);
    return table;
}

static void assert_refused(const char *path, const hill__reading *reading, int status, const char *told)
{
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    int got = hill__table_open(path, reading, &table, &error);
    if (got != status || !strstr(error.text, told))
        fail_msg("%s: %s: %s", path, hill_status_name(got), error.text);
    assert_null(table);
}

static const unsigned char pixels[] = {1, 2, 3, 4, 5, 6, 7, 8};

static bytes_buffer images(void)
{
    return make_idx((uint32_t[]){2, 2, 2}, 3, pixels, 8);
}

static bytes_buffer labels(void)
{
    return make_idx((uint32_t[]){2}, 1, pixels + 3, 2);
}

static bytes_buffer packed(bytes_buffer content)
{
    return make_gzip(&content);
}

/* ---- twins and folders --------------------------------------------------------------------------------------------------- */

static void images_find_their_labels(void **state)
{
    (void)state;
    static const struct {
        const char *images, *labels;
        size_t columns;
    } cases[] = {
        {"images-idx3-ubyte", "labels-idx1-ubyte", 1},
        {"images-idx4-ubyte", "labels-idx1-ubyte", 1},
        {"images-idx3-ubyte", "labels-idx1-ubyte.gz", 1},
        {"images-idx3-ubyte.gz", "labels-idx1-ubyte.gz", 1},
        {"images-idx3-ubyte.gz", "labels-idx1-ubyte", 1},
        {"images.of.images", "images.of.labels", 1},
        {"pictures-idx3-ubyte", "labels-idx1-ubyte", 0},
        {"images-idx3-ubyte", "other-idx1-ubyte", 0},
        {"images", "labels", 1},
        {"idx3-images-idx3", "idx3-labels-idx1", 1},
        {".gz-images", ".gz-labels.gz", 1},
    };
    hill__reading reading = plain();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int inside = 0; inside < 2; inside++) {
            char path[200];
            write_file(cases[i].images, strstr(cases[i].images + 1, ".gz") ? packed(images()) : images());
            write_file(cases[i].labels, strstr(cases[i].labels + 1, ".gz") ? packed(labels()) : labels());
            snprintf(path, sizeof path, "%s%s", inside ? "./" : "", cases[i].images);
            hill_table *table = open_with(path, &reading);
            assert_memory_equal(table->image, pixels, 8);
            if (table->column_count != cases[i].columns)
                fail_msg("%s: %zu", path, table->column_count);
            hill_table_free(table);
            remove(cases[i].images);
            remove(cases[i].labels);
        }
    write_file("images", images());
    write_file("labels", make_text("1\n0\n"));
    assert_refused("images", &reading, HILL_EDATA, "labels: is no IDX file");
    reading.options.targets = "labels"; /* then any file will do, and no twin is looked for */
    hill_table *table = open_with("images", &reading);
    assert_numbers(table, 0, "target", (double[]){1, 0});
    hill_table_free(table);
}

static void folders_hold_parts(void **state)
{
    (void)state;
    hill__reading train = plain(), test = plain();
    test.options.part = HILL_PART_TEST;
    static const char *const folders[] = {".", "./"};
    for (int i = 0; i < 2; i++) {
        assert_refused(folders[i], &train, HILL_EDATA, "is a folder without the names expected");
        assert_refused(folders[i], &test, HILL_EDATA, "is a folder without the names expected");
        write_file("train-images-idx3-ubyte.gz", packed(images()));
        write_file("train-labels-idx1-ubyte", labels());
        assert_refused(folders[i], &test, HILL_EPART, "has no test part; t10k-images-idx3-ubyte is missing");
        hill_table *table = open_with(folders[i], &train);
        assert_numbers(table, 0, "label", (double[]){4, 5});
        hill_table_free(table);
        write_file("t10k-images.idx3-ubyte", images());
        table = open_with(folders[i], &test);
        assert_int_equal(table->column_count, 0);
        hill_table_free(table);
        train.options.targets = "train-labels-idx1-ubyte";
        table = open_with(folders[i], &train);
        assert_int_equal(table->column_count, 1);
        hill_table_free(table);
        train.options.targets = NULL;
        write_file("t10k-images.idx3-ubyte", make_text("1,2\n3,4\n")); /* numbers have no twin */
        table = open_with(folders[i], &test);
        assert_int_equal(table->column_count, 2);
        hill_table_free(table);
        remove("train-images-idx3-ubyte.gz");
        remove("train-labels-idx1-ubyte");
        remove("t10k-images.idx3-ubyte");
    }
}

/* The images of a file on a disk stay in its bytes; those of a file that has to be turned don't. */
static void images_of_files_stay(void **state)
{
    (void)state;
    hill__reading reading = plain();
    for (int turned = 0; turned < 2; turned++) {
        write_file("a.npy", make_npy(turned ? "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }"
                                            : "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }",
                                     pixels, 8));
        hill_table *table = open_with("a.npy", &reading);
        assert_int_equal(table->image_block.length == 8, turned);
        hill_table_free(table);
    }
}

/* ---- targets of their own ------------------------------------------------------------------------------------------------ */

static void targets_are_named(void **state)
{
    (void)state;
    static const hill__wanted wanted[] = {{"a", 0, HILL_COLUMN_NUMBER, false}, {"cost", 1, HILL_COLUMN_CATEGORY, true}};
    static const hill__wanted untold[] = {{"a", 0, HILL_COLUMN_NUMBER, false}};
    static const hill__schema schema = {wanted, 2, true}, without = {untold, 1, true};
    static const struct {
        const char *targets;
        const hill__schema *schema;
        const char *name, *note;
    } cases[] = {
        {"price.csv", NULL, "price", "the targets were read with --delimiter ',' --header yes"},
        {"bare.csv", NULL, "target", "the targets were read with --delimiter ',' --header no"},
        {"labels.idx", NULL, "label", NULL},
        {"y.npy", NULL, "target", NULL},
        {"price.csv", &schema, "cost", NULL},
        {"y.npy", &schema, "cost", NULL},
        {"price.csv", &without, "price", NULL},
    };
    write_file("data.csv", make_text("a,b\n1,2\n3,4\n"));
    write_file("price.csv", make_text("price\n10\n20\n"));
    write_file("bare.csv", make_text("10\n20\n"));
    write_file("labels.idx", labels());
    write_file("y.npy", make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", pixels, 2));
    write_file("two.csv", make_text("1,2\n3,4\n"));
    write_file("wide.npy", make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", pixels, 4));
    write_file("images.idx", images());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill__reading reading = plain();
        reading.options.targets = cases[i].targets;
        reading.schema = cases[i].schema;
        hill_table *table = open_with("data.csv", &reading);
        assert_string_equal(table->columns[table->column_count - 1].name, cases[i].name);
        if (cases[i].note)
            assert_string_equal(hill_table_note(table, 0), cases[i].note);
        hill_table_free(table);
    }
    hill__reading reading = plain();
    reading.options.targets = "two.csv";
    assert_refused("data.csv", &reading, HILL_EDATA, "two.csv: holds 2 columns where the one column of targets is needed");
    reading.options.targets = "images.idx";
    assert_refused("data.csv", &reading, HILL_EDATA, "images.idx: holds 1 columns where the one column of targets is needed");
    reading.options.targets = "none.csv";
    assert_refused("data.csv", &reading, HILL_EINPUT, "none.csv: cannot be opened");
    reading.options.targets = "price.csv";
    reading.options.missing = "10";
    reading.options.categories = "1";
    hill_table *table = open_with("wide.npy", &reading);
    assert_int_equal(table->columns[0].kind, HILL_COLUMN_CATEGORY);
    assert_int_equal(table->columns[2].missing, 1);
    hill_table_free(table);
    reading.options.categories = "3";
    assert_refused("wide.npy", &reading, HILL_EDATA, "there is no column 3 to read as a category");
}

/* A model's columns are what is taken, whatever the caller lists as categories. */
static void arrays_are_read_like_a_model_wants(void **state)
{
    (void)state;
    static const hill__wanted wanted[] = {{"c2", 1, HILL_COLUMN_NUMBER, false}};
    static const hill__schema schema = {wanted, 1, false};
    hill__reading reading = plain();
    write_file("wide.npy", make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", pixels, 4));
    reading.schema = &schema;
    reading.options.categories = "1";
    hill_table *table = open_with("wide.npy", &reading);
    assert_int_equal(table->column_count, 1);
    assert_numbers(table, 0, "c2", (double[]){2, 4});
    hill_table_free(table);
}

/* What begins like a model, and what begins nearly so. */
static void models_are_no_data(void **state)
{
    (void)state;
    static const unsigned char begin[9] = {16, 0, 0, 0, 0, 0, 0, 0, '{'};
    hill__reading reading = plain();
    for (size_t i = 4; i <= 9; i++) {
        bytes_buffer file = {.length = 0};
        put(&file, begin, 9);
        put(&file, "}", 1);
        if (i > 4 && i < 9)
            file.data[i]++;
        file.length = i == 9 ? 8 : 10;
        bool model = i == 4;
        assert_fails(&file, &reading, HILL_EDATA, model ? "f: is a model, not data" : "f:1:");
    }
}

static void options_are_looked_at(void **state)
{
    (void)state;
    hill_table *table;
    write_file("data.csv", make_text("a b\n1 2\n"));
    static const char delimiters[] = ",\t;| ";
    for (size_t i = 0; i < 5; i++) {
        hill_table_options options = HILL_TABLE_OPTIONS_INIT;
        options.delimiter = delimiters[i];
        options.header = i % 2 ? "yes" : "no";
        assert_int_equal(hill_table_open("data.csv", &options, NULL, &table, NULL), HILL_OK);
        assert_int_equal(hill_table_columns(table), delimiters[i] == ' ' ? 2 : 1);
        assert_int_equal(hill_table_rows(table), i % 2 ? 1 : 2);
        hill_table_free(table);
    }
}

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

/* Every allocation of every way to open fails once. */
static void memory_ends_while_files_are_opened(void **state)
{
    (void)state;
    static const struct {
        const char *path, *targets, *categories;
        hill_part part;
    } cases[] = {
        {"images-idx3-ubyte", NULL, NULL, HILL_PART_TRAIN},
        {"images-idx3-ubyte-of-some-day", NULL, NULL, HILL_PART_TRAIN},
        {".", NULL, NULL, HILL_PART_TEST},
        {"data.csv", "price.csv", NULL, HILL_PART_TRAIN},
        {"wide.npy", "y.npy", "1", HILL_PART_TRAIN},
        {"named.csv", NULL, "3", HILL_PART_TRAIN},
        {"wrong.gz", NULL, NULL, HILL_PART_TRAIN},
        {"texts.csv", NULL, NULL, HILL_PART_TRAIN},
        {"pair.npz", NULL, NULL, HILL_PART_TRAIN},
    };
    bytes_buffer wrong = packed(make_text("a,b\n1,2\n3,4\n5,6\n7,8\n1,2\n3,4\n5,6\n7,8\n"));
    memset(wrong.data + wrong.length - 4, 0, 4); /* it says that it is empty */
    write_file("wrong.gz", wrong);
    write_file("images-idx3-ubyte", images());
    write_file("labels-idx1-ubyte.gz", packed(labels()));
    write_file("images-idx3-ubyte-of-some-day", images());
    write_file("labels-idx1-ubyte-of-some-day.gz", packed(labels()));
    write_file("train-images-idx3-ubyte", images());
    write_file("data.csv", make_text("a,b\n1,2\n3,4\n"));
    write_file("price.csv", make_text("price\n10\n20\n"));
    write_file("wide.npy", make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", pixels, 4));
    write_file("y.npy", make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", pixels, 2));
    write_file("named.csv", make_text("a name of some,a name of some,c3,a name of some\n\n\n1,2,3,4\n5,6,7,8\n"));
    write_file("texts.csv", make_text("one,two,three,four\na,b,c,d\ne,f,g,h\n"));
    write_file("pair.npz", make_npz_pair((npz_style){8, true}));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int status = HILL_EMEMORY;
        size_t at = 1;
        for (; status == HILL_EMEMORY; at++) {
            heap h = {.fail_at = at};
            hill__reading reading = plain();
            hill_error error = HILL_ERROR_INIT;
            hill_table *table = NULL;
            reading.allocator = (hill_allocator){&h, heap_alloc, heap_free};
            reading.options.targets = cases[i].targets;
            reading.options.categories = cases[i].categories;
            reading.options.part = cases[i].part;
            status = hill__table_open(cases[i].path, &reading, &table, &error);
            assert_true((table != NULL) == (status == HILL_OK));
            hill_table_free(table);
            assert_heap_empty(&h);
            /* A guess that had no memory guesses otherwise. */
            if (h.failed == 1 && status != HILL_EMEMORY && at < 200)
                status = HILL_EMEMORY;
            assert_true(at < 1000);
        }
        assert_int_equal(status, i == 2 ? HILL_EPART : i == 6 ? HILL_EDATA : HILL_OK);
        assert_true(at > 2);
    }
}

/* ---- packed bytes -------------------------------------------------------------------------------------------------------- */

/* A deflate block of one 'x' and so many repetitions of 258 bytes, by the fixed codes; returns its length. */
static size_t put_repetitions(unsigned char *out, size_t times)
{
    size_t bits = 0;
    uint64_t word = 0;
    size_t length = 0;
#define PUT_BITS(value, count)                                                                 \
    for (word |= (uint64_t)(value) << bits, bits += (count); bits >= 8; bits -= 8, word >>= 8) \
        out[length++] = (unsigned char)word;
    PUT_BITS(3, 3)    /* the last block, fixed codes */
    PUT_BITS(0x15, 8) /* 'x', 0xa8 with its bits turned round */
    for (size_t i = 0; i < times; i++) {
        PUT_BITS(0xa3, 8) /* a length of 258, code 285 */
        PUT_BITS(0, 5)    /* one byte back */
    }
    PUT_BITS(0, 7) /* the end */
    PUT_BITS(0, 7)
    return length;
#undef PUT_BITS
}

static void small_files_do_not_fill_the_memory(void **state)
{
    (void)state;
    const size_t times = 300000, length = 258 * times + 1;
    unsigned char *file = malloc(times * 13 / 8 + 100);
    assert_non_null(file);
    hill_allocator allocator = hill__allocator(NULL);
    hill_error error = HILL_ERROR_INIT;
    hill__file_bytes out;
    size_t size = put_repetitions(file, times);
    hill__packed whole = {{file, size, "f"}, 0, HILL_LIMITS_INIT};
    int status = hill__bytes_inflate(&whole, length, &allocator, &out, &error);
    if (status == HILL_EDATA && strstr(error.text, "without zlib"))
        skip();
    assert_int_equal(status, HILL_OK); /* 159 times as long */
    assert_int_equal(out.length, length);
    assert_true(out.data[0] == 'x' && out.data[length - 1] == 'x');
    hill__bytes_free(&allocator, &out);
    whole.limits.ratio = 150;
    assert_int_equal(hill__bytes_inflate(&whole, length, &allocator, &out, &error), HILL_EDATA);
    assert_string_equal(error.text, "f: unpacks to over 64 MiB and 150 times its size, at byte 0; --limit-ratio raises that");
    whole.limits.ratio = 0;
    assert_int_equal(hill__bytes_inflate(&whole, length - 1, &allocator, &out, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "f: unpacks to another length than its "));
    whole.bytes.length++; /* a byte behind the end */
    assert_int_equal(hill__bytes_inflate(&whole, length, &allocator, &out, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "f: unpacks to another length than its "));
    assert_null(out.data);
    /* The same behind the header of gzip, which says nothing about the length. */
    memmove(file + 10, file, size);
    memcpy(file, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
    hill__packed gz = {{file, size + 10, "f.gz"}, 0, HILL_LIMITS_INIT};
    gz.limits.ratio = 100;
    assert_int_equal(hill__bytes_gunzip(&gz, &allocator, &out, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "f.gz: unpacks to over 64 MiB and 100 times its size, at byte "));
    assert_null(out.data);
    free(file);
}

/* ---- archives ------------------------------------------------------------------------------------------------------------ */

static bytes_buffer array_of(const char *shape, size_t length)
{
    char header[100];
    snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", shape);
    return make_npy(header, pixels, length);
}

static bytes_buffer archive(const char *const *names, size_t count)
{
    bytes_buffer contents[8];
    for (size_t i = 0; i < count; i++)
        contents[i] = array_of("2,", 2);
    return make_npz(names, contents, count, (npz_style){0, false});
}

static void archives_are_read_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *names[5];
        hill_part part;
        size_t columns; /* 0: refused */
        const char *told;
    } cases[] = {
        {{"x_train.npy", "y_train.npy", "other.npy"}, HILL_PART_TRAIN, 2, "y"},
        {{"X.npy", "Y.npy"}, HILL_PART_TRAIN, 2, "y"},
        {{"images.npy", "labels.npy"}, HILL_PART_TRAIN, 2, "label"},
        {{"y.npy", "x.npy"}, HILL_PART_TRAIN, 2, "y"},
        {{"data.npy", "target.npy"}, HILL_PART_TRAIN, 2, "target"},
        {{"x"}, HILL_PART_TRAIN, 1, "c1"},
        {{"whatever.npy"}, HILL_PART_TRAIN, 1, "c1"},
        {{"one.npy", "two.npy"},
         HILL_PART_TRAIN,
         0,
         "f: needs one array, or x_train and y_train, x and y, images and labels, or data and target; its arrays are: one, "
         "two"},
        {{"x_test.npy", "y_test.npy", "x_train.npy"}, HILL_PART_TEST, 2, "y"},
        {{"x_train.npy", "y_train.npy"},
         HILL_PART_TEST,
         0,
         "f: needs x_test for a test part; its arrays are: x_train, y_train"},
        {{"x.npy", "X.npy"}, HILL_PART_TRAIN, 0, "f: two of its arrays are called x, the second at byte "},
        {{"x.npy", "y.npy", "Y.npy"}, HILL_PART_TRAIN, 0, "f: two of its arrays are called y, the second at byte "},
        {{".npy", "a\1\377\177b.npy"},
         HILL_PART_TRAIN,
         0,
         "f: needs one array, or x_train and y_train, x and y, images and labels, or data and target; its arrays are: .npy, "
         "a???b"},
        {{"a-name-that-goes-on-for-more-than-sixty-characters-in-all-so-that-it-is-cut.npy", "b"},
         HILL_PART_TRAIN,
         0,
         "f: needs one array"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t count = 0;
        while (cases[i].names[count])
            count++;
        bytes_buffer file = archive(cases[i].names, count);
        hill__reading reading = plain();
        reading.options.part = cases[i].part;
        if (!cases[i].columns) {
            assert_fails(&file, &reading, cases[i].part ? HILL_EPART : HILL_EDATA, cases[i].told);
            continue;
        }
        hill_table *table = parse_with(&file, &reading);
        assert_int_equal(table->column_count, cases[i].columns);
        assert_string_equal(table->columns[table->column_count - 1].name, cases[i].told);
        hill_table_free(table);
    }
}

static void archives_of_many_or_no_arrays(void **state)
{
    (void)state;
    hill__reading reading = plain();
    bytes_buffer file = {.length = 0};
    put_end(&file, 0, 0, (npz_style){0, false});
    assert_fails(
        &file, &reading, HILL_EDATA,
        "f: needs one array, or x_train and y_train, x and y, images and labels, or data and target; its arrays are: none");
    /* Fourteen empty members, of which twelve are named. */
    bytes_buffer empty = {.length = 0};
    size_t offsets[14];
    file.length = 0;
    for (size_t i = 0; i < 14; i++) {
        offsets[i] = file.length;
        put(&file, "PK\3\4", 4);
        put_member(&file, (char[]){(char)('a' + i), 0}, &empty, (npz_style){0, false}, 0);
        put(&file, (char[]){(char)('a' + i)}, 1);
    }
    size_t directory = file.length;
    for (size_t i = 0; i < 14; i++)
        put_entry(&file, (char[]){(char)('a' + i), 0}, &empty, (npz_style){0, false}, offsets[i]);
    put_end(&file, directory, 14, (npz_style){0, false});
    hill_table *table;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(parse_status(&file, &reading, &table, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "its arrays are: a, b, c, d, e, f, g, h, i, j, k, l"));
    assert_null(strstr(error.text, ", m"));
}

/* A member's place and its sizes, one after the other said wrong in the directory of an archive of one array and one more. */
static void archives_say_nothing_wrong(void **state)
{
    (void)state;
    static const char *const names[] = {"x.npy", "y.npy"};
    bytes_buffer whole = archive(names, 2);
    hill__reading reading = plain();
    size_t end = whole.length - 22, first = 0;
    while (memcmp(whole.data + first, "PK\1\2", 4) != 0)
        first++;
    size_t second = first + 46 + 5;
    const struct {
        size_t at;
        uint64_t number;
        size_t bytes;
    } cases[] = {
        {first + 42, first + 1, 4},  /* a member behind the directory */
        {first + 42, first - 10, 4}, /* one without room for its own header */
        {first + 42, 5, 4},          /* no header there */
        {first + 20, 0x7fffffff, 4}, /* more than the archive holds */
        {first + 20, first - 40, 4}, /* more than the archive holds beside the other */
        {second + 42, 0, 4},         /* the bytes of another */
        {second + 20, 3, 4},         /* two lengths of what isn't packed */
        {first + 28, 4, 2},          /* a shorter name */
        {first + 30, 60000, 2},      /* an extra field beyond the end */
        {first, 0, 4},               /* no entry */
        {end + 8, 1, 2},             /* another number of entries on this disk is nobody's business */
        {end + 10, 1, 2},            /* fewer entries than there are */
        {end + 12, 1, 4},            /* a short directory */
        {end + 16, end + 1, 4},      /* a directory behind the end */
        {end + 12, UINT32_MAX, 4},   /* a size that another record should hold */
        {end + 10, UINT16_MAX, 2},   /* a count that another record should hold */
        {end + 16, UINT32_MAX, 4},   /* a place that another record should hold */
        {end + 20, 1, 2},            /* a comment that isn't there */
        {first + 8, 1, 2},           /* encrypted */
        {first + 10, 12, 2},         /* packed in a way of its own */
        {first + 16, 7, 4},          /* another checksum */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bytes_buffer file = whole;
        for (size_t k = 0; k < cases[i].bytes; k++)
            file.data[cases[i].at + k] = (unsigned char)(cases[i].number >> 8 * k);
        hill_table *table;
        hill_error error = HILL_ERROR_INIT;
        int status = parse_status(&file, &reading, &table, &error);
        if (cases[i].at == end + 8) {
            assert_int_equal(status, HILL_OK);
            hill_table_free(table);
        } else if (status != HILL_EDATA || !strstr(error.text, " at byte "))
            fail_msg("case %zu: %s: %s", i, hill_status_name(status), error.text);
    }
    for (size_t length = 3; length < 22; length++) {
        bytes_buffer file = whole;
        file.length = length;
        assert_fails(&file, &reading, HILL_EDATA,
                     length == 3 ? "f: has a header and no rows" : "f: the zip archive is damaged or cut off at byte ");
    }
}

/* The same of archives of other kinds. */
static void archives_of_other_kinds_say_nothing_wrong(void **state)
{
    (void)state;
    static const char *const name[] = {"x.npy"};
    hill__reading reading = plain();
    bytes_buffer file = archive(name, 1);
    size_t entry = file.length - 22 - 51;
    assert_memory_equal(file.data + entry, "PK\1\2", 4);
    file.data[entry + 42] = (unsigned char)(entry - 10); /* no room for the member's own header */
    assert_fails(&file, &reading, HILL_EDATA, "f: the zip archive is damaged or cut off at byte ");
    file = make_npz_pair((npz_style){0, true});
    entry = 0;
    while (memcmp(file.data + entry, "PK\1\2", 4) != 0)
        entry++;
    memset(file.data + entry + 46 + 11 + 4 + 2 + 4 + 8, 0xff, 8); /* so many packed bytes that sums wrap */
    file.data[entry + 46 + 11 + 4 + 2 + 4 + 8] = 0xf0;
    assert_fails(&file, &reading, HILL_EDATA, "f: the zip archive is damaged or cut off at byte ");
    file = (bytes_buffer){.length = 0};
    put_end(&file, 0, 0, (npz_style){0, false});
    memset(file.data + 12, 0xff, 4); /* a record of 64 bits should stand before the file begins */
    assert_fails(&file, &reading, HILL_EDATA, "f: the zip archive is damaged or cut off at byte 0");
    bytes_buffer text = make_text("no array");
    file = make_npz(name, &text, 1, (npz_style){0, false});
    assert_fails(&file, &reading, HILL_EDATA, "f: x: is no NPY file, at byte 0");
}

/* What both headers of a member say of its packing, and a member that lies in another's bytes. */
static void archives_hold_what_they_say(void **state)
{
    (void)state;
    static const char *const names[] = {"x.npy", "y.npy"};
    hill__reading reading = plain();
    for (unsigned i = 0; i < 4; i++) {
        bytes_buffer file = archive(names, 1);
        size_t entry = file.length - 22 - 51;
        static const unsigned char flags[] = {1, 0, 0, 2}, methods[] = {0, 12, 9, 0};
        file.data[6] = file.data[entry + 8] = flags[i];
        file.data[8] = file.data[entry + 10] = methods[i];
        if (i < 3)
            assert_fails(&file, &reading, HILL_EDATA, "f: x: is encrypted or packed in an unusual way (method ");
        else
            hill_table_free(parse_with(&file, &reading));
    }
    bytes_buffer inner = archive(names + 1, 1), content, file;
    size_t member = inner.length - 22 - 51;
    char header[100];
    snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%zu,), }", member);
    content = make_npy(header, inner.data, member);
    file = make_npz(names, &content, 1, (npz_style){0, false});
    size_t end = file.length - 22 - 51, begin = end - member;
    bytes_buffer entries = {.length = 0}, second = array_of("2,", 2);
    put_entry(&entries, names[0], &content, (npz_style){0, false}, 0);
    put_entry(&entries, names[1], &second, (npz_style){0, false}, begin);
    file.length = end;
    for (size_t i = 0; i < member; i++) /* as if there were room for both */
        put(&file, "", 1);
    size_t directory = file.length;
    put(&file, entries.data, entries.length);
    put_end(&file, directory, 2, (npz_style){0, false});
    assert_fails(&file, &reading, HILL_EDATA, "f: the zip archive is damaged or cut off at byte ");
}

/* The end record is looked for as far as a comment may be long. */
static void the_end_of_an_archive_is_near_its_end(void **state)
{
    (void)state;
    unsigned char *file = calloc(70000, 1);
    hill__reading reading = plain();
    hill_error error = HILL_ERROR_INIT;
    hill_table *table;
    assert_non_null(file);
    memcpy(file, "PK\3\4", 4);
    hill_bytes bytes = {file, 70000, "f"};
    assert_int_equal(hill__table_parse(&bytes, &reading, &table, &error), HILL_EDATA);
    assert_string_equal(error.text, "f: the zip archive is damaged or cut off at byte 70000; copy or download the file again");
    memcpy(file, "PK\5\6", 4);
    bytes.length = 22 + 40;
    file[20] = 40; /* an empty archive with a comment */
    assert_int_equal(hill__table_parse(&bytes, &reading, &table, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "its arrays are: none"));
    free(file);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(images_find_their_labels),
        IN_FOLDER(folders_hold_parts),
        IN_FOLDER(images_of_files_stay),
        IN_FOLDER(targets_are_named),
        IN_FOLDER(arrays_are_read_like_a_model_wants),
        cmocka_unit_test(models_are_no_data),
        IN_FOLDER(options_are_looked_at),
        IN_FOLDER(memory_ends_while_files_are_opened),
        cmocka_unit_test(small_files_do_not_fill_the_memory),
        cmocka_unit_test(archives_are_read_by_their_names),
        cmocka_unit_test(archives_of_many_or_no_arrays),
        cmocka_unit_test(archives_say_nothing_wrong),
        cmocka_unit_test(archives_hold_what_they_say),
        cmocka_unit_test(archives_of_other_kinds_say_nothing_wrong),
        cmocka_unit_test(the_end_of_an_archive_is_near_its_end),
    };
    return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
