/* A run: a reader thread fills a bounded queue, the caller's thread submits to the detector and delivers in
 * order.
 *
 *   reader -> queue (files: BLOCK, live: DROP_OLDEST) -> gathered -> submit -> pending, in order -> sink
 *
 * Invariants
 * 1. Frames reach the sink in their order, whatever the workers' order of completion.
 * 2. Every frame read is delivered, or counted in `dropped` (live only), or left out by the stride. */
#include "vedette/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "detect/worker.h"
#include "frame/frame.h"
#include "vedette/app/detector_frame.h"

enum { MOST_PENDING = 128, QUEUE_FRAMES = 4 };

static const int64_t FULL_NS = 5 * VD_NS_PER_MS; /* until a queue that others keep full is tried again */

struct pending {
    vd_frame *frame;
    vd_future *future; /* NULL without a detector; frames of a batch share it */
    int place;         /* in the batch */
};

struct run {
    /* immutable while the reader runs */
    const vd_run_options *options;
    vd_source *source;
    vd_queue *queue;
    vd_cancel stop; /* child of the caller's token; also requested at the end: a blocked read ends */

    /* owned by the reader until it is joined */
    vd_thread reader;
    int read_code;
    vd_error read_error;

    /* owned by the caller's thread */
    struct pending pending[MOST_PENDING];
    int head, count, room;
    vd_frame *gathered[VD_MAX_FRAME_BATCH]; /* of the next batch, not submitted yet */
    int gathered_count;
    vd_run_summary *summary;
    vd_run_sink *sink;
    void *context;
    int64_t first_ns;
    int sink_code; /* VD_OK until the sink wants no more */
};

static void free_frame(void *item)
{
    vd_frame *frame = item;
    vd_frame_unref(&frame);
}

static bool is_past_limit(const vd_run_options *options, const vd_frame *frame)
{
    return (options->max_frames > 0 && frame->index >= options->max_frames) ||
           (options->max_seconds > 0 && frame->time_s >= options->max_seconds);
}

static void read_frames(void *context)
{
    struct run *run = context;
    int code = VD_OK;
    while (code == VD_OK && !vd_cancel_requested(&run->stop)) {
        vd_frame *frame = NULL;
        code = vd_source_read(run->source, &frame, &run->read_error);
        if (code)
            break;
        if (is_past_limit(run->options, frame)) {
            vd_frame_unref(&frame);
            code = VD_EEND;
        } else if (frame->index % run->options->stride != 0) {
            vd_frame_unref(&frame);
        } else if (vd_queue_push(run->queue, frame, INT64_MAX)) {
            vd_frame_unref(&frame);
            code = VD_ECANCELED;
        }
    }
    run->read_code = code == VD_OK ? VD_ECANCELED : code;
    vd_queue_close_push(run->queue);
}

/* Waits for what was found in a frame. */
static void await_result(const struct pending *pending, bool is_batch, vd_result **ret_result,
                         const vd_error **ret_error)
{
    vd_future_wait(pending->future, -1);
    *ret_error = vd_future_error(pending->future);
    void *value = vd_future_value(pending->future);
    if (is_batch && value) {
        const vd_batch_item *item = &((const vd_batch *)value)->items[pending->place];
        *ret_result = item->result;
        *ret_error = item->result ? NULL : &item->error;
    } else {
        *ret_result = value;
    }
}

/* Delivers the oldest pending frame once it is complete. */
static int deliver(struct run *run)
{
    struct pending *oldest = &run->pending[run->head];
    vd_result *result = NULL;
    const vd_error *error = NULL;
    if (oldest->future)
        await_result(oldest, run->options->batch > 1, &result, &error);
    vd_run_summary *summary = run->summary;
    summary->frames++;
    summary->detected += result != NULL;
    summary->failed += error != NULL;
    run->sink_code = run->sink(run->context, &summary->source, oldest->frame, result, error);
    summary->seconds = (double)(vd_clock_now_ns() - run->first_ns) / (double)VD_NS_PER_S;
    vd_future_unref(&oldest->future);
    vd_frame_unref(&oldest->frame);
    run->head = (run->head + 1) % MOST_PENDING;
    run->count--;
    return run->sink_code;
}

