/* vedette-cli: finds the command and runs it. The process stays in the C locale, so that numbers are written
 * and read with a point. The main thread alone prints. */
#include "cli.h"

#include <signal.h>
#include <string.h>

#include "vedette/app/nearest.h"
#include "vedette/app/sources.h"

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"detect", "find objects in pictures, clips and cameras", cmd_detect},
    {"record", "record a camera or clip, clean and with boxes, without a window", cmd_record},
    {"serve", "let other programs send pictures and get detections, over HTTP and WebSocket", cmd_serve},
    {"check-model", "say what a model file is, or why it cannot be used", cmd_check_model},
    {"evaluate", "measure how well a model finds what is labelled in a folder of pictures", cmd_evaluate},
    {"track", "put detections of the same object under one id", cmd_track},
    {"devices", "list cameras, what can compute, and hardware decoders", cmd_devices},
    {"demo", "render the demonstration's road into a clip, with its exact truth", cmd_demo},
    {"bench", "measure the detector and the pipeline", cmd_bench},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static vd_cancel *interrupt;

vd_cancel *cli_cancel(void)
{
    return interrupt;
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *nearest = vd_nearest_word(name, names, COMMANDS);
    cli_complain("There is no command `%s`%s%s%s See `vedette-cli --help`.", name,
                 nearest ? "; did you mean `" : ".", nearest ? nearest : "", nearest ? "`?" : "");
    return NULL;
}

static void print_help(FILE *stream)
{
    fputs("Usage: vedette-cli COMMAND [OPTIONS] …\n\nCommands:\n", stream);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\n  help COMMAND, COMMAND --help   a command's options\n"
          "  --version                      the version\n\n"
          "Exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 interrupted.\n",
          stream);
}

static int run_interruptible(const struct command *command, int argc, char **argv)
{
    if (vd_cancel_new(&interrupt) != VD_OK || vd_interrupt_start(interrupt) != VD_OK) {
        cli_complain("There is not enough memory to start.");
        vd_cancel_free(&interrupt);
        return CLI_FAILED;
    }
    vd_sources_register();
    int status = command->run(argc, argv);
    bool interrupted = vd_interrupted();
    vd_interrupt_stop();
    vd_cancel_free(&interrupt);
    return interrupted && status == CLI_DONE ? CLI_INTERRUPTED : status;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_WRONG;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        puts("vedette-cli " VD_VERSION);
        return CLI_DONE;
    }
    bool help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (help && argc == 2) {
        print_help(stdout);
        return CLI_DONE;
    }
    const struct command *command = find_command(help ? argv[2] : name);
    if (!command)
        return CLI_WRONG;
    static char help_option[] = "--help";
    char *help_arguments[] = {argv[help ? 2 : 1], help_option, NULL};
    return help ? command->run(2, help_arguments) : run_interruptible(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error of writing */
    int status = run(argc, argv);
    if (cli_output_failed(stdout, "the results") && status == CLI_DONE)
        status = CLI_FAILED;
    return status;
}
