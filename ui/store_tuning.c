#include "ui/store_impl.h"

#include <math.h>
#include <string.h>

enum { SEEN_MAX = 12 };

/* Scores below this never count as seen, however low the confidence is set: noise would fill the chips. */
static const float SEEN_SCORE = 0.25f;

unsigned vd_store_apply_tuning(vd_store *store)
{
    vd_tuning_thresholds(&store->tuning, store->settings.max_detections, store->labels, &store->thresholds);
    if (store->camera)
        vd_camera_set_thresholds(store->camera, &store->thresholds);
    return VD_CHANGED_TUNING;
}

void vd_store_suit_model(vd_store *store)
{
    const vd_settings *settings = &store->settings;
    vd_tuning_suit(&store->tuning, &store->defaults,
                   settings->confidence_given ? 0 : store->status.confidence,
                   settings->iou_given ? 0 : store->status.iou);
}

static void mark_seen(vd_store *store, int class_id)
{
    const char *name = vd_labels_name(store->labels, class_id);
    for (guint i = 0; i < store->seen->len; i++)
        if (!strcmp(g_ptr_array_index(store->seen, i), name))
            return;
    g_ptr_array_add(store->seen, g_strdup(name));
}

unsigned vd_store_look_for_classes(vd_store *store)
{
    vd_result *result = store->view.before;
    if (!result || !store->labels || result == store->seen_in)
        return 0;
    vd_result_unref(&store->seen_in);
    store->seen_in = vd_result_ref(result);
    float least = MAX(SEEN_SCORE, store->thresholds.confidence);
    guint before = store->seen->len;
    for (size_t i = 0; i < result->count && store->seen->len < SEEN_MAX; i++) {
        if (result->candidates[i].score < least)
            break; /* they are sorted */
        mark_seen(store, result->candidates[i].class_id);
    }
    return store->seen->len > before ? VD_CHANGED_CLASSES : 0;
}

void vd_store_forget_seen(vd_store *store)
{
    g_ptr_array_set_size(store->seen, 0);
    vd_result_unref(&store->seen_in);
}

const vd_tuning *vd_store_get_tuning(const vd_store *store)
{
    return &store->tuning;
}

static void tune(vd_store *store, const vd_tuning *tuning, vd_tuning_control control)
{
    if (vd_tuning_equal(tuning, &store->tuning))
        return;
    vd_history_push(store->history, &store->tuning, control, g_get_monotonic_time());
    store->tuning = *tuning;
    vd_store_emit(store, vd_store_apply_tuning(store));
}

void vd_store_set_confidence(vd_store *store, double confidence)
{
    vd_tuning tuning = store->tuning;
    tuning.confidence = CLAMP(round(confidence * 100) / 100, VD_CONFIDENCE_MIN, VD_CONFIDENCE_MAX);
    tune(store, &tuning, VD_TUNE_CONFIDENCE);
}

void vd_store_set_iou(vd_store *store, double iou)
{
    vd_tuning tuning = store->tuning;
    tuning.iou = CLAMP(round(iou * 100) / 100, 0, 1);
    tune(store, &tuning, VD_TUNE_IOU);
}

void vd_store_set_class(vd_store *store, const char *name, bool wanted)
{
    vd_tuning tuning = store->tuning;
    if (vd_tuning_set_class(&tuning, name, wanted))
        tune(store, &tuning, VD_TUNE_CLASSES);
}

bool vd_store_wants_all_classes(const vd_store *store)
{
    for (size_t i = 0; i < G_N_ELEMENTS(store->thresholds.classes); i++)
        if (store->thresholds.classes[i])
            return false;
    return true;
}

void vd_store_clear_classes(vd_store *store)
{
    vd_tuning tuning = store->tuning;
    tuning.class_count = 0;
    tune(store, &tuning, VD_TUNE_CLASSES);
}

bool vd_store_can_undo(const vd_store *store)
{
    return !vd_history_is_empty(store->history);
}

void vd_store_undo(vd_store *store)
{
    if (vd_history_pop(store->history, &store->tuning))
        vd_store_emit(store, vd_store_apply_tuning(store));
}

bool vd_store_can_reset(const vd_store *store)
{
    return !vd_tuning_equal(&store->tuning, &store->defaults);
}

void vd_store_reset(vd_store *store)
{
    tune(store, &store->defaults, VD_TUNE_NONE);
}

vd_overlay_sync vd_store_get_sync(const vd_store *store)
{
    return store->sync;
}

void vd_store_set_sync(vd_store *store, vd_overlay_sync sync)
{
    if (sync == store->sync)
        return;
    store->sync = sync;
    if (store->camera)
        vd_camera_set_sync(store->camera, sync);
    vd_store_emit(store, VD_CHANGED_TUNING);
}

const vd_labels *vd_store_get_labels(const vd_store *store)
{
    return store->labels;
}

int vd_store_get_seen_count(const vd_store *store)
{
    return (int)store->seen->len;
}

const char *vd_store_get_seen(const vd_store *store, int i)
{
    return g_ptr_array_index(store->seen, (guint)i);
}
