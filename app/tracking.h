/* Lines of the common schema on their way through the tracker: each is written when the ids in it are
 * certain. */
#ifndef APP_TRACKING_H
#define APP_TRACKING_H

#include <stdbool.h>

#include "json_line.h"
#include "vedette/app/track.h"

struct cli_tracked_line;

typedef struct cli_tracking {
    vd_track_backfill *backfill;              /* NULL: not begun */
    struct cli_tracked_line *oldest, *newest; /* pushed and not yet written */
    FILE *stream;                             /* NULL: nothing is written */
    float least;                              /* score that starts a track */
    int64_t next;                             /* line to push */
} cli_tracking;

/* Begins, or sets other thresholds.
 *
 * least   the score that starts a track
 * lost_s  a track that is not seen for longer ends
 * stream  where lines go; may be NULL
 * A cli_status; the sentence has been printed. */
int cli_tracking_begin(cli_tracking *tracking, float least, double lost_s, FILE *stream);
void cli_tracking_clear(cli_tracking *tracking);

/* The least score of a detection that is of any use: hand over those from there up. */
float cli_tracking_floor(float least);

/* Takes a line in, and writes those that are certain by now; `at_once` writes all, with what is known. Ids as
 * they are known now are written into `detections` (those of the line), and those that count are moved to the
 * front: they belong to a track or would start one.
 *
 * ret_count  how many count
 * A cli_status; the sentence has been printed. Whether writing failed shows in the stream. */
int cli_tracking_push(cli_tracking *tracking, const cli_frame_line *line, vd_detection *detections,
                      bool at_once, size_t *ret_count);

/* The source has ended: writes what is left and ends every track. A cli_status. */
int cli_tracking_end(cli_tracking *tracking);

#endif
