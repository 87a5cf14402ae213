/* vedette-cli check-model: what a model file is, or the one-line refusal. */
#include <string.h>

#include "cli.h"
#include "json_line.h"
#include "options.h"
#include "request.h"
#include "vedette/app/model_info.h"

enum { NAMES_SHOWN = 8 };

static const struct builtin {
    const char *name, *text;
} builtins[] = {
    {"builtin:people",
     "finds people by OpenCV's HOG descriptor and its trained classifier; it needs no file"},
    {"builtin:motion",
     "finds what moves in front of a fixed camera by OpenCV's MOG2 background model; it needs no file"},
};

static int describe_builtin(const char *name, bool json)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        if (strcmp(builtins[i].name, name) != 0)
            continue;
        if (json)
            printf("{\"name\":\"%s\",\"family\":\"built in\",\"notes\":[\"%s\"]}\n", name, builtins[i].text);
        else
            printf("%s %s.\n", name, builtins[i].text);
        return CLI_DONE;
    }
    cli_complain("There is no detector %s; there are builtin:people and builtin:motion.", name);
    return CLI_WRONG;
}

static void print_extents(const vd_model_info_output *output)
{
    for (int i = 0; i < output->rank; i++)
        printf("%s%d", i ? ", " : "[", output->extents[i]);
    putchar(']');
}

static void print_shapes(const vd_model_info *info)
{
    printf("  input          %s, %d × %d pixels", info->input_name, info->input_width, info->input_height);
    if (info->batch > 1)
        printf(", %d pictures a pass", info->batch);
    printf("\n  preprocessing  %s\n", info->preprocessing);
    for (int i = 0; i < info->output_count; i++) {
        printf("  %-14s %s, ", i ? "" : info->output_count > 1 ? "outputs" : "output", info->outputs[i].name);
        print_extents(&info->outputs[i]);
        putchar('\n');
    }
    for (int i = 0; i < info->level_count; i++)
        printf("%sstride %d: %d × %d", i ? ", " : "  grids          ", info->levels[i].stride,
               info->levels[i].width, info->levels[i].height);
    if (info->level_count > 0)
        putchar('\n');
}

static void print_words(const vd_model_info *info)
{
    printf("%s\n  family         %s\n  format         %s\n", info->name, info->family, info->format);
    print_shapes(info);
    printf("  classes        %d: ", info->classes);
    for (int i = 0; i < info->classes && i < NAMES_SHOWN; i++)
        printf("%s%s", i ? ", " : "", vd_labels_name(info->labels, i));
    puts(info->classes > NAMES_SHOWN ? ", …" : "");
    if (!info->has_names)
        puts("                 the file has no class names: give --labels");
    printf("  thresholds     confidence %.2f, ", (double)info->confidence);
    if (info->suppressed)
        puts("nothing is left to suppress");
    else
        printf("IoU %.2f\n", (double)info->iou);
    printf("  SHA-256        %s\n", info->digest);
    for (int i = 0; i < info->note_count; i++)
        printf("  %-14s %s\n", i ? "" : "notes", info->notes[i]);
}

static void print_json_outputs(const vd_model_info *info)
{
    fputs(",\"outputs\":[", stdout);
    for (int i = 0; i < info->output_count; i++) {
        fputs(i ? ",{\"name\":" : "{\"name\":", stdout);
        cli_json_text(stdout, info->outputs[i].name);
        fputs(",\"shape\":[", stdout);
        for (int k = 0; k < info->outputs[i].rank; k++)
            printf("%s%d", k ? "," : "", info->outputs[i].extents[k]);
        fputs("]}", stdout);
    }
    fputs("],\"grids\":[", stdout);
    for (int i = 0; i < info->level_count; i++)
        printf("%s{\"stride\":%d,\"width\":%d,\"height\":%d}", i ? "," : "", info->levels[i].stride,
               info->levels[i].width, info->levels[i].height);
    putchar(']');
}

