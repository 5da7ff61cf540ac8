/*
 * serve_parts.h - what the parts of the server share: serve.c runs it, serve_gate.c lets requests in, serve_answer.c answers them,
 * serve_stream.c tells what comes.
 */
#ifndef CLI_SERVE_PARTS_H
#define CLI_SERVE_PARTS_H

#include "http.h"
#include "serve.h"

#ifdef HILL_VIEW
#include <pthread.h>
#include <stdatomic.h>

#define SERVE_CLIENTS 64
#define SERVE_HEADERS 8192 /* bytes */
#define SERVE_BODY 1024
#define SERVE_PATIENCE 10.0      /* seconds for a request to arrive, and for a stream's events to be taken */
#define SERVE_LONG_PATIENCE 60.0 /* for an answer to be taken */
#define SERVE_TICK 0.1           /* between two looks at streams and clocks */
#define SERVE_TOKEN 32           /* hexadecimal digits */

typedef enum serve_phase { SERVE_FREE, SERVE_ARRIVING, SERVE_ANSWERING, SERVE_STREAMING } serve_phase;

/* A reader of events. */
typedef struct serve_stream {
    struct serve_client *client;
    hub_place place;
    text waiting; /* events that it is being sent, from `sent` on */
    size_t sent;
    bool asleep; /* its connection is suspended, for nothing waits */
    bool over;   /* it is to end, and never sleeps again */
} serve_stream;

/* A connection, and the request that it is about. */
typedef struct serve_client {
    struct server *server;
    struct MHD_Connection *connection;
    int descriptor;
    serve_phase phase;
    double since; /* of the phase; of a stream, when it last took something */
    serve_stream *stream;
    char body[SERVE_BODY + 1];
    size_t length;
    bool read; /* the head of the request was let in */
} serve_client;

struct server {
    const http_calls *http;
    serve_source source;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_bool ending;
    unsigned port;
    char token[SERVE_TOKEN + 1];
    text address;
    serve_client clients[SERVE_CLIENTS];
};

/* 0 where a request may be answered, else the HTTP status that refuses it, with *why in words. `url` is its path. */
int serve_gate(serve_client *c, const char *method, const char *url, const char **why);

/* Answers with a document, which is taken; MHD_NO closes the connection. */
enum MHD_Result serve_json(serve_client *c, int status, text *document);
enum MHD_Result serve_refuse(serve_client *c, int status, const char *why);

/* Answers a GET; a POST, whose body has come. */
enum MHD_Result serve_get(serve_client *c, const char *url);
enum MHD_Result serve_post(serve_client *c);

/* A whole number of a query or header, 0 where there is none (NULL); false where it is something else. */
bool serve_number(const char *value, uint64_t *out);

/* Answers with events, until one of both goes away. */
enum MHD_Result serve_events(serve_client *c);

/* Headers that every answer carries, and the answer on its way. `response` may be NULL, and is given back. */
enum MHD_Result serve_send(serve_client *c, int status, struct MHD_Response *response);

/* Looks after a stream: wakes it where something waits, ends it where it is gone or takes nothing. */
void serve_tend(serve_client *c, double now);

/* Ends the connection, however it stands. */
void serve_drop(serve_client *c);
#endif

#endif
