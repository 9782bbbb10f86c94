/* SPDX-License-Identifier: MIT */
/* While a domain's QEMU runs, xend waits for its end and bounds its log. */
#ifndef XEND_DEVICE_QEMU_WATCH_H
#define XEND_DEVICE_QEMU_WATCH_H

#include <stdbool.h>

struct domain;
struct qemu_process;

/*
 * Watches the process, and takes its handle. When it has died, its devices are closed, so that the
 * guest gets errors.
 */
void qemu_watch(struct domain *domain, struct qemu_process *process);
bool qemu_is_watched(const struct domain *domain);
/* Before xend ends it. */
void qemu_unwatch(const struct domain *domain);
/* When xend starts: goes on watching the QEMU of a running domain. */
void qemu_adopt(struct domain *domain);

#endif
