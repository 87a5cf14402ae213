#include "media/av_devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libavutil/hwcontext.h>
#include <linux/videodev2.h>

#include "base/text.h"
#include "media/av_source.h"

static int is_video(const struct dirent *entry)
{
    const char *digits = entry->d_name + 5;
    size_t length = strncmp(entry->d_name, "video", 5) == 0 ? strlen(digits) : 0;
    return length > 0 && length <= 6 && strspn(digits, "0123456789") == length;
}

/* False for what is no camera. */
static bool ask_camera(vd_av_camera *camera)
{
    struct v4l2_capability found = {0};
    const uint32_t capture = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE;
    int fd = open(camera->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        camera->may_not_open = errno == EACCES || errno == EPERM;
        return camera->may_not_open || errno == EBUSY;
    }
    bool answers = ioctl(fd, VIDIOC_QUERYCAP, &found) == 0;
    close(fd);
    uint32_t can = found.capabilities & V4L2_CAP_DEVICE_CAPS ? found.device_caps : found.capabilities;
    vd_text_clean(camera->name, sizeof camera->name, (const char *)found.card,
                  strnlen((const char *)found.card, sizeof found.card));
    return answers && (can & capture) != 0;
}

size_t vd_av_list_cameras(vd_av_camera *ret_cameras, size_t room)
{
    struct dirent **entries = NULL;
    size_t used = 0;
    int count = scandir("/dev", &entries, is_video, versionsort);
    for (int i = 0; i < count; i++) {
        vd_av_camera camera = {0};
        vd_text_copy(camera.path, sizeof camera.path, "/dev/");
        vd_text_copy(camera.path + 5, sizeof camera.path - 5, entries[i]->d_name);
        if (used < room && ask_camera(&camera))
            ret_cameras[used++] = camera;
        free(entries[i]);
    }
    free(entries);
    return used;
}

size_t vd_av_list_hardware(vd_av_hardware *ret_hardware, size_t room)
{
    size_t used = 0;
    enum AVHWDeviceType type = AV_HWDEVICE_TYPE_NONE;
    vd_av_init();
    while (used < room && (type = av_hwdevice_iterate_types(type)) != AV_HWDEVICE_TYPE_NONE) {
        AVBufferRef *device = NULL;
        vd_av_hardware *hardware = &ret_hardware[used++];
        vd_text_copy(hardware->name, sizeof hardware->name, av_hwdevice_get_type_name(type));
        hardware->works = av_hwdevice_ctx_create(&device, type, NULL, NULL, 0) >= 0;
        av_buffer_unref(&device);
    }
    return used;
}
