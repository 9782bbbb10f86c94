/* SPDX-License-Identifier: MIT */
/* Faults of the processor against which Xenolith has no guard. */
#ifndef XEND_SERVER_CPU_FAULTS_H
#define XEND_SERVER_CPU_FAULTS_H

#include "hv/hv.h"

/*
 * The names of the faults (lib/cpu_faults.h), separated by spaces, or "none". NULL: another
 * hypervisor runs, with guards of its own, or the processor's features cannot be read. The text is
 * valid as long as xend runs.
 */
const char *cpu_faults_text(struct hv *hv, const struct hv_version *version);

#endif
