/* The store's inside, shared by the files that make it up: store.c (camera, listeners), store_watch.c (what
 * changed since the status before), store_tuning.c (thresholds, classes), store_events.c (events, stage 2),
 * store_streaming.c.
 * Nobody else includes it. */
#ifndef VD_UI_STORE_IMPL_H
#define VD_UI_STORE_IMPL_H

#include <glib.h>

#include "ui/bridge.h"
#include "ui/store.h"

typedef struct vd_store_entry {
    vd_store_listener *call;
    void *context;
} vd_store_entry;

struct vd_store {
    vd_settings settings;
    vd_bridge *bridge;
    GArray *listeners; /* of vd_store_entry */
    guint tick;

    vd_camera *camera;                   /* NULL: the empty state */
    char *address, *name, *camera_model; /* as asked for; `camera_model` is the settings', may be NULL */
    vd_camera_status status;
    vd_view view;
    int view_width, view_height;

    vd_tuning tuning, defaults;
    vd_history *history;
    vd_thresholds thresholds; /* of `tuning` and `labels` */
    vd_overlay_sync sync;
    vd_labels *labels;
    GPtrArray *seen; /* char * */
    vd_result *seen_in;

    char *chosen_model, *chosen_labels; /* in this window; NULL: the settings or the source decide */
    char *good_model, *good_labels;     /* the last choice that loaded */

    vd_notice notice;

    vd_serving *serving;     /* the program's */
    vd_verifiers *verifiers; /* the program's */
    vd_verifier *verifier;   /* one of them, of the camera on show; NULL: stage 2 is off */
    vd_verify_stats stage2;
    bool degraded_told, shadow;
    GPtrArray *events; /* vd_event *, newest first */
    vd_event *news;    /* room for VD_STORE_EVENTS */
    uint64_t events_revision, chosen_event;
    unsigned events_era;
    vd_event_figures figures;
    gint64 events_taken_us;
    guint events_timer;
};

/* store.c */
void vd_store_emit(vd_store *store, unsigned changes);

/* Replaces a text on the heap by a copy; empty becomes NULL. */
void vd_store_set_text(char **field, const char *text);

/* store_watch.c: these fill store->notice; the caller emits VD_CHANGED_NOTICE. */
void vd_store_note(vd_store *store, vd_notice_kind kind, vd_notice_action action, const char *text);
void vd_store_note_error(vd_store *store, const vd_error *error, vd_notice_action action);
void vd_store_note_recording(vd_store *store, bool ended);

/* Takes the camera's newest status; returns what differs from the one before. */
unsigned vd_store_take_status(vd_store *store);

/* Thresholds that neither the settings nor the operator chose become those that suit the model. */
void vd_store_suit_model(vd_store *store);

/* store_tuning.c: each returns what changed. */
unsigned vd_store_apply_tuning(vd_store *store);
unsigned vd_store_look_for_classes(vd_store *store);
void vd_store_forget_seen(vd_store *store);

/* store_streaming.c */
void vd_store_init_streaming(vd_store *store);
void vd_store_fini_streaming(vd_store *store); /* asks it to end; nobody is told */

/* store_events.c */
void vd_store_init_events(vd_store *store);
void vd_store_fini_events(vd_store *store);
void vd_store_forget_events(vd_store *store);

/* Takes events that changed, not more often than people can see; returns what changed. */
unsigned vd_store_look_for_events(vd_store *store);

/* Takes the stats of stage 2; returns what changed besides figures. */
unsigned vd_store_take_stage2(vd_store *store);

/* The verifier for the camera that is about to be opened; a failure becomes the notice. */
void vd_store_choose_verifier(vd_store *store);

#endif
