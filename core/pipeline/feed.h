/* A feed as its camera sees it: a bounded list of items under a lock of its own (VD_RANK_FEED, above the
 * camera's: it is filled under that). The camera has a reference and the subscriber another. */
#ifndef VD_PIPELINE_FEED_H
#define VD_PIPELINE_FEED_H

#include "vedette/app/feed.h"

enum { VD_FEED_MOST = 1024 };

/* One reference. VD_OK or VD_ENOMEM. */
int vd_feed_new(size_t room, void (*wake)(void *context), void *context, vd_feed **ret_feed);
vd_feed *vd_feed_ref(vd_feed *feed);
void vd_feed_unref(vd_feed **feed);

bool vd_feed_wants_detections(vd_feed *feed);
bool vd_feed_is_closed(vd_feed *feed); /* by its subscriber */

/* A copy of an item, with references of its own. Without memory the item is dropped and counted. */
void vd_feed_push(vd_feed *feed, const vd_feed_item *item);

/* Nothing more comes. */
void vd_feed_end(vd_feed *feed);

/* True once after an item came to an empty feed, or it ended: then vd_feed_wake is to be called. */
bool vd_feed_take_due(vd_feed *feed);
void vd_feed_wake(vd_feed *feed); /* without any lock */

#endif
