/*
 * http.h - libmicrohttpd, opened when a page is to be served and not before.
 *
 * Linked, it would bring a dozen libraries into every call of the command and more than double the time to its first line; and a
 * command copied to where it isn't installed wouldn't begin at all.
 */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#ifdef HILL_VIEW
#include <sys/types.h>

#include <microhttpd.h>

#define HTTP_CALLS(X)                \
    X(start_daemon)                  \
    X(stop_daemon)                   \
    X(get_fdset2)                    \
    X(run_from_select)               \
    X(get_timeout)                   \
    X(queue_response)                \
    X(create_response_from_buffer)   \
    X(create_response_from_callback) \
    X(destroy_response)              \
    X(add_response_header)           \
    X(lookup_connection_value)       \
    X(get_connection_values)         \
    X(get_connection_info)           \
    X(suspend_connection)            \
    X(resume_connection)

typedef struct http_calls {
#define HTTP_MEMBER(name) __typeof__(MHD_##name) *name;
    HTTP_CALLS(HTTP_MEMBER)
#undef HTTP_MEMBER
} http_calls;

/* The library's functions; NULL, after saying so, where it can't be opened. */
const http_calls *http_open(void);
#endif

#endif
