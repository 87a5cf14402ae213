/* Keys without Ctrl or Alt, which are actions only while nobody types. */
#ifndef VD_UI_KEYS_H
#define VD_UI_KEYS_H

#include <gtk/gtk.h>

/* Activates the action of a key; false when the key has none, or belongs to the widget that has the focus:
 * letters to entries, arrows to sliders and lists, Space and Enter to buttons. */
gboolean vd_keys_handle(GtkWindow *window, GdkEventKey *event);

#endif
