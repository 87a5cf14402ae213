/* The way of a job. No lock is held while a picture is decoded, the detector is called, or `wake` is.
 *
 *   waiting  -> decoding -> decoded -> detecting -> finished
 *   decoding -> finished   [the picture is broken or beyond the limits]
 *   detecting -> finished  [also when the detector refuses it or fails]
 *
 * As many are detecting as there are workers, whatever the sizes: each size has workers of its own, and all
 * of them at once would only take the processor from each other. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "serve/work_state.h"

void vd_work_push(vd_work_list *list, vd_work_item *item)
{
    item->next = NULL;
    *(list->last ? &list->last->next : &list->first) = item;
    list->last = item;
    list->count++;
}

vd_work_item *vd_work_pop(vd_work_list *list)
{
    vd_work_item *item = list->first;
    if (!item)
        return NULL;
    list->first = item->next;
    if (!list->first)
        list->last = NULL;
    list->count--;
    item->next = NULL;
    return item;
}

static void feed_detectors(vd_work *work);

static void release_picture(void *context)
{
    vd_picture *picture = context;
    vd_picture_free(&picture);
}

/* --- Detecting */

static void end_detection(vd_work_item *item, int code, vd_result *result)
{
    vd_work *work = item->work;
    int64_t now_ns = vd_clock_now_ns();
    vd_mutex_lock(&work->lock);
    vd_work_tick_locked(work, now_ns);
    work->detecting--;
    item->job->detect_ns = now_ns - item->detected_ns - (result ? result->queue_ns : 0);
    vd_work_finish_locked(item, code, result);
    bool closing = work->closing;
    vd_mutex_unlock(&work->lock);
    if (!closing)
        work->wake(work->context);
}

/* On the worker that had the picture, on whoever shuts the detector down, or on who submitted. */
static void on_detected(void *context, vd_future *future)
{
    vd_work_item *item = context;
    vd_work *work = item->work;
    vd_result *result = vd_future_value(future);
    const vd_error *error = vd_future_error(future);
    int code = result ? VD_OK : error && error->code ? error->code : VD_ESHUTDOWN;
    if (!result && error)
        item->job->error = *error;
    end_detection(item, code, result ? vd_result_ref(result) : NULL);
    feed_detectors(work);
}

static void detect(vd_work_item *item, int64_t frame)
{
    vd_work *work = item->work;
    vd_future *future = NULL;
    vd_picture *picture = item->picture;
    const vd_input input = {.image = *vd_picture_get_image(picture),
                            .release = release_picture,
                            .context = picture,
                            .frame_index = frame,
                            .time_s = item->job->timed ? item->job->timestamp : 0};
    item->picture = NULL;
    item->detected_ns = vd_clock_now_ns();
    int code = vd_detector_submit(work->detectors[item->size], &input, &future, &item->job->error);
    if (code) {
        vd_picture_free(&picture);
    } else if (vd_future_then(future, on_detected, item)) {
        vd_future_cancel(future); /* it keeps its picture until it is done with it */
        code = vd_error_set(&item->job->error, VD_ENOMEM, NULL, "There is not enough memory for a frame.");
    }
    vd_future_unref(&future);
    if (code)
        end_detection(item, code, NULL);
}

/* Hands on what is decoded while a worker is free. One thread at a time does; whoever comes meanwhile has
 * changed what it looks at next, so nothing is forgotten and nothing recurs. */
static void feed_detectors(vd_work *work)
{
    vd_mutex_lock(&work->lock);
    if (work->feeding) {
        vd_mutex_unlock(&work->lock);
        return;
    }
    work->feeding = true;
    while (!work->closing && work->decoded.count > 0 && work->detecting < work->workers) {
        vd_work_item *item = vd_work_pop(&work->decoded);
        vd_work_tick_locked(work, vd_clock_now_ns());
        work->detecting++;
        int64_t frame = work->frame++;
        vd_mutex_unlock(&work->lock);
        detect(item, frame);
        vd_mutex_lock(&work->lock);
    }
    work->feeding = false;
    vd_mutex_unlock(&work->lock);
}

/* --- Decoding */

static vd_work_item *await_item(vd_work *work)
{
    vd_mutex_lock(&work->lock);
    while (!work->closing && work->waiting.count == 0)
        vd_cond_wait(&work->work, &work->lock);
    vd_work_item *item = work->closing ? NULL : vd_work_pop(&work->waiting);
    if (item) {
        item->begun_ns = vd_clock_now_ns();
        vd_work_tick_locked(work, item->begun_ns);
        work->decoding++;
    }
    vd_mutex_unlock(&work->lock);
    return item;
}

static int decode(vd_work_item *item, vd_picture_decoder *decoder)
{
    vd_job *job = item->job;
    int code =
        vd_picture_decode(decoder, job->bytes, job->size, &item->work->limits, &item->picture, &job->error);
    free(job->bytes);
    job->bytes = NULL;
    job->size = 0;
    item->decoded_ns = vd_clock_now_ns();
    job->decode_ns = item->decoded_ns - item->begun_ns;
    return code;
}

static void pass_on(vd_work_item *item, int code)
{
    vd_work *work = item->work;
    vd_mutex_lock(&work->lock);
    vd_work_tick_locked(work, vd_clock_now_ns());
    work->decoding--;
    if (code)
        vd_work_finish_locked(item, code, NULL);
    else
        vd_work_push(&work->decoded, item);
    bool wakes = code && !work->closing;
    vd_mutex_unlock(&work->lock);
    if (wakes)
        work->wake(work->context);
}

static void run(void *context)
{
    vd_work *work = context;
    vd_picture_decoder *decoder = NULL;
    for (vd_work_item *item = await_item(work); item; item = await_item(work)) {
        int code = decoder ? VD_OK : vd_picture_decoder_new(&decoder);
        if (code)
            vd_error_set(&item->job->error, code, NULL, "There is not enough memory to decode pictures.");
        else
            code = decode(item, decoder);
        pass_on(item, code);
        feed_detectors(work);
    }
    vd_picture_decoder_free(&decoder);
}

int vd_work_start_threads(vd_work *work)
{
    work->threads = calloc((size_t)work->workers, sizeof *work->threads);
    if (!work->threads)
        return VD_ENOMEM;
    for (int i = 0; i < work->workers; i++) {
        char name[24]; /* cut to what the system takes */
        snprintf(name, sizeof name, "vd-serve-%d", i);
        if (vd_thread_start(&work->threads[i], name, run, work))
            return VD_ENOMEM;
        work->thread_count++;
    }
    return VD_OK;
}

void vd_work_join_threads(vd_work *work)
{
    for (int i = 0; i < work->thread_count; i++)
        vd_thread_join(&work->threads[i]);
}
