/* SPDX-License-Identifier: MIT */
/* The handlers in core/ that hypercalls.tbl names. All are of type hypercall_fn. */
#ifndef HV_HYPERCALL_HANDLERS_H
#define HV_HYPERCALL_HANDLERS_H

#include "hv/hypercall.h"

typedef long hypercall_handler(unsigned long a0, unsigned long a1, unsigned long a2,
			       unsigned long a3, unsigned long a4, unsigned long a5);

hypercall_handler do_event_channel_op; /* cmd, arg */
hypercall_handler do_grant_table_op;   /* cmd, args, count */
hypercall_handler do_memory_op;	       /* cmd, arg */
hypercall_handler do_xen_version;      /* cmd, arg */
hypercall_handler do_console_io;       /* cmd, count, buffer */
hypercall_handler do_platform_op;      /* op */
hypercall_handler do_domctl;	       /* op */
hypercall_handler do_sysctl;	       /* op */
hypercall_handler do_sched_op;	       /* cmd, arg */
hypercall_handler do_vcpu_op;	       /* cmd, vcpu, arg */
hypercall_handler do_set_timer_op;     /* timeout */

#endif