static int ask(struct run *run, vd_future **ret_future)
{
    vd_detector *detector = run->options->detector;
    if (!detector)
        return VD_OK;
    if (run->options->batch == 1)
        return vd_detector_submit_frame(detector, run->gathered[0], VD_PRIORITY_BACKGROUND, ret_future);
    return vd_detector_submit_frames(detector, run->gathered, (size_t)run->gathered_count,
                                     VD_PRIORITY_BACKGROUND, ret_future);
}

/* The detector's queue is full: delivering empties it; where others fill it there is only waiting. */
static int make_room(struct run *run, vd_error *error)
{
    if (run->count > 0)
        return deliver(run);
    if (vd_cancel_sleep_until(&run->stop, vd_clock_now_ns() + FULL_NS))
        return vd_error_set(error, VD_ECANCELED, run->summary->source.address, "Interrupted.");
    return VD_OK;
}

/* Submits what was gathered. */
static int submit(struct run *run, vd_error *error)
{
    vd_future *future = NULL;
    int code = VD_OK, stopped = VD_OK;
    while (stopped == VD_OK && (code = ask(run, &future)) == VD_EAGAIN)
        stopped = make_room(run, error);
    if (stopped)
        return stopped;
    if (code)
        return vd_error_set(error, code, NULL, "The detector takes no more pictures (%s).",
                            vd_code_name(code));
    for (int i = 0; i < run->gathered_count; i++)
        run->pending[(run->head + run->count++) % MOST_PENDING] = (struct pending){
            .frame = run->gathered[i], .future = future ? vd_future_ref(future) : NULL, .place = i};
    run->gathered_count = 0;
    vd_future_unref(&future);
    return VD_OK;
}

/* Delivers what is complete, or as much as is needed to have room for one more. */
static int deliver_ready(struct run *run)
{
    int code = VD_OK;
    while (code == VD_OK && run->count > 0) {
        vd_future *future = run->pending[run->head].future;
        if (run->count < run->room && future && !vd_future_is_complete(future))
            break;
        code = deliver(run);
    }
    return code;
}

/* Takes the next frame: false when there is none, which for a live source with a begun batch is when none has
 * come yet. */
static bool gather(struct run *run)
{
    bool begun = run->gathered_count > 0 && run->summary->source.is_live;
    void *item = NULL;
    if (vd_queue_take(run->queue, begun ? 0 : INT64_MAX, &item))
        return false;
    if (run->first_ns == 0)
        run->first_ns = vd_clock_now_ns();
    run->gathered[run->gathered_count++] = item;
    return true;
}

static int process(struct run *run, vd_error *error)
{
    int batch = run->options->detector ? run->options->batch : 1, code = VD_OK;
    bool more = true;
    while (code == VD_OK && more) {
        more = gather(run);
        if (run->gathered_count == 0 || (more && run->gathered_count < batch))
            continue;
        more = true; /* a live source's may be late; the queue's end shows again with nothing gathered */
        code = submit(run, error);
        if (code == VD_OK)
            code = deliver_ready(run);
    }
    while (run->count > 0 && code == VD_OK)
        code = deliver(run);
    return code;
}

static void drop_pending(struct run *run)
{
    while (run->gathered_count > 0)
        vd_frame_unref(&run->gathered[--run->gathered_count]);
    for (; run->count > 0; run->count--) {
        struct pending *oldest = &run->pending[run->head];
        if (oldest->future)
            vd_future_cancel(oldest->future);
        vd_future_unref(&oldest->future);
        vd_frame_unref(&oldest->frame);
        run->head = (run->head + 1) % MOST_PENDING;
    }
}

