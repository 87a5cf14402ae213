/* The recorder's thread takes frames from a bounded queue, draws on a copy, and hands it to the encoder.
 *
 *   RUNNING -> DONE   [write_all: the queue was closed and is empty, the file ended properly]
 *   RUNNING -> FAILED [fail: the disk or the encoder refused; later frames are taken and thrown away]
 *
 * Invariants
 * 1. The encoder, canvas and painter belong to the thread; the status is under the lock.
 * 2. frames + dropped = frames handed over, once the thread has ended. */
#include "vedette/app/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/text.h"
#include "base/thread.h"
#include "frame/convert.h"
#include "frame/frame.h"
#include "record/recording_name.h"
#include "vedette/app/encoder.h"

struct item {
    vd_frame *frame;
    int64_t time_ns;
    vd_drawing drawing; /* boxes points behind it */
    vd_draw_box boxes[];
};

struct vd_recorder {
    /* immutable */
    char path[512];
    double frames_per_s;
    int quality;
    vd_queue *queue;
    vd_thread thread;

    /* owned by the thread */
    vd_encoder *encoder;
    vd_painter *painter;
    vd_scratch scratch;
    vd_frame_pool *canvas_pool;
    vd_frame *canvas;
    int64_t first_ns;

    /* guarded by lock */
    vd_mutex lock;
    vd_recorder_status status;
};

static void free_item(void *pointer)
{
    struct item *item = pointer;
    vd_frame_unref(&item->frame);
    free(item);
}

static void fail(vd_recorder *recorder, const vd_error *error)
{
    vd_mutex_lock(&recorder->lock);
    recorder->status.state = VD_RECORDER_FAILED;
    recorder->status.error = *error;
    vd_mutex_unlock(&recorder->lock);
}

static bool has_failed(vd_recorder *recorder)
{
    vd_mutex_lock(&recorder->lock);
    bool failed = recorder->status.state == VD_RECORDER_FAILED;
    vd_mutex_unlock(&recorder->lock);
    return failed;
}

/* Everything that depends on the picture's size is made with the first frame. */
static int open_encoder(vd_recorder *recorder, const struct item *item, vd_error *error)
{
    const vd_image *image = &item->frame->image;
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = image->width;
    options.height = image->height;
    options.aspect_num = item->frame->aspect_num;
    options.aspect_den = item->frame->aspect_den;
    options.quality = recorder->quality;
    if (recorder->frames_per_s > 0)
        options.frames_per_s = recorder->frames_per_s;
    int code = vd_encoder_open(recorder->path, &options, &recorder->encoder, error);
    if (code)
        return code;
    recorder->first_ns = item->time_ns;
    if (vd_frame_pool_new(VD_PIXEL_BGRX, image->width, image->height, 1, &recorder->canvas_pool) ||
        vd_frame_pool_take(recorder->canvas_pool, &recorder->canvas) || vd_painter_new(&recorder->painter))
        return vd_error_set(error, VD_ENOMEM, recorder->path,
                            "There is not enough memory to record a picture of %d × %d pixels.", image->width,
                            image->height);
    return VD_OK;
}

/* A picture of another size than the first (a stream that changed) is fitted into the file's. */
static vd_image fit_into(const vd_image *canvas, const vd_image *image)
{
    const vd_feed feed = {.width = canvas->width, .height = canvas->height};
    vd_letterbox box = vd_letterbox_fit(image->width, image->height, &feed);
    vd_image part = *canvas;
    part.width = box.width;
    part.height = box.height;
    part.planes[0] += (size_t)box.top * (size_t)canvas->strides[0] + (size_t)box.left * 4;
    if (box.width != canvas->width || box.height != canvas->height)
        memset(canvas->planes[0], 0, (size_t)canvas->strides[0] * (size_t)canvas->height);
    return part;
}

static int write_item(vd_recorder *recorder, const struct item *item, vd_error *error)
{
    const vd_image *image = &item->frame->image;
    if (!recorder->encoder) {
        int code = open_encoder(recorder, item, error);
        if (code)
            return code;
    }
    const vd_image *canvas = &recorder->canvas->image;
    bool same_size = image->width == canvas->width && image->height == canvas->height;
    if (!same_size || item->drawing.count > 0) {
        vd_image part = fit_into(canvas, image);
        int code = vd_convert_scale(image, VD_FILTER_GOOD, &recorder->scratch, &part);
        if (code == VD_OK && item->drawing.count > 0)
            code = vd_painter_draw_image(recorder->painter, &part, &item->drawing);
        if (code)
            return vd_error_set(error, code, recorder->path,
                                "A picture could not be drawn for the recording.");
        image = canvas;
    }
    return vd_encoder_write(recorder->encoder, image, item->time_ns - recorder->first_ns, error);
}

static void note_written(vd_recorder *recorder, const struct item *item)
{
    vd_mutex_lock(&recorder->lock);
    recorder->status.frames++;
    recorder->status.seconds = (double)(item->time_ns - recorder->first_ns) / (double)VD_NS_PER_S;
    vd_mutex_unlock(&recorder->lock);
}

