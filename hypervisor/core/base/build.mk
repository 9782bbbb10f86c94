# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/base/buddy.c hypervisor/core/base/cmdline.c \
	hypervisor/core/base/console.c hypervisor/core/base/console_guest.c \
	hypervisor/core/base/console_tx.c hypervisor/core/base/cpu.c hypervisor/core/base/debug_keys.c \
	hypervisor/core/base/hv_heap.c hypervisor/core/base/log_ring.c hypervisor/core/base/page_alloc.c \
	hypervisor/core/base/page_list.c hypervisor/core/base/slab.c hypervisor/core/base/softirq.c \
	hypervisor/core/base/spinlock.c hypervisor/core/base/timer.c
