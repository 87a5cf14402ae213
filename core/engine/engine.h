/* Running a model: OpenCV behind a C interface. The *.cpp files of this folder are the program's only C++.
 *
 * Every entry catches what C++ throws and returns it as an error of one sentence (VD_ENOMEM, else
 * VD_EFORMAT); out parameters are untouched on failure. An object is used by one thread at a time; different
 * objects by different threads. OpenCV's own messages are silenced for the whole process. */
#ifndef VD_ENGINE_ENGINE_H
#define VD_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/plan.h"
#include "model/model.h"
#include "vedette/detection.h"
#include "vedette/error.h"
#include "vedette/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Threads within a pass, OpenCV's and oneDNN's, for the whole process; 1 is right where a pool of workers
 * shares the cores. */
void vd_engine_set_threads(int threads);

/* OpenCV's version, such as "4.6.0". */
const char *vd_engine_opencv_version(void);

/* --- A network */
typedef struct vd_net vd_net;

/* What a network computes with. */
typedef enum vd_net_device {
    VD_NET_CPU,
    VD_NET_OPENCL,
    VD_NET_CUDA,
    VD_NET_OPENVINO,
    VD_NET_DEVICE_END
} vd_net_device;

typedef struct vd_net_options {
    vd_net_device device;   /* tried with one pass; what cannot run is an error that names it */
    vd_precision precision; /* of the gathered layers; bf16 needs a processor that has it */
    bool plain;             /* OpenCV's own layers even where a plan is there */
} vd_net_options;

/* Makes a network from a model that was read (vd_model_read) and still has its file, and tries it with one
 * pass. With a plan in the model, oneDNN at hand and the CPU as device, its gathered layers are computed by
 * the plan; else, or where the plan fails, OpenCV computes all. model    borrowed until this returns options
 * NULL: all zero */
int vd_net_new(const vd_model *model, const vd_net_options *options, vd_net **ret_net, vd_error *error);

/* Accepts NULL and sets it, as the other two do. */
void vd_net_free(vd_net **net);

/* What computes: "oneDNN 2.6.3, float32, 1 run of 233 layers", "OpenCV's own layers" (with the reason when a
 * plan could not be used), …; lives as long as the net. */
const char *vd_net_engine(const vd_net *net);

/* The input tensor, batch × channels × height × width floats of the model (or as its input_extents say),
 * owned by the net: fill it, then call vd_net_forward. The address may change with a pass. */
int vd_net_input(vd_net *net, float **ret_tensor, vd_error *error);

/* One forward pass. ret_data[i] points to output i of the model (model->outputs[i], whose extents are
 * checked) and is valid until the next pass. VD_EFORMAT when what comes out is not what the model promises.
 */
int vd_net_forward(vd_net *net, const float *ret_data[VD_MODEL_OUTPUTS], vd_error *error);

/* Runs `passes` passes on what the input holds and times every layer: the steps of plans and OpenCV's own
 * layers (kernel "OpenCV"), in their order. Layers of OpenCV that went into others are left out, and their
 * work is not counted (gflop 0). ret_lines  `room` of them at most; ret_count says how many there are */
int vd_net_measure(vd_net *net, int passes, vd_plan_line *ret_lines, size_t room, size_t *ret_count,
                   vd_error *error);

/* Whether this machine has what the precision needs. */
bool vd_engine_has(vd_precision precision);

/* "oneDNN 2.6.3"; NULL when the program was built without it. */
const char *vd_engine_onednn_version(void);

/* Whether OpenCV at hand can compute on the device, so that a list can be shown; trying is vd_net_new's. */
bool vd_engine_has_device(vd_net_device device);

/* --- Detectors that need no file */

/* People by OpenCV's HOG descriptor and its default SVM (Dalal and Triggs, CVPR 2005), from 100 pixels in
 * height. Scores are the SVM's margin, squashed to 0 … 1. The time grows with the picture's area: 480 pixels
 * on the long side take some tens of milliseconds. Pictures are BGRX; a picture below 64 × 128 holds nobody.
 *
 * ret_candidates  `room` of them at most, sorted by falling score */
typedef struct vd_hog vd_hog;
int vd_hog_new(vd_hog **ret_hog, vd_error *error);
void vd_hog_free(vd_hog **hog);
int vd_hog_detect(vd_hog *hog, const vd_image *bgrx, vd_detection *ret_candidates, size_t room,
                  size_t *ret_count, vd_error *error);

/* Movement by OpenCV's MOG2 background model (Zivkovic, ICPR 2004) and the outlines of what differs. It
 * learns from the pictures it is given, in order, of one fixed camera. The first 5 pictures yield nothing,
 * nor does one in which most pixels changed at once (the light did): then the background is learnt anew.
 * Shadows are left out, fragments that nearly touch are one box. A score is 0.3 plus 0.7 times the share of
 * moving pixels. */
typedef struct vd_motion vd_motion;
int vd_motion_new(vd_motion **ret_motion, vd_error *error);
void vd_motion_free(vd_motion **motion);

/* Forgets the background: after a seek. A picture of another size does it by itself. */
void vd_motion_reset(vd_motion *motion);
int vd_motion_detect(vd_motion *motion, const vd_image *bgrx, vd_detection *ret_candidates, size_t room,
                     size_t *ret_count, vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
