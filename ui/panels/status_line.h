/* The line at the bottom: rates, age of the picture, drops, and one remark when something is amiss. */
#ifndef VD_UI_PANELS_STATUS_LINE_H
#define VD_UI_PANELS_STATUS_LINE_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_STATUS_LINE (vd_status_line_get_type())
G_DECLARE_FINAL_TYPE(VdStatusLine, vd_status_line, VD, STATUS_LINE, GtkBox)

/* Once, before it is shown. The store outlives the line. */
void vd_status_line_set_store(VdStatusLine *line, vd_store *store);

#endif
