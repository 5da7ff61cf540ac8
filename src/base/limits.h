/*
 * limits.h - what a file may ask of its reader: the host's limits, and the defaults of those it leaves at 0.
 */
#ifndef HILL_BASE_LIMITS_H
#define HILL_BASE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "downhill.h"

/* Defaults. The knob table writes them out as text, so they are bare numbers. */
#define HILL__LIMIT_line 67108864
#define HILL__LIMIT_columns 65536
#define HILL__LIMIT_header 16777216
#define HILL__LIMIT_ratio 200

/* One limit as it holds. */
#define HILL__LIMIT(limits, name) ((limits).name ? (limits).name : (uint64_t)HILL__LIMIT_##name)

/* The host's limits; all 0 where there is no host, or one of a header that didn't know them. */
static inline hill_limits hill__limits(const hill_host *host)
{
    bool known = host && host->size >= offsetof(hill_host, limits) + sizeof(hill_limits);
    return known ? host->limits : (hill_limits)HILL_LIMITS_INIT;
}

#endif
