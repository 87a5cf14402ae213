/* How far the boxes on screen are from where the object is in the very picture they are drawn on: a clip
 * whose square moves by a formula and whose pixels say which frame they are, and a detector double that
 * returns the true box of its picture after 80 ms. A file and a camera in exact mode must be right on every
 * displayed frame; live mode, where boxes are predicted, is printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "doubles/paced_source.h"
#include "doubles/square_clip.h"
#include "vedette/app/camera.h"

enum { DELAY_MS = 80 };
static const double right_to_px = 0.05;
static const square_clip clip = {.width = 640, .height = 360, .frames = 125, .frames_per_s = 25};

static int open_double(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    const char *name = "square";
    vd_cancel *sleeper = NULL;
    (void)config;
    if (vd_cancel_new(&sleeper) || vd_labels_new(&name, 1, ret_labels))
        return vd_error_set(error, VD_ENOMEM, NULL, "No memory.");
    *ret_state = sleeper;
    return VD_OK;
}

static int detect_double(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    int64_t index = square_clip_read_index(image);
    if (vd_cancel_sleep_until(state, vd_clock_now_ns() + DELAY_MS * VD_NS_PER_MS) || index < 0)
        return vd_error_set(error, VD_EFORMAT, NULL, "The picture carries no index.");
    result->candidates[0] = (vd_detection){.box = square_clip_box(&clip, index), .score = 0.9f};
    result->count = 1;
    return VD_OK;
}

static void close_double(void *state)
{
    vd_cancel *sleeper = state;
    vd_cancel_free(&sleeper);
}

static const vd_detector_ops double_ops = {
    .open = open_double, .detect = detect_double, .close = close_double, .name = "square"};

struct errors {
    int frames, without, wrong;
    int64_t last_index;
    double worst_px, sum_px, worst_age_ms;
};

static double distance_px(const vd_box *a, const vd_box *b)
{
    float x = fmaxf(fabsf(a->x1 - b->x1), fabsf(a->x2 - b->x2));
    float y = fmaxf(fabsf(a->y1 - b->y1), fabsf(a->y2 - b->y2));
    return (double)fmaxf(x, y);
}

static void measure(vd_camera *camera, const vd_view *view, struct errors *errors)
{
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_draw_box boxes[4];
    vd_camera_status status;
    int64_t index = square_clip_read_index(&view->image); /* of the pixels on screen, not of our own books */
    if (index == errors->last_index)
        return; /* the same picture again: its boxes came late, and that was counted */
    errors->last_index = index;
    errors->frames++;
    vd_camera_get_status(camera, &status);
    errors->worst_age_ms = fmax(errors->worst_age_ms, status.picture_age_ms);
    if (vd_view_get_boxes(view, &thresholds, boxes, 4) != 1) {
        errors->without++;
        return;
    }
    vd_box truth = square_clip_box(&clip, index);
    double error = distance_px(&boxes[0].box, &truth);
    errors->worst_px = fmax(errors->worst_px, error);
    errors->sum_px += error;
    errors->wrong += error > right_to_px;
}

/* skip_s  what a camera needs until the first results are there; a file starts when they are */
static struct errors watch(const char *address, vd_overlay_sync sync, double skip_s, vd_cancel *sleeper)
{
    struct errors errors = {.last_index = -2};
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    vd_view view = {0};
    vd_camera_status status;
    options.address = address;
    options.ops = &double_ops;
    options.sync = sync;
    if (vd_camera_open(&options, &camera, NULL))
        return errors;
    vd_camera_set_view_size(camera, 960, 540);
    int64_t deadline = vd_clock_now_ns() + 30 * VD_NS_PER_S;
    do {
        vd_camera_get_status(camera, &status);
        if (vd_camera_take_view(camera, &view) && view.time_s >= skip_s)
            measure(camera, &view, &errors);
        vd_cancel_sleep_until(sleeper, vd_clock_now_ns() + VD_NS_PER_MS);
    } while (status.state != VD_CAMERA_ENDED && status.state != VD_CAMERA_FAILED &&
             vd_clock_now_ns() < deadline);
    vd_view_clear(&view);
    vd_camera_close(&camera);
    vd_camera_join_closed(5 * VD_NS_PER_S);
    return errors;
}

static void print(const char *name, const struct errors *errors)
{
    int boxed = errors->frames - errors->without;
    printf("%-16s %3d frames shown, %d without a box, worst error %.3f px, mean %.3f px, picture at most "
           "%.0f ms old\n",
           name, errors->frames, errors->without, errors->worst_px, boxed ? errors->sum_px / boxed : 0.0,
           errors->worst_age_ms);
}

int main(void)
{
    char folder[] = "/tmp/vedette-overlay-XXXXXX", path[64], paced[80];
    vd_error error = {0};
    vd_cancel *sleeper = NULL;
    if (!mkdtemp(folder) || vd_cancel_new(&sleeper))
        return 1;
    snprintf(path, sizeof path, "%s/square.mp4", folder);
    snprintf(paced, sizeof paced, "paced:%s", path);
    if (square_clip_write(&clip, path, &error)) {
        printf("%s\n", error.text);
        return 1;
    }
    paced_source_register();
    struct errors file = watch(path, VD_SYNC_AUTO, 0, sleeper);
    struct errors exact = watch(paced, VD_SYNC_EXACT, 0.5, sleeper);
    struct errors live = watch(paced, VD_SYNC_LIVE, 0.5, sleeper);
    print("file, exact", &file);
    print("camera, exact", &exact);
    print("camera, live", &live);
    unlink(path);
    rmdir(folder);
    vd_cancel_free(&sleeper);
    bool right = file.frames > 100 && file.without == 0 && file.wrong == 0 && exact.frames > 90 &&
                 exact.without == 0 && exact.wrong == 0;
    return right && live.frames > 90 ? 0 : 1;
}
