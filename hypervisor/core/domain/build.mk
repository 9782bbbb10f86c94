# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/domain/domain.c hypervisor/core/domain/domain_end.c \
	hypervisor/core/domain/guest_page.c hypervisor/core/domain/page_ref.c \
	hypervisor/core/domain/pause.c hypervisor/core/domain/shared_page.c \
	hypervisor/core/domain/vcpu_context.c hypervisor/core/domain/vcpu_timer.c \
	hypervisor/core/domain/watchdog.c
