/* Events beside the truth: which hazard or decoy each stood for, and what stage 2 made of that. */
#include <stdlib.h>
#include <string.h>

#include "bench/verify_scene.h"

static const float least_overlap = 0.5f;

void scene_tally_clear(scene_tally *tally)
{
    free(tally->things);
    free(tally->events);
    memset(tally, 0, sizeof *tally);
}

static scene_thing *find_thing(const scene_tally *tally, vd_scene_kind kind, int id)
{
    for (size_t i = 0; i < tally->thing_count; i++)
        if (tally->things[i].id == id && tally->things[i].kind == kind)
            return &tally->things[i];
    return NULL;
}

/* Room for one more in an array that grows by doubling. VD_OK or VD_ENOMEM. */
static int reserve(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return VD_OK;
    size_t more = *room > 0 ? 2 * *room : 64;
    void *grown = reallocarray(*array, more, size);
    if (!grown)
        return VD_ENOMEM;
    *array = grown;
    *room = more;
    return VD_OK;
}

int scene_tally_list(scene_tally *tally, const vd_scene_object *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scene_thing *thing = find_thing(tally, objects[i].kind, objects[i].track_id);
        if (!thing) {
            void *array = tally->things;
            int code = reserve(&array, &tally->thing_room, tally->thing_count, sizeof *thing);
            tally->things = array;
            if (code)
                return code;
            thing = &tally->things[tally->thing_count++];
            *thing = (scene_thing){.kind = objects[i].kind, .id = objects[i].track_id};
        }
        thing->frames++;
    }
    return VD_OK;
}

int scene_tally_open(scene_tally *tally, const vd_event *event)
{
    void *array = tally->events;
    int code = reserve(&array, &tally->event_room, tally->event_count, sizeof *tally->events);
    tally->events = array;
    if (code)
        return code;
    tally->events[tally->event_count++] =
        (scene_event){.id = event->id, .track_id = event->track_id, .opened_s = event->opened_s};
    return VD_OK;
}

static void count_object(scene_event *event, const vd_scene_object *object)
{
    int i = 0;
    while (i < event->object_count &&
           (event->objects[i].id != object->track_id || event->objects[i].kind != object->kind))
        i++;
    if (i == SCENE_EVENT_OBJECTS)
        return;
    if (i == event->object_count) {
        event->objects[i].kind = object->kind;
        event->objects[i].id = object->track_id;
        event->objects[i].frames = 0;
        event->object_count++;
    }
    event->objects[i].frames++;
}

void scene_tally_see(scene_tally *tally, uint64_t id, const vd_box *box, const vd_scene_object *objects,
                     size_t count)
{
    scene_event *event = NULL;
    const vd_scene_object *under = NULL;
    float best = least_overlap;
    for (size_t i = 0; i < tally->event_count && !event; i++)
        event = tally->events[i].id == id ? &tally->events[i] : NULL;
    for (size_t i = 0; i < count && event; i++) {
        float overlap = vd_box_iou(box, &objects[i].box);
        if (overlap < best)
            continue;
        best = overlap;
        under = &objects[i];
    }
    if (!event)
        return;
    event->sights++;
    if (under)
        count_object(event, under);
}

/* What an event stood for: what lay under it most often, at a third of its moments or more (boxes of things
 * that lie far away overlap badly now and then). NULL: nothing. */
static scene_thing *thing_of(const scene_tally *tally, const scene_event *event)
{
    int best = -1;
    for (int i = 0; i < event->object_count; i++)
        if (best < 0 || event->objects[i].frames > event->objects[best].frames)
            best = i;
    if (best < 0 || 3 * event->objects[best].frames < event->sights)
        return NULL;
    return find_thing(tally, event->objects[best].kind, event->objects[best].id);
}

static bool is_hazard(vd_scene_kind kind)
{
    return kind < VD_SCENE_SHADOW;
}

static void count_event(const scene_tally *tally, const scene_event *event, vd_bench_verify_figures *figures)
{
    scene_thing *thing = thing_of(tally, event);
    vd_verdict verdict = event->result.verdict;
    bool kept = verdict != VD_VERDICT_REJECTED, verified = verdict == VD_VERDICT_VERIFIED;
    bool hazard = thing && is_hazard(thing->kind);
    figures->events.of++;
    figures->events.count += hazard;
    figures->kept.of += kept;
    figures->kept.count += kept && hazard;
    if (thing) {
        thing->found = true;
        thing->kept = thing->kept || kept;
    }
    vd_bench_share *share = hazard  ? &figures->hazards_verified
                            : thing ? &figures->decoys_rejected[thing->kind]
                                    : &figures->nothing_rejected;
    share->of++;
    share->count += hazard ? verified : !kept;
}

void scene_tally_finish(scene_tally *tally, int least_frames, vd_bench_verify_figures *figures)
{
    for (size_t i = 0; i < tally->event_count; i++)
        count_event(tally, &tally->events[i], figures);
    for (size_t i = 0; i < tally->thing_count; i++) {
        const scene_thing *thing = &tally->things[i];
        if (!is_hazard(thing->kind) || thing->frames < least_frames)
            continue;
        figures->found.of++;
        figures->found.count += thing->found;
        figures->found_kept.of++;
        figures->found_kept.count += thing->kept;
    }
    tally->thing_count = tally->event_count = 0;
}
