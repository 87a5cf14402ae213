/* Files, cameras and network streams through libav: the source's life from opening to closing. */
#include "media/av_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `file:///a%20b` as a path: what file managers hand over. `file:PATH` is taken as it is. */
static char *path_of(const char *address)
{
    if (strncmp(address, "file:", 5) != 0)
        return vd_text_dup(address);
    if (strncmp(address, "file://", 7) != 0)
        return vd_text_dup(address + 5);
    const char *from = strchr(address + 7, '/');
    char *path = vd_text_dup(from ? from : "");
    char *to = path;
    for (const char *in = path; in && *in; in++) {
        int high = in[0] == '%' ? hex_digit(in[1]) : -1, low = high >= 0 ? hex_digit(in[2]) : -1;
        bool coded = low >= 0 && high + low > 0;
        *to++ = coded ? (char)(high * 16 + low) : *in;
        in += coded ? 2 : 0;
    }
    if (to)
        *to = '\0';
    return path;
}

/* A file's or device's last name, a network address' host. */
static void set_name(vd_av_source *source)
{
    char *name = source->info.name;
    size_t size = sizeof source->info.name;
    if (source->kind == VD_AV_FILE || source->kind == VD_AV_CAMERA) {
        const char *base = vd_text_base_name(source->path);
        vd_text_clean(name, size, base, strlen(base));
        return;
    }
    const char *host = strstr(source->place, "://");
    host = host ? host + 3 : source->place;
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    host = at ? at + 1 : host;
    vd_text_clean(name, size, host, strcspn(host, "/?#"));
}

static double sane_rate(AVRational rate)
{
    double value = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
    return value > 0.001 && value <= 1000 ? value : 0;
}

static void find_rate(vd_av_source *source)
{
    AVStream *stream = source->format->streams[source->stream];
    if (source->use_arrival || source->info.is_image)
        return;
    double rate = source->info.is_live ? sane_rate(stream->avg_frame_rate)
                                       : sane_rate(av_guess_frame_rate(source->format, stream, NULL));
    if (rate == 0)
        rate = sane_rate(source->decoder->framerate);
    source->info.frames_per_s = rate;
}

static void find_length(vd_av_source *source)
{
    vd_source_info *info = &source->info;
    AVStream *stream = source->format->streams[source->stream];
    if (info->is_image) {
        info->frame_count = 1;
        return;
    }
    if (info->is_live)
        return;
    if (stream->duration > 0)
        info->duration_s = (double)stream->duration * av_q2d(stream->time_base);
    else if (source->format->duration > 0)
        info->duration_s = (double)source->format->duration / AV_TIME_BASE;
    int entries = avformat_index_get_entries_count(stream);
    if (stream->nb_frames > 0 && entries >= stream->nb_frames) {
        for (int i = 0; i < entries; i++)
            info->frame_count += !(avformat_index_get_entry(stream, i)->flags & AVINDEX_DISCARD_FRAME);
    } else {
        info->frame_count = stream->nb_frames;
    }
}

static bool is_still(const vd_av_source *source)
{
    const char *name = source->format->iformat->name;
    return vd_text_ends_with(name, "_pipe") || strcmp(name, "image2") == 0;
}

/* What is not live although it comes over the network: a still picture, or a file on a server that can be
 * wound. */
static bool is_live(const vd_av_source *source)
{
    if (source->kind == VD_AV_FILE || is_still(source))
        return false;
    bool file = source->kind == VD_AV_HTTP && source->format->duration > 0 && source->format->pb &&
                (source->format->pb->seekable & AVIO_SEEKABLE_NORMAL);
    return !file;
}

static void fill_info(vd_av_source *source)
{
    vd_source_info *info = &source->info;
    info->is_image = is_still(source);
    info->is_live = is_live(source);
    info->can_seek = !info->is_live;
    find_rate(source);
    find_length(source);
    vd_text_copy(info->codec, sizeof info->codec, avcodec_get_name(source->decoder->codec_id));
    vd_text_copy(info->decoder, sizeof info->decoder, source->decoder->codec->name);
}

/* The first picture settles the size, the turning and the pool. */
static int open_first_picture(vd_av_source *source, vd_error *error)
{
    int code = vd_av_decode(source, &source->next[0], error);
    if (code)
        return code;
    if (source->info.frames_per_s == 0)
        find_rate(source); /* some decoders know it by now */
    code = vd_av_prepare_pool(source, source->next[0].frame, error);
    if (code)
        return code;
    const AVFrame *frame = source->next[0].frame;
    bool sideways = vd_av_turn_of(source, frame).degrees % 180 != 0;
    source->info.width = sideways ? frame->height : frame->width;
    source->info.height = sideways ? frame->width : frame->height;
    static const char *const maybe_still[] = {"gif", "apng", "webp"};
    for (size_t i = 0; i < sizeof maybe_still / sizeof *maybe_still; i++) {
        if (strcmp(source->format->iformat->name, maybe_still[i]) == 0 &&
            vd_av_decode(source, &source->next[1], NULL) == VD_EEND)
            source->info.is_image = true;
    }
    return VD_OK;
}

