/* The libav source, inside: one object that its files share. Everything is owned by the thread that uses the
 * source; only the cancel token is asked from others. */
#ifndef VD_MEDIA_AV_SOURCE_H
#define VD_MEDIA_AV_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "base/cancel.h"
#include "frame/frame.h"
#include "media/av_convert.h"
#include "media/source_kind.h"

enum { VD_AV_MAX_PIXELS = 8192 * 8192 };

/* What an address stands for. From VD_AV_CAMERA on it is live. */
typedef enum vd_av_kind { VD_AV_UNKNOWN, VD_AV_FILE, VD_AV_CAMERA, VD_AV_RTSP, VD_AV_HTTP } vd_av_kind;

/* What libav says only in its log, of the current thread since vd_av_log_reset. */
typedef struct vd_av_said {
    bool unresolved;        /* a host name that nobody knows */
    bool encrypted;         /* the file is encrypted */
    unsigned width, height; /* of a picture that is too large; 0 without one */
} vd_av_said;

/* How a picture must be turned to be seen upright: mirrored top to bottom first, then turned clockwise. */
typedef struct vd_av_turn {
    int degrees; /* 0, 90, 180 or 270 */
    bool mirrored;
} vd_av_turn;

/* Puts time stamps in order; see av_time.c. */
typedef struct vd_av_clock {
    bool started;
    double origin_s;    /* the first picture's own time */
    double shift_s;     /* what is added since the last jump of the stream's clock */
    double last_s;      /* given to the last picture */
    double step_s;      /* between the last two */
    int64_t index;      /* of the next picture */
    bool constant_rate; /* index and time agree by the nominal rate so far */
    bool jumped;        /* the stream's clock was not to be trusted at least once */
    bool relocate;      /* the next picture is somewhere else: time and index by its stamp */
} vd_av_clock;

/* A decoded picture that waits to be handed out. */
typedef struct vd_av_picture {
    AVFrame *frame; /* holds data when `full` */
    bool full;
    int64_t index, arrived_ns;
    double time_s, duration_s;
} vd_av_picture;

typedef struct vd_av_source {
    /* immutable after opening */
    char *address;   /* with its password: never shown */
    char *path;      /* VD_AV_FILE: the path */
    char place[256]; /* the address, masked */
    vd_av_kind kind;
    vd_source_options options;
    vd_cancel own_cancel, *cancel; /* `own_cancel` stands in when the caller has none */

    /* the stream; replaced as a whole when it is opened again */
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *decoder;
    AVPacket *packet;
    int stream;
    bool use_arrival;   /* the stream has no clock: time is when a picture came */
    bool drained;       /* the decoder was told that nothing follows */
    int failures;       /* packets in a row that could not be read */
    int64_t packet_dts; /* of the first packet since opening or winding */

    /* the call under way */
    int64_t deadline_ns;  /* asked by the interrupt callback */
    int64_t opened_at_ns; /* when opening began */
    bool opening;         /* until the first picture */

    /* pictures: `next[0]` is handed out first */
    vd_av_picture next[2];
    AVFrame *scratch;
    vd_av_clock clock;
    double *seen_s; /* times of pictures 0 to seen_count - 1 */
    int64_t seen_count, seen_room;
    int64_t first_arrival_ns;
    uint32_t serial;

    /* conversion */
    vd_av_converter converter;
    uint8_t *turn_memory; /* the picture before it is turned */
    size_t turn_size;
    vd_frame_pool *pool;

    vd_source_info info;
    vd_source_stats stats; /* pool_peak and pool_exhausted of pools given up */
} vd_av_source;

extern const vd_source_ops vd_av_source_ops;

vd_av_kind vd_av_kind_of(const char *address);

/* av_log.c */
void vd_av_init(void); /* once a process in effect; may be called often */
void vd_av_log_reset(void);
vd_av_said vd_av_log_said(void);

/* av_open.c: opens the stream and the decoder, up to but without the first picture. */
int vd_av_open_stream(vd_av_source *source, vd_error *error);
void vd_av_close_stream(vd_av_source *source);
const AVStream *vd_av_stream(const vd_av_source *source);

/* av_decode.c: the next decoded picture with its time. VD_OK, VD_EEND or an error. */
int vd_av_decode(vd_av_source *source, vd_av_picture *picture, vd_error *error);

/* av_time.c */
void vd_av_clock_reset(vd_av_clock *clock);
double vd_av_clock_raw(const vd_av_source *source, const AVFrame *frame); /* NAN without a time */
void vd_av_clock_place(vd_av_source *source, vd_av_picture *picture);

/* av_picture.c: a frame of the pool with the picture in it. VD_OK, VD_EAGAIN (live, none free), VD_ECANCELED,
 * VD_EFORMAT, VD_ENOMEM. */
int vd_av_make_frame(vd_av_source *source, vd_av_picture *picture, vd_frame **ret_frame, vd_error *error);
vd_av_turn vd_av_turn_of(const vd_av_source *source, const AVFrame *frame);
int vd_av_prepare_pool(vd_av_source *source, const AVFrame *frame, vd_error *error);

/* av_seek.c */
int vd_av_seek(void *state, double time_s, vd_error *error);

/* av_refuse.c: sentences. */
int vd_av_refuse(const vd_av_source *source, int av_code,
                 vd_error *error); /* libav's code turned into ours */
int vd_av_check_file(const vd_av_source *source,
                     vd_error *error); /* VD_OK when it is a file that can be read */
int vd_av_refuse_content(const vd_av_source *source,
                         vd_error *error); /* opened, but there is nothing to show */

#endif
