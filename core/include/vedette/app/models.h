/* The models that come with our programs, by name. */
#ifndef VEDETTE_APP_MODELS_H
#define VEDETTE_APP_MODELS_H

#include <stddef.h>

#include "vedette/error.h"

/* The detector that was trained on the demonstration: crack and pothole. As a verifier: the one of stage 2.
 */
#define VD_MODEL_DEMO "demo"

enum { VD_MODEL_PATH = 4096 };

/* What stands behind a model as users name it: for `demo` the file road-detector.onnx that was installed with
 * the program, for everything else the name itself. The folder is $VEDETTE_MODELS if that is set, else the
 * first of these that has the file: share/vedette/models beside the program's own folder, and
 * resources/models of the tree that it was built from.
 *
 * VD_OK, VD_ENOTFOUND (with a sentence that names the file and where it was looked for) or VD_EINVAL (the
 * name is longer than VD_MODEL_PATH). `out` is untouched on failure. Any thread. */
int vd_model_find(const char *model, char out[static VD_MODEL_PATH], vd_error *error);

/* The same for a stage-2 verifier: `demo` is road-verifier.onnx. */
int vd_model_find_verifier(const char *model, char out[static VD_MODEL_PATH], vd_error *error);

/* The model for an address when the user chose none: for demo: `demo` where its file is there and
 * `builtin:motion` where it is not, else `builtin:people`. */
const char *vd_model_default(const char *address);

#endif
