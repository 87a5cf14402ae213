#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "vedette/app/bench.h"

enum { MOST = 8 }; /* sizes of a model */

/* A detector behind which the real one works. */
struct slow {
    vd_bench_slowed *slowed;
    vd_detector *detector;
    vd_detector_ops ops;
};

struct vd_bench_slowed {
    char *model; /* immutable, as is workers */
    int workers;
    vd_cancel nobody; /* to sleep by */
    struct slow made[MOST];
    int count;
    _Atomic double factor; /* atomic: set while workers work */
};

int vd_bench_slowed_new(const char *model, int workers, vd_bench_slowed **ret_slowed, vd_error *error)
{
    vd_bench_slowed *slowed = calloc(1, sizeof *slowed);
    char *copy = strdup(model);
    if (!slowed || !copy || vd_cancel_init(&slowed->nobody)) {
        free(copy);
        free(slowed);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the detector.");
    }
    slowed->model = copy;
    slowed->workers = workers;
    atomic_init(&slowed->factor, 1);
    *ret_slowed = slowed;
    return VD_OK;
}

static int open_state(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    const struct slow *slow = config;
    (void)error;
    *ret_state = (void *)slow;
    *ret_labels = vd_labels_ref((vd_labels *)vd_detector_labels(slow->detector));
    return VD_OK;
}

static void copy_result(const vd_result *from, vd_result *to)
{
    to->input_width = from->input_width;
    to->input_height = from->input_height;
    to->preprocess_ns = from->preprocess_ns;
    to->forward_ns = from->forward_ns;
    to->decode_ns = from->decode_ns;
    to->nms_done = from->nms_done;
    to->count = from->count;
    memcpy(to->candidates, from->candidates, from->count * sizeof *from->candidates);
}

/* As long as the real one needs, and then as much longer as the factor says. */
static int detect(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    const struct slow *slow = state;
    vd_result *real;
    int64_t began_ns = vd_clock_now_ns();
    int code = vd_detector_detect(slow->detector, image, &real, error);
    if (code)
        return code;
    copy_result(real, result);
    vd_result_unref(&real);
    int64_t took_ns = vd_clock_now_ns() - began_ns;
    int64_t more_ns = (int64_t)((double)took_ns * (atomic_load(&slow->slowed->factor) - 1));
    if (more_ns > 0) {
        vd_cancel_sleep_until(&slow->slowed->nobody, began_ns + took_ns + more_ns);
        result->forward_ns += more_ns;
    }
    return VD_OK;
}

static void close_state(void *state)
{
    (void)state;
}

int vd_bench_slowed_open(void *context, int input_width, int input_height, vd_detector **ret_detector,
                         vd_error *error)
{
    vd_bench_slowed *slowed = context;
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT, outer = VD_DETECTOR_OPTIONS_INIT;
    if (slowed->count == MOST)
        return vd_error_set(error, VD_EINVAL, NULL, "No more than %d sizes of a model are slowed.", MOST);
    struct slow *slow = &slowed->made[slowed->count];
    options.model = slowed->model;
    options.max_workers = slowed->workers;
    options.input_width = input_width;
    options.input_height = input_height;
    int code = vd_detector_new(&options, &slow->detector, error);
    if (code)
        return code;
    slowed->count++;
    slow->slowed = slowed;
    slow->ops = (vd_detector_ops){
        .open = open_state, .detect = detect, .close = close_state, .name = vd_detector_name(slow->detector)};
    outer.ops = &slow->ops;
    outer.config = slow;
    outer.max_workers = slowed->workers;
    return vd_detector_new(&outer, ret_detector, error);
}

void vd_bench_slowed_set(vd_bench_slowed *slowed, double factor)
{
    atomic_store(&slowed->factor, factor);
}

void vd_bench_slowed_free(vd_bench_slowed **pointer)
{
    vd_bench_slowed *slowed = *pointer;
    *pointer = NULL;
    if (!slowed)
        return;
    for (int i = 0; i < slowed->count; i++)
        vd_detector_free(&slowed->made[i].detector);
    vd_cancel_fini(&slowed->nobody);
    free(slowed->model);
    free(slowed);
}
