/* SPDX-License-Identifier: MIT */
/* Hardware virtualization of this host: which kind, or why none. */
#include "x86/hvm/boot.h"

#include "hv/cmdline.h"
#include "hv/console.h"
#include "lib/errno.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/platform.h"
#include "x86/guest/guest_ops.h"
#include "x86/hvm/backend.h"

const struct hvm_ops *hvm_backend;
static const char *reason = "hardware virtualization was not looked for";

const char *hvm_unavailable(void)
{
	return hvm_backend ? NULL : reason;
}

/* NULL: *why says why not. */
static const struct hvm_ops *__init find_backend(const char **why)
{
	if (!boot_options.hvm) {
		*why = "the command line says hvm=off";
		return NULL;
	}
	if (cpu_features.vmx) {
		*why = "this hypervisor does not use VMX yet, only SVM";
		return NULL;
	}
	*why = svm_ops.unusable();
	return *why ? NULL : &svm_ops;
}

int hvm_cpu_prepare(unsigned int cpu)
{
	return hvm_backend ? hvm_backend->cpu_prepare(cpu) : 0;
}

void __init hvm_init(void)
{
	hvm_backend = find_backend(&reason);
	if (hvm_backend && (hvm_cpu_prepare(0) || hvm_backend->cpu_enable())) {
		hvm_backend = NULL;
		reason = "there is not enough memory, or the processor refuses it";
	}
	if (!hvm_backend) {
		log_info("no hardware virtualization: %s", reason);
		return;
	}
	cpu_virtualization_off = hvm_backend->cpu_disable;
	log_info("hardware virtualization: %s with nested paging", hvm_backend->name);
}

void hvm_cpu_start(void)
{
	if (hvm_backend && hvm_backend->cpu_enable())
		panic("CPU %u refuses %s, which CPU 0 has", smp_processor_id(), hvm_backend->name);
}
