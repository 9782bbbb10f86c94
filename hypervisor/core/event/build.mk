# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/event/evtchn.c hypervisor/core/event/evtchn_ops.c \
	hypervisor/core/event/evtchn_send.c
