/* SPDX-License-Identifier: MIT */
/* What xend does first: make out of the hypervisor, xenstore and the records what it knows, and take back what was left half done. */
#ifndef XEND_RECOVER_H
#define XEND_RECOVER_H

#include "util/error.h"

/* Reads all. Afterwards running domains are listed; those that need work are locked, and recover_run goes through them. */
int recover_load(struct error **e);
/* In a task: finishes or undoes what the records announce. */
void recover_run(void);

#endif
