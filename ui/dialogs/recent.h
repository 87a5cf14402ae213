/* What was open before, kept by GtkRecentManager. Addresses with secrets are never written. Main thread. */
#ifndef VD_UI_DIALOGS_RECENT_H
#define VD_UI_DIALOGS_RECENT_H

#include <glib.h>

/* Remembers an address that was shown; the demonstration and addresses with secrets are left out. */
void vd_recent_add(const char *address);

/* The newest first, at most `max`; files that are gone are left out. The caller unrefs the array of char *.
 */
GPtrArray *vd_recent_list(guint max);

#endif
