#include "tracking.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct cli_tracked_line {
    cli_frame_line line; /* its texts are copies, its result and labels references of our own */
    vd_result *result;
    vd_labels *labels;
    struct cli_tracked_line *next;
};

static vd_track_options options_for(float least, double lost_s)
{
    vd_track_options options = VD_TRACK_OPTIONS_INIT;
    options.start_score = least;
    options.keep_score = cli_tracking_floor(least);
    vd_track_options_set_lost(&options, lost_s);
    return options;
}

float cli_tracking_floor(float least)
{
    const vd_track_options options = VD_TRACK_OPTIONS_INIT;
    return options.keep_score < least ? options.keep_score : least;
}

static int refuse(const vd_error *error)
{
    cli_complain_error(error);
    return error->code == VD_EINVAL ? CLI_WRONG : CLI_FAILED;
}

static int no_memory(void)
{
    cli_complain("There is not enough memory for the tracks.");
    return CLI_FAILED;
}

int cli_tracking_begin(cli_tracking *tracking, float least, double lost_s, FILE *stream)
{
    vd_error error = {0};
    vd_track_options options = options_for(least, lost_s);
    tracking->stream = stream;
    tracking->least = least;
    int code = tracking->backfill ? vd_track_backfill_set_options(tracking->backfill, &options, &error)
                                  : vd_track_backfill_new(&options, &tracking->backfill, &error);
    return code ? refuse(&error) : CLI_DONE;
}

static void free_line(struct cli_tracked_line *of)
{
    free((char *)of->line.source);
    free((char *)of->line.model);
    free((char *)of->line.error);
    vd_result_unref(&of->result);
    vd_labels_unref(&of->labels);
    free(of);
}

void cli_tracking_clear(cli_tracking *tracking)
{
    while (tracking->oldest) {
        struct cli_tracked_line *next = tracking->oldest->next;
        free_line(tracking->oldest);
        tracking->oldest = next;
    }
    vd_track_backfill_free(&tracking->backfill);
}

static bool copy_text(const char **text)
{
    if (!*text)
        return true;
    *text = strdup(*text);
    return *text != NULL;
}

static struct cli_tracked_line *copy_line(const cli_frame_line *line)
{
    struct cli_tracked_line *of = calloc(1, sizeof *of);
    if (!of)
        return NULL;
    of->line = *line;
    bool good = copy_text(&of->line.source);
    good = copy_text(&of->line.model) && good;
    good = copy_text(&of->line.error) && good;
    of->result = line->result ? vd_result_ref((vd_result *)line->result) : NULL;
    of->labels = vd_labels_ref((vd_labels *)line->labels);
    if (good)
        return of;
    free_line(of);
    return NULL;
}

/* Writes the lines whose ids are certain, or all. */
static int write_lines(cli_tracking *tracking, bool all)
{
    for (;;) {
        int64_t index;
        struct cli_tracked_line *of = tracking->oldest;
        if (!of)
            return CLI_DONE;
        int code = vd_track_backfill_take(tracking->backfill, all, &index, &of->line.detections,
                                          &of->line.count, &of->line.interpolated);
        if (code == VD_EAGAIN)
            return CLI_DONE;
        if (code)
            return no_memory();
        if (tracking->stream)
            cli_json_frame(tracking->stream, &of->line);
        tracking->oldest = of->next;
        free_line(of);
    }
}

/* Ids of this moment; then those that count to the front. */
static size_t mark(const cli_tracking *tracking, vd_detection *detections, size_t count, float least)
{
    size_t tracks, left = 0;
    const vd_track *track = vd_tracker_tracks(vd_track_backfill_tracker(tracking->backfill), &tracks);
    for (size_t i = 0; i < tracks; i++)
        if (track[i].detection >= 0)
            detections[track[i].detection].track_id = track[i].id;
    for (size_t i = 0; i < count; i++)
        if (detections[i].track_id > 0 || detections[i].score >= least)
            detections[left++] = detections[i];
    return left;
}

int cli_tracking_push(cli_tracking *tracking, const cli_frame_line *line, vd_detection *detections,
                      bool at_once, size_t *ret_count)
{
    vd_error error = {0};
    struct cli_tracked_line *of = copy_line(line);
    if (!of)
        return no_memory();
    if (vd_track_backfill_push(tracking->backfill, tracking->next, line->time_s, detections, line->count,
                               &error)) {
        free_line(of);
        return refuse(&error);
    }
    tracking->next++;
    if (tracking->oldest)
        tracking->newest->next = of;
    else
        tracking->oldest = of;
    tracking->newest = of;
    *ret_count = mark(tracking, detections, line->count, tracking->least);
    return write_lines(tracking, at_once);
}

int cli_tracking_end(cli_tracking *tracking)
{
    if (!tracking->backfill)
        return CLI_DONE;
    int status = write_lines(tracking, true);
    vd_track_backfill_reset(tracking->backfill);
    return status;
}
