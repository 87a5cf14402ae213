#include "serve_cameras.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "vedette/app/camera.h"
#include "vedette/app/models.h"

enum { REOPEN_S = 10, CLOSE_S = 5 };
/* Nobody looks at the pictures: they are scaled to next to nothing. */
enum { VIEW_WIDTH = 32, VIEW_HEIGHT = 18 };

struct camera {
    const vd_camera_settings *of;
    vd_camera *camera; /* NULL: could not be opened */
    uint32_t model_serial;
    vd_camera_state told;
    vd_model_state told_model;
};

struct cli_cameras {
    const vd_settings *settings;
    vd_serve *serve;
    vd_verifier *verifier; /* NULL: stage 2 is off */
    bool verifies_all;     /* else what the demonstration's detector finds */
    int count;
    struct camera list[VD_MAX_CAMERAS];
};

static const char *model_of(const vd_settings *settings, const vd_camera_settings *camera)
{
    if (camera->model[0] != '\0')
        return camera->model;
    return settings->model[0] != '\0' ? settings->model : vd_model_default(camera->address);
}

static bool is_demo(const vd_settings *settings, const vd_camera_settings *camera)
{
    return strcmp(model_of(settings, camera), VD_MODEL_DEMO) == 0;
}

/* --- Stage 2 */

/* As in the window: that of the settings for all cameras; without one, the demonstration's for its own
 * detector. */
static bool choose_verifier(cli_cameras *cameras, vd_verify_options *options)
{
    const vd_settings *settings = cameras->settings;
    char path[VD_MODEL_PATH];
    bool demo = false;
    cameras->verifies_all = vd_verify_options_from_settings(settings, options);
    if (cameras->verifies_all)
        return true;
    for (int i = 0; i < settings->camera_count; i++)
        demo = demo || is_demo(settings, &settings->cameras[i]);
    if (!demo || settings->step2.enabled_given ||
        vd_model_find_verifier(VD_MODEL_DEMO, path, NULL) != VD_OK ||
        strlen(path) >= sizeof options->model_path)
        return false;
    strcpy(options->model_path, path);
    return true;
}

static void start_verifier(cli_cameras *cameras)
{
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    vd_error error = {0};
    char path[VD_MODEL_PATH];
    if (!choose_verifier(cameras, &options))
        return;
    if (vd_model_find_verifier(options.model_path, path, &error) != VD_OK ||
        vd_verifier_new(&options, NULL, NULL, &cameras->verifier, &error) != VD_OK)
        cli_complain_error(&error);
}

/* --- Cameras */

static vd_camera_options options_of(const cli_cameras *cameras, const vd_camera_settings *camera)
{
    const vd_settings *settings = cameras->settings;
    vd_camera_options options = VD_CAMERA_OPTIONS_INIT;
    bool is_own = camera->model[0] != '\0';
    options.address = camera->address;
    options.name = camera->name;
    options.model = model_of(settings, camera);
    options.labels = !is_own && settings->labels[0] != '\0' ? settings->labels : NULL;
    options.input_width = options.input_height = settings->input_size;
    options.precision = strcmp(settings->precision, "bf16") == 0 ? VD_PRECISION_BF16 : VD_PRECISION_FP32;
    options.device = settings->device;
    options.thresholds.confidence = (float)settings->confidence;
    options.thresholds.iou = (float)settings->iou;
    options.thresholds.max_detections = settings->max_detections;
    options.loop = settings->loop;
    options.source.open_timeout_ns = (int64_t)(settings->open_timeout_s * 1e9);
    options.source.stall_timeout_ns = (int64_t)(settings->stall_timeout_s * 1e9);
    options.source.rtsp_transport = settings->rtsp_transport;
    vd_camera_options_from_settings(settings, &options);
    if (cameras->verifies_all || is_demo(settings, camera))
        options.verifier = cameras->verifier;
    return options;
}

