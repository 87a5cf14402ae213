/* Real networks on real pictures: the boxes of `vd_detector` against those of another engine and of people
 * who looked. Needs the folder that VEDETTE_SHARED names; without it each test says what it waits for. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "detect/kinds.h"
#include "engine/engine.h"
#include "frame/convert.h"
#include "vedette/app/detector_frame.h"
#include "vedette/cancel.h"
#include "vedette/frame.h"
#include "vedette/source.h"

enum { MAX_WANTED = 64 };

/* The path of a shared file, or NULL when it is not there and need not be. */
static const char *shared(const char *name, char path[512])
{
    const char *folder = getenv("VEDETTE_SHARED"), *required = getenv("VEDETTE_REQUIRE_SHARED");
    snprintf(path, 512, "%s/%s", folder ? folder : "../shared", name);
    if (access(path, R_OK) == 0)
        return path;
    ck_assert_msg(!required || strcmp(required, "1") != 0, "%s is required", path);
    printf("waits for shared: %s\n", name);
    return NULL;
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    char *text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

struct wanted {
    vd_box box;
    float score;
    int class_id;
    char name[32], also_name[32];
    vd_box also_box; /* another box and name that are right too; empty without */
    bool clear;
};

/* The value behind `"key":` from `at` on, which must come before the end of that object. */
static const char *value_of(const char *at, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *found = strstr(at, quoted), *end = strchr(at, '}');
    return found && end && found < end ? found + strlen(quoted) + strspn(found + strlen(quoted), " ") : NULL;
}

/* Reads the objects with a box between `text` and `end`. */
static size_t read_wanted(const char *text, const char *end, struct wanted *ret_wanted)
{
    size_t count = 0;
    for (const char *at = text; count < MAX_WANTED && (at = strchr(at, '{')) && at < end; at++) {
        struct wanted *wanted = &ret_wanted[count];
        const char *box = value_of(at, "box"), *class = value_of(at, "class"), *score = value_of(at, "score");
        const char *clear = value_of(at, "clear");
        if (!box || sscanf(box, "[%f, %f, %f, %f]", &wanted->box.x1, &wanted->box.y1, &wanted->box.x2,
                           &wanted->box.y2) != 4)
            continue;
        *wanted =
            (struct wanted){.box = wanted->box, .class_id = -1, .score = score ? strtof(score, NULL) : 0};
        if (!class || sscanf(class, "\"%31[^\"]\"", wanted->name) != 1)
            wanted->class_id = class ? atoi(class) : -1;
        const char *also_box = value_of(at, "also_box"), *also_name = value_of(at, "also_class");
        vd_box *also = &wanted->also_box;
        if (also_box &&
            sscanf(also_box, "[[%f, %f, %f, %f]", &also->x1, &also->y1, &also->x2, &also->y2) != 4)
            *also = (vd_box){0};
        if (!also_name || sscanf(also_name, "[\"%31[^\"]\"", wanted->also_name) != 1)
            wanted->also_name[0] = '\0';
        wanted->clear = clear && strncmp(clear, "true", 4) == 0;
        count++;
    }
    return count;
}

static vd_detector *open_model(const char *path, int workers)
{
    vd_engine_set_threads(1);
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = path;
    options.max_workers = workers;
    vd_detector *detector = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_detector_new(&options, &detector, &error) == VD_OK, "%s: %s", path, error.text);
    return detector;
}

static vd_frame *read_picture(const char *path)
{
    vd_source_options options = VD_SOURCE_OPTIONS_INIT;
    vd_cancel *cancel = NULL;
    vd_source *source = NULL;
    vd_frame *frame = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_cancel_new(&cancel), VD_OK);
    ck_assert_msg(vd_source_open(path, &options, cancel, &source, &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_source_read(source, &frame, &error) == VD_OK, "%s", error.text);
    vd_source_close(&source);
    vd_cancel_free(&cancel);
    return frame;
}

static vd_future *detect(vd_detector *detector, vd_frame *frame)
{
    vd_future *future = NULL;
    ck_assert_int_eq(vd_detector_submit_frame(detector, frame, VD_PRIORITY_INTERACTIVE, &future), VD_OK);
    ck_assert_msg(vd_future_wait(future, -1) == VD_OK, "%s", vd_future_error(future)->text);
    return future;
}

