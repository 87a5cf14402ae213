/* The camera scales; the tile paints what came pixel by pixel, and scales itself only for the moments between
 * a change of its size and the first picture of the new one. */
#include "ui/tiles/tile.h"

#include <math.h>
#include <string.h>

#include "ui/tiles/message.h"
#include "ui/words.h"

enum { BADGE_GAP = 10, FADE_AFTER_MS = 3000, FADE_US = 300000, DESCRIPTION_BYTES = 4096 };

static const double BACKGROUND[3] = {0.059, 0.059, 0.063};

struct _VdTile {
    GtkDrawingArea parent;
    vd_store *store;
    vd_painter *painter;
    vd_draw_box *boxes; /* VD_MAX_DETECTIONS: too much for an instance of GObject */
    size_t box_count;

    char badge[256], title[160], detail[800];
    double badge_alpha;
    bool pointer_inside;
    guint fade_timer, fade_tick;
    gint64 fade_began_us;
};

G_DEFINE_TYPE(VdTile, vd_tile, GTK_TYPE_DRAWING_AREA)

static void redraw(VdTile *tile)
{
    gtk_widget_queue_draw(GTK_WIDGET(tile));
}

static void describe(VdTile *tile)
{
    char text[DESCRIPTION_BYTES];
    const vd_view *view = vd_store_get_view(tile->store);
    AtkObject *accessible = gtk_widget_get_accessible(GTK_WIDGET(tile));
    if (view)
        vd_words_boxes(text, sizeof text, view->frame_index, tile->boxes, tile->box_count);
    else
        g_strlcpy(text, *tile->title ? tile->title : "no picture", sizeof text);
    const char *before = atk_object_get_description(accessible);
    if (!before || strcmp(before, text) != 0)
        atk_object_set_description(accessible, text);
}

static bool all_is_well(const VdTile *tile)
{
    const vd_camera_status *status = vd_store_get_status(tile->store);
    return !*tile->title && status->model_state == VD_MODEL_READY && vd_store_get_view(tile->store);
}

static gboolean fade(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    VdTile *tile = VD_TILE(widget);
    (void)data;
    gboolean animated = TRUE;
    g_object_get(gtk_widget_get_settings(widget), "gtk-enable-animations", &animated, NULL);
    double gone = (double)(gdk_frame_clock_get_frame_time(clock) - tile->fade_began_us) / FADE_US;
    tile->badge_alpha = animated ? CLAMP(1 - gone, 0, 1) : 0;
    redraw(tile);
    if (tile->badge_alpha > 0)
        return G_SOURCE_CONTINUE;
    tile->fade_tick = 0;
    return G_SOURCE_REMOVE;
}

static gboolean begin_fade(gpointer data)
{
    VdTile *tile = data;
    if (!all_is_well(tile))
        return G_SOURCE_CONTINUE;
    tile->fade_timer = 0;
    tile->fade_began_us = g_get_monotonic_time();
    tile->fade_tick = gtk_widget_add_tick_callback(GTK_WIDGET(tile), fade, NULL, NULL);
    return G_SOURCE_REMOVE;
}

static void stop_fade(VdTile *tile)
{
    g_clear_handle_id(&tile->fade_timer, g_source_remove);
    if (tile->fade_tick)
        gtk_widget_remove_tick_callback(GTK_WIDGET(tile), tile->fade_tick);
    tile->fade_tick = 0;
}

static void show_badge(VdTile *tile)
{
    stop_fade(tile);
    if (tile->badge_alpha < 1)
        redraw(tile);
    tile->badge_alpha = 1;
    if (!tile->pointer_inside)
        tile->fade_timer = g_timeout_add(FADE_AFTER_MS, begin_fade, tile);
}

static gboolean pointer_crossed(GtkWidget *widget, GdkEventCrossing *event)
{
    VdTile *tile = VD_TILE(widget);
    if (!tile->store)
        return GDK_EVENT_PROPAGATE;
    tile->pointer_inside = event->type == GDK_ENTER_NOTIFY;
    show_badge(tile);
    return GDK_EVENT_PROPAGATE;
}

