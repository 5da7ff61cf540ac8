/*
 * idx.c - IDX files, as MNIST's: two zero bytes, a type, the number of axes, their sizes, the data; all most significant byte
 * first. Invariant: an array is what its header promises to the byte, or it is refused.
 */
#include "base/fp.h"

#include "data/array.h"
#include "data/bytes.h"
#include "data/reader.h"

/* False where the file has no such type. */
static bool idx_type(unsigned char code, hill__array *array)
{
    array->kind = code == 0x08 ? HILL__ARRAY_UNSIGNED : code < 0x0d ? HILL__ARRAY_SIGNED : HILL__ARRAY_FLOAT;
    switch (code) {
    case 0x08:
    case 0x09:
        array->item = 1;
        return true;
    case 0x0b:
        array->item = 2;
        return true;
    case 0x0c:
    case 0x0d:
        array->item = 4;
        return true;
    case 0x0e:
        array->item = 8;
        return true;
    default:
        return false;
    }
}

bool hill__idx_is(const hill_bytes *bytes)
{
    hill__array array;
    const unsigned char *p = bytes->data;
    return bytes->length >= 4 && p[0] == 0 && p[1] == 0 && idx_type(p[2], &array) && p[3] > 0;
}

int hill__idx_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    *out = NULL;
    hill__array array = {.name = bytes->name, .big = true, .limits = reading->limits, .lasting = reading->lasting, .header = 4};
    const unsigned char *p = bytes->data;
    if (!hill__idx_is(bytes))
        return hill__fail(error, HILL_EDATA, "%s: is no IDX file", bytes->name);
    (void)idx_type(p[2], &array);
    array.axes = p[3];
    size_t header = 4 + 4 * array.axes;
    if (bytes->length < header)
        return hill__fail(error, HILL_EDATA, "%s: is cut off within its header, at byte %zu", bytes->name, bytes->length);
    for (size_t i = 0; i < array.axes && i < HILL__ARRAY_AXES; i++)
        array.shape[i] = hill__bytes_big_u32(p + 4 + 4 * i);
    array.start = header;
    array.data = p + header;
    HILL__TRY(hill__array_check(&array, bytes->length - header, error));
    hill_table *table = hill__table_new(bytes->name, "idx", &reading->allocator);
    if (!table)
        return hill__fail_memory(error);
    int status = hill__array_fill(&array, array.axes == 1 ? "label" : NULL, table, error);
    if (status < 0)
        hill_table_free(table);
    else
        *out = table;
    return status;
}
