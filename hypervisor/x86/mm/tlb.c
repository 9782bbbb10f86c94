/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes and their clock.
 *
 * With each full flush a CPU notes the clock's value right before the flush. A frame is stamped
 * with the clock once its last mapping is gone from the page tables. A CPU whose note is later than
 * the stamp began its flush after the mapping was gone, so that CPU has no translation of the
 * frame. For this the clock must move between a stamp and the next flush. So a flush moves the
 * clock if the present value was given out as a stamp.
 *
 * Guests never have global translations (x86/pv clears the bit), so a load of CR3 drops all of
 * theirs. The hypervisor's translations are global and are dropped page by page when something is
 * unmapped.
 *
 * Stamps have 20 bits. At the last value the clock stands still until tlb_wrap restarts it; that
 * costs extra flushes but is safe. tlb_wrap flushes every CPU, so that no CPU keeps a note of the
 * old round, and tlb_filter filters nothing meanwhile. A stamp later than the clock is of an old
 * round, from before that flush.
 */
#include "x86/mm/tlb.h"

#include "hv/arch/cpu.h"
#include "hv/arch/frame.h"
#include "hv/atomic.h"
#include "hv/softirq.h"
#include "x86/arch_domain.h"
#include "x86/cpu/regs.h"
#include "x86/irq/ipi.h"
#include "x86/irq/vectors.h"

#define CLOCK_FIRST 1U
#define CLOCK_LAST  0xfffffU

static u32 clock = CLOCK_FIRST; /* [A] */
static u32 clock_stamped;	/* [A] the last value that was given as a stamp */
static bool clock_wrapping;	/* [A] */
static DEFINE_PER_CPU(u32, tlb_flushed_at);

static void tlb_wrap(void *unused);
static struct tasklet wrap_tasklet = { .fn = tlb_wrap };

u32 tlb_clock(void)
{
	u32 now;

	/* The caller's write to a page table must be seen before the clock is read. */
	smp_mb();
	now = READ_ONCE(clock);
	if (READ_ONCE(clock_stamped) != now)
		WRITE_ONCE(clock_stamped, now);
	return now;
}

/* The note for a flush that begins now. */
static u32 clock_for_flush(void)
{
	u32 now = READ_ONCE(clock);

	if (READ_ONCE(clock_stamped) != now || now == CLOCK_LAST)
		return now;
	/* If another CPU was faster, the cmpxchg sets `now` to the clock's new value. */
	if (atomic_cmpxchg(&clock, &now, now + 1) && ++now == CLOCK_LAST)
		tasklet_schedule(&wrap_tasklet);
	return now;
}

static void tlb_wrap(void *unused)
{
	(void)unused;
	WRITE_ONCE(clock_wrapping, true);
	smp_mb();
	WRITE_ONCE(clock, CLOCK_FIRST);
	tlb_flush_mask(&cpu_online_map);
	WRITE_ONCE(clock_wrapping, false);
}

void tlb_filter(cpumask_t *cpus, u32 stamp)
{
	u32 now = READ_ONCE(clock); /* before clock_wrapping: see tlb_wrap */
	unsigned int cpu;

	if (!stamp) {
		cpumask_zero(cpus);
		return;
	}
	if (READ_ONCE(clock_wrapping))
		return;
	if (stamp > now) {
		cpumask_zero(cpus);
		return;
	}
	cpumask_for_each(cpu, cpus)
		if (READ_ONCE(per_cpu(tlb_flushed_at, cpu)) > stamp)
			bitmap_clear_bit(cpus->bits, cpu);
}

u32 tlb_stamp_later(u32 a, u32 b)
{
	u32 now = READ_ONCE(clock);
	bool a_old = a > now, b_old = b > now;

	if (READ_ONCE(clock_wrapping))
		return now;
	return a_old == b_old ? max(a, b) : a_old ? b : a;
}

/* --- this CPU --- */

/*
 * Interrupts are off from the note to the flush: a flush by an interrupt in between would note a
 * later value, which this older one would then overwrite.
 */
void tlb_load_cr3(unsigned long cr3)
{
	unsigned long flags = arch_irq_save();
	u32 now = clock_for_flush();

	write_cr3(cr3);
	this_cpu(tlb_flushed_at) = now;
	arch_irq_restore(flags);
}

