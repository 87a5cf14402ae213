/* What a newcomer sees: three ways to begin, and what was open before. */
#ifndef VD_UI_PANELS_EMPTY_H
#define VD_UI_PANELS_EMPTY_H

#include <gtk/gtk.h>

#define VD_TYPE_EMPTY (vd_empty_get_type())
G_DECLARE_FINAL_TYPE(VdEmpty, vd_empty, VD, EMPTY, GtkBox)

#endif
