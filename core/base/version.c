#include "vedette/version.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *vd_version(void)
{
    return TEXT(VD_VERSION_MAJOR) "." TEXT(VD_VERSION_MINOR) "." TEXT(VD_VERSION_PATCH);
}
