/* The process's own memory after 2,000 frames of a looped clip, shown and detected, is that after 500 to
 * within 1 MB.
 *
 * usage: memory_flat MODEL CLIP [FRAMES]   (relative to the shared folder) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "own_memory.h"
#include "vedette/app/camera.h"

enum { WARM_UP = 500, LAST = 2000 };

static const char *shared_path(const char *name, char *out, size_t size)
{
    const char *shared = getenv("VEDETTE_SHARED");
    snprintf(out, size, "%s/%s", shared && *shared ? shared : "../shared", name);
    return access(out, R_OK) == 0 ? out : NULL;
}

/* Takes every picture, as a window would, until so many frames were detected. */
static vd_camera_status watch(vd_camera *camera, vd_cancel *sleeper, uint64_t frames)
{
    vd_camera_status status;
    vd_view view = {0};
    vd_draw_box boxes[VD_MAX_DETECTIONS];
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    do {
        vd_camera_take_view(camera, &view);
        vd_view_get_boxes(&view, &thresholds, boxes, VD_MAX_DETECTIONS);
        vd_cancel_sleep_until(sleeper, vd_clock_now_ns() + 5 * VD_NS_PER_MS);
        vd_camera_get_status(camera, &status);
    } while (status.detected < frames && status.state != VD_CAMERA_FAILED &&
             status.model_state != VD_MODEL_FAILED);
    vd_view_clear(&view);
    return status;
}

int main(int argc, char **argv)
{
    char model[1024], clip[1024];
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera;
    vd_cancel sleeper;
    if (argc < 3 || vd_cancel_init(&sleeper))
        return 2;
    options.model = shared_path(argv[1], model, sizeof model);
    options.address = shared_path(argv[2], clip, sizeof clip);
    if (!options.model || !options.address) {
        const char *required = getenv("VEDETTE_REQUIRE_SHARED");
        printf("waits for shared: %s %s\n", argv[1], argv[2]);
        return required && *required == '1' ? 1 : 0;
    }
    options.loop = true;
    if (vd_camera_open(&options, &camera, NULL))
        return 1;
    vd_camera_set_view_size(camera, 960, 540);
    vd_camera_set_speed(camera, 4);
    watch(camera, &sleeper, WARM_UP);
    double first = (double)own_memory_kb() / 1e3;
    vd_camera_status status = watch(camera, &sleeper, argc > 3 ? strtoull(argv[3], NULL, 10) : LAST);
    double last = (double)own_memory_kb() / 1e3;
    printf("own memory after %d detected frames %.2f MB, after %llu %.2f MB (%+.2f MB); shown %llu, skipped "
           "%llu\n",
           WARM_UP, first, (unsigned long long)status.detected, last, last - first,
           (unsigned long long)status.shown, (unsigned long long)status.skipped_detection);
    if (status.error.code || status.model_error.code)
        printf("%s %s\n", status.error.text, status.model_error.text);
    vd_camera_close(&camera);
    vd_camera_join_closed(5 * VD_NS_PER_S);
    return status.detected >= LAST && first > 0 && last - first <= 1.0 ? 0 : 1;
}
