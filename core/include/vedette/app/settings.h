/* Settings: an immutable snapshot read from vedette.conf (libconfig). A table of keys is the only place that
 * knows a key's type, default and range; resources/vedette.conf.example is tested against it. */
#ifndef VEDETTE_APP_SETTINGS_H
#define VEDETTE_APP_SETTINGS_H

#include <stdbool.h>

#include "vedette/error.h"

typedef enum vd_overlay_sync { VD_SYNC_AUTO = 0, VD_SYNC_EXACT, VD_SYNC_LIVE } vd_overlay_sync;
typedef enum vd_theme { VD_THEME_SYSTEM = 0, VD_THEME_LIGHT, VD_THEME_DARK } vd_theme;

enum { VD_MAX_CAMERAS = 16, VD_MAX_CLASS_NAMES = 64 };

typedef struct vd_camera_settings {
    char name[64];
    char address[1024];
    char model[512]; /* empty: the general one */
} vd_camera_settings;

/* Workers, queue and results of stage 2: 1/20/40, 2/40/80, 3/60/120. */
typedef enum vd_step2_preset {
    VD_STEP2_NONE = 0,
    VD_STEP2_SMALL,
    VD_STEP2_MEDIUM,
    VD_STEP2_LARGE
} vd_step2_preset;

/* The group `step2`: vd_verify_options_from_settings unfolds it. */
typedef struct vd_step2_settings {
    bool enabled;                  /* default true; without a line for it only where there is a model_path */
    bool async_enabled;            /* default true */
    bool shadow;                   /* default false */
    char model_path[512];          /* empty: none */
    char model_type[16];           /* "onnx" */
    double verification_threshold; /* 0 to 1, default 0.7 */
    int input_size[2];             /* width and height, 32 to 512, default 224 */
    int temporal_size;             /* 2 to 64, default 16 */
    int min_workers, max_workers;  /* 1 to 8, default 1 and 2 */
    int queue_size;                /* 1 to 1000, default 50 */
    int result_queue_size;         /* 1 to 1000, default 100 */
    double worker_timeout_s;       /* 0.05 to 300, default 10 */
    vd_step2_preset preset;
    bool enabled_given, min_workers_given, max_workers_given, queue_size_given, result_queue_size_given;
} vd_step2_settings;

/* What stands in the group, else what its preset says, else the default (row D10). */
typedef struct vd_step2_sizes {
    int max_workers, queue_size, result_queue_size;
} vd_step2_sizes;

vd_step2_sizes vd_step2_get_sizes(const vd_step2_settings *step2);

enum { VD_MAX_ORIGINS = 16 };

/* The group `streaming`: the interface for other programs (docs/streaming.md). */
typedef struct vd_streaming_settings {
    bool enabled;         /* the window starts it by itself, default false */
    char address[64];     /* to listen on, default "127.0.0.1"; another than loopback needs a token */
    int port;             /* 0 to 65535, default 8765; 0: any free one */
    char token_file[512]; /* empty: none on loopback, else streaming-token beside vedette.conf */
    char tls_certificate[512], tls_key[512]; /* PEM files; both or none */
    char origins[VD_MAX_ORIGINS][128];       /* pages of other hosts that may connect: https://host[:port] */
    int origin_count;
    double session_timeout_s;  /* 1 to 86400, default 300: a session without a frame or reader ends */
    int max_fps;               /* 1 to 30, default 30: the most a session may ask for */
    int default_fps;           /* 1 to max_fps, default 10 */
    int queue_size;            /* 1 to 1000, default 50: frames and answers that may wait, a session */
    bool enable_tracking;      /* default true */
    int max_sessions;          /* 1 to 1000, default 64 */
    int max_sessions_per_peer; /* 1 to 1000, default 32 */
    int max_image_mb;          /* 1 to 256, default 8: bytes of an encoded picture */
    int max_image_megapixels;  /* 1 to 256, default 25 */
    int max_requests_per_s;    /* of one peer, 1 to 10000, default 500 */
} vd_streaming_settings;

typedef struct vd_settings {
    char path[512];  /* the file it came from; empty for the defaults */
    char model[512]; /* empty: vd_model_default */
    char labels[512];
    double confidence;                    /* 0.05 to 1, default 0.25 */
    double iou;                           /* 0 to 1, default 0.45 */
    bool confidence_given, iou_given;     /* the file has them; else what suits the model is better */
    int max_detections;                   /* 1 to 300, default 300 */
    char classes[VD_MAX_CLASS_NAMES][64]; /* names wanted; none: all */
    int class_count;
    char precision[8];            /* "fp32" (default), "bf16" */
    char device[16];              /* "cpu" (default), "opencl", "cuda", "openvino" */
    int input_size;               /* of the network, pixels; 0 (default): the model's own */
    int input_height;             /* only an option sets it; 0 (default): as wide */
    vd_overlay_sync overlay_sync; /* "auto" (default), "exact", "live" */
    char rtsp_transport[8];       /* "tcp" (default), "udp" */
    double open_timeout_s;        /* 0.5 to 60, default 5 */
    double stall_timeout_s;       /* 0.5 to 60, default 5 */
    char recording_folder[512];   /* empty: $XDG_VIDEOS_DIR/Vedette */
    int recording_quality;        /* 10 to 40, default 23 */
    bool loop;                    /* files start again at their end, default false */
    vd_theme theme;               /* "system" (default), "light", "dark" */
    double track_lost_s;          /* 0.1 to 10, default 1 */
    double event_confirm_s;       /* 0 to 10, default 0.3 */
    double event_absence_s;       /* 0.1 to 600, default 3 */
    double event_parked_s;        /* 1 to 86400, default 60 */
    double event_least_size_px;   /* 0 to 16384, default 0 */
    vd_step2_settings step2;
    vd_streaming_settings streaming;
    vd_camera_settings cameras[VD_MAX_CAMERAS];
    int camera_count;
} vd_settings;

/* The defaults. */
void vd_settings_init(vd_settings *ret_settings);

/* Reads a file over the defaults. A refusal names file, line and setting, the value and what would be right;
 * an unknown key is refused with the nearest known one; `ret_settings` is then untouched.
 * VD_OK, VD_ENOTFOUND, VD_EFORMAT (syntax), VD_EINVAL (a value), VD_EIO. */
int vd_settings_read(const char *path, vd_settings *ret_settings, vd_error *error);

/* What the environment says of the streaming interface, over the settings: STREAMING_SESSION_TIMEOUT,
 * STREAMING_MAX_FPS, STREAMING_DEFAULT_FPS, STREAMING_QUEUE_SIZE, STREAMING_ENABLE_TRACKING,
 * CONFIDENCE_THRESHOLD, MODEL_PATH. An empty one counts as not set. VD_OK, or VD_EINVAL with the variable,
 * its value and the range; the settings are then untouched. */
int vd_settings_read_environment(vd_settings *settings, vd_error *error);

/* $XDG_CONFIG_HOME/vedette/vedette.conf or ~/.config/vedette/vedette.conf. */
void vd_settings_default_path(char *out, int size);

#endif
