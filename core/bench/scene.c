/* Windows of scenes through detector and verifier. */
#include "bench/scene.h"

#include <stdlib.h>
#include <string.h>

#include "scene/scene.h"
#include "scene/world.h"

/* The number of a choice that a seed makes here, apart from those of the scene. */
enum { OF_WINDOW = 8000, LAST_START = 900 };

struct bench {
    const vd_bench_scene_options *options;
    vd_detector *detector;
    vd_image full;
    scene_view view;
    scene_count count;
    scene_verify verify;
    int64_t number;
    vd_bench_scene_figures figures;
};

const char *vd_bench_scene_view(int view)
{
    static const char *const names[VD_BENCH_SCENE_VIEWS] = {"vehicle, day", "vehicle, night", "pole, day",
                                                            "pole, night"};
    return names[view];
}

vd_scene_options scene_options_of(int64_t seed)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    options.seed = (unsigned)seed;
    options.night = seed % 2 == 1;
    options.from_pole = seed / 2 % 2 == 1;
    return options;
}

static int look(struct bench *bench, vd_scene *scene, int64_t frame, vd_result **ret_result, vd_error *error)
{
    static const vd_thresholds thresholds = {
        .confidence = SCENE_FLOOR, .iou = 0.45f, .max_detections = VD_MAX_DETECTIONS};
    scene_view *view = &bench->view;
    int code = vd_scene_render(scene, frame, &bench->full);
    if (code)
        return vd_error_set(error, code, NULL, "The scene cannot be rendered.");
    code = vd_detector_detect(bench->detector, &bench->full, ret_result, error);
    if (code)
        return code;
    view->found_count = vd_result_select(*ret_result, &thresholds, view->found);
    view->object_count = vd_scene_truth(scene, frame, view->objects, VD_SCENE_OBJECTS_MOST);
    for (size_t i = 0; i < view->found_count; i++)
        view->found_boxes[i] =
            scene_box_of(&view->found[i].box, view->found[i].score, view->found[i].class_id);
    for (size_t i = 0; i < view->object_count; i++)
        view->object_boxes[i] = scene_box_of(&view->objects[i].box, 1, (int)view->objects[i].kind);
    return VD_OK;
}

static int hand_over(struct bench *bench, const char *source, double time_s, const vd_result *result)
{
    const scene_view *view = &bench->view;
    const vd_bench_scene_frame frame = {.source = source,
                                        .number = bench->number,
                                        .time_s = time_s,
                                        .result = result,
                                        .detections = view->found,
                                        .detection_count = view->found_count,
                                        .objects = view->objects,
                                        .object_count = view->object_count};
    return bench->options->take ? bench->options->take(bench->options->context, &frame) : VD_OK;
}

static int add_frame(struct bench *bench, vd_scene *scene, const vd_scene_options *options, int64_t frame,
                     vd_error *error)
{
    char address[VD_SCENE_ADDRESS];
    vd_result *result = NULL;
    int at = (int)(options->seed % VD_BENCH_SCENE_VIEWS);
    int code = look(bench, scene, frame, &result, error);
    if (code == VD_OK) {
        vd_scene_address(options, address);
        code = hand_over(bench, address, (double)frame / options->frames_per_s, result);
    }
    if (code == VD_OK && scene_count_add(&bench->count, &bench->view, at, &bench->figures) != VD_OK)
        code = vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the figures.");
    if (code == VD_OK)
        code = scene_verify_note(&bench->verify, &bench->view, &bench->full, error);
    bench->number++;
    vd_result_unref(&result);
    return code;
}

static int run_window(struct bench *bench, int64_t seed, vd_error *error)
{
    vd_scene_options options = scene_options_of(seed);
    vd_scene *scene = NULL;
    int64_t start = (int64_t)vd_random_between((uint64_t)seed, OF_WINDOW, 0, 0, LAST_START);
    int code = vd_scene_new(&options, &scene, error);
    scene_verify_begin(&bench->verify);
    for (int i = 0; i < SCENE_FRAMES && code == VD_OK; i++) {
        if (bench->options->sparse && scene_verify_moment(&bench->verify, i) < 0)
            continue;
        bench->view.index = i;
        code = vd_cancel_requested(bench->options->cancel)
                   ? vd_error_set(error, VD_ECANCELED, NULL, "Cancelled.")
                   : add_frame(bench, scene, &options, start + i, error);
    }
    if (code == VD_OK)
        code = scene_verify_judge(&bench->verify, (int)(seed % VD_BENCH_SCENE_VIEWS), &bench->figures, error);
    vd_scene_free(&scene);
    return code;
}

static int make(struct bench *bench, vd_error *error)
{
    const vd_scene_options usual = VD_SCENE_OPTIONS_INIT;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = bench->options->detector;
    options.max_workers = 1;
    options.floor = SCENE_FLOOR;
    bench->full = (vd_image){.format = VD_PIXEL_BGRX, .width = usual.width, .height = usual.height};
    bench->full.strides[0] = usual.width * 4;
    bench->full.planes[0] = malloc((size_t)usual.width * (size_t)usual.height * 4);
    if (!bench->full.planes[0] || scene_count_init(&bench->count) != VD_OK)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the pictures.");
    int code = vd_detector_new(&options, &bench->detector, error);
    return code ? code
                : scene_verify_init(&bench->verify, bench->options->verifier, usual.width, usual.height,
                                    error);
}

static void clear(struct bench *bench)
{
    vd_detector_free(&bench->detector);
    scene_verify_clear(&bench->verify);
    scene_count_clear(&bench->count);
    free(bench->full.planes[0]);
    free(bench);
}

int vd_bench_scene(const vd_bench_scene_options *options, vd_bench_scene_figures *ret_figures,
                   vd_error *error)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (!bench)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the pictures.");
    bench->options = options;
    int code = make(bench, error);
    for (int i = 0; i < options->seeds && code == VD_OK; i++)
        code = run_window(bench, options->first_seed + i, error);
    if (code == VD_OK && (scene_count_finish(&bench->count, &bench->figures) != VD_OK ||
                          scene_verify_finish(&bench->verify, &bench->figures) != VD_OK))
        code = vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the figures.");
    bench->figures.frames = bench->number;
    if (code == VD_OK)
        *ret_figures = bench->figures;
    clear(bench);
    return code;
}
