/* SPDX-License-Identifier: MIT */
/* The tables' printf() formats, one header and one row function for each table. */
#include "xm/format.h"

#include <inttypes.h>

#define NS_PER_SECOND 1e9

const char *format_name(const char *name, char buffer[FORMAT_NAME_MAX])
{
	size_t i;

	for (i = 0; i < FORMAT_NAME_MAX - 1 && name[i]; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == ' ')
			c = '_';
		else if (c < ' ' || c == 0x7f)
			c = '?';
		buffer[i] = (char)c;
	}
	if (i == 0)
		buffer[i++] = '-';
	buffer[i] = '\0';
	return buffer;
}

/* Rounds to the nearest MiB: a domain of 128 MiB may have a page less. */
static int64_t mib(int64_t kb)
{
	return (kb + 512) / 1024;
}

#define LIST_HEADER_FORMAT "%-40s %3s %5s %5s %10s %9s"
#define LIST_HEADER_WORDS  "Name", "ID", "Mem", "VCPUs", "State", "Time(s)"

void format_list_header(FILE *out)
{
	fprintf(out, LIST_HEADER_FORMAT "\n", LIST_HEADER_WORDS);
}

static void list_cells(FILE *out, const struct list_row *row)
{
	char name[FORMAT_NAME_MAX], id[24] = "";

	/* As xm always did: a program must not take a domain that is not there for one that runs.
	 */
	if (row->id >= 0)
		snprintf(id, sizeof(id), "%" PRId64, row->id);
	fprintf(out, "%-40s %3s %5" PRId64 " %5" PRId64 " %10s %8.1f", format_name(row->name, name),
		id, mib(row->memory_kb), row->vcpus, row->id >= 0 ? row->state : "",
		(double)row->cpu_ns / NS_PER_SECOND);
}

void format_list_row(FILE *out, const struct list_row *row)
{
	list_cells(out, row);
	fputc('\n', out);
}

void format_claim_header(FILE *out)
{
	fprintf(out, LIST_HEADER_FORMAT " %8s\n", LIST_HEADER_WORDS, "Claimed");
}

void format_claim_row(FILE *out, const struct list_row *row, int64_t claimed_kb)
{
	list_cells(out, row);
	fprintf(out, "  %8" PRId64 "\n", mib(claimed_kb));
}

void format_vm_header(FILE *out)
{
	fprintf(out, "%-36s  %-4s  %s\n", "UUID", "ID", "name");
}

void format_vm_row(FILE *out, const struct vm_row *row)
{
	char name[FORMAT_NAME_MAX];

	fprintf(out, "%-36s  %-4" PRId64 "  %s\n", row->uuid, row->id,
		format_name(row->name, name));
}

void format_vcpu_header(FILE *out)
{
	fprintf(out, "%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State",
		"Time(s)", "CPU Affinity");
}

void format_vcpu_row(FILE *out, const struct vcpu_row *row)
{
	char name[FORMAT_NAME_MAX], id[24], cpu[24] = "-";

	snprintf(id, sizeof(id), "%" PRId64, row->id);
	if (row->cpu >= 0)
		snprintf(cpu, sizeof(cpu), "%" PRId64, row->cpu);
	fprintf(out, "%-32s %5s %5" PRId64 " %5s %5s  %8.1f %s\n", format_name(row->name, name), id,
		row->vcpu, cpu, row->state, (double)row->cpu_ns / NS_PER_SECOND, row->affinity);
}

