# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/hvm/svm/cpu.c hypervisor/x86/hvm/svm/vcpu.c hypervisor/x86/hvm/svm/asid.c
hv-src += hypervisor/x86/hvm/svm/exit.c hypervisor/x86/hvm/svm/entry.S
