/*
 * stop.c - signals during a descent, noted between two steps.
 *
 * A signal that was ignored from the start (nohup, a job of a shell script) stays ignored.
 */
#define _POSIX_C_SOURCE 200809L

#include "stop.h"

#include <stddef.h>

atomic_int stop_notice;
volatile sig_atomic_t stop_signal;
volatile sig_atomic_t stop_save;
volatile sig_atomic_t stop_continued;
volatile sig_atomic_t stop_hangup;

static void note_end(int number)
{
    /* The second one, whichever of the two, finds no handler. */
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    stop_signal = number;
    atomic_store(&stop_notice, 1);
}

static void note_save(int number)
{
    (void)number;
    stop_save = 1;
    atomic_store(&stop_notice, 1);
}

static void note_hangup(int number)
{
    (void)number;
    stop_hangup = 1;
}

static void note_continue(int number)
{
    (void)number;
    stop_continued = 1;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction old, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        (void)sigaction(number, &action, NULL);
}

void stop_endure(void)
{
    handle(SIGHUP, note_hangup);
    handle(SIGUSR1, note_save);
}

void stop_listen(void)
{
    handle(SIGINT, note_end);
    handle(SIGTERM, note_end);
    handle(SIGCONT, note_continue);
}
