/* What this machine has: cameras, what OpenCV can compute with, what decodes video in hardware. */
#ifndef VEDETTE_APP_DEVICES_H
#define VEDETTE_APP_DEVICES_H

#include <stdbool.h>

#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VD_DEVICES_ROOM = 32 };

typedef struct vd_device_list {
    struct {
        char path[32];     /* "/dev/video0": an address for vd_source_open */
        char name[64];     /* as its driver calls it */
        bool may_not_open; /* the user lacks the right */
    } cameras[VD_DEVICES_ROOM];
    int camera_count;
    struct {
        char name[16];  /* for vd_detector_options.device: "cpu", "opencl", … */
        bool available; /* OpenCV offers it; whether it works shows when a detector starts */
    } devices[VD_DEVICES_ROOM];
    int device_count;
    struct {
        char backend[24], target[24]; /* "OpenCV", "CPU" */
    } backends[VD_DEVICES_ROOM];
    int backend_count;
    struct {
        char name[24]; /* "vaapi", "cuda", … */
        bool works;    /* it could be opened */
    } decoders[VD_DEVICES_ROOM];
    int decoder_count;
    char opencv[32]; /* "4.6.0" */
    char onednn[32]; /* "oneDNN 2.6.3"; empty where the program was built without it */
    bool has_bf16;   /* the processor has what the precision bf16 needs */
} vd_device_list;

/* Fills the list; takes up to seconds, for drivers are loaded and tried. VD_OK, or what OpenCV's list failed
 * with. Any thread. */
int vd_devices_list(vd_device_list *ret_list, vd_error *error);

#ifdef __cplusplus
}
#endif
#endif
