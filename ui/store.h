/* The view model: the camera on show, its newest picture and status, what is tuned, and the notice to read.
 * Widgets read it and listen to it; only the store talks to core. No widgets inside. Main thread only. */
#ifndef VD_UI_STORE_H
#define VD_UI_STORE_H

#include <stdbool.h>

#include "ui/serving.h"
#include "ui/tuning.h"
#include "ui/verifiers.h"
#include "vedette/app/camera.h"

typedef struct vd_store vd_store;

enum vd_changes {
    VD_CHANGED_SOURCE = 1 << 0,    /* another camera or none; its state */
    VD_CHANGED_PICTURE = 1 << 1,   /* a newer picture, or its results came */
    VD_CHANGED_TUNING = 1 << 2,    /* thresholds, wanted classes, synchronisation */
    VD_CHANGED_CLASSES = 1 << 3,   /* class names, or classes seen */
    VD_CHANGED_MODEL = 1 << 4,     /* asked for, loading, ready, refused */
    VD_CHANGED_RECORDING = 1 << 5, /* began, ended, a second more */
    VD_CHANGED_RATES = 1 << 6,     /* twice a second while a camera is open */
    VD_CHANGED_NOTICE = 1 << 7,
    VD_CHANGED_EVENTS = 1 << 8,    /* one came, changed or went; which one is chosen; the figures */
    VD_CHANGED_STAGE2 = 1 << 9,    /* on, off, degraded or not; its figures come with VD_CHANGED_RATES */
    VD_CHANGED_STREAMING = 1 << 10 /* on, off, failed; who is connected */
};

typedef void vd_store_listener(void *context, unsigned changes);

/* What the window says above the picture, one at a time. */
typedef enum vd_notice_kind {
    VD_NOTICE_NONE,
    VD_NOTICE_INFO,
    VD_NOTICE_WARNING,
    VD_NOTICE_ERROR
} vd_notice_kind;
typedef enum vd_notice_action {
    VD_ACTION_NONE,
    VD_ACTION_RETRY,
    VD_ACTION_FOLDER,
    VD_ACTION_MODEL
} vd_notice_action;

typedef struct vd_notice {
    vd_notice_kind kind;
    vd_notice_action action; /* what its button does */
    bool brief;              /* goes by itself */
    bool of_source;          /* about the source on show: goes with it */
    bool of_stage2;          /* about its degraded state: goes with that */
    char text[768];
    char path[512]; /* of VD_ACTION_FOLDER: the file */
} vd_notice;

/* `settings` is copied; `verifiers` and `serving` outlive the store. Changes of the tuning and of the model
 * live as long as the store; nothing is written. */
vd_store *vd_store_new(const vd_settings *settings, vd_verifiers *verifiers, vd_serving *serving);

/* Closes the camera (see vd_camera_join_closed) and ends stage 2 without telling anybody: at the window's
 * end, when what still runs may keep the store for a while. */
void vd_store_close(vd_store *store);

/* Closes and frees. Accepts NULL and sets it. */
void vd_store_free(vd_store **store);

/* Listeners are called in the order they came in, on the main thread. */
void vd_store_listen(vd_store *store, vd_store_listener *listener, void *context);
void vd_store_unlisten(vd_store *store, void *context);

const vd_settings *vd_store_get_settings(const vd_store *store);

/* Opens an address in place of what is on show, or the camera of that name in the settings. Failure comes as
 * a notice. */
void vd_store_open(vd_store *store, const char *address);
void vd_store_retry(vd_store *store);
bool vd_store_has_source(const vd_store *store);
const char *vd_store_get_address(const vd_store *store); /* empty without a source; may hold a password */
const char *vd_store_get_name(const vd_store *store);    /* safe to show; empty without a source */

/* The status of a moment ago; all zero without a source. */
const vd_camera_status *vd_store_get_status(const vd_store *store);

/* The newest picture, NULL while there is none. Borrowed until the next change of the picture. */
const vd_view *vd_store_get_view(const vd_store *store);

/* The boxes of that picture under the tuning of now. Returns their number. */
size_t vd_store_get_boxes(const vd_store *store, vd_draw_box *ret_boxes, size_t room);

