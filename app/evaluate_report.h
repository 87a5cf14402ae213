/* How an evaluation is told: in words, or as one JSON object. */
#ifndef APP_EVALUATE_REPORT_H
#define APP_EVALUATE_REPORT_H

#include <stdio.h>

#include "vedette/app/evaluate.h"
#include "vedette/detector.h"

typedef struct cli_evaluate_report {
    const char *folder;
    vd_detector *detector;
    vd_thresholds thresholds;
    int input_width, input_height; /* of the network; 0: it has none */
    double seconds;
    const vd_evaluation_figures *figures;
} cli_evaluate_report;

void cli_evaluate_words(FILE *stream, const cli_evaluate_report *report);

/* With its line end. Failures show in ferror(stream). */
void cli_evaluate_json(FILE *stream, const cli_evaluate_report *report);

#endif
