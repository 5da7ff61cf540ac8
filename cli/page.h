/*
 * page.h - the page as the build made it: page/build.mjs writes the C file. Without Node there is none, nor HILL_PAGE.
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <stddef.h>

#ifdef HILL_PAGE
extern const unsigned char page_html[];
extern const size_t page_html_length;
extern const char page_policy[]; /* the value of Content-Security-Policy that lets in the page's own script and style alone */
#endif

#endif
