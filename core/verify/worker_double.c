#include "verify/worker_double.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"

static const char *const names[] = {
    "test:sleep",
#ifdef VD_TEST_MODELS
    "test:hang",  "test:crash", "test:rubbish", "test:fail", "test:load",
#endif
};

bool vd_worker_double_has(const char *model_type)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], model_type) == 0)
            return true;
    return false;
}

static void wait_for(double seconds)
{
    vd_cancel never;
    if (vd_cancel_init(&never) != VD_OK)
        return;
    vd_cancel_sleep_until(&never, vd_clock_now_ns() + (int64_t)(seconds * (double)VD_NS_PER_S));
    vd_cancel_fini(&never);
}

void vd_worker_double_load(const vd_wire_setup *setup)
{
    (void)setup;
#ifdef VD_TEST_MODELS
    if (strcmp(setup->model_type, "test:load") == 0)
        wait_for(setup->sleep_s);
#endif
}

#ifdef VD_TEST_MODELS
static void spoil(vd_wire_answer *answer, size_t *size)
{
    switch (answer->ids[0] % VD_RUBBISH_FORMS) {
    case 0:
        *size = 1;
        break;
    case 1:
        *size = sizeof *answer - 4;
        break;
    case 2:
        answer->kind = 7;
        break;
    case 3:
        answer->ids[0] += 1000;
        break;
    case 4:
        answer->count = UINT32_MAX;
        break;
    case 5:
        answer->scores[0] = NAN;
        break;
    case 6:
        answer->scores[0] = -INFINITY;
        break;
    case 7:
        answer->scores[0] = 1.5f;
        break;
    default: /* text without an end, and a code that there is not */
        answer->code = 12345;
        memset(answer->text, 0xfe, sizeof answer->text);
        break;
    }
}

static void crash(void)
{
    signal(SIGSEGV, SIG_DFL); /* a sanitizer's report would only fill the log */
    raise(SIGSEGV);
}
#endif

int vd_worker_double_run(const vd_wire_setup *setup, const uint8_t *rgb, size_t clip_bytes,
                         const vd_wire_ask *ask, vd_wire_answer *ret_answer, size_t *ret_size,
                         vd_error *error)
{
    (void)error;
    (void)ret_size;
    for (uint32_t i = 0; i < ask->count; i++)
        ret_answer->scores[i] = (float)rgb[i * clip_bytes] / 255;
    if (strcmp(setup->model_type, "test:sleep") == 0)
        wait_for(setup->sleep_s);
#ifdef VD_TEST_MODELS
    if (strcmp(setup->model_type, "test:hang") == 0)
        wait_for(1e9);
    if (strcmp(setup->model_type, "test:crash") == 0)
        crash();
    if (strcmp(setup->model_type, "test:rubbish") == 0)
        spoil(ret_answer, ret_size);
    if (strcmp(setup->model_type, "test:fail") == 0 && ret_answer->scores[0] < 0.5f)
        return vd_error_set(error, VD_EIO, NULL, "The clip is too dark for this model.");
#endif
    return VD_OK;
}
