/*
 * scalar.c - the reference row of the kernel table: loops.inc on vectors of one float.
 */
#include "base/fp.h"

#include "kernel/kernel.h"

#include "kernel/vec_scalar.h"

#include "kernel/loops.inc"