static size_t select_default(vd_future *future, vd_detection *ret_found)
{
    const vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    return vd_result_select(vd_future_value(future), &thresholds, ret_found);
}

static void assert_expected(const char *model, const char *picture, const char *expected)
{
    char model_path[512], picture_path[512], expected_path[512];
    if (!shared(model, model_path) || !shared(picture, picture_path) || !shared(expected, expected_path))
        return;
    char *text = read_text(expected_path), *boxes = strstr(text, "\"boxes\"");
    static struct wanted wanted[MAX_WANTED];
    static vd_detection found[VD_MAX_DETECTIONS];
    ck_assert_ptr_nonnull(boxes);
    size_t wanted_count = read_wanted(boxes, text + strlen(text), wanted);
    ck_assert_uint_gt(wanted_count, 0);

    vd_detector *detector = open_model(model_path, 1);
    vd_frame *frame = read_picture(picture_path);
    vd_future *future = detect(detector, frame);
    const vd_result *result = vd_future_value(future);
    ck_assert_uint_eq(select_default(future, found), wanted_count);
    float worst_score = 0, worst_px = 0;
    for (size_t i = 0; i < wanted_count; i++) {
        const vd_box *box = &found[i].box, *want = &wanted[i].box;
        ck_assert_int_eq(found[i].class_id, wanted[i].class_id);
        worst_score = fmaxf(worst_score, fabsf(found[i].score - wanted[i].score));
        worst_px = fmaxf(worst_px, fmaxf(fmaxf(fabsf(box->x1 - want->x1), fabsf(box->y1 - want->y1)),
                                         fmaxf(fabsf(box->x2 - want->x2), fabsf(box->y2 - want->y2))));
    }
    printf("%s on %s: %zu boxes, score within %.4f, box within %.3f px; forward %.1f ms, decode %.3f ms\n",
           result->model, picture, wanted_count, (double)worst_score, (double)worst_px,
           (double)result->forward_ns / 1e6, (double)result->decode_ns / 1e6);
    ck_assert_float_le(worst_score, 0.01f);
    ck_assert_float_le(worst_px, 0.5f);
    ck_assert_int_gt(result->forward_ns, result->decode_ns);
    ck_assert_int_gt(result->preprocess_ns, 0);
    vd_future_unref(&future);
    vd_frame_unref(&frame);
    vd_detector_free(&detector);
    free(text);
}

START_TEST(boxes_are_those_of_the_untouched_model)
{
    assert_expected("models/yolov8n-320.onnx", "models/bus-320.png", "models/yolov8n-320.expected.json");
    assert_expected("models/yolov8n-320.onnx", "models/zidane-320.png",
                    "models/yolov8n-320.zidane.expected.json");
}
END_TEST

/* The best overlap of an object with what was found under its name. */
static float best_overlap(const vd_result *result, const vd_detection *found, size_t count,
                          const struct wanted *object)
{
    float best = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = vd_labels_name(result->labels, found[i].class_id);
        if (strcmp(name, object->name) == 0 || strcmp(name, object->also_name) == 0)
            best = fmaxf(best, fmaxf(vd_box_iou(&found[i].box, &object->box),
                                     vd_box_iou(&found[i].box, &object->also_box)));
    }
    return best;
}

/* One photograph: counts the clear objects, and those of them that are found with an IoU of at least 0.5. */
static void look_at_photo(vd_detector *detector, const char *text, const char *end, int *clear,
                          int *found_clear)
{
    static struct wanted wanted[MAX_WANTED];
    static vd_detection found[VD_MAX_DETECTIONS];
    char name[64] = "", file[128], path[512];
    ck_assert_int_eq(sscanf(text, "\"file\":\"%63[^\"]\"", name), 1);
    snprintf(file, sizeof file, "photos/%s", name);
    ck_assert_ptr_nonnull(shared(file, path));
    size_t wanted_count = read_wanted(text, end, wanted);
    vd_frame *frame = read_picture(path);
    vd_future *future = detect(detector, frame);
    size_t count = select_default(future, found);
    for (size_t i = 0; i < wanted_count; i++) {
        float overlap = best_overlap(vd_future_value(future), found, count, &wanted[i]);
        if (!wanted[i].clear)
            continue;
        *clear += 1;
        *found_clear += overlap >= 0.5f;
        if (overlap < 0.8f)
            printf("%s: %s IoU %.2f\n", name, wanted[i].name, (double)overlap);
        if (strcmp(name, "bus.jpg") == 0)
            ck_assert_float_ge(overlap, 0.8f);
    }
    vd_future_unref(&future);
    vd_frame_unref(&frame);
}

