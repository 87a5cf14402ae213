#include <math.h>
#include <string.h>

#include "vedette/app/verify.h"

struct range {
    const char *name;
    double value, least, most;
};

static int check_range(const struct range *range, vd_error *error)
{
    if (range->value >= range->least && range->value <= range->most) /* false for what is no number */
        return VD_OK;
    return vd_error_set(error, VD_EINVAL, range->name, "%s is %g; it must be %g to %g.", range->name,
                        range->value, range->least, range->most);
}

static bool has_end(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

int vd_verify_options_validate(const vd_verify_options *options, vd_error *error)
{
    const struct range ranges[] = {
        {"verification_threshold", options->threshold, 0, 1},
        {"input_size", options->input_width, 32, 512},
        {"input_size", options->input_height, 32, 512},
        {"temporal_size", options->temporal_size, 2, VD_CLIP_MOST},
        {"max_workers", options->max_workers, 1, 8},
        {"min_workers", options->min_workers, 1, 8},
        {"queue_size", options->queue_size, 1, 1000},
        {"result_queue_size", options->result_queue_size, 1, 1000},
        {"worker_timeout_sec", options->worker_timeout_s, 0.05, 300},
        {"test_sleep_s", options->test_sleep_s, 0, 300},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (check_range(&ranges[i], error) != VD_OK)
            return VD_EINVAL;
    if (options->min_workers > options->max_workers)
        return vd_error_set(error, VD_EINVAL, "min_workers",
                            "min_workers is %d; it must be at most max_workers, %d.", options->min_workers,
                            options->max_workers);
    if (!has_end(options->model_path, sizeof options->model_path) ||
        !has_end(options->model_type, sizeof options->model_type) ||
        !has_end(options->worker_program, sizeof options->worker_program))
        return vd_error_set(error, VD_EINVAL, "model_path", "model_path is too long.");
    if (strcmp(options->model_type, "onnx") != 0 && strncmp(options->model_type, "test:", 5) != 0)
        return vd_error_set(error, VD_EINVAL, "model_type", "model_type is \"%s\"; it must be onnx.",
                            options->model_type);
    return VD_OK;
}
