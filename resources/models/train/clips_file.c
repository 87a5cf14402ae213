#include <math.h>
#include <stdlib.h>

#include "clips.h"
#include "scene/world.h"

void clip_fail(uint64_t seed, const char *what)
{
    fprintf(stderr, "vd_clips: seed %llu: %s\n", (unsigned long long)seed, what);
    exit(1);
}

static FILE *open_file(const char *stem, const char *ending)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", stem, ending);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

void clip_output_open(const char *stem, clip_output *ret_output)
{
    *ret_output = (clip_output){open_file(stem, "u8"), open_file(stem, "csv"), 0, 0};
    fprintf(ret_output->index, "seed,frame,track,kind,hazard,pole,night,pictures,side,width,height\n");
}

void clip_output_close(clip_output *output)
{
    if (fclose(output->clips) != 0 || fclose(output->index) != 0) {
        perror("vd_clips");
        exit(1);
    }
}

void clip_output_write(clip_output *output, const vd_scene_options *scene, const clip_line *line,
                       const uint8_t grey[CLIP_FRAMES * CLIP_GREY])
{
    int hazard = line->kind < VD_SCENE_SHADOW;
    const vd_box *box = &line->box;
    *(hazard ? &output->hazards : &output->decoys) += 1;
    if (fwrite(grey, CLIP_FRAMES * CLIP_GREY, 1, output->clips) != 1 ||
        fprintf(output->index, "%llu,%lld,%d,%s,%d,%d,%d,%d,%.1f,%.1f,%.1f\n", (unsigned long long)line->seed,
                (long long)line->frame, line->track_id, vd_scene_kind_name(line->kind), hazard,
                scene->from_pole, scene->night, line->pictures, line->side, box->x2 - box->x1,
                box->y2 - box->y1) < 0) {
        perror("vd_clips");
        exit(1);
    }
}

void clip_to_grey(const uint8_t rgb[CLIP_RGB], uint8_t ret_grey[CLIP_GREY])
{
    for (int y = 0; y < CLIP_HALF; y++)
        for (int x = 0; x < CLIP_HALF; x++) {
            const uint8_t *upper = rgb + (2 * y * CLIP_SIZE + 2 * x) * 3, *lower = upper + CLIP_SIZE * 3;
            int red = upper[0] + upper[3] + lower[0] + lower[3];
            int green = upper[1] + upper[4] + lower[1] + lower[4];
            int blue = upper[2] + upper[5] + lower[2] + lower[5];
            *ret_grey++ = (uint8_t)((299 * red + 587 * green + 114 * blue + 2000) / 4000);
        }
}

/* Near enough to a normal distribution: the sum of four even ones. */
static double draw_normal(uint64_t seed, int64_t a, int64_t b)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += vd_random_between(seed, a, b * 4 + i, -1, 1);
    return sum * 0.866;
}

vd_box clip_shake(uint64_t seed, int at, const vd_box *box)
{
    double off_x = vd_random_between(seed, OF_OBJECT, 0, -0.1, 0.1),
           off_y = vd_random_between(seed, OF_OBJECT, 1, -0.1, 0.1),
           scale_x = vd_random_between(seed, OF_OBJECT, 2, 0.85, 1.2),
           scale_y = vd_random_between(seed, OF_OBJECT, 3, 0.85, 1.2), shake[4];
    double wide = box->x2 - box->x1, high = box->y2 - box->y1;
    for (int k = 0; k < 4; k++)
        shake[k] = 0.04 * draw_normal(seed, OF_BOX + 1 + k, at);
    double x = (box->x1 + box->x2) / 2 + wide * (off_x + shake[0]);
    double y = (box->y1 + box->y2) / 2 + high * (off_y + shake[1]);
    double half_x = wide * (scale_x + shake[2]) / 2, half_y = high * (scale_y + shake[3]) / 2;
    return (vd_box){(float)(x - half_x), (float)(y - half_y), (float)(x + half_x), (float)(y + half_y)};
}
