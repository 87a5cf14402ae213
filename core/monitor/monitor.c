#include "vedette/app/monitor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cores.h"
#include "monitor/nvml.h"
#include "monitor/proc.h"
#include "vedette/error.h"

struct vd_monitor {
    vd_nvml *nvml; /* NULL: none */

    /* of the sample before */
    int64_t taken_ns, cpu_ns;
    uint64_t machine_busy, machine_all; /* ticks */
};

int64_t vd_monitor_cpu_ns(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time))
        return 0;
    return time.tv_sec * VD_NS_PER_S + time.tv_nsec;
}

int vd_monitor_new(vd_monitor **ret_monitor)
{
    vd_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return VD_ENOMEM;
    if (vd_nvml_open("libnvidia-ml.so.1", &monitor->nvml))
        monitor->nvml = NULL; /* most machines have none */
    *ret_monitor = monitor;
    return VD_OK;
}

void vd_monitor_free(vd_monitor **pointer)
{
    vd_monitor *monitor = *pointer;
    *pointer = NULL;
    if (!monitor)
        return;
    vd_nvml_close(&monitor->nvml);
    free(monitor);
}

static void take_process(vd_monitor *monitor, vd_monitor_sample *sample)
{
    char text[4096];
    int64_t now_ns = vd_clock_now_ns(), cpu_ns = vd_monitor_cpu_ns();
    sample->process_cpu_s = (double)cpu_ns / (double)VD_NS_PER_S;
    if (monitor->taken_ns > 0 && now_ns > monitor->taken_ns)
        sample->process_cpu = (double)(cpu_ns - monitor->cpu_ns) / (double)(now_ns - monitor->taken_ns);
    monitor->taken_ns = now_ns;
    monitor->cpu_ns = cpu_ns;
    if (!vd_proc_read("/proc/self/status", text, sizeof text))
        return;
    sample->resident_bytes = vd_proc_number(text, "VmRSS:") * 1024;
    sample->peak_bytes = vd_proc_number(text, "VmHWM:") * 1024;
    sample->threads = (int)vd_proc_number(text, "Threads:");
}

static void take_machine(vd_monitor *monitor, vd_monitor_sample *sample)
{
    char text[4096];
    unsigned long long user, nice, system, idle, waiting, irq, softirq, stolen;
    if (vd_proc_read("/proc/meminfo", text, sizeof text)) {
        sample->total_bytes = vd_proc_number(text, "MemTotal:") * 1024;
        sample->available_bytes = vd_proc_number(text, "MemAvailable:") * 1024;
    }
    if (!vd_proc_read("/proc/stat", text, sizeof text) ||
        sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &waiting,
               &irq, &softirq, &stolen) != 8)
        return;
    uint64_t busy = user + nice + system + irq + softirq + stolen, all = busy + idle + waiting;
    if (monitor->machine_all > 0 && all > monitor->machine_all && busy >= monitor->machine_busy)
        sample->machine_cpu = (double)(busy - monitor->machine_busy) / (double)(all - monitor->machine_all);
    monitor->machine_busy = busy;
    monitor->machine_all = all;
}

void vd_monitor_take(vd_monitor *monitor, vd_monitor_sample *ret_sample)
{
    *ret_sample = (vd_monitor_sample){0};
    take_process(monitor, ret_sample);
    take_machine(monitor, ret_sample);
    if (monitor->nvml)
        ret_sample->gpu_count = vd_nvml_take(monitor->nvml, ret_sample->gpus, VD_MONITOR_GPUS);
}

bool vd_monitor_reset_peak(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool done = write(file, "5", 1) == 1;
    close(file);
    return done;
}
