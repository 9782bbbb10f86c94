# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/grant/grant.c hypervisor/core/grant/grant_copy.c \
	hypervisor/core/grant/grant_map.c hypervisor/core/grant/grant_ops.c
