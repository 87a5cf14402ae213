/* A still of what is seen, boxes drawn, written as PNG off the main thread. */
#ifndef VD_UI_SNAPSHOT_H
#define VD_UI_SNAPSHOT_H

#include <glib.h>

#include "ui/store.h"

/* Starts writing the picture on show into the pictures folder, `Vedette/NAME DATE TIME.png`. What came of it
 * is a notice of the store; `owner` (a GObject) keeps the store alive until then. Does nothing without a
 * picture. */
void vd_snapshot_take(gpointer owner, vd_store *store);

#endif