static void open_camera(cli_cameras *cameras, struct camera *camera)
{
    vd_error error = {0};
    vd_camera_options options = options_of(cameras, camera->of);
    camera->model_serial = 0;
    camera->told_model = VD_MODEL_LOADING;
    if (vd_camera_open(&options, &camera->camera, &error) == VD_OK) {
        vd_camera_set_view_size(camera->camera, VIEW_WIDTH, VIEW_HEIGHT);
        if (vd_serve_add_camera(cameras->serve, camera->of->name, camera->camera, &error) == VD_OK) {
            if (options.verifier)
                vd_serve_set_verifier(cameras->serve, options.verifier);
            return;
        }
        vd_camera_close(&camera->camera);
    }
    cli_complain_error(&error);
}

cli_cameras *cli_cameras_open(const vd_settings *settings, vd_serve *serve)
{
    cli_cameras *cameras = calloc(1, sizeof *cameras);
    if (!cameras) {
        cli_complain("There is not enough memory for the cameras.");
        return NULL;
    }
    cameras->settings = settings;
    cameras->serve = serve;
    start_verifier(cameras);
    for (int i = 0; i < settings->camera_count; i++) {
        struct camera *camera = &cameras->list[cameras->count++];
        camera->of = &settings->cameras[i];
        open_camera(cameras, camera);
    }
    return cameras;
}

/* What suits the model, unless the settings say something else; their classes, as far as it knows them. */
static void suit_model(const vd_settings *settings, struct camera *camera, const vd_camera_status *status)
{
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_labels *labels = vd_camera_get_labels(camera->camera);
    thresholds.confidence = settings->confidence_given ? (float)settings->confidence : status->confidence;
    thresholds.iou = settings->iou_given ? (float)settings->iou : status->iou;
    thresholds.max_detections = settings->max_detections;
    for (int i = 0; labels && i < settings->class_count; i++) {
        int id = vd_labels_find(labels, settings->classes[i]);
        if (id >= 0 && id < 1024)
            thresholds.classes[id / 64] |= UINT64_C(1) << (id % 64);
    }
    vd_labels_unref(&labels);
    vd_camera_set_thresholds(camera->camera, &thresholds);
    camera->model_serial = status->model_serial;
}

static void tell(struct camera *camera, const vd_camera_status *status)
{
    if (status->model_state == VD_MODEL_FAILED && camera->told_model != VD_MODEL_FAILED)
        cli_complain("%s has no detector: %s", camera->of->name, status->model_error.text);
    camera->told_model = status->model_state;
    if (status->state == camera->told)
        return;
    if (status->state == VD_CAMERA_FAILED)
        cli_complain("%s failed: %s", camera->of->name, status->error.text);
    else if (status->state == VD_CAMERA_PLAYING && camera->told == VD_CAMERA_FAILED)
        cli_complain("%s is back.", camera->of->name);
    if (status->state != VD_CAMERA_CONNECTING || camera->told != VD_CAMERA_FAILED) /* till it is back */
        camera->told = status->state;
}

static void look(cli_cameras *cameras, struct camera *camera)
{
    vd_camera_status status;
    vd_camera_get_status(camera->camera, &status);
    if (status.model_serial != camera->model_serial)
        suit_model(cameras->settings, camera, &status);
    tell(camera, &status);
    bool is_over = status.state == VD_CAMERA_FAILED && vd_source_address_is_live(camera->of->address) &&
                   cli_now_ns() - status.since_ns >= REOPEN_S * INT64_C(1000000000);
    if (!is_over)
        return;
    vd_camera_close(&camera->camera);
    open_camera(cameras, camera);
}

void cli_cameras_look(cli_cameras *cameras)
{
    for (int i = 0; i < cameras->count; i++)
        if (cameras->list[i].camera)
            look(cameras, &cameras->list[i]);
}

bool cli_cameras_close(cli_cameras **pointer)
{
    cli_cameras *cameras = *pointer;
    *pointer = NULL;
    if (!cameras)
        return true;
    vd_serve_set_verifier(cameras->serve, NULL);
    for (int i = 0; i < cameras->count; i++)
        vd_camera_close(&cameras->list[i].camera);
    if (cameras->verifier)
        vd_verifier_stop(cameras->verifier);
    bool done = vd_camera_join_closed(CLOSE_S * INT64_C(1000000000));
    if (done)
        vd_verifier_free(&cameras->verifier);
    free(cameras);
    return done;
}
