/* The cameras of a service and their stage 2, as others add and remove them. */
#include "serve/server.h"

int vd_serve_add_camera(vd_serve *serve, const char *name, vd_camera *camera, vd_error *error)
{
    return vd_cameras_add(serve->cameras, name, camera, error);
}

void vd_serve_remove_camera(vd_serve *serve, const char *name)
{
    vd_cameras_remove(serve->cameras, name);
}

void vd_serve_set_verifier(vd_serve *serve, vd_verifier *verifier)
{
    vd_mutex_lock(&serve->lock);
    serve->verifier = verifier;
    vd_mutex_unlock(&serve->lock);
}

bool vd_serve_get_step2(vd_serve *serve, vd_verify_stats *ret_stats)
{
    /* Asked under the lock: who takes the verifier away may free it at once. */
    vd_mutex_lock(&serve->lock);
    bool has = serve->verifier != NULL;
    if (has)
        *ret_stats = vd_verifier_get_stats(serve->verifier);
    vd_mutex_unlock(&serve->lock);
    return has;
}
