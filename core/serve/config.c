#include "serve/config.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/query.h"
#include "vedette/app/nearest.h"
#include "vedette/detection.h"

typedef enum field_kind { FIELD_WHOLE, FIELD_SHARE, FIELD_SWITCH, FIELD_MODE } field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t offset;
    int most; /* WHOLE: from 1 to here; 0: the service's max_fps */
} field;

static const field fields[] = {
    {"fps_limit", FIELD_WHOLE, offsetof(vd_session_config, fps_limit), 0},
    {"confidence_threshold", FIELD_SHARE, offsetof(vd_session_config, confidence_threshold), 0},
    {"iou_threshold", FIELD_SHARE, offsetof(vd_session_config, iou_threshold), 0},
    {"enable_tracking", FIELD_SWITCH, offsetof(vd_session_config, enable_tracking), 0},
    {"quality_mode", FIELD_MODE, offsetof(vd_session_config, quality_mode), 0},
    {"max_detections", FIELD_WHOLE, offsetof(vd_session_config, max_detections), VD_MAX_DETECTIONS},
};

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

static const char *const names[FIELD_COUNT] = {"fps_limit",       "confidence_threshold", "iou_threshold",
                                               "enable_tracking", "quality_mode",         "max_detections"};

static const field *find_field(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* --- Refusals */

/* JSON text of a value; of one that is too long its beginning, as a string. */
static void describe_value(const json_t *value, char *out, size_t size)
{
    enum { END = sizeof "\xe2\x80\xa6\"" };
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (!text) {
        snprintf(out, size, "null");
    } else if (strlen(text) < size) {
        memcpy(out, text, strlen(text) + 1);
    } else {
        char *to = out;
        *to++ = '"';
        for (const char *from = text + (*text == '"'); to + 2 + END <= out + size; from++) {
            if (*from == '"' || *from == '\\')
                *to++ = '\\';
            *to++ = *from;
        }
        *to = '\0';
        vd_text_trim_partial(out);
        strcat(out, "\xe2\x80\xa6\"");
    }
    free(text);
}

void vd_refusal_fill(vd_refusal *refusal, const char *name, const json_t *value, const char *range)
{
    vd_text_copy(refusal->field, sizeof refusal->field, name);
    describe_value(value, refusal->value, sizeof refusal->value);
    vd_text_copy(refusal->range, sizeof refusal->range, range);
}

static void describe_range(const field *f, int max_fps, char *out, size_t size)
{
    switch (f->kind) {
    case FIELD_WHOLE:
        snprintf(out, size, "a whole number from 1 to %d", f->most > 0 ? f->most : max_fps);
        break;
    case FIELD_SHARE:
        snprintf(out, size, "a number from 0 to 1");
        break;
    case FIELD_SWITCH:
        snprintf(out, size, "true or false");
        break;
    case FIELD_MODE:
        snprintf(out, size, "\"fast\", \"balanced\" or \"accurate\"");
        break;
    }
}

static int refuse_value(const field *f, const json_t *value, int max_fps, vd_refusal *refusal,
                        vd_error *error)
{
    vd_refusal local;
    vd_refusal *to = refusal ? refusal : &local;
    char range[sizeof to->range];
    describe_range(f, max_fps, range, sizeof range);
    vd_refusal_fill(to, f->name, value, range);
    return vd_error_set(error, VD_EINVAL, f->name, "%s is %s; it must be %s.", f->name, to->value, to->range);
}

static int refuse_name(const char *name, const json_t *value, vd_refusal *refusal, vd_error *error)
{
    vd_refusal local;
    vd_refusal *to = refusal ? refusal : &local;
    char clean[sizeof to->field];
    const char *nearest = vd_nearest_word(name, names, FIELD_COUNT);
    const char *shown = name[0] ? name : "(empty)";
    vd_text_clean(clean, sizeof clean, shown, strlen(shown));
    snprintf(to->field, sizeof to->field, "%s", clean);
    describe_value(value, to->value, sizeof to->value);
    to->range[0] = '\0';
    for (size_t i = 0, used = 0; i < FIELD_COUNT && used < sizeof to->range; i++)
        used += (size_t)snprintf(to->range + used, sizeof to->range - used, i ? ", %s" : "%s", names[i]);
    if (nearest)
        return vd_error_set(error, VD_EINVAL, clean, "There is no field `%s`; did you mean `%s`?", clean,
                            nearest);
    return vd_error_set(error, VD_EINVAL, clean, "There is no field `%s`; there are %s.", clean, to->range);
}

/* --- Values */

static bool put_whole(void *at, const json_t *value, int most)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 1 && number <= most) || number != floor(number))
        return false;
    *(int *)at = (int)number;
    return true;
}

