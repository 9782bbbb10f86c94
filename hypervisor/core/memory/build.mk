# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/memory/memory_dump.c hypervisor/core/memory/memory_exchange.c \
	hypervisor/core/memory/memory_map.c hypervisor/core/memory/memory_op.c \
	hypervisor/core/memory/memory_physmap.c hypervisor/core/memory/memory_query.c \
	hypervisor/core/memory/memory_reservation.c
