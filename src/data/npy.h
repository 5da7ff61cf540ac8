/*
 * npy.h - one array in NumPy's own format, alone in a file or as a member of an NPZ.
 */
#ifndef HILL_DATA_NPY_H
#define HILL_DATA_NPY_H

#include "data/array.h"

/* Reads header and shape; array->data points into the bytes. HILL_EDATA: it is no NPY, or of a type without numbers. */
int hill__npy_parse(const hill_bytes *bytes, const hill_limits *limits, hill__array *array, hill_error *error);

#endif
