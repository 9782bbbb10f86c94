/* SPDX-License-Identifier: MIT */
/* What the hv_*.c files share. */
#ifndef HV_HV_INTERNAL_H
#define HV_HV_INTERNAL_H

#include <xencall.h>
#include <xenforeignmemory.h>

#include "lib/error.h"
#include "hv/hv.h"

struct hv {
	xencall_handle *calls;
	xenforeignmemory_handle *memory;
	/* One page that the kernel never moves or swaps: arguments go here, whatever they are. */
	union {
		struct xen_domctl domctl;
		struct xen_sysctl sysctl;
		unsigned char bytes[4096];
	} * op;
};

/* Says in *e that WHAT (a phrase that follows "cannot") failed, with what errnum means here.
 * Returns -errnum. */
int hv_fail(struct error **e, int errnum, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* The zeroed buffer for one call. */
struct xen_domctl *hv_domctl_begin(struct hv *hv, uint32_t cmd, uint32_t domid);
struct xen_sysctl *hv_sysctl_begin(struct hv *hv, uint32_t cmd);
void *hv_op_begin(struct hv *hv, size_t size);

/* Makes the call on what begin returned. Return what the hypercall did, or -errno, nothing said. */
int hv_domctl(struct hv *hv);
int hv_sysctl(struct hv *hv);
long hv_memory_op(struct hv *hv, unsigned int cmd, void *argument);

/* A buffer that hypercalls may read and write; NULL is said in *e. */
void *hv_buffer(struct hv *hv, size_t size, struct error **e);
void hv_buffer_free(struct hv *hv, void *buffer);

#endif
