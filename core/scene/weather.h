/* Light and weather over the finished picture: sun and clouds, the lamp of the night, rain, the sensor's
 * noise. */
#ifndef VD_SCENE_WEATHER_H
#define VD_SCENE_WEATHER_H

#include "scene/view.h"

typedef struct vd_weather vd_weather;

int vd_weather_new(const vd_layout *layout, const vd_scene_options *options, vd_weather **ret_weather);
void vd_weather_free(vd_weather **weather);

/* Darkens a BGRX picture painted in full daylight to the light of the moment (by night all but what the
 * headlights or the street lamp reach). */
void vd_weather_light(vd_weather *weather, double time_s, const vd_image *image);

/* Rain falling before the lens, then the sensor's noise (stronger by night). */
void vd_weather_air(vd_weather *weather, int64_t frame, const vd_image *image);

#endif
