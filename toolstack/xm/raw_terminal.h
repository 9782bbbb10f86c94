/* SPDX-License-Identifier: MIT */
/*
 * A terminal in raw mode. Its settings are restored also when SIGHUP, SIGINT, SIGQUIT or SIGTERM
 * ends the program.
 */
#ifndef XM_RAW_TERMINAL_H
#define XM_RAW_TERMINAL_H

/* Does nothing if fd is not a terminal. */
void raw_terminal_enter(int fd);

/* Restores the settings; does nothing when the terminal is not in raw mode. */
void raw_terminal_leave(void);

#endif
