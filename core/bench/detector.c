#include <stdlib.h>

#include "detect/kinds.h"
#include "model/model.h"
#include "vedette/app/bench.h"

struct vd_bench_detector {
    vd_model *model;
    vd_network_config config;
    vd_detector_ops ops;
    vd_detector *detector;
};

int vd_bench_detector_new(const char *model, int workers, vd_bench_detector **ret_detector, vd_error *error)
{
    const vd_model_options reading = {.no_plan = true};
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_bench_detector *made = calloc(1, sizeof *made);
    if (!made)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the detector.");
    int code = vd_model_read(model, &reading, &made->model, error);
    if (code == VD_OK) {
        made->config.model = made->model;
        made->ops = vd_network_ops_for(made->model);
        options.ops = &made->ops;
        options.config = &made->config;
        options.max_workers = workers;
        code = vd_detector_new(&options, &made->detector, error);
    }
    if (code) {
        vd_bench_detector_free(&made);
        return code;
    }
    vd_model_drop_file(made->model);
    *ret_detector = made;
    return VD_OK;
}

vd_detector *vd_bench_detector_of(const vd_bench_detector *detector)
{
    return detector->detector;
}

void vd_bench_detector_free(vd_bench_detector **pointer)
{
    vd_bench_detector *made = *pointer;
    *pointer = NULL;
    if (!made)
        return;
    vd_detector_free(&made->detector);
    vd_model_free(&made->model);
    free(made);
}
