/* Stage 2 for the sources of a window: which second model goes with which source. One verifier runs at a
 * time; those of sources before have been stopped, and go when no camera can hold them any more. Main thread.
 */
#ifndef VD_UI_VERIFIERS_H
#define VD_UI_VERIFIERS_H

#include "vedette/app/settings.h"
#include "vedette/app/verify.h"

typedef struct vd_verifiers vd_verifiers;

vd_verifiers *vd_verifiers_new(void);

/* At the program's end, after vd_camera_join_closed has returned true. Accepts NULL and sets it. */
void vd_verifiers_free(vd_verifiers **verifiers);

/* The verifier for a camera that is about to be opened with the detector `model`: that of the settings;
 * without one, the demonstration's for its own detector (vedette/app/models.h). The one that runs where it is
 * the same. One whose model or program is missing is no failure: its stats say that it is degraded.
 *
 * wake   see vd_verifier_new; not called any more once another was chosen or vd_verifiers_stop has returned
 * error  code 0, or why there is none
 * NULL: stage 2 is off, or failed. */
vd_verifier *vd_verifiers_choose(vd_verifiers *verifiers, const vd_settings *settings, const char *model,
                                 void (*wake)(void *context), void *context, vd_error *error);

/* Ends what runs, without waiting for a worker. Cameras may still hold it. */
void vd_verifiers_stop(vd_verifiers *verifiers);

#endif
