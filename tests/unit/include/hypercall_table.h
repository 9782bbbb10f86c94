/* SPDX-License-Identifier: MIT */
/* Host version: declares the handlers that tests link. The hypervisor's own header is generated
 * from hypercalls.tbl. */
#ifndef HYPERCALL_TABLE_H
#define HYPERCALL_TABLE_H

typedef long hypercall_handler_fn(unsigned long, unsigned long, unsigned long, unsigned long,
				  unsigned long, unsigned long);

hypercall_handler_fn do_mmu_update;
hypercall_handler_fn do_mmuext_op;
hypercall_handler_fn do_update_va_mapping;
hypercall_handler_fn do_update_va_mapping_otherdomain;
hypercall_handler_fn do_set_gdt;
hypercall_handler_fn do_update_descriptor;

#endif
