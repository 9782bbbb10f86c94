# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/cpu/backtrace.c hypervisor/x86/cpu/desc.c hypervisor/x86/cpu/extable.c hypervisor/x86/cpu/feature.c
hv-src += hypervisor/x86/cpu/idle.c hypervisor/x86/cpu/reboot.c hypervisor/x86/cpu/serial.c hypervisor/x86/cpu/time.c
hv-src += hypervisor/x86/cpu/xstate.c
hv-src += hypervisor/x86/cpu/entry.S hypervisor/x86/cpu/traps.c
hv-src += hypervisor/x86/cpu/guards.c hypervisor/x86/cpu/policy.c hypervisor/x86/cpu/policy_xstate.c
hv-src += hypervisor/x86/cpu/topology.c
