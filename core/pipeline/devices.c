#include "vedette/app/devices.h"

#include <string.h>

#include "base/text.h"
#include "engine/device.h"
#include "engine/engine.h"
#include "media/av_devices.h"

static void list_cameras(vd_device_list *list)
{
    vd_av_camera cameras[VD_DEVICES_ROOM];
    list->camera_count = (int)vd_av_list_cameras(cameras, VD_DEVICES_ROOM);
    for (int i = 0; i < list->camera_count; i++) {
        vd_text_copy(list->cameras[i].path, sizeof list->cameras[i].path, cameras[i].path);
        vd_text_copy(list->cameras[i].name, sizeof list->cameras[i].name, cameras[i].name);
        list->cameras[i].may_not_open = cameras[i].may_not_open;
    }
}

static void list_devices(vd_device_list *list)
{
    static const char *const names[VD_NET_DEVICE_END] = {"cpu", "opencl", "cuda", "openvino"};
    for (int i = 0; i < VD_NET_DEVICE_END; i++) {
        vd_text_copy(list->devices[i].name, sizeof list->devices[i].name, names[i]);
        list->devices[i].available = vd_engine_has_device((vd_net_device)i);
    }
    list->device_count = VD_NET_DEVICE_END;
}

static int list_backends(vd_device_list *list, vd_error *error)
{
    vd_engine_target targets[VD_DEVICES_ROOM];
    size_t count = 0;
    int code = vd_engine_list_targets(targets, VD_DEVICES_ROOM, &count, error);
    for (size_t i = 0; code == VD_OK && i < count; i++) {
        vd_text_copy(list->backends[i].backend, sizeof list->backends[i].backend, targets[i].backend);
        vd_text_copy(list->backends[i].target, sizeof list->backends[i].target, targets[i].target);
    }
    list->backend_count = (int)count;
    return code;
}

static void list_decoders(vd_device_list *list)
{
    vd_av_hardware hardware[VD_DEVICES_ROOM];
    list->decoder_count = (int)vd_av_list_hardware(hardware, VD_DEVICES_ROOM);
    for (int i = 0; i < list->decoder_count; i++) {
        vd_text_copy(list->decoders[i].name, sizeof list->decoders[i].name, hardware[i].name);
        list->decoders[i].works = hardware[i].works;
    }
}

int vd_devices_list(vd_device_list *ret_list, vd_error *error)
{
    vd_device_list list;
    memset(&list, 0, sizeof list);
    int code = list_backends(&list, error);
    if (code != VD_OK)
        return code;
    list_cameras(&list);
    list_devices(&list);
    list_decoders(&list);
    const char *onednn = vd_engine_onednn_version();
    vd_text_copy(list.opencv, sizeof list.opencv, vd_engine_opencv_version());
    vd_text_copy(list.onednn, sizeof list.onednn, onednn ? onednn : "");
    list.has_bf16 = vd_engine_has(VD_PRECISION_BF16);
    *ret_list = list;
    return VD_OK;
}
