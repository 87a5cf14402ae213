/* A camera at /dev/video0 where there is none: a library for LD_PRELOAD that answers the V4L2 calls of
 * libavdevice.
 *
 * The descriptor is a timer that fires 25 times a second, the buffers lie in a memory file. The picture is a
 * light square on a dark ground that moves by 4 pixels a frame. From the environment:
 *
 * V4L2_DOUBLE_DEVICE   which device it is, default /dev/video0
 * V4L2_DOUBLE_MODE     normal (default), silent (never a picture), busy (cannot be opened)
 * V4L2_DOUBLE_FRAMES   after so many pictures it is unplugged
 * V4L2_DOUBLE_SIZE     WIDTHxHEIGHT, both even, default 640x360 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 8, SIDE = 80 };

/* One camera a process; its calls come from one thread. */
static struct {
    int timer, memory;
    int width, height;
    size_t buffer_size; /* whole pages */
    unsigned buffers;
    unsigned queue[BUFFERS]; /* waiting to be filled, oldest first */
    unsigned queued;
    unsigned sequence;
    uint8_t *map;
} camera = {.timer = -1, .memory = -1};

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static int mode_is(const char *name)
{
    return strcmp(setting("V4L2_DOUBLE_MODE", "normal"), name) == 0;
}

static int is_device(const char *path)
{
    return strcmp(path, setting("V4L2_DOUBLE_DEVICE", "/dev/video0")) == 0;
}

static size_t picture_size(void)
{
    return (size_t)camera.width * (size_t)camera.height * 2;
}

static int open_camera(int flags)
{
    if (mode_is("busy")) {
        errno = EBUSY;
        return -1;
    }
    if (sscanf(setting("V4L2_DOUBLE_SIZE", "640x360"), "%dx%d", &camera.width, &camera.height) != 2)
        camera.width = 640, camera.height = 360;
    long page = sysconf(_SC_PAGESIZE);
    camera.buffer_size = (picture_size() + (size_t)page - 1) / (size_t)page * (size_t)page;
    camera.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | (flags & O_NONBLOCK ? TFD_NONBLOCK : 0));
    camera.queued = camera.sequence = camera.buffers = 0;
    return camera.timer;
}

static void fill_format(struct v4l2_format *format)
{
    struct v4l2_pix_format *pixels = &format->fmt.pix;
    *pixels = (struct v4l2_pix_format){.width = (uint32_t)camera.width,
                                       .height = (uint32_t)camera.height,
                                       .pixelformat = V4L2_PIX_FMT_YUYV,
                                       .field = V4L2_FIELD_NONE,
                                       .bytesperline = (uint32_t)camera.width * 2,
                                       .sizeimage = (uint32_t)picture_size(),
                                       .colorspace = V4L2_COLORSPACE_SRGB};
}

static int make_buffers(struct v4l2_requestbuffers *request)
{
    if (request->memory != V4L2_MEMORY_MMAP) {
        errno = EINVAL;
        return -1;
    }
    camera.queued = 0;
    camera.buffers = request->count = request->count > BUFFERS ? BUFFERS : request->count;
    if (request->count == 0 || camera.map)
        return 0;
    camera.memory = memfd_create("v4l2-double", MFD_CLOEXEC);
    size_t size = camera.buffer_size * BUFFERS;
    if (camera.memory < 0 || ftruncate(camera.memory, (off_t)size) != 0)
        return -1;
    camera.map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, camera.memory, 0);
    if (camera.map != MAP_FAILED)
        return 0;
    camera.map = NULL;
    return -1;
}

static void paint(uint8_t *picture)
{
    int range = camera.width - SIDE > 0 ? camera.width - SIDE : 1;
    int left = (int)(camera.sequence * 4 % (unsigned)range), top = (camera.height - SIDE) / 2;
    for (int y = 0; y < camera.height; y++) {
        for (int x = 0; x < camera.width; x++) {
            int inside = x >= left && x < left + SIDE && y >= top && y < top + SIDE;
            uint8_t *sample = picture + ((size_t)y * (size_t)camera.width + (size_t)x) * 2;
            sample[0] = inside ? 220 : 50;
            sample[1] = 128;
        }
    }
}

static int start_timer(int on)
{
    long period_ns = on ? 40000000 : 0;
    struct itimerspec spec = {.it_interval.tv_nsec = period_ns, .it_value.tv_nsec = period_ns};
    return timerfd_settime(camera.timer, 0, &spec, NULL);
}

