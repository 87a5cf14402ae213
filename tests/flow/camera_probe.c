/* A whole camera without a window: opens an address with the motion detector for some seconds, looks at every
 * picture as the window would, and prints one line of JSON.
 *
 * usage: camera_probe ADDRESS [SECONDS] */
#include <stdio.h>
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "vedette/app/camera.h"

struct seen {
    int pictures, boxed;
    double first_s;
};

static void look(const vd_view *view, double now_s, struct seen *seen)
{
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_draw_box boxes[VD_MAX_DETECTIONS];
    if (seen->pictures++ == 0)
        seen->first_s = now_s;
    seen->boxed += vd_view_get_boxes(view, &thresholds, boxes, VD_MAX_DETECTIONS) > 0;
}

int main(int argc, char **argv)
{
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera_status status;
    vd_camera *camera = NULL;
    vd_cancel *sleeper = NULL;
    vd_view view = {0};
    vd_error error = {0};
    struct seen seen = {0};
    if (argc < 2 || vd_cancel_new(&sleeper))
        return 2;
    options.address = argv[1];
    options.model = "builtin:motion";
    int64_t start = vd_clock_now_ns(),
            end = start + (int64_t)((argc > 2 ? atof(argv[2]) : 4) * (double)VD_NS_PER_S);
    if (vd_camera_open(&options, &camera, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    vd_camera_set_view_size(camera, 640, 360);
    do {
        if (vd_camera_take_view(camera, &view))
            look(&view, (double)(vd_clock_now_ns() - start) / (double)VD_NS_PER_S, &seen);
        vd_cancel_sleep_until(sleeper, vd_clock_now_ns() + VD_NS_PER_MS);
        vd_camera_get_status(camera, &status);
    } while (vd_clock_now_ns() < end && status.state != VD_CAMERA_FAILED);
    printf("{\"pictures\":%d,\"boxed\":%d,\"first_s\":%.3f,\"captured\":%llu,\"state\":%d,\"exact\":%s}\n",
           seen.pictures, seen.boxed, seen.first_s, (unsigned long long)status.frames, (int)status.state,
           status.exact ? "true" : "false");
    vd_view_clear(&view);
    vd_camera_close(&camera);
    vd_camera_join_closed(5 * VD_NS_PER_S);
    vd_cancel_free(&sleeper);
    return 0;
}
