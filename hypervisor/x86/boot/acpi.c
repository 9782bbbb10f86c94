/* SPDX-License-Identifier: MIT */
/*
 * Reads the few ACPI tables that the hypervisor itself needs (ACPI 6.4, chapter 5.2), through the
 * boot page tables, before paging_init. Tables above 4 GiB are skipped. Lengths are checked only
 * against the table's own header: the firmware is trusted, but may be careless.
 */
#include "x86/boot/acpi.h"

#include "hv/console.h"
#include "lib/string.h"
#include "x86/boot/boot.h"
#include "x86/cpu/platform.h"

struct platform_info platform;

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision, creator_id, creator_revision;
} __packed;

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __packed;

struct acpi_madt {
	struct acpi_header header;
	u32 lapic_addr, flags;
	u8 entries[];
} __packed;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDR = 5, MADT_X2APIC = 9 };
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
		u64 addr;
	} __packed lapic_addr;
	struct {
		u8 type, length;
		u16 reserved;
		u32 apic_id, flags, acpi_id;
	} __packed x2apic;
};

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
} __packed;
_Static_assert(offsetof(struct acpi_fadt, reset_reg) == 116, "ACPI 5.2.9");
#define FADT_RESET_REG_SUP BIT(10)

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

static u8 __init sum(const void *p, size_t n)
{
	u8 s = 0;

	for (size_t i = 0; i < n; i++)
		s = (u8)(s + ((const u8 *)p)[i]);
	return s;
}

/* The table at `addr`; NULL: out of reach or damaged. */
static const struct acpi_header *__init table_at(u64 addr)
{
	const struct acpi_header *t = (const void *)addr;

	if (!addr || addr >= GiB(4) - PAGE_SIZE)
		return NULL;
	if (t->length < sizeof(*t) || t->length > MiB(16) || addr + t->length > GiB(4) ||
	    sum(t, t->length))
		return NULL;
	return t;
}

static void __init add_cpu(u32 apic_id, u32 acpi_id, u32 flags)
{
	if (!(flags & 1))
		return;
	for (unsigned int i = 0; i < platform.nr_cpus; i++)
		if (platform.cpus[i].apic_id == apic_id)
			return;
	if (platform.nr_cpus == HV_MAX_CPUS) {
		log_warn("more than %u processors: APIC ID %u is left out", HV_MAX_CPUS, apic_id);
		return;
	}
	platform.cpus[platform.nr_cpus].apic_id = apic_id;
	platform.cpus[platform.nr_cpus++].acpi_id = acpi_id;
}

static void __init parse_madt_entry(const union madt_entry *e)
{
	switch (e->type) {
	case MADT_LAPIC:
		add_cpu(e->lapic.apic_id, e->lapic.acpi_id, e->lapic.flags);
		break;
	case MADT_X2APIC:
		add_cpu(e->x2apic.apic_id, e->x2apic.acpi_id, e->x2apic.flags);
		break;
	case MADT_IOAPIC:
		if (platform.nr_ioapics == ARRAY_SIZE(platform.ioapics))
			break;
		platform.ioapics[platform.nr_ioapics].id = e->ioapic.id;
		platform.ioapics[platform.nr_ioapics].addr = e->ioapic.addr;
		platform.ioapics[platform.nr_ioapics++].gsi_base = e->ioapic.gsi_base;
		break;
	case MADT_OVERRIDE:
		if (e->override.source >= ARRAY_SIZE(platform.overrides))
			break;
		platform.overrides[e->override.source].present = true;
		platform.overrides[e->override.source].gsi = e->override.gsi;
		platform.overrides[e->override.source].flags = e->override.flags;
		break;
	case MADT_LAPIC_ADDR:
		platform.lapic_addr = (u32)e->lapic_addr.addr;
		break;
	}
}

static void __init parse_madt(const struct acpi_header *t)
{
	const struct acpi_madt *madt = (const void *)t;
	const u8 *p = madt->entries, *end = (const u8 *)t + t->length;

	platform.lapic_addr = madt->lapic_addr;
	while (p + 2 <= end && p[1] >= 2 && p + p[1] <= end) {
		parse_madt_entry((const void *)p);
		p += p[1];
	}
}

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

	for (; p + 16 <= end; p++) {
		const u8 *q;

		if (memcmp(p, "_S5_\x12", 5) ||
		    (p[-1] != 0x08 && !(p[-1] == '\\' && p[-2] == 0x08)))
			continue;
		q = p + 5;
		q += (*q >> 6) + 2;
		for (unsigned int i = 0; i < 2; i++) {
			if (q + 2 > end)
				return;
			if (*q == 0x0a)
				q++;
			typ[i] = *q++;
		}
		platform.s5_typ_a = typ[0] & 7;
		platform.s5_typ_b = typ[1] & 7;
		platform.has_s5 = true;
		return;
	}
}

