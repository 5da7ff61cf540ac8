/*
 * serve.c - gives the page and its documents to browsers on this machine, from a thread of its own.
 *
 * Invariant: everything about connections happens in that one thread. It waits for no client: who is slow to ask, to take an answer
 * or to take events is dropped.
 */
#define _DEFAULT_SOURCE

#include "serve_parts.h"

#include "output.h"
#include "page.h"

#include <stdlib.h>

#ifdef HILL_VIEW
#include "progress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAREWELL 0.5         /* seconds */
#define SEND_BUFFER 65536    /* bytes the system keeps for a client that doesn't take them */
#define REQUEST_MEMORY 32768 /* of the library, for what it parses */

static enum MHD_Result serve_accept(void *self, const struct sockaddr *address, socklen_t length)
{
    const server *s = self;
    (void)address;
    (void)length;
    for (size_t i = 0; i < SERVE_CLIENTS; i++)
        if (s->clients[i].phase == SERVE_FREE)
            return MHD_YES;
    return MHD_NO;
}

static void serve_arrive(serve_client *c)
{
    c->phase = SERVE_ARRIVING;
    c->since = progress_clock();
    c->length = 0;
    c->read = false;
}

/* A connection begins or ends. */
static void serve_connection(void *self, struct MHD_Connection *connection, void **place,
                             enum MHD_ConnectionNotificationCode what)
{
    server *s = self;
    serve_client *c = *place;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (c)
            *c = (serve_client){.phase = SERVE_FREE};
        return;
    }
    for (size_t i = 0; i < SERVE_CLIENTS && !c; i++)
        if (s->clients[i].phase == SERVE_FREE)
            c = &s->clients[i];
    if (!c)
        return;
    const union MHD_ConnectionInfo *info = s->http->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *c = (serve_client){.server = s, .connection = connection, .descriptor = info ? info->connect_fd : -1};
    serve_arrive(c);
    *place = c;
}

static void serve_completed(void *self, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
    serve_client *c = *state;
    (void)self;
    (void)connection;
    (void)how;
    if (c)
        serve_arrive(c);
    *state = NULL;
}

/* The head of a request has come, then parts of its body, then its end (*size 0). */
static enum MHD_Result serve_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                     const char *version, const char *bytes, size_t *size, void **state)
{
    server *s = self;
    const union MHD_ConnectionInfo *info = s->http->get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    serve_client *c = info ? info->socket_context : NULL;
    (void)version;
    if (!c)
        return MHD_NO;
    if (!c->read) {
        const char *why = NULL;
        int status = serve_gate(c, method, url, &why);
        *state = c;
        c->read = true;
        if (status)
            return serve_refuse(c, status, why);
        /* Answered only when all of it has come, for the library then keeps the connection. */
        return MHD_YES;
    }
    if (*size == 0)
        return strcmp(method, "POST") == 0 ? serve_post(c) : serve_get(c, url);
    if (*size > SERVE_BODY - c->length)
        return MHD_NO;
    memcpy(c->body + c->length, bytes, *size);
    c->length += *size;
    *size = 0;
    return MHD_YES;
}

/* What is due ten times a second. */
static void serve_tick(server *s, double now)
{
    bool watched = false;
    for (size_t i = 0; i < SERVE_CLIENTS; i++)
        watched = watched || s->clients[i].stream;
    if (watched && s->source.watch)
        s->source.watch(s->source.self);
    for (size_t i = 0; i < SERVE_CLIENTS; i++) {
        serve_client *c = &s->clients[i];
        if (c->phase == SERVE_STREAMING)
            serve_tend(c, now);
        else if ((c->phase == SERVE_ARRIVING && now - c->since > SERVE_PATIENCE) ||
                 (c->phase == SERVE_ANSWERING && now - c->since > SERVE_LONG_PATIENCE))
            serve_drop(c);
    }
}

/* Seconds that were spent on one client's document, or on none, are none that the others let pass. */
static void serve_forgive(server *s, double busy, double now)
{
    for (size_t i = 0; i < SERVE_CLIENTS; i++) {
        serve_client *c = &s->clients[i];
        c->since = c->since + busy < now ? c->since + busy : now;
    }
}

/* Waits for requests until the next tick at most, and does what they ask. */
static void serve_turn(server *s, double *tick)
{
    fd_set reading, writing, failing;
    MHD_socket highest = -1;
    unsigned MHD_LONG_LONG most;
    double before = progress_clock(), wait = *tick - before;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_ZERO(&failing);
    (void)s->http->get_fdset2(s->daemon, &reading, &writing, &failing, &highest, FD_SETSIZE);
    if (s->http->get_timeout(s->daemon, &most) == MHD_YES && (double)most / 1000 < wait)
        wait = (double)most / 1000;
    struct timeval time = {0, wait > 0 ? (suseconds_t)(1e6 * wait) : 0};
    if (select(highest + 1, &reading, &writing, &failing, &time) < 0) {
        FD_ZERO(&reading);
        FD_ZERO(&writing);
        FD_ZERO(&failing);
    }
    (void)s->http->run_from_select(s->daemon, &reading, &writing, &failing);
    double now = progress_clock();
    if (now < *tick)
        return;
    if (now - before > 2 * SERVE_TICK)
        serve_forgive(s, now - before, now);
    serve_tick(s, now);
    *tick = now + SERVE_TICK;
}

/* Whether a reader has something left to take. */
static bool serve_has_more(const server *s)
{
    for (size_t i = 0; i < SERVE_CLIENTS; i++) {
        const serve_stream *st = s->clients[i].stream;
        if (st && (!st->asleep || hub_has(s->source.hub, &st->place)))
            return true;
    }
    return false;
}

