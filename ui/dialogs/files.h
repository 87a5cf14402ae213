/* Choosing files: clips and pictures to open, models to use. Dialogs that do not wait. Main thread. */
#ifndef VD_UI_DIALOGS_FILES_H
#define VD_UI_DIALOGS_FILES_H

#include <gtk/gtk.h>

#include "ui/store.h"

/* Show a dialog over `parent`; what is chosen goes to the store, which outlives `parent`. */
void vd_files_open_source(GtkWindow *parent, vd_store *store);
void vd_files_open_model(GtkWindow *parent, vd_store *store);

#endif
