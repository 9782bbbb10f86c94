/* SPDX-License-Identifier: MIT */
/* One client of a screen's gate: its begin, and then what both sides say. */
#ifndef WORKER_SCREEN_GATE_CLIENT_H
#define WORKER_SCREEN_GATE_CLIENT_H

struct gate;

/*
 * The whole life of a client's process. When the client is let in, the process writes its pid to
 * the pipe `admitted`.
 */
_Noreturn void gate_client_serve(const struct gate *gate, int client, int admitted);

#endif
