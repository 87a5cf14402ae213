/* vedette-cli check-model: what a model file is, or the one-line refusal. */
#include <string.h>

#include "cli.h"
#include "json_line.h"
#include "options.h"
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

static void print_words(const vd_model_info *info)
{
    printf("%s\n  family         %s\n", info->name, info->family);
    printf("  input          %s, %d × %d pixels\n", info->input_name, info->input_width, info->input_height);
    printf("  preprocessing  %s\n", info->preprocessing);
    printf("  output         %s, [", info->output_name);
    for (int i = 0; i < info->output_rank; i++)
        printf("%s%d", i ? ", " : "", info->output_extents[i]);
    printf("]\n  classes        %d: ", info->classes);
    for (int i = 0; i < info->classes && i < NAMES_SHOWN; i++)
        printf("%s%s", i ? ", " : "", vd_labels_name(info->labels, i));
    puts(info->classes > NAMES_SHOWN ? ", …" : "");
    if (!info->has_names)
        puts("                 the file has no class names: give --labels");
    printf("  SHA-256        %s\n", info->digest);
    for (int i = 0; i < info->note_count; i++)
        printf("  %-14s %s\n", i ? "" : "notes", info->notes[i]);
}

static void print_json(const vd_model_info *info)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"name", info->name},
                 {"family", info->family},
                 {"input_name", info->input_name},
                 {"preprocessing", info->preprocessing},
                 {"output_name", info->output_name},
                 {"sha256", info->digest}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        printf("%s\"%s\":", i ? "," : "{", texts[i].key);
        cli_json_text(stdout, texts[i].text);
    }
    printf(",\"input\":[%d,%d],\"output\":[", info->input_width, info->input_height);
    for (int i = 0; i < info->output_rank; i++)
        printf("%s%d", i ? "," : "", info->output_extents[i]);
    printf("],\"has_names\":%s,\"classes\":[", info->has_names ? "true" : "false");
    for (int i = 0; i < info->classes; i++) {
        fputs(i ? "," : "", stdout);
        cli_json_text(stdout, vd_labels_name(info->labels, i));
    }
    fputs("],\"notes\":[", stdout);
    for (int i = 0; i < info->note_count; i++) {
        fputs(i ? "," : "", stdout);
        cli_json_text(stdout, info->notes[i]);
    }
    puts("]}");
}

static int describe_file(const char *path, const char *labels, bool json)
{
    static vd_model_info info;
    vd_error error = {0};
    int code = vd_model_describe(path, labels, &info, &error);
    if (code != VD_OK) {
        cli_complain_error(&error);
        return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
    }
    if (json)
        print_json(&info);
    else
        print_words(&info);
    vd_model_info_clear(&info);
    return CLI_DONE;
}

int cmd_check_model(int argc, char **argv)
{
    const char *labels = NULL;
    bool json = false;
    const cli_option options[] = {
        {"labels", CLI_TEXT, &labels, 0, 0, "F", "a text file with one class name a line"},
        {"json", CLI_FLAG, &json, 0, 0, NULL, "one JSON object instead of words"},
    };
    const cli_usage usage = {.command = "check-model",
                             .operands = "M",
                             .text = "M is a model file, builtin:people or builtin:motion.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 1,
                             .most_operands = 1};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (strncmp(argv[1], "builtin:", 8) == 0)
        return describe_builtin(argv[1], json);
    return describe_file(argv[1], labels, json);
}
