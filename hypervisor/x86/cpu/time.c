/* SPDX-License-Identifier: MIT */
/*
 * System time from the TSC. One frequency, measured at boot, serves every CPU. A CPU whose TSC is
 * not synchronised with the boot CPU's gets a base of its own when it starts. The wall clock is the
 * CMOS's at boot, or set by Domain-0.
 */

#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/spinlock.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/platform.h"
#include "x86/cpu/regs.h"
#include "x86/map_device.h"

#define NS_PER_SEC     1000000000UL
#define CALIBRATION_NS 20000000UL
#define TSC_HZ_MAX     (100 * NS_PER_SEC) /* a higher result is no measurement */

static u64 tsc_hz;
static struct tsc_scale tsc_scale;
/* A TSC value and the system time then. Set before the CPU is online, then constant. */
static DEFINE_PER_CPU(u64, tsc_base);
static DEFINE_PER_CPU(s_time_t, stime_base);

static DEFINE_SPINLOCK(wallclock_lock, LOCK_VCPU);
static u64 wallclock_sec; /* [wallclock_lock] at system time 0 */
static u32 wallclock_nsec;

static u64 scale(u64 ticks, struct tsc_scale s)
{
	ticks = s.shift >= 0 ? ticks << s.shift : ticks >> -s.shift;
	return (u64)(((unsigned __int128)ticks * s.mul) >> 32);
}

s_time_t time_now(void)
{
	u64 tsc = rdtsc_ordered();

	return this_cpu(stime_base) + (s_time_t)scale(tsc - this_cpu(tsc_base), tsc_scale);
}

/* time_now() for a given value of this CPU's TSC, which may be before its base. */
static s_time_t time_at(u64 tsc)
{
	u64 base = this_cpu(tsc_base);
	s_time_t since = this_cpu(stime_base);

	return tsc >= base ? since + (s_time_t)scale(tsc - base, tsc_scale) :
			     since - (s_time_t)scale(base - tsc, tsc_scale);
}

static u64 add_saturating(u64 a, u64 b)
{
	return a + b < a ? ~0UL : a + b;
}

/*
 * The inverse of scale(). A result computed from the frequency would make timers early, by the
 * rounding error between the two rates.
 */
u64 clock_tsc_at(s_time_t when)
{
	s_time_t since = this_cpu(stime_base);
	struct tsc_scale s = tsc_scale;
	u64 ticks = 0;

	if (when > since) {
		ticks = mul_div((u64)(when - since), 1UL << 32, s.mul);
		if (s.shift >= 0)
			ticks >>= s.shift;
		else
			ticks = ticks >= ~0UL >> -s.shift ? ~0UL : (ticks + 1) << -s.shift;
	}
	return add_saturating(add_saturating(this_cpu(tsc_base), ticks), 1);
}

void time_get_calibration(struct time_calibration *out)
{
	out->tsc_base = this_cpu(tsc_base);
	out->stime_base = this_cpu(stime_base);
	out->scale = tsc_scale;
}

u64 time_tsc_khz(void)
{
	return tsc_hz / 1000;
}

void clock_delay(s_time_t ns)
{
	s_time_t end = time_now() + ns;

	while (time_now() < end)
		cpu_relax();
}

/* --- measuring the TSC --- */

/* HPET registers (IA-PC HPET 1.0a, 2.3). */
#define HPET_CAPS   0x000
#define HPET_CONFIG 0x010
#define HPET_COUNT  0x0f0
#define HPET_ENABLE 1
#define FS_PER_NS   1000000UL

static volatile u8 *hpet __initdata;
static u32 pit_last __initdata;
static u64 pit_total __initdata;

static u64 __init hpet_read(void)
{
	return *(volatile u32 *)(hpet + HPET_COUNT);
}

/*
 * PIT channel 2 counts down from 65536 repeatedly at 1.193182 MHz. Bit 0 of port 0x61 is its gate
 * (8254 data sheet).
 */
static void __init pit_start(void)
{
	outb(0x61, (u8)((inb(0x61) & ~2) | 1));
	outb(0x43, 0xb4);
	outb(0x42, 0);
	outb(0x42, 0);
}

