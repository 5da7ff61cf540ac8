/*
 * http.c - libmicrohttpd, opened when a page is to be served and not before.
 */
#include "http.h"

#include "output.h"

#ifdef HILL_VIEW
#include <dlfcn.h>
#include <string.h>

#ifdef __APPLE__
#define HTTP_LIBRARY "libmicrohttpd.12.dylib"
#else
#define HTTP_LIBRARY "libmicrohttpd.so.12"
#endif

const http_calls *http_open(void)
{
    static http_calls all;
    void *library = dlopen(HTTP_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    const char *missing = NULL;
    if (!library) {
        (void)output_error(0, "the page can't be served, for libmicrohttpd is missing: %s", dlerror());
        return NULL;
    }
    void *found;
    /* A pointer to data isn't one to a function in C; POSIX says that their bytes are. */
#define HTTP_FIND(name)                      \
    found = dlsym(library, "MHD_" #name);    \
    memcpy(&all.name, &found, sizeof found); \
    if (!found)                              \
        missing = "MHD_" #name;
    HTTP_CALLS(HTTP_FIND)
#undef HTTP_FIND
    if (missing) {
        (void)output_error(0, "the page can't be served: " HTTP_LIBRARY " has no %s", missing);
        return NULL;
    }
    return &all;
}
#endif
