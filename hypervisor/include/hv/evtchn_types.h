/* SPDX-License-Identifier: MIT */
/* The ports of each vCPU (core/event). */
#ifndef HV_EVTCHN_TYPES_H
#define HV_EVTCHN_TYPES_H

#include "lib/types.h"

/* The event lock (core/event/evtchn.c) covers all of it. */
struct evtchn_vcpu {
	u16 of_virq[24]; /* NR_VIRQS; 0: not bound */
	/* The single port that sched_op poll waits for; 0: none, -1: several. */
	int polled;
};

#endif
