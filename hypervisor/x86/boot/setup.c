/* SPDX-License-Identifier: MIT */
/* Boot in order, from the loader's entry to Domain-0 and the idle loop. */
#include "x86/boot/boot.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/cmdline.h"
#include "hv/console.h"
#include "hv/memory_dump.h"
#include "hv/page_alloc.h"
#include "hv/sched.h"
#include "hv/softirq.h"
#include "hv/timer.h"
#include "x86/boot/acpi.h"
#include "x86/boot/dom0.h"
#include "x86/boot/efi.h"
#include "x86/boot/memory_map.h"
#include "x86/boot/screen.h"
#include "x86/boot/serial_card.h"
#include "x86/boot/sections.h"
#include "x86/boot/smp.h"
#include "x86/cpu/backtrace.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/guards.h"
#include "x86/cpu/policy.h"
#include "x86/cpu/regs.h"
#include "x86/cpu/serial.h"
#include "x86/hvm/boot.h"
#include "x86/irq/apic.h"
#include "x86/irq/ioapic.h"
#include "x86/irq/vectors.h"
#include "x86/mm/frame_table.h"
#include "x86/mm/paging.h"
#include "x86/mm/tlb.h"
#include "x86/pv/entry.h"

#define BOOT_CPU_INFO 512 /* head.S */
_Static_assert(sizeof(struct cpu_info) <= BOOT_CPU_INFO, "room above the boot stack");

#ifdef HV_DEBUG
#define BUILD_KIND ", debug build"
#else
#define BUILD_KIND ""
#endif

/*
 * The stack protector's value. boot_main changes it once, and never returns to check the old one.
 */
extern unsigned long __stack_chk_guard;
unsigned long __stack_chk_guard __used = 0x5bd1e995a7c15f4bUL;
void __noreturn __stack_chk_fail(void);
void __used __noreturn __stack_chk_fail(void)
{
	panic("stack overflow in %p", __builtin_return_address(0));
}

static void __init print_banner(void)
{
	log_info("Xenolith " HV_VERSION " (" HV_COMPILER ", " __DATE__ BUILD_KIND ")");
	if (boot_info.loader[0])
		log_info("loaded by %s, %u modules; image at %#lx", boot_info.loader,
			 boot_info.nr_modules, image_phys);
	log_info("command line: %s", boot_info.cmdline);
	if (boot_info.video.kind == VIDEO_TEXT)
		log_info("screen: text, %u columns, %u rows", boot_info.video.width,
			 boot_info.video.height);
	if (boot_info.video.kind == VIDEO_FRAMEBUFFER)
		log_info("screen: %u x %u, %u bits a pixel, at %#lx", boot_info.video.width,
			 boot_info.video.height, boot_info.video.bpp, boot_info.video.addr);
}

static void __init find_memory(void)
{
	if (!boot_memory_map.nr)
		boot_fail("the loader gave no memory map");
	memory_map_print();
	memory_map_reserve(image_phys, image_to_maddr(_end));
	smp_set_trampoline(memory_map_find_low_page());
	memory_map_reserve(0, MiB(1));
}

/* Boot's page tables map machine addresses below 4 GiB 1:1. */
static const void *__init boot_memory(u64 addr, size_t size)
{
	return addr < GiB(4) && size <= GiB(4) - addr ? (const void *)addr : NULL;
}

static void tlb_interrupt(void)
{
	apic_eoi();
	tlb_ipi_handler();
}

static void serial_interrupt(void)
{
	apic_eoi();
	serial_receive();
}

static void __init start_serial_input(void)
{
	unsigned int irq = serial_irq(), pin;
	struct isa_irq isa = ioapic_isa_irq(irq);
	struct ioapic *io = irq ? ioapic_of_gsi(isa.gsi, &pin) : NULL;

	if (!io) {
		serial_enable_polling();
		return;
	}
	interrupt_register(VECTOR_SERIAL, serial_interrupt);
	ioapic_write_rte(io, pin,
			 ioapic_make_rte(VECTOR_SERIAL, apic_ids[0], isa.level, isa.active_low));
	serial_enable_irq();
}

static void __init give_back(paddr_t start, paddr_t end)
{
	page_alloc_add_range(start, end);
}

/* This function is not in .init, and runs on the CPU's own stack: boot's stack is freed, too. */
static noinline void free_init_memory(void)
{
	unsigned long size = (unsigned long)(_einit - _sinit);

	backtrace_init_gone();
	for (unsigned long va = (unsigned long)_sinit; va < (unsigned long)_einit; va += PAGE_SIZE)
		hv_unmap_page(va);
	tlb_flush_mask_all(&cpu_online_map);
	page_alloc_add_range(image_to_maddr(_sinit), image_to_maddr(_einit));
	log_info("%lu KiB of boot code and data given back", size / 1024);
}

static void __noreturn boot_finish(void)
{
	console_boot_done();
	free_init_memory();
	memory_log_held();
	idle_loop();
}

/* Runs on the boot CPU's own stack, with the final page tables. */
static void __init boot_on_own_stack(void)
{
	cpumask_set(0, &cpu_online_map);
	desc_cpu_load();
	pv_entry_load();
	apic_init();
	ioapic_init();
	clock_init();
	apic_timer_calibrate();
	interrupt_register(VECTOR_TLB_FLUSH, tlb_interrupt);
	console_init();
	debug_key_register('m', "memory", memory_dump);
	timer_subsystem_init();
	timer_cpu_init(0);
	sched_init();
	domain_subsystem_init();
	m2p_share();
	sched_cpu_init(0);
	address_space_load(current);
	hvm_init();
	arch_irq_enable();
	start_serial_input();
	smp_boot_all();
	cpu_guards_report();
	if (!boot_info.nr_modules)
		boot_fail("there is no kernel for Domain-0: give one as the first boot module");
	dom0_start(&boot_info.modules[0], boot_info.nr_modules > 1 ? &boot_info.modules[1] : NULL,
		   &boot_info.video);
	memory_map_release(give_back);
	call_on_reset_stack(boot_finish);
}

void __init __noreturn boot_main(u32 magic, u32 info)
{
	__stack_chk_guard ^= rdtsc() * 0x9e3779b97f4a7c15UL;
	desc_boot_init((unsigned long)_boot_stack);
	multiboot_parse(magic, info);
	print_banner();
	cmdline_parse(boot_info.cmdline);
	serial_card_find();
	serial_init();
	memory_map_sanitize();
	screen_init(&boot_info.video);
	cpu_features_probe();
	cpu_guards_init();
	cpu_features_enable();
	cpu_guards_enable();
	cpu_policy_init();
	find_memory();
	efi_read_system_table(boot_info.efi_system_table, boot_memory);
	acpi_parse(boot_info.rsdp, boot_memory);
	screen_pause();
	paging_init();
	screen_map();
	smp_count_cpus();
	smp_prepare_cpu(0);
	boot_switch_stack(smp_stack_top(0), boot_on_own_stack);
}
