#include "ui/panels/notice_bar.h"

enum { BRIEF_S = 4, RESPONSE_ACTION = 1, RESPONSE_COPY };

struct _VdNoticeBar {
    GtkInfoBar parent;
    vd_store *store;
    GtkLabel *text;
    GtkButton *action, *copy;
    guint timer;
};

G_DEFINE_TYPE(VdNoticeBar, vd_notice_bar, GTK_TYPE_INFO_BAR)

static const char *const ACTION_WORDS[] = {[VD_ACTION_NONE] = "",
                                           [VD_ACTION_RETRY] = "Try again",
                                           [VD_ACTION_FOLDER] = "Open folder",
                                           [VD_ACTION_MODEL] = "Choose a model…"};

static const GtkMessageType TYPES[] = {[VD_NOTICE_NONE] = GTK_MESSAGE_OTHER,
                                       [VD_NOTICE_INFO] = GTK_MESSAGE_INFO,
                                       [VD_NOTICE_WARNING] = GTK_MESSAGE_WARNING,
                                       [VD_NOTICE_ERROR] = GTK_MESSAGE_ERROR};

static gboolean time_is_up(gpointer data)
{
    VdNoticeBar *bar = data;
    bar->timer = 0;
    vd_store_dismiss(bar->store);
    return G_SOURCE_REMOVE;
}

static void changed(void *context, unsigned changes)
{
    VdNoticeBar *bar = context;
    if (!(changes & VD_CHANGED_NOTICE))
        return;
    const vd_notice *notice = vd_store_get_notice(bar->store);
    bool trouble = notice->kind == VD_NOTICE_ERROR || notice->kind == VD_NOTICE_WARNING;
    g_clear_handle_id(&bar->timer, g_source_remove);
    if (notice->kind != VD_NOTICE_NONE) {
        gtk_info_bar_set_message_type(GTK_INFO_BAR(bar), TYPES[notice->kind]);
        /* GTK names the bar by its type. */
        atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(bar)), "Notice");
        gtk_label_set_text(bar->text, notice->text);
        gtk_button_set_label(bar->action, ACTION_WORDS[notice->action]);
        gtk_widget_set_visible(GTK_WIDGET(bar->action), notice->action != VD_ACTION_NONE);
        gtk_widget_set_visible(GTK_WIDGET(bar->copy), trouble);
        if (notice->brief)
            bar->timer = g_timeout_add_seconds(BRIEF_S, time_is_up, bar);
    }
    gtk_widget_set_visible(GTK_WIDGET(bar), notice->kind != VD_NOTICE_NONE);
}

static void open_folder(VdNoticeBar *bar, const char *path)
{
    GError *error = NULL;
    char *folder = g_path_get_dirname(path), *uri = g_filename_to_uri(folder, NULL, NULL);
    GtkWidget *window = gtk_widget_get_toplevel(GTK_WIDGET(bar));
    if (!uri || !gtk_show_uri_on_window(GTK_WINDOW(window), uri, GDK_CURRENT_TIME, &error)) {
        vd_error failure;
        char *shown = g_filename_display_name(folder);
        vd_error_set(&failure, VD_EUNSUPPORTED, shown, "No program here shows folders; the file is in %s.",
                     shown);
        vd_store_show_error(bar->store, &failure);
        g_free(shown);
    }
    g_clear_error(&error);
    g_free(folder);
    g_free(uri);
}

static void act(VdNoticeBar *bar)
{
    vd_notice notice = *vd_store_get_notice(bar->store);
    GActionGroup *actions = gtk_widget_get_action_group(gtk_widget_get_toplevel(GTK_WIDGET(bar)), "win");
    if (notice.action == VD_ACTION_FOLDER) {
        open_folder(bar, notice.path);
        return;
    }
    vd_store_dismiss(bar->store);
    if (notice.action == VD_ACTION_RETRY)
        vd_store_retry(bar->store);
    else if (notice.action == VD_ACTION_MODEL && actions)
        g_action_group_activate_action(actions, "open-model", NULL);
}

static void response(GtkInfoBar *info_bar, int id)
{
    VdNoticeBar *bar = VD_NOTICE_BAR(info_bar);
    if (id == RESPONSE_COPY)
        gtk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(bar), GDK_SELECTION_CLIPBOARD),
                               vd_store_get_notice(bar->store)->text, -1);
    else if (id == RESPONSE_ACTION)
        act(bar);
    else
        vd_store_dismiss(bar->store);
}

void vd_notice_bar_set_store(VdNoticeBar *bar, vd_store *store)
{
    bar->store = store;
    vd_store_listen(store, changed, bar);
    changed(bar, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdNoticeBar *bar = VD_NOTICE_BAR(widget);
    g_clear_handle_id(&bar->timer, g_source_remove);
    if (bar->store)
        vd_store_unlisten(bar->store, bar);
    bar->store = NULL;
    GTK_WIDGET_CLASS(vd_notice_bar_parent_class)->destroy(widget);
}

static void vd_notice_bar_class_init(VdNoticeBarClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->destroy = destroy;
    GTK_INFO_BAR_CLASS(class)->response = response;
}

static GtkButton *add_button(VdNoticeBar *bar, const char *label, int id)
{
    GtkWidget *button = gtk_info_bar_add_button(GTK_INFO_BAR(bar), label, id);
    gtk_widget_set_no_show_all(button, TRUE);
    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    return GTK_BUTTON(button);
}

static void vd_notice_bar_init(VdNoticeBar *bar)
{
    GtkWidget *label = gtk_label_new(NULL);
    bar->text = GTK_LABEL(label);
    gtk_label_set_line_wrap(bar->text, TRUE);
    gtk_label_set_line_wrap_mode(bar->text, PANGO_WRAP_WORD_CHAR);
    gtk_label_set_selectable(bar->text, TRUE);
    gtk_label_set_xalign(bar->text, 0);
    gtk_label_set_width_chars(bar->text, 20);
    gtk_label_set_max_width_chars(bar->text, 90);
    gtk_widget_set_can_focus(label, FALSE); /* else a window that opens with an error selects it */
    gtk_widget_set_hexpand(label, TRUE);
    gtk_widget_show(label);
    gtk_container_add(GTK_CONTAINER(gtk_info_bar_get_content_area(GTK_INFO_BAR(bar))), label);
    bar->action = add_button(bar, "", RESPONSE_ACTION);
    bar->copy = add_button(bar, "Copy", RESPONSE_COPY);
    gtk_widget_set_no_show_all(GTK_WIDGET(bar), TRUE);
}
