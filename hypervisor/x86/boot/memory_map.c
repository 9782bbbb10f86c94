/* SPDX-License-Identifier: MIT */
/* The machine's memory map: sorted and without overlaps, and the pieces that boot reserves. */
#include "x86/boot/memory_map.h"

#include "hv/arch/control.h"
#include "hv/config.h"
#include "hv/console.h"
#include "x86/boot/boot.h"
#include "x86/boot/sections.h"

struct memory_map boot_memory_map;

#define RESERVED_MAX (BOOT_MODULES_MAX + 8)
static struct {
	paddr_t start, end;
} reserved[RESERVED_MAX] __initdata;
static unsigned int nr_reserved __initdata;
static unsigned int nr_lost __initdata; /* entries for which there was no room */

/* The end of all that a processor can address (SDM 3A 4.1.4: MAXPHYADDR is at most 52). */
#define PHYS_END BIT(52)
/* The page that starts processors lies below the video memory, and not on the BIOS's own data. */
#define LOW_PAGE_FIRST	   0x1000UL
#define LOW_PAGE_PREFERRED 0x8000UL
#define LOW_PAGE_END	   0xa0000UL

static bool __init append(struct memory_map *m, u64 start, u64 size, u32 type)
{
	if (m->nr && m->e[m->nr - 1].type == type &&
	    m->e[m->nr - 1].start + m->e[m->nr - 1].size == start) {
		m->e[m->nr - 1].size += size;
		return true;
	}
	if (m->nr == MEMORY_MAP_MAX)
		return false;
	m->e[m->nr].start = start;
	m->e[m->nr].size = size;
	m->e[m->nr++].type = type;
	return true;
}

void __init memory_map_add(u64 start, u64 size, u32 type)
{
	if (start >= PHYS_END || !size)
		return;
	if (!append(&boot_memory_map, start, min(size, PHYS_END - start), type))
		nr_lost++;
}

void __init memory_map_reserve(paddr_t start, paddr_t end)
{
	unsigned int i = nr_reserved;

	if (start >= end)
		return;
	if (nr_reserved == RESERVED_MAX)
		panic("too many pieces of memory in use at boot");
	for (; i > 0 && reserved[i - 1].start > start; i--)
		reserved[i] = reserved[i - 1];
	reserved[i].start = ROUND_DOWN(start, PAGE_SIZE);
	reserved[i].end = ROUND_UP(end, PAGE_SIZE);
	nr_reserved++;
}

/* Where several entries claim an address, the highest rank wins: the least usable type. */
static unsigned int __init type_rank(u32 type)
{
	switch (type) {
	case E820_RAM:
		return 0;
	case E820_ACPI:
		return 1;
	case E820_NVS:
		return 2;
	case E820_RESERVED:
		return 3;
	default:
		return 4;
	}
}

/* The entry that decides the type of addr; NULL: none covers it. */
static const struct memory_map_entry *__init entry_at(const struct memory_map *m, u64 addr)
{
	const struct memory_map_entry *found = NULL;

	for (unsigned int i = 0; i < m->nr; i++)
		if (addr >= m->e[i].start && addr - m->e[i].start < m->e[i].size &&
		    (!found || type_rank(m->e[i].type) > type_rank(found->type)))
			found = &m->e[i];
	return found;
}

static u64 __init next_edge(const struct memory_map *m, u64 addr)
{
	u64 next = ~0UL;

	for (unsigned int i = 0; i < m->nr; i++) {
		u64 start = m->e[i].start, end = start + m->e[i].size;

		if (start > addr)
			next = min(next, start);
		if (end > addr)
			next = min(next, end);
	}
	return next;
}

void __init memory_map_sanitize(void)
{
	static struct memory_map old __initdata;
	u64 next;

	old = boot_memory_map;
	boot_memory_map.nr = 0;
	for (u64 addr = 0; (next = next_edge(&old, addr)) != ~0UL; addr = next) {
		const struct memory_map_entry *e = entry_at(&old, addr);

		if (e && !append(&boot_memory_map, addr, next - addr, e->type))
			nr_lost++;
	}
	if (nr_lost)
		log_warn("the memory map is too long: %u entries are left out", nr_lost);
}

