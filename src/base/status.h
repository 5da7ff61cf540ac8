/*
 * status.h - how functions inside the library fail: a status code returned, words in the caller's hill_error.
 */
#ifndef HILL_BASE_STATUS_H
#define HILL_BASE_STATUS_H

#include "downhill.h"

#if defined(__GNUC__)
#define HILL__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define HILL__PRINTF(text, first)
#endif

/* Fills *error (which may be NULL) and returns `status`. The format must not print floating-point numbers: locale. */
int hill__fail(hill_error *error, int status, const char *format, ...) HILL__PRINTF(3, 4);

/* hill__fail(HILL_EMEMORY) with the one text for it. */
int hill__fail_memory(hill_error *error);

/* Forwards a failure: `int status = call; if (status < 0) return status;` */
#define HILL__TRY(call)                \
    do {                               \
        int hill__try_status = (call); \
        if (hill__try_status < 0)      \
            return hill__try_status;   \
    } while (0)

#endif
