#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_serve.h"
#include "cli.h"
#include "vedette/app/still.h"
#include "vedette/run.h"

struct making {
    bench_serve_pictures *pictures;
    char path[PATH_MAX]; /* of the picture that is written */
};

static int read_file(const char *path, uint8_t **ret_bytes, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (file)
        rewind(file);
    bool fine = bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size;
    if (file)
        fclose(file);
    if (!fine) {
        free(bytes);
        return VD_EIO;
    }
    *ret_bytes = bytes;
    *ret_size = (size_t)size;
    return VD_OK;
}

static int keep_picture(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                        const vd_error *error)
{
    struct making *making = context;
    bench_serve_pictures *pictures = making->pictures;
    vd_error why = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    (void)info;
    (void)result;
    (void)error;
    if (pictures->count == BENCH_SERVE_PICTURES)
        return VD_OK;
    int code = vd_still_write(making->path, frame, NULL, &why);
    if (code == VD_OK)
        code = read_file(making->path, &bytes, &size);
    if (code != VD_OK)
        return code;
    if (!pictures->first)
        pictures->first = vd_frame_ref(frame);
    pictures->wire[pictures->count].message =
        bench_socket_wrap(bytes, size, &pictures->wire[pictures->count].size);
    free(bytes);
    if (!pictures->wire[pictures->count].message)
        return VD_ENOMEM;
    pictures->bytes += size;
    pictures->count++;
    return VD_OK;
}

int bench_serve_make_pictures(bench_job *job, bench_serve_pictures *ret_pictures)
{
    struct making making = {.pictures = ret_pictures};
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    vd_run_summary summary;
    vd_error error = {0};
    int status = bench_need_folder(job);
    if (status != CLI_DONE)
        return status;
    snprintf(making.path, sizeof making.path, "%s/picture.jpg", job->folder);
    options.address = "demo:size=640x480,fps=10,pace=free";
    options.max_frames = BENCH_SERVE_PICTURES;
    options.cancel = cli_cancel();
    int code = vd_run(&options, keep_picture, &making, &summary, &error);
    unlink(making.path);
    if (code == VD_OK && ret_pictures->count > 0)
        return CLI_DONE;
    if (!error.text[0])
        vd_error_set(&error, code ? code : VD_EIO, NULL, "The pictures could not be written in %s.",
                     job->folder);
    return bench_failed(code, &error);
}

void bench_serve_clear_pictures(bench_serve_pictures *pictures)
{
    for (int i = 0; i < pictures->count; i++)
        free(pictures->wire[i].message);
    vd_frame_unref(&pictures->first);
    pictures->count = 0;
}
