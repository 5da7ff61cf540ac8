/*
 * help.h - help screens and the manual page, made from the tables of verbs, knobs and words.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "options.h"
#include "text.h"

int help_short(void); /* for a bare `downhill` */
int help_all(void);
int help_verb(const verb *v);
int help_manual(void);

/* The rows of help, for both forms: what a knob may be ("0 to 0.9 or auto") into `out`. */
void help_bounds(const hill_knob *knob, text *out);

/* A knob group's heading. */
const char *help_group(const char *group);

/* The vocabularies with their headings; NULL past the end. */
const char *help_vocabulary(size_t i, hill_vocabulary *vocabulary);

#endif
