/* SPDX-License-Identifier: MIT */
/* What the measuring micro-guests share: the loop that counts, results on the console, words of the
 * command line. */
#ifndef BENCH_H
#define BENCH_H

#include "guest.h"

#define ROUNDS 5

/* Ticks of the TSC that `calls` times `body` take, the least of ROUNDS; `i` counts inside. */
#define LEAST(calls, body)                                                 \
	({                                                                 \
		uint64_t least_ = ~0UL;                                    \
		for (unsigned int round_ = 0; round_ < ROUNDS; round_++) { \
			uint64_t start_ = rdtsc(), spent_;                 \
			for (unsigned int i = 0; i < (calls); i++) {       \
				body;                                      \
				__asm__ volatile("" ::"r"(i) : "memory");  \
			}                                                  \
			spent_ = rdtsc() - start_;                         \
			least_ = spent_ < least_ ? spent_ : least_;        \
		}                                                          \
		least_;                                                    \
	})

/*
 * One line "BENCH name value unit runs": each is `ticks` / `calls` instructions (under icount a
 * tick is one), the least of ROUNDS. It goes where the guest may write: Domain-0 to the
 * hypervisor's console, a guest to its console's ring.
 */
void bench_report(const char *name, uint64_t ticks, unsigned int calls);
/* Text on the same console. */
void bench_say(const char *text);
/*
 * Says "BENCH-FAILED what: value" and ends. An operation that fails is not measured: the run has
 * failed. Exceptions that nobody expects end like this, too, once bench_begin was called.
 */
void bench_die(const char *what, uint64_t value) __attribute__((noreturn));
void bench_begin(void);
/* Waits until all that was said has been read. A guest that ends before that takes it along. */
void bench_drain(void);

/* The number after `name` ("peer=") on the command line, or `otherwise`. */
unsigned long bench_option(const char *name, unsigned long otherwise);
/* If the command line has that word. */
bool bench_has_word(const char *name);

/* --- event channels --- */
static inline long bench_evtchn_op(unsigned int cmd, void *arg)
{
	return hc2(__HYPERVISOR_event_channel_op, cmd, arg);
}

/* By which number others name this guest. */
domid_t bench_own_domid(void);

static inline bool bench_port_pending(unsigned int port)
{
	return (((volatile xen_ulong_t *)shared_info->evtchn_pending)[port / 64] >> (port % 64)) &
	       1;
}

static inline void bench_port_clear(unsigned int port)
{
	__atomic_fetch_and(&shared_info->evtchn_pending[port / 64], ~(1UL << (port % 64)),
			   __ATOMIC_SEQ_CST);
}

static inline void bench_port_unmask(unsigned int port)
{
	__atomic_fetch_and(&shared_info->evtchn_mask[port / 64], ~(1UL << (port % 64)),
			   __ATOMIC_SEQ_CST);
}

#endif