static u64 __init pit_read(void)
{
	u32 now;

	outb(0x43, 0x80); /* latch channel 2 */
	now = inb(0x42);
	now |= (u32)inb(0x42) << 8;
	pit_total += (pit_last - now) & 0xffff;
	pit_last = now;
	return pit_total;
}

/* Reads the reference clock and the TSC at the same moment: keeps the tightest of 8 tries. */
static u64 __init sample(u64 (*read)(void), u64 *tsc)
{
	u64 best = ~0UL, value = 0;

	for (unsigned int i = 0; i < 8; i++) {
		u64 before = rdtsc_ordered(), v = read(), after = rdtsc_ordered();

		if (after - before < best) {
			best = after - before;
			*tsc = before + best / 2;
			value = v;
		}
	}
	return value;
}

/*
 * Measures the TSC against a clock that counts at ref_hz, modulo `mask` + 1. Returns the TSC's
 * frequency in Hz; 0: the clock does not count.
 */
static u64 __init measure(u64 (*read)(void), u64 ref_hz, u64 mask)
{
	u64 tsc0 = 0, tsc1 = 0, ref0 = sample(read, &tsc0), ref1, hz;
	u64 ticks = mul_div(CALIBRATION_NS, ref_hz, NS_PER_SEC);

	/* A clock that stands still must not hang the boot: give up after 10^10 TSC ticks. */
	while (((read() - ref0) & mask) < ticks && rdtsc() - tsc0 < 10 * NS_PER_SEC)
		cpu_relax();
	ref1 = sample(read, &tsc1);
	ticks = (ref1 - ref0) & mask;
	hz = mul_div(tsc1 - tsc0, ref_hz, ticks);
	return hz <= TSC_HZ_MAX ? hz : 0;
}

static u64 __init measure_hpet(void)
{
	u64 period_fs, hz = 0;

	if (!platform.hpet_addr)
		return 0;
	hpet = map_device(platform.hpet_addr, PAGE_SIZE);
	if (!hpet)
		return 0;
	period_fs = *(volatile u32 *)(hpet + HPET_CAPS + 4);
	if (period_fs >= 100000 && period_fs <= 100 * FS_PER_NS) {
		u32 config = *(volatile u32 *)(hpet + HPET_CONFIG);

		*(volatile u32 *)(hpet + HPET_CONFIG) = config | HPET_ENABLE;
		hz = measure(hpet_read, NS_PER_SEC * FS_PER_NS / period_fs, 0xffffffff);
		*(volatile u32 *)(hpet + HPET_CONFIG) = config;
	}
	unmap_device((void *)hpet, PAGE_SIZE);
	return hz;
}

static u64 __init measure_pit(void)
{
	pit_start();
	pit_last = 0;
	return measure(pit_read, 1193182, ~0UL);
}

/*
 * ns = ((tsc << shift) * mul) >> 32. The shift brings the frequency into (1, 2] GHz, so that the
 * fraction 10^9 / frequency uses all 32 bits of mul.
 */
static void __init set_frequency(u64 hz)
{
	u64 shifted = hz;
	s8 shift = 0;

	for (; shifted > 2 * NS_PER_SEC; shifted >>= 1)
		shift--;
	for (; shifted <= NS_PER_SEC; shifted <<= 1)
		shift++;
	tsc_hz = hz;
	tsc_scale = (struct tsc_scale){ (u32)mul_div(NS_PER_SEC, 1UL << 32, shifted), shift };
}

/* --- CPUs whose TSCs are not synchronised --- */

static struct {
	u32 turn; /* 1: the target asks; 2: the source answered; 3: the target took it */
	s_time_t time;
} sync;

void clock_sync_source(void)
{
	while (atomic_read(&sync.turn) != 1)
		cpu_relax();
	sync.time = time_now();
	atomic_set(&sync.turn, 2);
	while (atomic_read(&sync.turn) != 3)
		cpu_relax();
	atomic_set(&sync.turn, 0);
}

