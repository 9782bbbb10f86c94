/* SPDX-License-Identifier: MIT */
/* Faults of the processor that Xenolith does not guard against. */
#ifndef XEND_SERVER_CPU_FAULTS_H
#define XEND_SERVER_CPU_FAULTS_H

#include "hv/hv.h"

/*
 * The names of the faults (lib/cpu_faults.h), separated by spaces, or "none". NULL: another
 * hypervisor runs, which has guards of its own, or the processor's features could not be read. The
 * text lasts.
 */
const char *cpu_faults_text(struct hv *hv, const struct hv_version *version);

#endif
