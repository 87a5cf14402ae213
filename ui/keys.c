#include "ui/keys.h"

typedef struct vd_key {
    guint keyval;
    const char *action;
    gboolean shift; /* with Shift alone; where FALSE, with Shift or without */
} vd_key;

static const vd_key KEYS[] = {{GDK_KEY_Left, "event-back", TRUE},
                              {GDK_KEY_Right, "event-forward", TRUE},
                              {GDK_KEY_c, "confirm", FALSE},
                              {GDK_KEY_x, "false-alarm", FALSE},
                              {GDK_KEY_t, "show-tune", FALSE},
                              {GDK_KEY_e, "show-events", FALSE},
                              {GDK_KEY_space, "play", FALSE},
                              {GDK_KEY_Left, "step-back", FALSE},
                              {GDK_KEY_Right, "step-forward", FALSE},
                              {GDK_KEY_Up, "confidence-up", FALSE},
                              {GDK_KEY_Down, "confidence-down", FALSE},
                              {GDK_KEY_bracketright, "overlap-up", FALSE},
                              {GDK_KEY_bracketleft, "overlap-down", FALSE},
                              {GDK_KEY_r, "record", FALSE},
                              {GDK_KEY_s, "snapshot", FALSE},
                              {GDK_KEY_f, "fullscreen", FALSE},
                              {GDK_KEY_Escape, "leave-fullscreen", FALSE}};

static gboolean is_navigation(guint keyval)
{
    switch (keyval) {
    case GDK_KEY_Left:
    case GDK_KEY_Right:
    case GDK_KEY_Up:
    case GDK_KEY_Down:
    case GDK_KEY_Home:
    case GDK_KEY_End:
    case GDK_KEY_Page_Up:
    case GDK_KEY_Page_Down:
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean belongs_to(GtkWidget *focus, guint keyval)
{
    if (!focus)
        return FALSE;
    if (GTK_IS_EDITABLE(focus) || GTK_IS_TEXT_VIEW(focus) || gtk_widget_get_ancestor(focus, GTK_TYPE_POPOVER))
        return TRUE;
    if (GTK_IS_LIST_BOX_ROW(focus)) /* a list goes up and down */
        return is_navigation(keyval) && keyval != GDK_KEY_Left && keyval != GDK_KEY_Right;
    if (GTK_IS_RANGE(focus) || GTK_IS_LABEL(focus))
        return is_navigation(keyval);
    if (GTK_IS_BUTTON(focus))
        return keyval == GDK_KEY_space;
    return FALSE;
}

/* The key in lower case; on a keyboard that writes no Latin letters, the one its first group has there. */
static guint plain_keyval(GtkWindow *window, const GdkEventKey *event)
{
    guint keyval = gdk_keyval_to_lower(event->keyval);
    if (gdk_keyval_to_unicode(keyval) > 0x24f) {
        GdkKeymap *keymap = gdk_keymap_get_for_display(gtk_widget_get_display(GTK_WIDGET(window)));
        guint first;
        if (gdk_keymap_translate_keyboard_state(keymap, event->hardware_keycode, 0, 0, &first, NULL, NULL,
                                                NULL))
            keyval = gdk_keyval_to_lower(first);
    }
    return keyval;
}

gboolean vd_keys_handle(GtkWindow *window, GdkEventKey *event)
{
    GActionGroup *actions = gtk_widget_get_action_group(GTK_WIDGET(window), "win");
    GdkModifierType modifiers =
        event->state & gtk_accelerator_get_default_mod_mask() & ~(guint)GDK_SHIFT_MASK;
    guint keyval = plain_keyval(window, event);
    if (!actions || modifiers || belongs_to(gtk_window_get_focus(window), keyval))
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        if (KEYS[i].keyval != keyval || (KEYS[i].shift && !(event->state & GDK_SHIFT_MASK)))
            continue;
        if (!g_action_group_get_action_enabled(actions, KEYS[i].action))
            return FALSE;
        g_action_group_activate_action(actions, KEYS[i].action, NULL);
        return TRUE;
    }
    return FALSE;
}
