/* SPDX-License-Identifier: MIT */
/* Shared by the hv_*.c files: struct hv, the argument buffer, the calls, errors. */
#ifndef HV_HV_INTERNAL_H
#define HV_HV_INTERNAL_H

#include <xencall.h>
#include <xenforeignmemory.h>

#include "lib/error.h"
#include "hv/hv.h"

struct hv {
	xencall_handle *calls;
	xenforeignmemory_handle *memory;
	/* One page that the kernel never moves or swaps, for the arguments of any call. */
	union {
		struct xen_domctl domctl;
		struct xen_sysctl sysctl;
		unsigned char bytes[4096];
	} * op;
};

/* Sets *e to "Cannot WHAT: REASON." with the hypervisor's reason for errnum. Returns -errnum. */
int hv_fail(struct error **e, int errnum, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Zero the argument buffer for one call and return it; domctl and sysctl fill in their header. */
struct xen_domctl *hv_domctl_begin(struct hv *hv, uint32_t cmd, uint32_t domid);
struct xen_sysctl *hv_sysctl_begin(struct hv *hv, uint32_t cmd);
void *hv_op_begin(struct hv *hv, size_t size);

/*
 * Make the call with the buffer that *_begin() returned. They return the hypercall's result or
 * -errno, and set no error.
 */
int hv_domctl(struct hv *hv);
int hv_sysctl(struct hv *hv);
long hv_memory_op(struct hv *hv, unsigned int cmd, void *argument);

/* Memory that hypercalls may read and write; NULL after an error in *e. */
void *hv_buffer(struct hv *hv, size_t size, struct error **e);
void hv_buffer_free(struct hv *hv, void *buffer);

#endif