void tlb_flush_local(void)
{
	tlb_load_cr3(read_cr3());
}

void tlb_flush_local_all(void)
{
	unsigned long flags = arch_irq_save(), cr4 = read_cr4();
	u32 now = clock_for_flush();

	/* Any change of PGE flushes everything (SDM 3A 4.10.4.1). */
	if (cr4 & X86_CR4_PGE) {
		write_cr4(cr4 & ~(unsigned long)X86_CR4_PGE);
		write_cr4(cr4);
	} else {
		write_cr3(read_cr3());
	}
	this_cpu(tlb_flushed_at) = now;
	arch_irq_restore(flags);
}

/* --- other CPUs --- */

enum flush_what { FLUSH_GUEST, FLUSH_ALL, FLUSH_PAGE };

static DEFINE_SPINLOCK(request_lock, LOCK_IPI);
/*
 * [request_lock] The one request under way. A CPU that is in `pending` serves the request and
 * leaves the set.
 */
static struct {
	enum flush_what what;
	unsigned long va;
	cpumask_t pending; /* [A] */
} request;

static void flush_here(enum flush_what what, unsigned long va)
{
	switch (what) {
	case FLUSH_GUEST:
		tlb_flush_local();
		break;
	case FLUSH_ALL:
		tlb_flush_local_all();
		break;
	case FLUSH_PAGE:
		invlpg(va);
		break;
	}
}

void tlb_ipi_handler(void)
{
	unsigned int cpu = smp_processor_id();

	if (!cpumask_test(cpu, &request.pending))
		return;
	flush_here(request.what, request.va);
	cpumask_clear_cpu(cpu, &request.pending);
}

/*
 * A CPU that waits must serve other CPUs' requests: two CPUs that wait for each other with
 * interrupts off would never finish. With interrupts on, the interrupt handler does that.
 */
static void wait_a_little(void)
{
	if (!arch_irqs_enabled())
		tlb_ipi_handler();
	cpu_relax();
}

/* Is no other CPU than `self` in the set? */
static bool is_alone(const cpumask_t *cpus, unsigned int self)
{
	for (unsigned int i = 0; i < BITMAP_LONGS(nr_cpus); i++) {
		unsigned long word = READ_ONCE(cpus->bits[i]);

		if (i == self / BITS_PER_LONG)
			word &= ~BIT(self % BITS_PER_LONG);
		if (word)
			return false;
	}
	return true;
}

static void flush_on(const cpumask_t *cpus, enum flush_what what, unsigned long va)
{
	unsigned int self = smp_processor_id();
	bool alone = is_alone(cpus, self);
	cpumask_t others;

	if (!alone) {
		cpumask_and(&others, cpus, &cpu_online_map);
		bitmap_clear_bit(others.bits, self);
	}
	if (cpumask_test(self, cpus))
		flush_here(what, va);
	if (alone || cpumask_empty(&others))
		return;
	while (!spin_trylock(&request_lock))
		wait_a_little();
	request.what = what;
	request.va = va;
	barrier();
	/*
	 * A polling CPU may serve the request before the interrupt is sent. The interrupt then
	 * finds nothing to do.
	 */
	for (unsigned int i = 0; i < ARRAY_SIZE(others.bits); i++)
		WRITE_ONCE(request.pending.bits[i], others.bits[i]);
	smp_mb();
	ipi_send_mask(&others, VECTOR_TLB_FLUSH);
	while (!cpumask_empty(&request.pending))
		cpu_relax();
	spin_unlock(&request_lock);
}

void tlb_flush_mask(const cpumask_t *cpus)
{
	flush_on(cpus, FLUSH_GUEST, 0);
}

void tlb_flush_mask_all(const cpumask_t *cpus)
{
	flush_on(cpus, FLUSH_ALL, 0);
}

void tlb_flush_page_mask(const cpumask_t *cpus, unsigned long va)
{
	flush_on(cpus, FLUSH_PAGE, va);
}

void arch_tlb_flush_domain(const struct domain *d)
{
	tlb_flush_mask(&d->arch->dirty_cpus);
}
