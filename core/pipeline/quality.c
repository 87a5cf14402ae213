#include "vedette/app/quality.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

static const double WAIT_LONG_MS = 50, WAIT_SHORT_MS = 25; /* in between: neither a fall nor calm */
static const double LOAD_FULL = 0.92, LOAD_FITS = 0.75;
static const double HOLD_S = 1.5, HOLD_LONG_S = 3;
static const int64_t STANDS_NS = 2 * VD_NS_PER_S; /* a rise that is followed by a fall within was too early */

static const char *const names[] = {"fast", "balanced", "accurate"};

/* A balanced client loses size first, as a smaller input costs it small objects alone while a lower rate
 * costs it all that happens between two frames. A fast one has given the size up already, and loses rate when
 * the balanced ones do. An accurate one can only give rate, and gives as much as the others give in work
 * until it has a quarter. */
static const vd_quality_step steps[][VD_QUALITY_LEVELS] = {
    [VD_QUALITY_FAST] = {{0.5, 1}, {0.5, 1}, {0.5, 1}, {0.5, 0.5}, {0.5, 0.25}},
    [VD_QUALITY_BALANCED] = {{1, 1}, {0.75, 1}, {0.5, 1}, {0.5, 0.5}, {0.5, 0.25}},
    [VD_QUALITY_ACCURATE] = {{1, 1}, {1, 0.5}, {1, 0.25}, {1, 0.25}, {1, 0.25}},
};

static vd_quality_mode known(vd_quality_mode mode)
{
    return mode == VD_QUALITY_FAST || mode == VD_QUALITY_ACCURATE ? mode : VD_QUALITY_BALANCED;
}

const char *vd_quality_mode_name(vd_quality_mode mode)
{
    return names[known(mode)];
}

bool vd_quality_mode_find(const char *name, vd_quality_mode *ret_mode)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_mode = (vd_quality_mode)i;
            return true;
        }
    }
    return false;
}

vd_quality_step vd_quality_step_of(vd_quality_mode mode, int level)
{
    int most = VD_QUALITY_LEVELS - 1;
    return steps[known(mode)][level < 0 ? 0 : level > most ? most : level];
}

int vd_quality_side(int side, int stride, double size)
{
    if (size >= 1 || side <= stride)
        return side;
    int multiples = (int)lround(side * size / stride), most = side / stride;
    return stride * (multiples < 1 ? 1 : multiples > most ? most : multiples);
}

/* --- The controller */

static double balanced_cost(int level)
{
    vd_quality_step step = steps[VD_QUALITY_BALANCED][level];
    return step.size * step.size * step.rate;
}

static double better_load_of(const vd_quality_control *control, const vd_quality_sample *sample)
{
    if (sample->better_load > 0)
        return sample->better_load;
    return sample->load * balanced_cost(control->level - 1) / balanced_cost(control->level);
}

static void fall(vd_quality_control *control)
{
    control->calm_since_ns = 0;
    if (control->raised_ns)
        control->hold_s = HOLD_LONG_S; /* had it stood, this were forgotten */
    control->raised_ns = 0;
    if (control->level == VD_QUALITY_LEVELS - 1)
        return;
    control->level++;
    control->lowered++;
}

static void rise(vd_quality_control *control, int64_t now_ns)
{
    control->level--;
    control->raised++;
    control->raised_ns = now_ns;
    control->calm_since_ns = now_ns;
}

int vd_quality_update(vd_quality_control *control, const vd_quality_sample *sample)
{
    int64_t now_ns = sample->now_ns;
    bool is_full = sample->wait_ms > WAIT_LONG_MS || sample->late > 0 || sample->load > LOAD_FULL;
    if (control->hold_s <= 0)
        control->hold_s = HOLD_S;
    if (control->raised_ns && now_ns - control->raised_ns >= STANDS_NS) {
        control->raised_ns = 0;
        control->hold_s = HOLD_S;
    }
    if (is_full) {
        fall(control);
    } else if (control->level == 0 || sample->wait_ms >= WAIT_SHORT_MS ||
               better_load_of(control, sample) >= LOAD_FITS) {
        control->calm_since_ns = 0;
    } else if (!control->calm_since_ns) {
        control->calm_since_ns = now_ns;
    } else if (now_ns - control->calm_since_ns >= (int64_t)(control->hold_s * VD_NS_PER_S)) {
        rise(control, now_ns);
    }
    return control->level;
}