void __init memory_map_print(void)
{
	static const char *const names[] = { "?", "RAM", "reserved", "ACPI", "NVS", "unusable" };
	const struct memory_map *m = &boot_memory_map;

	for (unsigned int i = 0; i < m->nr; i++)
		log_info("memory %012lx-%012lx %s", m->e[i].start, m->e[i].start + m->e[i].size - 1,
			 names[m->e[i].type < ARRAY_SIZE(names) ? m->e[i].type : 0]);
}

void __init memory_map_release(void (*fn)(paddr_t start, paddr_t end))
{
	paddr_t done = MiB(1);

	for (unsigned int i = 0; i < nr_reserved; i++) {
		paddr_t start = max(reserved[i].start, done), end = reserved[i].end;

		if (start >= end || reserved[i].start == image_phys ||
		    !memory_map_is_type(start, end, E820_RAM)) {
			done = max(done, end);
			continue;
		}
		fn(start, end);
		done = end;
	}
}

/* Calls fn for the parts of [start, end) outside the reserved pieces, which ascend by start. */
static void __init each_free_in(paddr_t start, paddr_t end, void (*fn)(paddr_t, paddr_t))
{
	for (unsigned int i = 0; i < nr_reserved && start < end; i++) {
		if (reserved[i].end <= start || reserved[i].start >= end)
			continue;
		if (reserved[i].start > start)
			fn(start, reserved[i].start);
		start = reserved[i].end;
	}
	if (start < end)
		fn(start, end);
}

void __init memory_map_for_each_free(void (*fn)(paddr_t start, paddr_t end))
{
	const struct memory_map *m = &boot_memory_map;

	for (unsigned int i = 0; i < m->nr; i++) {
		if (m->e[i].type != E820_RAM)
			continue;
		each_free_in(ROUND_UP(m->e[i].start, PAGE_SIZE),
			     ROUND_DOWN(m->e[i].start + m->e[i].size, PAGE_SIZE), fn);
	}
}

static paddr_t found_low __initdata;

static void __init take_low(paddr_t start, paddr_t end)
{
	if (!found_low && start + PAGE_SIZE <= end)
		found_low = start;
}

static paddr_t __init low_page_in(paddr_t first, paddr_t last)
{
	const struct memory_map *m = &boot_memory_map;

	found_low = 0;
	for (unsigned int i = 0; i < m->nr; i++) {
		paddr_t start = max(ROUND_UP(m->e[i].start, PAGE_SIZE), first);
		paddr_t end = min(ROUND_DOWN(m->e[i].start + m->e[i].size, PAGE_SIZE), last);

		if (m->e[i].type == E820_RAM && start < end)
			each_free_in(start, end, take_low);
	}
	return found_low;
}

paddr_t __init memory_map_find_low_page(void)
{
	paddr_t page = low_page_in(LOW_PAGE_PREFERRED, LOW_PAGE_END);

	return page ? page : low_page_in(LOW_PAGE_FIRST, LOW_PAGE_PREFERRED);
}

bool memory_map_is_type(paddr_t start, paddr_t end, u32 type)
{
	const struct memory_map *m = &boot_memory_map;

	for (unsigned int i = 0; i < m->nr; i++)
		if (m->e[i].type == type && start >= m->e[i].start &&
		    end <= m->e[i].start + m->e[i].size)
			return true;
	return false;
}

bool __init memory_map_has(paddr_t start, paddr_t end, u32 type)
{
	const struct memory_map *m = &boot_memory_map;

	for (unsigned int i = 0; i < m->nr; i++)
		if (m->e[i].type == type && m->e[i].start < end &&
		    start < m->e[i].start + m->e[i].size)
			return true;
	return false;
}

bool arch_machine_memory_map(unsigned int index, u64 *start, u64 *size, u32 *type)
{
	const struct memory_map *m = &boot_memory_map;

	if (index >= m->nr)
		return false;
	*start = m->e[index].start;
	*size = m->e[index].size;
	*type = m->e[index].type;
	return true;
}
