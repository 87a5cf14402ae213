/* Where pictures come from: files, pictures, cameras, network streams. One interface, one thread each.
 *
 * A source is used by one thread; vd_cancel_request on its token, from any thread, ends whatever blocks. */
#ifndef VEDETTE_SOURCE_H
#define VEDETTE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/cancel.h"
#include "vedette/error.h"
#include "vedette/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vd_source vd_source;

/* 0 and NULL stand for the default. */
typedef struct vd_source_options {
    int64_t open_timeout_ns;    /* default 5 s: until the stream is open and its first packet is there */
    int64_t stall_timeout_ns;   /* default 5 s without a packet is a failure (live sources) */
    const char *rtsp_transport; /* "tcp" (default) or "udp" */
    int pool_frames;            /* frames allocated before the first one, default 8 */
} vd_source_options;

#define VD_SOURCE_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        .open_timeout_ns = INT64_C(5000000000), .stall_timeout_ns = INT64_C(5000000000),                     \
        .rtsp_transport = "tcp", .pool_frames = 8                                                            \
    }

typedef struct vd_source_info {
    char address[256]; /* as given, password masked */
    char name[96];     /* what to call it: a file's base name, a host, a device */
    bool is_live;      /* cameras, network: its own pace; files at ours */
    bool is_image;     /* one still picture */
    bool can_seek;
    double duration_s;   /* 0 when unknown */
    double frames_per_s; /* nominal, 0 when unknown */
    int width, height;   /* pixels of the decoded picture after rotation */
    int64_t frame_count; /* 0 when unknown */
    char codec[32], decoder[48];
} vd_source_info;

typedef struct vd_source_stats {
    uint64_t frames;       /* handed out */
    uint64_t dropped_pool; /* decoded, but no frame was free */
    uint64_t broken;       /* packets or frames that could not be decoded */
    int pool_capacity, pool_available, pool_peak;
    uint64_t pool_exhausted;
} vd_source_stats;

/* Opens an address: a path, `file:…`, `/dev/videoN`, `rtsp://`, `rtsps://`, `http://` or `https://`. Blocks
 * until the stream is open, the time-out or the cancel.
 *
 * options  NULL: the defaults
 * cancel   NULL, or a token that must outlive the source
 * Returns VD_OK, VD_EINVAL (no such kind of address), VD_ENOTFOUND, VD_EFORMAT (nothing to show in it),
 * VD_ETIMEOUT, VD_ECANCELED, VD_EIO, VD_ENOMEM. */
VD_API int vd_source_open(const char *address, const vd_source_options *options, vd_cancel *cancel,
                          vd_source **ret_source, vd_error *error);

/* Accepts NULL and sets it. */
VD_API void vd_source_close(vd_source **source);

VD_API const vd_source_info *vd_source_get_info(const vd_source *source);

/* The next frame, one reference, the caller's. Files: as fast as they decode, when a frame of the pool is
 * free. Live: when it arrives. Returns VD_OK, VD_EEND, VD_ETIMEOUT (stalled), VD_ECANCELED, VD_EFORMAT,
 * VD_EIO. */
VD_API int vd_source_read(vd_source *source, vd_frame **ret_frame, vd_error *error);

/* Files only: the next frame read is the one shown at `time_s`, exactly (decoded from the key frame before).
 */
VD_API int vd_source_seek(vd_source *source, double time_s, vd_error *error);

/* Any thread that synchronises with the reader. */
VD_API vd_source_stats vd_source_get_stats(vd_source *source);

/* Reads an address' kind without opening it: true for cameras and streams. */
VD_API bool vd_source_address_is_live(const char *address);

#ifdef __cplusplus
}
#endif
#endif
