/* A stage-2 verifier: a network that looks at a clip around what a detector found and says whether it is
 * real. The file is read as a detector's is (model/model.h), checked and rewritten for OpenCV and for plans;
 * its form is told from the graph and the metadata, never from the file's name.
 *
 * Metadata that counts, all of it optional: vedette.task (`verify`), vedette.frames (pictures of a clip,
 * where the file leaves that open), vedette.output (`probability` or `logit`). */
#ifndef VD_MODEL_VERIFIER_H
#define VD_MODEL_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VD_VERIFIER_FRAMES = 16, /* of a clip, and the side of a picture, where the file leaves them open */
    VD_VERIFIER_SIDE = 224,
    VD_VERIFIER_MOST_FRAMES = 64,
    VD_VERIFIER_LEAST_SIDE = 32,
    VD_VERIFIER_MOST_SIDE = 512
};

/* How a clip of T pictures with C channels lies in the input. */
typedef enum vd_clip_layout {
    VD_CLIP_STACKED = 1, /* [1, T · C, H, W]: picture by picture */
    VD_CLIP_DEEP,        /* [1, C, T, H, W]: channel by channel */
    VD_CLIP_BATCH        /* [T, C, H, W] */
} vd_clip_layout;

typedef struct vd_verifier_form {
    vd_clip_layout layout;
    int frames;        /* 2 to VD_VERIFIER_MOST_FRAMES */
    int width, height; /* pixels, VD_VERIFIER_LEAST_SIDE to VD_VERIFIER_MOST_SIDE */
    int answers;       /* 1: how likely it is real; 2: rejected, verified */
    bool probability;  /* answers are 0 to 1; else logits */
} vd_verifier_form;

/* True when the file's metadata calls it a verifier: what a detector's reader refuses by name. */
bool vd_verifier_is_named(const char *task);

/* Reads a verifier from an ONNX file (at most 2 GiB), ready for vd_net_new, with its plan.
 *
 * ret_model  its input is the clip (model->input_rank), it has no family and no classes; vd_model_free
 * Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (error->text is the one-line refusal), VD_EIO or VD_ENOMEM. Any
 * thread; takes tens of milliseconds. */
int vd_model_read_verifier(const char *path, vd_verifier_form *ret_form, vd_model **ret_model,
                           vd_error *error);

/* Writes picture `number` of a clip, width × height pixels RGB without gaps, into the network's input:
 * colours as shares, 0 to 1. `number` is below form->frames. */
void vd_verifier_feed(const vd_verifier_form *form, int number, const uint8_t *rgb, float *tensor);

/* How likely it is real, 0 to 1, from the network's output; 0 when that is not a number. Of two probabilities
 * the second; of two logits its share after softmax. */
float vd_verifier_answer(const vd_verifier_form *form, const float *output);

#ifdef __cplusplus
}
#endif
#endif
