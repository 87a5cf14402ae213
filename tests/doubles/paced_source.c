#include "doubles/paced_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "frame/frame.h"
#include "media/source_kind.h"

struct paced {
    vd_source *file;
    vd_cancel *cancel;
    int64_t start_ns;
};

static int open_paced(const char *address, const vd_source_options *options, vd_cancel *cancel,
                      void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    struct paced *paced = calloc(1, sizeof *paced);
    if (!paced)
        return VD_ENOMEM;
    paced->cancel = cancel;
    int code = vd_source_open(strchr(address, ':') + 1, options, cancel, &paced->file, error);
    if (code) {
        free(paced);
        return code;
    }
    *ret_info = *vd_source_get_info(paced->file);
    ret_info->is_live = true;
    ret_info->can_seek = false;
    *ret_state = paced;
    return VD_OK;
}

static int read_paced(void *state, vd_frame **ret_frame, vd_error *error)
{
    struct paced *paced = state;
    vd_frame *frame = NULL;
    int code = vd_source_read(paced->file, &frame, error);
    if (code)
        return code;
    if (paced->start_ns == 0)
        paced->start_ns = vd_clock_now_ns();
    if (vd_cancel_sleep_until(paced->cancel,
                              paced->start_ns + (int64_t)(frame->time_s * (double)VD_NS_PER_S))) {
        vd_frame_unref(&frame);
        return VD_ECANCELED;
    }
    frame->arrived_ns = vd_clock_now_ns();
    *ret_frame = frame;
    return VD_OK;
}

static void stats_paced(void *state, vd_source_stats *ret_stats)
{
    *ret_stats = vd_source_get_stats(((struct paced *)state)->file);
}

static void close_paced(void *state)
{
    struct paced *paced = state;
    vd_source_close(&paced->file);
    free(paced);
}

void paced_source_register(void)
{
    static const vd_source_ops ops = {.scheme = "paced:",
                                      .open = open_paced,
                                      .read = read_paced,
                                      .get_stats = stats_paced,
                                      .close = close_paced};
    vd_source_register(&ops);
}
