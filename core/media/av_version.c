#include "media/av_version.h"

#include <libavutil/avutil.h>

const char *vd_av_version(void)
{
    return av_version_info();
}