static void *serve_run(void *self)
{
    server *s = self;
    double tick = progress_clock() + SERVE_TICK;
#ifdef __linux__
    /* Of this thread alone, on this system. Where it can't be had documents take from the descent what they cost. */
    if (s->source.modest)
        (void)setpriority(PRIO_PROCESS, 0, 19);
#endif
    while (!atomic_load(&s->ending))
        serve_turn(s, &tick);
    double end = progress_clock() + FAREWELL;
    while (serve_has_more(s) && progress_clock() < end)
        serve_turn(s, &tick);
    for (size_t i = 0; i < SERVE_CLIENTS; i++)
        if (s->clients[i].stream)
            serve_drop(&s->clients[i]);
    /* Sleeping connections must be awake when the library ends, and one turn wakes them. */
    serve_turn(s, &tick);
    s->http->stop_daemon(s->daemon);
    return NULL;
}

/* The token, of random bits. Returns 0 or an errno. */
static int serve_draw(server *s)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bits[SERVE_TOKEN / 2];
    ssize_t count;
    do {
        count = getrandom(bits, sizeof bits, 0);
    } while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof bits)
        return count < 0 ? errno : EIO;
    for (size_t i = 0; i < sizeof bits; i++) {
        s->token[2 * i] = digits[bits[i] >> 4];
        s->token[2 * i + 1] = digits[bits[i] & 15];
    }
    return 0;
}

/* A socket that listens on this machine alone; -1 and errno. s->port becomes the one that it has. */
static int serve_listen(server *s)
{
    struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof here;
    int on = 1, buffer = SEND_BUFFER, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0)
        return -1;
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) == 0 &&
        bind(descriptor, (struct sockaddr *)&here, sizeof here) == 0 && listen(descriptor, SERVE_CLIENTS) == 0 &&
        getsockname(descriptor, (struct sockaddr *)&here, &length) == 0) {
        s->port = ntohs(here.sin_port);
        return descriptor;
    }
    int problem = errno;
    (void)close(descriptor);
    errno = problem;
    return -1;
}

/* The thread takes no signals: they are the trainer's. Returns 0 or an errno. */
static int serve_begin(server *s)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    int problem = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (problem)
        return problem;
    problem = pthread_create(&s->thread, NULL, serve_run, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return problem;
}

/* 0 or an errno. What was begun is ended again where not all could be. */
static int serve_start(server *s)
{
    int problem = serve_draw(s), descriptor = problem ? -1 : serve_listen(s);
    if (descriptor < 0)
        return problem ? problem : errno;
    text_format(&s->address, "http://127.0.0.1:%u/?token=%s", s->port, s->token);
    if (s->address.failed)
        problem = ENOMEM;
    if (!problem)
        s->daemon = s->http->start_daemon(
            MHD_ALLOW_SUSPEND_RESUME, 0, serve_accept, s, serve_request, s, MHD_OPTION_LISTEN_SOCKET, descriptor,
            MHD_OPTION_NOTIFY_CONNECTION, serve_connection, s, MHD_OPTION_NOTIFY_COMPLETED, serve_completed, s,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!problem && !s->daemon)
        problem = errno ? errno : ENOMEM;
    if (!s->daemon) {
        (void)close(descriptor);
        return problem;
    }
    problem = serve_begin(s);
    if (problem)
        s->http->stop_daemon(s->daemon);
    return problem;
}
#endif

int serve_check(const char *port)
{
    char *end = NULL;
    unsigned long number = port && *port >= '0' && *port <= '9' ? strtoul(port, &end, 10) : 0;
    if (port && (!end || *end || number < 1024 || number > 65535))
        return output_error(CODE_USAGE, "--port %s: must be a whole number from 1024 to 65535", port);
#ifndef HILL_VIEW
    return output_error(CODE_FAILED, "this downhill serves no page: libmicrohttpd was missing when it was built (Debian: "
                                     "libmicrohttpd-dev)");
#elif !defined HILL_PAGE
    return output_error(CODE_FAILED, "this downhill has no page to serve: Node was missing when it was built (Debian: nodejs)");
#else
    return http_open() ? 0 : CODE_FAILED;
#endif
}

#ifdef HILL_VIEW
int serve_open(const serve_source *source, const char *port, server **out)
{
    int code = serve_check(port);
    if (code)
        return code;
    server *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return output_failure(HILL_EMEMORY, NULL);
    s->source = *source;
    s->http = http_open();
    s->port = port ? (unsigned)strtoul(port, NULL, 10) : 0;
    int problem = s->http ? serve_start(s) : ENOSYS;
    if (problem == 0) {
        *out = s;
        return 0;
    }
    code = output_error(CODE_FAILED, "%s%s: the page can't be served: %s", port ? "127.0.0.1:" : "127.0.0.1", port ? port : "",
                        strerror(problem));
    text_free(&s->address);
    free(s);
    return code;
}

const char *serve_address(const server *s)
{
    return text_get(&s->address);
}

void serve_close(server *s)
{
    if (!s)
        return;
    atomic_store(&s->ending, true);
    (void)pthread_join(s->thread, NULL);
    text_free(&s->address);
    free(s);
}
#else
int serve_open(const serve_source *source, const char *port, server **out)
{
    (void)source;
    *out = NULL;
    return serve_check(port);
}

const char *serve_address(const server *s)
{
    (void)s;
    return "";
}

void serve_close(server *s)
{
    (void)s;
}
#endif
