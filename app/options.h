/* Options of a command: one table parses them and prints the help. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stddef.h>

typedef enum cli_option_kind {
    CLI_FLAG,   /* bool: set to true, takes no value */
    CLI_TEXT,   /* const char *: borrowed from argv */
    CLI_NUMBER, /* double */
    CLI_COUNT   /* int64_t */
} cli_option_kind;

typedef struct cli_option {
    const char *name; /* without the dashes */
    cli_option_kind kind;
    void *target;       /* untouched when the option is not given */
    double least, most; /* of NUMBER and COUNT */
    const char *value;  /* what the value is called in the help */
    const char *doc;
} cli_option;

typedef struct cli_usage {
    const char *command;
    const char *operands; /* such as `SOURCE…` */
    const char *text;     /* paragraphs below the options */
    const cli_option *options;
    size_t option_count;
    int least_operands, most_operands;
} cli_usage;

/* Reads argv: `--name value`, `--name=value`, operands anywhere, `--` before operands that begin with a dash.
 * Operands are moved to the front of argv (behind argv[0]) in their order.
 *
 * ret_operands  their number
 * Returns CLI_DONE, CLI_WRONG (a sentence stands on stderr), or CLI_HELPED after --help. */
int cli_parse(const cli_usage *usage, int argc, char **argv, int *ret_operands);

#endif
