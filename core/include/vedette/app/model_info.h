/* What a model file is, for people: read, checked, described, not run. */
#ifndef VEDETTE_APP_MODEL_INFO_H
#define VEDETTE_APP_MODEL_INFO_H

#include <stdbool.h>

#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_MODEL_INFO_NOTES = 24, VD_MODEL_INFO_OUTPUTS = 16, VD_MODEL_INFO_LEVELS = 6 };

typedef struct vd_model_info_output {
    char name[128];
    int extents[4]; /* the first `rank` are set */
    int rank;
} vd_model_info_output;

/* A grid of cells in which boxes are looked for. */
typedef struct vd_model_info_level {
    int stride, width, height; /* pixels of the input; cells */
} vd_model_info_level;

typedef struct vd_model_info {
    char name[64];           /* the file's name without folder and ending */
    char digest[65];         /* SHA-256 of the file, in hexadecimal */
    char format[32];         /* "ONNX", "Darknet", … */
    char family[96];         /* what kind of network it is */
    char preprocessing[160]; /* how pictures are made ready for it */
    char input_name[64];
    int input_width, input_height; /* pixels */
    int batch;                     /* pictures of one pass */
    vd_model_info_output
        outputs[VD_MODEL_INFO_OUTPUTS]; /* as they are read; of a network that was cut, the new ones */
    int output_count;
    vd_model_info_level levels[VD_MODEL_INFO_LEVELS];
    int level_count;
    float confidence, iou; /* the thresholds that suit it, unless the user sets others */
    bool suppressed;       /* it gives one box an object: nothing is left to suppress */
    int classes;
    bool has_names;    /* the names came from the model or a labels file; else they are `class N` */
    vd_labels *labels; /* a reference */
    char notes[VD_MODEL_INFO_NOTES][160]; /* evidence for the family, and what was rewritten, a line each */
    int note_count;
} vd_model_info;

/* Reads a model file and describes it.
 *
 * labels        NULL, or a file with one class name a line
 * input_width, input_height  pixels that the network is to look at; 0: its own size
 * ret_info      release it with vd_model_info_clear; untouched on failure
 * Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (error->text is the one-line refusal), VD_EINVAL (the size: the
 * sentence says what would be right), VD_EIO or VD_ENOMEM. Any thread. */
int vd_model_describe(const char *path, const char *labels, int input_width, int input_height,
                      vd_model_info *ret_info, vd_error *error);

/* Gives up what it holds. Accepts one that is zeroed. */
void vd_model_info_clear(vd_model_info *info);

#endif
