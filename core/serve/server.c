#include "serve/server.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "serve/channels.h"

enum { FAREWELL_MS = 250 };

#define VD_LEAST_IOU 1e-6f /* stands for 0, which means: what suits the model */

/* --- What the parts ask for */

size_t vd_serve_most_picture(const vd_serve *serve)
{
    return (size_t)serve->options.streaming.max_image_mb << 20;
}

size_t vd_serve_most_message(const vd_serve *serve)
{
    return vd_serve_most_picture(serve) / 3 * 4 + (64 << 10);
}

vd_session_config vd_serve_default_config(const vd_serve *serve)
{
    const vd_streaming_settings *settings = &serve->options.streaming;
    return (vd_session_config){.fps_limit = settings->default_fps,
                               .confidence_threshold = (double)serve->thresholds.confidence,
                               .iou_threshold = (double)serve->thresholds.iou,
                               .enable_tracking = settings->enable_tracking,
                               .quality_mode = VD_QUALITY_BALANCED,
                               .max_detections = serve->thresholds.max_detections};
}

int vd_serve_open_session(vd_serve *serve, const char *peer, int owner, const vd_session_config *config,
                          vd_session **ret_session, vd_error *error)
{
    const vd_streaming_settings *settings = &serve->options.streaming;
    vd_session_options options = {.owner = owner,
                                  .config = *config,
                                  .queue_size = settings->queue_size,
                                  .max_fps = settings->max_fps,
                                  .timeout_s = settings->session_timeout_s,
                                  .deadline_s = VD_SERVE_DEADLINE_S,
                                  .stale_s = VD_SERVE_STALE_S,
                                  .now_ns = vd_clock_now_ns()};
    vd_text_copy(options.peer, sizeof options.peer, peer);
    int code = vd_sessions_open(serve->sessions, &options, ret_session, error);
    if (code == VD_OK)
        serve->counts.sessions++;
    else if (code == VD_EAGAIN)
        serve->counts.refused[VD_REFUSED_SESSIONS]++;
    return code;
}

bool vd_serve_has_camera(const vd_serve *serve, const char *name)
{
    for (size_t i = 0; i < vd_cameras_count(serve->cameras); i++)
        if (strcmp(vd_cameras_at(serve->cameras, i).name, name) == 0)
            return true;
    return false;
}

/* --- Its state */

static void tell(vd_serve *serve)
{
    if (serve->options.wake)
        serve->options.wake(serve->options.wake_context);
}

static void enter(vd_serve *serve, vd_serve_state state, const vd_error *error)
{
    vd_mutex_lock(&serve->lock);
    serve->status.state = state;
    if (error)
        serve->status.error = *error;
    vd_mutex_unlock(&serve->lock);
    tell(serve);
}

void vd_serve_publish(vd_serve *serve)
{
    vd_session_stats total = vd_sessions_total(serve->sessions, vd_clock_now_ns());
    vd_mutex_lock(&serve->lock);
    vd_serve_status before = serve->status, *status = &serve->status;
    status->sessions = (int)vd_sessions_count(serve->sessions);
    status->connections = serve->link_count;
    status->watchers = vd_cameras_watchers(serve->cameras);
    status->level = serve->level;
    status->results_per_s = total.results_per_s;
    status->frames = total.frames;
    status->results = total.results;
    status->failed = total.failed;
    status->skipped = 0;
    for (size_t i = 0; i < sizeof total.skipped / sizeof *total.skipped; i++)
        status->skipped += total.skipped[i];
    bool changed = status->sessions != before.sessions || status->connections != before.connections ||
                   status->watchers != before.watchers || status->level != before.level ||
                   status->frames != before.frames || status->results_per_s != before.results_per_s;
    vd_mutex_unlock(&serve->lock);
    if (changed)
        tell(serve);
}

static bool is_stopping(vd_serve *serve)
{
    vd_mutex_lock(&serve->lock);
    bool stopping = serve->stopping;
    vd_mutex_unlock(&serve->lock);
    return stopping;
}

/* --- The thread */

static int open_access(vd_serve *serve, vd_error *error)
{
    int code = vd_access_new(&serve->options.streaming, &serve->access, error);
    if (code != VD_OK)
        return code;
    vd_mutex_lock(&serve->lock);
    vd_text_copy(serve->status.token_file, sizeof serve->status.token_file,
                 vd_access_token_file(serve->access));
    vd_mutex_unlock(&serve->lock);
    return VD_OK;
}