static gboolean pressed(GtkWidget *widget, GdkEventButton *event)
{
    gtk_widget_grab_focus(widget);
    if (event->type == GDK_2BUTTON_PRESS && event->button == GDK_BUTTON_PRIMARY) {
        GActionGroup *actions = gtk_widget_get_action_group(gtk_widget_get_toplevel(widget), "win");
        if (actions)
            g_action_group_activate_action(actions, "fullscreen", NULL);
    }
    return GDK_EVENT_PROPAGATE;
}

static void tell_size(VdTile *tile)
{
    GtkWidget *widget = GTK_WIDGET(tile);
    int scale = gtk_widget_get_scale_factor(widget);
    int width = gtk_widget_get_allocated_width(widget), height = gtk_widget_get_allocated_height(widget);
    if (tile->store && width > 1 && height > 1)
        vd_store_set_view_size(tile->store, width * scale, height * scale);
}

static void size_allocate(GtkWidget *widget, GtkAllocation *allocation)
{
    GTK_WIDGET_CLASS(vd_tile_parent_class)->size_allocate(widget, allocation);
    tell_size(VD_TILE(widget));
}

static void scale_changed(VdTile *tile)
{
    tell_size(tile);
    redraw(tile);
}

/* The picture's place in the area, both in device pixels: as it came when it fits, else scaled to fit. */
static GdkRectangle place(const vd_image *image, int width, int height)
{
    double scale = fmin((double)width / image->width, (double)height / image->height);
    GdkRectangle at = {.width = (int)lround(image->width * scale),
                       .height = (int)lround(image->height * scale)};
    if (abs(at.width - image->width) <= 2 && abs(at.height - image->height) <= 2) {
        at.width = image->width;
        at.height = image->height;
    }
    at.x = (width - at.width) / 2;
    at.y = (height - at.height) / 2;
    return at;
}

static void paint_picture(cairo_t *cr, const vd_image *image, const GdkRectangle *at, int scale)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        image->planes[0], CAIRO_FORMAT_RGB24, image->width, image->height, image->strides[0]);
    cairo_save(cr);
    cairo_scale(cr, 1.0 / scale, 1.0 / scale);
    cairo_translate(cr, at->x, at->y);
    cairo_rectangle(cr, 0, 0, at->width, at->height);
    cairo_clip(cr);
    bool as_it_is = at->width == image->width && at->height == image->height;
    if (!as_it_is)
        cairo_scale(cr, (double)at->width / image->width, (double)at->height / image->height);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), as_it_is ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BILINEAR);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_surface_destroy(surface);
}

static void paint_view(VdTile *tile, cairo_t *cr, const vd_view *view, double *ret_x, double *ret_y,
                       double *ret_width)
{
    GtkWidget *widget = GTK_WIDGET(tile);
    int scale = gtk_widget_get_scale_factor(widget);
    GdkRectangle at = place(&view->image, gtk_widget_get_allocated_width(widget) * scale,
                            gtk_widget_get_allocated_height(widget) * scale);
    vd_drawing drawing = {view->width, view->height, tile->boxes, tile->box_count};
    double x = (double)at.x / scale, y = (double)at.y / scale;
    double width = (double)at.width / scale, height = (double)at.height / scale;
    paint_picture(cr, &view->image, &at, scale);
    if (tile->painter)
        vd_painter_draw(tile->painter, cr, &drawing, x, y, width, height, 1);
    *ret_x = x;
    *ret_y = y;
    *ret_width = width;
}

static gboolean draw(GtkWidget *widget, cairo_t *cr)
{
    VdTile *tile = VD_TILE(widget);
    double width = gtk_widget_get_allocated_width(widget), height = gtk_widget_get_allocated_height(widget);
    double x = 0, y = 0, picture_width = width;
    const vd_view *view = tile->store ? vd_store_get_view(tile->store) : NULL;
    cairo_set_source_rgb(cr, BACKGROUND[0], BACKGROUND[1], BACKGROUND[2]);
    cairo_paint(cr);
    if (view)
        paint_view(tile, cr, view, &x, &y, &picture_width);
    if (*tile->title)
        vd_message_draw_middle(widget, cr, tile->title, tile->detail, width, height);
    if (*tile->badge && view)
        vd_message_draw_badge(widget, cr, tile->badge, x + BADGE_GAP, y + BADGE_GAP,
                              picture_width - 2 * BADGE_GAP, *tile->title ? 1 : tile->badge_alpha);
    return GDK_EVENT_PROPAGATE;
}

