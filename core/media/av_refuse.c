/* Why something cannot be shown, in one sentence that names it, what is wrong and what would be right. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "media/av_source.h"

static double seconds(int64_t ns)
{
    return (double)ns / VD_NS_PER_S;
}

static int refuse_cancelled(const vd_av_source *source, vd_error *error)
{
    return vd_error_set(error, VD_ECANCELED, source->place, "%s %s was cancelled.",
                        source->opening ? "Opening" : "Reading", source->place);
}

static int refuse_late(const vd_av_source *source, vd_error *error)
{
    char number[16];
    int64_t limit_ns = source->opening ? source->options.open_timeout_ns : source->options.stall_timeout_ns;
    double limit_s = seconds(limit_ns);
    vd_text_number(number, sizeof number, limit_s, limit_s < 1 || limit_s != (int64_t)limit_s ? 1 : 0);
    if (!source->opening)
        return vd_error_set(error, VD_ETIMEOUT, source->place, "No picture has come from %s for %s s.",
                            source->place, number);
    if (source->packet_dts != AV_NOPTS_VALUE || source->stats.broken)
        return vd_error_set(error, VD_ETIMEOUT, source->place,
                            "%s sends data, but no picture that can be decoded came in time.", source->place);
    return vd_error_set(error, VD_ETIMEOUT, source->place, "%s does not answer: no picture came within %s s.",
                        source->place, number);
}

/* "/dev/video0, /dev/video2", or "none". */
static void list_cameras(char *out, size_t size)
{
    struct dirent **entries = NULL;
    size_t used = 0;
    vd_text_copy(out, size, "none");
    int count = scandir("/dev", &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, "video", 5) == 0 &&
            strspn(entries[i]->d_name + 5, "0123456789") > 0 && used + 20 < size)
            used += (size_t)snprintf(out + used, size - used, "%s/dev/%.12s", used ? ", " : "",
                                     entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static int refuse_camera(const vd_av_source *source, int av_code, vd_error *error)
{
    char cameras[200];
    const char *place = source->place;
    if (!source->opening)
        return vd_error_set(error, VD_EIO, place,
                            "The camera at %s is gone; it was unplugged or switched off.", place);
    switch (AVUNERROR(av_code)) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        list_cameras(cameras, sizeof cameras);
        return vd_error_set(error, VD_ENOTFOUND, place, "There is no camera at %s; connected cameras: %s.",
                            place, cameras);
    case EBUSY:
        return vd_error_set(error, VD_EIO, place, "The camera at %s is in use by another program.", place);
    case EACCES:
    case EPERM:
        return vd_error_set(error, VD_EIO, place,
                            "The camera at %s may not be opened; add your user to the group 'video'.", place);
    case ENOTTY:
    case EINVAL:
        return vd_error_set(error, VD_EFORMAT, place, "%s is not a camera that gives pictures.", place);
    default:
        return vd_error_set(error, VD_EIO, place, "The camera at %s does not work: %s.", place,
                            av_code > -4096 ? strerror(AVUNERROR(av_code)) : "its answer makes no sense");
    }
}

static int refuse_answer(const vd_av_source *source, int av_code, vd_error *error)
{
    const char *place = source->place;
    switch (av_code) {
    case AVERROR_HTTP_UNAUTHORIZED:
        if (strchr(source->address, '@'))
            return vd_error_set(error, VD_EIO, place, "%s refused the user name or the password.", place);
        return vd_error_set(error, VD_EIO, place,
                            "%s asks for a user name and a password; write them in front of the host, as in "
                            "rtsp://name:password@host/.",
                            place);
    case AVERROR_HTTP_FORBIDDEN:
        return vd_error_set(error, VD_EIO, place, "%s does not allow access (403).", place);
    case AVERROR_HTTP_NOT_FOUND:
        return vd_error_set(error, VD_ENOTFOUND, place,
                            "The server knows no stream %s (404); check the part behind the host.", place);
    case AVERROR_HTTP_BAD_REQUEST:
    case AVERROR_HTTP_OTHER_4XX:
        return vd_error_set(error, VD_EIO, place, "The server refuses to send %s.", place);
    case AVERROR_HTTP_SERVER_ERROR:
        return vd_error_set(error, VD_EIO, place, "The server has an error of its own and cannot send %s.",
                            place);
    case AVERROR_PROTOCOL_NOT_FOUND:
        return vd_error_set(error, VD_EUNSUPPORTED, place, "%s needs a protocol that is not installed.",
                            place);
    default:
        return VD_OK;
    }
}

