#include "doubles/fake_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "frame/frame.h"
#include "media/source_kind.h"
#include "vedette/detection.h"

struct fake {
    int64_t frames, next, break_at;
    double fps;
    int live, silent;
    uint32_t serial;
    int64_t start_ns;
    vd_cancel *cancel;
    vd_frame_pool *pool;
    vd_source_stats stats;
};

static double option(const char *address, const char *name, double otherwise)
{
    char key[32];
    snprintf(key, sizeof key, "%s=", name);
    const char *at = strstr(address, key);
    return at ? atof(at + strlen(key)) : otherwise;
}

static int open_fake(const char *address, const vd_source_options *options, vd_cancel *cancel,
                     void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    if (option(address, "silent", 0) > 0) {
        if (vd_cancel_sleep_until(cancel, vd_clock_now_ns() + options->open_timeout_ns))
            return vd_error_set(error, VD_ECANCELED, address, "Cancelled.");
        return vd_error_set(error, VD_ETIMEOUT, address, "Nothing came within the time-out.");
    }
    struct fake *fake = calloc(1, sizeof *fake);
    fake->frames = (int64_t)option(address, "frames", 50);
    fake->fps = option(address, "fps", 25);
    fake->live = option(address, "live", 0) > 0;
    fake->break_at = (int64_t)option(address, "break", -1);
    fake->cancel = cancel;
    int width = (int)option(address, "width", 160), height = (int)option(address, "height", 120);
    vd_frame_pool_new(VD_PIXEL_I420, width, height, options->pool_frames, &fake->pool);
    *ret_info = (vd_source_info){.name = "fake",
                                 .is_live = fake->live,
                                 .can_seek = !fake->live,
                                 .duration_s = (double)fake->frames / fake->fps,
                                 .frames_per_s = fake->fps,
                                 .width = width,
                                 .height = height,
                                 .frame_count = fake->frames};
    snprintf(ret_info->address, sizeof ret_info->address, "%s", address);
    *ret_state = fake;
    return VD_OK;
}

static int wait_for_turn(struct fake *fake)
{
    if (!fake->live)
        return VD_OK;
    if (fake->start_ns == 0)
        fake->start_ns = vd_clock_now_ns();
    int64_t due = fake->start_ns + (int64_t)((double)fake->next / fake->fps * (double)VD_NS_PER_S);
    return vd_cancel_sleep_until(fake->cancel, due) ? VD_ECANCELED : VD_OK;
}

static int read_fake(void *state, vd_frame **ret_frame, vd_error *error)
{
    struct fake *fake = state;
    if (fake->next >= fake->frames)
        return VD_EEND;
    if (fake->next == fake->break_at)
        return vd_error_set(error, VD_EIO, "fake", "The cable was pulled.");
    int code = wait_for_turn(fake);
    if (code)
        return code;
    vd_frame *frame = NULL;
    while (vd_frame_pool_wait(fake->pool, vd_clock_now_ns() + 20 * VD_NS_PER_MS, &frame))
        if (vd_cancel_requested(fake->cancel))
            return VD_ECANCELED;
    memset(frame->image.planes[1], 128,
           (size_t)frame->image.strides[1] * (size_t)((frame->image.height + 1) / 2));
    memset(frame->image.planes[2], 128,
           (size_t)frame->image.strides[2] * (size_t)((frame->image.height + 1) / 2));
    memcpy(frame->image.planes[0], &fake->next, sizeof fake->next);
    frame->index = fake->next;
    frame->time_s = (double)fake->next / fake->fps;
    frame->duration_s = 1 / fake->fps;
    frame->arrived_ns = vd_clock_now_ns();
    frame->serial = fake->serial;
    fake->next++;
    fake->stats.frames++;
    *ret_frame = frame;
    return VD_OK;
}

static int seek_fake(void *state, double time_s, vd_error *error)
{
    struct fake *fake = state;
    (void)error;
    fake->next = (int64_t)(time_s * fake->fps + 1e-6);
    fake->serial++;
    return VD_OK;
}

static void stats_fake(void *state, vd_source_stats *ret_stats)
{
    *ret_stats = ((struct fake *)state)->stats;
}

static void close_fake(void *state)
{
    struct fake *fake = state;
    vd_frame_pool_free(&fake->pool);
    free(fake);
}

void fake_source_register(void)
{
    static const vd_source_ops ops = {.scheme = "fake:",
                                      .open = open_fake,
                                      .read = read_fake,
                                      .seek = seek_fake,
                                      .get_stats = stats_fake,
                                      .close = close_fake};
    vd_source_register(&ops);
}

int64_t fake_source_index(const vd_image *image)
{
    int64_t index;
    memcpy(&index, image->planes[0], sizeof index);
    return index;
}

vd_box fake_source_box(int64_t index)
{
    float x = 10 + 1.5f * (float)index, y = 20 + 0.5f * (float)index;
    return (vd_box){x, y, x + 30, y + 30};
}

struct fake_detector {
    const struct fake_detector_config *config;
    vd_cancel wait; /* never requested: a clock to sleep on */
    int calls;
};

static int open_detector(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    const struct fake_detector_config *wanted = config;
    const char *names[] = {"square", "shadow"};
    if (wanted->refuse)
        return vd_error_set(error, VD_EFORMAT, "fake", "%s", wanted->refuse);
    struct fake_detector *detector = calloc(1, sizeof *detector);
    vd_cancel_init(&detector->wait);
    detector->config = wanted;
    vd_labels_new(names, 2, ret_labels);
    *ret_state = detector;
    return VD_OK;
}

static int detect(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    struct fake_detector *detector = state;
    const struct fake_detector_config *config = detector->config;
    if (config->delay_ms > 0)
        vd_cancel_sleep_until(&detector->wait, vd_clock_now_ns() + config->delay_ms * VD_NS_PER_MS);
    if (config->fail_every > 0 && ++detector->calls % config->fail_every == 0)
        return vd_error_set(error, VD_EIO, "fake", "This one fails.");
    vd_box box = fake_source_box(fake_source_index(image));
    vd_box beside = {box.x1, box.y1 + 50, box.x2, box.y2 + 50};
    result->candidates[0] = (vd_detection){.box = box, .score = 0.9f, .class_id = 0};
    result->candidates[1] = (vd_detection){.box = beside, .score = 0.4f, .class_id = 1};
    result->count = 2;
    return VD_OK;
}

static void close_detector(void *state)
{
    struct fake_detector *detector = state;
    vd_cancel_fini(&detector->wait);
    free(detector);
}

const vd_detector_ops fake_detector_ops = {
    .open = open_detector, .detect = detect, .close = close_detector, .name = "fake"};
