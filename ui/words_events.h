/* What the window says of events and of stage 2: pure functions, as in words.h. Every text is cut to fit at a
 * character's border. Any thread. */
#ifndef VD_UI_WORDS_EVENTS_H
#define VD_UI_WORDS_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/app/camera.h"
#include "vedette/app/event.h"
#include "vedette/app/verify.h"

/* What else must be known of an event to speak of it. */
enum vd_event_terms {
    VD_EVENT_OF_FILE = 1 << 0, /* its source is a file: its time is a place in that */
    VD_EVENT_STAGE2 = 1 << 1   /* a second model looks at it: what has no verdict will have one */
};

/* When it began: `14:03:07`, local time; of a file the place in it, `00:41`. */
void vd_words_event_time(char *out, size_t size, const vd_event *event, unsigned terms);

/* A sign and words, so that neither colour nor sign has to be known: `✓ verified 0.93`, `✕ rejected 0.12`,
 * `? unverified: timed out`, `… pending`, and with the simple score `? unverified: degraded (0.61)`; empty
 * without stage 2. In shadow mode ` · shadow` follows. */
void vd_words_verdict(char *out, size_t size, const vd_event *event, unsigned terms);

/* `Confirmed`, `False alarm`, or nothing. */
const char *vd_words_judgement(vd_judgement judgement);

/* An event in one line, for those who cannot see its row:
 * `person, 14:03:07, confidence 0.87, ✓ verified 0.93, confirmed`. */
void vd_words_event(char *out, size_t size, const vd_event *event, unsigned terms);

/* `14 events · 6 judged`. */
void vd_words_events(char *out, size_t size, const vd_event_figures *figures);

/* `Precision 0.50 → 0.75 · recall 0.95`; without stage 2 the first number alone; while nothing was judged,
 * how to. */
void vd_words_precision(char *out, size_t size, const vd_event_figures *figures, bool stage2);

/* `Verifying 2 · oldest 0.4 s · 1 dropped · 3 never asked · 2 timed out · workers 1/2`: the status line. What
 * never happened is left out. */
void vd_words_stage2(char *out, size_t size, const vd_verify_stats *stats, const vd_camera_status *status);

/* The same in full, and what the camera has to do with it, a few figures a line: a tooltip. */
void vd_words_stage2_full(char *out, size_t size, const vd_verify_stats *stats,
                          const vd_camera_status *status);

/* Degraded, why, and what that means; empty otherwise.
 *
 * brief  for a narrow place: the reason with the file's name alone */
void vd_words_degraded(char *out, size_t size, const vd_verify_stats *stats, bool brief);

#endif