static int refuse_network(const vd_av_source *source, int av_code, vd_error *error)
{
    const char *place = source->place, *name = source->info.name;
    if (vd_av_log_said().unresolved)
        return vd_error_set(error, VD_ENOTFOUND, place,
                            "The host '%s' is not known; check the address and the network.", name);
    int code = refuse_answer(source, av_code, error);
    if (code)
        return code;
    if (av_code == AVERROR_EOF || av_code == AVERROR(EIO) || av_code == AVERROR(ECONNRESET) ||
        av_code == AVERROR(EPIPE)) {
        if (source->opening)
            return vd_error_set(error, VD_EIO, place, "%s closed the connection before the first picture.",
                                place);
        return vd_error_set(error, VD_EEND, place, "%s has ended the stream.", place);
    }
    switch (AVUNERROR(av_code)) {
    case ECONNREFUSED:
        return vd_error_set(
            error, VD_EIO, place,
            "Nothing answers at %s: the connection was refused; check the address and the port.", place);
    case EHOSTUNREACH:
    case ENETUNREACH:
        return vd_error_set(error, VD_EIO, place, "The host '%s' cannot be reached from this network.", name);
    case EINVAL:
        if (!source->format || source->format->nb_streams == 0)
            return vd_error_set(error, VD_EINVAL, place,
                                "%s is not a complete address; it should look like rtsp://host:port/path.",
                                place);
        break;
    }
    if (source->opening && source->kind == VD_AV_RTSP && !source->format)
        return vd_error_set(error, VD_EIO, place,
                            "%s does not speak RTSP: it closed the connection or its answer makes no sense.",
                            place);
    if (source->opening)
        return vd_error_set(error, VD_EFORMAT, place, "%s answers, but not with video that can be read.",
                            place);
    return vd_error_set(error, VD_EIO, place, "The connection to %s broke.", place);
}

int vd_av_refuse(const vd_av_source *source, int av_code, vd_error *error)
{
    if (vd_cancel_requested(source->cancel))
        return refuse_cancelled(source, error);
    if (av_code == AVERROR(ENOMEM) && !vd_av_log_said().width)
        return vd_error_set(error, VD_ENOMEM, source->place, "There is not enough memory to show '%s'.",
                            source->info.name);
    if (av_code == AVERROR(ETIMEDOUT) || (av_code != AVERROR_EOF && vd_clock_now_ns() >= source->deadline_ns))
        return refuse_late(source, error);
    if (source->kind == VD_AV_CAMERA)
        return refuse_camera(source, av_code, error);
    if (source->kind == VD_AV_FILE && !source->opening) {
        if (av_code == AVERROR_EOF)
            return vd_error_set(error, VD_EEND, source->place, "'%s' has ended.", source->info.name);
        return vd_error_set(error, VD_EIO, source->place, "'%s' cannot be read any further: %s.",
                            source->info.name,
                            av_code > -4096 ? strerror(AVUNERROR(av_code)) : "what follows is damaged");
    }
    if (source->kind == VD_AV_FILE)
        return vd_av_refuse_content(source, error);
    return refuse_network(source, av_code, error);
}

int vd_av_check_file(const vd_av_source *source, vd_error *error)
{
    struct stat status;
    const char *place = source->place, *name = source->info.name;
    if (stat(source->path, &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return vd_error_set(error, VD_ENOTFOUND, place, "There is no file '%s'.", place);
        return vd_error_set(error, VD_EIO, place, "'%s' cannot be read: %s.", place, strerror(errno));
    }
    if (S_ISDIR(status.st_mode))
        return vd_error_set(error, VD_EINVAL, place, "'%s' is a folder; name a file in it.", place);
    if (!S_ISREG(status.st_mode))
        return vd_error_set(error, VD_EINVAL, place, "'%s' is not a file that holds video or a picture.",
                            place);
    if (access(source->path, R_OK) != 0)
        return vd_error_set(error, VD_EIO, place, "'%s' may not be read: you lack the permission.", place);
    if (status.st_size == 0)
        return vd_error_set(error, VD_EFORMAT, place, "'%s' is empty (0 bytes).", name);
    return VD_OK;
}

static bool is_text(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] < 0x20 && !strchr("\t\n\r\f", bytes[i]))
            return false;
    return count > 0;
}

