/* SPDX-License-Identifier: MIT */
/* The local APIC: registers in xAPIC and x2APIC mode, IPIs, the timer. */
#include "x86/irq/apic.h"

#include "hv/arch/control.h"
#include "hv/arch/cpu.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/cpumask.h"
#include "hv/frame.h"
#include "hv/softirq.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/platform.h"
#include "x86/cpu/regs.h"
#include "x86/irq/vectors.h"
#include "x86/map_device.h"

bool apic_is_x2apic;
u32 apic_ids[HV_MAX_CPUS];

static volatile u8 *mmio; /* xAPIC registers */
static u64 timer_hz;	  /* of the APIC timer, undivided */

/*
 * Registers: offsets in the xAPIC page. The x2APIC MSR is 0x800 + offset / 16 (SDM 3A 10.12.1.2).
 */
#define APIC_ID		  0x020
#define APIC_TPR	  0x080
#define APIC_EOI	  0x0b0
#define APIC_LDR	  0x0d0
#define APIC_DFR	  0x0e0
#define APIC_SVR	  0x0f0
#define APIC_ISR	  0x100
#define APIC_ESR	  0x280
#define APIC_ICR	  0x300
#define APIC_ICR_HIGH	  0x310
#define APIC_LVT_TIMER	  0x320
#define APIC_LVT_THERMAL  0x330
#define APIC_LVT_PERF	  0x340
#define APIC_LVT_LINT0	  0x350
#define APIC_LVT_LINT1	  0x360
#define APIC_LVT_ERROR	  0x370
#define APIC_TIMER_INIT	  0x380
#define APIC_TIMER_NOW	  0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define APIC_BASE_BSP	 BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

#define SVR_ENABLE	 0x100
#define LVT_MASKED	 0x10000
#define LVT_TSC_DEADLINE 0x40000
#define LVT_DELIVERY_NMI 0x400
#define DIVIDE_BY_1	 0xb
#define ICR_FIXED	 0x000
#define ICR_NMI		 0x400
#define ICR_INIT	 0x500
#define ICR_STARTUP	 0x600
#define ICR_ASSERT	 0x4000
#define ICR_BUSY	 0x1000

#define NS_PER_SEC 1000000000UL

static u32 reg_read(unsigned int reg)
{
	if (apic_is_x2apic)
		return (u32)rdmsr(MSR_X2APIC_FIRST + reg / 16);
	return *(volatile u32 *)(mmio + reg);
}

static void reg_write(unsigned int reg, u32 value)
{
	if (apic_is_x2apic)
		wrmsr(MSR_X2APIC_FIRST + reg / 16, value);
	else
		*(volatile u32 *)(mmio + reg) = value;
}

void apic_eoi(void)
{
	reg_write(APIC_EOI, 0);
}

