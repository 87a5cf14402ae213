/* Parts of vd_bench_scene: a window of a scene, what detection says of it, and what the verifier does. All
 * the caller's thread. */
#ifndef VD_BENCH_SCENE_H
#define VD_BENCH_SCENE_H

#include "engine/engine.h"
#include "frame/convert.h"
#include "model/verifier.h"
#include "vedette/app/bench.h"
#include "vedette/app/evaluate.h"

enum {
    SCENE_FRAMES = 49, /* 1.6 s at 30 a second: the first and the last of a clip's moments are in it */
    SCENE_MOMENTS_MOST = VD_VERIFIER_MOST_FRAMES,
    SCENE_TRACKS_MOST = 256
};

#define SCENE_FLOOR 0.001f
#define SCENE_SURE 0.25
#define SCENE_PASS 0.7f /* the settings' threshold of stage 2 */
#define SCENE_IOU 0.5

/* Corners and score as a line of the common schema gives them back. */
typedef struct scene_box {
    double x1, y1, x2, y2, score;
    int class_id;
} scene_box;

scene_box scene_box_of(const vd_box *box, float score, int class_id);
double scene_box_iou(const scene_box *a, const scene_box *b);

/* What lies in a frame, and what was seen there. */
typedef struct scene_view {
    int index; /* of the window */
    vd_detection found[VD_MAX_DETECTIONS];
    scene_box found_boxes[VD_MAX_DETECTIONS];
    size_t found_count;
    vd_scene_object objects[VD_SCENE_OBJECTS_MOST];
    scene_box object_boxes[VD_SCENE_OBJECTS_MOST];
    size_t object_count;
} scene_view;

/* The scene of a seed: vehicle and pole, day and night by turns. */
vd_scene_options scene_options_of(int64_t seed);

/* --- Boxes of all frames (scene_count.c) */

typedef struct scene_count {
    vd_evaluation *all, *views[VD_BENCH_SCENE_VIEWS];
} scene_count;

/* VD_OK or VD_ENOMEM; on failure nothing is left to clear. */
int scene_count_init(scene_count *count);
void scene_count_clear(scene_count *count);

/* Counts a frame up. VD_OK or VD_ENOMEM. */
int scene_count_add(scene_count *count, const scene_view *view, int at, vd_bench_scene_figures *figures);

/* Average precision. VD_OK or VD_ENOMEM. */
int scene_count_finish(scene_count *count, vd_bench_scene_figures *figures);

/* --- Objects over a window, and the verifier (scene_verify.c) */

typedef struct scene_track {
    vd_scene_kind kind;
    int id, listed, seen_moments; /* listed and seen at how many of the clip's moments */
    int seen[SCENE_FRAMES];       /* 1: by detection */
    vd_box boxes[SCENE_FRAMES];   /* the detector's, pixels of the reduced frame */
    double confidence;            /* sum over seen frames */
    int seen_frames;
} scene_track;

/* An object that stage 1 let through. */
typedef struct scene_verdict {
    vd_scene_kind kind;
    double answer, confidence;
} scene_verdict;

typedef struct scene_verify {
    vd_verifier_form form;
    vd_model *model;
    vd_net *net;
    uint8_t *rgb;                          /* a picture of a clip */
    vd_image pictures[SCENE_MOMENTS_MOST]; /* reduced frames of the window */
    vd_scratch scratch;
    double scale_x, scale_y; /* from the frame to the reduced one */

    scene_track tracks[SCENE_TRACKS_MOST]; /* of the window */
    int track_count;

    scene_verdict *verdicts; /* of all windows */
    size_t verdict_count, verdict_room;
} scene_verify;

/* Reads and warms the verifier. `verify` is zeroed; cleared by the caller on failure too. */
int scene_verify_init(scene_verify *verify, const char *model, int width, int height, vd_error *error);
void scene_verify_clear(scene_verify *verify);

/* The clip's moment that a frame of the window is; -1 when it is none. */
int scene_verify_moment(const scene_verify *verify, int frame);

void scene_verify_begin(scene_verify *verify);

/* Notes who was seen, and keeps the frame when it is a moment. VD_OK or VD_ENOMEM. */
int scene_verify_note(scene_verify *verify, const scene_view *view, const vd_image *full, vd_error *error);

/* Shows the verifier what stage 1 let through. `at`: the view. */
int scene_verify_judge(scene_verify *verify, int at, vd_bench_scene_figures *figures, vd_error *error);

/* AUC and rejection over all verdicts (scene_figures.c). VD_OK or VD_ENOMEM. */
int scene_verify_finish(const scene_verify *verify, vd_bench_scene_figures *figures);

#endif
