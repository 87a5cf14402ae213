/* The window: puts the parts together and routes keys, drops and actions. */
#ifndef VD_UI_WINDOW_H
#define VD_UI_WINDOW_H

#include <gtk/gtk.h>

#include "ui/store.h"

#define VD_TYPE_WINDOW (vd_window_get_type())
G_DECLARE_FINAL_TYPE(VdWindow, vd_window, VD, WINDOW, GtkApplicationWindow)

typedef struct vd_window_options {
    const vd_settings *settings; /* copied */
    vd_verifiers *verifiers;     /* outlives the window; freed after its cameras */
    vd_serving *serving;         /* outlives the window */
    const vd_error *error;       /* NULL, or what was wrong with the settings: shown in the window */
    const char *source;          /* NULL: the empty state */
    const char *model, *labels;  /* NULL: by settings or source */
    bool fullscreen, kiosk;      /* kiosk: nothing but the picture, and no way back */
} vd_window_options;

/* A window of `application`, shown. Its cameras are closed when it is destroyed; then wait for
 * vd_camera_join_closed. */
VdWindow *vd_window_new(GtkApplication *application, const vd_window_options *options);

/* For the window's own files. */
vd_store *vd_window_get_store(VdWindow *window);
bool vd_window_is_kiosk(const VdWindow *window);
void vd_window_set_panel(VdWindow *window, bool shown);

/* Shows the side panel with that page, `tune` or `events`; in full screen only the page is changed. */
void vd_window_show_page(VdWindow *window, const char *name);
bool vd_window_is_page_shown(const VdWindow *window, const char *name);

/* The popover of the streaming interface. */
void vd_window_show_streaming(VdWindow *window);

#endif
