/* The size that a network runs at: inputs of free size, and fixed ones that are to have another. */
#ifndef VD_MODEL_ONNX_SIZE_H
#define VD_MODEL_ONNX_SIZE_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

enum { VD_ONNX_MIN_SIDE = 32, VD_ONNX_MAX_SIDE = 4096 };

typedef struct vd_onnx_size {
    int width, height; /* pixels; 0 where there is no wish */
    int batch;         /* pictures of one pass; 0: one */
} vd_onnx_size;

/* Before the graph's index is built: gives the picture input the extents that the file leaves open. The batch
 * is the one wished for; width and height are the wished ones, else those of the metadata key "imgsz", else
 * `otherwise`. Declared shapes of other values are forgotten when anything was open.
 *
 * ret_free  whether the size was open
 * VD_OK, VD_EFORMAT (no picture input) or VD_EINVAL (the file fixes another batch, or the size is out of
 * bounds; the sentence says what would be right). */
int vd_onnx_fix_input(Onnx__ModelProto *model, const vd_onnx_size *wish, int otherwise, const char *place,
                      bool *ret_free, vd_error *error);

/* Forgets the extents that the file declares of outputs and of values in between. */
void vd_onnx_forget_declared(Onnx__GraphProto *graph);

/* After vd_onnx_normalise and any cut: makes a network run at another size than it was exported for.
 *
 * Shapes are inferred anew from the input on. Where the file has sizes of its own (targets of Reshape, sizes
 * of Resize, bounds of Slice, windows that cover a whole map), they are held against the shapes at the file's
 * own size and scaled alike: extents of a Reshape's input and output are matched in groups of equal products,
 * and a group whose product changes takes the change up. What only a part needs that was cut away does not
 * matter.
 *
 * VD_OK; VD_EINVAL when the size is out of bounds, no multiple of the largest stride, or does not fit the
 * network (the sentence names the node); VD_ENOMEM. */
int vd_onnx_resize(vd_onnx_graph *graph, int width, int height, vd_error *error);

/* The largest stride of the maps that a resolved graph computes; 1 when there is none. */
int vd_onnx_largest_stride(const vd_onnx_graph *graph);

#endif
