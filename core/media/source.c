/* The table of source kinds: an address' beginning chooses who opens it; libav takes the rest. */
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/text.h"
#include "media/av_source.h"
#include "media/source_kind.h"

enum { MAX_KINDS = 8 };

struct vd_source {
    const vd_source_ops *ops;
    void *state;
    vd_source_info info;
};

static const vd_source_ops *kinds[MAX_KINDS];
static int kind_count;

int vd_source_register(const vd_source_ops *ops)
{
    if (!ops || !ops->scheme || !ops->open || !ops->read || !ops->close)
        return VD_EINVAL;
    for (int i = 0; i < kind_count; i++)
        if (kinds[i] == ops)
            return VD_OK;
    if (kind_count == MAX_KINDS)
        return VD_ENOMEM;
    kinds[kind_count++] = ops;
    return VD_OK;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The newest registration wins, so that a test can stand in for a kind. */
static const vd_source_ops *find_kind(const char *address)
{
    for (int i = kind_count - 1; i >= 0; i--)
        if (begins_with(address, kinds[i]->scheme))
            return kinds[i];
    return NULL;
}

bool vd_source_address_is_live(const char *address)
{
    return address && (find_kind(address) || vd_av_kind_of(address) > VD_AV_FILE);
}

int vd_source_open(const char *address, const vd_source_options *options, vd_cancel *cancel,
                   vd_source **ret_source, vd_error *error)
{
    static const vd_source_options plain = VD_SOURCE_OPTIONS_INIT;
    vd_source_options chosen = options ? *options : plain;
    if (!address || *address == '\0')
        return vd_error_set(error, VD_EINVAL, NULL,
                            "No source was named; give a file, /dev/video0, rtsp://…, http://… or demo:.");
    if (chosen.pool_frames < 1)
        chosen.pool_frames = plain.pool_frames;
    if (chosen.open_timeout_ns <= 0)
        chosen.open_timeout_ns = plain.open_timeout_ns;
    if (chosen.stall_timeout_ns <= 0)
        chosen.stall_timeout_ns = plain.stall_timeout_ns;
    if (!chosen.rtsp_transport)
        chosen.rtsp_transport = plain.rtsp_transport;

    vd_source *source = calloc(1, sizeof *source);
    if (!source)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to open a source.");
    source->ops = find_kind(address);
    if (!source->ops)
        source->ops = &vd_av_source_ops;
    int code = source->ops->open(address, &chosen, cancel, &source->state, &source->info, error);
    if (code) {
        free(source);
        return code;
    }
    *ret_source = source;
    return VD_OK;
}

void vd_source_close(vd_source **source)
{
    if (!*source)
        return;
    (*source)->ops->close((*source)->state);
    free(*source);
    *source = NULL;
}

const vd_source_info *vd_source_get_info(const vd_source *source)
{
    return &source->info;
}

int vd_source_read(vd_source *source, vd_frame **ret_frame, vd_error *error)
{
    return source->ops->read(source->state, ret_frame, error);
}

int vd_source_seek(vd_source *source, double time_s, vd_error *error)
{
    if (!source->ops->seek || !source->info.can_seek)
        return vd_error_set(error, VD_EUNSUPPORTED, source->info.address, "'%s' is live and cannot be wound.",
                            source->info.name);
    return source->ops->seek(source->state, time_s, error);
}

vd_source_stats vd_source_get_stats(vd_source *source)
{
    vd_source_stats stats = {0};
    if (source->ops->get_stats)
        source->ops->get_stats(source->state, &stats);
    return stats;
}