static bool put_share(void *at, const json_t *value)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0 && number <= 1))
        return false;
    *(double *)at = number;
    return true;
}

static bool put_value(const field *f, const json_t *value, int max_fps, vd_session_config *config)
{
    void *at = (char *)config + f->offset;
    switch (f->kind) {
    case FIELD_WHOLE:
        return put_whole(at, value, f->most > 0 ? f->most : max_fps);
    case FIELD_SHARE:
        return put_share(at, value);
    case FIELD_SWITCH:
        if (json_is_boolean(value))
            *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case FIELD_MODE:
        return json_is_string(value) && vd_quality_mode_find(json_string_value(value), at);
    }
    return false;
}

int vd_session_config_change(vd_session_config *config, const json_t *changes, int max_fps,
                             vd_refusal *refusal, vd_error *error)
{
    vd_session_config changed = *config;
    if (!json_is_object(changes)) {
        if (refusal) {
            *refusal = (vd_refusal){.field = "config", .range = "an object of fields"};
            describe_value(changes, refusal->value, sizeof refusal->value);
        }
        return vd_error_set(error, VD_EINVAL, "config",
                            "A configuration is a JSON object of fields, such as {\"fps_limit\":15}.");
    }
    /* jansson iterates over what it does not change all the same as over what it may. */
    json_t *object = (json_t *)changes;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        const field *f = find_field(name);
        if (!f)
            return refuse_name(name, value, refusal, error);
        if (!put_value(f, value, max_fps, &changed))
            return refuse_value(f, value, max_fps, refusal, error);
    }
    *config = changed;
    return VD_OK;
}

/* The value that the text of a query stands for; what is none of its kind stays a string. */
static json_t *value_of_text(const field *f, const char *text)
{
    double number;
    bool wants_number = f && (f->kind == FIELD_WHOLE || f->kind == FIELD_SHARE);
    if (wants_number && vd_query_number(text, &number)) {
        if (number == floor(number) && fabs(number) < 1e15)
            return json_integer((json_int_t)number);
        return json_real(number);
    }
    if (f && f->kind == FIELD_SWITCH && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0))
        return json_true();
    if (f && f->kind == FIELD_SWITCH && (strcmp(text, "false") == 0 || strcmp(text, "0") == 0))
        return json_false();
    json_t *string = json_string(text);
    return string ? string : json_string("\xef\xbf\xbd"); /* not UTF-8 */
}

int vd_session_config_change_text(vd_session_config *config, const char *name, const char *value, int max_fps,
                                  vd_refusal *refusal, vd_error *error)
{
    const field *f = find_field(name);
    json_t *meant = value_of_text(f, value);
    int code = VD_OK;
    if (!meant)
        code = vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the configuration.");
    else if (!f)
        code = refuse_name(name, meant, refusal, error);
    else if (!put_value(f, meant, max_fps, config))
        code = refuse_value(f, meant, max_fps, refusal, error);
    json_decref(meant);
    return code;
}

/* --- Telling it back */

/* Thresholds that were floats once: 0.45, not 0.449999988. */
static json_t *share_to_json(double share)
{
    return json_real(round(share * 1e6) / 1e6);
}

json_t *vd_session_config_to_json(const vd_session_config *config)
{
    return json_pack("{s:i, s:o, s:o, s:b, s:s, s:i}", "fps_limit", config->fps_limit, "confidence_threshold",
                     share_to_json(config->confidence_threshold), "iou_threshold",
                     share_to_json(config->iou_threshold), "enable_tracking", (int)config->enable_tracking,
                     "quality_mode", vd_quality_mode_name(config->quality_mode), "max_detections",
                     config->max_detections);
}
