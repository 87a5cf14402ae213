/* The file with the tokens: ours alone, read once, made when it is missing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "serve/access_state.h"
#include "serve/random.h"

enum { FILE_MOST = 65536, MADE_DIGITS = 64 };

static int refuse_io(vd_error *error, const char *path, const char *what)
{
    return vd_error_set(error, VD_EINVAL, path, "The token file %s %s: %s.", path, what, strerror(errno));
}

/* --- Making one */

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static bool write_new(int file)
{
    static const char head[] = "# Whoever has this token may use the streaming interface of Vedette.\n";
    char line[MADE_DIGITS + 2];
    if (!vd_random_hex(line, MADE_DIGITS))
        return false;
    memcpy(line + MADE_DIGITS, "\n", 2);
    bool written =
        write_all(file, head, sizeof head - 1) && write_all(file, line, MADE_DIGITS + 1) && fsync(file) == 0;
    explicit_bzero(line, sizeof line);
    return written;
}

/* Whole before it has its name, and never in place of another: of two that make it at once one wins, and both
 * read the winner's. */
static int make_file(const char *path, vd_error *error)
{
    char draft[sizeof((vd_tokens *)0)->path + 16];
    snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    int file = mkostemp(draft, O_CLOEXEC); /* O_EXCL, mode 0600 */
    if (file < 0)
        return refuse_io(error, path, "cannot be made");
    bool made = write_new(file) && (link(draft, path) == 0 || errno == EEXIST);
    int code = made ? VD_OK : refuse_io(error, path, "cannot be made");
    unlink(draft);
    close(file);
    return code;
}

/* --- Reading it */

static int check_file(int file, const char *path, vd_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return refuse_io(error, path, "cannot be read");
    if (!S_ISREG(about.st_mode))
        return vd_error_set(error, VD_EINVAL, path, "The token file %s is no file.", path);
    if (about.st_uid != geteuid())
        return vd_error_set(error, VD_EINVAL, path,
                            "The token file %s belongs to another user; it must be yours.", path);
    if (about.st_mode & 077)
        return vd_error_set(error, VD_EINVAL, path,
                            "The token file %s can be used by others; keep it to yourself: chmod 600.", path);
    if (about.st_size > FILE_MOST)
        return vd_error_set(error, VD_EINVAL, path, "The token file %s has more than %d bytes.", path,
                            FILE_MOST);
    return VD_OK;
}

/* As many bytes as there are, and a zero behind them. */
static int read_bytes(int file, const char *path, char *bytes, vd_error *error)
{
    size_t size = 0;
    while (size <= FILE_MOST) {
        ssize_t got = read(file, bytes + size, FILE_MOST + 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refuse_io(error, path, "cannot be read");
        if (got == 0)
            break;
        size += (size_t)got;
    }
    if (size > FILE_MOST || memchr(bytes, '\0', size))
        return vd_error_set(error, VD_EINVAL, path, "The token file %s is no text of at most %d bytes.", path,
                            FILE_MOST);
    bytes[size] = '\0';
    return VD_OK;
}

static int read_line(char *line, int number, vd_tokens *tokens, vd_error *error)
{
    line += strspn(line, " \t");
    size_t length = strcspn(line, "\r");
    while (length > 0 && strchr(" \t", line[length - 1]))
        length--;
    line[length] = '\0';
    if (length == 0 || line[0] == '#')
        return VD_OK;
    bool plain = true;
    for (size_t i = 0; i < length; i++)
        plain = plain && line[i] > ' ' && line[i] < 0x7f;
    if (length < VD_TOKEN_LEAST || length >= VD_TOKEN_BYTES || !plain)
        return vd_error_set(
            error, VD_EINVAL, tokens->path,
            "The token file %s, line %d: a token has %d to %d plain characters without blanks.", tokens->path,
            number, VD_TOKEN_LEAST, VD_TOKEN_BYTES - 1);
    if (tokens->count == VD_TOKENS)
        return vd_error_set(error, VD_EINVAL, tokens->path, "The token file %s has more than %d tokens.",
                            tokens->path, VD_TOKENS);
    memcpy(tokens->list[tokens->count++].bytes, line, length);
    return VD_OK;
}

static int read_lines(char *bytes, vd_tokens *tokens, vd_error *error)
{
    int code = VD_OK, number = 0;
    for (char *line = bytes, *next; line && code == VD_OK; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        code = read_line(line, ++number, tokens, error);
    }
    if (code == VD_OK && tokens->count == 0)
        code = vd_error_set(error, VD_EINVAL, tokens->path, "The token file %s has no token in it.",
                            tokens->path);
    return code;
}

static int read_file(int file, vd_tokens *tokens, vd_error *error)
{
    char *bytes = malloc(FILE_MOST + 1);
    tokens->list = calloc(VD_TOKENS, sizeof *tokens->list);
    int code = VD_OK;
    if (!bytes || !tokens->list)
        code = vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the tokens.");
    if (code == VD_OK)
        code = check_file(file, tokens->path, error);
    if (code == VD_OK)
        code = read_bytes(file, tokens->path, bytes, error);
    if (code == VD_OK)
        code = read_lines(bytes, tokens, error);
    if (bytes)
        explicit_bzero(bytes, FILE_MOST + 1);
    free(bytes);
    if (code && tokens->list) {
        explicit_bzero(tokens->list, VD_TOKENS * sizeof *tokens->list);
        free(tokens->list);
    }
    return code;
}

/* Links are not followed, pipes not waited for. */
static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* The folder beside which vedette.conf stands, made as it would be for that. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* what fails shows when the file is made */
        *slash = '/';
    }
}

static void choose_path(const char *path, vd_tokens *tokens)
{
    char settings[sizeof tokens->path];
    if (path[0] != '\0') {
        vd_text_copy(tokens->path, sizeof tokens->path, path);
        return;
    }
    vd_settings_default_path(settings, sizeof settings);
    char *slash = strrchr(settings, '/');
    if (slash)
        *slash = '\0';
    snprintf(tokens->path, sizeof tokens->path, "%.490s/streaming-token", settings);
    make_folders(tokens->path);
}

int vd_tokens_open(const char *path, vd_tokens *tokens, vd_error *error)
{
    vd_tokens opened = {0};
    int code = VD_OK;
    choose_path(path, &opened);
    int file = open_file(opened.path);
    if (file < 0 && errno == ENOENT) {
        code = make_file(opened.path, error);
        file = code ? -1 : open_file(opened.path);
    }
    if (code)
        return code;
    if (file < 0 && errno == ELOOP)
        return vd_error_set(error, VD_EINVAL, opened.path,
                            "The token file %s is a link; name the file itself.", opened.path);
    if (file < 0)
        return refuse_io(error, opened.path, "cannot be read");
    code = read_file(file, &opened, error);
    close(file);
    if (code == VD_OK)
        *tokens = opened;
    return code;
}
