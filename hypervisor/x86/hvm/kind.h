/* SPDX-License-Identifier: MIT */
/* The functions of hvm_guest_ops (domain.c) that other files have; guest_ops.h says what each does.
 */
#ifndef X86_HVM_KIND_H
#define X86_HVM_KIND_H

#include "x86/guest/guest_ops.h"

/* --- vcpu.c --- */
int hvm_vcpu_create(struct vcpu *v);
void hvm_vcpu_free(struct vcpu *v);
void hvm_vcpu_reset(struct vcpu *v);
void hvm_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *c);
void hvm_save(struct vcpu *v);
void hvm_load(struct vcpu *v);

/* --- save.c --- */
long hvm_context(struct domain *d, struct xen_domctl *op);

#endif
