/* A whole camera in tests: doubles of the source and of the detector, and what it says. */
#ifndef TESTS_CAMERA_CASE_H
#define TESTS_CAMERA_CASE_H

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "check_main.h"
#include "doubles/fake_source.h"
#include "frame/frame.h"
#include "vedette/app/camera.h"

enum { MOST = 32 };

static const struct fake_detector_config quick = {.delay_ms = 1};
static vd_cancel pause_token; /* never requested: something to sleep on */
static atomic_int wakes;
static vd_event events[MOST];
static size_t event_count;

static inline void setup(void)
{
    fake_source_register();
    ck_assert_int_eq(vd_cancel_init(&pause_token), VD_OK);
}

static inline void forget_events(void)
{
    for (size_t i = 0; i < event_count; i++)
        vd_event_clear(&events[i]);
    event_count = 0;
}

static inline void teardown(void)
{
    forget_events();
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_cancel_fini(&pause_token);
}

static inline void rest(int64_t ms)
{
    vd_cancel_sleep_until(&pause_token, vd_clock_now_ns() + ms * VD_NS_PER_MS);
}

static inline vd_camera_options options_of(const char *address)
{
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    options.address = address;
    options.ops = &fake_detector_ops;
    options.config = &quick;
    return options;
}

static inline vd_camera *open_camera(const vd_camera_options *options)
{
    vd_camera *camera = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_camera_open(options, &camera, &error) == VD_OK, "%s", error.text);
    return camera;
}

static inline void on_wake(void *context)
{
    (void)context;
    atomic_fetch_add(&wakes, 1);
}

static inline vd_camera *open_fake(const char *address, const struct fake_detector_config *config,
                                   vd_overlay_sync sync, bool paused)
{
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    vd_camera *camera = NULL;
    options.address = address;
    options.ops = &fake_detector_ops;
    options.config = config;
    options.sync = sync;
    options.paused = paused;
    options.wake = on_wake;
    ck_assert_int_eq(vd_camera_open(&options, &camera, NULL), VD_OK);
    return camera;
}

static inline vd_camera_status status_of(vd_camera *camera)
{
    vd_camera_status status;
    vd_camera_get_status(camera, &status);
    return status;
}

static inline void wait_for_state(vd_camera *camera, vd_camera_state state)
{
    int64_t deadline = vd_clock_now_ns() + 10 * VD_NS_PER_S;
    while (status_of(camera).state != state && vd_clock_now_ns() < deadline)
        rest(2);
    ck_assert_int_eq(status_of(camera).state, state);
}

/* All events of the camera, newest first. */
static inline void look(vd_camera *camera)
{
    forget_events();
    event_count = vd_camera_get_events(camera, 0, NULL, events, MOST);
}

#define UNTIL(condition)                                                                                     \
    do {                                                                                                     \
        int64_t limit_ns_ = vd_clock_now_ns() + 20 * VD_NS_PER_S;                                            \
        while (!(condition) && vd_clock_now_ns() < limit_ns_)                                                \
            rest(2);                                                                                         \
        ck_assert_msg(condition, "not in time: " #condition);                                                \
    } while (0)

static inline const vd_event *event_of(vd_camera *camera, uint64_t id)
{
    look(camera);
    for (size_t i = 0; i < event_count; i++)
        if (events[i].id == id)
            return &events[i];
    ck_abort_msg("no event %llu", (unsigned long long)id);
}

#endif
