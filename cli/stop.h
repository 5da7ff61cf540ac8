/*
 * stop.h - signals during a descent, noted between two steps.
 */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <signal.h>
#include <stdatomic.h>

/*
 * Not 0 once any of the next two is, or another thread wants something between two steps. Who answers it sets it to 0 first and looks
 * at what was asked then, so that nothing is lost.
 */
extern atomic_int stop_notice;

/* 0, or the signal that asks for the end: SIGINT or SIGTERM. */
extern volatile sig_atomic_t stop_signal;

/* 1: SIGUSR1 asks for a checkpoint. */
extern volatile sig_atomic_t stop_save;

/* 1: SIGCONT came: the process was stopped, and others may have written to the terminal since. */
extern volatile sig_atomic_t stop_continued;

/* 1: the terminal has gone away (SIGHUP). */
extern volatile sig_atomic_t stop_hangup;

/* From now on SIGUSR1 is only noted, and so is a terminal that goes away: it ends nothing by itself. */
void stop_endure(void);

/* From now on the first Ctrl-C or SIGTERM is only noted; a second one ends the program at once. */
void stop_listen(void);

#endif
