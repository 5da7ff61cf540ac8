/*
 * fp.h - the floating-point contract of the whole library; every .c file includes it first.
 *
 * The same bits everywhere need a compiler that does what is written: no contraction of a * b + c (fused multiply-adds are
 * asked for by name), no fast-math, no excess precision. gcc 12 contracts even separate intrinsics in its default mode and
 * clang 14 contracts in C11 mode; one pragma each stops them at every optimisation level.
 */
#ifndef HILL_BASE_FP_H
#define HILL_BASE_FP_H

#if defined(__FAST_MATH__)
#error "Downhill must not be built with -ffast-math: its promise is the same bits everywhere"
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include <float.h>

/* 16 is 0 and a word on half floats: gcc says so where the processor computes with those. */
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "Downhill needs float arithmetic in float (FLT_EVAL_METHOD 0); on 32-bit x86 build with -msse2 -mfpmath=sse"
#endif

#endif
