/* SPDX-License-Identifier: MIT */
/* A terminal that gives and takes bytes as they are, and is put back however the program ends (but
 * for SIGKILL). */
#ifndef XM_RAW_TERMINAL_H
#define XM_RAW_TERMINAL_H

/* Nothing if fd is not a terminal. */
void raw_terminal_enter(int fd);

/* Back to how it was; nothing if it was not entered. */
void raw_terminal_leave(void);

#endif