/* The size in device pixels of the area that shows the picture. */
void vd_store_set_view_size(vd_store *store, int width, int height);

/* Tuning acts at once on the picture on show, and on recordings. */
const vd_tuning *vd_store_get_tuning(const vd_store *store);
void vd_store_set_confidence(vd_store *store,
                             double confidence); /* brought into its range, to two decimals */
void vd_store_set_iou(vd_store *store, double iou);
void vd_store_set_class(vd_store *store, const char *name, bool wanted);
bool vd_store_wants_all_classes(const vd_store *store); /* none is chosen that the model knows */
void vd_store_clear_classes(vd_store *store);
bool vd_store_can_undo(const vd_store *store);
void vd_store_undo(vd_store *store);
bool vd_store_can_reset(const vd_store *store); /* differs from the settings */
void vd_store_reset(vd_store *store);

/* How boxes and pictures are brought together on live sources. */
vd_overlay_sync vd_store_get_sync(const vd_store *store);
void vd_store_set_sync(vd_store *store, vd_overlay_sync sync);

/* The class names of the model that runs; NULL while none does. Borrowed. */
const vd_labels *vd_store_get_labels(const vd_store *store);

/* Classes seen since the model or the source changed, in the order they were first seen. */
int vd_store_get_seen_count(const vd_store *store);
const char *vd_store_get_seen(const vd_store *store, int i);

/* Asks for a model: for the source on show and those that follow; when it is refused, the one before stays.
 *
 * labels  NULL, or a labels file */
void vd_store_set_model(vd_store *store, const char *model, const char *labels);
const char *vd_store_get_model(const vd_store *store); /* the one asked for or in use; empty: none yet */
bool vd_store_model_is_chosen(const vd_store *store);  /* false: the source chose a built-in one */

bool vd_store_is_file(const vd_store *store);    /* one may go to and fro in it */
bool vd_store_is_playing(const vd_store *store); /* false when paused, ended or failed */
void vd_store_set_playing(vd_store *store, bool playing);
void vd_store_step(vd_store *store, int frames); /* pauses first */
void vd_store_seek(vd_store *store, double time_s);
void vd_store_set_speed(vd_store *store, double speed);
void vd_store_set_recording(vd_store *store, bool recording);

/* Events of the source on show, newest first: i = 0 … count - 1. Borrowed until the next change of events.
 *
 * era  rises when all of them went, and ids begin again */
enum { VD_STORE_EVENTS = 500 };
unsigned vd_store_get_events_era(const vd_store *store);
int vd_store_get_event_count(const vd_store *store);
const vd_event *vd_store_get_event(const vd_store *store, int i);
const vd_event *vd_store_find_event(const vd_store *store, uint64_t id); /* NULL: there is none */
const vd_event_figures *vd_store_get_figures(const vd_store *store);

/* The event that the operator chose; 0: none. */
uint64_t vd_store_get_chosen(const vd_store *store);
void vd_store_choose_event(vd_store *store, uint64_t id);

/* Chooses the event before (-1) or after (1) the chosen one, or where the file is; files go there. In a file
 * before and after are meant as it plays, else as they came. */
void vd_store_choose_neighbour(vd_store *store, int direction);
void vd_store_go_to_event(vd_store *store, uint64_t id); /* files: shows where it began */

/* The operator's word on the chosen event; the same again takes it back. */
void vd_store_judge(vd_store *store, vd_judgement judgement);

/* Verdicts are shown and change nothing else. */
bool vd_store_is_shadow(const vd_store *store);

/* Stage 2 as it was half a second ago; NULL: it is off. */
const vd_verify_stats *vd_store_get_stage2(const vd_store *store);

/* The streaming interface: other programs send pictures, and watch the camera on show. */
void vd_store_set_streaming(vd_store *store, bool on);
const vd_serving_view *vd_store_get_streaming(const vd_store *store);

const vd_notice *vd_store_get_notice(const vd_store *store);
void vd_store_show_error(vd_store *store, const vd_error *error);
void vd_store_show_notice(vd_store *store, const vd_notice *notice);
void vd_store_dismiss(vd_store *store);

#endif
