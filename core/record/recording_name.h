/* Where recordings go and what they are called. */
#ifndef VD_RECORD_RECORDING_NAME_H
#define VD_RECORD_RECORDING_NAME_H

#include <stddef.h>

/* The folder for recordings: `folder` when it is set, else $XDG_VIDEOS_DIR/Vedette (from the environment or
 * user-dirs.dirs), else ~/Videos/Vedette. */
void vd_recording_folder(const char *folder, char *out, size_t size);

/* `FOLDER/NAME 2026-11-21 08-15-30.mp4`, with a number behind it where that exists already. `camera` is
 * masked and cleaned of what file names cannot hold; NULL or empty: `camera`. */
void vd_recording_path(const char *folder, const char *camera, char *out, size_t size);

#endif
