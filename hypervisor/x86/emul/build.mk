# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/emul/decode.c
hv-src += hypervisor/x86/emul/execute.c
hv-src += hypervisor/x86/emul/tables.c
