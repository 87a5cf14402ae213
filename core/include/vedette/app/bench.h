/* What the benchmarks measure from within: the nets alone, threads that submit, sources that never end.
 * Linked into vedette-cli, no part of libvedette. Every function blocks until it has measured. */
#ifndef VEDETTE_APP_BENCH_H
#define VEDETTE_APP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/app/scene.h"
#include "vedette/app/verify.h"
#include "vedette/cancel.h"
#include "vedette/detector.h"
#include "vedette/image.h"

/* Versions of what does the work; constant strings. */
const char *vd_bench_opencv_version(void);
const char *vd_bench_ffmpeg_version(void);

typedef struct vd_bench_latency {
    uint64_t count;
    double p50_us, p95_us, p99_us, max_us;
} vd_bench_latency;

/* Of samples that were all kept; sorts them. */
vd_bench_latency vd_bench_latency_of(int64_t *samples_ns, size_t count);

/* Sorts; 0 of nothing. */
double vd_bench_median(double *values, size_t count);

/* --- The nets alone: forward passes of several nets at once, a thread each, without decoding, letterbox or
 * boxes */

typedef struct vd_bench_nets vd_bench_nets;

/* Makes and warms the nets.
 *
 * model    a model file
 * threads  within a pass, for the whole process, as in vd_detector_options
 * plain    OpenCV's own layers, whatever faster ones are there
 * picture  what they look at, letterboxed once; read meanwhile
 * Returns VD_OK, VD_EINVAL, VD_ENOTFOUND, VD_EFORMAT or VD_ENOMEM. */
int vd_bench_nets_new(const char *model, int count, int threads, bool plain, const vd_image *picture,
                      vd_bench_nets **ret_nets, vd_error *error);
void vd_bench_nets_free(vd_bench_nets **nets); /* accepts NULL and sets it */

typedef struct vd_bench_nets_figures {
    double passes_per_s; /* of all nets together */
    double cpu_ms;       /* processor time of a pass, of the thread that runs it */
} vd_bench_nets_figures;

/* Runs all nets for about `seconds`. VD_OK or the code of a pass that failed. */
int vd_bench_nets_run(vd_bench_nets *nets, double seconds, vd_bench_nets_figures *ret_figures,
                      vd_error *error);

/* --- A detector whose networks are computed by OpenCV's own layers */

typedef struct vd_bench_detector vd_bench_detector;

/* VD_OK, or what vd_detector_new returns. */
int vd_bench_detector_new(const char *model, int workers, vd_bench_detector **ret_detector, vd_error *error);
vd_detector *vd_bench_detector_of(const vd_bench_detector *detector); /* borrowed */
void vd_bench_detector_free(vd_bench_detector **detector);            /* accepts NULL and sets it */

/* --- One network alone: forward passes and box decoding as the detector does them, one after another */

typedef struct vd_bench_engine vd_bench_engine;

typedef struct vd_bench_engine_options {
    const char *model; /* a model file */
    int threads;       /* within a pass, for the whole process, as in vd_detector_options */
    int input_width, input_height;
    vd_precision precision;
    int plain;    /* 1: OpenCV's own layers on the rewritten graph */
    int verifier; /* 1: a stage-2 verifier, fed with crops of the picture; nothing is decoded */
} vd_bench_engine_options;

/* Makes and warms the network.
 *
 * picture  what it looks at; read until this returns
 * Returns VD_OK, VD_EINVAL, VD_ENOTFOUND, VD_EFORMAT, VD_EUNSUPPORTED or VD_ENOMEM. */
int vd_bench_engine_new(const vd_bench_engine_options *options, const vd_image *picture,
                        vd_bench_engine **ret_engine, vd_error *error);
void vd_bench_engine_free(vd_bench_engine **engine); /* accepts NULL and sets it */

/* What computes, in words; the model's name and input size. Live as long as the engine. */
const char *vd_bench_engine_text(const vd_bench_engine *engine);
const char *vd_bench_engine_model(const vd_bench_engine *engine);
void vd_bench_engine_input(const vd_bench_engine *engine, int *ret_width, int *ret_height);

