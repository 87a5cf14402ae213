/* The scene as a file, with what is on every picture of it. */
#include <stdlib.h>

#include "base/clock.h"
#include "scene/marks.h"
#include "scene/scene.h"
#include "vedette/app/encoder.h"

_Static_assert((int)VD_SCENE_OBJECTS_MOST >= (int)VD_MARKS_MOST, "every mark of a frame has room");

static int check(const vd_scene_clip *clip, vd_error *error)
{
    int code = vd_scene_options_validate(&clip->scene, error);
    if (code != VD_OK)
        return code;
    if (clip->scene.width % 2 != 0 || clip->scene.height % 2 != 0)
        return vd_error_set(error, VD_EINVAL, clip->path,
                            "A clip of %d × %d pixels is not possible; both sides must be even.",
                            clip->scene.width, clip->scene.height);
    if (clip->frames < 1)
        return vd_error_set(error, VD_EINVAL, clip->path, "A clip has at least 1 frame.");
    return VD_OK;
}

static int tell_truth(const vd_scene_clip *clip, const vd_scene *scene, int64_t frame, vd_error *error)
{
    vd_scene_object objects[VD_SCENE_OBJECTS_MOST];
    if (!clip->take_truth)
        return VD_OK;
    size_t count = vd_scene_truth(scene, frame, objects, VD_SCENE_OBJECTS_MOST);
    int code =
        clip->take_truth(clip->context, frame, (double)frame / clip->scene.frames_per_s, objects, count);
    return code == VD_OK ? VD_OK
                         : vd_error_set(error, code, clip->path, "The scene's truth could not be written.");
}

static int write_frames(const vd_scene_clip *clip, vd_scene *scene, const vd_image *picture,
                        vd_encoder *encoder, vd_error *error)
{
    int code = VD_OK;
    for (int64_t i = 0; i < clip->frames && code == VD_OK; i++) {
        if (i > 0 && clip->cancel && vd_cancel_requested(clip->cancel))
            return vd_error_set(error, VD_ECANCELED, clip->path, "The clip was ended early.");
        code = vd_scene_render(scene, i, picture);
        if (code != VD_OK)
            return vd_error_set(error, code, clip->path, "There is not enough memory to draw the scene.");
        double time_s = (double)i / clip->scene.frames_per_s;
        code = vd_encoder_write(encoder, picture, (int64_t)(time_s * (double)VD_NS_PER_S), error);
        if (code == VD_OK)
            code = tell_truth(clip, scene, i, error);
    }
    return code;
}

static int write_file(const vd_scene_clip *clip, vd_scene *scene, const vd_image *picture, vd_error *error)
{
    vd_encoder_options encoding = VD_ENCODER_OPTIONS_INIT;
    vd_encoder *encoder = NULL;
    encoding.width = clip->scene.width;
    encoding.height = clip->scene.height;
    encoding.frames_per_s = clip->scene.frames_per_s;
    encoding.quality = clip->quality;
    int code = vd_encoder_open(clip->path, &encoding, &encoder, error);
    if (code != VD_OK)
        return code;
    code = write_frames(clip, scene, picture, encoder, error);
    bool whole = code == VD_OK || code == VD_ECANCELED;
    int closed = vd_encoder_close(&encoder, whole ? error : NULL);
    return whole && closed != VD_OK ? closed : code;
}

int vd_scene_write_clip(const vd_scene_clip *clip, vd_error *error)
{
    vd_scene *scene = NULL;
    int width = clip->scene.width, height = clip->scene.height;
    int code = check(clip, error);
    if (code == VD_OK)
        code = vd_scene_new(&clip->scene, &scene, error);
    if (code != VD_OK)
        return code;
    uint8_t *memory = malloc((size_t)width * (size_t)height * 4);
    if (memory) {
        vd_image picture = {.format = VD_PIXEL_BGRX,
                            .width = width,
                            .height = height,
                            .planes = {memory},
                            .strides = {4 * width}};
        code = write_file(clip, scene, &picture, error);
    } else {
        code = vd_error_set(error, VD_ENOMEM, clip->path, "There is not enough memory for a picture.");
    }
    free(memory);
    vd_scene_free(&scene);
    return code;
}
