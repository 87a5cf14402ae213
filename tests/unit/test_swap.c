/* A camera whose model is replaced while it runs (row C8): a hundred times, every third file broken. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check_main.h"
#include "doubles/fake_source.h"
#include "tiny_model.h"
#include "vedette/app/camera.h"

enum { SWAPS = 100, WARM_SWAPS = 24, FRAMES = 1500 };

static char folder[64];
static vd_cancel pause_token; /* never requested: something to sleep on */

static void path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static void write_text(const char *name, const char *text)
{
    char path[128];
    path_of(name, path);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void setup(void)
{
    char path[128];
    fake_source_register();
    ck_assert_int_eq(vd_cancel_init(&pause_token), VD_OK);
    snprintf(folder, sizeof folder, "/tmp/vedette-swap-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path_of("two.onnx", path);
    tiny_model_write(path, 2, 1);
    path_of("three.onnx", path);
    tiny_model_write(path, 3, 1);
    path_of("cut.onnx", path);
    tiny_model_write(path, 2, 0.6);
    write_text("text.onnx", "This is\nno model.\n");
    write_text("empty.onnx", "");
}

static void teardown(void)
{
    static const char *const names[] = {"two.onnx", "three.onnx", "cut.onnx", "text.onnx", "empty.onnx"};
    ck_assert(vd_camera_join_closed(20 * VD_NS_PER_S));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        path_of(names[i], path);
        unlink(path);
    }
    rmdir(folder);
    vd_cancel_fini(&pause_token);
}

static void rest(int64_t ms)
{
    vd_cancel_sleep_until(&pause_token, vd_clock_now_ns() + ms * VD_NS_PER_MS);
}

static vd_camera_status status_of(vd_camera *camera)
{
    vd_camera_status status;
    vd_camera_get_status(camera, &status);
    ck_assert_uint_eq(status.asked_detection, status.detected + status.failed_detection +
                                                  status.replaced_detection + status.pending_detection);
    return status;
}

static vd_camera *open_clip(const char *address, const char *model)
{
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    options.address = address;
    options.model = model;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    return camera;
}

static vd_camera_status wait_for_model(vd_camera *camera)
{
    vd_camera_status status = status_of(camera);
    int64_t deadline = vd_clock_now_ns() + 60 * VD_NS_PER_S;
    while (status.model_state == VD_MODEL_LOADING && vd_clock_now_ns() < deadline) {
        rest(1);
        status = status_of(camera);
    }
    ck_assert_int_ne(status.model_state, VD_MODEL_LOADING);
    return status;
}

/* Until so many more frames were detected and shown. */
static vd_camera_status wait_for_frames(vd_camera *camera, uint64_t more)
{
    vd_camera_status status = status_of(camera);
    uint64_t detected = status.detected + more, shown = status.shown + more;
    int64_t deadline = vd_clock_now_ns() + 60 * VD_NS_PER_S;
    while ((status.detected < detected || status.shown < shown) && vd_clock_now_ns() < deadline) {
        rest(1);
        status = status_of(camera);
    }
    ck_assert_uint_ge(status.detected, detected);
    ck_assert_uint_ge(status.shown, shown);
    return status;
}

/* What the heap holds; sanitizers have one of their own, and look for leaks themselves. */
static size_t heap_bytes(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0;
#else
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

static const char *const good[] = {"two.onnx", "three.onnx", "builtin:motion"};
static const char *const names[] = {"two", "three", "builtin:motion"};
static const char *const broken[] = {"cut.onnx", "text.onnx", "empty.onnx", "missing.onnx"};

/* Asks for a broken file: the model before it runs on, and the reason names the file. */
static void swap_broken(vd_camera *camera, int n)
{
    char path[128];
    vd_camera_status before = status_of(camera);
    const char *name = broken[n % 4];
    path_of(name, path);
    vd_camera_set_model(camera, path, NULL);
    vd_camera_status status = wait_for_model(camera);
    ck_assert_int_eq(status.model_state, VD_MODEL_FAILED);
    ck_assert_msg(strstr(status.model_error.text, name) || strstr(status.model_error.place, name), "%s: %s",
                  status.model_error.place, status.model_error.text);
    ck_assert_str_eq(status.model, before.model);
    ck_assert_uint_eq(status.model_serial, before.model_serial);
    wait_for_frames(camera, 2);
}

static void swap_good(vd_camera *camera, int n)
{
    char path[128];
    vd_camera_status before = status_of(camera);
    const char *name = good[n % 3];
    path_of(name, path);
    vd_camera_set_model(camera, n % 3 == 2 ? name : path, NULL);
    vd_camera_status status = wait_for_model(camera);
    ck_assert_msg(status.model_state == VD_MODEL_READY, "%s", status.model_error.text);
    ck_assert_str_eq(status.model, names[n % 3]);
    ck_assert_uint_gt(status.model_serial, before.model_serial);
    ck_assert_int_eq(status.engine[0] == '\0', n % 3 == 2);
    ck_assert_float_gt(status.confidence, 0);
    wait_for_frames(camera, 2);
}

/* The rest of the clip, in a hurry, so that every frame can be counted. */
static void play_out(vd_camera *camera)
{
    int64_t deadline = vd_clock_now_ns() + 60 * VD_NS_PER_S;
    vd_camera_set_speed(camera, 16);
    while (status_of(camera).state != VD_CAMERA_ENDED && vd_clock_now_ns() < deadline)
        rest(5);
    vd_camera_status status = status_of(camera);
    ck_assert_uint_eq(status.frames, FRAMES);
    ck_assert_uint_eq(status.shown + status.dropped_display, FRAMES);
    ck_assert_uint_eq(status.dropped_source + status.broken, 0);
}

/* One go; the frames that were not on screen. */
static uint64_t swap_a_hundred_times(void)
{
    char address[64];
    size_t warm = 0;
    snprintf(address, sizeof address, "fake:frames=%d,fps=30", FRAMES);
    vd_camera *camera = open_clip(address, "builtin:motion");
    wait_for_model(camera);
    wait_for_frames(camera, 1);
    for (int i = 0; i < SWAPS; i++) {
        if (i % 3 == 2)
            swap_broken(camera, i / 3);
        else
            swap_good(camera, i - i / 3);
        if (i == WARM_SWAPS)
            warm = heap_bytes();
    }
    vd_camera_status status = status_of(camera);
    size_t now = heap_bytes(), grown = now > warm ? now - warm : 0;
    ck_assert_int_eq(status.state, VD_CAMERA_PLAYING); /* the clip was running all the time */
    ck_assert_uint_eq(status.dropped_source + status.failed_detection, 0);
    ck_assert_uint_lt(grown, 256 << 10);
    printf("%d swaps, %llu frames shown, %llu not, %llu asked anew, heap %+ld KiB\n", SWAPS,
           (unsigned long long)status.shown, (unsigned long long)status.dropped_display,
           (unsigned long long)status.replaced_detection, (long)grown / 1024);
    play_out(camera);
    vd_camera_close(&camera);
    return status.dropped_display;
}

/* A machine that stands still for longer than a frame costs one, whatever the program does: one go in three
 * must be free of that. Swaps would spoil each of them. */
START_TEST(a_hundred_swaps_lose_no_frame)
{
    ck_assert(swap_a_hundred_times() == 0 || swap_a_hundred_times() == 0 || swap_a_hundred_times() == 0);
}
END_TEST

/* --- Real networks, real files of which one in three is refused, a real clip that goes round */

enum { REAL_SWAPS = 30, REAL_WARM = 12 };

/* The path of a file in the shared folder, or NULL when it is not there: then the test is left out. */
static const char *shared_file(const char *name, char path[512])
{
    const char *shared = getenv("VEDETTE_SHARED"), *required = getenv("VEDETTE_REQUIRE_SHARED");
    snprintf(path, 512, "%s/%s", shared ? shared : "../shared", name);
    if (access(path, R_OK) == 0)
        return path;
    ck_assert_msg(!required || strcmp(required, "1") != 0, "%s is missing", path);
    printf("waits for shared: %s\n", name);
    return NULL;
}

static void swap_real(vd_camera *camera, int n)
{
    static const char *const files[] = {"models/yolov8n-320.onnx",
                                        "models/yolo11n-320.onnx",
                                        "models/families/refused/segmentation_unet_gray224.onnx",
                                        "models/families/yunet-n_face_320.onnx",
                                        "models/families/yolo-fastest-1.1_coco80.weights",
                                        "models/families/refused/mismatched_80class.weights"};
    char path[512];
    bool refused = n % 3 == 2;
    vd_camera_status before = status_of(camera);
    if (!shared_file(files[n % 6], path))
        return;
    vd_camera_set_model(camera, path, NULL);
    vd_camera_status status = wait_for_model(camera);
    ck_assert_msg((status.model_state == VD_MODEL_FAILED) == refused, "%s: %s", path,
                  status.model_error.text);
    ck_assert_int_eq(strcmp(status.model, before.model) == 0, refused);
    ck_assert_int_ne(status.engine[0], '\0');
    wait_for_frames(camera, 1);
}

static uint64_t swap_real_models(const char *clip, const char *model)
{
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    size_t warm = 0;
    options.address = clip;
    options.model = model;
    options.loop = true;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    wait_for_model(camera);
    wait_for_frames(camera, 1);
    for (int i = 0; i < REAL_SWAPS; i++) {
        swap_real(camera, i);
        if (i + 1 == REAL_WARM)
            warm = heap_bytes();
    }
    vd_camera_status status = status_of(camera);
    long grown = (long)(heap_bytes() - warm);
    printf("%d swaps of real models, %llu frames shown, %llu not, heap %+ld KiB\n", REAL_SWAPS,
           (unsigned long long)status.shown, (unsigned long long)status.dropped_display, grown / 1024);
    ck_assert_uint_eq(status.dropped_source + status.failed_detection, 0);
    ck_assert_int_eq(status.state, VD_CAMERA_PLAYING);
    ck_assert_int_lt(grown, 4 << 20);
    vd_camera_close(&camera);
    return status.dropped_display;
}

START_TEST(real_models_are_swapped)
{
    char clip[512], model[512];
    if (!shared_file("clips/car-detection.mp4", clip) || !shared_file("models/yolo26n.onnx", model))
        return;
    ck_assert(swap_real_models(clip, model) == 0 || swap_real_models(clip, model) == 0 ||
              swap_real_models(clip, model) == 0);
}
END_TEST

/* The one asked for last counts, however fast they are asked for. */
START_TEST(the_last_wish_wins)
{
    char path[128], other[128];
    path_of("two.onnx", path);
    path_of("three.onnx", other);
    vd_camera *camera = open_clip("fake:frames=2000,fps=100,live=1", path);
    for (int i = 0; i < 60; i++) {
        vd_camera_set_model(camera, i % 2 ? other : path, NULL);
        if (i % 7 == 0)
            rest(3);
    }
    vd_camera_status status = wait_for_model(camera);
    ck_assert_int_eq(status.model_state, VD_MODEL_READY);
    ck_assert_str_eq(status.model, "three");
    status = wait_for_frames(camera, 3);
    ck_assert_uint_eq(status.failed_detection, 0);
    vd_labels *labels = vd_camera_get_labels(camera);
    ck_assert_int_eq(vd_labels_count(labels), 3);
    vd_labels_unref(&labels);
    vd_camera_close(&camera);
}
END_TEST

/* Closed while a model is loaded, at many moments: nothing is left behind. */
START_TEST(closing_meets_a_swap)
{
    char path[128];
    path_of("two.onnx", path);
    for (int i = 0; i < 12; i++) {
        vd_camera *camera = open_clip("fake:frames=500,fps=100", "builtin:motion");
        rest(i);
        vd_camera_set_model(camera, path, NULL);
        rest(2 * i);
        vd_camera_close(&camera);
    }
    ck_assert(vd_camera_join_closed(30 * VD_NS_PER_S));
}
END_TEST

static Suite *swap_suite(void)
{
    Suite *suite = suite_create("swap");
    TCase *swaps = tcase_create("swaps");
    tcase_add_checked_fixture(swaps, setup, teardown);
    tcase_set_timeout(swaps, 300);
    tcase_add_test(swaps, a_hundred_swaps_lose_no_frame);
    tcase_add_test(swaps, the_last_wish_wins);
    tcase_add_test(swaps, closing_meets_a_swap);
    suite_add_tcase(suite, swaps);
    TCase *real = tcase_create("real");
    tcase_add_checked_fixture(real, setup, teardown);
    tcase_set_timeout(real, 300);
    tcase_add_test(real, real_models_are_swapped);
    suite_add_tcase(suite, real);
    return suite;
}

TEST_MAIN(swap_suite)
