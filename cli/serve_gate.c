/*
 * serve_gate.c - which requests are let in.
 *
 * Invariant: nothing is answered before all of this was looked at: pages of others in the same browser can send requests here, under
 * any name that they make point to this machine, but neither choose Host and Origin freely nor know the token.
 */
#include "serve_parts.h"

#ifdef HILL_VIEW
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct gate_heads {
    size_t bytes;
    unsigned hosts, origins, lengths, codings;
    const char *host, *origin, *length, *token;
} gate_heads;

static enum MHD_Result gate_see(void *self, enum MHD_ValueKind kind, const char *key, const char *value)
{
    gate_heads *h = self;
    h->bytes += strlen(key) + (value ? strlen(value) : 0) + 4;
    if (kind != MHD_HEADER_KIND)
        return MHD_YES;
    if (strcasecmp(key, "Host") == 0) {
        h->hosts++;
        h->host = value;
    } else if (strcasecmp(key, "Origin") == 0) {
        h->origins++;
        h->origin = value;
    } else if (strcasecmp(key, "Content-Length") == 0) {
        h->lengths++;
        h->length = value;
    } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
        h->codings++;
    } else if (strcasecmp(key, "X-Downhill-Token") == 0) {
        h->token = value;
    }
    return MHD_YES;
}

/* "127.0.0.1:PORT" or "localhost:PORT". */
static bool gate_is_here(const server *s, const char *host)
{
    char here[32];
    (void)snprintf(here, sizeof here, "127.0.0.1:%u", s->port);
    if (host && strcmp(host, here) == 0)
        return true;
    (void)snprintf(here, sizeof here, "localhost:%u", s->port);
    return host && strcasecmp(host, here) == 0;
}

static bool gate_is_own(const server *s, const char *origin)
{
    static const char scheme[] = "http://";
    return origin && strncmp(origin, scheme, sizeof scheme - 1) == 0 && gate_is_here(s, origin + sizeof scheme - 1);
}

/* Looks at every byte whatever the first ones are, so that its time tells nothing of them. */
static bool gate_knows(const server *s, const char *token)
{
    unsigned char difference = 0;
    if (!token || strlen(token) != SERVE_TOKEN)
        return false;
    for (size_t i = 0; i < SERVE_TOKEN; i++)
        difference |= (unsigned char)(token[i] ^ s->token[i]);
    return difference == 0;
}

/* What a POST says of its body. */
static int gate_body(const gate_heads *h, const char **why)
{
    char *end = NULL;
    *why = "a body needs its length";
    if (h->lengths != 1 || h->codings || !h->length || h->length[0] < '0' || h->length[0] > '9')
        return 411;
    unsigned long length = strtoul(h->length, &end, 10);
    *why = "a body has at most 1,024 bytes";
    return *end || length > SERVE_BODY ? 413 : 0;
}

int serve_gate(serve_client *c, const char *method, const char *url, const char **why)
{
    const server *s = c->server;
    gate_heads h = {0};
    (void)s->http->get_connection_values(c->connection, MHD_HEADER_KIND, gate_see, &h);
    (void)s->http->get_connection_values(c->connection, MHD_GET_ARGUMENT_KIND, gate_see, &h);
    bool post = strcmp(method, "POST") == 0;
    *why = "headers have at most 8,192 bytes";
    if (h.bytes + strlen(url) > SERVE_HEADERS)
        return 431;
    *why = "this address isn't served here";
    if (h.hosts != 1 || !gate_is_here(s, h.host) || h.origins > 1 || (h.origins == 1 && !gate_is_own(s, h.origin)))
        return 403;
    *why = "the token is missing or wrong: open the address that downhill printed";
    if (!gate_knows(s, post ? h.token : s->http->lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, "token")))
        return 403;
    *why = "only GET, and POST to /api/control";
    if (post != (strcmp(url, "/api/control") == 0) || (!post && strcmp(method, "GET") != 0))
        return 405;
    if (post)
        return gate_body(&h, why);
    *why = "a GET has no body";
    return h.lengths || h.codings ? 400 : 0;
}
#endif
