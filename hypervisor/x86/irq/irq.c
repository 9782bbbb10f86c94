/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: each CPU's vectors, moves from CPU to CPU, acknowledgement. irq.h has the
 * rules.
 */
#include "x86/irq/irq.h"

#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/irq/apic.h"
#include "x86/irq/gsi.h"
#include "x86/irq/ioapic.h"
#include "x86/irq/vectors.h"

/*
 * How long an old vector stays valid after a move. An interrupt on its way has long arrived by
 * then: no CPU keeps interrupts off that long.
 */
#define MOVE_SETTLE MILLISECS(10)

/* Changed under vector_lock, read by the CPU itself. */
static DEFINE_PER_CPU(struct irq_desc *[256], vector_irqs);
static DEFINE_SPINLOCK(vector_lock, LOCK_IOAPIC);

static struct irq_desc *gsi_descs;
static u32 nr_gsis;
static DEFINE_SPINLOCK(free_lock, LOCK_IOAPIC);
static struct irq_desc *free_descs;

/* --- vectors --- */

static bool vector_usable(unsigned int vector)
{
	return vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST &&
	       vector != VECTOR_GUEST_SYSCALL && vector != VECTOR_GUEST_HYPERCALL;
}

static bool vectors_free(unsigned int cpu, unsigned int first, unsigned int nr)
{
	for (unsigned int i = first; i < first + nr; i++)
		if (!vector_usable(i) || per_cpu(vector_irqs, cpu)[i])
			return false;
	return true;
}

/*
 * Takes nr consecutive vectors of `cpu`, aligned to nr, for these descriptors. Returns the first;
 * 0: none free. wish: the only acceptable first vector, or 0.
 */
static unsigned int vectors_take(unsigned int cpu, struct irq_desc *const *descs, unsigned int nr,
				 unsigned int wish)
{
	unsigned int first = wish ? wish : ROUND_UP((unsigned int)VECTOR_DEVICE_FIRST, nr);
	unsigned long flags = spin_lock_irqsave(&vector_lock);

	while (!vectors_free(cpu, first, nr)) {
		first += nr;
		if (wish || first > VECTOR_DEVICE_LAST) {
			first = 0;
			break;
		}
	}
	for (unsigned int i = 0; first && i < nr; i++)
		WRITE_ONCE(per_cpu(vector_irqs, cpu)[first + i], descs[i]);
	spin_unlock_irqrestore(&vector_lock, flags);
	return first;
}

static void vector_give_back(unsigned int cpu, unsigned int vector)
{
	unsigned long flags;

	if (!vector)
		return;
	flags = spin_lock_irqsave(&vector_lock);
	WRITE_ONCE(per_cpu(vector_irqs, cpu)[vector], NULL);
	spin_unlock_irqrestore(&vector_lock, flags);
}

/* Messages and I/O APICs have 8 bits for the CPU's APIC ID. Returns CPU 0 if `cpu` does not fit. */
static unsigned int reachable_cpu(unsigned int cpu)
{
	return cpu < nr_cpus && cpumask_test(cpu, &cpu_online_map) && apic_ids[cpu] < 255 ? cpu : 0;
}

int irq_assign_vectors(struct irq_desc *const *descs, unsigned int nr, unsigned int cpu)
{
	unsigned int first;
	unsigned long flags;

	cpu = reachable_cpu(cpu);
	first = vectors_take(cpu, descs, nr, 0);
	if (!first && cpu) {
		cpu = 0;
		first = vectors_take(cpu, descs, nr, 0);
	}
	if (!first)
		return -ENOSPC;
	for (unsigned int i = 0; i < nr; i++) {
		flags = spin_lock_irqsave(&descs[i]->lock);
		descs[i]->cpu = descs[i]->wanted_cpu = cpu;
		descs[i]->vector = first + i;
		descs[i]->ops->route(descs[i], cpu, first + i);
		spin_unlock_irqrestore(&descs[i]->lock, flags);
	}
	return 0;
}

void irq_release_vectors(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	vector_give_back(desc->cpu, desc->vector);
	vector_give_back(desc->old_cpu, desc->old_vector);
	desc->vector = desc->old_vector = 0;
	spin_unlock_irqrestore(&desc->lock, flags);
}

/*
 * Moves the interrupt to wanted_cpu if that is possible now; if not, the next interrupt tries
 * again. Lock held.
 */
static void irq_move(struct irq_desc *desc)
{
	unsigned int to = desc->wanted_cpu, vector;
	s_time_t now = time_now();

	if (desc->old_vector && now - desc->moved_at < MOVE_SETTLE)
		return;
	vector_give_back(desc->old_cpu, desc->old_vector);
	desc->old_vector = 0;
	vector = vectors_take(to, &desc, 1, desc->vector);
	if (!vector && !desc->same_vector)
		vector = vectors_take(to, &desc, 1, 0);
	if (!vector) {
		desc->wanted_cpu = desc->cpu;
		return;
	}
	if (!desc->ops->route(desc, to, vector)) {
		vector_give_back(to, vector);
		return;
	}
	desc->old_cpu = desc->cpu;
	desc->old_vector = desc->vector;
	desc->moved_at = now;
	desc->cpu = to;
	desc->vector = vector;
}

void irq_set_affinity(struct irq_desc *desc, unsigned int cpu)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	if (desc->vector && !desc->immovable) {
		desc->wanted_cpu = reachable_cpu(cpu);
		/*
		 * A level-triggered interrupt moves when it next arrives, when it is masked and
		 * acknowledged anyway.
		 */
		if (desc->wanted_cpu != desc->cpu && !desc->level)
			irq_move(desc);
	}
	spin_unlock_irqrestore(&desc->lock, flags);
}

/* --- handling --- */

