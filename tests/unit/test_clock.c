/* SPDX-License-Identifier: MIT */
/* links: hypervisor/core/base/timer.c hypervisor/core/domain/vcpu_timer.c hypervisor/core/base/softirq.c hypervisor/lib/heap.c hypervisor/lib/bitmap.c */
/*
 * Conversions between system time, the TSC and the local APIC's timer, from a hypercall's argument
 * to the hardware's register: for every value that a guest may pass, on processors of 0.5 to 10
 * GHz.
 */
#include <string.h>
#include "core/domain/domain_internal.h"
#include "hv/hypercall_handlers.h"
#include "hv/vcpu_timer.h"
#include "host/host.h"
#include "hv/evtchn.h"
#include "hv/sched.h"
#include "hv/softirq.h"
#include "lib/errno.h"
#include "unit.h"

/* Replaces x86/cpu/regs.h: the instructions act on these variables. */
#define X86_CPU_REGS_H
#define MSR_IA32_APIC_BASE    0x1b
#define MSR_IA32_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_FIRST      0x800

static u64 tsc, tsc_step, tsc_deadline;
static u32 apic_countdown;

static u64 rdtsc(void)
{
	return tsc += tsc_step;
}
static u64 rdtsc_ordered(void)
{
	return rdtsc();
}
static u64 rdmsr(u32 msr)
{
	return 0;
}
static void wrmsr(u32 msr, u64 value)
{
	if (msr == MSR_IA32_TSC_DEADLINE)
		tsc_deadline = value;
	else if (msr == MSR_X2APIC_FIRST + 0x38)
		apic_countdown = (u32)value;
}

#include "hv/arch/time.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/time.c"
#include "x86/irq/apic.c"
#include "x86/map_device.h"

u8 host_inb(u16 port)
{
	return 0xff;
}
void host_outb(u16 port, u8 value)
{
}

struct cpu_features cpu_features;
struct platform_info platform;

void *map_device(paddr_t addr, size_t size)
{
	return NULL;
}
void unmap_device(void *va, size_t size)
{
}
struct domain *domain_get_next(domid_t from)
{
	return NULL;
}
void domain_put(struct domain *d)
{
}
void arch_domain_update_wallclock(struct domain *d)
{
}
void evtchn_send_vcpu_virq(struct vcpu *v, u32 virq)
{
}
bool evtchn_poll_end(struct vcpu *v)
{
	return false;
}
void vcpu_wake(struct vcpu *v)
{
}

/* --- the values --- */

static const u64 frequencies[] = {
	500000000,  999999999,	1000000000, 1000000001, 1193182000, 1999999999,	 2000000000,
	2000000001, 2100000000, 2893437000, 3500000000, 3999999999, 4000000000,	 4000000001,
	5000000000, 5700000000, 7999999999, 8000000000, 8000000001, 10000000000,
};

#define YEAR SECONDS(3600L * 24 * 365)

static const s_time_t uptimes[] = {
	0, 1, MILLISECS(20), SECONDS(60), 100 * SECONDS(3600 * 24), 10 * YEAR
};

/* The TSC when system time began, as the firmware may leave it. */
static const u64 first_tscs[] = { 0, 1, 12345678901, 1UL << 50 };

/* Every power of two and its neighbours as u64. They include everything that is negative as s64,
 * INT64_MAX and ~0. */
static unsigned int deadlines(u64 out[200])
{
	unsigned int n = 0;

	for (unsigned int bit = 0; bit < 64; bit++)
		for (int off = -1; off <= 1; off++)
			out[n++] = (1UL << bit) + (u64)off;
	out[n++] = ~0UL;
	out[n++] = ~0UL - 1;
	out[n++] = (u64)INT64_MIN + 1000;
	out[n++] = 1000000007;
	return n;
}

/* Calls check for each of those machines at each of those times. */
static void each_machine(void (*check)(u64 hz, s_time_t now))
{
	host_cpus_init(1);
	tsc_step = 0;
	for (unsigned int f = 0; f < ARRAY_SIZE(frequencies); f++)
		for (unsigned int u = 0; u < ARRAY_SIZE(uptimes); u++)
			for (unsigned int t = 0; t < ARRAY_SIZE(first_tscs); t++) {
				set_frequency(frequencies[f]);
				this_cpu(tsc_base) = first_tscs[t];
				this_cpu(stime_base) = 0;
				tsc = first_tscs[t] + (u64)((unsigned __int128)uptimes[u] *
							    frequencies[f] / NS_PER_SEC);
				check(frequencies[f], uptimes[u]);
			}
}

/* --- tests --- */

