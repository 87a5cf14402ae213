/* The side panel's page of events: what was seen, newest first, what the second model said of it and what the
 * operator says; the figures of both above. Rows are changed in place: what is chosen and what is in view
 * stay.
 */
#ifndef VD_UI_PANELS_EVENTS_H
#define VD_UI_PANELS_EVENTS_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_EVENTS (vd_events_get_type())
G_DECLARE_FINAL_TYPE(VdEvents, vd_events, VD, EVENTS, GtkBox)

/* Once, before it is shown. The store outlives the panel. */
void vd_events_set_store(VdEvents *events, vd_store *store);

#endif
