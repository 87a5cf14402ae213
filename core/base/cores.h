/* How many cores this process may use. */
#ifndef VD_BASE_CORES_H
#define VD_BASE_CORES_H

/* Those of its affinity mask (taskset, containers), at least 1. */
int vd_cores_usable(void);

#endif
