#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "detect/kinds.h"
#include "engine/engine.h"
#include "frame/convert.h"
#include "vedette/detection.h"

enum { LONG_SIDE = 480 }; /* pixels: larger pictures are reduced to it, smaller ones left as they are */

/* One worker's state: one of the two engines, and the reduced picture. */
struct builtin {
    vd_hog *hog;
    vd_motion *motion;
    vd_filter filter;
    vd_scratch scratch;
    uint8_t *pixels; /* of the reduced picture, kept while the size stays */
    vd_image reduced;
};

static void close_builtin(void *state)
{
    struct builtin *builtin = state;
    vd_hog_free(&builtin->hog);
    vd_motion_free(&builtin->motion);
    vd_scratch_fini(&builtin->scratch);
    free(builtin->pixels);
    free(builtin);
}

static int name_class(const char *name, vd_labels **ret_labels, vd_error *error)
{
    if (vd_labels_new(&name, 1, ret_labels))
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the class names.");
    return VD_OK;
}

static int open_builtin(int is_motion, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    struct builtin *builtin = calloc(1, sizeof *builtin);
    if (!builtin)
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the detector.");
    /* Averaging while shrinking takes the noise out of what moves; people are found by their sharp edges. */
    builtin->filter = is_motion ? VD_FILTER_GOOD : VD_FILTER_LINEAR;
    int code = is_motion ? vd_motion_new(&builtin->motion, error) : vd_hog_new(&builtin->hog, error);
    if (code == VD_OK)
        code = name_class(is_motion ? "motion" : "person", ret_labels, error);
    if (code) {
        close_builtin(builtin);
        return code;
    }
    *ret_state = builtin;
    return VD_OK;
}

static int open_people(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    (void)config;
    return open_builtin(0, ret_state, ret_labels, error);
}

static int open_motion(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    (void)config;
    return open_builtin(1, ret_state, ret_labels, error);
}

static int reduced_side(int side, int longest)
{
    if (longest <= LONG_SIDE)
        return side;
    int reduced = (int)(((int64_t)side * LONG_SIDE + longest / 2) / longest);
    return reduced > 0 ? reduced : 1;
}

/* Makes room for the reduced picture when the size changed. */
static int fit_reduced(struct builtin *builtin, const vd_image *image, vd_error *error)
{
    int longest = image->width > image->height ? image->width : image->height;
    int width = reduced_side(image->width, longest), height = reduced_side(image->height, longest);
    if (builtin->pixels && builtin->reduced.width == width && builtin->reduced.height == height)
        return VD_OK;
    uint8_t *pixels = realloc(builtin->pixels, (size_t)width * (size_t)height * 4);
    if (!pixels)
        return vd_error_set(error, VD_ENOMEM, NULL,
                            "There was not enough memory for a picture of %d × %d pixels.", width, height);
    builtin->pixels = pixels;
    builtin->reduced = (vd_image){.format = VD_PIXEL_BGRX,
                                  .width = width,
                                  .height = height,
                                  .planes = {pixels},
                                  .strides = {4 * width}};
    return VD_OK;
}

static void scale_back(vd_result *result, const vd_image *image)
{
    float x = (float)image->width / (float)result->input_width;
    float y = (float)image->height / (float)result->input_height;
    for (size_t i = 0; i < result->count; i++) {
        vd_box *box = &result->candidates[i].box;
        *box = (vd_box){box->x1 * x, box->y1 * y, box->x2 * x, box->y2 * y};
    }
}

static int detect_builtin(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    struct builtin *builtin = state;
    int64_t start_ns = vd_clock_now_ns();
    int code = vd_image_validate(image, error);
    if (code == VD_OK)
        code = fit_reduced(builtin, image, error);
    if (code)
        return code;
    code = vd_convert_scale(image, builtin->filter, &builtin->scratch, &builtin->reduced);
    if (code)
        return vd_error_set(error, code, NULL, "The picture could not be made smaller for detection.");

    int64_t reduced_ns = vd_clock_now_ns();
    const vd_image *reduced = &builtin->reduced;
    if (builtin->motion)
        code = vd_motion_detect(builtin->motion, reduced, result->candidates, VD_MAX_CANDIDATES,
                                &result->count, error);
    else
        code = vd_hog_detect(builtin->hog, reduced, result->candidates, VD_MAX_CANDIDATES, &result->count,
                             error);
    if (code)
        return code;

    int64_t found_ns = vd_clock_now_ns();
    result->input_width = reduced->width;
    result->input_height = reduced->height;
    scale_back(result, image);
    result->preprocess_ns = reduced_ns - start_ns;
    result->forward_ns = found_ns - reduced_ns;
    result->decode_ns = vd_clock_now_ns() - found_ns;
    return VD_OK;
}

static void reset_motion(void *state)
{
    struct builtin *builtin = state;
    vd_motion_reset(builtin->motion);
}

static const vd_detector_ops people_ops = {
    .open = open_people, .detect = detect_builtin, .close = close_builtin, .name = "builtin:people"};

static const vd_detector_ops motion_ops = {.open = open_motion,
                                           .detect = detect_builtin,
                                           .reset = reset_motion,
                                           .close = close_builtin,
                                           .name = "builtin:motion",
                                           .ordered = 1};

int vd_builtin_find(const char *name, const vd_detector_ops **ret_ops, vd_error *error)
{
    if (strcmp(name, people_ops.name) == 0)
        *ret_ops = &people_ops;
    else if (strcmp(name, motion_ops.name) == 0)
        *ret_ops = &motion_ops;
    else
        return vd_error_set(error, VD_ENOTFOUND, name,
                            "There is no built-in detector named \"%s\"; there are %s and %s.", name,
                            people_ops.name, motion_ops.name);
    return VD_OK;
}
