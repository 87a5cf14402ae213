#include <stdlib.h>

#include "base/clock.h"
#include "media/av_version.h"
#include "scene/scene.h"
#include "vedette/app/bench.h"
#include "vedette/app/encoder.h"

const char *vd_bench_ffmpeg_version(void)
{
    return vd_av_version();
}

static int render_all(vd_scene *scene, vd_encoder *encoder, const vd_image *picture, int frames,
                      double frames_per_s, vd_error *error)
{
    int code = VD_OK;
    for (int i = 0; i < frames && code == VD_OK; i++) {
        code = vd_scene_render(scene, i, picture);
        if (code)
            vd_error_set(error, code, "demo:", "The demonstration could not be drawn.");
        else
            code =
                vd_encoder_write(encoder, picture, (int64_t)(i * (double)VD_NS_PER_S / frames_per_s), error);
    }
    return code;
}

int vd_bench_write_clip(const char *path, int width, int height, int frames, unsigned seed, vd_error *error)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    vd_encoder_options encoding = VD_ENCODER_OPTIONS_INIT;
    vd_scene *scene = NULL;
    vd_encoder *encoder = NULL;
    options.width = encoding.width = width;
    options.height = encoding.height = height;
    options.seed = seed;
    encoding.frames_per_s = options.frames_per_s;
    vd_image picture = {.format = VD_PIXEL_BGRX, .width = width, .height = height, .strides = {4 * width}};
    int code = vd_scene_new(&options, &scene, error);
    if (code)
        return code;
    picture.planes[0] = malloc((size_t)width * (size_t)height * 4);
    if (!picture.planes[0])
        code = vd_error_set(error, VD_ENOMEM, path, "There is not enough memory for a picture.");
    if (code == VD_OK)
        code = vd_encoder_open(path, &encoding, &encoder, error);
    if (code == VD_OK) {
        code = render_all(scene, encoder, &picture, frames, options.frames_per_s, error);
        int closed = vd_encoder_close(&encoder, code ? NULL : error);
        code = code ? code : closed;
    }
    free(picture.planes[0]);
    vd_scene_free(&scene);
    return code;
}
