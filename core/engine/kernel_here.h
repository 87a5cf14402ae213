/* What this processor and this program have, and the passes that only the kernels use themselves. */
#ifndef VD_ENGINE_KERNEL_HERE_H
#define VD_ENGINE_KERNEL_HERE_H

#include "engine/kernel_lanes.h"

/* Of the calling thread, as vd_kernel_set_threads left it; 1 before. Tells OpenMP as well, whose own number
 * would be all cores in a thread that never said. */
int vd_kernel_threads(void);

/* vd_pass_act_add with different types of in and out. */
void vd_pass_act_mixed(const vd_act_job *job, size_t count);

#endif
