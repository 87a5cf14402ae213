/* A device that fails on purpose. */
#ifndef VD_ENGINE_DEVICE_HPP
#define VD_ENGINE_DEVICE_HPP

#include "engine/engine.h"

namespace vedette
{

/* Throws, as a broken driver would, when vd_engine_break_device asked for it. */
void throw_if_broken(vd_net_device device);

} // namespace vedette

#endif
