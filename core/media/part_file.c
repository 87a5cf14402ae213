#include "media/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* Makes the folders above `path`. */
static int make_folders(const char *path, vd_error *error)
{
    char *copy = vd_text_dup(path);
    if (!copy)
        return vd_error_set(error, VD_ENOMEM, path, "There is not enough memory to write '%s'.", path);
    int code = VD_OK;
    for (char *slash = strchr(copy + 1, '/'); slash && code == VD_OK; slash = strchr(slash + 1, '/')) {
        struct stat status;
        *slash = '\0';
        if (stat(copy, &status) != 0 && mkdir(copy, 0777) != 0 && errno != EEXIST)
            code = vd_error_set(error, VD_EIO, path, "The folder '%s' cannot be made: %s.", copy,
                                strerror(errno));
        *slash = '/';
    }
    free(copy);
    return code;
}

int vd_part_file_create(vd_part_file *file, const char *path, vd_error *error)
{
    *file = (vd_part_file){.descriptor = -1, .path = vd_text_dup(path)};
    if (asprintf(&file->part_path, "%s.part", path) < 0)
        file->part_path = NULL;
    if (!file->path || !file->part_path)
        return vd_error_set(error, VD_ENOMEM, path, "There is not enough memory to write '%s'.", path);
    int code = make_folders(path, error);
    if (code)
        return code;
    struct stat status;
    if (lstat(path, &status) == 0)
        return vd_error_set(error, VD_EIO, path,
                            "'%s' exists already and is not overwritten; choose another name.", path);
    file->descriptor = open(file->part_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->descriptor < 0 && errno == EEXIST)
        return vd_error_set(error, VD_EIO, path,
                            "'%s' exists already: a recording of this name is under way or was cut off.",
                            file->part_path);
    if (file->descriptor < 0)
        return vd_error_set(error, VD_EIO, path, "'%s' cannot be written: %s.", path, strerror(errno));
    return VD_OK;
}

int vd_part_file_write(vd_part_file *file, const uint8_t *bytes, int count)
{
    for (int done = 0; done < count && file->failed_errno == 0;) {
        ssize_t put = write(file->descriptor, bytes + done, (size_t)(count - done));
        if (put > 0) {
            done += (int)put;
            file->size += put;
        } else if (put == 0 || errno != EINTR) {
            file->failed_errno = put == 0 ? ENOSPC : errno;
        }
    }
    return file->failed_errno;
}

static int take_name(vd_part_file *file)
{
    if (renameat2(AT_FDCWD, file->part_path, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    /* File systems that cannot promise it: a second link fails where the name is taken. */
    if (link(file->part_path, file->path) == 0) {
        unlink(file->part_path);
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return errno;
    if (access(file->path, F_OK) == 0)
        return EEXIST;
    return rename(file->part_path, file->path) == 0 ? 0 : errno;
}

int vd_part_file_settle(vd_part_file *file)
{
    file->good_size = file->size;
    sync_file_range(file->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE); /* does not wait for the disk */
    if (file->named)
        return 0;
    int failure = take_name(file);
    if (failure == 0)
        file->named = true;
    else if (file->failed_errno == 0)
        file->failed_errno = failure;
    return failure;
}

int vd_part_file_close(vd_part_file *file, bool whole)
{
    int failure = 0;
    if (file->descriptor >= 0) {
        if (!whole && !file->named)
            unlink(file->part_path);
        else if (!whole && ftruncate(file->descriptor, file->good_size) != 0)
            failure = errno;
        if (close(file->descriptor) != 0 && failure == 0)
            failure = errno;
    }
    free(file->path);
    free(file->part_path);
    *file = (vd_part_file){.descriptor = -1};
    return failure;
}
