#include <stdio.h>
#include <string.h>

#include "base/cores.h"
#include "monitor/proc.h"
#include "vedette/app/monitor.h"

/* Those that convolutions gain from, in the order in which they came. */
static const char *const wanted[] = {"sse4_1",  "avx",         "f16c",        "fma",      "avx2",
                                     "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_bf16",
                                     "neon",    "asimd",       "sve"};

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += length) {
        char before = at == words ? ' ' : at[-1], after = at[length];
        if (before == ' ' && (after == ' ' || after == '\0'))
            return true;
    }
    return false;
}

static void keep_wanted(const char *words, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (has_word(words, wanted[i]) && length + strlen(wanted[i]) + 2 < size)
            length += (size_t)snprintf(out + length, size - length, "%s%s", length > 0 ? " " : "", wanted[i]);
}

void vd_machine_describe(vd_machine *ret_machine)
{
    char text[8192], words[4096];
    *ret_machine = (vd_machine){.cores = vd_cores_usable()};
    if (vd_proc_read("/proc/cpuinfo", text, sizeof text)) {
        vd_proc_words(text, "model name", ret_machine->processor, sizeof ret_machine->processor);
        vd_proc_words(text, "flags", words, sizeof words);
        if (words[0] == '\0')
            vd_proc_words(text, "Features", words, sizeof words);
        keep_wanted(words, ret_machine->instructions, sizeof ret_machine->instructions);
    }
    if (vd_proc_read("/proc/meminfo", text, sizeof text))
        ret_machine->memory_bytes = vd_proc_number(text, "MemTotal:") * 1024;
}
