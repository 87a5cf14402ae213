#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/app/verify.h"
#include "verify/clip.h"
#include "verify/crew.h"

struct vd_verifier {
    vd_verify_options options; /* immutable */
    vd_requests requests;      /* has the lock */
    vd_crew crew;
};

int vd_verifier_new(const vd_verify_options *options, void (*wake)(void *context), void *context,
                    vd_verifier **ret_verifier, vd_error *error)
{
    int code = vd_verify_options_validate(options, error);
    if (code != VD_OK)
        return code;
    vd_verifier *verifier = calloc(1, sizeof *verifier);
    if (verifier &&
        vd_requests_init(&verifier->requests, options->queue_size, options->result_queue_size) != VD_OK) {
        free(verifier);
        verifier = NULL;
    }
    if (verifier && vd_crew_start(&verifier->crew, options, &verifier->requests, wake, context) != VD_OK) {
        vd_requests_fini(&verifier->requests);
        free(verifier);
        verifier = NULL;
    }
    if (!verifier)
        return vd_error_set(error, VD_ENOMEM, NULL,
                            "There is not enough memory for the second model's queue.");
    verifier->options = *options;
    *ret_verifier = verifier;
    return VD_OK;
}

void vd_verifier_stop(vd_verifier *verifier)
{
    vd_crew_stop(&verifier->crew);
}

void vd_verifier_free(vd_verifier **pointer)
{
    vd_verifier *verifier = *pointer;
    *pointer = NULL;
    if (!verifier)
        return;
    vd_crew_stop(&verifier->crew);
    vd_crew_fini(&verifier->crew);
    vd_requests_fini(&verifier->requests);
    free(verifier);
}

int vd_verifier_submit(vd_verifier *verifier, const vd_verify_clip *clip, float confidence, uint64_t *ret_id,
                       vd_error *error)
{
    uint64_t id = 0;
    int code = vd_clip_validate(clip, error);
    if (code == VD_OK && !isfinite(confidence))
        code = vd_error_set(error, VD_EINVAL, "confidence", "The event's confidence is no number.");
    if (code != VD_OK)
        return code;
    code = vd_requests_push(&verifier->requests, clip, confidence, &id);
    if (code != VD_OK)
        return vd_error_set(error, code, NULL, "Stage 2 has been stopped.");
    vd_crew_poke(&verifier->crew);
    if (!verifier->options.async_enabled)
        vd_requests_wait(&verifier->requests, id);
    *ret_id = id;
    return VD_OK;
}

bool vd_verifier_drop_oldest_of(vd_verifier *verifier, const struct vd_frame_pool *pool, int64_t first)
{
    return vd_requests_drop_oldest_of(&verifier->requests, pool, first);
}

int vd_verifier_take(vd_verifier *verifier, uint64_t id, int64_t deadline_ns, vd_verify_result *ret_result)
{
    return vd_requests_take(&verifier->requests, id, deadline_ns, ret_result);
}

size_t vd_verifier_take_all(vd_verifier *verifier, vd_verify_result *ret_results, size_t room)
{
    return vd_requests_take_all(&verifier->requests, ret_results, room);
}

int vd_verifier_set_model(vd_verifier *verifier, const char *model_path, vd_error *error)
{
    if (strlen(model_path) >= sizeof verifier->options.model_path)
        return vd_error_set(error, VD_EINVAL, "model_path", "model_path is too long.");
    vd_mutex_lock(&verifier->requests.lock);
    bool over = verifier->crew.stopping;
    vd_mutex_unlock(&verifier->requests.lock);
    if (over)
        return vd_error_set(error, VD_ESHUTDOWN, NULL, "Stage 2 has been stopped.");
    vd_crew_set_model(&verifier->crew, model_path);
    return VD_OK;
}

vd_verify_stats vd_verifier_get_stats(vd_verifier *verifier)
{
    vd_verify_stats stats;
    vd_requests_get_stats(&verifier->requests, &stats);
    stats.min_workers = verifier->options.min_workers;
    stats.max_workers = verifier->options.max_workers;
    return stats;
}