/* What suits the model, and what the user wants instead. */
static void use_thresholds(vd_serve *serve)
{
    const vd_thresholds *wanted = &serve->options.thresholds;
    serve->thresholds = vd_work_thresholds(serve->work);
    if (wanted->confidence > 0)
        serve->thresholds.confidence = wanted->confidence;
    if (wanted->iou > 0)
        serve->thresholds.iou = wanted->iou;
    if (wanted->max_detections > 0)
        serve->thresholds.max_detections = wanted->max_detections;
}

static int open_work(vd_serve *serve, vd_error *error)
{
    const vd_streaming_settings *settings = &serve->options.streaming;
    vd_work_options options = {.serve = &serve->options,
                               .limits = {.bytes = (int64_t)settings->max_image_mb << 20,
                                          .pixels = (int64_t)settings->max_image_megapixels * 1000000},
                               .wake = vd_serve_wake,
                               .context = serve};
    int code = vd_work_open(&options, &serve->work, error);
    if (code != VD_OK)
        return code;
    use_thresholds(serve);
    vd_work_stats stats = vd_work_get_stats(serve->work);
    vd_mutex_lock(&serve->lock);
    vd_text_copy(serve->status.model, sizeof serve->status.model, stats.model);
    vd_mutex_unlock(&serve->lock);
    return VD_OK;
}

static int open_service(vd_serve *serve, vd_error *error)
{
    vd_sessions_options options = {.max_sessions = serve->options.streaming.max_sessions,
                                   .max_per_peer = serve->options.streaming.max_sessions_per_peer};
    serve->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int code = open_access(serve, error);
    if (code == VD_OK)
        code = vd_serve_bind(serve, error);
    if (code == VD_OK)
        code = open_work(serve, error);
    if (code != VD_OK)
        return code;
    if (vd_sessions_new(&options, &serve->sessions) != VD_OK || vd_monitor_new(&serve->monitor) != VD_OK)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    serve->began_ns = serve->measured_ns = vd_clock_now_ns();
    vd_serve_begin_turns(serve);
    return vd_serve_listen(serve, error);
}

static gboolean look_again(void *context)
{
    (void)context;
    return G_SOURCE_CONTINUE;
}

/* Lets what is under way go on for a moment, or until nobody is left. */
static void go_on(vd_serve *serve, const int *left)
{
    int64_t end_ns = vd_clock_now_ns() + FAREWELL_MS * VD_NS_PER_MS;
    GSource *clock = g_timeout_source_new(FAREWELL_MS / 10);
    g_source_set_callback(clock, look_again, NULL, NULL);
    g_source_attach(clock, serve->context);
    while (*left > 0 && vd_clock_now_ns() < end_ns)
        g_main_context_iteration(serve->context, TRUE);
    g_source_destroy(clock);
    g_source_unref(clock);
}

static void close_service(vd_serve *serve)
{
    static const char stops[] = "The service stops.";
    serve->ending = true;
    if (serve->sessions) /* every frame has its answer before the channels end */
        vd_sessions_close_all(serve->sessions, stops, vd_clock_now_ns());
    vd_channels_end_all(serve, VD_CLOSE_AWAY, stops);
    go_on(serve, &serve->channel_count);
    vd_channels_abandon(serve);
    vd_serve_stop_listening(serve);
    vd_links_drop(serve);
    go_on(serve, &serve->link_count);
    vd_serve_end_turns(serve);
    vd_work_free(&serve->work);
    vd_sessions_free(&serve->sessions);
    while (g_main_context_iteration(serve->context, FALSE))
        ; /* what libsoup still has to let go of */
    g_clear_object(&serve->soup);
    g_clear_object(&serve->socket);
    g_clear_object(&serve->certificate);
    vd_monitor_free(&serve->monitor);
    vd_access_free(&serve->access);
    if (serve->spare_fd >= 0)
        close(serve->spare_fd);
}

static void run(void *context)
{
    vd_serve *serve = context;
    vd_error error = {0};
    serve->context = g_main_context_new();
    g_main_context_push_thread_default(serve->context);
    int code = open_service(serve, &error);
    if (code == VD_OK && !is_stopping(serve)) {
        enter(serve, VD_SERVE_LISTENING, NULL);
        while (!is_stopping(serve))
            g_main_context_iteration(serve->context, TRUE);
        enter(serve, VD_SERVE_STOPPING, NULL);
    }
    close_service(serve);
    g_main_context_pop_thread_default(serve->context);
    g_main_context_unref(serve->context);
    if (code == VD_OK)
        enter(serve, VD_SERVE_STOPPED, NULL);
    else
        enter(serve, VD_SERVE_FAILED, &error);
}

