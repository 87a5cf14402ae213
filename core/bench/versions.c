#include "media/av_version.h"
#include "vedette/app/bench.h"

const char *vd_bench_ffmpeg_version(void)
{
    return vd_av_version();
}
