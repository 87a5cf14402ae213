#include "vedette/app/detector_frame.h"

#include "frame/frame.h"

static void release_frame(void *context)
{
    vd_frame *frame = context;
    vd_frame_unref(&frame);
}

static vd_input input_of(vd_frame *frame, vd_priority priority)
{
    return (vd_input){.image = frame->image,
                      .release = release_frame,
                      .context = vd_frame_ref(frame),
                      .priority = priority,
                      .frame_index = frame->index,
                      .time_s = frame->time_s};
}

int vd_detector_submit_frame(vd_detector *detector, vd_frame *frame, vd_priority priority,
                             vd_future **ret_future)
{
    vd_input input = input_of(frame, priority);
    int code = vd_detector_submit(detector, &input, ret_future, NULL);
    if (code)
        release_frame(input.context);
    return code;
}

int vd_detector_submit_frames(vd_detector *detector, vd_frame *const *frames, size_t count,
                              vd_priority priority, vd_future **ret_future)
{
    vd_input inputs[VD_MAX_FRAME_BATCH];
    if (count < 1 || count > VD_MAX_FRAME_BATCH)
        return VD_EINVAL;
    for (size_t i = 0; i < count; i++)
        inputs[i] = input_of(frames[i], priority);
    int code = vd_detector_submit_batch(detector, inputs, count, (int)count, ret_future, NULL);
    for (size_t i = 0; code && i < count; i++)
        release_frame(inputs[i].context);
    return code;
}
