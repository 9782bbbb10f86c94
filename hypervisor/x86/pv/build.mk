hv-src += hypervisor/x86/pv/dom0/dom0_build.c hypervisor/x86/pv/dom0/dom0_kernel.c hypervisor/x86/pv/dom0/dom0_memory.c
hv-src += hypervisor/x86/pv/entry.S hypervisor/x86/pv/fast_syscall.c
hv-src += hypervisor/x86/pv/bounce.c hypervisor/x86/pv/traps.c hypervisor/x86/pv/callbacks.c hypervisor/x86/pv/segments.c
hv-src += hypervisor/x86/pv/debug.c hypervisor/x86/pv/context.c hypervisor/x86/pv/vcpu_state.c
hv-src += hypervisor/x86/pv/domain.c hypervisor/x86/pv/hypercall_page.c
hv-src += hypervisor/x86/pv/mmu.c hypervisor/x86/pv/mmu_update.c hypervisor/x86/pv/update_va_mapping.c hypervisor/x86/pv/mmuext.c
hv-src += hypervisor/x86/pv/fault.c hypervisor/x86/pv/grant_map.c hypervisor/x86/pv/descriptors.c
hv-src += hypervisor/x86/pv/emulate.c hypervisor/x86/pv/emulate_io.c hypervisor/x86/pv/msr.c
