/* SPDX-License-Identifier: MIT */
/*
 * Domains that start with the host (/etc/xen/auto, on_xend_start) and stop with xend
 * (on_xend_stop). Call these functions in tasks.
 */
#ifndef XEND_DOMAIN_AUTOSTART_H
#define XEND_DOMAIN_AUTOSTART_H

#define AUTOSTART_DIRECTORY "/etc/xen/auto"
/*
 * Exists once autostart has begun since the host booted, so a restart of xend does not start the
 * domains again.
 */
#define AUTOSTART_DONE "/run/xend/auto-started"

void autostart_start_all(void);
/* Does what on_xend_stop of each domain asks for. Does not wait for guests to shut down. */
void autostart_stop_all(void);

#endif