START_TEST(what_people_see_is_found)
{
    char model_path[512], expected_path[512];
    if (!shared("models/yolov8n-320.onnx", model_path) || !shared("photos/expected.json", expected_path))
        return;
    char *text = read_text(expected_path);
    vd_detector *detector = open_model(model_path, 1);
    int clear = 0, found_clear = 0;
    for (const char *at = text; (at = strstr(at, "\"file\":")); at++) {
        const char *end = strstr(at, "}]}");
        ck_assert_ptr_nonnull(end);
        look_at_photo(detector, at, end, &clear, &found_clear);
    }
    printf("photos: %d of %d clear objects found\n", found_clear, clear);
    ck_assert_int_eq(clear, 32);
    ck_assert_int_ge(found_clear, 30); /* as many as the untouched model finds */
    vd_detector_free(&detector);
    free(text);
}
END_TEST

START_TEST(workers_agree)
{
    enum { PICTURES = 6 };
    char model_path[512], picture_path[512];
    if (!shared("models/yolov8n-320.onnx", model_path) || !shared("models/bus-320.png", picture_path))
        return;
    vd_detector *detector = open_model(model_path, 2);
    ck_assert_int_eq(vd_detector_get_stats(detector).workers, 2);
    vd_frame *frame = read_picture(picture_path);
    vd_future *futures[PICTURES];
    for (int i = 0; i < PICTURES; i++)
        ck_assert_int_eq(vd_detector_submit_frame(detector, frame, VD_PRIORITY_INTERACTIVE, &futures[i]),
                         VD_OK);
    for (int i = 0; i < PICTURES; i++) {
        ck_assert_int_eq(vd_future_wait(futures[i], -1), VD_OK);
        static vd_detection first[VD_MAX_DETECTIONS], other[VD_MAX_DETECTIONS];
        size_t count = select_default(futures[0], first);
        ck_assert_uint_eq(select_default(futures[i], other), count);
        ck_assert_int_eq(memcmp(first, other, count * sizeof *first), 0);
    }
    for (int i = 0; i < PICTURES; i++)
        vd_future_unref(&futures[i]);
    vd_frame_unref(&frame);
    vd_detector_free(&detector);
}
END_TEST

/* --- One pass for several pictures */

enum { BATCH = 4 };

/* A worker's state for a model that takes a batch, without a detector around it. */
static void *open_state(const char *path, int batch, vd_model **ret_model, vd_network_config *config,
                        vd_detector_ops *ret_ops)
{
    const vd_model_options options = {.batch = batch};
    vd_error error = {0};
    vd_labels *labels = NULL;
    void *state = NULL;
    ck_assert_msg(vd_model_read(path, &options, ret_model, &error) == VD_OK, "%s", error.text);
    *config = (vd_network_config){.model = *ret_model};
    *ret_ops = vd_network_ops_for(*ret_model);
    ck_assert_msg(ret_ops->open(config, &state, &labels, &error) == VD_OK, "%s", error.text);
    vd_labels_unref(&labels);
    return state;
}

/* The picture, the one turned by half a circle, and the picture again. */
static void make_pictures(const vd_image *image, vd_image *turned, const vd_image *ret_images[BATCH])
{
    *turned = *image;
    for (int p = 0; p < 3; p++) {
        int height = p ? (image->height + 1) / 2 : image->height;
        turned->planes[p] = calloc((size_t)height, (size_t)image->strides[p]);
        ck_assert_ptr_nonnull(turned->planes[p]);
    }
    ck_assert_int_eq(vd_convert_rotate(image, 180, turned), VD_OK);
    ret_images[0] = ret_images[2] = ret_images[3] = image;
    ret_images[1] = turned;
}

