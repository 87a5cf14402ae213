/* What this process holds in memory that is its own. */
#ifndef TESTS_OWN_MEMORY_H
#define TESTS_OWN_MEMORY_H

#include <stdio.h>

/* Anonymous and shared memory, in RAM or swapped out; -1: not to be read. Without the pages of files, which
 * the kernel takes and gives back as it likes: those of the libraries alone are 50 MB. */
static inline long own_memory_kb(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long sum_kb = 0, kb;
    int found = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "RssAnon: %ld", &kb) == 1 || sscanf(line, "RssShmem: %ld", &kb) == 1 ||
            sscanf(line, "VmSwap: %ld", &kb) == 1) {
            sum_kb += kb;
            found++;
        }
    }
    if (file)
        fclose(file);
    return found == 3 ? sum_kb : -1;
}

#endif
