#include <stdlib.h>

#include "serve/session.h"

vd_job *vd_job_new(void)
{
    return calloc(1, sizeof(vd_job));
}

void vd_job_free(vd_job **job)
{
    if (!*job)
        return;
    free((*job)->bytes);
    vd_result_unref(&(*job)->result);
    vd_session_unref(&(*job)->session);
    free(*job);
    *job = NULL;
}
