/* Parts of vd_bench_verify_scene: events beside the truth of the scene that they came from. */
#ifndef VD_BENCH_VERIFY_SCENE_H
#define VD_BENCH_VERIFY_SCENE_H

#include "vedette/app/bench.h"
#include "vedette/app/event.h"

enum { SCENE_EVENT_OBJECTS = 8 };

/* A hazard or decoy that was there. */
typedef struct scene_thing {
    vd_scene_kind kind;
    int id, frames; /* in how many it was listed */
    bool found;     /* an event stood for it … */
    bool kept;      /* … and one of them was not rejected */
} scene_thing;

/* An event, and what lay under its track at the moments of its life. */
typedef struct scene_event {
    uint64_t id, request; /* request 0: not asked yet */
    int track_id;
    double opened_s, asked_s; /* stream time */
    struct {
        vd_scene_kind kind;
        int id, frames;
    } objects[SCENE_EVENT_OBJECTS];
    int object_count, sights; /* moments at which the track was detected */
    bool done;
    vd_verify_result result;
} scene_event;

/* Everything of one scene; the arrays grow. Zeroed to start. */
typedef struct scene_tally {
    scene_thing *things;
    scene_event *events;
    size_t thing_count, thing_room, event_count, event_room;
} scene_tally;

void scene_tally_clear(scene_tally *tally);

/* What the truth lists in a frame. VD_OK or VD_ENOMEM. */
int scene_tally_list(scene_tally *tally, const vd_scene_object *objects, size_t count);

/* An event that has opened. VD_OK or VD_ENOMEM. */
int scene_tally_open(scene_tally *tally, const vd_event *event);

/* A detection of an event's track in a frame: what it overlaps most, IoU 0.5 or more. */
void scene_tally_see(scene_tally *tally, uint64_t event, const vd_box *box, const vd_scene_object *objects,
                     size_t count);

/* The form of clip that a verifier's file asks for. VD_OK or what the file was refused with. */
int scene_verify_fit(const char *model, vd_verify_options *options, vd_error *error);

/* Waits until so many workers have their model loaded, at most a minute. VD_OK, VD_ETIMEOUT, or why stage 2
 * is degraded. */
int scene_verify_wait(vd_verifier *verifier, int workers, vd_error *error);

/* Adds the scene up and forgets it. `least_frames`: of a hazard that an event could have stood for. */
void scene_tally_finish(scene_tally *tally, int least_frames, vd_bench_verify_figures *figures);

#endif
