/*
 * angle.h - angles too large for floats to reduce: exact integer arithmetic over the bits of 2 / pi.
 */
#ifndef HILL_KERNEL_ANGLE_H
#define HILL_KERNEL_ANGLE_H

#include <stdint.h>

/* x = n pi / 2 + r with |r| <= pi / 4, for finite x >= 1: returns r, correctly rounded or next to it; *quarters gets n mod 4. */
float hill__reduce_angle(float x, int32_t *quarters);

#endif
