#include "ui/words.h"

#include <glib.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "vedette/app/models.h"

/* U+2007, as wide as a tabular digit. */
#define FIGURE_SPACE "\xe2\x80\x87"

enum { BOXES_SPELT_OUT = 40 };

/* Cuts at a character's border, which snprintf does not. */
static void copy(char *out, size_t size, const char *text)
{
    g_strlcpy(out, text, size);
    const char *end;
    if (!g_utf8_validate(out, -1, &end))
        out[end - out] = '\0';
}

static void G_GNUC_PRINTF(3, 4) print(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    copy(out, size, text);
    g_free(text);
}

static void G_GNUC_PRINTF(3, 4) append(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    size_t used = strlen(out);
    copy(out + used, size - used, text);
    g_free(text);
}

void vd_words_time(char *out, size_t size, double seconds)
{
    long total = seconds > 0 ? lround(floor(seconds + 1e-6)) : 0;
    if (total >= 3600)
        print(out, size, "%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
    else
        print(out, size, "%02ld:%02ld", total / 60, total % 60);
}

/* The part of a URL behind `//` and the user's name and password; NULL for what is no URL. */
static const char *url_host(const char *address)
{
    const char *rest = strstr(address, "://");
    if (!rest)
        return NULL;
    rest += 3;
    size_t authority = strcspn(rest, "/?#");
    for (size_t i = authority; i > 0; i--)
        if (rest[i - 1] == '@')
            return rest + i;
    return rest;
}

int vd_words_is_secret(const char *address)
{
    const char *host = url_host(address);
    return host && (host[-1] == '@' || strchr(host, '?'));
}

void vd_words_name(char *out, size_t size, const char *address)
{
    const char *host = url_host(address);
    if (g_str_has_prefix(address, "demo:")) {
        copy(out, size, "Demonstration");
    } else if (g_str_has_prefix(address, "file://")) {
        char *path = g_filename_from_uri(address, NULL, NULL);
        vd_words_name(out, size, path ? path : address + strlen("file://"));
        g_free(path);
    } else if (host) {
        print(out, size, "%.*s", (int)strcspn(host, "/?#"), host);
    } else {
        char *base = g_path_get_basename(address);
        char *shown = g_filename_display_name(base);
        copy(out, size, shown);
        g_free(shown);
        g_free(base);
    }
}

void vd_words_file_name(char *out, size_t size, const char *name)
{
    copy(out, size, name);
    char *dot = strrchr(out, '.');
    if (dot && dot != out && strlen(dot) <= 5 && !g_ascii_isdigit(dot[1]))
        *dot = '\0';
    g_strdelimit(out, "/\\", '-');
}

void vd_words_model(char *out, size_t size, const char *model)
{
    if (!strcmp(model, "builtin:people")) {
        copy(out, size, "people (built in)");
    } else if (!strcmp(model, "builtin:motion")) {
        copy(out, size, "motion (built in)");
    } else if (!strcmp(model, VD_MODEL_DEMO)) {
        copy(out, size, "road-detector");
    } else {
        vd_words_name(out, size, model);
        char *dot = strrchr(out, '.');
        if (dot && dot != out && !g_ascii_strcasecmp(dot, ".onnx"))
            *dot = '\0';
    }
}

void vd_words_error(char *out, size_t size, const vd_error *error)
{
    const char *slash = strrchr(error->place, '/');
    const char *name = slash && slash[1] ? slash + 1 : error->place;
    if (*name && !strstr(error->text, name))
        print(out, size, "%s: %s", error->place, error->text);
    else
        copy(out, size, error->text);
}

static void append_part(char *out, size_t size, const char *part)
{
    if (*part)
        append(out, size, "%s%s", *out ? " · " : "", part);
}

void vd_words_subtitle(char *out, size_t size, const vd_camera_status *status)
{
    char part[128];
    *out = '\0';
    if (status->source.width > 0) {
        print(part, sizeof part, "%d × %d", status->source.width, status->source.height);
        append_part(out, size, part);
    }
    if (status->source.frames_per_s > 0 && !status->source.is_image) {
        double rate = status->source.frames_per_s;
        int decimals = fabs(rate - round(rate)) < 0.005            ? 0
                       : fabs(rate * 10 - round(rate * 10)) < 0.05 ? 1
                                                                   : 2;
        print(part, sizeof part, "%.*f fps", decimals, rate);
        append_part(out, size, part);
    }
    if (*status->model && *out) {
        vd_words_model(part, sizeof part, status->model);
        append_part(out, size, part);
    }
}

static const char *kind_of(const vd_camera_status *status)
{
    if (status->source.is_image)
        return "picture";
    if (status->source.is_live)
        return "live";
    return status->state == VD_CAMERA_PAUSED ? "file, paused" : "file";
}

void vd_words_badge(char *out, size_t size, const char *name, const vd_camera_status *status,
                    const char *loading)
{
    char part[160];
    copy(out, size, name);
    if (status->state == VD_CAMERA_CONNECTING) {
        append_part(out, size, "connecting");
    } else {
        append_part(out, size, kind_of(status));
        if (*status->model) {
            const char *sync = status->exact ? "exact" : "predicted";
            if (status->source.is_live)
                print(part, sizeof part, "%s, %.0f ms", sync, status->picture_age_ms);
            else
                copy(part, sizeof part, sync);
            append_part(out, size, part);
        }
    }
    if (status->model_state == VD_MODEL_LOADING && loading) {
        print(part, sizeof part, "loading %s…", loading);
        append_part(out, size, part);
    } else if (status->model_state == VD_MODEL_FAILED && !*status->model) {
        append_part(out, size, "no detector");
    }
}

/* A number at least `width` digits wide, blanks of a digit's width before it. */
static void padded(char *out, size_t size, double value, int decimals, int width)
{
    char number[32];
    g_snprintf(number, sizeof number, "%.*f", decimals, value);
    *out = '\0';
    for (int missing = width - (int)strlen(number); missing > 0; missing--)
        append(out, size, FIGURE_SPACE);
    append(out, size, "%s", number);
}

static uint64_t dropped(const vd_camera_status *status)
{
    return status->dropped_source + status->dropped_display + status->broken;
}

void vd_words_rates(char *out, size_t size, const vd_camera_status *status)
{
    char captured[48], shown[48], checked[48], age[48];
    padded(captured, sizeof captured, status->captured_per_s, 1, 4);
    padded(shown, sizeof shown, status->shown_per_s, 1, 4);
    padded(checked, sizeof checked, status->detected_per_s, 1, 4);
    padded(age, sizeof age, status->picture_age_ms, 0, 3);
    print(out, size, "Capture %s · Shown %s · Checked %s fps", captured, shown, checked);
    if (status->source.is_live)
        append(out, size, " · Picture %s ms old", age);
    append(out, size, " · Dropped %" G_GUINT64_FORMAT, dropped(status));
}

void vd_words_drops(char *out, size_t size, const vd_camera_status *status)
{
    print(out, size,
          "Rates over the last 2 s\n"
          "Dropped, no room for the decoded picture: %" G_GUINT64_FORMAT "\n"
          "Dropped, a newer picture came first: %" G_GUINT64_FORMAT "\n"
          "Could not be decoded: %" G_GUINT64_FORMAT "\n"
          "Shown but not checked, the detector was busy: %" G_GUINT64_FORMAT "\n"
          "Detection failed: %" G_GUINT64_FORMAT "\n"
          "Detection takes %.0f ms, 95 of 100 are done in %.0f ms",
          status->dropped_source, status->dropped_display, status->broken, status->skipped_detection,
          status->failed_detection, status->detection_p50_ms, status->detection_p95_ms);
    if (*status->engine)
        append(out, size, "\nComputed by %s", status->engine);
}

void vd_words_remark(char *out, size_t size, const vd_camera_status *status)
{
    /* A file is read ahead: what is shown is its pace. */
    double pace = status->source.is_live ? status->captured_per_s : status->shown_per_s;
    *out = '\0';
    if (*status->sync_note)
        copy(out, size, status->sync_note);
    else if (status->state == VD_CAMERA_PLAYING && *status->model && status->detected_per_s > 0 &&
             status->detected_per_s < 0.9 * pace - 0.5)
        print(out, size, "Detection slower than the %s: %.0f of %.0f pictures a second are checked",
              status->source.is_live ? "camera" : "clip", status->detected_per_s, pace);
}

static void since(char *out, size_t size, int64_t since_ns, int64_t now_ns)
{
    double seconds = (double)(now_ns - since_ns) / 1e9;
    if (since_ns == 0 || seconds < 2)
        copy(out, size, "just now");
    else if (seconds < 60)
        print(out, size, "%.0f s ago", floor(seconds));
    else if (seconds < 3600)
        print(out, size, "%.0f min ago", floor(seconds / 60));
    else
        print(out, size, "%.0f h ago", floor(seconds / 3600));
}

void vd_words_message(const char *name, const vd_camera_status *status, int64_t now_ns, char *title,
                      size_t title_size, char *detail, size_t detail_size)
{
    char when[32];
    *title = *detail = '\0';
    since(when, sizeof when, status->since_ns, now_ns);
    switch (status->state) {
    case VD_CAMERA_CONNECTING:
        print(title, title_size, "Opening %s…", name);
        if (status->since_ns && now_ns - status->since_ns > INT64_C(2000000000))
            print(detail, detail_size, "No picture yet, for %.0f s",
                  (double)((now_ns - status->since_ns) / 1000000000));
        break;
    case VD_CAMERA_FAILED:
        if (status->shown == 0) {
            print(title, title_size, "%s cannot be shown", name);
        } else {
            print(title, title_size, "%s was lost %s", name, when);
        }
        copy(detail, detail_size, "Ctrl+R tries again, Ctrl+O opens something else");
        break;
    case VD_CAMERA_ENDED:
        if (status->source.is_image)
            break;
        copy(title, title_size, "The end");
        copy(detail, detail_size, "Space plays it again");
        break;
    case VD_CAMERA_PLAYING:
    case VD_CAMERA_PAUSED:
        break;
    }
}

void vd_words_boxes(char *out, size_t size, int64_t frame_index, const vd_draw_box *boxes, size_t count)
{
    static const char *const marks[] = {[VD_MARK_NONE] = "",
                                        [VD_MARK_PENDING] = " pending",
                                        [VD_MARK_VERIFIED] = " verified",
                                        [VD_MARK_REJECTED] = " rejected",
                                        [VD_MARK_UNVERIFIED] = " unverified"};
    GString *text = g_string_new(NULL);
    g_string_printf(text, "frame %" G_GINT64_FORMAT ", %zu box%s", frame_index, count,
                    count == 1 ? "" : "es");
    for (size_t i = 0; i < MIN(count, BOXES_SPELT_OUT); i++) {
        const vd_box *box = &boxes[i].box;
        g_string_append_printf(text, "%s %s%s at %.0f %.0f %.0f %.0f%s", i ? ";" : ":", boxes[i].label,
                               marks[boxes[i].mark], box->x1, box->y1, box->x2, box->y2,
                               boxes[i].style == VD_BOX_PREDICTED ? " predicted" : "");
    }
    if (count > BOXES_SPELT_OUT)
        g_string_append_printf(text, "; and %zu more", count - BOXES_SPELT_OUT);
    copy(out, size, text->str);
    g_string_free(text, TRUE);
}
