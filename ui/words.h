/* What the window says, as pure functions of what core reports: tested without a display. Every text is cut
 * to fit at a character's border. Any thread. */
#ifndef VD_UI_WORDS_H
#define VD_UI_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/app/camera.h"

/* `00:41`, from an hour on `1:02:19`. */
void vd_words_time(char *out, size_t size, double seconds);

/* What to call an address before its source has said so, without user name and password: a file's base name,
 * a stream's host, a device's node. */
void vd_words_name(char *out, size_t size, const char *address);

/* A name to begin a file's name with: without the ending of a clip or picture, and without separators. */
void vd_words_file_name(char *out, size_t size, const char *name);

/* True when an address holds a user name or a password, so that it must not be written anywhere. */
int vd_words_is_secret(const char *address);

/* A model's name: a file's base name without its ending, `people (built in)`. */
void vd_words_model(char *out, size_t size, const char *model);

/* An error as shown and copied: its sentence, after its place unless the sentence names that itself. */
void vd_words_error(char *out, size_t size, const vd_error *error);

/* `768 × 432 · 10 fps · yolov8n-320`; what is not known is left out; empty before the source is connected. */
void vd_words_subtitle(char *out, size_t size, const vd_camera_status *status);

/* The tile's corner: `Gate north · live · exact, 38 ms`.
 *
 * loading  the model that is being loaded, or NULL */
void vd_words_badge(char *out, size_t size, const char *name, const vd_camera_status *status,
                    const char *loading);

/* The line below: `Capture 10.0 · Shown 10.0 · Checked 10.0 fps · Picture 38 ms old · Dropped 0`, digits
 * padded so that the parts keep their places. */
void vd_words_rates(char *out, size_t size, const vd_camera_status *status);

/* Drops by cause, one a line: the line's tooltip. */
void vd_words_drops(char *out, size_t size, const vd_camera_status *status);

/* What the operator should know about the rates, one sentence; empty when all is well. */
void vd_words_remark(char *out, size_t size, const vd_camera_status *status);

/* The middle of a tile that is not live: a title and a line below it; both empty while pictures are shown as
 * they come.
 *
 * name    what the source is called
 * now_ns  monotonic */
void vd_words_message(const char *name, const vd_camera_status *status, int64_t now_ns, char *title,
                      size_t title_size, char *detail, size_t detail_size);

/* `frame 41, 2 boxes: person 0.87 at 431 135 607 579; …`: the picture for those who cannot see it. What stage
 * 2 says stands before the place (`verified`); boxes that were moved on to the frame's time end in `
 * predicted`. At most 40 boxes are spelt out. */
void vd_words_boxes(char *out, size_t size, int64_t frame_index, const vd_draw_box *boxes, size_t count);

#endif
