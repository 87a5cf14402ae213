/* What several messages have in common. Each adds to a line of JSON. */
#ifndef VD_SERVE_MESSAGE_PARTS_H
#define VD_SERVE_MESSAGE_PARTS_H

#include "serve/json_text.h"
#include "vedette/detection.h"

/* [x1,y1,x2,y2] */
void vd_message_add_box(vd_json_text *text, const vd_box *box);

/* "detections":[…] */
void vd_message_add_detections(vd_json_text *text, const vd_detection *detections, size_t count,
                               const vd_labels *labels);

/* ,"width":…,"height":…,"model":…,"input":[…]; no input where there is no network */
void vd_message_add_sizes(vd_json_text *text, int width, int height, const char *model, int input_width,
                          int input_height);

/* What stands before a number (`,"name":`), and the number. */
void vd_message_add_number(vd_json_text *text, const char *before, double value, int decimals);

#endif
