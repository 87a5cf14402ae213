/* What stands behind the routes; each answers its request, now or by a channel. */
#ifndef VD_SERVE_HANDLERS_H
#define VD_SERVE_HANDLERS_H

#include "serve/routes.h"

void vd_rest_open(vd_request *request);
void vd_rest_get(vd_request *request);
void vd_rest_delete(vd_request *request);
void vd_rest_stats(vd_request *request);
void vd_rest_config(vd_request *request);
void vd_rest_change(vd_request *request);
void vd_rest_process(vd_request *request);
void vd_rest_ticket(vd_request *request);
void vd_rest_health(vd_request *request);
void vd_rest_service(vd_request *request);
void vd_rest_cameras(vd_request *request);
void vd_events_session(vd_request *request);
void vd_events_camera(vd_request *request);
void vd_socket_session(vd_request *request);
void vd_socket_camera(vd_request *request);
void vd_metrics_get(vd_request *request);
void vd_pages_index(vd_request *request);
void vd_pages_get(vd_request *request);

#endif
