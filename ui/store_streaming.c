/* The streaming interface, as the window's operator turns it on and off. */
#include "ui/store_impl.h"

static void changed(void *context)
{
    vd_store_emit(context, VD_CHANGED_STREAMING);
}

void vd_store_init_streaming(vd_store *store)
{
    vd_serving_follow(store->serving, changed, store);
}

void vd_store_fini_streaming(vd_store *store)
{
    vd_serving_follow(store->serving, NULL, NULL);
    vd_serving_stop(store->serving);
}

/* With the detector that was chosen in this window, else as the settings say. */
void vd_store_set_streaming(vd_store *store, bool on)
{
    if (on)
        vd_serving_start(store->serving, &store->settings, store->chosen_model, store->chosen_labels);
    else
        vd_serving_stop(store->serving);
}

const vd_serving_view *vd_store_get_streaming(const vd_store *store)
{
    return vd_serving_get_view(store->serving);
}
