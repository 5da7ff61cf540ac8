/*
 * hub.h - what a page is told as it comes: the lines of each log, and where the descent stands.
 *
 * Writers (a trainer, or who follows a file) never wait for readers: every line is kept once, and each reader has its own place.
 */
#ifndef CLI_HUB_H
#define CLI_HUB_H

#include "text.h"

typedef struct hub hub;

/* How far one reader is. Begin with HUB_PLACE_INIT and the log's number. */
typedef struct hub_place {
    size_t log;
    size_t line;    /* the next one to be told, from 0 */
    uint64_t cuts;  /* how many were told */
    uint64_t state; /* which one was told last */
    bool ended;     /* that the log has ended was told */
} hub_place;
#define HUB_PLACE_INIT    \
    {                     \
        0, 0, 0, 0, false \
    }

/* For so many logs; NULL where there is no memory. */
hub *hub_new(size_t logs);
void hub_free(hub *h);
size_t hub_logs(const hub *h);

/* A line more, without its newline. One that begins with {"stopped" ends the log. What there is no memory for is left out. */
void hub_line(hub *h, size_t log, const char *line, size_t length);

/* The log's bytes as they are now: whole lines are kept, and where older ones aren't in it any more readers are told. */
void hub_follow(hub *h, size_t log, const char *bytes, size_t length);

/* Appends the first line (`which` 0) or the last one with {"step" to `out`; whether the log has ended. */
typedef enum hub_which { HUB_FIRST, HUB_LAST_STEP, HUB_LAST } hub_which;
bool hub_show(hub *h, size_t log, hub_which which, text *out);

/* Where a descent stands: the document state. What isn't known is NaN, or NULL; steps and epochs are whole. */
typedef struct hub_standing {
    const char *state; /* "running", "paused", "ended" */
    double step, epoch, epochs;
    double cost, train_cost, valid_cost; /* of the last step; of the last epoch */
    double rate;
    bool own_rate;
    double steps_per_second;
    const char *saved, *stopped, *message;
} hub_standing;

/* That is so from now on; told where it differs from what was so before. */
void hub_set_state(hub *h, const hub_standing *standing);
void hub_state(hub *h, text *out);

/*
 * A reader's place behind the first `lines` lines, or at the beginning where there are fewer. Of a log that was ever cut nobody knows
 * which lines the reader had: it is told so, and all lines again.
 */
hub_place hub_behind(hub *h, size_t log, uint64_t lines);

/* Appends server-sent events that the reader hasn't had, about `most` bytes of them; nothing where there are none. */
void hub_take(hub *h, hub_place *place, size_t most, text *out);

/* Whether hub_take would append something. */
bool hub_has(hub *h, const hub_place *place);

#endif
