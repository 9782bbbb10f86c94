/* SPDX-License-Identifier: MIT */
/*
 * Disks whose backends only xenstore knows: of domains that other toolstacks made, of an attach
 * that was interrupted, and of drivers that still hold what was taken away.
 */
#ifndef XEND_DEVICE_DISK_STRANGERS_H
#define XEND_DEVICE_DISK_STRANGERS_H

#include "xend/device/disk_survey.h"

/*
 * Adds them to a survey. The backends of a domain of xend's own are listed only if one of them has
 * changed since the last time (backend_watch.h).
 */
void disk_strangers_collect(struct disk_survey *survey);

#endif
