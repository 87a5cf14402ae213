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

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vd_model_format {
    VD_FORMAT_ONNX = 1,
    VD_FORMAT_DARKNET,   /* .cfg and .weights */
    VD_FORMAT_CAFFE,     /* .prototxt and .caffemodel */
    VD_FORMAT_TENSORFLOW /* .pb and .pbtxt */
} vd_model_format;

/* How a network's outputs are read; docs/models.md says by what evidence each is told. */
typedef enum vd_model_family {
    /* Ultralytics' anchor-free heads (v3u, v5u, v6, v8 to 12, 26), cut at their last convolutions: for each
     * level a map of box distances [4 · bins, h, w] and one of class logits [classes, h, w] */
    VD_FAMILY_HEADS = 1,
    /* the same heads whole: [1, 4 + classes, N], centre and size in pixels, scores */
    VD_FAMILY_YOLOV8,
    /* [1, N, 5 + classes]: centre and size in pixels, objectness, class scores */
    VD_FAMILY_YOLOV5,
    /* the same before decoding: everything through a sigmoid, YOLOv5's nine anchors */
    VD_FAMILY_YOLOV5_RAW,
    /* [1, N, 5 + classes]: offsets in cells, logarithms of sizes, objectness, scores */
    VD_FAMILY_YOLOX,
    /* a level's distances (4, or 4 · bins) and class scores, as rows */
    VD_FAMILY_NANODET,
    /* [1, 5 + classes, h, w]: objectness, box, classes */
    VD_FAMILY_FASTESTDET,
    /* a level's classes, objectness, box and key points, as rows */
    VD_FAMILY_YUNET,
    /* [1, 1, K, 7]: picture, class, score, corners as shares; suppression is done. The class column counts
     * from 1, 0 is the background: column 1 is class 0 of the labels. Rows of zeros fill up what
     * was not found (OpenCV 4.6 always gives K rows, other versions may give fewer, down to one) */
    VD_FAMILY_SSD,
    /* rows of 5 + classes: centre and size as shares, objectness, scores that contain it */
    VD_FAMILY_DARKNET
} vd_model_family;

/* How a picture is brought to the network's size. */
typedef enum vd_model_fit {
    VD_FIT_CENTRE,   /* letterbox: scaled to fit, the rest is padding on all sides */
    VD_FIT_TOP_LEFT, /* scaled to fit, padding to the right and below */
    VD_FIT_STRETCH   /* each side on its own */
} vd_model_fit;

typedef enum vd_model_channels { VD_CHANNELS_RGB, VD_CHANNELS_BGR, VD_CHANNELS_GREY } vd_model_channels;

/* From pixels to the network's input: (value − mean) · scale, channel by channel in the network's order. */
typedef struct vd_model_feed {
    vd_model_fit fit;
    vd_model_channels channels;
    float pad; /* 0 to 255: the padding's value */
    float mean[3], scale[3];
} vd_model_feed;

enum { VD_MODEL_NOTES = 24, VD_MODEL_OUTPUTS = 16, VD_MODEL_LEVELS = 6 };

typedef struct vd_model_output {
    char name[128];
    int rank;
    int extents[4];
} vd_model_output;

/* A grid of cells, one of several strides. Outputs are indices into vd_model.outputs, -1 where the family has
 * none; they are paired by shape, never by name or order. */
typedef struct vd_model_level {
    int stride, width, height; /* cells */
    int box, scores, object, angle;
} vd_model_level;

typedef struct vd_model {
    /* all immutable once read */
    char name[64];   /* the file's name without folder and ending */
    char digest[65]; /* SHA-256 of the file, in hexadecimal */
    vd_model_format format;
    vd_model_family family;
    char variant[96]; /* the family in words: "YOLO11 (Ultralytics), end to end", … */
    char input_name[64];
    int input_width, input_height; /* pixels */
    int batch;                     /* pictures of one pass, usually 1 */
    int input_rank; /* 0: batch × channels × height × width; else a clip's, and its extents */
    int input_extents[5];
    vd_model_feed feed;
    vd_model_output outputs[VD_MODEL_OUTPUTS];
    int output_count;
    vd_model_level levels[VD_MODEL_LEVELS]; /* by rising stride; none where the family needs none */
    int level_count;
    int classes;     /* number of classes, at least 1 */
    int anchors;     /* boxes that one pass gives, at most */
    int bins;        /* of a distance (DFL's reg_max): 1 where distances are plain */
    bool suppressed; /* doubles are gone already; of VD_FAMILY_HEADS every pair of cell and class counts then,
                        as the network's own choice of the best pairs has it */
    float confidence; /* the threshold that suits the family, unless the user sets one */
    float iou;        /* likewise */
    vd_labels *labels;
    bool has_names;                  /* the names came from the metadata or a labels file */
    char notes[VD_MODEL_NOTES][160]; /* evidence for the family, and what was rewritten, a line each */
    int note_count;

    /* For the engine; gone after vd_model_drop_file. */
    uint8_t *network; /* what OpenCV's importer reads: the rewritten ONNX file, or the weights */
    size_t network_bytes;
    uint8_t *config; /* the text file of formats that have two; else NULL */
    size_t config_bytes;
    uint8_t *planned; /* the same network with runs of layers gathered (model/plan.h), or NULL */
    size_t planned_bytes;
} vd_model;

typedef struct vd_model_options {
    const char *labels; /* NULL, or a text file with one class name a line that replaces the model's own
                           names; their number must match the number of classes */
    int input_width;    /* 0: the file's own size. Else a multiple of its largest stride, 32 to 4096 */
    int input_height;   /* likewise */
    int batch;          /* 0 or 1: one picture; more needs a file whose batch is free */
    bool no_plan;       /* leaves `planned` out */
} vd_model_options;

/* Reads a model file (at most 2 GiB), and the one that belongs to it where the format has two: `path` may
 * name either.
 *
 * options  NULL: all zero
 * Returns VD_OK, VD_ENOTFOUND, VD_EFORMAT (cannot be used: error->text is the one-line refusal), VD_EINVAL
 * (options; the sentence says what would be right), VD_EIO or VD_ENOMEM. Any thread; takes tens of
 * milliseconds. */
int vd_model_read(const char *path, const vd_model_options *options, vd_model **ret_model, vd_error *error);

/* The same for an ONNX file that lies in memory already, where it stays the caller's; `name` stands for its
 * path in the model's name and in errors. */
int vd_model_read_bytes(const uint8_t *bytes, size_t length, const char *name,
                        const vd_model_options *options, vd_model **ret_model, vd_error *error);

/* Accepts NULL and sets it. */
void vd_model_free(vd_model **model);

/* Frees network, config and planned alone, once every engine that wants it has been made. */
void vd_model_drop_file(vd_model *model);

#ifdef __cplusplus
}
#endif
#endif
