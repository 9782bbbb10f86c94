/* SPDX-License-Identifier: MIT */
/* Facts about the host and the hypervisor. Argument layouts: xen/sysctl.h, xen/version.h. */
#include "hv/hv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/hv_internal.h"
#include "lib/alloc.h"

#define DMESG_CHUNK (32u << 10)
/* A longer log is cut here: something writes it faster than we read. */
#define DMESG_MAX (16u << 20)

int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_physinfo);
	int rc = hv_sysctl(hv);

	if (rc < 0)
		return hv_fail(e, -rc, "read the facts of the host");
	*info = op->u.physinfo;
	return 0;
}

int hv_host_cpu_nodes(struct hv *hv, unsigned int count, uint32_t *nodes, struct error **e)
{
	xen_sysctl_cputopo_t *rows = hv_buffer(hv, count * sizeof(*rows), e);
	struct xen_sysctl *op;
	int rc;

	if (!rows)
		return -ENOMEM;
	op = hv_sysctl_begin(hv, XEN_SYSCTL_cputopoinfo);
	op->u.cputopoinfo.num_cpus = count;
	set_xen_guest_handle(op->u.cputopoinfo.cputopo, rows);
	rc = hv_sysctl(hv);
	for (unsigned int i = 0; rc >= 0 && i < count; i++)
		nodes[i] = i < op->u.cputopoinfo.num_cpus ? rows[i].node : XEN_INVALID_NODE_ID;
	hv_buffer_free(hv, rows);
	return rc < 0 ? hv_fail(e, -rc, "read which CPU is in which node") : 0;
}

static long version_op(struct hv *hv, int cmd, void *argument)
{
	return xencall2(hv->calls, __HYPERVISOR_xen_version, (uint64_t)cmd, (uintptr_t)argument);
}

/* The texts are padded with NULs, but a text that fills its field has none at the end. */
static void copy_text(char *to, size_t to_size, const char *from, size_t from_size)
{
	snprintf(to, to_size, "%.*s", (int)strnlen(from, from_size), from);
}

int hv_host_version(struct hv *hv, struct hv_version *version, struct error **e)
{
	long number = version_op(hv, XENVER_version, NULL);
	void *page = hv->op;

	if (number < 0)
		return hv_fail(e, errno, "read the hypervisor's version");
	memset(version, 0, sizeof(*version));
	version->major = (unsigned int)number >> 16;
	version->minor = (unsigned int)number & 0xffff;
	hv_op_begin(hv, 4096);
	if (version_op(hv, XENVER_extraversion, page) >= 0)
		copy_text(version->extra, sizeof(version->extra), page, sizeof(xen_extraversion_t));
	hv_op_begin(hv, 4096);
	if (version_op(hv, XENVER_capabilities, page) >= 0)
		copy_text(version->capabilities, sizeof(version->capabilities), page,
			  sizeof(xen_capabilities_info_t));
	hv_op_begin(hv, 4096);
	if (version_op(hv, XENVER_changeset, page) >= 0)
		copy_text(version->changeset, sizeof(version->changeset), page,
			  sizeof(xen_changeset_info_t));
	hv_op_begin(hv, 4096);
	if (version_op(hv, XENVER_commandline, page) >= 0)
		copy_text(version->commandline, sizeof(version->commandline), page,
			  sizeof(xen_commandline_t));
	hv_op_begin(hv, 4096);
	if (version_op(hv, XENVER_compile_info, page) >= 0) {
		const struct xen_compile_info *info = page;

		copy_text(version->compiler, sizeof(version->compiler), info->compiler,
			  sizeof(info->compiler));
		copy_text(version->compile_by, sizeof(version->compile_by), info->compile_by,
			  sizeof(info->compile_by));
		copy_text(version->compile_domain, sizeof(version->compile_domain),
			  info->compile_domain, sizeof(info->compile_domain));
		copy_text(version->compile_date, sizeof(version->compile_date), info->compile_date,
			  sizeof(info->compile_date));
	}
	hv_op_begin(hv, 4096);
	if (version_op(hv, XENVER_platform_parameters, page) >= 0)
		version->virt_start = ((struct xen_platform_parameters *)page)->virt_start;
	number = version_op(hv, XENVER_pagesize, NULL);
	version->page_size = number > 0 ? (unsigned int)number : 4096;
	return 0;
}

int hv_host_avail_heap(struct hv *hv, int node, uint64_t *bytes, struct error **e)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_availheap);
	int rc;

	op->u.availheap.node = node;
	rc = hv_sysctl(hv);
	if (rc < 0)
		return hv_fail(e, -rc, "read how much memory is free");
	*bytes = op->u.availheap.avail_bytes;
	return 0;
}

/* Reads one piece of the log from *index on and advances *index. Returns its length or -errno. */
static long dmesg_chunk(struct hv *hv, char *buffer, uint32_t *index, bool clear)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_readconsole);
	int rc;

	op->u.readconsole.incremental = 1;
	op->u.readconsole.index = *index;
	op->u.readconsole.clear = clear;
	op->u.readconsole.count = DMESG_CHUNK;
	set_xen_guest_handle(op->u.readconsole.buffer, buffer);
	rc = hv_sysctl(hv);
	*index = op->u.readconsole.index;
	return rc < 0 ? rc : (long)op->u.readconsole.count;
}

int hv_host_dmesg(struct hv *hv, bool clear, char **text, size_t *length, struct error **e)
{
	char *buffer = hv_buffer(hv, DMESG_CHUNK, e);
	uint32_t index = 0;
	long got;

	*text = NULL;
	*length = 0;
	if (!buffer)
		return -ENOMEM;
	do {
		got = dmesg_chunk(hv, buffer, &index, false);
		if (got < 0)
			break;
		*text = xreallocarray(*text, *length + (size_t)got + 1, 1);
		memcpy(*text + *length, buffer, (size_t)got);
		*length += (size_t)got;
		(*text)[*length] = '\0';
	} while (got > 0 && *length < DMESG_MAX);
	if (got >= 0 && clear)
		got = dmesg_chunk(hv, buffer, &index, true);
	hv_buffer_free(hv, buffer);
	if (got < 0) {
		free(*text);
		*text = NULL;
		return hv_fail(e, (int)-got, "read the hypervisor's log");
	}
	return 0;
}

int hv_host_debug_keys(struct hv *hv, const char *keys, struct error **e)
{
	size_t length = strlen(keys);
	char *buffer = hv_buffer(hv, length + 1, e);
	struct xen_sysctl *op;
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, keys, length + 1);
	op = hv_sysctl_begin(hv, XEN_SYSCTL_debug_keys);
	set_xen_guest_handle(op->u.debug_keys.keys, buffer);
	op->u.debug_keys.nr_keys = (uint32_t)length;
	rc = hv_sysctl(hv);
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "send debug keys to the hypervisor") : 0;
}