void irq_device_vector(unsigned int vector)
{
	struct irq_desc *desc = READ_ONCE(this_cpu(vector_irqs)[vector]);
	struct domain *d;
	unsigned int port;
	unsigned long flags;

	if (unlikely(!desc)) {
		/* The interrupt was on its way when its vector was released. */
		if (apic_is_in_service(vector))
			apic_eoi();
		return;
	}
	flags = spin_lock_irqsave(&desc->lock);
	if (desc->level)
		desc->ops->mask(desc);
	apic_eoi();
	if (unlikely(desc->wanted_cpu != desc->cpu))
		irq_move(desc);
	if (unlikely(!desc->started)) {
		spin_unlock_irqrestore(&desc->lock, flags);
		return;
	}
	desc->eoi_due = desc->level;
	d = desc->domain;
	port = desc->port;
	atomic_inc(&desc->busy);
	spin_unlock_irqrestore(&desc->lock, flags);

	evtchn_send_pirq(d, port);
	atomic_dec(&desc->busy);
}

void irq_eoi(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	if (desc->eoi_due) {
		desc->eoi_due = false;
		if (desc->started)
			desc->ops->unmask(desc);
	}
	spin_unlock_irqrestore(&desc->lock, flags);
}

int irq_start(struct irq_desc *desc, unsigned int cpu)
{
	unsigned int vector;

	if (desc->started)
		return -EBUSY;
	if (!desc->vector) {
		cpu = reachable_cpu(cpu);
		vector = vectors_take(cpu, &desc, 1, 0);
		if (!vector)
			return -ENOSPC;
		desc->cpu = desc->wanted_cpu = cpu;
		desc->vector = vector;
		desc->ops->route(desc, cpu, vector);
	}
	desc->started = true;
	desc->eoi_due = false;
	desc->ops->unmask(desc);
	return 0;
}

void irq_stop(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	if (desc->started) {
		desc->ops->mask(desc);
		desc->started = desc->eoi_due = false;
	}
	spin_unlock_irqrestore(&desc->lock, flags);
	while (atomic_read(&desc->busy))
		cpu_relax();
}

/* --- descriptors --- */

static void desc_init(struct irq_desc *desc, const struct irq_ops *ops)
{
	*desc = (struct irq_desc){ .ops = ops, .gsi = ~0U };
	spin_lock_init(&desc->lock, LOCK_IRQ);
}

struct irq_desc *irq_of_gsi(u32 gsi)
{
	return gsi < nr_gsis ? &gsi_descs[gsi] : NULL;
}

struct irq_desc *irq_alloc(const struct irq_ops *ops, void *message)
{
	unsigned long flags = spin_lock_irqsave(&free_lock);
	struct irq_desc *desc = free_descs;

	if (desc)
		free_descs = desc->next_free;
	spin_unlock_irqrestore(&free_lock, flags);
	if (!desc) {
		desc = hv_alloc(sizeof(*desc));
		if (!desc)
			return NULL;
		desc_init(desc, ops);
	}
	flags = spin_lock_irqsave(&desc->lock);
	desc->ops = ops;
	desc->message = message;
	desc->level = desc->same_vector = desc->immovable = false;
	spin_unlock_irqrestore(&desc->lock, flags);
	return desc;
}

void irq_free(struct irq_desc *desc)
{
	unsigned long flags;

	irq_release_vectors(desc);
	flags = spin_lock_irqsave(&free_lock);
	desc->next_free = free_descs;
	free_descs = desc;
	spin_unlock_irqrestore(&free_lock, flags);
}

int irq_setup_gsi(u32 gsi, bool level, bool active_low)
{
	struct irq_desc *desc = irq_of_gsi(gsi);
	unsigned long flags;
	int ret = 0;

	if (!desc)
		return -EINVAL;
	flags = spin_lock_irqsave(&desc->lock);
	if (desc->configured && desc->level == level && desc->active_low == active_low) {
		ret = -EEXIST;
	} else if (desc->started) {
		ret = desc->level == level && desc->active_low == active_low ? -EEXIST : -EBUSY;
	} else {
		desc->level = level;
		desc->active_low = active_low;
		desc->configured = true;
		if (desc->vector)
			desc->ops->route(desc, desc->cpu, desc->vector);
	}
	spin_unlock_irqrestore(&desc->lock, flags);
	return ret;
}

void irq_init(void)
{
	u32 nr = ioapic_gsi_end();

	if (gsi_descs || !nr)
		return;
	gsi_descs = hv_alloc(nr * sizeof(*gsi_descs));
	if (!gsi_descs)
		panic("not enough memory for the descriptors of %u interrupts", nr);
	for (u32 gsi = 0; gsi < nr; gsi++) {
		desc_init(&gsi_descs[gsi], &gsi_irq_ops);
		gsi_descs[gsi].gsi = gsi;
		gsi_default_trigger(gsi, &gsi_descs[gsi].level, &gsi_descs[gsi].active_low);
	}
	nr_gsis = nr;
	debug_key_register('i', "interrupts", irq_dump);
}

void irq_dump(char key)
{
	unsigned int cpu;

	(void)key;
	cpumask_for_each(cpu, &cpu_online_map) {
		for (unsigned int vector = VECTOR_DEVICE_FIRST; vector <= VECTOR_DEVICE_LAST;
		     vector++) {
			const struct irq_desc *desc = READ_ONCE(per_cpu(vector_irqs, cpu)[vector]);

			if (!desc)
				continue;
			log_err("CPU %u vector %#x: %s %d, %s%s%s, port %u\n", cpu, vector,
				desc->message ? "message" : "GSI", (int)desc->gsi,
				desc->level ? "level" : "edge", desc->started ? ", started" : "",
				desc->eoi_due ? ", EOI due" : "", desc->port);
		}
	}
}