/* A threshold with two decimals, by integers: the locale has no say. */
static void print_json_share(const char *key, float share)
{
    int hundredths = (int)(share * 100 + 0.5f);
    printf(",\"%s\":%d.%02d", key, hundredths / 100, hundredths % 100);
}

static void print_json(const vd_model_info *info, const char *precision, const char *engine)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"name", info->name},
                 {"family", info->family},
                 {"format", info->format},
                 {"input_name", info->input_name},
                 {"preprocessing", info->preprocessing},
                 {"sha256", info->digest}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        printf("%s\"%s\":", i ? "," : "{", texts[i].key);
        cli_json_text(stdout, texts[i].text);
    }
    printf(",\"input\":[%d,%d],\"batch\":%d", info->input_width, info->input_height, info->batch);
    print_json_outputs(info);
    print_json_share("confidence", info->confidence);
    print_json_share("iou", info->iou);
    printf(",\"suppressed\":%s,\"has_names\":%s,\"classes\":[", info->suppressed ? "true" : "false",
           info->has_names ? "true" : "false");
    for (int i = 0; i < info->classes; i++) {
        fputs(i ? "," : "", stdout);
        cli_json_text(stdout, vd_labels_name(info->labels, i));
    }
    fputs("],\"notes\":[", stdout);
    for (int i = 0; i < info->note_count; i++) {
        fputs(i ? "," : "", stdout);
        cli_json_text(stdout, info->notes[i]);
    }
    printf("],\"precision\":\"%s\",\"engine\":", precision);
    cli_json_text(stdout, engine);
    puts("}");
}

/* A whole file may still hold what nothing here can compute: only running it tells. */
static int try_network(const char *path, const cli_request *request, vd_detector **ret_detector)
{
    vd_error error = {0};
    vd_detector_options options = request->network;
    options.model = path;
    options.labels = request->labels;
    options.max_workers = 1;
    int code = vd_detector_new(&options, ret_detector, &error);
    if (code == VD_OK)
        return CLI_DONE;
    cli_complain_error(&error);
    return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}

static int describe_file(const char *model, const cli_request *request, bool json)
{
    static vd_model_info info;
    vd_error error = {0};
    char path[VD_MODEL_PATH];
    int status = cli_find_model(model, path);
    if (status != CLI_DONE)
        return status;
    int code = vd_model_describe(path, request->labels, request->network.input_width,
                                 request->network.input_height, &info, &error);
    if (code != VD_OK) {
        cli_complain_error(&error);
        return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
    }
    vd_detector *detector = NULL;
    status = try_network(path, request, &detector);
    const char *engine = status == CLI_DONE ? vd_detector_engine(detector) : "";
    const char *precision = request->network.precision == VD_PRECISION_BF16 ? "bf16" : "fp32";
    if (status == CLI_DONE && json) {
        print_json(&info, precision, engine);
    } else if (status == CLI_DONE) {
        print_words(&info);
        printf("  computed by    %s\n", engine);
    }
    vd_detector_free(&detector);
    vd_model_info_clear(&info);
    return status;
}

int cmd_check_model(int argc, char **argv)
{
    cli_request request = CLI_REQUEST_INIT;
    bool json = false;
    const cli_option options[] = {
        {"labels", CLI_TEXT, &request.labels, 0, 0, "F", "a text file with one class name a line"},
        CLI_NETWORK_OPTIONS(&request),
        {"json", CLI_FLAG, &json, 0, 0, NULL, "one JSON object instead of words"},
    };
    const cli_usage usage = {.command = "check-model",
                             .operands = "M",
                             .text = "M is a model file, builtin:people, builtin:motion or demo.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 1,
                             .most_operands = 1};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (strncmp(argv[1], "builtin:", 8) == 0)
        return describe_builtin(argv[1], json);
    status = cli_request_prepare_plain(&request);
    if (status == CLI_DONE)
        status = describe_file(argv[1], &request, json);
    cli_request_clear(&request);
    return status;
}