static void assert_alike(const vd_result *one, const vd_result *other)
{
    ck_assert_uint_eq(one->count, other->count);
    ck_assert_int_eq(one->input_width, other->input_width);
    ck_assert_int_gt(one->forward_ns, 0);
    for (size_t i = 0; i < one->count; i++) {
        ck_assert_int_eq(one->candidates[i].class_id, other->candidates[i].class_id);
        ck_assert_float_eq_tol(one->candidates[i].score, other->candidates[i].score, 1e-4f);
        ck_assert_float_eq_tol(one->candidates[i].box.x1, other->candidates[i].box.x1, 0.01f);
        ck_assert_float_eq_tol(one->candidates[i].box.y2, other->candidates[i].box.y2, 0.01f);
    }
}

START_TEST(a_batch_gives_each_picture_its_own)
{
    static vd_result alone[BATCH], together[BATCH];
    char model_path[512], picture_path[512];
    if (!shared("models/graphs/v8-dynamic.onnx", model_path) ||
        !shared("models/graphs/bus-160.png", picture_path))
        return;
    vd_frame *frame = read_picture(picture_path);
    const vd_image *images[BATCH];
    vd_image turned;
    vd_model *models[2] = {0};
    vd_network_config configs[2];
    vd_detector_ops ops[2];
    make_pictures(vd_frame_get_image(frame), &turned, images);
    void *one = open_state(model_path, 1, &models[0], &configs[0], &ops[0]);
    void *four = open_state(model_path, BATCH, &models[1], &configs[1], &ops[1]);
    ck_assert_ptr_null(ops[0].detect_batch);
    ck_assert_ptr_nonnull(ops[1].detect_batch);
    ck_assert_int_eq(ops[1].max_batch, BATCH);
    vd_result *results[BATCH];
    for (int i = 0; i < BATCH; i++) {
        alone[i].floor = together[i].floor = 0.25f;
        results[i] = &together[i];
        ck_assert_int_eq(ops[0].detect(one, images[i], &alone[i], NULL), VD_OK);
    }
    ck_assert_uint_gt(alone[0].count, 20);
    ck_assert(alone[0].count != alone[1].count ||
              memcmp(&alone[0].candidates[0], &alone[1].candidates[0], sizeof(vd_detection)) != 0);
    for (size_t count = 1; count <= BATCH; count++) { /* short chunks as well */
        ck_assert_int_eq(ops[1].detect_batch(four, images, results, count, NULL), VD_OK);
        for (size_t i = 0; i < count; i++)
            assert_alike(&together[i], &alone[i]);
    }
    ck_assert_int_eq(ops[1].detect(four, images[1], results[0], NULL), VD_OK);
    assert_alike(results[0], &alone[1]);
    ops[0].close(one);
    ops[1].close(four);
    vd_model_free(&models[0]);
    vd_model_free(&models[1]);
    for (int p = 0; p < 3; p++)
        free(turned.planes[p]);
    vd_frame_unref(&frame);
}
END_TEST

/* --- What computes */

/* Whatever the device: it works, and the detector says what computes. */
START_TEST(a_device_that_is_not_there_costs_nothing_but_a_word)
{
    static const char *const devices[] = {"cpu", "opencl", "cuda", "openvino"};
    char model_path[512], picture_path[512];
    if (!shared("models/graphs/v8.onnx", model_path) || !shared("models/graphs/bus-160.png", picture_path))
        return;
    vd_frame *frame = read_picture(picture_path);
    for (int i = 0; i < 4; i++) {
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        vd_detector *detector = NULL;
        vd_error error = {0};
        static vd_detection found[VD_MAX_DETECTIONS];
        options.model = model_path;
        options.max_workers = 1;
        options.device = devices[i];
        ck_assert_msg(vd_detector_new(&options, &detector, &error) == VD_OK, "%s", error.text);
        vd_future *future = detect(detector, frame);
        ck_assert_uint_eq(select_default(future, found), 30);
        const char *engine = vd_detector_engine(detector);
        printf("%s: %s\n", devices[i], engine);
        ck_assert_uint_gt(strlen(engine), 5);
        if (i > 0)
            ck_assert_msg(strcasestr(engine, devices[i]) != NULL, "%s", engine);
        vd_future_unref(&future);
        vd_detector_free(&detector);
    }
    vd_frame_unref(&frame);
}
END_TEST

