/* SPDX-License-Identifier: MIT */
/*
 * Calls that may hang on a device or a server. Each runs in a thread of its own: a call that never
 * returns would block the loop, or a thread of libuv's small pool.
 */
#ifndef XEND_RUNTIME_OFFLOAD_H
#define XEND_RUNTIME_OFFLOAD_H

#include <stdint.h>

/*
 * In a task: runs work(arg) in a thread and waits until it has ended. 0: the caller owns arg again.
 *
 * -ETIMEDOUT, -ECANCELED, -EAGAIN (no thread): the caller must not touch arg any more. discard(arg)
 * frees arg, in the loop, as soon as work has ended.
 */
int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline);

#endif
