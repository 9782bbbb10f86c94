/* SPDX-License-Identifier: MIT */
/* The hypercall xen_version: the version and features that we report to guests (xen/version.h). */
#include "hv/hypercall_handlers.h"

#include <xen/version.h>
#include "hv/arch/control.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Compilers define this; checkers may not. */
#ifndef __VERSION__
#define __VERSION__ ""
#endif

#define XEN_MAJOR 4
#define XEN_MINOR 17

static long copy_out(void __guest *arg, const void *what, size_t size)
{
	return copy_to_guest(arg, what, size);
}

static long ver_extraversion(void __guest *arg)
{
	static const xen_extraversion_t text = ".0-xenolith";

	return copy_out(arg, text, sizeof(text));
}

static long ver_compile_info(void __guest *arg)
{
	static const struct xen_compile_info info = {
		.compiler = "gcc or compatible " __VERSION__,
		.compile_by = "xenolith",
		.compile_domain = "",
		.compile_date = "",
	};

	return copy_out(arg, &info, sizeof(info));
}

static long ver_capabilities(void __guest *arg)
{
	static const xen_capabilities_info_t pv = "xen-3.0-x86_64 ";
	static const xen_capabilities_info_t both =
		"xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

	return copy_out(arg, arch_hvm_available() ? both : pv, sizeof(pv));
}

static long ver_changeset(void __guest *arg)
{
	static const xen_changeset_info_t text = "xenolith " HV_VERSION;

	return copy_out(arg, text, sizeof(text));
}

static long ver_platform_parameters(void __guest *arg)
{
	static const struct xen_platform_parameters params = { .virt_start =
								       HYPERVISOR_VIRT_START };

	return copy_out(arg, &params, sizeof(params));
}

static u32 feature_bits(const struct domain *d)
{
	u32 bits = (1U << XENFEAT_mmu_pt_update_preserve_ad) |
		   (1U << XENFEAT_gnttab_map_avail_bits) | (1U << XENFEAT_not_direct_mapped);

	if (d->vm_assist & (1U << VMASST_TYPE_pae_extended_cr3))
		bits |= 1U << XENFEAT_pae_pgdir_above_4gb;
	if (d->is_privileged)
		bits |= 1U << XENFEAT_dom0;
	if (!guest_frames_are_machine(d))
		bits |= (1U << XENFEAT_writable_page_tables) |
			(1U << XENFEAT_auto_translated_physmap) |
			(1U << XENFEAT_hvm_callback_vector) | (1U << XENFEAT_hvm_safe_pvclock);
	return bits;
}

static long ver_get_features(void __guest *arg)
{
	struct xen_feature_info info;

	if (copy_from_guest(&info, arg, sizeof(info)))
		return -EFAULT;
	info.submap = info.submap_idx == 0 ? feature_bits(current->domain) : 0;
	return copy_out(arg, &info, sizeof(info));
}

static long ver_guest_handle(void __guest *arg)
{
	struct domain *d = current->domain;
	xen_domain_handle_t handle;

	spin_lock(&d->lock);
	memcpy(handle, d->handle, sizeof(handle));
	spin_unlock(&d->lock);
	return copy_out(arg, handle, sizeof(handle));
}

static long ver_commandline(void __guest *arg)
{
	static const xen_commandline_t denied = "<denied>";

	_Static_assert(sizeof(boot_options.text) == sizeof(xen_commandline_t),
		       "the whole buffer is copied");
	/* The command line may reveal facts of the machine that are no guest's business. */
	return copy_out(arg, current->domain->is_privileged ? boot_options.text : denied,
			sizeof(denied));
}

static long (*const version_ops[])(void __guest *arg) = {
	[XENVER_extraversion] = ver_extraversion,
	[XENVER_compile_info] = ver_compile_info,
	[XENVER_capabilities] = ver_capabilities,
	[XENVER_changeset] = ver_changeset,
	[XENVER_platform_parameters] = ver_platform_parameters,
	[XENVER_get_features] = ver_get_features,
	[XENVER_guest_handle] = ver_guest_handle,
	[XENVER_commandline] = ver_commandline,
};

long do_xen_version(unsigned long cmd, unsigned long arg, unsigned long a2, unsigned long a3,
		    unsigned long a4, unsigned long a5)
{
	/* First, because guests make this call often, to have pending events delivered. */
	if (likely(cmd == XENVER_version))
		return XEN_MAJOR << 16 | XEN_MINOR;
	if (cmd == XENVER_pagesize)
		return arg ? -EINVAL : (long)PAGE_SIZE;
	if (cmd == XENVER_build_id)
		return -ENODATA;
	if (cmd >= ARRAY_SIZE(version_ops) || !version_ops[cmd])
		return -ENOSYS;
	return version_ops[cmd]((void __guest *)arg);
}
