/* Records the demonstration in real time until it is killed, and says on stdout how far it has come:
 * a line `SECONDS` for every frame handed to the recorder. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "frame/frame.h"
#include "vedette/app/recorder.h"
#include "vedette/app/sources.h"
#include "vedette/run.h"

static int64_t first_ns;

static int on_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                    const vd_error *error)
{
    vd_recorder *recorder = context;
    vd_draw_box box = {.box = {20, 20, 120, 90}, .label = "victim"};
    vd_drawing drawing = {
        .picture_width = info->width, .picture_height = info->height, .boxes = &box, .count = 1};
    (void)result;
    (void)error;
    if (first_ns == 0)
        first_ns = frame->arrived_ns;
    int code = vd_recorder_write(recorder, frame, &drawing, frame->arrived_ns);
    printf("%.3f\n", (double)(frame->arrived_ns - first_ns) / (double)VD_NS_PER_S);
    fflush(stdout);
    return code;
}

int main(int argc, char **argv)
{
    vd_recorder_options options = VD_RECORDER_OPTIONS_INIT;
    vd_run_options run = VD_RUN_OPTIONS_INIT;
    vd_recorder *recorder;
    vd_run_summary summary;
    vd_error error = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: recorder_victim FILE.mp4\n");
        return 2;
    }
    options.path = argv[1];
    options.frames_per_s = 25;
    vd_sources_register();
    run.address = "demo:size=320x180,fps=25";
    run.max_seconds = 30;
    if (vd_recorder_start(&options, &recorder, &error) ||
        vd_run(&run, on_frame, recorder, &summary, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    vd_recorder_free(&recorder);
    return 0;
}
