/*
 * machine.c - what this machine offers, for people and for proofs.
 */
#include "base/fp.h"

#include "downhill.h"

#include <string.h>

#include "base/status.h"
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

typedef struct machine_work {
    const hill__kernels *kernels;
    uint64_t rounds;
    double operations;
} machine_work;

static void machine_part(void *context, unsigned part, unsigned parts)
{
    machine_work *job = context;
    float out[16];
    double operations = job->kernels->work(job->rounds, out);
    if (part == 0)
        job->operations = operations * parts;
}

int hill_machine_work(const hill_host *host, uint64_t rounds, double *operations)
{
    machine_work job = {hill__kernels_find(host ? host->isa : NULL), rounds, 0};
    hill_allocator allocator = hill__allocator(host);
    hill__pool *pool;
    if (!job.kernels)
        return HILL_EISA;
    HILL__TRY(hill__pool_new(host ? host->threads : 1, &allocator, &pool));
    hill__pool_run(pool, hill__pool_size(pool), machine_part, &job);
    hill__pool_free(pool);
    *operations = job.operations;
    return HILL_OK;
}
