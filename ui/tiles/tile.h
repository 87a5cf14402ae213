/* The picture: paints the newest one of the store as it comes, with its boxes, and says what state it is in.
 */
#ifndef VD_UI_TILES_TILE_H
#define VD_UI_TILES_TILE_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_TILE (vd_tile_get_type())
G_DECLARE_FINAL_TYPE(VdTile, vd_tile, VD, TILE, GtkDrawingArea)

/* Once, before it is shown. The store outlives the tile. */
void vd_tile_set_store(VdTile *tile, vd_store *store);

#endif
