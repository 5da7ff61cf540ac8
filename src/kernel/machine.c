/*
 * machine.c - what this machine offers, for people and for proofs.
 */
#include "base/fp.h"

#include "downhill.h"

#include <string.h>

#include "base/threads.h"
#include "kernel/kernel.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* The brand string: leaves 0x80000002 to 0x80000004 hold 16 characters each. */
static void name_cpu(char *name)
{
    unsigned parts[12], highest, unused[3];
    if (!__get_cpuid(0x80000000u, &highest, &unused[0], &unused[1], &unused[2]) || highest < 0x80000004u)
        return;
    for (unsigned leaf = 0; leaf < 3; leaf++)
        __get_cpuid(0x80000002u + leaf, &parts[4 * leaf], &parts[4 * leaf + 1], &parts[4 * leaf + 2], &parts[4 * leaf + 3]);
    memcpy(name, parts, sizeof parts);
    name[sizeof parts] = '\0';
    for (size_t length = strlen(name); length > 0 && name[length - 1] == ' ';)
        name[--length] = '\0';
}
#else
static void name_cpu(char *name)
{
    memcpy(name, "unknown", sizeof "unknown");
}
#endif

int hill_machine_info(hill_machine *machine)
{
    const hill__kernels *kernels;
    machine->cores = hill__core_count();
    machine->isa_count = 0;
    while (machine->isa_count < sizeof machine->isas / sizeof *machine->isas &&
           (kernels = hill__kernels_at(machine->isa_count)) != NULL)
        machine->isas[machine->isa_count++] = kernels->name;
    machine->isa = machine->isas[0];
    machine->cpu[0] = '\0';
    name_cpu(machine->cpu);
    return HILL_OK;
}
