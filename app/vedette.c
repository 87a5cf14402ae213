/* The window's program: reads the options, starts GTK, and sees to it that closing takes no longer than a
 * second. */
#include <glib-unix.h>
#include <gtk/gtk.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ui/window.h"
#include "vedette/app/camera.h"
#include "vedette/app/settings.h"

enum { INPUT_MIN = 32, INPUT_MAX = 4096 };
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_INTERRUPTED = 130 };

/* How long closed cameras may take to end before the program goes without them. */
#define CLOSE_NS INT64_C(800000000)
/* By then the streaming interface must have ended too, which was asked to before them. */
#define CLOSE_ALL_US INT64_C(900000)

typedef struct arguments {
    char *model, *labels, *confidence, *iou, *input, *precision, *device, *config, **sources;
    gboolean fullscreen, kiosk, version;
} arguments;

typedef struct program {
    arguments args;
    vd_settings settings;
    vd_error settings_error; /* code 0: none */
    vd_verifiers *verifiers;
    vd_serving *serving;
    VdWindow *window;
    int status;
} program;

static int complain(const char *sentence)
{
    fprintf(stderr, "vedette: %s\n", sentence);
    return STATUS_USAGE;
}

static int parse(arguments *args, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"model", 0, 0, G_OPTION_ARG_FILENAME, &args->model,
         "A model: a file, builtin:people, builtin:motion or demo", "M"},
        {"labels", 0, 0, G_OPTION_ARG_FILENAME, &args->labels, "A file with one class name a line", "F"},
        {"conf", 0, 0, G_OPTION_ARG_STRING, &args->confidence, "The least score that counts, 0.05 to 1", "X"},
        {"iou", 0, 0, G_OPTION_ARG_STRING, &args->iou, "Overlap from which two boxes are one object, 0 to 1",
         "X"},
        {"input", 0, 0, G_OPTION_ARG_STRING, &args->input,
         "Pixels that a network looks at, such as 640 or 640x384", "N|WxH"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &args->precision, "What it computes in: fp32 or bf16", "P"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &args->device, "What computes: cpu, opencl, cuda or openvino",
         "D"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &args->config, "A settings file", "F"},
        {"fullscreen", 0, 0, G_OPTION_ARG_NONE, &args->fullscreen, "Begin in full screen", NULL},
        {"kiosk", 0, 0, G_OPTION_ARG_NONE, &args->kiosk, "Nothing but the picture, in full screen", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &args->version, "Print the version", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &args->sources, NULL, "[SOURCE]"},
        {0}};
    GError *error = NULL;
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_summary(
        context, "Watches cameras and clips, with boxes that belong to the picture on screen.\n"
                 "SOURCE is a file, /dev/videoN, rtsp://…, http(s)://…, demo:, or the name of "
                 "a camera in the settings.");
    g_option_context_add_main_entries(context, entries, NULL);
    bool good = g_option_context_parse(context, argc, argv, &error);
    g_option_context_free(context);
    if (good)
        return STATUS_OK;
    char *sentence = g_strdup_printf("%s; vedette --help lists what there is.", error->message);
    complain(sentence);
    g_free(sentence);
    g_clear_error(&error);
    return STATUS_USAGE;
}

/* Reads `text`, when it was given, over *value. Numbers never depend on the locale. */
static int read_number(const char *option, const char *text, double low, double high, double *value)
{
    char *end, sentence[160];
    if (!text)
        return STATUS_OK;
    double number = g_ascii_strtod(text, &end);
    if (end != text && !*end && isfinite(number) && number >= low && number <= high) {
        *value = number;
        return STATUS_OK;
    }
    g_snprintf(sentence, sizeof sentence, "--%s wants a number from %g to %g, not “%.40s”.", option, low,
               high, text);
    return complain(sentence);
}

/* `640` or `640x384`. */
static int read_input(const char *text, vd_settings *settings)
{
    guint64 width = 0, height = 0;
    char **sides = text ? g_strsplit(text, "x", 2) : NULL, sentence[160];
    if (!text)
        return STATUS_OK;
    bool good = sides[0] && g_ascii_string_to_unsigned(sides[0], 10, INPUT_MIN, INPUT_MAX, &width, NULL) &&
                (!sides[1] || g_ascii_string_to_unsigned(sides[1], 10, INPUT_MIN, INPUT_MAX, &height, NULL));
    g_strfreev(sides);
    settings->input_size = (int)width;
    settings->input_height = (int)height;
    if (good)
        return STATUS_OK;
    g_snprintf(sentence, sizeof sentence,
               "--input wants a size in pixels from %d to %d, such as 640 or 640x384, not “%.40s”.",
               INPUT_MIN, INPUT_MAX, text);
    return complain(sentence);
}

/* One word of a few, over what the settings have. */
static int read_word(const char *option, const char *text, const char *const *words, char *value, size_t size)
{
    char *list, *sentence;
    if (!text)
        return STATUS_OK;
    if (g_strv_contains(words, text)) {
        g_strlcpy(value, text, size);
        return STATUS_OK;
    }
    list = g_strjoinv(", ", (char **)words);
    sentence = g_strdup_printf("--%s wants one of %s, not “%.40s”.", option, list, text);
    int status = complain(sentence);
    g_free(sentence);
    g_free(list);
    return status;
}

