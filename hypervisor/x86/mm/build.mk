hv-src += hypervisor/x86/mm/boot_map.c
hv-src += hypervisor/x86/mm/address_space.c hypervisor/x86/mm/boot_alloc.c hypervisor/x86/mm/frame_table.c
hv-src += hypervisor/x86/mm/map_frame.c hypervisor/x86/mm/page_reuse.c hypervisor/x86/mm/paging.c
hv-src += hypervisor/x86/mm/paging_init.c hypervisor/x86/mm/tlb.c hypervisor/x86/mm/vmap.c
hv-src += hypervisor/x86/mm/page_types.c hypervisor/x86/mm/page_validate.c hypervisor/x86/mm/page_check.c
hv-src += hypervisor/x86/mm/log_dirty.c hypervisor/x86/mm/mirror.c
