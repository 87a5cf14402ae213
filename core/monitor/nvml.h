/* Graphics cards by NVIDIA's management library, loaded at run time so that nothing depends on it. */
#ifndef VD_MONITOR_NVML_H
#define VD_MONITOR_NVML_H

#include "vedette/app/monitor.h"

typedef struct vd_nvml vd_nvml;

/* library  a file name for the dynamic loader
 * Returns VD_OK, VD_EUNSUPPORTED (it does not load, lacks functions or finds no driver) or VD_ENOMEM. */
int vd_nvml_open(const char *library, vd_nvml **ret_nvml);
void vd_nvml_close(vd_nvml **nvml); /* accepts NULL and sets it */

/* Fills up to `room` samples; returns how many cards there are, at most `room`. One thread at a time. */
int vd_nvml_take(vd_nvml *nvml, vd_gpu_sample *ret_gpus, int room);

#endif
