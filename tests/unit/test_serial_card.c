/* SPDX-License-Identifier: MIT */
/* The console's port on a PCI card: which card and register are taken, and that all others stay as
 * they were. */
/* links: hypervisor/x86/boot/serial_card.c hypervisor/lib/string.c */
#include "x86/boot/serial_card.h"

#include "hv/cmdline.h"
#include "hv/console.h"
#include "lib/string.h"
#include "unit.h"
#include "x86/pci/config.h"
#include "x86/pci/pci.h"

#define FUNCTIONS 4

/* A function: its registers, and which bits of each base address register can be written. */
struct function {
	u16 where; /* bus << 8 | devfn; 0: none */
	u8 registers[64];
	u32 writable[6];
	bool sized_while_decoding;
};

struct boot_options boot_options;
u16 pci_own_function;
static struct function functions[FUNCTIONS];
static unsigned int nr_functions;
static bool warned;

void hv_log(enum loglevel level, const char *fmt, ...)
{
	warned = true;
}

static struct function *find(struct pci_addr a)
{
	for (unsigned int i = 0; i < nr_functions; i++)
		if (functions[i].where == (a.bus << 8 | a.devfn))
			return &functions[i];
	return NULL;
}

static u32 get(const struct function *f, unsigned int reg, unsigned int size)
{
	u32 value = 0;

	memcpy(&value, f->registers + reg, size);
	return value;
}

u32 pci_read(struct pci_addr a, unsigned int reg, unsigned int size)
{
	struct function *f = find(a);

	return f ? get(f, reg, size) : size == 4 ? ~0U : (1U << (size * 8)) - 1;
}

void pci_write(struct pci_addr a, unsigned int reg, unsigned int size, u32 value)
{
	struct function *f = find(a);

	assert_non_null(f);
	if (reg >= PCI_BAR(0) && reg < PCI_BAR(6)) {
		u32 mask = f->writable[(reg - PCI_BAR(0)) / 4];

		if (get(f, PCI_COMMAND, 2) & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY))
			f->sized_while_decoding = true;
		value = (value & mask) | (get(f, reg, 4) & ~mask);
	} else {
		assert_int_equal(reg, PCI_COMMAND);
	}
	memcpy(f->registers + reg, &value, size);
}

static struct function *add(u16 where, u32 class_and_prog_if, u16 command)
{
	struct function *f = &functions[nr_functions++];
	u32 value = class_and_prog_if << 8;

	f->where = where;
	memcpy(f->registers + 8, &value, 4);
	memcpy(f->registers + PCI_COMMAND, &command, 2);
	return f;
}

static void set_bar(struct function *f, unsigned int bar, u32 value, u32 writable)
{
	memcpy(f->registers + PCI_BAR(bar), &value, 4);
	f->writable[bar] = writable;
}

static int reset(void **state)
{
	memset(functions, 0, sizeof(functions));
	memset(&boot_options, 0, sizeof(boot_options));
	str_copy(boot_options.console, "com1", sizeof(boot_options.console));
	boot_options.com1.pci = true;
	nr_functions = 0;
	pci_own_function = 0;
	warned = false;
	return 0;
}

static void check_found(u16 port, u16 where)
{
	serial_card_find();
	assert_int_equal(boot_options.com1.port, port);
	assert_int_equal(pci_own_function, where);
	assert_int_equal(warned, port == 0);
	for (unsigned int i = 0; i < nr_functions; i++)
		assert_false(functions[i].sized_while_decoding);
}

static void port_is_switched_on(void **state)
{
	struct function *f = add(0x0020, 0x070002, 0x0100);

	set_bar(f, 0, 0xc081, 0xfffffff8);
	check_found(0xc080, 0x0020);
	assert_int_equal(get(f, PCI_COMMAND, 2), 0x0101);
	assert_int_equal(get(f, PCI_BAR(0), 4), 0xc081);
}

