/*
 * serve_stream.c - tells readers what comes, as server-sent events.
 *
 * Invariant: a reader takes when it can; nothing waits for one, and one that takes nothing for ten seconds is dropped. What is told is
 * kept once, in the hub: a reader costs a block of events, however far behind it is.
 */
#define _POSIX_C_SOURCE 200809L

#include "serve_parts.h"

#ifdef HILL_VIEW
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STREAM_BLOCK 16384

static void stream_sleep(serve_stream *st)
{
    st->asleep = true;
    st->client->server->http->suspend_connection(st->client->connection);
}

static void stream_wake(serve_stream *st)
{
    if (!st->asleep)
        return;
    st->asleep = false;
    st->client->since = progress_clock();
    st->client->server->http->resume_connection(st->client->connection);
}

/* The connection can take `most` bytes: gives it events, or lets it sleep. */
static ssize_t stream_read(void *self, uint64_t position, char *bytes, size_t most)
{
    serve_stream *st = self;
    (void)position;
    st->client->since = progress_clock();
    if (st->over)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (st->sent == st->waiting.length) {
        st->sent = 0;
        text_clear(&st->waiting);
        hub_take(st->client->server->source.hub, &st->place, STREAM_BLOCK, &st->waiting);
        if (st->waiting.failed)
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t count = st->waiting.length - st->sent;
    if (count == 0) {
        stream_sleep(st);
        return 0;
    }
    count = count < most ? count : most;
    memcpy(bytes, st->waiting.data + st->sent, count);
    st->sent += count;
    return (ssize_t)count;
}

static void stream_free(void *self)
{
    serve_stream *st = self;
    st->client->stream = NULL;
    text_free(&st->waiting);
    free(st);
}

/* A sleeping connection isn't looked at by the library, so who has gone away is seen here: readers send nothing. */
static bool stream_gone(const serve_client *c)
{
    char byte;
    ssize_t count = recv(c->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void serve_drop(serve_client *c)
{
    (void)shutdown(c->descriptor, SHUT_RDWR);
    if (!c->stream)
        return;
    c->stream->over = true;
    stream_wake(c->stream);
}

void serve_tend(serve_client *c, double now)
{
    serve_stream *st = c->stream;
    if (!st)
        return;
    if (!st->asleep && now - c->since > SERVE_PATIENCE)
        serve_drop(c);
    else if (st->asleep && stream_gone(c))
        serve_drop(c);
    else if (st->asleep && hub_has(c->server->source.hub, &st->place))
        stream_wake(st);
}

enum MHD_Result serve_events(serve_client *c)
{
    const http_calls *http = c->server->http;
    hub *told = c->server->source.hub;
    uint64_t log, behind;
    if (!serve_number(http->lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "run"), &log) ||
        log >= hub_logs(told))
        return serve_refuse(c, 404, "there is no such run");
    /* Whatever else an id is, it is none of ours. */
    if (!serve_number(http->lookup_connection_value(c->connection, MHD_HEADER_KIND, "Last-Event-ID"), &behind))
        behind = 0;
    serve_stream *st = calloc(1, sizeof *st);
    if (!st)
        return MHD_NO;
    *st = (serve_stream){.client = c, .place = hub_behind(told, (size_t)log, behind), .waiting = TEXT_INIT};
    struct MHD_Response *response =
        http->create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, st, stream_free);
    if (!response) {
        free(st);
        return MHD_NO;
    }
    c->stream = st;
    if (http->add_response_header(response, "Content-Type", "text/event-stream") == MHD_NO) {
        http->destroy_response(response);
        return MHD_NO;
    }
    enum MHD_Result result = serve_send(c, 200, response);
    if (result == MHD_YES)
        c->phase = SERVE_STREAMING;
    return result;
}
#endif
