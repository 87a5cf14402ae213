/* One event of the list: its picture, class, time and confidence, the verdict, and what the operator said.
 *
 * A row paints itself and has no widgets inside: GTK styles all rows anew when one comes, which with nine
 * widgets in each of 500 rows takes a tenth of a second. */
#ifndef VD_UI_PANELS_EVENT_ROW_H
#define VD_UI_PANELS_EVENT_ROW_H

#include <gtk/gtk.h>

#include "vedette/app/event.h"

#define VD_TYPE_EVENT_ROW (vd_event_row_get_type())
G_DECLARE_FINAL_TYPE(VdEventRow, vd_event_row, VD, EVENT_ROW, GtkListBoxRow)

/* Shown; vd_event_row_set comes next. */
VdEventRow *vd_event_row_new(void);

/* Shows what `event` says now; nothing is done where that has not changed. A row shows one event for good,
 * and its size never changes.
 *
 * terms  of vd_event_terms, the same each time */
void vd_event_row_set(VdEventRow *row, const vd_event *event, unsigned terms);

uint64_t vd_event_row_get_id(const VdEventRow *row);

#endif
