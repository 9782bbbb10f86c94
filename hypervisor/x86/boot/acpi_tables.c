/* SPDX-License-Identifier: MIT */
/*
 * Reads the few ACPI tables that the hypervisor itself needs (ACPI 6.4, chapter 5.2). acpi.c has
 * seen that each table is within reach up to the length in its header. Nothing else is taken on
 * trust: an entry may be shorter than its type says, or longer than its table.
 */
#include "x86/boot/acpi.h"

#include "hv/console.h"
#include "lib/string.h"
#include "x86/cpu/platform.h"

/* How many things there was no room for. */
static void __init say_left_out(const char *what, unsigned int n, size_t most)
{
	if (n)
		log_warn("ACPI lists more than %zu %s: %u are left out", most, what, n);
}

/* --- MADT --- */

struct acpi_madt {
	struct acpi_header header;
	u32 lapic_addr, flags;
	u8 entries[];
} __packed;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };
union madt_entry {
	struct {
		u8 type, length;
	} __packed;
	struct {
		u8 type, length, acpi_id, apic_id;
		u32 flags;
	} __packed lapic;
	struct {
		u8 type, length, id, reserved;
		u32 addr, gsi_base;
	} __packed ioapic;
	struct {
		u8 type, length, bus, source;
		u32 gsi;
		u16 flags;
	} __packed override;
	struct {
		u8 type, length;
		u16 reserved;
		u32 apic_id, flags, acpi_id;
	} __packed x2apic;
};

/* The bytes of each type that are read; 0: the type is of no interest. */
static const u8 madt_entry_size[] __section(".init.rodata") = {
	[MADT_LAPIC] = sizeof(((union madt_entry *)0)->lapic),
	[MADT_IOAPIC] = sizeof(((union madt_entry *)0)->ioapic),
	[MADT_OVERRIDE] = sizeof(((union madt_entry *)0)->override),
	[MADT_X2APIC] = sizeof(((union madt_entry *)0)->x2apic),
};

#define MADT_ENABLED   BIT(0)
#define APIC_ID_NONE   0xffU /* of a slot without a processor, whatever its flags say */
#define X2APIC_ID_NONE 0xffffffffU

static unsigned int cpus_left_out __initdata, ioapics_left_out __initdata;

/* Firmware may list a processor twice: in both kinds of entries, or in two MADTs. */
static void __init add_cpu(u32 apic_id, u32 acpi_id, u32 flags)
{
	if (!(flags & MADT_ENABLED))
		return;
	for (unsigned int i = 0; i < platform.nr_cpus; i++)
		if (platform.cpus[i].apic_id == apic_id)
			return;
	if (platform.nr_cpus == HV_MAX_CPUS) {
		cpus_left_out++;
		return;
	}
	platform.cpus[platform.nr_cpus].apic_id = apic_id;
	platform.cpus[platform.nr_cpus++].acpi_id = acpi_id;
}

static void __init add_ioapic(u8 id, u32 addr, u32 gsi_base)
{
	if (!addr)
		return;
	for (unsigned int i = 0; i < platform.nr_ioapics; i++)
		if (platform.ioapics[i].addr == addr)
			return;
	if (platform.nr_ioapics == ARRAY_SIZE(platform.ioapics)) {
		ioapics_left_out++;
		return;
	}
	platform.ioapics[platform.nr_ioapics].id = id;
	platform.ioapics[platform.nr_ioapics].addr = addr;
	platform.ioapics[platform.nr_ioapics++].gsi_base = gsi_base;
}

