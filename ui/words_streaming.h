/* What the window says about the streaming interface. Pure functions. */
#ifndef VD_UI_WORDS_STREAMING_H
#define VD_UI_WORDS_STREAMING_H

#include <stddef.h>

#include "vedette/app/serve.h"

/* `Nobody is connected`, `2 sessions, 1 program watches the camera`. */
void vd_words_clients(char *out, size_t size, const vd_serve_status *status);

/* `9.8 results a second`; empty while nothing is sent. */
void vd_words_results(char *out, size_t size, const vd_serve_status *status);

/* `Full`, `Lowered by 2 of 4 steps`. */
void vd_words_quality(char *out, size_t size, const vd_serve_status *status);

#endif
