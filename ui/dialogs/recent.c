#include "ui/dialogs/recent.h"

#include <gtk/gtk.h>
#include <string.h>

#include "ui/words.h"

static char GROUP[] = "vedette";

static char *uri_of(const char *address)
{
    if (strstr(address, "://"))
        return g_strdup(address);
    GFile *file = g_file_new_for_commandline_arg(address);
    char *uri = g_file_get_uri(file);
    g_object_unref(file);
    return uri;
}

void vd_recent_add(const char *address)
{
    char *groups[] = {GROUP, NULL};
    GtkRecentData data = {.app_name = (char *)"Vedette",
                          .app_exec = (char *)"vedette %u",
                          .groups = groups,
                          .is_private = TRUE};
    if (g_str_has_prefix(address, "demo:") || g_str_has_prefix(address, "/dev/") ||
        vd_words_is_secret(address))
        return;
    if (g_mkdir_with_parents(g_get_user_data_dir(), 0700) < 0)
        return;
    char *uri = uri_of(address), *type = g_content_type_guess(address, NULL, 0, NULL);
    data.mime_type = g_content_type_get_mime_type(type);
    gtk_recent_manager_add_full(gtk_recent_manager_get_default(), uri, &data);
    g_free(data.mime_type);
    g_free(type);
    g_free(uri);
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
    time_t ta = gtk_recent_info_get_modified((GtkRecentInfo *)a),
           tb = gtk_recent_info_get_modified((GtkRecentInfo *)b);
    return ta < tb ? 1 : ta > tb ? -1 : 0;
}

GPtrArray *vd_recent_list(guint max)
{
    GPtrArray *addresses = g_ptr_array_new_with_free_func(g_free);
    GList *items = g_list_sort(gtk_recent_manager_get_items(gtk_recent_manager_get_default()), newest_first);
    for (GList *item = items; item && addresses->len < max; item = item->next) {
        GtkRecentInfo *info = item->data;
        if (!gtk_recent_info_has_group(info, GROUP))
            continue;
        char *path = g_filename_from_uri(gtk_recent_info_get_uri(info), NULL, NULL);
        if (!path)
            g_ptr_array_add(addresses, g_strdup(gtk_recent_info_get_uri(info)));
        else if (g_file_test(path, G_FILE_TEST_EXISTS))
            g_ptr_array_add(addresses, g_strdup(path));
        g_free(path);
    }
    g_list_free_full(items, (GDestroyNotify)gtk_recent_info_unref);
    return addresses;
}
