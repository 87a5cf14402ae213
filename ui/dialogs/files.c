#include "ui/dialogs/files.h"

static const char *const MEDIA[] = {"*.mp4",  "*.mkv", "*.avi",  "*.mov", "*.webm", "*.m4v", "*.ts",
                                    "*.mts",  "*.mpg", "*.mpeg", "*.wmv", "*.flv",  "*.ogv", "*.y4m",
                                    "*.h264", "*.264", "*.hevc", "*.gif", "*.png",  "*.jpg", "*.jpeg",
                                    "*.webp", "*.bmp", "*.tif",  "*.tiff"};
static const char *const MODELS[] = {"*.onnx"};

static GtkFileFilter *make_filter(const char *name, const char *const *patterns, size_t count)
{
    GtkFileFilter *filter = gtk_file_filter_new();
    gtk_file_filter_set_name(filter, name);
    for (size_t i = 0; i < count; i++) {
        char *upper = g_ascii_strup(patterns[i], -1);
        gtk_file_filter_add_pattern(filter, patterns[i]);
        gtk_file_filter_add_pattern(filter, upper);
        g_free(upper);
    }
    return filter;
}

static void responded(GtkNativeDialog *dialog, int response, vd_store *store)
{
    char *path =
        response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog)) : NULL;
    bool model = g_object_get_data(G_OBJECT(dialog), "vd-model") != NULL;
    gtk_native_dialog_hide(dialog);
    if (path && model)
        vd_store_set_model(store, path, NULL);
    else if (path)
        vd_store_open(store, path);
    g_free(path);
    g_object_unref(dialog);
}

static void abandon(GtkNativeDialog *dialog)
{
    g_signal_handlers_disconnect_matched(dialog, G_SIGNAL_MATCH_FUNC, 0, 0, NULL,
                                         (gpointer)(void (*)(void))responded, NULL);
    gtk_native_dialog_destroy(dialog);
    g_object_unref(dialog);
}

static void show(GtkWindow *parent, vd_store *store, const char *title, GtkFileFilter *filter, bool model)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(title, parent, GTK_FILE_CHOOSER_ACTION_OPEN, "_Open", "_Cancel");
    GtkFileFilter *all = gtk_file_filter_new();
    gtk_file_filter_set_name(all, "All files");
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), all);
    if (model)
        g_object_set_data(G_OBJECT(dialog), "vd-model", dialog);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(responded), store);
    g_signal_connect_object(parent, "destroy", G_CALLBACK(abandon), dialog, G_CONNECT_SWAPPED);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

void vd_files_open_source(GtkWindow *parent, vd_store *store)
{
    show(parent, store, "Open a clip or picture",
         make_filter("Clips and pictures", MEDIA, G_N_ELEMENTS(MEDIA)), false);
}

void vd_files_open_model(GtkWindow *parent, vd_store *store)
{
    show(parent, store, "Choose a model", make_filter("Models (ONNX)", MODELS, G_N_ELEMENTS(MODELS)), true);
}
