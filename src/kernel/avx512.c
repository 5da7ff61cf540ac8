/*
 * avx512.c - the avx512 row of the kernel table: loops.inc compiled for it by a target attribute, so that no file needs a flag.
 */
#include "base/fp.h"

#include "kernel/kernel.h"

#if defined(__x86_64__) || defined(__i386__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif

#include "kernel/vec_avx512.h"

#include "kernel/loops.inc"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
