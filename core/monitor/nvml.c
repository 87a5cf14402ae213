#include "monitor/nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vedette/error.h"

/* The part of NVML's interface that is used; these have kept their shape since 2013. */
typedef void *nvml_device;
struct nvml_memory {
    unsigned long long total, free, used;
};
struct nvml_utilization {
    unsigned gpu, memory; /* percent */
};

struct vd_nvml {
    void *library;
    int (*init)(void);
    int (*shut_down)(void);
    int (*count)(unsigned *ret_count);
    int (*device)(unsigned index, nvml_device *ret_device);
    int (*name)(nvml_device device, char *ret_name, unsigned length);
    int (*memory)(nvml_device device, struct nvml_memory *ret_memory);
    int (*utilization)(nvml_device device, struct nvml_utilization *ret_utilization);
};

static bool find_functions(vd_nvml *nvml)
{
    const struct {
        const char *name;
        void *target;
    } functions[] = {
        {"nvmlInit_v2", &nvml->init},
        {"nvmlShutdown", &nvml->shut_down},
        {"nvmlDeviceGetCount_v2", &nvml->count},
        {"nvmlDeviceGetHandleByIndex_v2", &nvml->device},
        {"nvmlDeviceGetName", &nvml->name},
        {"nvmlDeviceGetMemoryInfo", &nvml->memory},
        {"nvmlDeviceGetUtilizationRates", &nvml->utilization},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(nvml->library, functions[i].name);
        if (!function)
            return false;
        memcpy(functions[i].target, &function, sizeof function);
    }
    return true;
}

int vd_nvml_open(const char *library, vd_nvml **ret_nvml)
{
    vd_nvml *nvml = calloc(1, sizeof *nvml);
    if (!nvml)
        return VD_ENOMEM;
    nvml->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!nvml->library)
        goto no_library;
    if (!find_functions(nvml) || nvml->init())
        goto no_driver;
    *ret_nvml = nvml;
    return VD_OK;
no_driver:
    dlclose(nvml->library);
no_library:
    free(nvml);
    return VD_EUNSUPPORTED;
}

void vd_nvml_close(vd_nvml **pointer)
{
    vd_nvml *nvml = *pointer;
    *pointer = NULL;
    if (!nvml)
        return;
    nvml->shut_down();
    dlclose(nvml->library);
    free(nvml);
}

/* A card tells what it can: one without load figures still has memory. */
static void take_one(vd_nvml *nvml, nvml_device device, vd_gpu_sample *sample)
{
    char name[96] = "";
    struct nvml_memory memory;
    struct nvml_utilization utilization;
    *sample = (vd_gpu_sample){.load = -1, .used_bytes = -1, .total_bytes = -1};
    if (nvml->name(device, name, sizeof name) == 0)
        vd_text_clean(sample->name, sizeof sample->name, name, strnlen(name, sizeof name));
    if (nvml->memory(device, &memory) == 0) {
        sample->used_bytes = (int64_t)memory.used;
        sample->total_bytes = (int64_t)memory.total;
    }
    if (nvml->utilization(device, &utilization) == 0 && utilization.gpu <= 100)
        sample->load = utilization.gpu / 100.0;
}

int vd_nvml_take(vd_nvml *nvml, vd_gpu_sample *ret_gpus, int room)
{
    unsigned count = 0;
    int taken = 0;
    if (nvml->count(&count))
        return 0;
    for (unsigned i = 0; i < count && taken < room; i++) {
        nvml_device device;
        if (nvml->device(i, &device) == 0) /* a card that has fallen off the bus is left out */
            take_one(nvml, device, &ret_gpus[taken++]);
    }
    return taken;
}
