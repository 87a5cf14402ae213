/* What is asked of detection: options over settings over defaults, and the detector made from them. */
#ifndef APP_REQUEST_H
#define APP_REQUEST_H

#include "options.h"
#include "vedette/app/models.h"
#include "vedette/app/settings.h"
#include "vedette/detector.h"
#include "vedette/run.h"

typedef struct cli_request {
    /* options; NULL and negative: not given */
    const char *model, *labels, *classes, *config, *input, *precision, *device;
    double confidence, iou;
    int64_t workers;

    /* made by cli_request_prepare */
    vd_settings settings;
    vd_detector_options network; /* input size, precision and device alone */

    /* made by cli_request_select_model: what was asked for, else what suits the model */
    vd_thresholds thresholds;

    vd_detector *detector;
    char detector_model[512];
} cli_request;

#define CLI_REQUEST_INIT                                                                                     \
    {                                                                                                        \
        .confidence = -1, .iou = -1, .workers = 0                                                            \
    }

/* The rows that say what a network computes in. */
#define CLI_NETWORK_OPTIONS(request)                                                                         \
    {.name = "input",                                                                                        \
     .kind = CLI_TEXT,                                                                                       \
     .target = &(request)->input,                                                                            \
     .value = "N|WxH",                                                                                       \
     .doc = "pixels that the network looks at, multiples of its stride, such as 640 or 640x384"},            \
        {.name = "precision",                                                                                \
         .kind = CLI_TEXT,                                                                                   \
         .target = &(request)->precision,                                                                    \
         .value = "P",                                                                                       \
         .doc = "what it computes in: fp32, or bf16 where the processor has it (fp32)"},                     \
    {                                                                                                        \
        .name = "device", .kind = CLI_TEXT, .target = &(request)->device, .value = "D",                      \
        .doc = "what computes: cpu, opencl, cuda or openvino (cpu)"                                          \
    }

/* The rows of an option table that belong to a request. */
#define CLI_REQUEST_OPTIONS(request)                                                                         \
    {.name = "model",                                                                                        \
     .kind = CLI_TEXT,                                                                                       \
     .target = &(request)->model,                                                                            \
     .value = "M",                                                                                           \
     .doc = "a model file, builtin:people, builtin:motion or demo"},                                         \
        {.name = "labels",                                                                                   \
         .kind = CLI_TEXT,                                                                                   \
         .target = &(request)->labels,                                                                       \
         .value = "F",                                                                                       \
         .doc = "a text file with one class name a line"},                                                   \
        {.name = "conf",                                                                                     \
         .kind = CLI_NUMBER,                                                                                 \
         .target = &(request)->confidence,                                                                   \
         .least = 0.0001,                                                                                    \
         .most = 1,                                                                                          \
         .value = "X",                                                                                       \
         .doc = "the least score that counts, 0.0001 to 1 (what suits the model, mostly 0.25)"},             \
        {.name = "iou",                                                                                      \
         .kind = CLI_NUMBER,                                                                                 \
         .target = &(request)->iou,                                                                          \
         .least = 0,                                                                                         \
         .most = 1,                                                                                          \
         .value = "X",                                                                                       \
         .doc = "boxes of a class that overlap more are one object, 0 to 1 (0.45)"},                         \
        {.name = "classes",                                                                                  \
         .kind = CLI_TEXT,                                                                                   \
         .target = &(request)->classes,                                                                      \
         .value = "A,B",                                                                                     \
         .doc = "only these classes, by name"},                                                              \
        CLI_NETWORK_OPTIONS(request),                                                                        \
    {                                                                                                        \
        .name = "config", .kind = CLI_TEXT, .target = &(request)->config, .value = "F",                      \
        .doc = "a settings file instead of the user's own"                                                   \
    }

/* Reads the settings and puts the options over them. A cli_status; the sentence has been printed. */
int cli_request_prepare(cli_request *request);

/* The same with no settings but the defaults. */
int cli_request_prepare_plain(cli_request *request);

/* The file behind a model's name, see vd_model_find. A cli_status; the sentence has been printed. */
int cli_find_model(const char *model, char out[static VD_MODEL_PATH]);

/* Where a source on the command line is: the name of a camera in the settings stands for its address.
 * Borrowed.
 *
 * ret_model  that camera's own model, or NULL */
const char *cli_request_resolve(const cli_request *request, const char *source, const char **ret_model);

/* Makes the detector for a source, unless the one there is fits. A cli_status; the sentence has been printed.
 */
int cli_request_select_model(cli_request *request, const char *address, const char *camera_model);

/* The options for a run over `address`, with the time-outs of the settings. Borrows from the request. */
vd_run_options cli_request_run_options(const cli_request *request, const char *address);

void cli_request_clear(cli_request *request);

/* What a run that gave no frame ended in, as a cli_status; prints why. */
int cli_report_refused(int code, const vd_error *error);

#endif
