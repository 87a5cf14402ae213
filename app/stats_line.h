/* What a source cost, as one line of JSON: rates, the detector's ledger, the frame pool, the process, the
 * machine. */
#ifndef APP_STATS_LINE_H
#define APP_STATS_LINE_H

#include <stdio.h>

#include "vedette/app/monitor.h"
#include "vedette/detector.h"
#include "vedette/run.h"

/* Writes the line with its end. Failures show in ferror(stream).
 *
 * source  what the user calls it, passwords masked
 * sample  taken when the source had ended: processor figures since the sample before */
void cli_stats_line(FILE *stream, const char *source, const vd_run_summary *summary, vd_detector *detector,
                    const vd_monitor_sample *sample);

#endif
