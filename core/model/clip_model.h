/* Verifiers: networks that look at a short clip and say how sure they are that it shows what it is said to.
 *
 * Nothing in the file is trusted, as in model.h. */
#ifndef VD_MODEL_CLIP_MODEL_H
#define VD_MODEL_CLIP_MODEL_H

#include "model/model.h"

/* How the pictures of a clip lie in the input; all are told from its extents. */
typedef enum vd_clip_form {
    VD_CLIP_STACKED,  /* [N, T·3, H, W]: RGB of the first picture, then of the second, … */
    VD_CLIP_PICTURES, /* [T, 3, H, W]: the same in memory, one clip a pass */
    VD_CLIP_PLANES    /* [N, 3, T, H, W]: red of all pictures, then green, then blue */
} vd_clip_form;

typedef enum vd_clip_output {
    VD_CLIP_LOGIT,        /* one number; the sigmoid is the score */
    VD_CLIP_LOGITS,       /* (rejected, verified); the softmax's second is the score */
    VD_CLIP_PROBABILITY,  /* one, 0 to 1 */
    VD_CLIP_PROBABILITIES /* (rejected, verified) */
} vd_clip_output;

typedef struct vd_clip_model {
    vd_model *model; /* for vd_net_new; batch: clips of one pass */
    vd_clip_form form;
    vd_clip_output output;
    int frames, width, height;
    float mean[3],
        scale[3];       /* (value − mean) · scale of values 0 to 255, RGB; 0 and 1/255 unless the metadata
                           keys `vedette.mean` and `vedette.scale` say otherwise (one number or three) */
    bool batch_is_free; /* the file leaves N open */
} vd_clip_model;

/* Reads an ONNX file.
 *
 * What the output is says the metadata key `vedette.output` (logit, logits, probability, probabilities), else
 * the network's last operation: behind a Sigmoid or Softmax stand probabilities.
 *
 * frames, width, height  as the settings have them; what the file fixes must be the same
 * batch                  clips of one pass; more than 1 needs a file that leaves N open
 * Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (with the one-line refusal), VD_EINVAL (sizes that do not meet),
 * VD_EIO or VD_ENOMEM. Any thread. */
int vd_clip_model_read(const char *path, int frames, int width, int height, int batch,
                       vd_clip_model *ret_model, vd_error *error);
void vd_clip_model_clear(vd_clip_model *model);

/* The score of clip `index` of a pass, 0 to 1, from what the network gave.
 * VD_OK, or VD_EFORMAT where that is no number or no probability. */
int vd_clip_model_score(const vd_clip_model *model, const float *output, int index, float *ret_score,
                        vd_error *error);

/* Writes a clip (frames × height × width × RGB, bytes) as the network's input wants it. */
void vd_clip_model_feed(const vd_clip_model *model, const uint8_t *rgb, int index, float *tensor);

#endif
