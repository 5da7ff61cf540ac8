/*
 * page.h - the page as it was built (page/build.mjs makes page.c of it); docs/page.md says what it wants to be told.
 *
 * Only where HILL_PAGE is defined: without Node there is no page.
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <stddef.h>

#ifdef HILL_PAGE

/* The HTML, page_html_length bytes with no NUL behind them. A report's documents go behind the first `id="report">`. */
extern const unsigned char page_html[];
extern const size_t page_html_length;

/* The value of the header Content-Security-Policy that lets in the page's own script and style and nothing else. */
extern const char page_policy[];

#endif

#endif