static void close_encoder(vd_recorder *recorder)
{
    vd_error error = {0};
    if (recorder->encoder && vd_encoder_close(&recorder->encoder, &error) && !has_failed(recorder))
        fail(recorder, &error);
    vd_painter_free(&recorder->painter);
    vd_scratch_fini(&recorder->scratch);
    vd_frame_unref(&recorder->canvas);
    vd_frame_pool_free(&recorder->canvas_pool);
}

static void write_all(void *context)
{
    vd_recorder *recorder = context;
    void *pointer;
    while (vd_queue_take(recorder->queue, INT64_MAX, &pointer) == VD_OK) {
        struct item *item = pointer;
        vd_error error = {0};
        if (write_item(recorder, item, &error) == VD_OK) {
            note_written(recorder, item);
        } else {
            fail(recorder, &error);
            vd_queue_close_take(recorder->queue); /* the writer learns it at its next frame */
        }
        free_item(item);
    }
    close_encoder(recorder);
    vd_mutex_lock(&recorder->lock);
    if (recorder->status.state == VD_RECORDER_RUNNING)
        recorder->status.state = VD_RECORDER_DONE;
    vd_mutex_unlock(&recorder->lock);
}

static int validate(const vd_recorder_options *options, vd_error *error)
{
    if (options->quality < 10 || options->quality > 40)
        return vd_error_set(error, VD_EINVAL, "recording.quality",
                            "The quality is %d; it must be 10 (best) to 40.", options->quality);
    if (options->queue_size < 2 || options->queue_size > 256)
        return vd_error_set(error, VD_EINVAL, "queue_size",
                            "The recorder's queue is %d; it must be 2 to 256 frames.", options->queue_size);
    return VD_OK;
}

int vd_recorder_start(const vd_recorder_options *options, vd_recorder **ret_recorder, vd_error *error)
{
    int code = validate(options, error);
    if (code)
        return code;
    vd_recorder *recorder = calloc(1, sizeof *recorder);
    if (!recorder)
        goto no_memory;
    if (options->path)
        vd_text_copy(recorder->path, sizeof recorder->path, options->path);
    else
        vd_recording_path(options->folder, options->camera, recorder->path, sizeof recorder->path);
    vd_text_copy(recorder->status.path, sizeof recorder->status.path, recorder->path);
    recorder->frames_per_s = options->frames_per_s;
    recorder->quality = options->quality;
    if (vd_mutex_init(&recorder->lock, VD_RANK_RECORDER))
        goto no_lock;
    if (vd_queue_new((size_t)options->queue_size, options->lossless ? VD_QUEUE_BLOCK : VD_QUEUE_DROP_OLDEST,
                     free_item, &recorder->queue))
        goto no_queue;
    if (vd_thread_start(&recorder->thread, "vd-recorder", write_all, recorder))
        goto no_thread;
    *ret_recorder = recorder;
    return VD_OK;
no_thread:
    vd_queue_free(&recorder->queue);
no_queue:
    vd_mutex_fini(&recorder->lock);
no_lock:
    free(recorder);
no_memory:
    return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to start a recording.");
}

int vd_recorder_write(vd_recorder *recorder, vd_frame *frame, const vd_drawing *drawing, int64_t time_ns)
{
    size_t count = drawing ? drawing->count : 0;
    struct item *item = malloc(sizeof *item + count * sizeof item->boxes[0]);
    if (!item)
        return VD_ENOMEM;
    *item = (struct item){.frame = vd_frame_ref(frame), .time_ns = time_ns};
    if (count > 0) {
        item->drawing = *drawing;
        memcpy(item->boxes, drawing->boxes, count * sizeof item->boxes[0]);
        item->drawing.boxes = item->boxes;
    }
    int code = vd_queue_push(recorder->queue, item, INT64_MAX);
    if (code)
        free_item(item);
    return code;
}

void vd_recorder_finish(vd_recorder *recorder)
{
    vd_queue_close_push(recorder->queue);
}

vd_recorder_status vd_recorder_get_status(vd_recorder *recorder)
{
    vd_queue_counts counts = vd_queue_get_counts(recorder->queue);
    vd_mutex_lock(&recorder->lock);
    vd_recorder_status status = recorder->status;
    vd_mutex_unlock(&recorder->lock);
    status.dropped = counts.dropped;
    return status;
}

void vd_recorder_wait(vd_recorder *recorder)
{
    vd_recorder_finish(recorder);
    vd_thread_join(&recorder->thread);
}

void vd_recorder_free(vd_recorder **pointer)
{
    vd_recorder *recorder = *pointer;
    *pointer = NULL;
    if (!recorder)
        return;
    vd_recorder_wait(recorder);
    vd_queue_free(&recorder->queue);
    vd_mutex_fini(&recorder->lock);
    free(recorder);
}
