/*
 * stop.h - the wish to end: Ctrl-C and SIGTERM, noted between two steps.
 */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <signal.h>

/* 0, or the signal that came. Read it between steps. */
extern volatile sig_atomic_t stop_signal;

/* From now on the first Ctrl-C or SIGTERM is only noted; a second one ends the program at once. */
void stop_listen(void);

#endif