/* Whether this processor has what the precision needs; oneDNN's version, NULL when it is not there. */
int vd_bench_has_precision(vd_precision precision);
const char *vd_bench_onednn_version(void);

/* One pass, with the picture written into the network's input before the clock starts.
 *
 * ret_forward_ns, ret_decode_ns  what the pass and the decoding of boxes from a score of 0.05 up took */
int vd_bench_engine_pass(vd_bench_engine *engine, int64_t *ret_forward_ns, int64_t *ret_decode_ns,
                         vd_error *error);

typedef struct vd_bench_layer {
    char text[96];   /* what it does, with sizes */
    char kernel[64]; /* what computes it */
    double ms;       /* median of a pass */
    double gflop;    /* of a pass */
} vd_bench_layer;

/* Times every layer over some passes: those of the gathered runs, and those that OpenCV computes.
 *
 * ret_layers  *ret_count of them in order, freed with free() */
int vd_bench_engine_layers(vd_bench_engine *engine, int passes, vd_bench_layer **ret_layers,
                           size_t *ret_count, vd_error *error);

/* --- The demonstration's models on scenes that training never saw
 *
 * Of each seed a window of 1.6 s is rendered, and detection looks at every frame of it (boxes from a score of
 * 0.001 up count for the mAP, from 0.25 up for all else). An object that was detected (IoU 0.5 with its true
 * box, of whatever class) at half of the moments of a stage-2 clip is one that stage 1 lets through: the
 * verifier is shown a clip around the detector's boxes. Where it was detected over at least 11 of 16 moments,
 * as in training, the verdict counts; of objects followed for less, whose clip mostly repeats its last
 * picture, the verdicts are counted apart. */

enum {
    VD_BENCH_SCENE_FIRST = 2000000, /* no seed from here on is looked at in training */
    VD_BENCH_SCENE_VIEWS = 4,       /* seed % 4: vehicle by day, by night, pole by day, by night */
    VD_BENCH_SCENE_SIDES = 5        /* ranges of an object's shorter side */
};

const char *vd_bench_scene_view(int view); /* "vehicle, day", … */
/* Pixels from which a range reaches to the next one's: 12, 16, 20, 40, 80. */
int vd_bench_scene_side(int range);

/* A frame that was looked at. Pointers are good while it is taken. */
typedef struct vd_bench_scene_frame {
    const char *source;
    int64_t number; /* of all windows together */
    double time_s;
    const vd_result *result;
    const vd_detection *detections;
    size_t detection_count;
    const vd_scene_object *objects; /* the truth */
    size_t object_count;
} vd_bench_scene_frame;

typedef struct vd_bench_scene_options {
    const char *detector, *verifier; /* model files */
    int64_t first_seed;
    int seeds;   /* at least 1 */
    bool sparse; /* only the frames that are moments of a clip: a third of the work of a window */
    int (*take)(void *context, const vd_bench_scene_frame *frame); /* NULL; what is not VD_OK ends it */
    void *context;
    vd_cancel *cancel; /* may be NULL */
} vd_bench_scene_options;

/* `count` of them out of `of`. */
typedef struct vd_bench_share {
    int64_t count, of;
} vd_bench_share;

typedef struct vd_bench_scene_figures {
    int64_t frames, hazard_boxes, decoy_boxes;
    double map50, ap50[2], view_map50[VD_BENCH_SCENE_VIEWS]; /* crack, pothole; decoys left out */
    vd_bench_share recall[2][VD_BENCH_SCENE_SIDES];          /* boxes of hazards found */
    vd_bench_share view_recall[VD_BENCH_SCENE_VIEWS];
    /* by kind and view */
    vd_bench_share taken[VD_SCENE_KINDS][VD_BENCH_SCENE_VIEWS]; /* boxes of decoys taken for hazards */
    vd_bench_share through[VD_SCENE_KINDS]
                          [VD_BENCH_SCENE_VIEWS]; /* objects listed at half of the moments: let through */
    /* of those let through, by the verifier: followed long enough for a clip, and for less */
    vd_bench_share passed[VD_SCENE_KINDS][VD_BENCH_SCENE_VIEWS];
    vd_bench_share brief[VD_SCENE_KINDS][VD_BENCH_SCENE_VIEWS];
    /* of those followed long enough */
    double auc, rejected;               /* of the verifier's answers; where 0.95 of the hazards pass */
    double single_auc, single_rejected; /* the same of stage 1's mean confidence */
} vd_bench_scene_figures;

