/*
 * live.h - a descent that is watched: what the trainer lends the server's thread, and what the page asks of the trainer.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

struct training;
typedef struct live live;

/* With --view: whether a page can be served at all. Returns 0 or an exit code after saying what is wrong. */
int live_check(const struct training *t);

/* With --view: begins to serve, and says where. Returns 0 or an exit code after saying why it can't. */
int live_open(struct training *t);

/* Between two steps, where stop_notice is set: does what the page asked for, and waits here while it is paused. */
void live_attend(struct training *t);

/* The descent has ended and why; `message` is what else there is to say, or "". */
void live_ended(struct training *t, const char *stopped, const char *message);

/* Goes on serving until a signal comes; returns `code`. */
int live_stay(struct training *t, int code);

void live_close(struct training *t);

#endif
