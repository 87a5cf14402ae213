/* The cameras of a service, as others add and remove them. */
#include "serve/server.h"

int vd_serve_add_camera(vd_serve *serve, const char *name, vd_camera *camera, vd_error *error)
{
    return vd_cameras_add(serve->cameras, name, camera, error);
}

void vd_serve_remove_camera(vd_serve *serve, const char *name)
{
    vd_cameras_remove(serve->cameras, name);
}
