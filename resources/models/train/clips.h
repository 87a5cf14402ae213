/* Parts of vd_clips: how a clip is written, and the faults that a detector's boxes have. Whatever fails ends
 * the program with a sentence. */
#ifndef VD_TRAIN_CLIPS_H
#define VD_TRAIN_CLIPS_H

#include <stdio.h>

#include "frame/frame.h"
#include "scene/scene.h"

enum { CLIP_FRAMES = 16, CLIP_SIZE = 224, CLIP_HALF = CLIP_SIZE / 2 };
enum { CLIP_RGB = CLIP_SIZE * CLIP_SIZE * 3, CLIP_GREY = CLIP_HALF * CLIP_HALF };

/* Numbers of the choices that a seed makes here, apart from those of the scene. */
enum { OF_SEED = 7000, OF_MOMENT, OF_OBJECT, OF_BOX, OF_TRACK = 7100 };

typedef struct clip_output {
    FILE *clips, *index;
    long long hazards, decoys;
} clip_output;

/* A line of the index. */
typedef struct clip_line {
    uint64_t seed;
    int64_t frame; /* of the scene, where the clip begins */
    int track_id;
    vd_scene_kind kind;
    int pictures; /* that differ */
    double side;
    vd_box box; /* the last one */
} clip_line;

void clip_output_open(const char *stem, clip_output *ret_output);
void clip_output_close(clip_output *output);
void clip_output_write(clip_output *output, const vd_scene_options *scene, const clip_line *line,
                       const uint8_t grey[CLIP_FRAMES * CLIP_GREY]);

/* 2 × 2 pixels RGB to one of grey, with the network's own weights: 0.299 R + 0.587 G + 0.114 B. */
void clip_to_grey(const uint8_t rgb[CLIP_RGB], uint8_t ret_grey[CLIP_GREY]);

/* A true box as a detector gives it at a moment `at`: shaken by 4 % of its size, and by an offset of up to 10
 * % and a size of 0.85 to 1.2 that `seed` has throughout. */
vd_box clip_shake(uint64_t seed, int at, const vd_box *box);

/* Clips of what is in sight over 1.6 s, at some moments of the scene. `frame` has the size of the scene. */
void clip_windows(vd_scene *scene, const vd_scene_options *options, vd_frame *frame, clip_output *output);

/* Clips of tracks as a camera cuts them: from where a track begins. */
void clip_follow(vd_scene *scene, const vd_scene_options *options, vd_frame *frame, clip_output *output);

/* The program ends with what failed. */
_Noreturn void clip_fail(uint64_t seed, const char *what);

#endif
