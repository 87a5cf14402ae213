/* Class names: the `names` entry of an exporter's metadata, or a text file with a name a line. */
#ifndef VD_MODEL_NAMES_H
#define VD_MODEL_NAMES_H

#include <stddef.h>

#include "vedette/error.h"

enum { VD_MAX_CLASSES = 1024 };

typedef struct vd_names {
    char **items; /* NULL where a class has no name */
    int count;
} vd_names;

/* Reads a Python dictionary or list as Ultralytics writes it: {0: 'person', 1: "driver's cab"}, ['person',
 * 'car']. Escapes are those of Python's strings. Keys may come in any order; one without a name leaves a gap.
 * VD_OK, VD_EFORMAT (what follows the grammar no longer, or more than VD_MAX_CLASSES) or VD_ENOMEM. Any
 * thread. */
int vd_names_parse(const char *text, vd_names *ret_names);

/* Reads a text file, one name a line; a byte order mark, carriage returns and empty lines at the end are
 * dropped. VD_OK, VD_ENOTFOUND, VD_EIO, VD_EFORMAT or VD_ENOMEM. Any thread. */
int vd_names_read_file(const char *path, vd_names *ret_names, vd_error *error);

/* Accepts zeroed names and zeroes them. */
void vd_names_free(vd_names *names);

#endif
