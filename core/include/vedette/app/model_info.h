/* What a model file is, for people: read, checked, described, not run. */
#ifndef VEDETTE_APP_MODEL_INFO_H
#define VEDETTE_APP_MODEL_INFO_H

#include <stdbool.h>

#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_MODEL_INFO_NOTES = 24 };

typedef struct vd_model_info {
    char name[64];          /* the file's name without folder and ending */
    char digest[65];        /* SHA-256 of the file, in hexadecimal */
    char family[96];        /* what kind of network it is */
    char preprocessing[96]; /* how pictures are made ready for it */
    char input_name[64], output_name[64];
    int input_width, input_height; /* pixels */
    int output_extents[4];         /* of the output tensor; the first `output_rank` are set */
    int output_rank;
    int classes;
    bool has_names;    /* the names came from the model or a labels file; else they are `class N` */
    vd_labels *labels; /* a reference */
    char notes[VD_MODEL_INFO_NOTES][160]; /* evidence for the family, and what was rewritten, a line each */
    int note_count;
} vd_model_info;

/* Reads a model file and describes it.
 *
 * labels    NULL, or a file with one class name a line
 * ret_info  release it with vd_model_info_clear; untouched on failure
 * Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (error->text is the one-line refusal), VD_EIO or VD_ENOMEM. Any
 * thread. */
int vd_model_describe(const char *path, const char *labels, vd_model_info *ret_info, vd_error *error);

/* Gives up what it holds. Accepts one that is zeroed. */
void vd_model_info_clear(vd_model_info *info);

#endif