/* Everything on the caller's thread and one of a detector. VD_OK, VD_ECANCELED, what a model was refused
 * with, what `take` returned, or VD_ENOMEM. */
int vd_bench_scene(const vd_bench_scene_options *options, vd_bench_scene_figures *ret_figures,
                   vd_error *error);

typedef struct vd_bench_render_figures {
    int64_t frames;
    double frames_per_s;
    double cpu_ms;            /* processor time of a frame, of this thread */
    vd_bench_latency latency; /* of a frame */
    double start_ms;          /* until a scene is ready for its first frame, mean */
} vd_bench_render_figures;

/* Renders `frames` frames of each of some seeds, in order, as a live source does. VD_OK, VD_ECANCELED,
 * VD_EINVAL or VD_ENOMEM. */
int vd_bench_render(const vd_scene_options *first, int seeds, int frames, vd_cancel *cancel,
                    vd_bench_render_figures *ret_figures, vd_error *error);

/* --- Submitting: paced threads against a detector that only waits */

typedef struct vd_bench_submit_options {
    int threads;       /* 1 to 256, default 64 */
    double per_s;      /* submits a second of all threads together, default 2,000 */
    double seconds;    /* default 5 */
    int workers;       /* of the detector, default 4: what they cannot take is refused */
    int64_t work_ns;   /* what one detection takes, default 10 ms */
    vd_cancel *cancel; /* may be NULL */
} vd_bench_submit_options;

#define VD_BENCH_SUBMIT_OPTIONS_INIT                                                                         \
    {                                                                                                        \
        .threads = 64, .per_s = 2000, .seconds = 5, .workers = 4, .work_ns = INT64_C(10000000)               \
    }

typedef struct vd_bench_submit_figures {
    vd_bench_latency accepted, refused; /* how long the call took */
    double per_s;                       /* submits that were made */
} vd_bench_submit_figures;

/* VD_OK, VD_EINVAL, VD_ECANCELED or VD_ENOMEM. */
int vd_bench_submit(const vd_bench_submit_options *options, vd_bench_submit_figures *ret_figures,
                    vd_error *error);

/* --- Several files at once, each begun again at its end by a seek, through one detector */

typedef struct vd_bench_sources_options {
    const char *const *clips;
    int count; /* 1 to 16; a vd_run each */
    vd_detector *detector;
    int64_t frames;    /* of all together */
    vd_cancel *cancel; /* may be NULL */
} vd_bench_sources_options;

typedef struct vd_bench_sources_figures {
    int64_t frames, failed;
    double seconds;
    int64_t warm_frames; /* after which memory is compared */
    int64_t first_bytes,
        last_bytes;         /* resident: median of the first and of the last tenth after warming up */
    int64_t peak_bytes;     /* resident, at any time */
    double bytes_per_frame; /* slope of a line through all samples after warming up */
} vd_bench_sources_figures;

/* VD_OK, VD_EINVAL, VD_ECANCELED, VD_ENOMEM, or what a source refused with. */
int vd_bench_sources(const vd_bench_sources_options *options, vd_bench_sources_figures *ret_figures,
                     vd_error *error);

/* --- Stage 2: clips through worker processes */

typedef struct vd_bench_verify vd_bench_verify;

/* Starts workers and waits until each has its model loaded, at most a minute.
 *
 * model    a verifier's file, or NULL: a double that waits for `sleep_s` and answers
 * workers  1 to 8
 * VD_OK, VD_EINVAL, VD_ENOMEM, or why the model cannot be used. */
int vd_bench_verify_new(const char *model, double sleep_s, int workers, vd_bench_verify **ret_verify,
                        vd_error *error);
void vd_bench_verify_free(vd_bench_verify **verify); /* accepts NULL and sets it */

