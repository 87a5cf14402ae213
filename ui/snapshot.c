#include "ui/snapshot.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "ui/handover.h"
#include "ui/words.h"
#include "vedette/app/encoder.h"
#include "vedette/frame.h"

typedef struct snapshot {
    vd_store *store;
    struct vd_frame *picture; /* owns `image` */
    vd_image image;
    int width, height;
    vd_draw_box boxes[VD_MAX_DETECTIONS];
    size_t box_count;
    char *path;
    vd_error error;
} snapshot;

static void snapshot_free(gpointer data)
{
    snapshot *shot = data;
    vd_frame_unref(&shot->picture);
    g_free(shot->path);
    g_free(shot);
}

static char *make_path(const char *name)
{
    const char *pictures = g_get_user_special_dir(G_USER_DIRECTORY_PICTURES);
    char *home = g_build_filename(g_get_home_dir(), "Pictures", NULL);
    GDateTime *now = g_date_time_new_now_local();
    char *when = g_date_time_format(now, "%Y-%m-%d %H.%M.%S");
    char stem[128];
    vd_words_file_name(stem, sizeof stem, name);
    char *file = g_strdup_printf("%s %s.%03d.png", stem, when, g_date_time_get_microsecond(now) / 1000);
    char *path = g_build_filename(pictures ? pictures : home, "Vedette", file, NULL);
    g_date_time_unref(now);
    g_free(when);
    g_free(file);
    g_free(home);
    return path;
}

static int make_folder(const char *path, vd_error *error)
{
    char *folder = g_path_get_dirname(path);
    int code = VD_OK;
    if (g_mkdir_with_parents(folder, 0755) < 0)
        code = vd_error_set(error, VD_EIO, folder, "The folder for pictures cannot be made: %s.",
                            g_strerror(errno));
    g_free(folder);
    return code;
}

/* The picture is shared and immutable: boxes are drawn on a copy. */
static int write_copy(snapshot *shot, vd_error *error)
{
    vd_image copy = shot->image;
    vd_drawing drawing = {shot->width, shot->height, shot->boxes, shot->box_count};
    vd_painter *painter = NULL;
    size_t row = (size_t)copy.width * 4;
    uint8_t *pixels = g_try_malloc(row * (size_t)copy.height);
    int code = pixels ? vd_painter_new(&painter) : VD_ENOMEM;
    if (code == VD_OK) {
        for (int y = 0; y < copy.height; y++)
            memcpy(pixels + row * (size_t)y,
                   shot->image.planes[0] + (size_t)y * (size_t)shot->image.strides[0], row);
        copy.planes[0] = pixels;
        copy.strides[0] = (int)row;
        code = vd_painter_draw_image(painter, &copy, &drawing);
    }
    if (code != VD_OK)
        vd_error_set(error, code, shot->path, "The picture cannot be drawn: memory is used up.");
    else
        code = vd_image_write(shot->path, &copy, error);
    vd_painter_free(&painter);
    g_free(pixels);
    return code;
}

static void work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    snapshot *shot = data;
    (void)source, (void)cancellable;
    VD_TAKE_OVER(shot);
    int code = make_folder(shot->path, &shot->error);
    if (code == VD_OK)
        code = write_copy(shot, &shot->error);
    VD_HAND_OVER(shot);
    g_task_return_boolean(task, code == VD_OK);
}

static void done(GObject *owner, GAsyncResult *result, gpointer data)
{
    snapshot *shot = g_task_get_task_data(G_TASK(result));
    vd_notice notice = {.kind = VD_NOTICE_INFO, .action = VD_ACTION_FOLDER};
    (void)owner, (void)data;
    VD_TAKE_OVER(shot);
    if (!g_task_propagate_boolean(G_TASK(result), NULL)) {
        vd_store_show_error(shot->store, &shot->error);
        return;
    }
    char *base = g_filename_display_basename(shot->path);
    g_snprintf(notice.text, sizeof notice.text, "Saved the picture as %s", base);
    g_strlcpy(notice.path, shot->path, sizeof notice.path);
    g_free(base);
    vd_store_show_notice(shot->store, &notice);
}

void vd_snapshot_take(gpointer owner, vd_store *store)
{
    const vd_view *view = vd_store_get_view(store);
    if (!view)
        return;
    snapshot *shot = g_new0(snapshot, 1);
    shot->store = store;
    shot->picture = vd_frame_ref(view->picture);
    shot->image = view->image;
    shot->width = view->width;
    shot->height = view->height;
    shot->box_count = vd_store_get_boxes(store, shot->boxes, G_N_ELEMENTS(shot->boxes));
    shot->path = make_path(vd_store_get_name(store));
    GTask *task = g_task_new(owner, NULL, done, NULL);
    g_task_set_task_data(task, shot, snapshot_free);
    VD_HAND_OVER(shot);
    g_task_run_in_thread(task, work);
    g_object_unref(task);
}