static void __init read_madt_entry(const union madt_entry *e)
{
	switch (e->type) {
	case MADT_LAPIC:
		if (e->lapic.apic_id != APIC_ID_NONE)
			add_cpu(e->lapic.apic_id, e->lapic.acpi_id, e->lapic.flags);
		break;
	case MADT_X2APIC:
		if (e->x2apic.apic_id != X2APIC_ID_NONE)
			add_cpu(e->x2apic.apic_id, e->x2apic.acpi_id, e->x2apic.flags);
		break;
	case MADT_IOAPIC:
		add_ioapic(e->ioapic.id, e->ioapic.addr, e->ioapic.gsi_base);
		break;
	case MADT_OVERRIDE:
		if (e->override.source >= ARRAY_SIZE(platform.overrides))
			break;
		platform.overrides[e->override.source].present = true;
		platform.overrides[e->override.source].gsi = e->override.gsi;
		platform.overrides[e->override.source].flags = e->override.flags;
		break;
	}
}

static void __init read_madt(const struct acpi_header *t, boot_memory_fn *memory)
{
	const u8 *p = ((const struct acpi_madt *)t)->entries, *end = (const u8 *)t + t->length;

	cpus_left_out = ioapics_left_out = 0;
	while (p < end) {
		if (p + 2 > end || p[1] < 2 || p + p[1] > end) {
			log_warn("ACPI: the MADT is damaged from byte %zu on",
				 (size_t)(p - (const u8 *)t));
			break;
		}
		if (p[0] < ARRAY_SIZE(madt_entry_size) && madt_entry_size[p[0]] &&
		    p[1] >= madt_entry_size[p[0]])
			read_madt_entry((const void *)p);
		p += p[1];
	}
	say_left_out("processors", cpus_left_out, HV_MAX_CPUS);
	say_left_out("I/O APICs", ioapics_left_out, ARRAY_SIZE(platform.ioapics));
}

/* --- FADT and DSDT --- */

struct acpi_fadt {
	struct acpi_header header;
	u32 facs, dsdt;
	u8 reserved0, pm_profile;
	u16 sci_irq;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	u32 pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_timer, gpe0, gpe1;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_timer_len, gpe0_len, gpe1_len, gpe1_base,
		cst_cnt;
	u16 lvl2_lat, lvl3_lat, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, month_alarm, century;
	u16 boot_arch;
	u8 reserved1;
	u32 flags;
	struct acpi_address reset_reg;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor_version;
	u64 x_facs, x_dsdt;
	struct acpi_address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_timer;
} __packed;
_Static_assert(offsetof(struct acpi_fadt, reset_reg) == 116, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, x_pm_timer) == 208, "ACPI 5.2.9");
/* The table has that member. */
#define FADT_HAS(f, member) \
	((f)->header.length >= offsetof(struct acpi_fadt, member) + sizeof((f)->member))
#define ACPI_SPACE_IO	   1
#define FADT_RESET_REG_SUP BIT(10)

/*
 * Finds \_S5, which is `Name (_S5, Package () { typ_a, typ_b, ... })`. In AML (ACPI 20.2) that is:
 * NameOp 0x08, an optional root '\', "_S5_", PackageOp 0x12, PkgLength (the top two bits of its
 * first byte: how many bytes follow), NumElements, then integers: ZeroOp 0, OneOp 1, or BytePrefix
 * 0x0a and a byte.
 */
static void __init find_s5(const struct acpi_header *dsdt)
{
	const u8 *p = (const u8 *)dsdt + sizeof(*dsdt), *end = (const u8 *)dsdt + dsdt->length;
	u8 typ[2];

	for (; p + 8 <= end; p++) {
		const u8 *q;

		if (memcmp(p, "_S5_\x12", 5) ||
		    (p[-1] != 0x08 && !(p[-1] == '\\' && p[-2] == 0x08)))
			continue;
		q = p + 5;
		q += (*q >> 6) + 2;
		for (unsigned int i = 0; i < 2; i++) {
			if (q < end && *q == 0x0a)
				q++;
			if (q >= end)
				return;
			typ[i] = *q++;
		}
		platform.s5_typ_a = typ[0] & 7;
		platform.s5_typ_b = typ[1] & 7;
		platform.has_s5 = true;
		return;
	}
}

