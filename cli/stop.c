/*
 * stop.c - the wish to end: Ctrl-C and SIGTERM, noted between two steps.
 *
 * A signal that was ignored from the start (nohup, a job of a shell script) stays ignored.
 */
#define _POSIX_C_SOURCE 200809L

#include "stop.h"

#include <stddef.h>

volatile sig_atomic_t stop_signal;

static void note_signal(int number)
{
    stop_signal = number;
}

void stop_listen(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old, action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
        (void)sigemptyset(&action.sa_mask);
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
}
