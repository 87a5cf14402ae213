/* Reading detections in the common schema (docs: JSON Lines), from a file that nobody vouches for. */
#ifndef APP_DETECTIONS_FILE_H
#define APP_DETECTIONS_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "json_line.h"
#include "vedette/app/track.h"
#include "vedette/error.h"

typedef struct cli_detections_file {
    const char *path;
    FILE *stream;
    int64_t line; /* of the file, from 1 */
    char *text;   /* of the line */
    size_t text_room;
    char **names; /* of classes, as far as they were read; NULL where there is none */
    int name_count;
    vd_labels *labels; /* made of them anew when one is added */

    /* of the line read last */
    cli_frame_line of; /* labels and texts are borrowed from this file */
    bool has_frame, has_time;
    char source[4096], model[256];
    vd_detection detections[VD_TRACK_DETECTIONS];
} cli_detections_file;

/* VD_OK, VD_ENOTFOUND or VD_EIO. `-` is stdin. */
int cli_detections_open(const char *path, cli_detections_file *file, vd_error *error);
void cli_detections_close(cli_detections_file *file);

/* Reads the next line that is not empty; keys that are not known are passed over, as are detections whose
 * numbers are none (NaN, Infinity) or beyond all pictures.
 *
 * VD_OK, VD_EEND, VD_EFORMAT (error->place is file and line, the sentence says what would be right), VD_EIO
 * or VD_ENOMEM. */
int cli_detections_read(cli_detections_file *file, vd_error *error);

#endif
