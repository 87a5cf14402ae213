/* One detector for each input size of the quality steps. */
#include <stdlib.h>
#include <string.h>

#include "base/cores.h"
#include "base/text.h"
#include "serve/work_state.h"
#include "vedette/app/model_info.h"
#include "vedette/app/models.h"

enum { MOST_WORKERS = 4, USUAL_STRIDE = 32, PROBE_WIDTH = 64, PROBE_HEIGHT = 48 };

static const double sizes[VD_WORK_SIZES] = {1, 0.75, 0.5};

/* How a detector is made, and what is known of its input. */
struct opener {
    const vd_serve_options *options;
    char path[VD_MODEL_PATH];
    int width, height, stride; /* of the model; 0: no input to choose */
};

int vd_work_size_for(const vd_work *work, vd_quality_mode mode, int level)
{
    double size = vd_quality_step_of(mode, level).size;
    for (int i = VD_WORK_SIZES - 1; i > 0; i--)
        if (size <= sizes[i])
            return work->size_of[i];
    return work->size_of[0];
}

static int usual_workers(void)
{
    int cores = vd_cores_usable();
    return cores < MOST_WORKERS ? cores : MOST_WORKERS;
}

static int open_detector(const struct opener *opener, int width, int height, vd_detector **ret_detector,
                         vd_error *error)
{
    const vd_serve_options *given = opener->options;
    if (given->open_detector)
        return given->open_detector(given->context, width, height, ret_detector, error);
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = opener->path;
    options.labels = given->labels && *given->labels ? given->labels : NULL;
    options.precision = given->precision;
    options.device = given->device && *given->device ? given->device : NULL;
    options.max_workers = given->max_workers > 0 ? given->max_workers : usual_workers();
    options.input_width = width;
    options.input_height = height;
    return vd_detector_new(&options, ret_detector, error);
}

/* --- The model's own size */

static int find_model(struct opener *opener, vd_error *error)
{
    const char *model = opener->options->model;
    if (model && *model)
        return vd_model_find(model, opener->path, error);
    if (vd_model_find(VD_MODEL_DEMO, opener->path, NULL) != VD_OK)
        vd_text_copy(opener->path, sizeof opener->path, "builtin:people");
    return VD_OK;
}

static int describe_model(struct opener *opener, vd_error *error)
{
    vd_model_info info;
    opener->stride = USUAL_STRIDE;
    if (strncmp(opener->path, "builtin:", 8) == 0)
        return VD_OK;
    const char *labels = opener->options->labels;
    int code = vd_model_describe(opener->path, labels && *labels ? labels : NULL, 0, 0, &info, error);
    if (code)
        return code;
    opener->width = info.input_width;
    opener->height = info.input_height;
    /* Never less than the usual one: maps in between may be coarser than any grid of boxes. */
    for (int i = 0; i < info.level_count; i++)
        if (info.levels[i].stride > opener->stride)
            opener->stride = info.levels[i].stride;
    vd_model_info_clear(&info);
    return VD_OK;
}

/* A detector that somebody else makes is asked by letting it look at something grey. */
static int ask_detector(struct opener *opener, vd_detector *detector, vd_error *error)
{
    static uint8_t pixels[PROBE_WIDTH * PROBE_HEIGHT];
    vd_image image = {.format = VD_PIXEL_GREY,
                      .width = PROBE_WIDTH,
                      .height = PROBE_HEIGHT,
                      .planes = {pixels},
                      .strides = {PROBE_WIDTH}};
    vd_result *result = NULL;
    int code = vd_detector_detect(detector, &image, &result, error);
    if (code)
        return code;
    opener->stride = USUAL_STRIDE;
    opener->width = result->input_width;
    opener->height = result->input_height;
    vd_result_unref(&result);
    return VD_OK;
}

/* --- All sizes */

static int add_detector(vd_work *work, const struct opener *opener, int width, int height, vd_error *error)
{
    int i = work->size_count, code = open_detector(opener, width, height, &work->detectors[i], error);
    if (code)
        return code;
    work->widths[i] = width;
    work->heights[i] = height;
    work->size_count++;
    return VD_OK;
}

/* The next smaller size: VD_OK also where the model cannot run at it. */
static int add_size(vd_work *work, const struct opener *opener, int number, vd_error *error)
{
    int last = work->size_count - 1;
    int width = vd_quality_side(opener->width, opener->stride, sizes[number]);
    int height = vd_quality_side(opener->height, opener->stride, sizes[number]);
    int code = VD_OK;
    if (opener->width > 0 && (width != work->widths[last] || height != work->heights[last]))
        code = add_detector(work, opener, width, height, error);
    work->size_of[number] = work->size_count - 1;
    return code == VD_ENOMEM ? code : VD_OK;
}

static void count_workers(vd_work *work)
{
    for (int i = 0; i < work->size_count; i++) {
        int workers = vd_detector_get_stats(work->detectors[i]).workers;
        if (i == 0 || workers < work->workers)
            work->workers = workers;
    }
    work->workers = work->workers > 0 ? work->workers : 1;
    work->cores = vd_cores_usable();
}

int vd_work_open_models(vd_work *work, const vd_serve_options *options, vd_error *error)
{
    struct opener *opener = calloc(1, sizeof *opener);
    if (!opener)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the model.");
    opener->options = options;
    int code = options->open_detector ? VD_OK : find_model(opener, error);
    if (code == VD_OK && !options->open_detector)
        code = describe_model(opener, error);
    if (code == VD_OK)
        code = add_detector(work, opener, 0, 0, error);
    if (code == VD_OK && options->open_detector)
        code = ask_detector(opener, work->detectors[0], error);
    if (code == VD_OK) {
        work->widths[0] = opener->width;
        work->heights[0] = opener->height;
    }
    for (int i = 1; i < VD_WORK_SIZES && code == VD_OK; i++)
        code = add_size(work, opener, i, error);
    if (code == VD_OK)
        count_workers(work);
    free(opener);
    return code;
}

void vd_work_close_models(vd_work *work)
{
    /* One's worker may just be handing a picture to another: all are ended before the first is freed. */
    for (int i = 0; i < work->size_count; i++)
        vd_detector_shutdown(work->detectors[i], VD_SHUTDOWN_CANCEL);
    for (int i = 0; i < work->size_count; i++)
        vd_detector_free(&work->detectors[i]);
}