static void update_words(VdTile *tile)
{
    char badge[sizeof tile->badge], title[sizeof tile->title], detail[sizeof tile->detail], loading[128];
    const vd_camera_status *status = vd_store_get_status(tile->store);
    const vd_notice *notice = vd_store_get_notice(tile->store);
    const char *name = vd_store_get_name(tile->store);
    vd_words_model(loading, sizeof loading, vd_store_get_model(tile->store));
    vd_words_badge(badge, sizeof badge, name, status, loading);
    vd_words_message(name, status, g_get_monotonic_time() * 1000, title, sizeof title, detail, sizeof detail);
    /* The sentence stands in the bar above until that is dismissed. */
    if (status->state == VD_CAMERA_FAILED && !(notice->kind == VD_NOTICE_ERROR && notice->of_source))
        vd_words_error(detail, sizeof detail, &status->error);
    if (!strcmp(badge, tile->badge) && !strcmp(title, tile->title) && !strcmp(detail, tile->detail))
        return;
    memcpy(tile->badge, badge, sizeof badge);
    memcpy(tile->title, title, sizeof title);
    memcpy(tile->detail, detail, sizeof detail);
    redraw(tile);
}

static void changed(void *context, unsigned changes)
{
    VdTile *tile = context;
    if (changes & (VD_CHANGED_PICTURE | VD_CHANGED_TUNING | VD_CHANGED_CLASSES)) {
        tile->box_count = vd_store_get_boxes(tile->store, tile->boxes, VD_MAX_DETECTIONS);
        redraw(tile);
    }
    if (changes & (VD_CHANGED_SOURCE | VD_CHANGED_MODEL))
        show_badge(tile);
    if (changes & (VD_CHANGED_SOURCE | VD_CHANGED_MODEL | VD_CHANGED_RATES | VD_CHANGED_NOTICE))
        update_words(tile);
    if (changes & (VD_CHANGED_PICTURE | VD_CHANGED_TUNING | VD_CHANGED_CLASSES | VD_CHANGED_SOURCE))
        describe(tile);
}

void vd_tile_set_store(VdTile *tile, vd_store *store)
{
    tile->store = store;
    vd_store_listen(store, changed, tile);
    tell_size(tile);
    changed(tile, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdTile *tile = VD_TILE(widget);
    stop_fade(tile);
    if (tile->store)
        vd_store_unlisten(tile->store, tile);
    tile->store = NULL;
    vd_painter_free(&tile->painter);
    GTK_WIDGET_CLASS(vd_tile_parent_class)->destroy(widget);
}

static void finalize(GObject *object)
{
    g_free(VD_TILE(object)->boxes);
    G_OBJECT_CLASS(vd_tile_parent_class)->finalize(object);
}

static void vd_tile_class_init(VdTileClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->draw = draw;
    widget_class->size_allocate = size_allocate;
    widget_class->enter_notify_event = pointer_crossed;
    widget_class->leave_notify_event = pointer_crossed;
    widget_class->button_press_event = pressed;
    widget_class->destroy = destroy;
}

static void vd_tile_init(VdTile *tile)
{
    GtkWidget *widget = GTK_WIDGET(tile);
    tile->boxes = g_new(vd_draw_box, VD_MAX_DETECTIONS);
    vd_painter_new(&tile->painter);
    tile->badge_alpha = 1;
    gtk_widget_set_can_focus(widget, TRUE);
    gtk_widget_add_events(widget, GDK_ENTER_NOTIFY_MASK | GDK_LEAVE_NOTIFY_MASK | GDK_BUTTON_PRESS_MASK);
    atk_object_set_name(gtk_widget_get_accessible(widget), "Picture");
    g_signal_connect(tile, "notify::scale-factor", G_CALLBACK(scale_changed), NULL);
}