/* What the run as a whole came to. */
static int conclude(struct run *run, int code, vd_error *error)
{
    if (code)
        return code;
    if (vd_cancel_requested(run->options->cancel))
        return vd_error_set(error, VD_ECANCELED, run->summary->source.address, "Interrupted.");
    if (run->read_code == VD_EEND || run->read_code == VD_ECANCELED)
        return VD_OK;
    if (run->summary->frames == 0) {
        if (error)
            *error = run->read_error;
        return run->read_code;
    }
    run->summary->source_error = run->read_error;
    return VD_OK;
}

static int start_reader(struct run *run, vd_error *error)
{
    bool is_live = vd_source_get_info(run->source)->is_live;
    if (vd_queue_new(QUEUE_FRAMES, is_live ? VD_QUEUE_DROP_OLDEST : VD_QUEUE_BLOCK, free_frame,
                     &run->queue) ||
        vd_thread_start(&run->reader, "vd-reader", read_frames, run))
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the source.");
    return VD_OK;
}

static int run_opened(struct run *run, vd_error *error)
{
    int code = start_reader(run, error);
    if (code == VD_OK)
        code = process(run, error);
    vd_cancel_request(&run->stop);
    if (run->queue) { /* what is left at an early end was not too slow: it is not counted */
        run->summary->dropped = (int64_t)vd_queue_get_counts(run->queue).dropped;
        vd_queue_close_take(run->queue);
    }
    vd_thread_join(&run->reader);
    drop_pending(run);
    vd_source_stats stats = vd_source_get_stats(run->source);
    run->summary->source_stats = stats;
    run->summary->dropped += (int64_t)stats.dropped_pool;
    return conclude(run, code, error);
}

/* How many frames may wait for their results: enough to keep every worker busy while the oldest takes three
 * times as long as the others (results leave in order), and a batch while the next one is gathered. */
static int choose_room(const vd_run_options *options)
{
    if (!options->detector)
        return 1;
    int room =
        4 * vd_detector_get_stats(options->detector).workers + (options->batch > 1 ? options->batch : 0);
    return room < MOST_PENDING / 2 ? room : MOST_PENDING / 2;
}

static int check(const vd_run_options *options, vd_run_sink *sink, const vd_run_summary *summary,
                 vd_error *error)
{
    if (!options || !sink || !summary)
        return vd_error_set(error, VD_EINVAL, NULL, "A run needs options, a sink and room for its summary.");
    if (options->stride < 1 || options->stride > 1000)
        return vd_error_set(error, VD_EINVAL, "stride", "The stride is %d; it must be 1 to 1000.",
                            options->stride);
    if (options->batch < 1 || options->batch > VD_MAX_FRAME_BATCH)
        return vd_error_set(error, VD_EINVAL, "batch", "The batch is %d; it must be 1 to %d.", options->batch,
                            VD_MAX_FRAME_BATCH);
    if (options->detector && vd_worker_is_within(options->detector))
        return vd_error_set(error, VD_EDEADLK, NULL,
                            "A continuation of the detector must not wait for a run through it.");
    return VD_OK;
}

int vd_run(const vd_run_options *options, vd_run_sink *sink, void *context, vd_run_summary *ret_summary,
           vd_error *error)
{
    int code = check(options, sink, ret_summary, error);
    if (code)
        return code;
    *ret_summary = (vd_run_summary){0};
    struct run *run = calloc(1, sizeof *run);
    if (!run || vd_cancel_init_child(&run->stop, options->cancel)) {
        free(run);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the run.");
    }
    run->options = options;
    run->summary = ret_summary;
    run->sink = sink;
    run->context = context;
    run->room = choose_room(options);
    vd_source_options source = options->source;
    int least = run->room + 2 * (options->batch - 1) + QUEUE_FRAMES + 4;
    source.pool_frames = source.pool_frames > least ? source.pool_frames : least;
    code = vd_source_open(options->address, &source, &run->stop, &run->source, error);
    if (code == VD_OK) {
        ret_summary->source = *vd_source_get_info(run->source);
        code = run_opened(run, error);
        vd_source_close(&run->source);
    }
    vd_queue_free(&run->queue);
    vd_cancel_fini(&run->stop);
    free(run);
    return code;
}
