#include "engine/kernel_here.h"

#include <stdio.h>

#include "base/thread.h"
#ifdef VD_ENGINE_DNNL
#include <dnnl.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

/* oneDNN names instruction sets by bits, a newer one with those of the older. What it uses may be limited
 * from outside (DNNL_MAX_CPU_ISA), and our own loops follow, so that both put as many channels side by side.
 */
#ifdef VD_ENGINE_DNNL
static bool onednn_uses(dnnl_cpu_isa_t isa)
{
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)isa) == (unsigned)isa;
}
#endif

bool vd_kernel_here(void)
{
#ifdef VD_ENGINE_DNNL
    return onednn_uses(dnnl_cpu_isa_avx2);
#else
    return false;
#endif
}

bool vd_kernel_has_bf16(void)
{
#ifdef VD_ENGINE_DNNL
    return onednn_uses(dnnl_cpu_isa_avx512_core_bf16);
#else
    return false;
#endif
}

const char *vd_kernel_version(void)
{
#ifdef VD_ENGINE_DNNL
    static _Thread_local char text[48];
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
    return text;
#else
    return NULL;
#endif
}

static const vd_lanes *widest = &vd_lanes_plain;

static void find_widest(void)
{
#ifdef VD_LANES_X86
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#ifdef VD_ENGINE_DNNL
    avx2 = avx2 && onednn_uses(dnnl_cpu_isa_avx2);
    avx512 = avx512 && onednn_uses(dnnl_cpu_isa_avx512_core);
#endif
    widest = avx512 ? &vd_lanes_avx512 : avx2 ? &vd_lanes_avx2 : &vd_lanes_plain;
#endif
}

const vd_lanes *vd_lanes_here(void)
{
    static vd_once once = VD_ONCE_INIT;
    vd_once_run(&once, find_widest);
    return widest;
}

int vd_kernel_block(void)
{
    return vd_lanes_here()->block;
}

static _Thread_local int thread_count; /* 0: never said */

void vd_kernel_set_threads(int threads)
{
    thread_count = threads < 1 ? 1 : threads > 64 ? 64 : threads;
#ifdef _OPENMP
    omp_set_num_threads(thread_count);
#endif
}

int vd_kernel_threads(void)
{
    if (!thread_count)
        vd_kernel_set_threads(1);
    return thread_count;
}