static void close_source(void *state)
{
    vd_av_source *source = state;
    vd_av_close_stream(source);
    av_packet_free(&source->packet);
    av_frame_free(&source->scratch);
    for (int i = 0; i < 2; i++)
        av_frame_free(&source->next[i].frame);
    vd_av_converter_fini(&source->converter);
    av_freep(&source->turn_memory);
    free(source->seen_s);
    vd_frame_pool_free(&source->pool);
    vd_cancel_fini(&source->own_cancel);
    free(source->address);
    free(source->path);
    free(source);
}

/* The object without a stream. NULL when memory is short. */
static vd_av_source *new_source(const char *address, const vd_source_options *options,
                                struct vd_cancel *cancel)
{
    vd_av_source *source = calloc(1, sizeof *source);
    if (!source)
        return NULL;
    if (vd_cancel_init(&source->own_cancel)) {
        free(source);
        return NULL;
    }
    source->cancel = cancel ? cancel : &source->own_cancel;
    source->options = *options;
    source->kind = vd_av_kind_of(address);
    source->address = vd_text_dup(address);
    source->path = path_of(address);
    source->packet = av_packet_alloc();
    source->scratch = av_frame_alloc();
    source->next[0].frame = av_frame_alloc();
    source->next[1].frame = av_frame_alloc();
    vd_text_mask_address(source->place, sizeof source->place, address);
    if (!source->address || !source->path || !source->packet || !source->scratch || !source->next[0].frame ||
        !source->next[1].frame) {
        close_source(source);
        return NULL;
    }
    vd_text_copy(source->info.address, sizeof source->info.address, source->place);
    set_name(source);
    vd_av_clock_reset(&source->clock);
    return source;
}

static int open_source(const char *address, const vd_source_options *options, struct vd_cancel *cancel,
                       void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    vd_av_init();
    vd_av_source *source = new_source(address, options, cancel);
    if (!source)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to open a source.");
    int code;
    if (source->kind == VD_AV_UNKNOWN) {
        code =
            vd_error_set(error, VD_EINVAL, source->place,
                         "'%s' is no kind of address that can be opened; give a file, /dev/video0, rtsp://…, "
                         "http://… or demo:.",
                         source->place);
        close_source(source);
        return code;
    }
    source->opening = true;
    source->opened_at_ns = vd_clock_now_ns();
    source->deadline_ns = source->opened_at_ns + options->open_timeout_ns;
    code = vd_av_open_stream(source, error);
    if (code == VD_OK) {
        fill_info(source);
        code = open_first_picture(source, error);
    }
    if (code) {
        close_source(source);
        return code;
    }
    source->opening = false;
    *ret_state = source;
    *ret_info = source->info;
    return VD_OK;
}

static int read_frame(void *state, vd_frame **ret_frame, vd_error *error)
{
    vd_av_source *source = state;
    if (!source->format)
        return vd_error_set(error, VD_EIO, source->place, "'%s' could not be opened again.",
                            source->info.name);
    for (;;) {
        vd_av_picture *first = &source->next[0];
        int code = first->full ? VD_OK : vd_av_decode(source, first, error);
        if (code == VD_OK)
            code = vd_av_make_frame(source, first, ret_frame, error);
        if (first->full) {
            av_frame_unref(first->frame);
            first->full = false;
            vd_av_picture second = source->next[1];
            source->next[1] = *first;
            source->next[0] = second;
        }
        if (code == VD_OK)
            source->stats.frames++;
        if (code != VD_EAGAIN)
            return code;
        source->stats.dropped_pool++;
    }
}

static void get_stats(void *state, vd_source_stats *ret_stats)
{
    vd_av_source *source = state;
    *ret_stats = source->stats;
    if (!source->pool)
        return;
    vd_frame_pool_stats pool = vd_frame_pool_get_stats(source->pool);
    ret_stats->pool_capacity = pool.capacity;
    ret_stats->pool_available = pool.available;
    ret_stats->pool_peak = pool.peak > source->stats.pool_peak ? pool.peak : source->stats.pool_peak;
    ret_stats->pool_exhausted = source->stats.pool_exhausted + pool.exhausted;
}

const vd_source_ops vd_av_source_ops = {
    .scheme = "",
    .open = open_source,
    .read = read_frame,
    .seek = vd_av_seek,
    .get_stats = get_stats,
    .close = close_source,
};