static void the_quotient_saturates(void **state)
{
	assert_int_equal(mul_div(6, 7, 2), 21);
	assert_int_equal(mul_div(~0UL, ~0UL, ~0UL), ~0UL);
	assert_int_equal(mul_div(~0UL, 3, 4), 0xbfffffffffffffff);
	assert_int_equal(mul_div(~0UL, 2, 1), ~0UL);
	assert_int_equal(mul_div(1UL << 32, 1UL << 32, 1), ~0UL);
	assert_int_equal(mul_div((1UL << 32) - 1, 1UL << 32, 1), ~0UL << 32);
	assert_int_equal(mul_div(5, 5, 0), ~0UL);
	assert_int_equal(mul_div(0, 5, 0), ~0UL);
	assert_int_equal(mul_div(0, 5, 1), 0);
}

/* The clock's time at a TSC value, in more bits than the clock has. */
static __int128 time_of_tsc(u64 value)
{
	unsigned __int128 ticks = value - per_cpu(tsc_base, 0);

	ticks = tsc_scale.shift >= 0 ? ticks << tsc_scale.shift : ticks >> -tsc_scale.shift;
	return (__int128)(ticks * tsc_scale.mul >> 32) + per_cpu(stime_base, 0);
}

/*
 * Nanoseconds: a tick of the slowest processor, or up to eight ticks of a fast one, which the scale
 * counts as one.
 */
#define LATE_NS 32

/*
 * The hardware is programmed for the deadline on the clock that guests see: never before it, hardly
 * after it.
 */
static void check_tsc_at(u64 hz, s_time_t now)
{
	u64 when[200];
	unsigned int n = deadlines(when);

	for (unsigned int i = 0; i < n; i++) {
		s_time_t deadline = (s_time_t)when[i];
		u64 at = clock_tsc_at(deadline);

		if (at == 0)
			fail_msg("%lu Hz: the deadline %#lx turns the timer off", hz, when[i]);
		if (deadline <= per_cpu(stime_base, 0))
			assert_int_equal(at, per_cpu(tsc_base, 0) + 1);
		else if (time_of_tsc(at) < deadline && at != ~0UL)
			fail_msg("%lu Hz: the deadline %#lx becomes TSC %#lx, %ld ns early", hz,
				 when[i], at, (long)(deadline - time_of_tsc(at)));
		else if (time_of_tsc(at) > (__int128)deadline + LATE_NS)
			fail_msg("%lu Hz: the deadline %#lx becomes TSC %#lx, %ld ns late", hz,
				 when[i], at, (long)(time_of_tsc(at) - deadline));
	}
}

static void a_deadline_is_the_same_time_on_the_tsc(void **state)
{
	each_machine(check_tsc_at);
}

static void check_frequency(u64 hz, s_time_t now)
{
	s_time_t read = time_now(), error = read > now ? read - now : now - read;

	/* The error of the scale's 32 bits, and a tick. */
	if (error > now / 1000000000 + 10)
		fail_msg("%lu Hz: after %ld ns the clock shows %ld", hz, now, read);
	assert_int_equal(time_tsc_khz(), hz / 1000);
}

static void system_time_is_right_after_years(void **state)
{
	each_machine(check_frequency);
}

static struct vcpu *vcpu(void)
{
	static struct domain d;
	static struct vcpu v;

	memset(&v, 0, sizeof(v));
	v.domain = &d;
	spin_lock_init(&v.lock, LOCK_VCPU);
	memset(percpu_softirq_pending, 0, sizeof(percpu_softirq_pending));
	timer_subsystem_init();
	timer_cpu_init(0);
	vcpu_timers_init(&v);
	current = &v;
	return &v;
}

/* A timer that the guest sets is either due, or the hardware is programmed for a time in the
 * future.
 */
static void check_hardware(u64 hz, u64 asked)
{
	if (softirq_is_pending()) {
		if ((s_time_t)asked > 0 && (s_time_t)asked > time_now())
			fail_msg("%lu Hz: %#lx is taken for due at %ld", hz, asked, time_now());
		return;
	}
	if (cpu_features.tsc_deadline ? tsc_deadline <= tsc : !apic_countdown)
		fail_msg("%lu Hz: %#lx programs %#lx, the TSC is at %#lx", hz, asked, tsc_deadline,
			 tsc);
}