/* Submits `clips` (1 to 50) at once and waits for their verdicts.
 *
 * ret_seconds  from the first submit to the last verdict
 * ret_clip_s   what the workers had a clip for, at the median; may be NULL
 * VD_OK, or VD_EFORMAT when one of them got no verdict. */
int vd_bench_verify_round(vd_bench_verify *verify, int clips, double *ret_seconds, double *ret_clip_s,
                          vd_error *error);

/* Threads that submit, 2,000 clips a second together, far more than the workers take: how long the call took.
 * VD_OK, VD_ECANCELED or VD_ENOMEM. */
int vd_bench_verify_submit(vd_bench_verify *verify, int threads, double seconds, vd_cancel *cancel,
                           vd_bench_latency *ret_latency, vd_error *error);

/* How many frames a second a detector takes, one after another on the caller's thread, for about `seconds`.
 *
 * verify  NULL, or workers whose queue is filled up before every frame
 * VD_OK, VD_ECANCELED, or what detection or a submit failed with. */
int vd_bench_verify_frame_rate(vd_detector *detector, const vd_image *picture, vd_bench_verify *verify,
                               double seconds, vd_cancel *cancel, double *ret_frames_per_s, vd_error *error);

/* --- Events of the demonstration and what stage 2 says of them, beside the truth
 *
 * Of each seed a scene is rendered and detected frame by frame; tracks, events, clips and their requests are
 * made as a camera makes them, by real worker processes, as fast as it goes: time within the scene is the
 * stream's, that of a request is real. An event stands for the hazard or decoy that lay under its track (IoU
 * 0.5) most often, at a third of its detections or more. */

typedef struct vd_bench_verify_scene_options {
    const char *detector, *verifier; /* model files, or a built-in detector */
    int64_t first_seed;
    int seeds;         /* at least 1 */
    double seconds;    /* of each scene, at most 300 */
    int workers;       /* 1 to 8 */
    vd_cancel *cancel; /* may be NULL */
} vd_bench_verify_scene_options;

typedef struct vd_bench_verify_figures {
    int64_t frames;
    double stream_s, real_s;
    vd_bench_share events, kept;      /* that stand for hazards: of all events; of those not rejected */
    vd_bench_share found, found_kept; /* hazards that an event stood for, of those in the truth for a second;
                                         and one that was not rejected */
    vd_bench_share hazards_verified;  /* events of hazards */
    vd_bench_share decoys_rejected[VD_SCENE_KINDS];
    vd_bench_share nothing_rejected; /* events of nothing that is in the truth */
    vd_bench_latency request;        /* from the request to the verdict */
    vd_bench_latency opened;         /* from the event's opening, with the wait for its clip */
    double busy_s;                   /* that workers had clips for, together */
    vd_verify_stats stats;           /* at the end */
} vd_bench_verify_figures;

/* VD_OK, VD_ECANCELED, what a model was refused with, or VD_ENOMEM. */
int vd_bench_verify_scene(const vd_bench_verify_scene_options *options, vd_bench_verify_figures *ret_figures,
                          vd_error *error);

/* --- A detector that can be slowed while it works: the real one, and a wait behind it */

typedef struct vd_bench_slowed vd_bench_slowed;

/* model    a model file, or a built-in detector; loaded by vd_bench_slowed_open
 * workers  of every detector that is opened
 * VD_OK or VD_ENOMEM. */
int vd_bench_slowed_new(const char *model, int workers, vd_bench_slowed **ret_slowed, vd_error *error);

/* Opens the model at an input size (0: its own), at most 8 times. What vd_serve_options.open_detector calls;
 * `slowed` is a vd_bench_slowed. One thread at a time; as vd_detector_new. */
int vd_bench_slowed_open(void *slowed, int input_width, int input_height, vd_detector **ret_detector,
                         vd_error *error);

/* From now on a picture takes `factor` times as long: 1 (as in the beginning) or more. Any thread. */
void vd_bench_slowed_set(vd_bench_slowed *slowed, double factor);

/* The detectors that it opened must be gone. Accepts NULL and sets it. */
void vd_bench_slowed_free(vd_bench_slowed **slowed);

#endif