static int read_network(const arguments *args, vd_settings *settings)
{
    static const char *const precisions[] = {"fp32", "bf16", NULL};
    static const char *const devices[] = {"cpu", "opencl", "cuda", "openvino", NULL};
    int status = read_input(args->input, settings);
    if (status == STATUS_OK)
        status = read_word("precision", args->precision, precisions, settings->precision,
                           sizeof settings->precision);
    if (status == STATUS_OK)
        status = read_word("device", args->device, devices, settings->device, sizeof settings->device);
    return status;
}

/* Wrong settings are shown in the window, which then runs on the defaults. */
static void read_settings(program *p)
{
    char path[512];
    vd_settings_init(&p->settings);
    if (p->args.config)
        g_strlcpy(path, p->args.config, sizeof path);
    else
        vd_settings_default_path(path, sizeof path);
    if (!p->args.config && !g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    if (vd_settings_read(path, &p->settings, &p->settings_error) == VD_OK)
        p->settings_error.code = VD_OK;
}

static int prepare(program *p)
{
    const arguments *args = &p->args;
    int status;
    if (args->sources && args->sources[0] && args->sources[1])
        return complain("One source at a time can be shown; start another window for the next.");
    read_settings(p);
    status = read_number("conf", args->confidence, 0.05, 1, &p->settings.confidence);
    if (status == STATUS_OK)
        status = read_number("iou", args->iou, 0, 1, &p->settings.iou);
    p->settings.confidence_given = p->settings.confidence_given || args->confidence;
    p->settings.iou_given = p->settings.iou_given || args->iou;
    if (status == STATUS_OK)
        status = read_network(args, &p->settings);
    if (status == STATUS_OK && args->labels)
        g_strlcpy(p->settings.labels, args->labels, sizeof p->settings.labels);
    return status;
}

static gboolean interrupted(gpointer data)
{
    program *p = data;
    p->status = STATUS_INTERRUPTED;
    if (p->window)
        gtk_widget_destroy(GTK_WIDGET(p->window));
    return G_SOURCE_CONTINUE;
}

static void activate(GtkApplication *application, program *p)
{
    const arguments *args = &p->args;
    vd_window_options options = {.settings = &p->settings,
                                 .verifiers = p->verifiers,
                                 .serving = p->serving,
                                 .error = p->settings_error.code ? &p->settings_error : NULL,
                                 .source = args->sources ? args->sources[0] : NULL,
                                 .model = args->model,
                                 .labels = args->labels,
                                 .fullscreen = args->fullscreen,
                                 .kiosk = args->kiosk};
    if (p->window)
        return;
    p->window = vd_window_new(application, &options);
    g_object_add_weak_pointer(G_OBJECT(p->window), (gpointer *)&p->window);
}

static int run(program *p, const char *name)
{
    gtk_disable_setlocale();
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* one decimal point in window, labels and files */
    g_set_application_name("Vedette");
    if (!gtk_init_check(NULL, NULL)) {
        fprintf(stderr, "vedette: There is no display to open a window on; vedette-cli works without one.\n");
        return STATUS_FAILED;
    }
    p->verifiers = vd_verifiers_new();
    p->serving = vd_serving_new();
    char *argv[] = {g_strdup(name), NULL};
    GtkApplication *application = gtk_application_new("org.vedette.Vedette", G_APPLICATION_NON_UNIQUE);
    g_signal_connect(application, "activate", G_CALLBACK(activate), p);
    guint on_int = g_unix_signal_add(SIGINT, interrupted, p),
          on_term = g_unix_signal_add(SIGTERM, interrupted, p);
    int status = g_application_run(G_APPLICATION(application), 1, argv);
    g_source_remove(on_int);
    g_source_remove(on_term);
    g_object_unref(application);
    g_free(argv[0]);
    return p->status ? p->status : status;
}

static void free_arguments(arguments *args)
{
    g_free(args->model);
    g_free(args->labels);
    g_free(args->confidence);
    g_free(args->iou);
    g_free(args->input);
    g_free(args->precision);
    g_free(args->device);
    g_free(args->config);
    g_strfreev(args->sources);
}

int main(int argc, char **argv)
{
    static program p;
    setlocale(LC_CTYPE, "");
    int status = parse(&p.args, &argc, &argv);
    if (status == STATUS_OK && p.args.version)
        puts("vedette " VD_VERSION);
    else if (status == STATUS_OK)
        status = prepare(&p);
    if (status == STATUS_OK && !p.args.version)
        status = run(&p, argv[0]);
    free_arguments(&p.args);
    /* A camera that hangs in a driver, or a model that loads, must not keep the program, nor meet its exit
     * handlers. */
    int64_t deadline_us = g_get_monotonic_time() + CLOSE_ALL_US;
    bool closed = vd_camera_join_closed(CLOSE_NS);
    if (p.serving)
        closed = vd_serving_join(p.serving, deadline_us - g_get_monotonic_time()) && closed;
    if (!closed) {
        fflush(NULL);
        _exit(status);
    }
    vd_serving_free(&p.serving);
    vd_verifiers_free(&p.verifiers);
    return status;
}
