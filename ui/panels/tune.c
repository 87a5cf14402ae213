#include "ui/panels/tune.h"

#include "ui/panels/chips.h"
#include "ui/words.h"
#include "vedette/app/models.h"

struct _VdTune {
    GtkBox parent;
    vd_store *store;
    bool updating; /* we move the controls, nobody else does */
    GtkRange *confidence, *iou;
    GtkLabel *confidence_value, *iou_value, *model, *model_hint;
    VdChips *chips;
    GtkWidget *sync_box, *undo, *reset;
    GtkSpinner *spinner;
    GtkToggleButton *sync_auto, *sync_exact, *sync_live;
};

G_DEFINE_TYPE(VdTune, vd_tune, GTK_TYPE_BOX)

static void show_value(GtkRange *range, GtkLabel *label, double value)
{
    char text[16];
    g_snprintf(text, sizeof text, "%.2f", value);
    gtk_range_set_value(range, value);
    gtk_label_set_text(label, text);
}

static void show_tuning(VdTune *tune)
{
    const vd_tuning *tuning = vd_store_get_tuning(tune->store);
    vd_overlay_sync sync = vd_store_get_sync(tune->store);
    tune->updating = true;
    show_value(tune->confidence, tune->confidence_value, tuning->confidence);
    show_value(tune->iou, tune->iou_value, tuning->iou);
    gtk_toggle_button_set_active(tune->sync_auto, sync == VD_SYNC_AUTO);
    gtk_toggle_button_set_active(tune->sync_exact, sync == VD_SYNC_EXACT);
    gtk_toggle_button_set_active(tune->sync_live, sync == VD_SYNC_LIVE);
    tune->updating = false;
    gtk_widget_set_sensitive(tune->undo, vd_store_can_undo(tune->store));
    gtk_widget_set_sensitive(tune->reset, vd_store_can_reset(tune->store));
}

/* Below the model: what computes it, or that there is a choice. */
static void show_hint(VdTune *tune, const char *asked, const vd_camera_status *status)
{
    char computed[sizeof status->engine + 16];
    const char *hint =
        g_str_equal(asked, "builtin:motion") ? "Using the built-in motion detector; choose a model…"
        : g_str_equal(asked, VD_MODEL_DEMO)  ? "Using the demonstration's own detector; choose a model…"
                                             : "Using the built-in people detector; choose a model…";
    bool ready = status->model_state == VD_MODEL_READY && *status->engine;
    g_snprintf(computed, sizeof computed, "Computed by %s", status->engine);
    gtk_label_set_text(tune->model_hint, ready ? computed : hint);
    gtk_widget_set_visible(GTK_WIDGET(tune->model_hint),
                           ready || (*asked && !vd_store_model_is_chosen(tune->store) &&
                                     status->model_state != VD_MODEL_FAILED));
}

static void show_model(VdTune *tune)
{
    char name[128], text[160];
    const vd_camera_status *status = vd_store_get_status(tune->store);
    const char *asked = vd_store_get_model(tune->store);
    bool loading = vd_store_has_source(tune->store) && status->model_state == VD_MODEL_LOADING;
    vd_words_model(name, sizeof name, loading || !*status->model ? asked : status->model);
    if (loading)
        g_snprintf(text, sizeof text, "Loading %s…", name);
    else if (status->model_state == VD_MODEL_FAILED && !*status->model)
        g_snprintf(text, sizeof text, "No detector");
    else
        g_snprintf(text, sizeof text, "%s", *name ? name : "None yet");
    gtk_label_set_text(tune->model, text);
    gtk_widget_set_tooltip_text(GTK_WIDGET(tune->model), name);
    gtk_widget_set_visible(GTK_WIDGET(tune->spinner), loading);
    g_object_set(tune->spinner, "active", loading, NULL);

    show_hint(tune, asked, status);
}

static void changed(void *context, unsigned changes)
{
    VdTune *tune = context;
    if (changes & VD_CHANGED_TUNING)
        show_tuning(tune);
    if (changes & (VD_CHANGED_MODEL | VD_CHANGED_SOURCE))
        show_model(tune);
    if (changes & VD_CHANGED_SOURCE)
        gtk_widget_set_visible(tune->sync_box, vd_store_get_status(tune->store)->source.is_live);
}

static void confidence_changed(VdTune *tune)
{
    if (!tune->updating)
        vd_store_set_confidence(tune->store, gtk_range_get_value(tune->confidence));
}

static void iou_changed(VdTune *tune)
{
    if (!tune->updating)
        vd_store_set_iou(tune->store, gtk_range_get_value(tune->iou));
}

static void sync_toggled(VdTune *tune, GtkToggleButton *button)
{
    if (tune->updating || !gtk_toggle_button_get_active(button))
        return;
    vd_store_set_sync(tune->store, button == tune->sync_exact  ? VD_SYNC_EXACT
                                   : button == tune->sync_live ? VD_SYNC_LIVE
                                                               : VD_SYNC_AUTO);
}

void vd_tune_set_store(VdTune *tune, vd_store *store)
{
    tune->store = store;
    vd_chips_set_store(tune->chips, store);
    vd_store_listen(store, changed, tune);
    changed(tune, ~0u);
}

static void destroy(GtkWidget *widget)
{
    VdTune *tune = VD_TUNE(widget);
    if (tune->store)
        vd_store_unlisten(tune->store, tune);
    tune->store = NULL;
    tune->updating = true;
    GTK_WIDGET_CLASS(vd_tune_parent_class)->destroy(widget);
}

static void vd_tune_class_init(VdTuneClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->destroy = destroy;
    g_type_ensure(VD_TYPE_CHIPS);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/vedette/Vedette/ui/tune.ui");
    gtk_widget_class_bind_template_child(widget_class, VdTune, confidence);
    gtk_widget_class_bind_template_child(widget_class, VdTune, confidence_value);
    gtk_widget_class_bind_template_child(widget_class, VdTune, iou);
    gtk_widget_class_bind_template_child(widget_class, VdTune, iou_value);
    gtk_widget_class_bind_template_child(widget_class, VdTune, chips);
    gtk_widget_class_bind_template_child(widget_class, VdTune, sync_box);
    gtk_widget_class_bind_template_child(widget_class, VdTune, sync_auto);
    gtk_widget_class_bind_template_child(widget_class, VdTune, sync_exact);
    gtk_widget_class_bind_template_child(widget_class, VdTune, sync_live);
    gtk_widget_class_bind_template_child(widget_class, VdTune, model);
    gtk_widget_class_bind_template_child(widget_class, VdTune, model_hint);
    gtk_widget_class_bind_template_child(widget_class, VdTune, spinner);
    gtk_widget_class_bind_template_child(widget_class, VdTune, undo);
    gtk_widget_class_bind_template_child(widget_class, VdTune, reset);
    gtk_widget_class_bind_template_callback(widget_class, confidence_changed);
    gtk_widget_class_bind_template_callback(widget_class, iou_changed);
    gtk_widget_class_bind_template_callback(widget_class, sync_toggled);
}

static void vd_tune_init(VdTune *tune)
{
    gtk_widget_init_template(GTK_WIDGET(tune));
}