static void icr_write(u32 apic_id, u32 low)
{
	unsigned long flags;

	if (apic_is_x2apic) {
		/* A WRMSR of the ICR does not wait for earlier stores (SDM 3A 10.12.3). */
		__asm__ __volatile__("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC_FIRST + APIC_ICR / 16, (u64)apic_id << 32 | low);
		return;
	}
	/* An interrupt handler between the two writes could change the destination. */
	flags = arch_irq_save();
	while (reg_read(APIC_ICR) & ICR_BUSY)
		cpu_relax();
	reg_write(APIC_ICR_HIGH, apic_id << 24);
	reg_write(APIC_ICR, low);
	arch_irq_restore(flags);
}

void apic_send_ipi(u32 apic_id, unsigned int vector)
{
	icr_write(apic_id, ICR_FIXED | ICR_ASSERT | vector);
}

void apic_send_init(u32 apic_id)
{
	icr_write(apic_id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(u32 apic_id, u8 page)
{
	icr_write(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

bool apic_is_in_service(unsigned int vector)
{
	return (reg_read(APIC_ISR + vector / 32 * 16) >> (vector % 32)) & 1;
}

u32 apic_msi_address(u32 apic_id)
{
	return 0xfee00000 | (apic_id & 0xff) << 12;
}

u32 apic_msi_data(unsigned int vector)
{
	return vector;
}

void arch_cpu_ids(unsigned int cpu, u32 *apic_id, u32 *acpi_id)
{
	*apic_id = *acpi_id = apic_ids[cpu];
	for (unsigned int i = 0; i < platform.nr_cpus; i++)
		if (platform.cpus[i].apic_id == apic_ids[cpu])
			*acpi_id = platform.cpus[i].acpi_id;
}

u64 arch_cpu_physid(unsigned int cpu)
{
	u32 apic_id, acpi_id;

	arch_cpu_ids(cpu, &apic_id, &acpi_id);
	return (u64)acpi_id << 32 | apic_id;
}

/* Moves both 8259s' vectors away from the exceptions' and masks both for good. */
static void __init silence_pics(void)
{
	static const u8 init[] __section(".init.rodata") = { 0x11, VECTOR_PIC_FIRST, 0x04, 0x01,
							     0xff };
	static const u8 init2[] __section(".init.rodata") = { 0x11, VECTOR_PIC_FIRST + 8, 0x02,
							      0x01, 0xff };

	outb(0x20, init[0]);
	outb(0xa0, init2[0]);
	for (unsigned int i = 1; i < sizeof(init); i++) {
		outb(0x21, init[i]);
		outb(0xa1, init2[i]);
	}
}

void __init apic_init(void)
{
	u64 base = rdmsr(MSR_IA32_APIC_BASE);

	silence_pics();
	apic_is_x2apic = cpu_features.x2apic;
	if (!apic_is_x2apic) {
		mmio = map_device(base & 0xffffff000UL, PAGE_SIZE);
		if (!mmio)
			panic("the local APIC cannot be mapped");
	}
	apic_cpu_init();
	log_info("local APIC: %s mode, timer by %s", apic_is_x2apic ? "x2APIC" : "xAPIC",
		 cpu_features.tsc_deadline ? "TSC deadline" : "countdown");
}

void apic_cpu_init(void)
{
	u64 base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_ENABLE;

	/* x2APIC mode can be entered only from the enabled xAPIC (SDM 3A 10.12.5). */
	wrmsr(MSR_IA32_APIC_BASE, base);
	if (apic_is_x2apic) {
		wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_X2APIC);
	} else {
		reg_write(APIC_DFR, 0xffffffff);
		reg_write(APIC_LDR, 0);
	}
	reg_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	reg_write(APIC_TPR, 0);
	reg_write(APIC_LVT_LINT0, LVT_MASKED);
	reg_write(APIC_LVT_LINT1, (base & APIC_BASE_BSP) ? LVT_DELIVERY_NMI : LVT_MASKED);
	reg_write(APIC_LVT_ERROR, VECTOR_ERROR);
	reg_write(APIC_ESR, 0);
	reg_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	reg_write(APIC_TIMER_INIT, 0);
	reg_write(APIC_LVT_TIMER,
		  VECTOR_TIMER | (cpu_features.tsc_deadline ? LVT_TSC_DEADLINE : 0));
	/* Acknowledge what was in service when the firmware or a crashed kernel left. */
	for (unsigned int i = 0; i < 256; i++) {
		unsigned int busy = 0;

		for (unsigned int w = 0; w < 8; w++)
			busy |= reg_read(APIC_ISR + w * 16);
		if (!busy)
			break;
		apic_eoi();
	}
}

void __init apic_timer_calibrate(void)
{
	s_time_t start, end;
	u32 left;

	if (cpu_features.tsc_deadline)
		return;
	reg_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	start = time_now();
	reg_write(APIC_TIMER_INIT, 0xffffffff);
	clock_delay(MILLISECS(10));
	left = reg_read(APIC_TIMER_NOW);
	end = time_now();
	reg_write(APIC_TIMER_INIT, 0);
	reg_write(APIC_LVT_TIMER, VECTOR_TIMER);
	timer_hz = mul_div(0xffffffff - left, NS_PER_SEC, (u64)(end - start));
	if (timer_hz < 1000)
		panic("the local APIC's timer does not count");
	log_info("local APIC timer: %lu MHz", timer_hz / 1000000);
}

/*
 * Programs this CPU's timer; STIME_MAX: off. A deadline that has passed interrupts at once. Call it
 * with interrupts off, or where no other code programs the timer.
 */
void arch_timer_program(s_time_t deadline)
{
	s_time_t now;
	u64 ticks;

	if (cpu_features.tsc_deadline) {
		wrmsr(MSR_IA32_TSC_DEADLINE, deadline == STIME_MAX ? 0 : clock_tsc_at(deadline));
		return;
	}
	if (deadline == STIME_MAX) {
		reg_write(APIC_TIMER_INIT, 0);
		return;
	}
	now = time_now();
	/* A deadline too far for 32 bits interrupts early and is programmed again. */
	ticks = deadline > now ?
			mul_div((u64)min(deadline - now, SECONDS(1)), timer_hz, NS_PER_SEC) + 1 :
			1;
	reg_write(APIC_TIMER_INIT, (u32)min(ticks, 0xffffffffUL));
}

void apic_timer_interrupt(void)
{
	apic_eoi();
	softirq_raise(SOFTIRQ_TIMER);
}
