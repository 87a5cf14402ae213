/* Asking for an address: an entry, and the cameras that are known. A dialog that does not wait. Main thread.
 */
#ifndef VD_UI_DIALOGS_ADDRESS_H
#define VD_UI_DIALOGS_ADDRESS_H

#include <gtk/gtk.h>

#include "ui/store.h"

/* Shows it over `parent`; what is chosen goes to the store, which outlives `parent`. */
void vd_address_ask(GtkWindow *parent, vd_store *store);

#endif
