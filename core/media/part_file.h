/* A file that grows and is called `PATH.part` until it is worth its name. Owned by the thread that writes. */
#ifndef VD_MEDIA_PART_FILE_H
#define VD_MEDIA_PART_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/error.h"

typedef struct vd_part_file {
    char *path, *part_path;
    int descriptor;    /* -1 when it is not open */
    bool named;        /* it has its own name */
    int failed_errno;  /* of the first write that failed; 0 so far */
    int64_t size;      /* bytes written */
    int64_t good_size; /* of them worth keeping after a failure */
} vd_part_file;

/* Creates `PATH.part` and the folders above it. Refuses where a file of either name exists.
 * VD_OK, VD_ENOMEM or VD_EIO; vd_part_file_close in any case. */
int vd_part_file_create(vd_part_file *file, const char *path, vd_error *error);

/* Writes all of it: 0, or an errno, which stays in failed_errno. */
int vd_part_file_write(vd_part_file *file, const uint8_t *bytes, int count);

/* What was written so far is good: starts its way to the disk, and gives the file its name if it has none
 * yet, unless somebody else has taken that. 0 or an errno. */
int vd_part_file_settle(vd_part_file *file);

/* Closes. Unless `whole`, the file is cut to its good part, or removed when it has no name yet. 0 or an
 * errno. */
int vd_part_file_close(vd_part_file *file, bool whole);

#endif
