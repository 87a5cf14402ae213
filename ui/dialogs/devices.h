/* Cameras plugged into this machine, read from /dev and /sys without opening them. */
#ifndef VD_UI_DIALOGS_DEVICES_H
#define VD_UI_DIALOGS_DEVICES_H

#include <glib.h>

typedef struct vd_device {
    char *path; /* `/dev/video0` */
    char *name; /* as the driver calls it, or the path */
} vd_device;

/* The caller unrefs the array of vd_device *; empty where there are none. */
GPtrArray *vd_devices_list(void);

#endif
