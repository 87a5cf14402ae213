/* vedette-verifier: one worker of stage 2. Started by the program that verifies, never by hand. */
#include <stdio.h>
#include <stdlib.h>

#include "vedette/app/verify_worker.h"

/* A number of 0 to 2^30, or -1. */
static int number_of(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return end == text || *end != '\0' || value < 0 || value > 1L << 30 ? -1 : (int)value;
}

int main(int argc, char **argv)
{
    int numbers[3] = {-1, -1, -1};
    for (int i = 0; i < 3 && i + 1 < argc; i++)
        numbers[i] = number_of(argv[i + 1]);
    if (argc != 4 || numbers[0] < 0 || numbers[1] < 0 || numbers[2] < 0) {
        fputs("vedette-verifier: a part of Vedette that starts by itself when a second model is set "
              "(see step2 in vedette.conf).\n",
              stderr);
        return 2;
    }
    return vd_verify_worker_run(numbers[0], numbers[1], numbers[2]);
}
