/* The performance monitor: what the process and the machine take, from /proc, and graphics cards by NVML
 * where its library (libnvidia-ml.so.1) loads. */
#ifndef VEDETTE_APP_MONITOR_H
#define VEDETTE_APP_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct vd_monitor vd_monitor;

enum { VD_MONITOR_GPUS = 8 };

typedef struct vd_gpu_sample {
    char name[96];
    double load;                     /* 0 to 1, as the driver averages it; -1 when it does not say */
    int64_t used_bytes, total_bytes; /* memory of the card, by all processes; -1 when it does not say */
} vd_gpu_sample;

typedef struct vd_monitor_sample {
    double process_cpu;     /* cores in use since the sample before: 1 is one core; 0 in the first */
    double machine_cpu;     /* share of all cores in use by everybody, 0 to 1; 0 in the first */
    double process_cpu_s;   /* processor time since the process began, all threads */
    int64_t resident_bytes; /* of the process */
    int64_t peak_bytes;     /* the most it was, since its start or vd_monitor_reset_peak */
    int threads;
    int64_t total_bytes, available_bytes; /* the machine's memory; what a program could still have */
    int gpu_count;                        /* 0 without NVML */
    vd_gpu_sample gpus[VD_MONITOR_GPUS];
} vd_monitor_sample;

/* Loading NVML may take a second where there is a card, so not on a thread that must not wait. VD_OK or
 * VD_ENOMEM. */
int vd_monitor_new(vd_monitor **ret_monitor);
void vd_monitor_free(vd_monitor **monitor); /* accepts NULL and sets it */

/* Takes the figures of now; well under a millisecond without a card. What the system does not tell is 0. One
 * thread at a time. */
void vd_monitor_take(vd_monitor *monitor, vd_monitor_sample *ret_sample);

/* Makes peak_bytes start again from what is resident now: false where the system does not allow it. */
bool vd_monitor_reset_peak(void);

/* Processor time of the process, nanoseconds, all threads. */
int64_t vd_monitor_cpu_ns(void);

/* What the machine is; empty and 0 where the system does not tell. */
typedef struct vd_machine {
    char processor[96];
    char instructions[160]; /* sets that matter to detection, such as "sse4_1 avx2 fma avx512f" */
    int cores;              /* that this process may use */
    int64_t memory_bytes;
} vd_machine;

void vd_machine_describe(vd_machine *ret_machine);

#endif
