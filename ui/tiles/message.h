/* Text over a picture: the corner that names it, and the middle that says why it does not move. Main thread.
 */
#ifndef VD_UI_TILES_MESSAGE_H
#define VD_UI_TILES_MESSAGE_H

#include <gtk/gtk.h>

/* Paints `text` on a scrim with its top left at (x, y), at most `max_width` wide. `alpha` from 0 to 1. */
void vd_message_draw_badge(GtkWidget *widget, cairo_t *cr, const char *text, double x, double y,
                           double max_width, double alpha);

/* Darkens the whole area and writes a title and, below it, a line, in its middle. */
void vd_message_draw_middle(GtkWidget *widget, cairo_t *cr, const char *title, const char *detail,
                            double width, double height);

#endif
