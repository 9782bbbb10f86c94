/* SPDX-License-Identifier: MIT */
/* Interrupts of devices from the I/O APIC's entry to the guest's event channel. */
/* links: hypervisor/x86/irq/irq.c hypervisor/x86/irq/gsi.c hypervisor/x86/irq/pirq.c hypervisor/core/domain/guest_page.c hypervisor/lib/bitmap.c */
#include "x86/irq/pirq.h"

#include <stdlib.h>
#include <string.h>
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/arch/pirq.h"
#include "hv/evtchn.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/irq/apic.h"
#include "x86/irq/ioapic.h"
#include "x86/irq/vectors.h"

enum { PINS = 24 };

struct ioapic ioapics[MAX_IOAPICS];
unsigned int nr_ioapics = 1;
u32 apic_ids[HV_MAX_CPUS];
static u64 rtes[PINS];
static unsigned int eois, events, last_port;
static struct domain *d;
static struct vcpu *v;

/* --- the machine --- */

struct ioapic *ioapic_of_gsi(u32 gsi, unsigned int *pin)
{
	*pin = gsi;
	return gsi < PINS ? &ioapics[0] : NULL;
}
u32 ioapic_gsi_end(void)
{
	return PINS;
}
u64 ioapic_read_rte(const struct ioapic *io, unsigned int pin)
{
	return rtes[pin];
}
void ioapic_write_rte(const struct ioapic *io, unsigned int pin, u64 rte)
{
	rtes[pin] = rte;
}
u64 ioapic_make_rte(unsigned int vector, u32 apic_id, bool level, bool active_low)
{
	return vector | (level ? RTE_LEVEL : 0) | (active_low ? RTE_ACTIVE_LOW : 0) |
	       (u64)apic_id << RTE_DEST_SHIFT;
}
void ioapic_mask(u32 gsi)
{
	rtes[gsi] |= RTE_MASKED;
}
void ioapic_unmask(u32 gsi)
{
	rtes[gsi] &= ~RTE_MASKED;
}
struct isa_irq ioapic_isa_irq(unsigned int irq)
{
	return (struct isa_irq){ .gsi = irq ? irq : 2, .level = irq == 9, .active_low = irq == 9 };
}
void apic_eoi(void)
{
	eois++;
}
bool apic_is_in_service(unsigned int vector)
{
	return true;
}
bool page_get(struct page_info *pg, const struct domain *dom)
{
	return true;
}
struct page_info *guest_frame_get(struct domain *dom, gfn_t gfn, mfn_t *mfn)
{
	return NULL;
}
void page_put(struct page_info *pg)
{
}
int arch_page_get_writable(struct page_info *pg)
{
	return 0;
}
void arch_page_put_writable(struct page_info *pg)
{
}
void evtchn_send_pirq(struct domain *dom, unsigned int port)
{
	assert_int_equal(host_locks_held(), 0);
	events++;
	last_port = port;
}

static unsigned int vector_of(unsigned int gsi)
{
	return rtes[gsi] & RTE_VECTOR_MASK;
}

/* Raises the interrupt; it arrives where its entry says, unless it is masked. */
static bool signal(unsigned int gsi)
{
	if (rtes[gsi] & RTE_MASKED)
		return false;
	host_set_cpu((unsigned int)(rtes[gsi] >> RTE_DEST_SHIFT));
	host_irqs_on[host_cpu] = false;
	irq_device_vector(vector_of(gsi));
	host_irqs_on[host_cpu] = true;
	host_set_cpu(0);
	return true;
}

static int setup(void **state)
{
	host_cpus_init(4);
	host_now = SECONDS(1);
	for (unsigned int i = 0; i < 4; i++)
		apic_ids[i] = i;
	for (unsigned int i = 0; i < PINS; i++)
		rtes[i] = RTE_MASKED;
	d = calloc(1, sizeof(*d));
	v = calloc(1, sizeof(*v));
	v->domain = d;
	d->is_privileged = true;
	assert_int_equal(pirq_domain_create(d), 0);
	eois = events = 0;
	return 0;
}

static int teardown(void **state)
{
	pirq_domain_destroy(d);
	assert_null(d->pirqs);
	free(v);
	free(d);
	return 0;
}

static int map(u32 gsi)
{
	struct irq_desc *desc = irq_of_gsi(gsi);

	return pirq_map(d, (int)gsi, &desc, 1);
}

static void a_level_interrupt_waits_for_the_guests_eoi(void **state)
{
	assert_int_equal(map(17), 17);
	assert_int_equal(map(17), 17);
	assert_int_equal(pirq_guest_bind(v, 17, 5, true), 0);
	assert_int_equal(pirq_guest_bind(v, 17, 6, true), -EEXIST);
	assert_true(pirq_needs_eoi(d, 17));
	assert_true(rtes[17] & RTE_LEVEL && rtes[17] & RTE_ACTIVE_LOW);
	assert_true(signal(17));
	assert_int_equal(last_port, 5);
	assert_int_equal(eois, 1);
	assert_false(signal(17));
	pirq_guest_eoi(d, 17);
	assert_true(signal(17));
	pirq_guest_unbind(d, 17);
	pirq_guest_eoi(d, 17);
	assert_false(signal(17));
	assert_int_equal(events, 2);
}

