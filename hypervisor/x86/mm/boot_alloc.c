/* SPDX-License-Identifier: MIT */
/*
 * The boot allocator: cuts pieces of 2 MiB out of the memory map's free ranges, from the top down,
 * and hands out single pages for page tables from some of them.
 */
#include "x86/mm/boot_alloc.h"

#include "hv/config.h"
#include "hv/console.h"
#include "lib/string.h"
#include "x86/boot/memory_map.h"

#define CHUNK	   MiB(2)
#define CHUNKS_MAX 16 /* page tables' chunks: enough for 8192 GiB */
#define PIECES_MAX (2 * MEMORY_MAP_MAX)

static struct {
	paddr_t start, end;
} pieces[PIECES_MAX] __initdata; /* ascending */
static unsigned int nr_pieces __initdata;
static paddr_t memory_end __initdata;

static struct {
	paddr_t start;
	unsigned int used;
} chunks[CHUNKS_MAX] __initdata;
static unsigned int nr_chunks __initdata;

static void __init piece_add(paddr_t start, paddr_t end)
{
	end = min(end, memory_end);
	/* No firmware has so many pieces; the rest would stay unused. */
	if (start >= end || nr_pieces == PIECES_MAX)
		return;
	pieces[nr_pieces].start = start;
	pieces[nr_pieces++].end = end;
}

void __init boot_alloc_init(paddr_t end)
{
	memory_end = end;
	memory_map_for_each_free(piece_add);
}

/* Takes the chunk at `at` out of piece i, which may split in two, or become empty. */
static void __init piece_cut(unsigned int i, paddr_t at)
{
	paddr_t end = pieces[i].end;

	pieces[i].end = at;
	if (at + CHUNK == end)
		return;
	if (nr_pieces == PIECES_MAX)
		return; /* the part above is lost */
	memmove(pieces + i + 2, pieces + i + 1, (nr_pieces - i - 1) * sizeof(pieces[0]));
	pieces[i + 1].start = at + CHUNK;
	pieces[i + 1].end = end;
	nr_pieces++;
}

paddr_t __init boot_alloc_2m(paddr_t limit)
{
	for (unsigned int i = nr_pieces; i-- > 0;) {
		paddr_t top = ROUND_DOWN(min(pieces[i].end, limit), CHUNK);

		if (top < CHUNK || top - CHUNK < pieces[i].start)
			continue;
		piece_cut(i, top - CHUNK);
		return top - CHUNK;
	}
	panic("not enough memory for the hypervisor's own tables");
}

paddr_t __init boot_alloc_table(void)
{
	paddr_t page;

	if (!nr_chunks || chunks[nr_chunks - 1].used == CHUNK / PAGE_SIZE) {
		if (nr_chunks == CHUNKS_MAX)
			panic("too much memory for the page tables of boot");
		chunks[nr_chunks++].start = boot_alloc_2m(GiB(4));
	}
	page = chunks[nr_chunks - 1].start + chunks[nr_chunks - 1].used++ * PAGE_SIZE;
	/* Boot's page tables map everything below 4 GiB 1:1. */
	memset((void *)page, 0, PAGE_SIZE);
	return page;
}

void __init boot_alloc_for_each_chunk(void (*fn)(paddr_t chunk, unsigned int used))
{
	for (unsigned int i = 0; i < nr_chunks; i++)
		fn(chunks[i].start, chunks[i].used);
}

void __init boot_alloc_for_each_free(void (*fn)(paddr_t start, paddr_t end))
{
	for (unsigned int i = 0; i < nr_pieces; i++)
		if (pieces[i].start < pieces[i].end)
			fn(pieces[i].start, pieces[i].end);
}
