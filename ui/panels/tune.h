/* The side panel: confidence, overlap, classes, synchronisation of live sources, the model. */
#ifndef VD_UI_PANELS_TUNE_H
#define VD_UI_PANELS_TUNE_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_TUNE (vd_tune_get_type())
G_DECLARE_FINAL_TYPE(VdTune, vd_tune, VD, TUNE, GtkBox)

/* Once, before it is shown. The store outlives the panel. */
void vd_tune_set_store(VdTune *tune, vd_store *store);

#endif