static void an_edge_interrupt_needs_no_eoi(void **state)
{
	assert_int_equal(map(12), 12);
	assert_int_equal(pirq_guest_bind(v, 12, 7, false), 0);
	assert_false(pirq_needs_eoi(d, 12));
	for (unsigned int i = 0; i < 5; i++)
		assert_true(signal(12));
	assert_int_equal(events, 5);
}

static void the_mode_of_a_gsi_is_set_before_use(void **state)
{
	assert_int_equal(irq_setup_gsi(20, true, false), 0);
	assert_int_equal(irq_setup_gsi(20, true, false), -EEXIST);
	assert_int_equal(map(20), 20);
	assert_int_equal(pirq_guest_bind(v, 20, 1, false), 0);
	assert_int_equal(irq_setup_gsi(20, false, false), -EBUSY);
	assert_false(rtes[20] & RTE_ACTIVE_LOW);
	assert_int_equal(irq_setup_gsi(PINS, true, true), -EINVAL);
	assert_int_equal(pirq_guest_bind(v, 9999, 1, false), -EINVAL);
	assert_int_equal(map(9), 9);
	assert_true(pirq_needs_eoi(d, 9));
}

static void the_hypervisors_own_is_refused(void **state)
{
	rtes[4] = VECTOR_SERIAL;
	assert_int_equal(map(4), 4);
	assert_int_equal(pirq_guest_bind(v, 4, 1, false), -EBUSY);
	assert_int_equal(rtes[4], VECTOR_SERIAL);
}

static void interrupts_follow_their_vcpu(void **state)
{
	unsigned int old_vector;

	assert_int_equal(map(14), 14);
	assert_int_equal(pirq_guest_bind(v, 14, 3, false), 0);
	old_vector = vector_of(14);
	pirq_set_affinity(d, 14, 2);
	assert_int_equal(rtes[14] >> RTE_DEST_SHIFT, 2);
	/* An interrupt that is still on its way to the old place counts. */
	irq_device_vector(old_vector);
	assert_int_equal(events, 1);
	assert_true(signal(14));
	assert_int_equal(events, 2);

	/* Level-triggered: it moves at the next interrupt, when none is in service. */
	assert_int_equal(map(18), 18);
	assert_int_equal(pirq_guest_bind(v, 18, 4, false), 0);
	pirq_set_affinity(d, 18, 3);
	assert_int_equal(rtes[18] >> RTE_DEST_SHIFT, 0);
	assert_true(signal(18));
	assert_int_equal(rtes[18] >> RTE_DEST_SHIFT, 3);
	assert_false(signal(18));
	pirq_guest_eoi(d, 18);
	assert_true(signal(18));
}

static void no_route(struct irq_desc *desc)
{
}
static bool any_route(struct irq_desc *desc, unsigned int cpu, unsigned int vector)
{
	return true;
}
static void free_group(struct irq_desc *first)
{
	struct irq_desc **descs = first->message;

	for (unsigned int i = 0; i < 8; i++)
		irq_free(descs[i]);
}
static const struct irq_ops group_ops = { no_route, no_route, any_route, free_group };

static void messages_of_a_group_lie_together(void **state)
{
	struct irq_desc *descs[8];
	int pirq;

	for (unsigned int round = 0; round < 200; round++) {
		for (unsigned int i = 0; i < 8; i++)
			descs[i] = irq_alloc(&group_ops, descs);
		assert_int_equal(irq_assign_vectors(descs, 8, 1), 0);
		for (unsigned int i = 0; i < 8; i++) {
			assert_int_equal(descs[i]->vector, descs[0]->vector + i);
			assert_int_not_equal(descs[i]->vector, VECTOR_GUEST_SYSCALL);
			assert_int_not_equal(descs[i]->vector, VECTOR_GUEST_HYPERCALL);
		}
		assert_int_equal(descs[0]->vector % 8, 0);
		pirq = pirq_map(d, -1, descs, 8);
		assert_true(pirq >= PINS);
		assert_int_equal(pirq_guest_bind(v, (unsigned int)pirq + 3, 30, false), 0);
		assert_int_equal(pirq_unmap(d, (unsigned int)pirq + 1), -EINVAL);
		assert_int_equal(pirq_unmap(d, (unsigned int)pirq), 0);
		assert_false(pirq_is_mapped(d, (unsigned int)pirq + 3));
	}
}

static void vectors_run_out_cleanly(void **state)
{
	struct irq_desc *descs[32 * 40];
	unsigned int nr = 0;

	for (;; nr++) {
		descs[nr] = irq_alloc(&group_ops, NULL);
		if (irq_assign_vectors(&descs[nr], 1, 0))
			break;
	}
	/* All vectors except two that guests use, and those that GSIs keep once they have them. */
	assert_in_range(nr, VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1 - 2 - PINS,
			VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1 - 2);
	for (unsigned int i = 0; i <= nr; i++)
		irq_free(descs[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_level_interrupt_waits_for_the_guests_eoi, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_edge_interrupt_needs_no_eoi, setup, teardown),
		cmocka_unit_test_setup_teardown(the_mode_of_a_gsi_is_set_before_use, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_hypervisors_own_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts_follow_their_vcpu, setup, teardown),
		cmocka_unit_test_setup_teardown(messages_of_a_group_lie_together, setup, teardown),
		cmocka_unit_test_setup_teardown(vectors_run_out_cleanly, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
