/* The events that the window lists: newest first, each once, as the camera told it last. */
#ifndef VD_UI_EVENT_LIST_H
#define VD_UI_EVENT_LIST_H

#include <glib.h>

#include "vedette/app/event.h"

/* An array of vd_event *, freed with g_ptr_array_free(list, TRUE). */
GPtrArray *vd_event_list_new(void);

/* Takes an event in, or over the one with its id. Owns the picture that it holds from now on. */
void vd_event_list_put(GPtrArray *list, const vd_event *news);

/* The oldest go, until there are at most so many. */
void vd_event_list_trim(GPtrArray *list, guint most);

/* Borrowed until the list changes; NULL: it is not there. */
const vd_event *vd_event_list_find(const GPtrArray *list, uint64_t id);

#endif
