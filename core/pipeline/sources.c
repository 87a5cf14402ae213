#include "vedette/app/sources.h"

#include "base/thread.h"
#include "scene/scene.h"

static void register_all(void)
{
    vd_scene_register();
}

void vd_sources_register(void)
{
    static vd_once once = VD_ONCE_INIT;
    vd_once_run(&once, register_all);
}
