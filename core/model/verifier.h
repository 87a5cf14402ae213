/* A stage-2 verifier: a network that looks at a clip around what a detector found and says whether it is
 * real. The file is read as a detector's is (model/model.h), checked and rewritten for OpenCV and for plans;
 * its form is told from the graph and the metadata, never from the file's name. Nothing in it is trusted.
 *
 * Metadata that counts, all of it optional (docs/models.md): vedette.task, vedette.frames, vedette.output,
 * vedette.mean, vedette.scale. */
#ifndef VD_MODEL_VERIFIER_H
#define VD_MODEL_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VD_VERIFIER_FRAMES = 16, /* of a clip, and the side of a picture, where nothing says otherwise */
    VD_VERIFIER_SIDE = 224,
    VD_VERIFIER_MOST_FRAMES = 64,
    VD_VERIFIER_LEAST_SIDE = 32,
    VD_VERIFIER_MOST_SIDE = 512,
    VD_VERIFIER_MOST_CLIPS = 16 /* of one pass */
};

/* How the T pictures of a clip lie in the input. */
typedef enum vd_clip_layout {
    VD_CLIP_STACKED,  /* [N, 3 T, H, W]: red, green, blue of the first picture, then of the second, … */
    VD_CLIP_PICTURES, /* [T, 3, H, W]: the same in memory, one clip a pass */
    VD_CLIP_PLANES    /* [N, 3, T, H, W]: red of all pictures, then green, then blue */
} vd_clip_layout;

/* What the network gives of a clip. */
typedef enum vd_verifier_output {
    VD_VERIFIER_LOGIT,        /* one number; the sigmoid is the score */
    VD_VERIFIER_LOGITS,       /* (rejected, verified); the softmax's second is the score */
    VD_VERIFIER_PROBABILITY,  /* one, 0 to 1 */
    VD_VERIFIER_PROBABILITIES /* (rejected, verified) */
} vd_verifier_output;

typedef struct vd_verifier_form {
    vd_clip_layout layout;
    vd_verifier_output output;
    int frames;        /* 2 to VD_VERIFIER_MOST_FRAMES */
    int width, height; /* pixels, VD_VERIFIER_LEAST_SIDE to VD_VERIFIER_MOST_SIDE */
    int clips;         /* of one pass */
    bool any_clips;    /* the file leaves open how many */
    float mean[3];     /* (value − mean) · scale of values 0 to 255, RGB: 0 and 1 / 255 */
    float scale[3];    /* unless the metadata says otherwise */
} vd_verifier_form;

/* What the settings want. What the file fixes must be the same; what it leaves open becomes so. */
typedef struct vd_verifier_wish {
    int frames;        /* 0: the file's, else vedette.frames, else VD_VERIFIER_FRAMES */
    int width, height; /* 0: the file's, else VD_VERIFIER_SIDE */
    int clips;         /* of one pass; 0 or 1: one. More (at most VD_VERIFIER_MOST_CLIPS) needs a file that
                          leaves it open */
} vd_verifier_wish;

/* True when the file's metadata calls it a verifier: what a detector's reader refuses by name. */
bool vd_verifier_is_named(const char *task);

/* Reads a verifier from an ONNX file (at most 2 GiB), ready for vd_net_new, with its plan.
 *
 * wish       NULL: all zero
 * ret_model  its input is the clip (model->input_rank), it has no family and no classes; vd_model_free
 * Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (error->text is the one-line refusal), VD_EINVAL (the sentence says
 * which settings the file does not meet), VD_EIO or VD_ENOMEM. Any thread; takes tens of milliseconds. */
int vd_model_read_verifier(const char *path, const vd_verifier_wish *wish, vd_verifier_form *ret_form,
                           vd_model **ret_model, vd_error *error);

/* The same for a file that lies in memory already, where it stays the caller's; `name` stands for its path in
 * the model's name and in errors. */
int vd_model_read_verifier_bytes(const uint8_t *bytes, size_t length, const char *name,
                                 const vd_verifier_wish *wish, vd_verifier_form *ret_form,
                                 vd_model **ret_model, vd_error *error);

/* Writes picture `number` of clip `clip`, width × height pixels RGB without gaps, into the network's input.
 * `number` is below form->frames, `clip` below form->clips. */
void vd_verifier_feed(const vd_verifier_form *form, int clip, int number, const uint8_t *rgb, float *tensor);

/* How likely clip `clip` of a pass is real, 0 to 1, from the network's output. VD_OK, or VD_EFORMAT where
 * that is no number, or said to be a probability and none. */
int vd_verifier_score(const vd_verifier_form *form, const float *output, int clip, float *ret_score,
                      vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
