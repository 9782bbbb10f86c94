/* SPDX-License-Identifier: MIT */
/* A line on a terminal that shows the progress of a long job. */
#ifndef XM_CLIENT_PROGRESS_H
#define XM_CLIENT_PROGRESS_H

#include <stdint.h>

/*
 * Shows "WHAT: STAGE 42%" in place of the last such line. Does nothing if stderr is not a terminal.
 * total 0: not known.
 */
void progress_show(const char *what, const char *stage, uint64_t done, uint64_t total);

/* Removes the line, if there is one. */
void progress_end(void);

#endif