START_TEST(half_of_the_bits_give_the_same_objects)
{
    char model_path[512], picture_path[512];
    if (!shared("models/yolov8n-320.onnx", model_path) || !shared("models/bus-320.png", picture_path))
        return;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_detector *detector = NULL;
    vd_error error = {0};
    options.model = model_path;
    options.max_workers = 1;
    options.precision = VD_PRECISION_BF16;
    int code = vd_detector_new(&options, &detector, &error);
    if (!vd_engine_has(VD_PRECISION_BF16)) {
        ck_assert_int_eq(code, VD_EUNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.text, "bf16"));
        return;
    }
    ck_assert_msg(code == VD_OK, "%s", error.text);
    static vd_detection found[VD_MAX_DETECTIONS];
    const vd_box bus = {41.6f, 67.5f, 276.6f, 223.0f};
    vd_frame *frame = read_picture(picture_path);
    vd_future *future = detect(detector, frame);
    size_t count = select_default(future, found);
    float best = 0;
    for (size_t i = 0; i < count; i++)
        best = fmaxf(best, found[i].class_id == 5 ? vd_box_iou(&found[i].box, &bus) : 0);
    printf("bf16: %zu boxes, bus at IoU %.3f, %s\n", count, (double)best, vd_detector_engine(detector));
    ck_assert_uint_ge(count, 4);
    ck_assert_float_ge(best, 0.9f);
    vd_future_unref(&future);
    vd_frame_unref(&frame);
    vd_detector_free(&detector);
}
END_TEST

START_TEST(what_cannot_be_used_is_refused)
{
    static const char *const files[] = {"models",
                                        "models/graphs/v8-cls.onnx",
                                        "models/families/refused/empty.onnx",
                                        "models/families/refused/text.onnx",
                                        "models/families/refused/html_page.onnx",
                                        "models/families/refused/truncated_60percent.onnx",
                                        "models/families/refused/zip.onnx",
                                        "models/families/refused/classifier_gray28_11.onnx",
                                        "models/families/refused/superres_espcn_224.onnx"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512];
        if (!shared(files[i], path))
            continue;
        vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
        options.model = path;
        vd_detector *detector = NULL;
        vd_error error = {0};
        ck_assert_msg(vd_detector_new(&options, &detector, &error) < 0, "%s was not refused", path);
        ck_assert_ptr_null(detector);
        ck_assert_int_lt(error.code, 0);
        size_t length = strlen(error.text);
        ck_assert_msg(length > 10 && error.text[length - 1] == '.' && !strchr(error.text, '\n'), "%s: %s",
                      path, error.text);
    }
}
END_TEST

START_TEST(people_are_found_without_a_file)
{
    char path[512];
    if (!shared("photos/person.jpg", path))
        return;
    static vd_detection found[VD_MAX_DETECTIONS];
    const vd_box person = {190, 97, 275, 371};
    vd_detector *detector = open_model("builtin:people", 1);
    vd_frame *frame = read_picture(path);
    vd_future *future = detect(detector, frame);
    size_t count = select_default(future, found);
    float best = 0;
    for (size_t i = 0; i < count; i++)
        best = fmaxf(best, vd_box_iou(&found[i].box, &person));
    const vd_result *result = vd_future_value(future);
    printf("builtin:people on person.jpg: %zu found, IoU %.2f, %.1f ms\n", count, (double)best,
           (double)result->forward_ns / 1e6);
    ck_assert_float_ge(best, 0.5f);
    vd_future_unref(&future);
    vd_frame_unref(&frame);
    vd_detector_free(&detector);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("network");
    TCase *tests = tcase_create("network");
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, boxes_are_those_of_the_untouched_model);
    tcase_add_test(tests, what_people_see_is_found);
    tcase_add_test(tests, workers_agree);
    tcase_add_test(tests, a_batch_gives_each_picture_its_own);
    tcase_add_test(tests, a_device_that_is_not_there_costs_nothing_but_a_word);
    tcase_add_test(tests, half_of_the_bits_give_the_same_objects);
    tcase_add_test(tests, what_cannot_be_used_is_refused);
    tcase_add_test(tests, people_are_found_without_a_file);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
