/*
 * serve.h - gives the page and its documents to browsers on this machine, from a thread of its own.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "hub.h"
#include "scene.h"

/* What a page can ask for; SERVE_TELL is for the state to be of now. */
typedef enum serve_order { SERVE_PAUSE, SERVE_GO, SERVE_STEP, SERVE_SAVE, SERVE_STOP, SERVE_RATE, SERVE_TELL } serve_order;

/* Where what is served comes from. All of it stays the caller's and outlives the server, whose thread calls the functions. */
typedef struct serve_source {
    hub *hub;
    scene *scene;
    void *self;
    int (*control)(void *self, serve_order order, double rate); /* an HTTP status; NULL: there is nothing to control */
    void (*watch)(void *self);                                  /* ten times a second while somebody watches; or NULL */
    bool modest;                                                /* the thread gives way to every other one */
} serve_source;

typedef struct server server;

/* Whether this build and machine can serve at all, and --port (or NULL) is a port: 0 or an exit code after saying what is wrong. */
int serve_check(const char *port);

/* Begins to serve on 127.0.0.1. Returns 0 or an exit code after saying why not. */
int serve_open(const serve_source *source, const char *port, server **out);

/* What to open in a browser: "http://127.0.0.1:PORT/?token=...". */
const char *serve_address(const server *s);

/* Gives readers half a second to take what is left for them, then ends. */
void serve_close(server *s);

#endif
