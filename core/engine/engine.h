/* Running a model: OpenCV behind a C interface. The *.cpp files of this folder are the program's only C++.
 *
 * Every entry catches what C++ throws and returns it as an error of one sentence (VD_ENOMEM, else
 * VD_EFORMAT); out parameters are untouched on failure. An object is used by one thread at a time; different
 * objects by different threads. OpenCV's own messages are silenced for the whole process. */
#ifndef VD_ENGINE_ENGINE_H
#define VD_ENGINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/detection.h"
#include "vedette/error.h"
#include "vedette/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* OpenCV's own threads, for the whole process; 1 is right where a pool of workers shares the cores. */
void vd_engine_set_threads(int threads);

/* OpenCV's version, such as "4.6.0". */
const char *vd_engine_opencv_version(void);

/* --- A network */
typedef struct vd_net vd_net;

/* onnx  a file in memory that OpenCV's importer can take (vd_model_read makes it); borrowed meanwhile */
int vd_net_new(const uint8_t *onnx, size_t bytes, vd_net **ret_net, vd_error *error);

/* Accepts NULL and sets it, as the other two do. */
void vd_net_free(vd_net **net);

/* The input tensor, 3 × height × width floats, owned by the net: fill it, then call vd_net_forward. The
 * memory is made once a size, each side 1 to 8192. */
int vd_net_input(vd_net *net, int width, int height, float **ret_tensor, vd_error *error);

/* One forward pass. ret_shape gets up to 4 extents (the rest 1); *ret_data points into the net and is valid
 * until the next pass. VD_EINVAL when the network has no output of that name. */
int vd_net_forward(vd_net *net, const char *output_name, const float **ret_data, int ret_shape[4],
                   vd_error *error);

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
