/* Messages and progress on stderr. Owned by the main thread. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool progress_shown, progress_disabled;

int cli_worse(int a, int b)
{
    static const int order[] = {CLI_INTERRUPTED, CLI_WRONG, CLI_FAILED};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CLI_DONE;
}

void cli_complain(const char *format, ...)
{
    va_list arguments;
    cli_progress_clear();
    fputs("vedette-cli: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void cli_complain_error(const vd_error *error)
{
    if (error->place[0] != '\0' && !strstr(error->text, error->place))
        cli_complain("%s: %s", error->place, error->text);
    else
        cli_complain("%s", error->text[0] != '\0' ? error->text : vd_code_name(error->code));
}

bool cli_output_failed(FILE *stream, const char *name)
{
    static bool said;
    bool broken = ferror(stream) != 0;
    int number = errno; /* of the write that broke it, which was the last call */
    if (!broken && fflush(stream) == 0)
        return false;
    if (!broken)
        number = errno;
    if (!said && number != EPIPE)
        cli_complain("Writing %s failed: %s.", name, strerrordesc_np(number));
    said = true;
    return true;
}

int cli_open_output(const char *path, FILE **ret_file)
{
    *ret_file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (*ret_file)
        return CLI_DONE;
    cli_complain("%s cannot be written: %s.", path, strerrordesc_np(errno));
    return CLI_WRONG;
}

int cli_close_output(FILE *file, const char *path, int status)
{
    if (!file || file == stdout)
        return status;
    bool failed = cli_output_failed(file, path);
    return fclose(file) != 0 || failed ? cli_worse(status, CLI_FAILED) : status;
}

int cli_check_new_clip(const char *path, const char *what)
{
    struct stat status;
    size_t length = strlen(path);
    if (length <= 4 || strcasecmp(path + length - 4, ".mp4") != 0) {
        cli_complain("%s is to be \"%s\"; its name must end in .mp4.", what, path);
        return CLI_WRONG;
    }
    if (stat(path, &status) == 0) {
        cli_complain("%s exists already and is not replaced; choose another name.", path);
        return CLI_WRONG;
    }
    return CLI_DONE;
}

int64_t cli_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void cli_progress_disable(void)
{
    progress_disabled = true;
}

static int64_t least_known(int64_t a, int64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

void cli_progress_begin(cli_progress *progress, const vd_source_info *info, int64_t max_frames,
                        double max_seconds)
{
    int64_t total = info->frame_count;
    if (total == 0 && !info->is_live)
        total = (int64_t)(info->duration_s * info->frames_per_s);
    total = least_known(total, (int64_t)(max_seconds * info->frames_per_s));
    *progress = (cli_progress){.began_ns = cli_now_ns(), .total = least_known(total, max_frames)};
}

void cli_progress_show(cli_progress *progress, const char *name, int64_t frames)
{
    int64_t now = cli_now_ns();
    if (progress_disabled || !isatty(STDERR_FILENO) || now - progress->shown_ns < INT64_C(200000000))
        return;
    progress->shown_ns = now;
    progress_shown = true;
    double seconds = (double)(now - progress->began_ns) / 1e9;
    double rate = seconds > 0.2 ? (double)frames / seconds : 0;
    fprintf(stderr, "\r\033[K%s: frame %" PRId64, name, frames);
    if (progress->total > 0)
        fprintf(stderr, " of %" PRId64, progress->total);
    if (rate > 0)
        fprintf(stderr, ", %.1f frames/s", rate);
    if (rate > 0 && progress->total >= frames) {
        int left = (int)((double)(progress->total - frames) / rate);
        fprintf(stderr, ", %d:%02d left", left / 60, left % 60);
    }
    fflush(stderr);
}

void cli_progress_clear(void)
{
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
}
