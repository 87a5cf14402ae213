#include "vedette/app/settings.h"

vd_step2_sizes vd_step2_get_sizes(const vd_step2_settings *step2)
{
    static const vd_step2_sizes presets[] = {
        [VD_STEP2_SMALL] = {1, 20, 40}, [VD_STEP2_MEDIUM] = {2, 40, 80}, [VD_STEP2_LARGE] = {3, 60, 120}};
    vd_step2_sizes sizes = {step2->max_workers, step2->queue_size, step2->result_queue_size};
    if (step2->preset == VD_STEP2_NONE)
        return sizes;
    const vd_step2_sizes *preset = &presets[step2->preset];
    if (!step2->max_workers_given)
        sizes.max_workers = preset->max_workers;
    if (!step2->queue_size_given)
        sizes.queue_size = preset->queue_size;
    if (!step2->result_queue_size_given)
        sizes.result_queue_size = preset->result_queue_size;
    return sizes;
}
