/*
 * cpu.c - which rows of the kernel table run on this machine, and which is best.
 */
#include "base/fp.h"

#include "kernel/kernel.h"

#include <string.h>

static bool runs_here(const hill__kernels *kernels)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (kernels == &hill__kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
    if (kernels == &hill__kernels_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(__aarch64__)
    if (kernels == &hill__kernels_neon)
        return true;
#endif
    return kernels == &hill__kernels_scalar;
}

/* Best first. */
static const hill__kernels *const kernel_rows[] = {
#if defined(__x86_64__) || defined(__i386__)
    &hill__kernels_avx512,
    &hill__kernels_avx2,
#elif defined(__aarch64__)
    &hill__kernels_neon,
#endif
    &hill__kernels_scalar,
};

const hill__kernels *hill__kernels_at(size_t i)
{
    for (size_t row = 0; row < sizeof kernel_rows / sizeof *kernel_rows; row++)
        if (runs_here(kernel_rows[row]) && i-- == 0)
            return kernel_rows[row];
    return NULL;
}

const hill__kernels *hill__kernels_find(const char *name)
{
    if (!name || strcmp(name, "best") == 0)
        return hill__kernels_at(0);
    const hill__kernels *kernels;
    for (size_t i = 0; (kernels = hill__kernels_at(i)) != NULL; i++)
        if (strcmp(kernels->name, name) == 0)
            return kernels;
    return NULL;
}
