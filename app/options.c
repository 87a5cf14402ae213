#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "vedette/app/nearest.h"

enum { MAX_OPTIONS = 32 };

static void print_help(const cli_usage *usage)
{
    printf("Usage: vedette-cli %s [OPTIONS]%s%s\n\n", usage->command, usage->operands[0] ? " " : "",
           usage->operands);
    for (size_t i = 0; i < usage->option_count; i++) {
        const cli_option *option = &usage->options[i];
        char left[48];
        snprintf(left, sizeof left, "--%s %s", option->name, option->value ? option->value : "");
        printf("  %-18s %s\n", left, option->doc);
    }
    printf("  %-18s %s\n", "--help", "this text");
    if (usage->text)
        printf("\n%s", usage->text);
}

static const cli_option *find_option(const cli_usage *usage, const char *name, size_t length)
{
    const char *names[MAX_OPTIONS];
    for (size_t i = 0; i < usage->option_count; i++) {
        if (strlen(usage->options[i].name) == length && memcmp(usage->options[i].name, name, length) == 0)
            return &usage->options[i];
        names[i] = usage->options[i].name;
    }
    char *word = strndup(name, length);
    const char *nearest = word ? vd_nearest_word(word, names, usage->option_count) : NULL;
    if (nearest)
        cli_complain("`%s` has no option --%s; did you mean --%s?", usage->command, word, nearest);
    else
        cli_complain("`%s` has no option --%.*s; see `vedette-cli help %s`.", usage->command, (int)length,
                     name, usage->command);
    free(word);
    return NULL;
}

static int read_number(const cli_option *option, const char *text)
{
    char *end;
    errno = 0;
    bool whole = option->kind == CLI_COUNT;
    long long count = whole ? strtoll(text, &end, 10) : 0;
    double number = whole ? (double)count : strtod(text, &end);
    bool plain = strspn(text, whole ? "+-0123456789" : "+-.0123456789eE") == strlen(text);
    bool read = *text != '\0' && *end == '\0' && errno == 0 && isfinite(number) && plain;
    if (!read || number < option->least || number > option->most) {
        cli_complain("--%s is \"%s\"; it must be %s%.10g to %.10g.", option->name, text,
                     whole ? "a whole number, " : "", option->least, option->most);
        return CLI_WRONG;
    }
    if (whole)
        *(int64_t *)option->target = count;
    else
        *(double *)option->target = number;
    return CLI_DONE;
}

/* One option at argv[*at]; *at moves to the last word it uses. */
static int read_option(const cli_usage *usage, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    const cli_option *option = find_option(usage, name, length);
    if (!option)
        return CLI_WRONG;
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    if (option->kind == CLI_FLAG) {
        if (value) {
            cli_complain("--%s takes no value.", option->name);
            return CLI_WRONG;
        }
        *(bool *)option->target = true;
        return CLI_DONE;
    }
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value || (value[0] == '-' && value[1] == '-')) {
        cli_complain("--%s needs a value: --%s %s.", option->name, option->name, option->value);
        return CLI_WRONG;
    }
    if (option->kind != CLI_TEXT)
        return read_number(option, value);
    *(const char **)option->target = value;
    return CLI_DONE;
}

static int check_operands(const cli_usage *usage, int count)
{
    if (count >= usage->least_operands && count <= usage->most_operands)
        return CLI_DONE;
    cli_complain("`%s` needs %s arguments: vedette-cli %s [OPTIONS] %s", usage->command,
                 count < usage->least_operands ? "more" : "fewer", usage->command, usage->operands);
    return CLI_WRONG;
}

int cli_parse(const cli_usage *usage, int argc, char **argv, int *ret_operands)
{
    int operands = 0;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (only_operands || word[0] != '-' || word[1] == '\0') {
            argv[++operands] = word;
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            print_help(usage);
            return CLI_HELPED;
        } else if (word[1] != '-') {
            cli_complain("There is no option %s; options are written out, see `vedette-cli help %s`.", word,
                         usage->command);
            return CLI_WRONG;
        } else if (read_option(usage, argc, argv, &i) != CLI_DONE) {
            return CLI_WRONG;
        }
    }
    *ret_operands = operands;
    return check_operands(usage, operands);
}
