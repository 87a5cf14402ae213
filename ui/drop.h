/* What is dropped on the window: sources and models. */
#ifndef VD_UI_DROP_H
#define VD_UI_DROP_H

#include <gtk/gtk.h>

#include "ui/store.h"

/* Opens the first source and uses the first model among the URIs. False when there was neither. */
gboolean vd_drop_open(vd_store *store, GtkSelectionData *data);

#endif
