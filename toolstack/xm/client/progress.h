/* SPDX-License-Identifier: MIT */
/* One line on a terminal that tells how far long work has come. */
#ifndef XM_CLIENT_PROGRESS_H
#define XM_CLIENT_PROGRESS_H

#include <stdint.h>

/* Shows "WHAT: STAGE 42%" in place of the last such line. Nothing if stderr is not a terminal.
 * total 0: not known. */
void progress_show(const char *what, const char *stage, uint64_t done, uint64_t total);

/* Takes the line away, if one is shown. */
void progress_end(void);

#endif
