/* Which classes count: a toggle for every class seen or wanted, `All`, and a list of the rest with a search.
 */
#ifndef VD_UI_PANELS_CHIPS_H
#define VD_UI_PANELS_CHIPS_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_CHIPS (vd_chips_get_type())
G_DECLARE_FINAL_TYPE(VdChips, vd_chips, VD, CHIPS, GtkFlowBox)

/* Once, before it is shown. The store outlives the chips. */
void vd_chips_set_store(VdChips *chips, vd_store *store);

#endif
