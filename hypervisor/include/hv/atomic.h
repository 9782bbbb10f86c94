/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations and barriers. On x86 a locked instruction is a full barrier. Plain loads and
 * stores stay in order, except that a load may pass an earlier store.
 */
#ifndef HV_ATOMIC_H
#define HV_ATOMIC_H

#include "lib/types.h"

#define atomic_read(p)		READ_ONCE(*(p))
#define atomic_set(p, v)	WRITE_ONCE(*(p), v)
#define atomic_inc(p)		((void)__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(p)		((void)__atomic_fetch_sub(p, 1, __ATOMIC_SEQ_CST))
#define atomic_add_return(p, n) __atomic_add_fetch(p, n, __ATOMIC_SEQ_CST)
#define atomic_sub_return(p, n) __atomic_sub_fetch(p, n, __ATOMIC_SEQ_CST)
#define atomic_or(p, v)		((void)__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define atomic_and(p, v)	((void)__atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))
#define atomic_xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
/* Stores `new` if *p equals *old, else loads *p into *old; true when stored. */
#define atomic_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define smp_mb()    __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()   barrier()
#define smp_wmb()   barrier()
#define cpu_relax() __asm__ __volatile__("pause" ::: "memory")

#endif