/* A port: from the old field, or from the new one if only that is filled in. */
static u32 __init fadt_port(u32 old, bool has_new, const struct acpi_address *new)
{
	if (old || !has_new || new->space != ACPI_SPACE_IO)
		return old;
	return (u32) new->address;
}
#define FADT_PORT(f, member) fadt_port((f)->member, FADT_HAS(f, x_##member), &(f)->x_##member)

static void __init read_fadt(const struct acpi_header *t, boot_memory_fn *memory)
{
	const struct acpi_fadt *f = (const void *)t;
	const struct acpi_header *dsdt = NULL;

	if (!FADT_HAS(f, flags)) {
		log_warn("ACPI: the FADT is too short: the machine cannot be powered off");
		return;
	}
	platform.has_fadt = true;
	platform.pm1a_evt = FADT_PORT(f, pm1a_evt);
	platform.pm1b_evt = FADT_PORT(f, pm1b_evt);
	platform.pm1a_cnt = FADT_PORT(f, pm1a_cnt);
	platform.pm1b_cnt = FADT_PORT(f, pm1b_cnt);
	platform.pm1_evt_len = f->pm1_evt_len;
	platform.pm_timer = FADT_PORT(f, pm_timer);
	platform.sci_irq = f->sci_irq;
	platform.facs = f->facs;
	if (FADT_HAS(f, reset_value) && (f->flags & FADT_RESET_REG_SUP)) {
		platform.has_reset_reg = true;
		platform.reset_reg = f->reset_reg;
		platform.reset_value = f->reset_value;
	}
	if (FADT_HAS(f, x_dsdt))
		dsdt = acpi_table_at(f->x_dsdt, memory);
	if (!dsdt)
		dsdt = acpi_table_at(f->dsdt, memory);
	if (dsdt)
		find_s5(dsdt);
}

/* --- HPET and MCFG --- */

struct acpi_hpet {
	struct acpi_header header;
	u32 block_id;
	struct acpi_address base;
} __packed;

struct acpi_mcfg {
	struct acpi_header header;
	u64 reserved;
	struct {
		u64 addr;
		u16 segment;
		u8 start_bus, end_bus;
		u32 reserved;
	} __packed e[];
} __packed;

/* A machine may have several. The first is the one whose comparators firmware describes. */
static void __init read_hpet(const struct acpi_header *t, boot_memory_fn *memory)
{
	const struct acpi_hpet *h = (const void *)t;

	if (t->length >= sizeof(*h) && h->base.space == 0 && !platform.hpet_addr)
		platform.hpet_addr = h->base.address;
}

static void __init read_mcfg(const struct acpi_header *t, boot_memory_fn *memory)
{
	const struct acpi_mcfg *m = (const void *)t;
	size_t n = t->length < sizeof(*m) ? 0 : (t->length - sizeof(*m)) / sizeof(m->e[0]);
	unsigned int left_out = 0;

	for (size_t i = 0; i < n; i++) {
		if (!m->e[i].addr || m->e[i].start_bus > m->e[i].end_bus)
			continue;
		if (platform.nr_mcfg == ARRAY_SIZE(platform.mcfg)) {
			left_out++;
			continue;
		}
		platform.mcfg[platform.nr_mcfg].addr = m->e[i].addr;
		platform.mcfg[platform.nr_mcfg].segment = m->e[i].segment;
		platform.mcfg[platform.nr_mcfg].start_bus = m->e[i].start_bus;
		platform.mcfg[platform.nr_mcfg++].end_bus = m->e[i].end_bus;
	}
	say_left_out("ranges of PCI buses", left_out, ARRAY_SIZE(platform.mcfg));
}

static const struct {
	char signature[5];
	void (*read)(const struct acpi_header *t, boot_memory_fn *memory);
} readers[] __section(".init.rodata") = {
	{ "APIC", read_madt },
	{ "FACP", read_fadt },
	{ "HPET", read_hpet },
	{ "MCFG", read_mcfg },
};

void __init acpi_read_table(const struct acpi_header *t, boot_memory_fn *memory)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++)
		if (!memcmp(t->signature, readers[i].signature, 4))
			readers[i].read(t, memory);
}
