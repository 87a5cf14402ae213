/* The figures of the service as JSON. */
#ifndef VD_SERVE_FIGURES_H
#define VD_SERVE_FIGURES_H

#include "serve/server.h"

/* Each a new reference; NULL: no memory. */
json_t *vd_figures_session(const vd_session *session, int64_t now_ns);
json_t *vd_figures_ledger(const vd_session_stats *stats);
json_t *vd_figures_limits(const vd_serve *serve); /* what a client has to keep to */
json_t *vd_figures_service(vd_serve *serve, int64_t now_ns);

#endif