/* What a file is by its first bytes, where that helps; NULL where it does not. */
static const char *looks_like(const unsigned char *bytes, size_t count)
{
    size_t start = 0;
    while (start < count && strchr(" \t\r\n", bytes[start]) && bytes[start])
        start++;
    const char *text = (const char *)bytes + start;
    size_t left = count - start;
    if (left > 5 && (strncasecmp(text, "<html", 5) == 0 || strncasecmp(text, "<!doc", 5) == 0))
        return "a web page";
    if (left > 4 && memcmp(text, "%PDF", 4) == 0)
        return "a PDF document";
    if (left > 4 && (memcmp(text, "PK\3\4", 4) == 0 || memcmp(text, "\x1f\x8b", 2) == 0))
        return "an archive";
    if (left > 4 && memcmp(text,
                           "\x7f"
                           "ELF",
                           4) == 0)
        return "a program";
    return is_text(bytes, count) ? "text" : NULL;
}

static bool has_box(const unsigned char *bytes, size_t count, const char *name)
{
    return count >= 8 && memcmp(bytes + 4, name, 4) == 0;
}

/* The sentence for a file whose bytes are no video. */
static int refuse_bytes(const vd_av_source *source, vd_error *error)
{
    unsigned char bytes[513] = {0};
    const char *place = source->place, *name = source->info.name;
    FILE *file = fopen(source->path, "rbe");
    size_t count = file ? fread(bytes, 1, sizeof bytes - 1, file) : 0;
    if (file)
        fclose(file);
    const char *like = looks_like(bytes, count);
    if (like)
        return vd_error_set(error, VD_EFORMAT, place,
                            "'%s' is not a video or picture that can be read; it looks like %s.", name, like);
    if (has_box(bytes, count, "ftyp") && !source->format)
        return vd_error_set(error, VD_EFORMAT, place,
                            "'%s' is an MP4 file without its index: it was cut off before its end.", name);
    if (source->format)
        return vd_error_set(error, VD_EFORMAT, place,
                            "'%s' holds no picture that can be decoded; it may be cut off or damaged.", name);
    return vd_error_set(error, VD_EFORMAT, place,
                        "'%s' is not a video or picture that can be read; its content is of no known kind.",
                        name);
}

static bool has_kind(const AVFormatContext *format, enum AVMediaType type)
{
    for (unsigned i = 0; format && i < format->nb_streams; i++)
        if (format->streams[i]->codecpar->codec_type == type &&
            !(format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC))
            return true;
    return false;
}

int vd_av_refuse_content(const vd_av_source *source, vd_error *error)
{
    const char *place = source->place, *name = source->info.name;
    vd_av_said said = vd_av_log_said();
    if (said.width)
        return vd_error_set(
            error, VD_EFORMAT, place,
            "'%s' claims %u × %u pixels; at most %d a side and %d million in all can be shown.", name,
            said.width, said.height, VD_IMAGE_MAX_SIDE, VD_AV_MAX_PIXELS / 1000000);
    if (said.encrypted)
        return vd_error_set(error, VD_EFORMAT, place, "'%s' is encrypted and cannot be shown.", name);
    if (source->kind != VD_AV_FILE)
        return vd_error_set(error, VD_EFORMAT, place, "%s sends no pictures.", place);
    if (has_kind(source->format, AVMEDIA_TYPE_AUDIO) && !has_kind(source->format, AVMEDIA_TYPE_VIDEO))
        return vd_error_set(error, VD_EFORMAT, place, "'%s' holds sound, but no pictures.", name);
    if (source->format && source->stream >= 0 && source->stats.broken == 0 &&
        source->packet_dts == AV_NOPTS_VALUE && !source->info.is_image)
        return vd_error_set(error, VD_EFORMAT, place, "'%s' is a video without a single picture in it.",
                            name);
    return refuse_bytes(source, error);
}
