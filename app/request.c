#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "vedette/app/nearest.h"

enum { MAX_CLASS_ID = 1024, MAX_NAMES_COMPARED = 256, LEAST_INPUT = 32, MOST_INPUT = 4096 };

static int read_settings(cli_request *request)
{
    char path[512];
    vd_error error = {0};
    vd_settings_init(&request->settings);
    if (request->config)
        snprintf(path, sizeof path, "%s", request->config);
    else
        vd_settings_default_path(path, sizeof path);
    int code = vd_settings_read(path, &request->settings, &error);
    if (code == VD_OK || (code == VD_ENOTFOUND && !request->config))
        return CLI_DONE;
    cli_complain_error(&error);
    return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}

/* `640` or `640x384`. */
static int read_input(const char *text, int *ret_width, int *ret_height)
{
    char *end;
    long width = strtol(text, &end, 10), height = width;
    bool good = end != text && text[0] >= '0' && text[0] <= '9';
    if (good && (*end == 'x' || *end == 'X')) {
        const char *rest = end + 1;
        height = strtol(rest, &end, 10);
        good = end != rest && rest[0] >= '0' && rest[0] <= '9';
    }
    if (!good || *end != '\0' || width < LEAST_INPUT || width > MOST_INPUT || height < LEAST_INPUT ||
        height > MOST_INPUT) {
        cli_complain("--input is \"%s\"; it must be a size in pixels from %d to %d, such as 640 or 640x384.",
                     text, LEAST_INPUT, MOST_INPUT);
        return CLI_WRONG;
    }
    *ret_width = (int)width;
    *ret_height = (int)height;
    return CLI_DONE;
}

static int read_precision(const char *text, vd_precision *ret_precision)
{
    if (strcmp(text, "fp32") == 0)
        *ret_precision = VD_PRECISION_FP32;
    else if (strcmp(text, "bf16") == 0)
        *ret_precision = VD_PRECISION_BF16;
    else {
        cli_complain("--precision is \"%s\"; it must be fp32 or bf16.", text);
        return CLI_WRONG;
    }
    return CLI_DONE;
}

