/* SPDX-License-Identifier: MIT */
/* The lines of `xm top` as text, for a terminal and for --batch. */
#include "xm/top/top_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xm/format.h"

#define NS_PER_SECOND 1e9

enum { KB_PER_MB = 1024 };

const char *top_line_titles(char *buffer, size_t size)
{
	snprintf(buffer, size, "%-16s %4s %-6s %10s %6s %8s %6s %8s %5s %4s %8s %8s %4s %8s %8s",
		 "NAME", "ID", "STATE", "CPU(sec)", "CPU(%)", "MEM(MB)", "MEM(%)", "MAX(MB)",
		 "VCPUS", "NETS", "RX(KB/s)", "TX(KB/s)", "VBDS", "RD(KB/s)", "WR(KB/s)");
	return buffer;
}

const char *top_line_domain(const struct top_row *row, const struct top_sample *sample,
			    char *buffer, size_t size)
{
	const struct top_domain *d = row->domain;
	double memory =
		sample->total_kb > 0 ? 100.0 * (double)d->memory_kb / (double)sample->total_kb : 0;
	char name[FORMAT_NAME_MAX];

	snprintf(buffer, size,
		 "%-16s %4" PRId64 " %-6s %10.1f %6.1f %8" PRId64 " %6.1f %8" PRId64
		 " %5zu %4" PRId64 " %8.1f %8.1f %4" PRId64 " %8.1f %8.1f",
		 format_name(d->name, name), d->id, d->state, (double)d->cpu_ns / NS_PER_SECOND,
		 row->cpu_percent, d->memory_kb / KB_PER_MB, memory, d->maxmem_kb / KB_PER_MB,
		 d->nr_vcpus, d->nr_nets, row->rx_kib, row->tx_kib, d->nr_disks, row->read_kib,
		 row->write_kib);
	return buffer;
}

const char *top_line_vcpu(const struct top_row *row, size_t vcpu, char *buffer, size_t size)
{
	snprintf(buffer, size, "  VCPU %-9zu %4s %-6s %10.1f %6.1f", vcpu, "", "",
		 (double)row->domain->vcpu_ns[vcpu] / NS_PER_SECOND, row->vcpu_percent[vcpu]);
	return buffer;
}

const char *top_line_host(const struct top_sample *sample, char *buffer, size_t size)
{
	snprintf(buffer, size,
		 "Memory: %" PRId64 " MB total, %" PRId64 " used, %" PRId64 " free   CPUs: %" PRId64
		 " @ %" PRId64 " MHz",
		 sample->total_kb / KB_PER_MB, (sample->total_kb - sample->free_kb) / KB_PER_MB,
		 sample->free_kb / KB_PER_MB, sample->nr_cpus, sample->cpu_mhz);
	return buffer;
}

const char *top_line_counts(const struct top_sample *sample, char *buffer, size_t size)
{
	static const char letters[] = "rbpscd";
	static const char *const words[] = { "running",	  "blocked", "paused",
					     "shut down", "crashed", "dying" };
	int used = snprintf(buffer, size, "%zu domain%s", sample->nr_domains,
			    sample->nr_domains == 1 ? "" : "s");

	for (size_t letter = 0; letters[letter]; letter++) {
		size_t count = 0;

		for (size_t i = 0; i < sample->nr_domains; i++)
			count += strchr(sample->domains[i].state, letters[letter]) != NULL;
		if (count && used >= 0 && (size_t)used < size)
			used += snprintf(buffer + used, size - (size_t)used, "%s%zu %s", ", ",
					 count, words[letter]);
	}
	return buffer;
}
