#ifndef VD_MEDIA_AV_VERSION_H
#define VD_MEDIA_AV_VERSION_H

/* FFmpeg's version, such as "5.1.6-0+deb12u1". */
const char *vd_av_version(void);

#endif
