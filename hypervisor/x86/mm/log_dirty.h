/* SPDX-License-Identifier: MIT */
/*
 * The log of a domain's pages that were written to, for live migration. The top of log_dirty.c
 * explains it.
 */
#ifndef X86_MM_LOG_DIRTY_H
#define X86_MM_LOG_DIRTY_H

#include "hv/frame.h"
#include "lib/dirty_map.h"
#include "x86/arch_domain.h"
#include "x86/mm/mirror.h"

struct log_dirty {
	bool on;       /* [M] written under it and while d is paused; read anywhere */
	bool claimed;  /* LOCK_DOMCTL: counted in log_dirty_domains */
	bool stopping; /* LOCK_DOMCTL: log_dirty_disable has begun */
	bool starting; /* LOCK_DOMCTL: it is on, and log_ops->start goes on */
	struct dirty_map map;
	unsigned long leaves; /* LOCK_DOMCTL: room in map.leaves */
	struct mirror_pool mirrors;
	u32 faults; /* [A] first writes, since the last round */
	/* LOCK_DOMCTL: where a preempted round goes on */
	struct {
		u64 word;	     /* the next one to copy */
		unsigned long visit; /* 1 + pages to visit for LOGDIRTY_FINAL; 0: not begun */
		u32 dirty;
		bool copied;
	} round;
};

/*
 * For domains whose first writes are found without mirrors: what the log asks of whoever finds them
 * (x86/hvm/p2m_log.c). The finder gives a page the right to write first and marks it then.
 */
struct log_dirty_ops {
	/* One more than the highest number that a page has. */
	unsigned long (*pages)(const struct domain *d);
	/* The log was just turned on: takes all rights to write away. 0, -ERESTART: call again. */
	int (*start)(struct domain *d);
	/* Takes the rights of pages whose bits are set away; bit 0 of words[0] is page `first`. */
	void (*protect)(struct domain *d, unsigned long first, const u64 *words, unsigned int n);
	/* Flushes the translations that had these rights. */
	void (*flush)(struct domain *d);
};

/* [A] Domains whose log is on, or nearly. 0 nearly always: each hook is this one test. */
extern u32 log_dirty_domains;

/* d's log, if it is on; else NULL. */
static inline struct log_dirty *log_dirty_of(const struct domain *d)
{
	struct log_dirty *log = d->arch ? READ_ONCE(d->arch->log_dirty) : NULL;

	return log && READ_ONCE(log->on) ? log : NULL;
}

void log_dirty_mark_page(const struct page_info *pg);
void log_dirty_table_written(const u64 *slot);
void log_dirty_table_changed(const struct page_info *table, bool valid);

/*
 * The hypervisor, or another domain, has written to the page. Call it after the write, and after a
 * locked instruction: the log may just be turned on.
 */
static inline void log_dirty_mark(const struct page_info *pg)
{
	if (unlikely(READ_ONCE(log_dirty_domains)))
		log_dirty_mark_page(pg);
}
/* An entry of a valid table, mapped at slot, has changed; the owner's mmu_lock is held. */
static inline void log_dirty_entry_written(const u64 *slot)
{
	if (unlikely(READ_ONCE(log_dirty_domains)))
		log_dirty_table_written(slot);
}
/*
 * The page has become a table, is about to be one no longer (valid: false), or its pin has changed.
 * The owner's mmu_lock is held.
 */
static inline void log_dirty_table_state(const struct page_info *table, bool valid)
{
	if (unlikely(READ_ONCE(log_dirty_domains)))
		log_dirty_table_changed(table, valid);
}

/* mirror_fault, if a log is on. */
static inline bool log_dirty_fault(unsigned long addr, u32 error_code)
{
	return unlikely(READ_ONCE(log_dirty_domains)) && mirror_fault(addr, error_code);
}

/* --- for control operations, under LOCK_DOMCTL; d is another domain --- */
/* Computes again which page tables v runs on; mmu_lock held. */
typedef void reload_tables_fn(struct vcpu *v);
/* 0, -EINVAL: it is on, or d is dying; -ENOMEM; -ERESTART. */
int __must_check log_dirty_enable(struct domain *d, reload_tables_fn *reload);
/* Turns the log off and frees what it took. 0, or -ERESTART. Also for a domain that is torn down.
 */
int log_dirty_disable(struct domain *d, reload_tables_fn *reload);
/* d is freed: so is the rest. */
void log_dirty_free(struct domain *d);

#define LOG_DIRTY_TAKE	1 /* begin a new round */
#define LOG_DIRTY_FINAL 2 /* with pages that the hypervisor or other domains can still write to */
struct log_dirty_result {
	u32 dirty, faults;
};
/*
 * Gives the bitmap of `pages` pages to `copy`, piece by piece (NULL: only counts). 0; -EINVAL: the
 * log is off; what `copy` returns; -ERESTART.
 */
/* Copies n bytes of the bitmap, from the `at`th on. 0 or -errno. */
typedef int log_dirty_copy_fn(void *data, u64 at, const void *from, size_t n);
int __must_check log_dirty_round(struct domain *d, log_dirty_copy_fn *copy, void *data, u64 pages,
				 unsigned int flags, struct log_dirty_result *result);
/* The pool's size in pages, and the size that the next log_dirty_enable takes; 0: by memory. */
unsigned long log_dirty_pool_pages(const struct domain *d);

#endif
