/* Opens a source, reads it and prints one line of JSON: what came, when, and why it ended. For tests that
 * look at sources from outside.
 *
 * source_probe [--frames N] [--seconds S] [--cancel-after S] [--open-timeout S] [--stall-timeout S] [--winds
 * N] ADDRESS
 *
 * --winds N  afterwards winds to N of the pictures seen, in scattered order, and counts those where another
 * picture, index or time came, or another picture followed */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/thread.h"
#include "frame/frame.h"
#include "vedette/source.h"

struct wishes {
    const char *address;
    long frames, winds;
    double seconds, cancel_after_s;
    vd_source_options options;
};

/* A picture as it was seen when the source was read from start to end. */
struct seen {
    uint32_t sum;
    int64_t index;
    double time_s;
};

enum { MAX_SEEN = 4096 };

struct findings {
    int code;
    vd_error error;
    vd_source_info info;
    vd_source_stats stats;
    double opened_s, first_s, ended_s, last_time_s, cancel_s;
    long frames;
    bool rising, upright;
    unsigned changes; /* pictures that differ from the one before */
    long winds, wrong_winds;
    struct seen seen[MAX_SEEN];
};

static int64_t began_ns;

static double since_start_s(void)
{
    return (double)(vd_clock_now_ns() - began_ns) / VD_NS_PER_S;
}

static int64_t to_ns(const char *seconds)
{
    return (int64_t)(strtod(seconds, NULL) * VD_NS_PER_S);
}

static bool read_arguments(int count, char **values, struct wishes *wishes)
{
    *wishes = (struct wishes){.frames = 1000000, .seconds = 3600, .options = VD_SOURCE_OPTIONS_INIT};
    for (int i = 1; i < count; i++) {
        const char *key = values[i], *value = i + 1 < count ? values[i + 1] : NULL;
        if (strncmp(key, "--", 2) != 0) {
            wishes->address = key;
            continue;
        }
        if (!value)
            return false;
        i++;
        if (strcmp(key, "--frames") == 0)
            wishes->frames = strtol(value, NULL, 10);
        else if (strcmp(key, "--seconds") == 0)
            wishes->seconds = strtod(value, NULL);
        else if (strcmp(key, "--cancel-after") == 0)
            wishes->cancel_after_s = strtod(value, NULL);
        else if (strcmp(key, "--open-timeout") == 0)
            wishes->options.open_timeout_ns = to_ns(value);
        else if (strcmp(key, "--winds") == 0)
            wishes->winds = strtol(value, NULL, 10);
        else if (strcmp(key, "--stall-timeout") == 0)
            wishes->options.stall_timeout_ns = to_ns(value);
        else
            return false;
    }
    return wishes->address != NULL;
}

static uint32_t sum_of(const vd_image *image)
{
    uint32_t sum = 2166136261u;
    int bytes = image->format == VD_PIXEL_BGRX ? 4 * image->width : image->width;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < bytes; x++)
            sum = (sum ^ image->planes[0][(ptrdiff_t)y * image->strides[0] + x]) * 16777619u;
    return sum;
}

static struct seen look_at(const struct vd_frame *frame)
{
    return (struct seen){sum_of(&frame->image), frame->index, frame->time_s};
}

static void note_frame(struct findings *found, const struct vd_frame *frame, uint32_t *last_sum)
{
    uint32_t sum = sum_of(&frame->image);
    if (found->frames < MAX_SEEN)
        found->seen[found->frames] = look_at(frame);
    if (found->frames == 0)
        found->first_s = since_start_s();
    else if (frame->time_s <= found->last_time_s)
        found->rising = false;
    found->changes += found->frames > 0 && sum != *last_sum;
    *last_sum = sum;
    found->last_time_s = frame->time_s;
    found->frames++;
    if (vd_image_validate(&frame->image, NULL))
        found->upright = false;
}

static bool comes_next(vd_source *source, const struct seen *expected)
{
    struct vd_frame *frame = NULL;
    if (vd_source_read(source, &frame, NULL))
        return false;
    struct seen seen = look_at(frame);
    vd_frame_unref(&frame);
    double apart_s = seen.time_s - expected->time_s;
    return seen.sum == expected->sum && seen.index == expected->index && apart_s < 0.002 && apart_s > -0.002;
}

