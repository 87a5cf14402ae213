#include "ui/drop.h"

#include <string.h>

/* What a dropped or chosen URI stands for: a path where it is a local file. */
static char *address_of(const char *uri)
{
    char *path = g_filename_from_uri(uri, NULL, NULL);
    return path ? path : g_strdup(uri);
}

static bool is_model(const char *address)
{
    size_t length = strlen(address);
    return length > 5 && !g_ascii_strcasecmp(address + length - 5, ".onnx");
}

gboolean vd_drop_open(vd_store *store, GtkSelectionData *data)
{
    char **uris = gtk_selection_data_get_uris(data), *source = NULL, *model = NULL;
    for (char **uri = uris; uri && *uri; uri++) {
        char *address = address_of(*uri);
        char **place = is_model(address) ? &model : &source;
        if (*place)
            g_free(address);
        else
            *place = address;
    }
    gboolean any = source || model;
    if (model)
        vd_store_set_model(store, model, NULL);
    if (source)
        vd_store_open(store, source);
    g_free(source);
    g_free(model);
    g_strfreev(uris);
    return any;
}