/* --- From outside */

void vd_serve_options_from_settings(const vd_settings *settings, vd_serve_options *ret_options)
{
    vd_serve_options options = {.streaming = settings->streaming,
                                .model = settings->model,
                                .labels = settings->labels,
                                .precision = strcmp(settings->precision, "bf16") == 0 ? VD_PRECISION_BF16
                                                                                      : VD_PRECISION_FP32,
                                .device = settings->device};
    options.thresholds.confidence = settings->confidence_given ? (float)settings->confidence : 0;
    options.thresholds.iou = settings->iou_given ? fmaxf((float)settings->iou, VD_LEAST_IOU) : 0;
    options.thresholds.max_detections = settings->max_detections;
    *ret_options = options;
}

static int check_options(const vd_serve_options *options, vd_error *error)
{
    const vd_streaming_settings *settings = &options->streaming;
    if (settings->port < 0 || settings->port > 65535)
        return vd_error_set(error, VD_EINVAL, NULL, "The port is %d; it must be 0 to 65535.", settings->port);
    if ((settings->tls_certificate[0] == '\0') != (settings->tls_key[0] == '\0'))
        return vd_error_set(error, VD_EINVAL, NULL, "TLS needs both a certificate and its key.");
    if (settings->default_fps < 1 || settings->default_fps > settings->max_fps)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "The usual rate is %d frames a second; it must be 1 to the most, which is %d.",
                            settings->default_fps, settings->max_fps);
    return VD_OK;
}

static void copy_options(vd_serve *serve, const vd_serve_options *options)
{
    serve->options = *options;
    vd_text_copy(serve->model, sizeof serve->model, options->model ? options->model : "");
    vd_text_copy(serve->labels, sizeof serve->labels, options->labels ? options->labels : "");
    vd_text_copy(serve->device, sizeof serve->device, options->device ? options->device : "cpu");
    serve->options.model = serve->model[0] ? serve->model : NULL;
    serve->options.labels = serve->labels[0] ? serve->labels : NULL;
    serve->options.device = serve->device;
}

int vd_serve_start(const vd_serve_options *options, vd_serve **ret_serve, vd_error *error)
{
    int code = check_options(options, error);
    vd_serve *serve = code == VD_OK ? calloc(1, sizeof *serve) : NULL;
    if (!serve)
        return code != VD_OK ? code : vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    copy_options(serve, options);
    serve->spare_fd = -1;
    serve->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool made = vd_mutex_init(&serve->lock, VD_RANK_SERVE) == VD_OK;
    if (made && serve->wake_fd >= 0 && vd_cameras_new(vd_serve_wake, serve, &serve->cameras) == VD_OK &&
        vd_thread_start(&serve->thread, "vd-serve", run, serve) == VD_OK) {
        *ret_serve = serve;
        return VD_OK;
    }
    vd_cameras_free(&serve->cameras);
    if (serve->wake_fd >= 0)
        close(serve->wake_fd);
    if (made)
        vd_mutex_fini(&serve->lock);
    free(serve);
    return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
}

void vd_serve_wake(void *context)
{
    vd_serve *serve = context;
    uint64_t one = 1;
    if (write(serve->wake_fd, &one, sizeof one) < 0)
        return; /* it is awake: the count is at its most */
}

void vd_serve_get_status(vd_serve *serve, vd_serve_status *ret_status)
{
    vd_mutex_lock(&serve->lock);
    *ret_status = serve->status;
    vd_mutex_unlock(&serve->lock);
}

void vd_serve_stop(vd_serve *serve)
{
    vd_mutex_lock(&serve->lock);
    serve->stopping = true;
    vd_mutex_unlock(&serve->lock);
    vd_serve_wake(serve);
}

void vd_serve_free(vd_serve **serve)
{
    if (!*serve)
        return;
    vd_serve_stop(*serve);
    vd_thread_join(&(*serve)->thread);
    vd_cameras_free(&(*serve)->cameras);
    close((*serve)->wake_fd);
    vd_mutex_fini(&(*serve)->lock);
    free(*serve);
    *serve = NULL;
}
