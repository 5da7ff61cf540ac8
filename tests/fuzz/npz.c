/*
 * npz.c - archives of NumPy's arrays. The first byte says how to read; where its highest bit is set, what follows is no archive
 * but the members of one that is made here, so that what lies behind the checksums is reached too.
 */
#include "fuzz.h"

#include "reader_files.h"

/* Room for names, headers and the end of an archive beside its contents. */
#define AROUND 600u

/* Two members: the second one begins behind as many bytes as the first two say. */
static bytes_buffer wrap(const uint8_t *data, size_t size, npz_style style)
{
    static const char *const names[] = {"x_train.npy", "y_train.npy"};
    bytes_buffer contents[2] = {{.length = 0}, {.length = 0}};
    size_t first = (size_t)data[0] << 8 | data[1];
    data += 2;
    size -= 2;
    first = first < size ? first : size;
    put(&contents[0], data, first);
    put(&contents[1], data + first, size - first);
    return make_npz(names, contents, size > first ? 2 : 1, style);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes_buffer made;
    if (size < 3)
        return 0;
    unsigned how = *data++;
    size--;
    if (how & 0x80) {
        if (size > sizeof made.data - AROUND)
            return 0;
        made = wrap(data, size, (npz_style){how & 0x40 ? 8 : 0, how & 0x20});
        data = made.data;
        size = made.length;
    }
    if (!hill__zip_is(&(hill_bytes){data, size, NULL}))
        return 0;
    fuzz_read(data, size, how, FUZZ_MEMORY);
    return 0;
}
