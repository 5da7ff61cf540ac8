/*
 * stub_page.c - a page of a line, until the real one is built.
 */
#include "../../cli/page.h"

#define HTML "<!doctype html><title>Downhill</title>"
const unsigned char page_html[] = HTML;
const size_t page_html_length = sizeof HTML - 1;
const char page_policy[] = "default-src 'none'; frame-ancestors 'none'";
