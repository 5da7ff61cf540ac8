/*
 * fpenv.h - is the floating-point environment the one that every result assumes?
 */
#ifndef HILL_BASE_FPENV_H
#define HILL_BASE_FPENV_H

#include <stdbool.h>

/* True while this thread rounds to nearest and keeps denormal numbers. A few cycles. */
bool hill__fp_is_default(void);

#endif