static int take_buffer(struct v4l2_buffer *buffer)
{
    uint64_t fired;
    long limit = strtol(setting("V4L2_DOUBLE_FRAMES", "-1"), NULL, 10);
    if (limit >= 0 && (long)camera.sequence >= limit) {
        errno = ENODEV;
        return -1;
    }
    if (read(camera.timer, &fired, sizeof fired) != (ssize_t)sizeof fired)
        return -1; /* EAGAIN where the camera may not block */
    camera.sequence += (unsigned)fired;
    if (camera.queued == 0) {
        errno = EAGAIN;
        return -1;
    }
    unsigned index = camera.queue[0];
    memmove(camera.queue, camera.queue + 1, --camera.queued * sizeof *camera.queue);
    paint(camera.map + index * camera.buffer_size);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    buffer->index = index;
    buffer->bytesused = (uint32_t)picture_size();
    buffer->length = (uint32_t)picture_size();
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer->sequence = camera.sequence;
    buffer->timestamp.tv_sec = now.tv_sec;
    buffer->timestamp.tv_usec = now.tv_nsec / 1000;
    return 0;
}

static int put_buffer(const struct v4l2_buffer *buffer)
{
    if (buffer->index >= camera.buffers || camera.queued >= BUFFERS) {
        errno = EINVAL;
        return -1;
    }
    camera.queue[camera.queued++] = buffer->index;
    return 0;
}

static int describe_buffer(struct v4l2_buffer *buffer)
{
    if (buffer->index >= camera.buffers) {
        errno = EINVAL;
        return -1;
    }
    buffer->length = (uint32_t)picture_size();
    buffer->m.offset = (uint32_t)(buffer->index * camera.buffer_size);
    return 0;
}

/* Only the first of a list exists. */
static int only_first(uint32_t index)
{
    if (index == 0)
        return 0;
    errno = EINVAL;
    return -1;
}

static int describe_format(struct v4l2_fmtdesc *format)
{
    format->pixelformat = V4L2_PIX_FMT_YUYV;
    snprintf((char *)format->description, sizeof format->description, "YUYV 4:2:2");
    return only_first(format->index);
}

static int describe_camera(struct v4l2_capability *capability)
{
    *capability = (struct v4l2_capability){.driver = "double",
                                           .card = "Camera double",
                                           .bus_info = "double",
                                           .capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING |
                                                           V4L2_CAP_DEVICE_CAPS,
                                           .device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING};
    return 0;
}

static int describe_rate(struct v4l2_streamparm *parameters)
{
    struct v4l2_captureparm *capture = &parameters->parm.capture;
    capture->capability = V4L2_CAP_TIMEPERFRAME;
    capture->timeperframe = (struct v4l2_fract){1, 25};
    return 0;
}

static int answer(unsigned long request, void *argument)
{
    switch (request) {
    case VIDIOC_QUERYCAP:
        return describe_camera(argument);
    case VIDIOC_ENUM_FMT:
        return describe_format(argument);
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT:
        fill_format(argument);
        return 0;
    case VIDIOC_ENUMINPUT:
        return only_first(((struct v4l2_input *)argument)->index);
    case VIDIOC_G_INPUT:
        *(int *)argument = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        return describe_rate(argument);
    case VIDIOC_REQBUFS:
        return make_buffers(argument);
    case VIDIOC_QUERYBUF:
        return describe_buffer(argument);
    case VIDIOC_QBUF:
        return put_buffer(argument);
    case VIDIOC_DQBUF:
        return take_buffer(argument);
    case VIDIOC_STREAMON:
        return start_timer(!mode_is("silent"));
    case VIDIOC_STREAMOFF:
        return start_timer(0);
    default:
        errno = ENOTTY;
        return -1;
    }
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

#define EXPORT __attribute__((visibility("default")))

EXPORT int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return is_device(path) ? open_camera(flags) : NEXT(open)(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return is_device(path) ? open_camera(flags) : NEXT(open64)(path, flags, mode);
}

EXPORT int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (descriptor < 0 || descriptor != camera.timer)
        return NEXT(ioctl)(descriptor, request, argument);
    return answer(request, argument);
}

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    int buffer = descriptor >= 0 && descriptor == camera.timer;
    return NEXT(mmap)(address, length, protection, flags, buffer ? camera.memory : descriptor, offset);
}

EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset)
{
    int buffer = descriptor >= 0 && descriptor == camera.timer;
    return NEXT(mmap64)(address, length, protection, flags, buffer ? camera.memory : descriptor, offset);
}

EXPORT int close(int descriptor)
{
    if (descriptor >= 0 && descriptor == camera.timer)
        camera.timer = -1;
    return NEXT(close)(descriptor);
}
