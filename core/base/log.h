/* The log: one line an event to a sink that the program chooses; by default to stderr, from warnings up. */
#ifndef VD_BASE_LOG_H
#define VD_BASE_LOG_H

#include "vedette/error.h"

typedef enum vd_log_level { VD_LOG_DEBUG, VD_LOG_INFO, VD_LOG_WARNING, VD_LOG_ERROR } vd_log_level;

typedef void vd_log_sink(void *context, vd_log_level level, const char *part, const char *message);

/* Replaces the sink; call before threads start. NULL restores stderr. */
void vd_log_set_sink(vd_log_sink *sink, void *context, vd_log_level least);

/* part  the folder that speaks, such as "media". Never called a frame above VD_LOG_DEBUG. Any thread. */
void vd_log(vd_log_level level, const char *part, const char *format, ...) VD_PRINTF(3, 4);

#endif
