#include "ui/store_impl.h"

#include <math.h>
#include <string.h>

#include "ui/words.h"

void vd_store_note(vd_store *store, vd_notice_kind kind, vd_notice_action action, const char *text)
{
    store->notice = (vd_notice){.kind = kind, .action = action};
    g_strlcpy(store->notice.text, text, sizeof store->notice.text);
}

void vd_store_note_error(vd_store *store, const vd_error *error, vd_notice_action action)
{
    char text[sizeof store->notice.text];
    vd_words_error(text, sizeof text, error);
    vd_store_note(store, VD_NOTICE_ERROR, action, text);
}

static unsigned compare_state(vd_store *store, const vd_camera_status *before)
{
    const vd_camera_status *now = &store->status;
    if (now->state == before->state && now->since_ns == before->since_ns)
        return 0;
    unsigned changes = VD_CHANGED_SOURCE;
    bool failed = now->state == VD_CAMERA_FAILED;
    if (failed || (now->state == VD_CAMERA_ENDED && now->error.code)) {
        vd_store_note_error(store, &now->error, failed ? VD_ACTION_RETRY : VD_ACTION_NONE);
        store->notice.of_source = true;
        changes |= VD_CHANGED_NOTICE;
    }
    return changes;
}

static void model_ready(vd_store *store)
{
    vd_store_set_text(&store->good_model, store->chosen_model);
    vd_store_set_text(&store->good_labels, store->chosen_labels);
    vd_labels_unref(&store->labels);
    store->labels = vd_camera_get_labels(store->camera);
    vd_store_forget_seen(store);
    vd_store_suit_model(store);
    vd_store_apply_tuning(store);
}

static unsigned compare_model(vd_store *store, const vd_camera_status *before)
{
    const vd_camera_status *now = &store->status;
    unsigned changes = 0;
    if (now->model_serial != before->model_serial) {
        model_ready(store);
        changes |= VD_CHANGED_MODEL | VD_CHANGED_CLASSES | VD_CHANGED_TUNING;
    }
    if (now->model_state == before->model_state)
        return changes;
    changes |= VD_CHANGED_MODEL;
    if (now->model_state == VD_MODEL_FAILED) {
        vd_store_note_error(store, &now->model_error, VD_ACTION_MODEL);
        vd_store_set_text(&store->chosen_model, store->good_model);
        vd_store_set_text(&store->chosen_labels, store->good_labels);
        changes |= VD_CHANGED_NOTICE;
    }
    return changes;
}

void vd_store_note_recording(vd_store *store, bool ended)
{
    const vd_recorder_status *recorder = &store->status.recorder;
    if (ended && recorder->frames == 0) { /* there is no file then */
        vd_store_note(store, VD_NOTICE_INFO, VD_ACTION_NONE,
                      "Nothing was recorded: the picture stood still. Press play first.");
        return;
    }
    char *base = g_filename_display_basename(recorder->path);
    char length[16];
    vd_words_time(length, sizeof length, recorder->seconds);
    char *text =
        ended ? g_strdup_printf("Recorded %s to %s", length, base) : g_strdup_printf("Recording to %s", base);
    vd_store_note(store, VD_NOTICE_INFO, ended ? VD_ACTION_FOLDER : VD_ACTION_NONE, text);
    store->notice.brief = !ended;
    g_strlcpy(store->notice.path, recorder->path, sizeof store->notice.path);
    g_free(text);
    g_free(base);
}

static unsigned compare_recording(vd_store *store, const vd_camera_status *before)
{
    const vd_camera_status *now = &store->status;
    bool named = *now->recorder.path && strcmp(now->recorder.path, before->recorder.path) != 0;
    bool over = now->recorder.state != before->recorder.state || (named && !now->recording);
    unsigned changes =
        now->recording != before->recording || floor(now->recorder.seconds) != floor(before->recorder.seconds)
            ? VD_CHANGED_RECORDING
            : 0;
    if (over && now->recorder.state == VD_RECORDER_FAILED) {
        vd_store_note_error(store, &now->recorder.error, VD_ACTION_NONE);
        changes |= VD_CHANGED_RECORDING | VD_CHANGED_NOTICE;
    } else if (over && now->recorder.state == VD_RECORDER_DONE && *now->recorder.path) {
        vd_store_note_recording(store, true);
        changes |= VD_CHANGED_RECORDING | VD_CHANGED_NOTICE;
    } else if (named && now->recording) {
        vd_store_note_recording(store, false);
        changes |= VD_CHANGED_RECORDING | VD_CHANGED_NOTICE;
    }
    return changes;
}

unsigned vd_store_take_status(vd_store *store)
{
    vd_camera_status before = store->status;
    vd_camera_get_status(store->camera, &store->status);
    unsigned changes =
        compare_state(store, &before) | compare_model(store, &before) | compare_recording(store, &before);
    if (store->status.playing != before.playing || store->status.exact != before.exact ||
        store->status.source.width != before.source.width)
        changes |= VD_CHANGED_SOURCE;
    return changes;
}