static void registers_that_are_no_ports_are_passed_over(void **state)
{
	struct function *f = add(0x0018, 0x070002, 0x0003);

	set_bar(f, 0, 0xfe000004, 0xfffff000); /* 64 bits, whose upper half looks like a port */
	set_bar(f, 1, 0x00000001, 0xffffffff);
	set_bar(f, 2, 0xfd000000, 0xfffff000);
	set_bar(f, 3, 0xd001, 0xfffffffc); /* four ports */
	set_bar(f, 4, 0xd011, 0xffe0);	   /* of 16 bits */
	check_found(0xd010, 0x0018);
}

static void card_of_memory_alone_is_left_as_it_was(void **state)
{
	struct function *f = add(0x0018, 0x070002, 0x0007);

	set_bar(f, 0, 0xfd000000, 0xfffff000);
	check_found(0, 0);
	assert_int_equal(get(f, PCI_COMMAND, 2), 0x0007);
}

static void port_that_firmware_has_not_set_is_none(void **state)
{
	set_bar(add(0x0018, 0x070002, 0), 0, 0x00000001, 0xfffffff8);
	set_bar(add(0x0028, 0x070002, 0), 0, 0x0001c001, 0xfffffff8);
	check_found(0, 0);
}

static void first_port_of_many(void **state)
{
	struct function *f = add(0x0100, 0x070200, 0x0001);

	set_bar(f, 0, 0xe001, 0xffffffe0);
	set_bar(f, 1, 0xe101, 0xfffffff8);
	check_found(0xe000, 0x0100);
}

static void other_devices_are_not_touched(void **state)
{
	struct function *bridge = add(0x0008, 0x060400, 0x0007);
	struct function *modem = add(0x0010, 0x070300, 0x0007);
	struct function *odd = add(0x0018, 0x070080, 0x0007);

	set_bar(modem, 0, 0xc001, 0xfffffff8);
	set_bar(odd, 0, 0xc101, 0xfffffff8);
	bridge->registers[PCI_HEADER_TYPE] = 1;
	check_found(0, 0);
	assert_int_equal(get(modem, PCI_COMMAND, 2), 0x0007);
}

static void later_function_of_a_device(void **state)
{
	struct function *first = add(0x0020, 0x020000, 0x0007), *second;

	second = add(0x0023, 0x070002, 0x0001);
	set_bar(second, 1, 0xc001, 0xfffffff8);
	check_found(0, 0);
	warned = false;
	first->registers[PCI_HEADER_TYPE] = 0x80;
	check_found(0xc000, 0x0023);
}

static void card_that_is_named(void **state)
{
	set_bar(add(0x0020, 0x070002, 1), 0, 0xc001, 0xfffffff8);
	set_bar(add(0x0500, 0x070002, 1), 0, 0xd001, 0xfffffff8);
	boot_options.com1.pci_function = 0x0500;
	check_found(0xd000, 0x0500);
}

static void nothing_there(void **state)
{
	check_found(0, 0);
	warned = false;
	boot_options.com1.pci_function = 0x0500;
	check_found(0, 0);
}

static void port_of_the_board_needs_no_card(void **state)
{
	set_bar(add(0x0020, 0x070002, 0), 0, 0xc001, 0xfffffff8);
	boot_options.com1.pci = false;
	boot_options.com1.port = 0x3f8;
	serial_card_find();
	assert_int_equal(boot_options.com1.port, 0x3f8);
	assert_int_equal(get(&functions[0], PCI_COMMAND, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(port_is_switched_on, reset),
		cmocka_unit_test_setup(registers_that_are_no_ports_are_passed_over, reset),
		cmocka_unit_test_setup(card_of_memory_alone_is_left_as_it_was, reset),
		cmocka_unit_test_setup(port_that_firmware_has_not_set_is_none, reset),
		cmocka_unit_test_setup(first_port_of_many, reset),
		cmocka_unit_test_setup(other_devices_are_not_touched, reset),
		cmocka_unit_test_setup(later_function_of_a_device, reset),
		cmocka_unit_test_setup(card_that_is_named, reset),
		cmocka_unit_test_setup(nothing_there, reset),
		cmocka_unit_test_setup(port_of_the_board_needs_no_card, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
