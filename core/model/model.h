/* A model file, read and made ready for OpenCV's importer: what it is, how it is fed, how its output is read.
 *
 * Nothing in the file is trusted: every size and offset is checked, and what cannot be used is refused with
 * one sentence (row C4). The family is told from the graph and the metadata, never from the file's name (row
 * C3). */
#ifndef VD_MODEL_MODEL_H
#define VD_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/detection.h"
#include "vedette/error.h"

typedef enum vd_model_family {
    /* Ultralytics' anchor-free heads: one output [1, 4 + classes, N], boxes as centre and size */
    VD_FAMILY_YOLOV8 = 1
} vd_model_family;

enum { VD_MODEL_NOTES = 24 };

typedef struct vd_model {
    /* all immutable once read */
    char name[64];   /* the file's name without folder and ending */
    char digest[65]; /* SHA-256 of the file, in hexadecimal */
    vd_model_family family;
    char input_name[64], output_name[64];
    int input_width, input_height; /* pixels; a picture is letterboxed into them, RGB, value / 255 */
    int classes;                   /* number of classes, at least 1 */
    int anchors;                   /* N, the boxes that one pass gives */
    vd_labels *labels;
    bool has_names;                  /* the names came from the metadata or a labels file */
    char notes[VD_MODEL_NOTES][160]; /* evidence for the family, and what was rewritten, a line each */
    int note_count;
    uint8_t *onnx; /* the rewritten file for OpenCV's importer */
    size_t onnx_bytes;
} vd_model;

/* Reads a model file (at most 2 GiB).
 *
 * labels_path  NULL, or a text file with one class name a line that replaces the model's own names; the
 * number of names must match the number of classes Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (cannot be used:
 * error->text is the one-line refusal), VD_EIO or VD_ENOMEM. Any thread; takes tens of milliseconds. */
int vd_model_read(const char *path, const char *labels_path, vd_model **ret_model, vd_error *error);

/* Accepts NULL and sets it. */
void vd_model_free(vd_model **model);

/* Frees the rewritten file alone, once every engine that wants it has been made. */
void vd_model_drop_file(vd_model *model);

#endif
