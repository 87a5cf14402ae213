/* Models in two files: weights, and a text that says how they are put together.
 *
 *   Darknet     .weights and .cfg
 *   Caffe       .caffemodel and .prototxt
 *   TensorFlow  .pb and .pbtxt, a frozen graph and OpenCV's description of it
 *
 * The two lie beside each other and differ in their ending alone; either may be named. The ending says what
 * to look for, the contents must agree with it. OpenCV loads Darknet weights of any size without a word, so
 * here they must have exactly the size that the cfg asks for. */
#ifndef VD_MODEL_PAIR_H
#define VD_MODEL_PAIR_H

#include "model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The format that a path's ending stands for, letters compared without case; 0 when it is none of the three.
 * Whoever gets 0 reads the file as ONNX. */
vd_model_format vd_pair_format(const char *path);

/* Reads both files and fills a zeroed model: everything of vd_model but `planned`. For the engine,
 * `network` holds the weights' bytes and `config` the text, in which another input size is written already:
 *
 *   VD_FORMAT_DARKNET     cv::dnn::readNetFromDarknet(config, network)
 *   VD_FORMAT_CAFFE       cv::dnn::readNetFromCaffe(config, network)
 *   VD_FORMAT_TENSORFLOW  cv::dnn::readNetFromTensorflow(network, config): the other way round
 *
 * The digest is that of the weights. Outputs of VD_FAMILY_DARKNET have rank 2, [rows, 5 + classes], that of
 * VD_FAMILY_SSD rank 4, [1, 1, K, 7], in which K is the most rows that can come. A batch above 1 is refused.
 *
 * path     one for which vd_pair_format is not 0
 * options  NULL: all zero
 * Returns VD_OK, VD_ENOTFOUND (of the two files, too), VD_EFORMAT, VD_EINVAL (options), VD_EIO or VD_ENOMEM.
 * The model is the caller's to free, whatever is returned. Any thread. */
int vd_pair_read(const char *path, const vd_model_options *options, vd_model *model, vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
