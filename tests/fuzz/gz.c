/*
 * gz.c - gzip around every format, gzip included. The first byte says how to read; where its highest bit is set, what follows
 * is packed here, so that what lies behind the checksum is reached too.
 */
#include "fuzz.h"

#include "reader_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    unsigned how = *data++;
    size--;
    bytes_buffer content = {.length = 0}, made;
    if (how & 0x80) {
        if (size > sizeof content.data - 64)
            return 0;
        put(&content, data, size);
        made = make_gzip(&content);
        data = made.data;
        size = made.length;
    }
    if (!hill__bytes_are_gzip(data, size))
        return 0;
    fuzz_read(data, size, how, FUZZ_MEMORY);
    return 0;
}
