/*
 * work.c - the multipliers' peak: what a run's threads and kernels do when nothing else is to be done.
 */
#include "base/fp.h"

#include "train/run.h"

typedef struct work_job {
    const hill__kernels *kernels;
    uint64_t rounds;
    double operations; /* of one thread */
} work_job;

static void work_part(void *context, unsigned part, unsigned parts)
{
    work_job *job = context;
    float out[HILL__LANES];
    double operations = job->kernels->work(job->rounds, out);
    (void)parts;
    if (part == 0)
        job->operations = operations;
}

double hill_run_work(hill_run *run, uint64_t rounds)
{
    work_job job = {run->kernels, rounds, 0};
    unsigned threads = hill__pool_size(run->pool);
    hill__pool_run(run->pool, threads, work_part, &job);
    return job.operations * threads;
}
