/* SPDX-License-Identifier: MIT */
/* Domains that start with the host (/etc/xen/auto, on_xend_start) and end with it (on_xend_stop).
 * In tasks. */
#ifndef XEND_DOMAIN_AUTOSTART_H
#define XEND_DOMAIN_AUTOSTART_H

#define AUTOSTART_DIRECTORY "/etc/xen/auto"
/* Is there once /etc/xen/auto was gone through since the host booted: a restart of xend starts none
 * of them again. */
#define AUTOSTART_DONE "/run/xend/auto-started"

void autostart_start_all(void);
/* What domains with on_xend_stop asked for; does not wait for guests to shut down. */
void autostart_stop_all(void);

#endif
