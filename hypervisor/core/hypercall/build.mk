# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/hypercall/console_io.c hypervisor/core/hypercall/control.c hypervisor/core/hypercall/domctl.c \
	hypervisor/core/hypercall/domctl_access.c hypervisor/core/hypercall/domctl_info.c \
	hypervisor/core/hypercall/domctl_life.c hypervisor/core/hypercall/domctl_vcpu.c \
	hypervisor/core/hypercall/hypercall.c hypervisor/core/hypercall/hypercall_compat.c \
	hypervisor/core/hypercall/platform_op.c hypervisor/core/hypercall/sysctl.c \
	hypervisor/core/hypercall/sysctl_cpupool.c hypervisor/core/hypercall/sysctl_system.c \
	hypervisor/core/hypercall/sysctl_topology.c hypervisor/core/hypercall/version.c
