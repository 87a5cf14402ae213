/* Plays libnvidia-ml.so.1 with two cards. NVML_DOUBLE chooses what is wrong with it: `driver` (it does not
 * start), `load` (the first card does not say its load), `lost` (the second card does not answer). The
 * figures are fixed, so that a test knows them. */
#include <stdlib.h>
#include <string.h>

struct memory {
    unsigned long long total, free, used;
};
struct utilization {
    unsigned gpu, memory;
};

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device);
int nvmlDeviceGetName(void *device, char *name, unsigned length);
int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory);
int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization);

enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    DRIVER_NOT_LOADED = 9,
    GPU_IS_LOST = 15
};

static int started;
static int cards[2];

static int wrong(const char *what)
{
    const char *chosen = getenv("NVML_DOUBLE");
    return chosen && strcmp(chosen, what) == 0;
}

int nvmlInit_v2(void)
{
    if (wrong("driver"))
        return DRIVER_NOT_LOADED;
    started++;
    return SUCCESS;
}

int nvmlShutdown(void)
{
    if (started == 0)
        return UNINITIALIZED;
    started--;
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    *count = 2;
    return started ? SUCCESS : UNINITIALIZED;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    if (index > 1)
        return NOT_FOUND;
    if (index == 1 && wrong("lost"))
        return GPU_IS_LOST;
    *device = &cards[index];
    return SUCCESS;
}

int nvmlDeviceGetName(void *device, char *name, unsigned length)
{
    strncpy(name, device == &cards[0] ? "Double 4000" : "Double 8000", length);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory)
{
    unsigned long long gib = 1ULL << 30;
    *memory = device == &cards[0] ? (struct memory){8 * gib, 6 * gib, 2 * gib}
                                  : (struct memory){24 * gib, 24 * gib, 0};
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization)
{
    if (device == &cards[0] && wrong("load"))
        return NOT_SUPPORTED;
    *utilization = device == &cards[0] ? (struct utilization){37, 5} : (struct utilization){100, 90};
    return SUCCESS;
}
