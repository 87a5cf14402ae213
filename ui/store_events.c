/* Events change as often as pictures come; the list follows at a pace that people can see. */
#include "ui/store_impl.h"

#include <string.h>

#include "ui/event_list.h"
#include "ui/words_events.h"

enum { EVENTS_EVERY_US = 100000 };

void vd_store_init_events(vd_store *store)
{
    store->events = vd_event_list_new();
    store->news = g_new(vd_event, VD_STORE_EVENTS);
}

void vd_store_forget_events(vd_store *store)
{
    g_clear_handle_id(&store->events_timer, g_source_remove);
    g_ptr_array_set_size(store->events, 0);
    store->events_revision = store->chosen_event = 0;
    store->events_taken_us = 0;
    store->events_era++;
    memset(&store->figures, 0, sizeof store->figures);
}

void vd_store_fini_events(vd_store *store)
{
    vd_store_forget_events(store);
    g_ptr_array_free(store->events, TRUE);
    g_free(store->news);
}

/* --- What the camera has */

static unsigned take_events(vd_store *store)
{
    g_clear_handle_id(&store->events_timer, g_source_remove);
    size_t count = vd_camera_get_events(store->camera, store->events_revision, &store->events_revision,
                                        store->news, VD_STORE_EVENTS);
    for (size_t i = count; i > 0; i--)
        vd_event_list_put(store->events, &store->news[i - 1]);
    vd_event_list_trim(store->events, VD_STORE_EVENTS);
    if (!vd_store_find_event(store, store->chosen_event))
        store->chosen_event = 0;
    store->figures = vd_camera_get_event_figures(store->camera);
    store->events_taken_us = g_get_monotonic_time();
    return count ? VD_CHANGED_EVENTS : 0;
}

static gboolean events_due(gpointer data)
{
    vd_store *store = data;
    store->events_timer = 0;
    vd_store_emit(store, take_events(store));
    return G_SOURCE_REMOVE;
}

unsigned vd_store_look_for_events(vd_store *store)
{
    if (!store->camera || store->status.events_revision <= store->events_revision || store->events_timer)
        return 0;
    gint64 wait_us = store->events_taken_us + EVENTS_EVERY_US - g_get_monotonic_time();
    if (wait_us <= 0)
        return take_events(store);
    store->events_timer = g_timeout_add((guint)(wait_us / 1000 + 1), events_due, store);
    return 0;
}

unsigned vd_store_get_events_era(const vd_store *store)
{
    return store->events_era;
}

int vd_store_get_event_count(const vd_store *store)
{
    return (int)store->events->len;
}

const vd_event *vd_store_get_event(const vd_store *store, int i)
{
    return g_ptr_array_index(store->events, (guint)i);
}

const vd_event *vd_store_find_event(const vd_store *store, uint64_t id)
{
    return vd_event_list_find(store->events, id);
}

const vd_event_figures *vd_store_get_figures(const vd_store *store)
{
    return &store->figures;
}

/* --- The chosen one */

uint64_t vd_store_get_chosen(const vd_store *store)
{
    return store->chosen_event;
}

void vd_store_choose_event(vd_store *store, uint64_t id)
{
    if (id == store->chosen_event || (id && !vd_store_find_event(store, id)))
        return;
    store->chosen_event = id;
    vd_store_emit(store, VD_CHANGED_EVENTS);
}

bool vd_store_is_file(const vd_store *store)
{
    return !store->status.source.is_live && store->status.source.can_seek;
}

/* Files are read to and fro: their events have an order besides that in which they were found. */
static bool is_after(const vd_store *store, const vd_event *a, const vd_event *b)
{
    if (vd_store_is_file(store) && a->opened_s != b->opened_s)
        return a->opened_s > b->opened_s;
    return a->id > b->id;
}

static const vd_event *find_neighbour(const vd_store *store, const vd_event *from, int direction)
{
    const vd_event *best = NULL;
    for (guint i = 0; i < store->events->len; i++) {
        const vd_event *event = g_ptr_array_index(store->events, i);
        bool beyond = direction > 0 ? is_after(store, event, from) : is_after(store, from, event);
        bool nearer = !best || (direction > 0 ? is_after(store, best, event) : is_after(store, event, best));
        if (beyond && nearer)
            best = event;
    }
    return best;
}

void vd_store_choose_neighbour(vd_store *store, int direction)
{
    /* Without a chosen one: from the picture on show; live, that is after all events. */
    vd_event here = {.id = UINT64_MAX,
                     .opened_s = store->view.picture ? store->view.time_s : store->status.position_s};
    const vd_event *chosen = vd_store_find_event(store, store->chosen_event);
    const vd_event *event = find_neighbour(store, chosen ? chosen : &here, direction);
    if (!event && !chosen && !vd_store_is_file(store) && store->events->len)
        event = g_ptr_array_index(store->events, 0);
    if (!event)
        return;
    uint64_t id = event->id;
    vd_store_choose_event(store, id);
    vd_store_go_to_event(store, id);
}

void vd_store_go_to_event(vd_store *store, uint64_t id)
{
    const vd_event *event = vd_store_find_event(store, id);
    if (event && vd_store_is_file(store))
        vd_store_seek(store, MAX(event->opened_s, 0));
}

void vd_store_judge(vd_store *store, vd_judgement judgement)
{
    const vd_event *event = vd_store_find_event(store, store->chosen_event);
    if (!event || !store->camera)
        return;
    if (event->judgement == judgement)
        judgement = VD_JUDGEMENT_NONE;
    if (vd_camera_judge(store->camera, event->id, judgement))
        vd_store_emit(store, take_events(store));
}

/* --- Stage 2 */

const vd_verify_stats *vd_store_get_stage2(const vd_store *store)
{
    return store->verifier && store->camera ? &store->stage2 : NULL;
}

bool vd_store_is_shadow(const vd_store *store)
{
    return store->shadow;
}

/* An error on show is of more weight: the warning waits for its place. */
static unsigned note_degraded(vd_store *store)
{
    char text[sizeof store->notice.text];
    bool degraded = store->verifier && store->stage2.degraded;
    if (degraded == store->degraded_told || (degraded && store->notice.kind == VD_NOTICE_ERROR))
        return 0;
    store->degraded_told = degraded;
    if (degraded) {
        vd_words_degraded(text, sizeof text, &store->stage2, false);
        vd_store_note(store, VD_NOTICE_WARNING, VD_ACTION_NONE, text);
        store->notice.of_stage2 = true;
    } else if (store->notice.kind != VD_NOTICE_NONE && store->notice.of_stage2) {
        store->notice.kind = VD_NOTICE_NONE;
    }
    return VD_CHANGED_NOTICE;
}

unsigned vd_store_take_stage2(vd_store *store)
{
    vd_verify_stats before = store->stage2;
    if (store->verifier)
        store->stage2 = vd_verifier_get_stats(store->verifier);
    else
        memset(&store->stage2, 0, sizeof store->stage2);
    bool same = before.degraded == store->stage2.degraded &&
                !strcmp(before.degraded_why.text, store->stage2.degraded_why.text);
    return (same ? 0 : VD_CHANGED_STAGE2) | note_degraded(store);
}

void vd_store_choose_verifier(vd_store *store)
{
    vd_error error;
    store->verifier = vd_verifiers_choose(store->verifiers, &store->settings, vd_store_get_model(store),
                                          vd_bridge_wake, store->bridge, &error);
    if (error.code)
        vd_store_note_error(store, &error, VD_ACTION_NONE);
    vd_store_take_stage2(store);
}
