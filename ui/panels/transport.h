/* Playing of files: frame back, play or pause, frame forward, position. */
#ifndef VD_UI_PANELS_TRANSPORT_H
#define VD_UI_PANELS_TRANSPORT_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_TRANSPORT (vd_transport_get_type())
G_DECLARE_FINAL_TYPE(VdTransport, vd_transport, VD, TRANSPORT, GtkBox)

/* Once, before it is shown. The store outlives the transport. */
void vd_transport_set_store(VdTransport *transport, vd_store *store);

#endif