void format_sched_header(FILE *out)
{
	fprintf(out, "%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
}

void format_sched_row(FILE *out, const struct sched_row *row)
{
	char name[FORMAT_NAME_MAX], id[24];

	snprintf(id, sizeof(id), "%" PRId64, row->id);
	fprintf(out, "%-32s %5s %6" PRId64 " %4" PRId64 "\n", format_name(row->name, name), id,
		row->weight, row->cap);
}

const char *format_uptime(int64_t seconds, char *buffer, size_t size)
{
	int64_t days = seconds / 86400, rest = seconds % 86400;
	int hours = (int)(rest / 3600), minutes = (int)(rest / 60 % 60), left = (int)(rest % 60);

	if (seconds < 0)
		snprintf(buffer, size, "-");
	else if (days)
		snprintf(buffer, size, "%" PRId64 " day%s, %d:%02d:%02d", days,
			 days == 1 ? "" : "s", hours, minutes, left);
	else
		snprintf(buffer, size, "%d:%02d:%02d", hours, minutes, left);
	return buffer;
}

void format_uptime_header(FILE *out)
{
	fprintf(out, "%-33s %4s %s\n", "Name", "ID", "Uptime");
}

void format_uptime_row(FILE *out, const struct uptime_row *row)
{
	char name[FORMAT_NAME_MAX], uptime[64];

	fprintf(out, "%-33s %4" PRId64 " %s\n", format_name(row->name, name), row->id,
		format_uptime(row->seconds, uptime, sizeof(uptime)));
}

void format_pool_header(FILE *out, bool cpus)
{
	fprintf(out, "%-19s%s\n", "Name",
		cpus ? "CPU list" : "CPUs   Sched     Active   Domain count");
}

void format_pool_row(FILE *out, const struct pool_row *row)
{
	if (row->cpus)
		fprintf(out, "%-19s%s\n", row->name, row->cpus);
	else
		fprintf(out, "%-19s%3" PRId64 " %9s       y       %4" PRId64 "\n", row->name,
			row->nr_cpus, row->scheduler, row->domains);
}

void format_cpu_header(FILE *out)
{
	fputs("cpu_topology           :\ncpu:    core    socket     node\n", out);
}

void format_cpu_row(FILE *out, const struct cpu_row *row)
{
	fprintf(out, "%3" PRId64 ":    %4" PRId64 "     %4" PRId64 "     %4" PRId64 "\n", row->cpu,
		row->core, row->socket, row->node);
}

void format_node_header(FILE *out)
{
	fputs("numa_info              :\nnode:    memsize    memfree    distances\n", out);
}

void format_node_row(FILE *out, const struct node_row *row)
{
	fprintf(out, "%4" PRId64 ":    %6" PRId64 "     %6" PRId64 "      %s\n", row->node,
		row->memsize, row->memfree, row->distances);
}

void format_uptime_short(FILE *out, const struct uptime_row *row, const char *clock)
{
	char name[FORMAT_NAME_MAX], uptime[64];

	fprintf(out, " %s up %s, %s (%" PRId64 ")\n", clock,
		format_uptime(row->seconds, uptime, sizeof(uptime)), format_name(row->name, name),
		row->id);
}

void format_block_header(FILE *out)
{
	fprintf(out, "%-5s %-3s %-6s %-5s %-6s %-8s %s\n", "Vdev", "BE", "handle", "state",
		"evt-ch", "ring-ref", "BE-path");
}

void format_block_row(FILE *out, const struct block_row *row)
{
	fprintf(out,
		"%-5" PRId64 " %-3" PRId64 " %-6" PRId64 " %-5" PRId64 " %-6" PRId64 " %-8" PRId64
		" %s\n",
		row->devid, row->backend, row->handle, row->state, row->event_channel,
		row->ring_ref, row->backend_path);
}

void format_network_header(FILE *out)
{
	fprintf(out, "%-3s %-3s %-17s %-6s %-5s %-6s %5s/%-11s %s\n", "Idx", "BE", "Mac Addr.",
		"handle", "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path");
}

void format_network_row(FILE *out, const struct network_row *row)
{
	fprintf(out,
		"%-3" PRId64 " %-3" PRId64 " %-17s %-6" PRId64 " %-5" PRId64 " %-6" PRId64
		" %5" PRId64 "/%-11" PRId64 " %s\n",
		row->index, row->backend, row->mac, row->handle, row->state, row->event_channel,
		row->tx_ring_ref, row->rx_ring_ref, row->backend_path);
}

void format_info(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%-23s: %s\n", key, value);
}
