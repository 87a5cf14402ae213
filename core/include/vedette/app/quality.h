/* Quality under load: what a client asks for (a mode), what the service can give (a level), and what comes of
 * both (a step: input size and rate). One set of rules for streaming sessions and cameras. Plain values and a
 * controller without threads or clock. */
#ifndef VEDETTE_APP_QUALITY_H
#define VEDETTE_APP_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

/* What gives way first when there is more to do than can be done. */
typedef enum vd_quality_mode {
    VD_QUALITY_FAST,     /* half the model's input size; then the rate */
    VD_QUALITY_BALANCED, /* the model's own input size; then the size, then the rate; the default */
    VD_QUALITY_ACCURATE  /* the model's own input size, always; only the rate gives way */
} vd_quality_mode;

enum { VD_QUALITY_LEVELS = 5 }; /* 0: everything as asked for; 4: the least */

/* `fast`, `balanced`, `accurate`. Never NULL. */
const char *vd_quality_mode_name(vd_quality_mode mode);

/* The mode of a name; false when it is none. */
bool vd_quality_mode_find(const char *name, vd_quality_mode *ret_mode);

typedef struct vd_quality_step {
    double size; /* of the model's input sides: 1, 0.75 or 0.5 */
    double rate; /* of the frames a second asked for: 1, 0.5 or 0.25 */
} vd_quality_step;

/* What a mode gets at a level (clamped to 0 … VD_QUALITY_LEVELS - 1). */
vd_quality_step vd_quality_step_of(vd_quality_mode mode, int level);

/* A network's input side at a step: the multiple of `stride` that is nearest to side × size, at least one,
 * at most `side`; at size 1 `side` itself, whatever it is a multiple of. */
int vd_quality_side(int side, int stride, double size);

/* What was seen over an interval of about half a second. */
typedef struct vd_quality_sample {
    int64_t now_ns;
    double load;        /* share of the workers' time that was busy, 0 to 1 */
    double better_load; /* what `load` would have been at the next better level, may exceed 1; 0: unknown,
                           then it is reckoned by the steps of VD_QUALITY_BALANCED, size² × rate */
    double wait_ms;     /* 95th percentile of how long frames waited for a worker; 0 when none did */
    int late;           /* frames given up because they waited too long, or found the queue full */
    int frames;         /* that were begun */
} vd_quality_sample;

/* Zeroed to start: level 0. */
typedef struct vd_quality_control {
    int level;
    int64_t raised_ns;        /* the last rise while it has not yet stood; 0: none */
    int64_t calm_since_ns;    /* 0: it is not calm */
    double hold_s;            /* how long it must be calm before the next rise */
    uint64_t lowered, raised; /* so often */
} vd_quality_control;

/* Takes a sample in; the level from now on.
 *
 * It falls by one with every sample in which frames waited more than 50 ms, were late, or the load was above
 * 0.92. It rises by one when for 1.5 s no frame waited 25 ms or was late and better_load was below 0.75: from
 * the least to full quality in under 10 s once the load is gone. Where a rise was followed by a fall within
 * 2 s the next waits for 3 s of calm, until one has stood 2 s: under a constant load that lies between two
 * levels it does not rise more often than every 3 s. */
int vd_quality_update(vd_quality_control *control, const vd_quality_sample *sample);

#endif
