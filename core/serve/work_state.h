/* The work, inside: one object that its files share. */
#ifndef VD_SERVE_WORK_STATE_H
#define VD_SERVE_WORK_STATE_H

#include "base/histogram.h"
#include "base/thread.h"
#include "serve/work.h"

enum { VD_WORK_SIZES = 3, VD_WORK_AHEAD = 2 /* jobs that are inside for each worker */ };

/* A job's way through; as many as there may be jobs inside are made at the start. */
typedef struct vd_work_item {
    vd_work *work;
    vd_job *job;
    vd_picture *picture;                                     /* decoded, until the detector has it */
    int size;                                                /* of VD_WORK_SIZES */
    int64_t submitted_ns, begun_ns, decoded_ns, detected_ns; /* detected: handed to the detector */
    struct vd_work_item *next;
} vd_work_item;

typedef struct vd_work_list {
    vd_work_item *first, *last;
    int count;
} vd_work_list;

/* What was seen since vd_work_level was called last. */
typedef struct vd_work_measure {
    int64_t since_ns;
    double decode_ns, detect_ns; /* time of threads and of workers, up to `last_ns` */
    vd_histogram waits;
    int frames;
    /* of jobs that were finished: what decoding and detecting took, and would take a level better */
    double took_decode_ns, took_detect_ns, better_decode_ns, better_detect_ns;
} vd_work_measure;

struct vd_work {
    /* immutable once vd_work_open has returned */
    vd_picture_limits limits;
    void (*wake)(void *context);
    void *context;
    vd_detector *detectors[VD_WORK_SIZES]; /* the model's own size first */
    int widths[VD_WORK_SIZES], heights[VD_WORK_SIZES];
    int size_count;
    int size_of[VD_WORK_SIZES]; /* which of them stands for 1, 0.75 and 0.5 of the model's size */
    int workers, cores, room;
    vd_work_item *items;
    vd_thread *threads;
    int thread_count;

    vd_mutex lock;
    vd_cond work; /* something waits to be decoded, or it ends */
    /* guarded by lock */
    bool closing, feeding;
    int decoding, detecting;
    vd_work_list spare, waiting, decoded;
    vd_job *finished, *finished_last;
    int finished_count;
    int64_t frame; /* of the next job */
    int64_t last_ns;
    vd_work_measure measure;
    vd_histogram detections, forwards; /* of all sizes since the start */
    vd_quality_control control;
    double load, wait_p95_ms;
};

/* work_models.c: the detectors, the inputs' sizes, how many workers there are. As vd_work_open. */
int vd_work_open_models(vd_work *work, const vd_serve_options *options, vd_error *error);
void vd_work_close_models(vd_work *work); /* after it nothing completes any more */
int vd_work_size_for(const vd_work *work, vd_quality_mode mode, int level);

/* work_threads.c */
int vd_work_start_threads(vd_work *work);
void vd_work_join_threads(vd_work *work); /* after `closing` is set */
void vd_work_push(vd_work_list *list, vd_work_item *item);
vd_work_item *vd_work_pop(vd_work_list *list); /* NULL when it is empty */

/* A job is done, or failed with a code: the item becomes spare, the job may be fetched. Under the lock. */
void vd_work_finish_locked(vd_work_item *item, int code, vd_result *result);

/* work_load.c. Under the lock. */
void vd_work_tick_locked(vd_work *work, int64_t now_ns); /* before `decoding` or `detecting` changes */
void vd_work_note_locked(vd_work *work, const vd_work_item *item);

#endif
