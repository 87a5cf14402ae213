/* All of libvedette. docs/library.md is the guide, docs/examples has complete programs. */
#ifndef VEDETTE_VEDETTE_H
#define VEDETTE_VEDETTE_H

#include "vedette/cancel.h"
#include "vedette/detection.h"
#include "vedette/detector.h"
#include "vedette/error.h"
#include "vedette/frame.h"
#include "vedette/future.h"
#include "vedette/image.h"
#include "vedette/run.h"
#include "vedette/source.h"
#include "vedette/version.h"

#endif
