#include "ui/bridge.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ui/handover.h"

/* After input, before GDK paints (G_PRIORITY_HIGH_IDLE + 20): a picture is drawn in the turn it arrives in.
 */
enum { PRIORITY = G_PRIORITY_HIGH_IDLE + 10 };

struct vd_bridge {
    /* immutable */
    void (*run)(void *context);
    void *context;
    /* atomic: set by whoever wakes, cleared by the main loop before it looks */
    atomic_bool pending;
};

static gboolean run_pending(gpointer data)
{
    vd_bridge *bridge = data;
    VD_TAKE_OVER(bridge);
    atomic_exchange(&bridge->pending, false);
    bridge->run(bridge->context);
    return G_SOURCE_REMOVE;
}

vd_bridge *vd_bridge_new(void (*run)(void *context), void *context)
{
    vd_bridge *bridge = g_new0(vd_bridge, 1);
    bridge->run = run;
    bridge->context = context;
    return bridge;
}

void vd_bridge_wake(void *data)
{
    vd_bridge *bridge = data;
    if (atomic_exchange(&bridge->pending, true))
        return;
    VD_HAND_OVER(bridge);
    g_idle_add_full(PRIORITY, run_pending, bridge, NULL);
}

void vd_bridge_free(vd_bridge **bridge)
{
    if (!*bridge)
        return;
    while (g_idle_remove_by_data(*bridge))
        ;
    g_clear_pointer(bridge, g_free);
}
