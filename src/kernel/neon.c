/*
 * neon.c - the neon row of the kernel table: loops.inc compiled for AArch64, whose every processor has NEON.
 */
#include "base/fp.h"

#include "kernel/kernel.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernel/vec_neon.h"

#include "kernel/loops.inc"

#endif
