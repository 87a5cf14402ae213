#include "detect/options.h"

#include "base/cores.h"
#include "detect/kinds.h"

enum { MAX_WORKERS = 64, MAX_THREADS = 64, MAX_QUEUE = 4096, MIN_SIDE = 32, MAX_SIDE = 4096 };

static int at_most(int value, int most)
{
    return value < most ? value : most;
}

vd_detector_options vd_options_resolve(const vd_detector_options *given)
{
    static const int batches[] = {16, 4, 16, 32};
    vd_detector_options options = *given;
    int cores = vd_cores_usable();
    int workers[] = {at_most(cores, 4), at_most(cores, 2), at_most(cores, 4), at_most(cores, 8)};
    int preset =
        (int)options.preset >= 0 && options.preset <= VD_PRESET_HIGH_THROUGHPUT ? (int)options.preset : 0;
    if (options.max_workers == 0)
        options.max_workers = workers[preset];
    if (options.default_batch_size == 0)
        options.default_batch_size = batches[preset];
    return options;
}

int vd_options_check_range(const char *what, int value, int least, int most, vd_error *error)
{
    if (value >= least && value <= most)
        return VD_OK;
    return vd_error_set(error, VD_EINVAL, what, "%s is %d; it must be %d to %d.", what, value, least, most);
}

/* A side of the network's input; what its strides allow is the model's to say. */
static int check_side(const char *what, int pixels, vd_error *error)
{
    if (pixels == 0 || (pixels >= MIN_SIDE && pixels <= MAX_SIDE))
        return VD_OK;
    return vd_error_set(error, VD_EINVAL, what,
                        "%s is %d; it must be %d to %d pixels, or 0 for the model's own.", what, pixels,
                        (int)MIN_SIDE, (int)MAX_SIDE);
}

static int check_what(const vd_detector_options *options, vd_error *error)
{
    if (!options->ops && (!options->model || options->model[0] == '\0'))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "No model is given; name a model file, builtin:people or builtin:motion.");
    if (options->ops && (!options->ops->open || !options->ops->detect || !options->ops->close))
        return vd_error_set(error, VD_EINVAL, NULL,
                            "A table of detector functions needs open, detect and close.");
    return VD_OK;
}

int vd_options_check(const vd_detector_options *options, vd_error *error)
{
    vd_net_device device; /* only to be checked */
    int code = check_what(options, error);
    if (code == VD_OK)
        code = vd_options_check_range("preset", (int)options->preset, 0, VD_PRESET_HIGH_THROUGHPUT, error);
    if (code == VD_OK)
        code = vd_options_check_range("max_workers", options->max_workers, 1, MAX_WORKERS, error);
    if (code == VD_OK)
        code =
            vd_options_check_range("default_batch_size", options->default_batch_size, 1, VD_MAX_BATCH, error);
    if (code == VD_OK)
        code = vd_options_check_range("threads", options->threads, 0, MAX_THREADS, error);
    if (code == VD_OK)
        code = vd_options_check_range("queue_size", options->queue_size, 1, MAX_QUEUE, error);
    if (code == VD_OK)
        code = vd_options_check_range("precision", (int)options->precision, 0, VD_PRECISION_BF16, error);
    if (code == VD_OK)
        code = check_side("input_width", options->input_width, error);
    if (code == VD_OK)
        code = check_side("input_height", options->input_height, error);
    if (code == VD_OK)
        code = vd_network_device(options->device, &device, error);
    if (code == VD_OK && !(options->floor >= 0.0001f && options->floor <= 1))
        code = vd_error_set(error, VD_EINVAL, "floor", "floor is %g; it must be 0.0001 to 1.",
                            (double)options->floor);
    return code;
}
