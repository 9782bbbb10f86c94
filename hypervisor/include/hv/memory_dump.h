/* SPDX-License-Identifier: MIT */
/* Reports of memory use for people. */
#ifndef HV_MEMORY_DUMP_H
#define HV_MEMORY_DUMP_H

/* Logs how much the hypervisor holds. */
void memory_log_held(void);
void memory_dump(char key); /* debug key */

#endif