static void __init parse_fadt(const struct acpi_header *t)
{
	const struct acpi_fadt *f = (const void *)t;
	const struct acpi_header *dsdt = table_at(f->dsdt);

	if (t->length < offsetof(struct acpi_fadt, reset_reg))
		return;
	platform.has_fadt = true;
	platform.pm1a_evt = f->pm1a_evt;
	platform.pm1b_evt = f->pm1b_evt;
	platform.pm1a_cnt = f->pm1a_cnt;
	platform.pm1b_cnt = f->pm1b_cnt;
	platform.pm1_evt_len = f->pm1_evt_len;
	platform.pm_timer = f->pm_timer;
	platform.sci_irq = f->sci_irq;
	platform.facs = f->facs;
	if (t->length >= sizeof(*f) && (f->flags & FADT_RESET_REG_SUP)) {
		platform.has_reset_reg = true;
		platform.reset_reg = f->reset_reg;
		platform.reset_value = f->reset_value;
	}
	if (dsdt)
		find_s5(dsdt);
}

static void __init parse_hpet(const struct acpi_header *t)
{
	const struct acpi_hpet *h = (const void *)t;

	if (t->length >= sizeof(*h) && h->base.space == 0)
		platform.hpet_addr = h->base.address;
}

static void __init parse_mcfg(const struct acpi_header *t)
{
	const struct acpi_mcfg *m = (const void *)t;
	size_t n = t->length < sizeof(*m) ? 0 : (t->length - sizeof(*m)) / sizeof(m->e[0]);

	for (size_t i = 0; i < n && platform.nr_mcfg < ARRAY_SIZE(platform.mcfg); i++) {
		platform.mcfg[platform.nr_mcfg].addr = m->e[i].addr;
		platform.mcfg[platform.nr_mcfg].segment = m->e[i].segment;
		platform.mcfg[platform.nr_mcfg].start_bus = m->e[i].start_bus;
		platform.mcfg[platform.nr_mcfg++].end_bus = m->e[i].end_bus;
	}
}

static const struct {
	char signature[5];
	void (*parse)(const struct acpi_header *t);
} parsers[] __section(".init.rodata") = {
	{ "APIC", parse_madt },
	{ "FACP", parse_fadt },
	{ "HPET", parse_hpet },
	{ "MCFG", parse_mcfg },
};

static void __init parse_table(u64 addr)
{
	const struct acpi_header *t = table_at(addr);

	if (!t) {
		log_warn("ACPI table at %#lx is damaged or out of reach", addr);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(parsers); i++)
		if (!memcmp(t->signature, parsers[i].signature, 4))
			parsers[i].parse(t);
}

static const struct acpi_rsdp *__init rsdp_in(paddr_t start, paddr_t end)
{
	for (; start < end; start += 16) {
		const struct acpi_rsdp *r = (const void *)start;

		if (!memcmp(r->signature, "RSD PTR ", 8) && !sum(r, 20))
			return r;
	}
	return NULL;
}

static const struct acpi_rsdp *__init find_rsdp(void)
{
	const struct acpi_rsdp *r = (const void *)boot_info.rsdp;
	paddr_t ebda = (paddr_t) * (const volatile u16 *)0x40eUL << 4;

	if (!memcmp(r->signature, "RSD PTR ", 8))
		return r;
	/* ACPI 5.2.5.1: the extended BIOS data area's first KiB, then the BIOS's ROM. */
	if (ebda >= 0x400 && ebda < 0xa0000) {
		r = rsdp_in(ebda, ebda + 1024);
		if (r)
			return r;
	}
	return rsdp_in(0xe0000, 0x100000);
}

void __init acpi_parse(void)
{
	const struct acpi_rsdp *rsdp = find_rsdp();
	const struct acpi_header *root;
	bool wide;

	if (!rsdp) {
		log_warn("no ACPI tables: one processor, no I/O APIC");
		return;
	}
	wide = rsdp->revision >= 2 && rsdp->xsdt;
	if ((const u8 *)rsdp != boot_info.rsdp)
		platform.rsdp = (u64)rsdp;
	root = table_at(wide ? rsdp->xsdt : rsdp->rsdt);
	if (!root) {
		log_warn("ACPI: the list of tables is damaged or out of reach");
		return;
	}
	for (size_t pos = sizeof(*root); pos + (wide ? 8 : 4) <= root->length;
	     pos += wide ? 8 : 4) {
		u64 addr = 0;

		memcpy(&addr, (const u8 *)root + pos, wide ? 8 : 4);
		parse_table(addr);
	}
	log_info("ACPI: %u processors, %u I/O APICs, %s HPET, %u PCI segments", platform.nr_cpus,
		 platform.nr_ioapics, platform.hpet_addr ? "a" : "no", platform.nr_mcfg);
}
