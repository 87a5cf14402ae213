#include "ui/event_list.h"

static void free_event(gpointer data)
{
    vd_event *event = data;
    vd_event_clear(event);
    g_free(event);
}

GPtrArray *vd_event_list_new(void)
{
    return g_ptr_array_new_with_free_func(free_event);
}

/* The place of an event, or where it would have to stand. */
static guint place_of(const GPtrArray *list, uint64_t id)
{
    guint i = 0;
    while (i < list->len && ((const vd_event *)g_ptr_array_index(list, i))->id > id)
        i++;
    return i;
}

void vd_event_list_put(GPtrArray *list, const vd_event *news)
{
    guint place = place_of(list, news->id);
    vd_event *event = place < list->len ? g_ptr_array_index(list, place) : NULL;
    if (event && event->id == news->id) {
        vd_event_clear(event);
        *event = *news;
    } else {
        g_ptr_array_insert(list, (gint)place, g_memdup2(news, sizeof *news));
    }
}

void vd_event_list_trim(GPtrArray *list, guint most)
{
    if (list->len > most)
        g_ptr_array_set_size(list, (gint)most);
}

const vd_event *vd_event_list_find(const GPtrArray *list, uint64_t id)
{
    guint place = place_of(list, id);
    const vd_event *event = place < list->len ? g_ptr_array_index(list, place) : NULL;
    return event && event->id == id ? event : NULL;
}
