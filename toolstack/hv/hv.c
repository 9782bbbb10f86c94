/* SPDX-License-Identifier: MIT */
/*
 * The connection to the hypervisor: opening it, the argument buffers, the calls, and sentences for
 * what fails.
 */
#include "hv/hv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/errno.h>

#include "hv/hv_internal.h"
#include "lib/alloc.h"

int hv_open(struct hv **out, struct error **e)
{
	struct hv *hv = xcalloc(1, sizeof(*hv));
	int errnum;

	hv->calls = xencall_open(NULL, XENCALL_OPENFLAG_NON_REENTRANT);
	if (hv->calls)
		hv->memory = xenforeignmemory_open(NULL, 0);
	if (hv->memory)
		hv->op = xencall_alloc_buffer_pages(hv->calls, 1);
	if (!hv->op) {
		errnum = errno != 0 ? errno : EIO;
		hv_close(hv);
		return error_set(e, errnum,
				 "Cannot speak to the hypervisor: %s. Was this system started "
				 "under Xenolith or Xen, "
				 "and is the module xen-privcmd loaded?",
				 strerror(errnum));
	}
	*out = hv;
	return 0;
}

void hv_close(struct hv *hv)
{
	if (!hv)
		return;
	if (hv->op)
		xencall_free_buffer_pages(hv->calls, hv->op, 1);
	if (hv->memory)
		xenforeignmemory_close(hv->memory);
	if (hv->calls)
		xencall_close(hv->calls);
	free(hv);
}

/* The meaning of an errno that the hypervisor returns. */
static const char *hv_reason(int errnum)
{
	switch (errnum) {
	case ESRCH:
		return "there is no such domain";
	case EPERM:
		return "the hypervisor does not permit it";
	case EACCES:
		return "the hypervisor speaks another version of the management interface than "
		       "these tools";
	case ENOSYS:
	case EOPNOTSUPP:
		return "the hypervisor does not offer that";
	case ENOMEM:
		return "the hypervisor has not enough free memory";
	default:
		return strerror(errnum);
	}
}

int hv_fail(struct error **e, int errnum, const char *what, ...)
{
	char phrase[200];
	va_list args;

	va_start(args, what);
	vsnprintf(phrase, sizeof(phrase), what, args);
	va_end(args);
	return error_set(e, errnum, "Cannot %s: %s.", phrase, hv_reason(errnum));
}

void *hv_op_begin(struct hv *hv, size_t size)
{
	memset(hv->op, 0, size < sizeof(*hv->op) ? size : sizeof(*hv->op));
	return hv->op;
}

struct xen_domctl *hv_domctl_begin(struct hv *hv, uint32_t cmd, uint32_t domid)
{
	struct xen_domctl *op = hv_op_begin(hv, sizeof(*op));

	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = (domid_t)domid;
	return op;
}

struct xen_sysctl *hv_sysctl_begin(struct hv *hv, uint32_t cmd)
{
	struct xen_sysctl *op = hv_op_begin(hv, sizeof(*op));

	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return op;
}

int hv_domctl(struct hv *hv)
{
	int rc = xencall1(hv->calls, __HYPERVISOR_domctl, (uintptr_t)hv->op);

	return rc < 0 ? -errno : rc;
}

int hv_sysctl(struct hv *hv)
{
	int rc = xencall1(hv->calls, __HYPERVISOR_sysctl, (uintptr_t)hv->op);

	return rc < 0 ? -errno : rc;
}

long hv_memory_op(struct hv *hv, unsigned int cmd, void *argument)
{
	long rc = xencall2L(hv->calls, __HYPERVISOR_memory_op, cmd, (uintptr_t)argument);

	return rc < 0 ? -errno : rc;
}

void *hv_buffer(struct hv *hv, size_t size, struct error **e)
{
	void *buffer = xencall_alloc_buffer(hv->calls, size);

	if (!buffer)
		error_set(e, ENOMEM, "Out of memory: %zu bytes for a hypercall.", size);
	return buffer;
}

void hv_buffer_free(struct hv *hv, void *buffer)
{
	if (buffer)
		xencall_free_buffer(hv->calls, buffer);
}
