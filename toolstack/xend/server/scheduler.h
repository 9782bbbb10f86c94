/* SPDX-License-Identifier: MIT */
#ifndef XEND_SERVER_SCHEDULER_H
#define XEND_SERVER_SCHEDULER_H

#include <stdint.h>

/* The word for XEN_SCHEDULER_*; "unknown" for any other number. */
const char *scheduler_name(uint32_t id);

#endif
