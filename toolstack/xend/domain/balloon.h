/* SPDX-License-Identifier: MIT */
/* Memory for a new domain: the hypervisor's free memory and, if that is too little, Domain-0's. */
#ifndef XEND_DOMAIN_BALLOON_H
#define XEND_DOMAIN_BALLOON_H

#include <stdint.h>

#include "lib/error.h"

/* What Domain-0 gave for one domain; all zeros: nothing. */
struct balloon_loan {
	uint64_t kb;
	unsigned int generation;
};

/*
 * In a task: makes sure that the hypervisor has `kb` KiB free for the caller. Callers take turns:
 * after 0, nobody else gets memory until balloon_release, which says that this memory is allocated,
 * claimed or not needed. -ENOMEM (the sentence says what is missing) or -ECANCELED; then Domain-0
 * has its target of before.
 */
int balloon_reserve(uint64_t kb, struct balloon_loan *loan, struct error **e);
void balloon_release(void);
/* Whether balloon_reserve would find so much now: 0, or -ENOMEM with the same sentence. */
int balloon_check(uint64_t kb, struct error **e);
/* The memory was not needed after all: raises Domain-0's target again. Empties the loan. */
void balloon_give_back(struct balloon_loan *loan);
/* The memory has got its use: Domain-0's target stays. Empties the loan. */
void balloon_keep(struct balloon_loan *loan);
/*
 * When xend starts, after what was left half done is taken away: gives back what the last xend had
 * borrowed, but neither given back nor kept, when it was killed.
 */
void balloon_recover(void);
/* Somebody chose another target for Domain-0: it stays, whatever becomes of loans until now. */
void balloon_forget_loans(void);
/*
 * KiB that the hypervisor needs for a domain besides the domain's own memory: structures, page
 * tables, grant tables.
 */
uint64_t balloon_overhead_kb(uint64_t memory_kb, unsigned int vcpus);

#endif
