/* What the scene's tests share: a scene from its address, pictures, and what a picture comes down to. */
#ifndef TESTS_UNIT_SCENE_CASE_H
#define TESTS_UNIT_SCENE_CASE_H

#include <stdint.h>
#include <stdlib.h>

#include "check_main.h"
#include "scene/scene.h"

static inline vd_scene *make_scene(const char *text)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    vd_scene *scene = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_scene_parse(text, &options, &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_scene_new(&options, &scene, &error) == VD_OK, "%s", error.text);
    return scene;
}

/* Rows have something behind them. To be freed: planes[0]. */
static inline vd_image make_image(int width, int height)
{
    int stride = 4 * width + 32;
    uint8_t *memory = calloc((size_t)height, (size_t)stride);
    ck_assert_ptr_nonnull(memory);
    return (vd_image){
        .format = VD_PIXEL_BGRX, .width = width, .height = height, .planes = {memory}, .strides = {stride}};
}

static inline uint64_t hash_image(const vd_image *image)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
        for (int x = 0; x < 4 * image->width; x++)
            hash = (hash ^ (x % 4 == 3 ? 0 : row[x])) * UINT64_C(1099511628211);
    }
    return hash;
}

#endif
