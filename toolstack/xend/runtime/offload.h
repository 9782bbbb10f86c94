/* SPDX-License-Identifier: MIT */
/*
 * Calls that may wait for a device or a server, each in a thread of its own. One that never answers
 * holds up neither the loop nor other calls, as it would in libuv's small pool.
 */
#ifndef XEND_RUNTIME_OFFLOAD_H
#define XEND_RUNTIME_OFFLOAD_H

#include <stdint.h>

/*
 * In a task: runs work(arg) in a thread and waits for its end. 0: arg is the caller's again.
 * -ETIMEDOUT, -ECANCELED, -EAGAIN (no thread): the caller must not touch arg any more. discard(arg)
 * frees it, in the loop, as soon as work has ended.
 */
int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline);

#endif
