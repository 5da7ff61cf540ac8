/*
 * factors.h - the text of what layers multiply the rate with: "1:0.1, 3-4:0, last:2".
 */
#ifndef HILL_PLAN_FACTORS_H
#define HILL_PLAN_FACTORS_H

#include <stddef.h>

#include "base/status.h"

/* HILL_ERECIPE: says what isn't understood, or, where `layers` isn't 0, which layer of so many there isn't. */
int hill__factors_check(const char *text, size_t layers, hill_error *error);

/* The factor of a layer, from 1, of so many: that of the last item which names it, else 1. The text was accepted. */
double hill__factor_of(const char *text, size_t layer, size_t layers);

#endif
