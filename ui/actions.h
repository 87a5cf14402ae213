/* What can be done in the window, as GActions: header bar, menus and keys all go through these. */
#ifndef VD_UI_ACTIONS_H
#define VD_UI_ACTIONS_H

#include "ui/window.h"

/* Adds them to the window, and the keys with Ctrl to its application. */
void vd_actions_add(VdWindow *window);

/* Enables what is possible now and shows the states. */
void vd_actions_update(VdWindow *window);

#endif
