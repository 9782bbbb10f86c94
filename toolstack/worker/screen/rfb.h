/* SPDX-License-Identifier: MIT */
/*
 * The begin of the protocol of VNC (RFC 6143, sections 7.1.1 to 7.1.3): versions and security. What
 * follows is the same on both sides, and is passed on as it is.
 */
#ifndef WORKER_SCREEN_RFB_H
#define WORKER_SCREEN_RFB_H

#include <stdbool.h>

#define RFB_PASSWORD_MAX 8 /* bytes that count */
#define RFB_CHALLENGE	 16

/*
 * Serves a client's begin. password: NULL: none is asked for. False: the client is to be dropped;
 * it has been told why, if it got so far.
 */
bool rfb_admit_client(int fd, const char *password);
/* Goes through the begin with a server that asks for no password. */
bool rfb_enter_server(int fd);

/* What a client that knows the password answers to a challenge. False: the cipher is missing. */
bool rfb_answer(const char *password, const unsigned char challenge[RFB_CHALLENGE],
		unsigned char answer[RFB_CHALLENGE]);

#endif
