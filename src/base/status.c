/*
 * status.c - names and texts of the status codes, and the one way to report a failure.
 */
#include "base/fp.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* Line ends in a message: it has at most three lines, whatever the names in it hold. */
#define STATUS_LINE_ENDS 2u

#define STRING(x) #x
#define EXPANDED(x) STRING(x)
#define VERSION_TEXT EXPANDED(HILL_VERSION_MAJOR) "." EXPANDED(HILL_VERSION_MINOR) "." EXPANDED(HILL_VERSION_PATCH)

const char *hill_status_name(int status)
{
    switch (status) {
#define STATUS_NAME(name, value, text) \
    case (value):                      \
        return "HILL_" #name;
        HILL_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    default:
        return "HILL_?";
    }
}

const char *hill_status_text(int status)
{
    switch (status) {
#define STATUS_TEXT(name, value, text) \
    case (value):                      \
        return text;
        HILL_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    default:
        return "unknown status";
    }
}

const char *hill_version(void)
{
    return VERSION_TEXT;
}

int hill__fail(hill_error *error, int status, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
            error->text[0] = '\0';
        va_end(arguments);
        hill__text_show(error->text, STATUS_LINE_ENDS);
    }
    return status;
}

int hill__fail_memory(hill_error *error)
{
    return hill__fail(error, HILL_EMEMORY, "out of memory");
}
