/*
 * idx.c - the arrays of MNIST and the like. The first byte says how to read.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || !hill__idx_is(&(hill_bytes){data + 1, size - 1, NULL}))
        return 0;
    fuzz_read(data + 1, size - 1, data[0], FUZZ_JUSTIFIED(size));
    return 0;
}
