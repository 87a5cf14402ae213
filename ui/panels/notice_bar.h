/* The bar above the picture: the store's notice, with a button for what can be done about it. Errors can be
 * selected and copied. */
#ifndef VD_UI_PANELS_NOTICE_BAR_H
#define VD_UI_PANELS_NOTICE_BAR_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_NOTICE_BAR (vd_notice_bar_get_type())
G_DECLARE_FINAL_TYPE(VdNoticeBar, vd_notice_bar, VD, NOTICE_BAR, GtkInfoBar)

/* Once, before it is shown. The store outlives the bar. */
void vd_notice_bar_set_store(VdNoticeBar *bar, vd_store *store);

#endif
