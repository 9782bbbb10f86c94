/* SPDX-License-Identifier: MIT */
/*
 * The ways to stop the machine: reset, halt, power off. Safe in a panic: they take no locks and
 * allocate nothing.
 */
#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/platform.h"
#include "x86/cpu/regs.h"

void (*cpu_virtualization_off)(void);

static void io_wait(unsigned int reads)
{
	while (reads--)
		inb(0x80);
}

void __noreturn arch_halt(void)
{
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void __noreturn arch_reboot(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed no_idt = { 0, 0 };

	arch_irq_disable();
	if (cpu_virtualization_off)
		cpu_virtualization_off();
	if (platform.has_reset_reg && platform.reset_reg.space == 1) {
		outb((u16)platform.reset_reg.address, platform.reset_value);
		io_wait(10000);
	}
	/*
	 * The chipset's reset control register: hard reset, then CPU reset (PIIX3, ICH: port
	 * 0xcf9).
	 */
	outb(0xcf9, 0x02);
	io_wait(100);
	outb(0xcf9, 0x06);
	io_wait(10000);
	/* The keyboard controller's reset line. */
	for (unsigned int i = 0; i < 10000 && (inb(0x64) & 2); i++)
		cpu_relax();
	outb(0x64, 0xfe);
	io_wait(10000);
	/* A triple fault. */
	__asm__ __volatile__("lidt %0; int3" : : "m"(no_idt));
	arch_halt();
}

void arch_enter_sleep(u16 pm1a_value, u16 pm1b_value)
{
	if (platform.pm1a_cnt)
		outw((u16)platform.pm1a_cnt, pm1a_value);
	if (platform.pm1b_cnt)
		outw((u16)platform.pm1b_cnt, pm1b_value);
}

void __noreturn arch_power_off(void)
{
	arch_irq_disable();
	if (platform.has_s5) {
		/* SCI_EN (bit 0) stays as it is (ACPI 4.8.3.2). */
		u16 a = platform.pm1a_cnt ? (u16)(inw((u16)platform.pm1a_cnt) & 0x203) : 0;

		arch_enter_sleep((u16)(a | platform.s5_typ_a << ACPI_SLP_TYP_SHIFT | ACPI_SLP_EN),
				 (u16)(a | platform.s5_typ_b << ACPI_SLP_TYP_SHIFT | ACPI_SLP_EN));
		io_wait(100000);
	}
	arch_halt();
}