void clock_sync_target(void)
{
	u64 asked, answered;
	s_time_t low, high;

	this_cpu(tsc_base) = per_cpu(tsc_base, 0);
	this_cpu(stime_base) = per_cpu(stime_base, 0);
	asked = rdtsc_ordered();
	low = time_at(asked);
	atomic_set(&sync.turn, 1);
	while (atomic_read(&sync.turn) != 2)
		cpu_relax();
	answered = rdtsc_ordered();
	high = time_at(answered);
	/*
	 * If the TSCs agree, the boot CPU's time lies between this CPU's times of question and
	 * answer.
	 */
	if (sync.time < low || sync.time > high) {
		this_cpu(tsc_base) = asked + (answered - asked) / 2;
		this_cpu(stime_base) = sync.time;
		log_debug("CPU %u: TSC is %ld ns off, corrected", smp_processor_id(),
			  (long)(low + (high - low) / 2 - sync.time));
	}
	atomic_set(&sync.turn, 3);
}

/* --- the wall clock --- */

static u8 __init cmos_read(u8 reg)
{
	/* Bit 7 stays clear: it would mask NMIs, and nobody would unmask them. */
	outb(0x70, reg);
	return inb(0x71);
}

static unsigned int __init from_bcd(unsigned int v, bool binary)
{
	return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static u64 __init days_since_epoch(unsigned int year, unsigned int month, unsigned int day)
{
	static const u16 before_month[] __section(
		".init.rodata") = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	unsigned int y = month > 2 ? year : year - 1; /* leap days up to the last February */
	u64 leap_days = y / 4 - y / 100 + y / 400 - 477;

	return (u64)(year - 1970) * 365 + leap_days + before_month[(month - 1) % 12] + day - 1;
}

/*
 * MC146818: registers 0, 2, 4: time; 7 to 9: date; A bit 7: update in progress; B bit 2: binary,
 * bit 1: 24 hours.
 */
static u64 __init read_cmos_clock(void)
{
	unsigned int sec, min, hour, day, month, year, raw_hour;
	bool binary = cmos_read(0x0b) & 4, wide = cmos_read(0x0b) & 2;

	for (unsigned int i = 0; i < 100000 && (cmos_read(0x0a) & 0x80); i++)
		cpu_relax();
	sec = from_bcd(cmos_read(0), binary);
	min = from_bcd(cmos_read(2), binary);
	raw_hour = cmos_read(4);
	day = from_bcd(cmos_read(7), binary);
	month = from_bcd(cmos_read(8), binary);
	year = from_bcd(cmos_read(9), binary);
	hour = from_bcd(raw_hour & (wide ? 0xff : 0x7f), binary);
	if (!wide)
		hour = hour % 12 + (raw_hour & 0x80 ? 12 : 0);
	year += year < 70 ? 2000 : 1900;
	return ((days_since_epoch(year, max(month, 1U), day) * 24 + hour) * 60 + min) * 60 + sec;
}

void time_get_wallclock(u64 *sec, u32 *nsec)
{
	spin_lock(&wallclock_lock);
	*sec = wallclock_sec;
	*nsec = wallclock_nsec;
	spin_unlock(&wallclock_lock);
}

void time_set_wallclock(u64 sec, u32 nsec)
{
	struct domain *next, *d;

	spin_lock(&wallclock_lock);
	wallclock_sec = sec;
	wallclock_nsec = nsec;
	spin_unlock(&wallclock_lock);
	for (d = domain_get_next(0); d; d = next) {
		arch_domain_update_wallclock(d);
		next = d->id < DOMID_FIRST_RESERVED - 1 ? domain_get_next((domid_t)(d->id + 1)) :
							  NULL;
		domain_put(d);
	}
}

void __init clock_init(void)
{
	const char *source = "HPET";
	u64 hz = measure_hpet();

	if (!hz) {
		source = "PIT";
		hz = measure_pit();
	}
	if (hz < 1000000)
		panic("no clock to measure the TSC with");
	set_frequency(hz);
	this_cpu(tsc_base) = rdtsc_ordered();
	this_cpu(stime_base) = 0;
	wallclock_sec = read_cmos_clock();
	log_info("TSC: %lu.%03lu MHz by the %s%s", hz / 1000000, hz / 1000 % 1000, source,
		 cpu_features.invariant_tsc ? ", invariant" : "");
}