static int check_device(const char *text)
{
    static const char *const devices[] = {"cpu", "opencl", "cuda", "openvino"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (strcmp(text, devices[i]) == 0)
            return CLI_DONE;
    const char *nearest = vd_nearest_word(text, devices, sizeof devices / sizeof *devices);
    cli_complain("--device is \"%s\"; it must be cpu, opencl, cuda or openvino%s%s%s", text,
                 nearest ? "; did you mean " : ".", nearest ? nearest : "", nearest ? "?" : "");
    return CLI_WRONG;
}

/* Options over settings. */
static int apply(cli_request *request)
{
    vd_detector_options *network = &request->network;
    *network = (vd_detector_options)VD_DETECTOR_OPTIONS_INIT;
    network->input_width = network->input_height = request->settings.input_size;
    network->device = request->device ? request->device : request->settings.device;
    int status =
        request->input ? read_input(request->input, &network->input_width, &network->input_height) : CLI_DONE;
    if (status == CLI_DONE)
        status = read_precision(request->precision ? request->precision : request->settings.precision,
                                &network->precision);
    if (status == CLI_DONE)
        status = check_device(network->device);
    if (request->confidence < 0 && request->settings.confidence_given)
        request->confidence = request->settings.confidence;
    if (request->iou < 0 && request->settings.iou_given)
        request->iou = request->settings.iou;
    return status;
}

int cli_request_prepare(cli_request *request)
{
    int status = read_settings(request);
    return status == CLI_DONE ? apply(request) : status;
}

int cli_request_prepare_plain(cli_request *request)
{
    vd_settings_init(&request->settings);
    return apply(request);
}

const char *cli_request_resolve(const cli_request *request, const char *source, const char **ret_model)
{
    const vd_settings *settings = &request->settings;
    *ret_model = NULL;
    for (int i = 0; i < settings->camera_count; i++) {
        const vd_camera_settings *camera = &settings->cameras[i];
        if (strcmp(camera->name, source) != 0)
            continue;
        if (camera->model[0] != '\0')
            *ret_model = camera->model;
        return camera->address;
    }
    return source;
}

/* The settings' labels are those of a file that the user brings. */
static bool has_own_names(const char *model)
{
    return strncmp(model, "builtin:", 8) == 0 || strcmp(model, VD_MODEL_DEMO) == 0;
}

int cli_find_model(const char *model, char out[static VD_MODEL_PATH])
{
    vd_error error = {0};
    if (vd_model_find(model, out, &error) == VD_OK)
        return CLI_DONE;
    cli_complain_error(&error);
    return CLI_WRONG;
}

static const char *choose_model(const cli_request *request, const char *address, const char *camera_model)
{
    if (request->model)
        return request->model;
    if (camera_model)
        return camera_model;
    if (request->settings.model[0] != '\0')
        return request->settings.model;
    return vd_model_default(address);
}

static void refuse_class(const vd_labels *labels, const char *name, const char *model)
{
    const char *names[MAX_NAMES_COMPARED];
    int count = vd_labels_count(labels);
    if (count > MAX_NAMES_COMPARED)
        count = MAX_NAMES_COMPARED;
    for (int i = 0; i < count; i++)
        names[i] = vd_labels_name(labels, i);
    const char *nearest = vd_nearest_word(name, names, (size_t)count);
    if (nearest)
        cli_complain("%s knows no class \"%s\"; did you mean \"%s\"?", model, name, nearest);
    else
        cli_complain("%s knows no class \"%s\"; its first classes are %s%s%s.", model, name,
                     count > 0 ? names[0] : "unnamed", count > 1 ? ", " : "", count > 1 ? names[1] : "");
}

static bool want_class(vd_thresholds *thresholds, const vd_labels *labels, const char *name)
{
    int id = labels ? vd_labels_find(labels, name) : -1;
    if (id < 0 || id >= MAX_CLASS_ID)
        return false;
    thresholds->classes[id / 64] |= UINT64_C(1) << (id % 64);
    return true;
}

/* `--classes` names what this model must have. */
static int want_named_classes(cli_request *request, const vd_labels *labels, const char *model)
{
    char *names = strdup(request->classes), *rest = names, *name;
    if (!names) {
        cli_complain("There is not enough memory.");
        return CLI_FAILED;
    }
    int status = CLI_DONE;
    while (status == CLI_DONE && (name = strsep(&rest, ","))) {
        name += strspn(name, " ");
        for (size_t length = strlen(name); length > 0 && name[length - 1] == ' '; length--)
            name[length - 1] = '\0';
        if (!want_class(&request->thresholds, labels, name)) {
            refuse_class(labels, name, model);
            status = CLI_WRONG;
        }
    }
    free(names);
    return status;
}

/* The settings' names are meant for many models: what this one lacks is passed over. */
static int want_usual_classes(cli_request *request, const vd_labels *labels, const char *model)
{
    int known = 0;
    for (int i = 0; i < request->settings.class_count; i++)
        known += want_class(&request->thresholds, labels, request->settings.classes[i]);
    if (known == 0 && request->settings.class_count > 0) {
        cli_complain("%s knows none of the classes in detection.classes of %s; give --classes.", model,
                     request->settings.path);
        return CLI_WRONG;
    }
    return CLI_DONE;
}

static int want_classes(cli_request *request)
{
    const vd_labels *labels = vd_detector_labels(request->detector);
    const char *model = vd_detector_name(request->detector);
    memset(request->thresholds.classes, 0, sizeof request->thresholds.classes);
    if (request->classes)
        return want_named_classes(request, labels, model);
    return want_usual_classes(request, labels, model);
}

static int make_detector(cli_request *request, const char *model)
{
    vd_error error = {0};
    vd_detector_options options = request->network;
    char path[VD_MODEL_PATH];
    int status = cli_find_model(model, path);
    if (status != CLI_DONE)
        return status;
    options.model = path;
    options.labels = request->labels;
    if (!options.labels && request->settings.labels[0] != '\0' && !has_own_names(model))
        options.labels = request->settings.labels;
    options.max_workers = (int)request->workers;
    if (request->confidence >= 0 && (float)request->confidence < options.floor)
        options.floor = (float)request->confidence;
    int code = vd_detector_new(&options, &request->detector, &error);
    if (code != VD_OK) {
        cli_complain_error(&error);
        return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
    }
    const char *engine = vd_detector_engine(request->detector);
    if (strcmp(options.device, "cpu") != 0 && *engine) /* whether it works shows only now */
        cli_complain("%s is computed by %s%s", vd_detector_name(request->detector), engine,
                     engine[strlen(engine) - 1] == '.' ? "" : ".");
    return CLI_DONE;
}

static void choose_thresholds(cli_request *request)
{
    request->thresholds = vd_detector_thresholds(request->detector);
    request->thresholds.max_detections = request->settings.max_detections;
    if (request->confidence >= 0)
        request->thresholds.confidence = (float)request->confidence;
    if (request->iou >= 0)
        request->thresholds.iou = (float)request->iou;
}

int cli_request_select_model(cli_request *request, const char *address, const char *camera_model)
{
    const char *model = choose_model(request, address, camera_model);
    if (request->detector && strcmp(model, request->detector_model) == 0) {
        vd_detector_reset(request->detector);
        return CLI_DONE;
    }
    vd_detector_free(&request->detector);
    int status = make_detector(request, model);
    if (status != CLI_DONE)
        return status;
    snprintf(request->detector_model, sizeof request->detector_model, "%s", model);
    choose_thresholds(request);
    return want_classes(request);
}

vd_run_options cli_request_run_options(const cli_request *request, const char *address)
{
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    options.address = address;
    options.detector = request->detector;
    options.cancel = cli_cancel();
    options.source.rtsp_transport = request->settings.rtsp_transport;
    options.source.open_timeout_ns = (int64_t)(request->settings.open_timeout_s * 1e9);
    options.source.stall_timeout_ns = (int64_t)(request->settings.stall_timeout_s * 1e9);
    return options;
}

void cli_request_clear(cli_request *request)
{
    vd_detector_free(&request->detector);
}

int cli_report_refused(int code, const vd_error *error)
{
    if (code == VD_ECANCELED)
        return vd_interrupted() ? CLI_INTERRUPTED : CLI_FAILED;
    cli_complain_error(error);
    return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}
