/* The popover of the streaming interface: its switch, where it is reached, who is connected, or why it
 * failed.
 */
#ifndef VD_UI_PANELS_STREAMING_H
#define VD_UI_PANELS_STREAMING_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_STREAMING (vd_streaming_get_type())
G_DECLARE_FINAL_TYPE(VdStreaming, vd_streaming, VD, STREAMING, GtkPopover)

void vd_streaming_set_store(VdStreaming *streaming, vd_store *store);

#endif
