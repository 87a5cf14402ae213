/* One frame in the common schema: a line of JSON. */
#ifndef APP_JSON_LINE_H
#define APP_JSON_LINE_H

#include <stddef.h>
#include <stdio.h>

#include "vedette/app/scene.h"
#include "vedette/detection.h"

typedef struct cli_frame_line {
    const char *source; /* NULL: left out, as are sizes of 0 and a model of NULL */
    int64_t frame;
    double time_s;
    int width, height;       /* of the source picture */
    const char *model;       /* the model's name */
    const vd_result *result; /* NULL when detection failed: then `error` says why; or when it is not known */
    const char *error;
    const vd_labels *labels;        /* without a result: the names */
    int input_width, input_height;  /* without a result: of the network */
    const vd_detection *detections; /* those that count */
    size_t count;
    size_t interpolated; /* how many of them, the last ones, were not detected but stand between detections */
} cli_frame_line;

/* Writes the line with its end. Failures show in ferror(stream). */
void cli_json_frame(FILE *stream, const cli_frame_line *line);

/* The truth of a rendered frame: hazards as `detections`, and `decoys` beside them. */
typedef struct cli_truth_line {
    const char *source;
    int64_t frame;
    double time_s;
    int width, height;
    const vd_scene_object *objects;
    size_t count;
} cli_truth_line;

/* Likewise. */
void cli_json_truth(FILE *stream, const cli_truth_line *line);

/* Parts of such a line: an object of `detections`, and the four sides of a box. */
void cli_json_detection(FILE *stream, const vd_detection *detection, const char *class_name);
void cli_json_box(FILE *stream, const vd_box *box);

/* A string in quotes; bytes that are not UTF-8 become U+FFFD. */
void cli_json_text(FILE *stream, const char *text);

#endif
