#include "ui/dialogs/devices.h"

#include <stdlib.h>
#include <string.h>

static void device_free(gpointer data)
{
    vd_device *device = data;
    g_free(device->path);
    g_free(device->name);
    g_free(device);
}

static char *read_sys(const char *node, const char *file)
{
    char *path = g_build_filename("/sys/class/video4linux", node, file, NULL), *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    g_free(path);
    return text ? g_strstrip(text) : NULL;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const vd_device *const *da = a, *const *db = b;
    return atoi((*da)->path + strlen("/dev/video")) - atoi((*db)->path + strlen("/dev/video"));
}

GPtrArray *vd_devices_list(void)
{
    GPtrArray *devices = g_ptr_array_new_with_free_func(device_free);
    GDir *dir = g_dir_open("/dev", 0, NULL);
    for (const char *node; dir && (node = g_dir_read_name(dir));) {
        if (!g_str_has_prefix(node, "video") || !g_ascii_isdigit(node[strlen("video")]))
            continue;
        /* A camera's further nodes carry metadata, not pictures. */
        char *index = read_sys(node, "index"), *name = read_sys(node, "name");
        if (!index || !strcmp(index, "0")) {
            vd_device *device = g_new0(vd_device, 1);
            device->path = g_build_filename("/dev", node, NULL);
            device->name =
                name && *name && g_utf8_validate(name, -1, NULL) ? g_strdup(name) : g_strdup(device->path);
            g_ptr_array_add(devices, device);
        }
        g_free(index);
        g_free(name);
    }
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(devices, by_number);
    return devices;
}
