#include "ui/tuning.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { HISTORY_MAX = 50, COALESCE_US = 1000000 };

struct vd_history {
    GArray *steps; /* of vd_tuning, oldest first */
    vd_tuning_control control;
    int64_t changed_us;
};

void vd_tuning_init(vd_tuning *tuning, const vd_settings *settings)
{
    memset(tuning, 0, sizeof *tuning);
    tuning->confidence = CLAMP(settings->confidence, VD_CONFIDENCE_MIN, VD_CONFIDENCE_MAX);
    tuning->iou = CLAMP(settings->iou, 0, 1);
    for (int i = 0; i < settings->class_count; i++)
        vd_tuning_set_class(tuning, settings->classes[i], true);
}

static int find_class(const vd_tuning *tuning, const char *name)
{
    for (int i = 0; i < tuning->class_count; i++)
        if (!strcmp(tuning->classes[i], name))
            return i;
    return -1;
}

bool vd_tuning_equal(const vd_tuning *a, const vd_tuning *b)
{
    if (a->confidence != b->confidence || a->iou != b->iou || a->class_count != b->class_count)
        return false;
    for (int i = 0; i < a->class_count; i++)
        if (find_class(b, a->classes[i]) < 0)
            return false;
    return true;
}

bool vd_tuning_has_class(const vd_tuning *tuning, const char *name)
{
    return find_class(tuning, name) >= 0;
}

bool vd_tuning_set_class(vd_tuning *tuning, const char *name, bool wanted)
{
    int at = find_class(tuning, name);
    if (wanted == (at >= 0))
        return false;
    if (!wanted) {
        tuning->class_count--;
        memmove(tuning->classes[at], tuning->classes[at + 1],
                (size_t)(tuning->class_count - at) * sizeof tuning->classes[0]);
        return true;
    }
    if (tuning->class_count == VD_MAX_CLASS_NAMES || !*name)
        return false;
    g_strlcpy(tuning->classes[tuning->class_count++], name, sizeof tuning->classes[0]);
    return true;
}

void vd_tuning_thresholds(const vd_tuning *tuning, int max_detections, const vd_labels *labels,
                          vd_thresholds *ret_thresholds)
{
    *ret_thresholds = (vd_thresholds)VD_THRESHOLDS_INIT;
    ret_thresholds->confidence = (float)tuning->confidence;
    ret_thresholds->iou = (float)tuning->iou;
    ret_thresholds->max_detections = max_detections;
    for (int i = 0; labels && i < tuning->class_count; i++) {
        int id = vd_labels_find(labels, tuning->classes[i]);
        if (id >= 0 && id < 64 * (int)G_N_ELEMENTS(ret_thresholds->classes))
            ret_thresholds->classes[id / 64] |= UINT64_C(1) << (id % 64);
    }
}

static void suit(double *value, double *standard, double wanted)
{
    if (*value == *standard)
        *value = wanted;
    *standard = wanted;
}

void vd_tuning_suit(vd_tuning *tuning, vd_tuning *defaults, float confidence, float iou)
{
    if (confidence > 0) /* as the slider has it: two decimals */
        suit(&tuning->confidence, &defaults->confidence,
             CLAMP(round((double)confidence * 100) / 100, VD_CONFIDENCE_MIN, VD_CONFIDENCE_MAX));
    if (iou > 0)
        suit(&tuning->iou, &defaults->iou, CLAMP(round((double)iou * 100) / 100, 0, 1));
}

vd_history *vd_history_new(void)
{
    vd_history *history = g_new0(vd_history, 1);
    history->steps = g_array_new(FALSE, FALSE, sizeof(vd_tuning));
    return history;
}

void vd_history_free(vd_history **history)
{
    if (!*history)
        return;
    g_array_free((*history)->steps, TRUE);
    g_clear_pointer(history, g_free);
}

void vd_history_push(vd_history *history, const vd_tuning *before, vd_tuning_control control, int64_t now_us)
{
    bool same =
        control != VD_TUNE_NONE && control == history->control && now_us - history->changed_us < COALESCE_US;
    history->control = control;
    history->changed_us = now_us;
    if (same && history->steps->len)
        return;
    if (history->steps->len == HISTORY_MAX)
        g_array_remove_index(history->steps, 0);
    g_array_append_vals(history->steps, before, 1);
}

bool vd_history_is_empty(const vd_history *history)
{
    return history->steps->len == 0;
}

bool vd_history_pop(vd_history *history, vd_tuning *ret_tuning)
{
    if (!history->steps->len)
        return false;
    *ret_tuning = g_array_index(history->steps, vd_tuning, history->steps->len - 1);
    g_array_set_size(history->steps, history->steps->len - 1);
    history->control = VD_TUNE_NONE;
    return true;
}
