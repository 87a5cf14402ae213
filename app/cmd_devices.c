/* vedette-cli devices: cameras, what OpenCV can compute with, hardware decoders. */
#include <string.h>

#include "cli.h"
#include "json_line.h"
#include "options.h"
#include "vedette/app/devices.h"

static const char none[] = "  none";

static void print_cameras(const vd_device_list *list)
{
    puts("Cameras");
    for (int i = 0; i < list->camera_count; i++)
        printf("  %-12s %s\n", list->cameras[i].path,
               list->cameras[i].may_not_open ? "may not be opened; add your user to the group 'video'"
                                             : list->cameras[i].name);
    if (list->camera_count == 0)
        puts(none);
}

static void print_devices(const vd_device_list *list)
{
    puts("Devices for --device");
    for (int i = 0; i < list->device_count; i++) {
        printf("  %-12s %s", list->devices[i].name, list->devices[i].available ? "yes" : "no");
        if (strcmp(list->devices[i].name, "cpu") == 0)
            printf("  %s%sprecision fp32%s", list->onednn, list->onednn[0] ? ", " : "",
                   list->has_bf16 ? " and bf16" : " (this processor has no bf16)");
        puts("");
    }
}

static void print_backends(const vd_device_list *list)
{
    printf("OpenCV %s's backends and targets\n", list->opencv);
    for (int i = 0; i < list->backend_count; i++)
        printf("  %-12s %s\n", list->backends[i].backend, list->backends[i].target);
    if (list->backend_count == 0)
        puts(none);
}

static void print_decoders(const vd_device_list *list)
{
    puts("Hardware decoders");
    for (int i = 0; i < list->decoder_count; i++)
        printf("  %-12s %s\n", list->decoders[i].name, list->decoders[i].works ? "yes" : "no");
    if (list->decoder_count == 0)
        puts(none);
}

static void print_pair(bool first, const char *key, const char *value)
{
    printf("%s\"%s\":", first ? "{" : ",", key);
    cli_json_text(stdout, value);
}

static void print_json(const vd_device_list *list)
{
    fputs("{\"cameras\":[", stdout);
    for (int i = 0; i < list->camera_count; i++) {
        fputs(i ? "," : "", stdout);
        print_pair(true, "path", list->cameras[i].path);
        print_pair(false, "name", list->cameras[i].name);
        printf(",\"readable\":%s}", list->cameras[i].may_not_open ? "false" : "true");
    }
    fputs("],\"devices\":[", stdout);
    for (int i = 0; i < list->device_count; i++) {
        fputs(i ? "," : "", stdout);
        print_pair(true, "name", list->devices[i].name);
        printf(",\"available\":%s}", list->devices[i].available ? "true" : "false");
    }
    fputs("],\"backends\":[", stdout);
    for (int i = 0; i < list->backend_count; i++) {
        fputs(i ? "," : "", stdout);
        print_pair(true, "backend", list->backends[i].backend);
        print_pair(false, "target", list->backends[i].target);
        fputs("}", stdout);
    }
    fputs("],\"decoders\":[", stdout);
    for (int i = 0; i < list->decoder_count; i++) {
        fputs(i ? "," : "", stdout);
        print_pair(true, "name", list->decoders[i].name);
        printf(",\"available\":%s}", list->decoders[i].works ? "true" : "false");
    }
    fputs("]", stdout);
    print_pair(false, "opencv", list->opencv);
    if (list->onednn[0])
        print_pair(false, "onednn", list->onednn);
    printf(",\"precisions\":[\"fp32\"%s]}\n", list->has_bf16 ? ",\"bf16\"" : "");
}

int cmd_devices(int argc, char **argv)
{
    bool json = false;
    const cli_option options[] = {
        {"json", CLI_FLAG, &json, 0, 0, NULL, "one JSON object instead of words"},
    };
    const cli_usage usage = {
        .command = "devices",
        .operands = "",
        .text = "A device that is listed is tried when a detector starts; where it fails, the "
                "processor computes.\n",
        .options = options,
        .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    static vd_device_list list;
    vd_error error = {0};
    if (vd_devices_list(&list, &error) != VD_OK) {
        cli_complain_error(&error);
        return CLI_FAILED;
    }
    if (json) {
        print_json(&list);
        return CLI_DONE;
    }
    print_cameras(&list);
    print_devices(&list);
    print_backends(&list);
    print_decoders(&list);
    return CLI_DONE;
}
