/* One picture to a file, with what is drawn on it. */
#ifndef VEDETTE_APP_STILL_H
#define VEDETTE_APP_STILL_H

#include "vedette/app/draw.h"
#include "vedette/error.h"
#include "vedette/frame.h"

/* Writes a frame as a PNG or JPEG picture (the ending chooses) in its own size; replaces a file of that name.
 *
 * drawing  NULL, or what is drawn on a copy of it
 * Returns VD_OK, VD_EINVAL, VD_EIO or VD_ENOMEM. Any thread. */
int vd_still_write(const char *path, const vd_frame *frame, const vd_drawing *drawing, vd_error *error);

#endif
