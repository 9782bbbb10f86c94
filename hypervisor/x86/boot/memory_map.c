/* SPDX-License-Identifier: MIT */
/* The machine's memory map: sorted and without overlaps, and the pieces that boot reserves. */
#include "x86/boot/memory_map.h"

#include "hv/arch/control.h"
#include "hv/config.h"
#include "hv/console.h"
#include "x86/boot/boot.h"

struct memory_map boot_memory_map;

#define RESERVED_MAX (BOOT_MODULES_MAX + 8)
static struct {
	paddr_t start, end;
} reserved[RESERVED_MAX] __initdata;
static unsigned int nr_reserved __initdata;

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

static int __init type_at(const struct memory_map *m, u64 addr)
{
	int found = -1;

	for (unsigned int i = 0; i < m->nr; i++)
		if (addr >= m->e[i].start && addr - m->e[i].start < m->e[i].size &&
		    (found < 0 || type_rank(m->e[i].type) > type_rank((u32)found)))
			found = (int)m->e[i].type;
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
	struct memory_map *m = &boot_memory_map;
	u64 next;

	old = *m;
	m->nr = 0;
	for (u64 addr = 0; (next = next_edge(&old, addr)) != ~0UL; addr = next) {
		int type = type_at(&old, addr);

		if (type < 0)
			continue;
		if (m->nr && m->e[m->nr - 1].type == (u32)type &&
		    m->e[m->nr - 1].start + m->e[m->nr - 1].size == addr) {
			m->e[m->nr - 1].size += next - addr;
		} else if (m->nr < MEMORY_MAP_MAX) {
			m->e[m->nr].start = addr;
			m->e[m->nr].size = next - addr;
			m->e[m->nr++].type = (u32)type;
		}
	}
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

		if (start >= end || reserved[i].start == IMAGE_PHYS ||
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

bool memory_map_is_type(paddr_t start, paddr_t end, u32 type)
{
	const struct memory_map *m = &boot_memory_map;

	for (unsigned int i = 0; i < m->nr; i++)
		if (m->e[i].type == type && start >= m->e[i].start &&
		    end <= m->e[i].start + m->e[i].size)
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