static void wind(vd_source *source, long winds, struct findings *found)
{
    long known = found->frames < MAX_SEEN ? found->frames : MAX_SEEN;
    for (long i = 0; i < winds && known > 0; i++) {
        long to = i * 7919 % known;
        bool right = vd_source_seek(source, found->seen[to].time_s, NULL) == VD_OK;
        right = right && comes_next(source, &found->seen[to]);
        right = right && (to + 1 == known || comes_next(source, &found->seen[to + 1]));
        found->winds++;
        found->wrong_winds += !right;
    }
}

static void watch(const struct wishes *wishes, vd_cancel *cancel, struct findings *found)
{
    vd_source *source = NULL;
    uint32_t last_sum = 0;
    found->code = vd_source_open(wishes->address, &wishes->options, cancel, &source, &found->error);
    found->opened_s = since_start_s();
    if (found->code == VD_OK)
        found->info = *vd_source_get_info(source);
    while (found->code == VD_OK && found->frames < wishes->frames && since_start_s() < wishes->seconds) {
        struct vd_frame *frame = NULL;
        found->code = vd_source_read(source, &frame, &found->error);
        if (found->code == VD_OK)
            note_frame(found, frame, &last_sum);
        vd_frame_unref(&frame);
    }
    found->ended_s = since_start_s();
    if (source && found->info.can_seek)
        wind(source, wishes->winds, found);
    if (source)
        found->stats = vd_source_get_stats(source);
    vd_source_close(&source);
}

struct canceller {
    vd_cancel *cancel;
    vd_cancel done;
    double after_s, asked_s;
};

static void cancel_later(void *context)
{
    struct canceller *canceller = context;
    if (vd_cancel_sleep_until(&canceller->done, began_ns + (int64_t)(canceller->after_s * VD_NS_PER_S)))
        return;
    canceller->asked_s = since_start_s();
    vd_cancel_request(canceller->cancel);
}

static void print_text(const char *key, const char *text)
{
    printf("\"%s\":\"", key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    printf("\",");
}

static void print(const struct findings *found)
{
    printf("{");
    print_text("code", vd_code_name(found->code));
    print_text("error", found->error.text);
    print_text("place", found->error.place);
    print_text("name", found->info.name);
    print_text("codec", found->info.codec);
    printf("\"width\":%d,\"height\":%d,\"is_live\":%s,\"is_image\":%s,\"rate\":%.3f,\"duration\":%.3f,"
           "\"frame_count\":%lld,",
           found->info.width, found->info.height, found->info.is_live ? "true" : "false",
           found->info.is_image ? "true" : "false", found->info.frames_per_s, found->info.duration_s,
           (long long)found->info.frame_count);
    printf("\"frames\":%ld,\"changes\":%u,\"rising\":%s,\"valid\":%s,\"last_time\":%.3f,\"broken\":%llu,"
           "\"dropped\":%llu,",
           found->frames, found->changes, found->rising ? "true" : "false", found->upright ? "true" : "false",
           found->last_time_s, (unsigned long long)found->stats.broken,
           (unsigned long long)found->stats.dropped_pool);
    printf("\"winds\":%ld,\"wrong_winds\":%ld,", found->winds, found->wrong_winds);
    printf("\"opened_s\":%.3f,\"first_s\":%.3f,\"ended_s\":%.3f,\"cancel_s\":%.3f,\"closed_s\":%.3f}\n",
           found->opened_s, found->first_s, found->ended_s, found->cancel_s, since_start_s());
}

int main(int count, char **values)
{
    struct wishes wishes;
    static struct findings found = {.rising = true, .upright = true};
    if (!read_arguments(count, values, &wishes)) {
        fprintf(stderr,
                "usage: source_probe [--frames N] [--seconds S] [--cancel-after S] [--open-timeout S] "
                "[--stall-timeout S] [--winds N] ADDRESS\n");
        return 2;
    }
    vd_cancel cancel;
    vd_thread thread = {0};
    struct canceller canceller = {.cancel = &cancel, .after_s = wishes.cancel_after_s};
    if (vd_cancel_init(&cancel) || vd_cancel_init(&canceller.done))
        return 1;
    began_ns = vd_clock_now_ns();
    if (wishes.cancel_after_s > 0)
        vd_thread_start(&thread, "canceller", cancel_later, &canceller);
    watch(&wishes, &cancel, &found);
    vd_cancel_request(&canceller.done);
    vd_thread_join(&thread);
    if (canceller.asked_s > 0)
        found.cancel_s = found.ended_s - canceller.asked_s;
    print(&found);
    vd_cancel_fini(&canceller.done);
    vd_cancel_fini(&cancel);
    return 0;
}