static void check_guest_timers(u64 hz, s_time_t now)
{
	u64 when[200];
	unsigned int n = deadlines(when);
	struct vcpu *v;

	for (unsigned int i = 0; i < n; i++) {
		tsc_deadline = apic_countdown = 0;
		v = vcpu();
		assert_int_equal(do_set_timer_op(when[i], 0, 0, 0, 0, 0), 0);
		if (when[i])
			check_hardware(hz, when[i]);
		softirq_run();
		v = vcpu();
		vcpu_timer_set_singleshot(v, when[i]);
		check_hardware(hz, when[i]);
		v = vcpu();
		if (vcpu_timer_set_periodic(v, when[i]))
			assert_true(when[i] < (u64)MILLISECS(1) || when[i] > (u64)YEAR);
		else
			check_hardware(hz, (u64)time_now() + when[i]);
		softirq_run();
	}
}

static void any_timer_of_a_guest_reaches_a_tsc_deadline(void **state)
{
	cpu_features = (struct cpu_features){ .tsc_deadline = true };
	each_machine(check_guest_timers);
}

static void any_timer_of_a_guest_reaches_a_countdown(void **state)
{
	static const u64 rates[] = {
		1000, 24000000, 100000000, 1000000000, 5000000000, 10000000000
	};

	cpu_features = (struct cpu_features){ 0 };
	apic_is_x2apic = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(rates); i++) {
		timer_hz = rates[i];
		each_machine(check_guest_timers);
	}
}

/* The hardware is also programmed for values that no timer asks for. */
static void check_program(u64 hz, s_time_t now)
{
	u64 when[200];
	unsigned int n = deadlines(when);

	for (unsigned int i = 0; i < n; i++) {
		tsc_deadline = apic_countdown = 0;
		arch_timer_program((s_time_t)when[i]);
		if ((s_time_t)when[i] == STIME_MAX)
			assert_true(!tsc_deadline && !apic_countdown);
		else
			assert_true(tsc_deadline || apic_countdown);
	}
}

static void any_time_can_be_programmed(void **state)
{
	cpu_features = (struct cpu_features){ .tsc_deadline = true };
	each_machine(check_program);
	cpu_features = (struct cpu_features){ 0 };
	timer_hz = 1000000000;
	each_machine(check_program);
}

/* The boot CPU sets every CPU's clock, and a CPU's own TSC may be behind the boot CPU's base. */
static void a_tsc_value_before_the_base_is_an_earlier_time(void **state)
{
	host_cpus_init(1);
	for (unsigned int f = 0; f < ARRAY_SIZE(frequencies); f++) {
		set_frequency(frequencies[f]);
		this_cpu(tsc_base) = 100 * frequencies[f];
		this_cpu(stime_base) = SECONDS(5);
		assert_int_equal(time_at(100 * frequencies[f]), SECONDS(5));
		assert_in_range(time_at(101 * frequencies[f]), SECONDS(6) - 20, SECONDS(6) + 20);
		assert_in_range(time_at(99 * frequencies[f]), SECONDS(4) - 20, SECONDS(4) + 20);
		assert_in_range(time_at(0), -SECONDS(95) - 50, -SECONDS(95) + 50);
	}
}

/* --- measuring --- */

static u64 tsc_per_tick;

static u64 reference_read(void)
{
	return tsc / tsc_per_tick;
}

static void the_tsc_is_measured_by_a_clock_that_counts(void **state)
{
	u64 hz;

	tsc_step = 1000;
	for (tsc_per_tick = 40; tsc_per_tick < 600; tsc_per_tick += 7) {
		hz = 14318180 * tsc_per_tick;
		tsc = 0;
		assert_in_range(measure(reference_read, 14318180, 0xffffffff), hz - hz / 1000,
				hz + hz / 1000);
	}
}

/* Firmware may leave a HPET that is stopped, or that counts at another rate than it reports. */
static void a_clock_that_hardly_counts_measures_nothing(void **state)
{
	tsc_step = 1000000;
	for (tsc_per_tick = 1UL << 30; tsc_per_tick; tsc_per_tick <<= 1) {
		tsc = 0;
		assert_int_equal(measure(reference_read, 10000000000, 0xffffffff), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quotient_saturates),
		cmocka_unit_test(a_deadline_is_the_same_time_on_the_tsc),
		cmocka_unit_test(system_time_is_right_after_years),
		cmocka_unit_test(any_timer_of_a_guest_reaches_a_tsc_deadline),
		cmocka_unit_test(any_timer_of_a_guest_reaches_a_countdown),
		cmocka_unit_test(any_time_can_be_programmed),
		cmocka_unit_test(a_tsc_value_before_the_base_is_an_earlier_time),
		cmocka_unit_test(the_tsc_is_measured_by_a_clock_that_counts),
		cmocka_unit_test(a_clock_that_hardly_counts_measures_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
