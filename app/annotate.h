/* Pictures and clips with boxes on them. */
#ifndef APP_ANNOTATE_H
#define APP_ANNOTATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "vedette/app/draw.h"
#include "vedette/app/recorder.h"
#include "vedette/detection.h"
#include "vedette/frame.h"
#include "vedette/source.h"

/* Boxes and labels for a drawing. */
typedef struct cli_boxes {
    vd_draw_box boxes[VD_MAX_DETECTIONS];
    vd_drawing drawing; /* points to `boxes` */
} cli_boxes;

void cli_boxes_fill(cli_boxes *boxes, const vd_labels *labels, const vd_detection *detections, size_t count,
                    int width, int height);

/* A source's name for files: without folder and, of a file, without its ending. */
void cli_source_stem(const vd_source_info *info, char *out, size_t size);

enum { CLI_NAME_BYTES = 160 };

/* Where the annotated sources go. Zeroed to start; everything is the main thread's. */
typedef struct cli_annotator {
    const char *out; /* what the user gave; NULL: nothing is written */
    bool folder;     /* `out` is a folder with one file a source */
    char *const *sources;
    int source_count;
    int quality;
    char (*names)[CLI_NAME_BYTES]; /* written into the folder so far; room for one a source */
    int name_count;

    /* of the source that is being written */
    char path[PATH_MAX];
    vd_recorder *recorder; /* NULL for a picture */
    double first_s;
} cli_annotator;

/* Checks `out` against the sources. Makes the folder where one is wanted. A cli_status; says why. */
int cli_annotator_prepare(cli_annotator *annotator);

/* Writes a frame; with a source's first frame the file is chosen. VD_OK or the code of a failure; says why.
 *
 * ret_status  of a failure: CLI_WRONG when `out` is to blame, else CLI_FAILED */
int cli_annotator_write(cli_annotator *annotator, const vd_source_info *info, vd_frame *frame,
                        const vd_drawing *drawing, int *ret_status);

/* Ends a source's file. A cli_status; says why it failed. */
int cli_annotator_end(cli_annotator *annotator);

void cli_annotator_clear(cli_annotator *annotator);

#endif
