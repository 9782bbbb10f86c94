/* SPDX-License-Identifier: MIT */
/*
 * The tables that xm prints. Programs (Ganeti, Pacemaker, people's scripts) split them at blanks
 * and count columns. So the formats are exactly those of the original xm, and a cell has a blank
 * only where the original had one.
 */
#ifndef XM_FORMAT_H
#define XM_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { FORMAT_NAME_MAX = 256 };

struct list_row {
	const char *name;
	int64_t id; /* -1: not running; the cells of ID and state are blank */
	int64_t memory_kb;
	int64_t vcpus;
	const char *state; /* the letters of "rbpscd", each in its place */
	int64_t cpu_ns;
};

struct vm_row {
	const char *uuid;
	int64_t id;
	const char *name;
};

struct vcpu_row {
	const char *name;
	int64_t id;
	int64_t vcpu;
	int64_t cpu;	   /* -1: offline */
	const char *state; /* "r--", "-b-", "--p" */
	int64_t cpu_ns;
	const char *affinity;
};

struct sched_row {
	const char *name;
	int64_t id;
	int64_t weight;
	int64_t cap;
};

struct uptime_row {
	const char *name;
	int64_t id;
	int64_t seconds; /* -1: not known */
};

struct pool_row {
	const char *name;
	const char *cpus; /* "0,1,2"; NULL: show the other fields */
	int64_t nr_cpus;
	const char *scheduler;
	int64_t domains;
};

struct cpu_row {
	int64_t cpu, core, socket, node;
};

struct node_row {
	int64_t node, memsize, memfree; /* MiB */
	const char *distances;
};

struct block_row {
	int64_t devid, backend, handle, state, event_channel, ring_ref;
	const char *backend_path;
};

struct network_row {
	int64_t index, backend;
	const char *mac;
	int64_t handle, state, event_channel, tx_ring_ref, rx_ring_ref;
	const char *backend_path;
};

/* One header function and one row function for each table; each prints one line. */
void format_list_header(FILE *out);
void format_list_row(FILE *out, const struct list_row *row);
/* The same with what is claimed for the domain. */
void format_claim_header(FILE *out);
void format_claim_row(FILE *out, const struct list_row *row, int64_t claimed_kb);
void format_vm_header(FILE *out);
void format_vm_row(FILE *out, const struct vm_row *row);
void format_vcpu_header(FILE *out);
void format_vcpu_row(FILE *out, const struct vcpu_row *row);
void format_sched_header(FILE *out);
void format_sched_row(FILE *out, const struct sched_row *row);
void format_uptime_header(FILE *out);
void format_uptime_row(FILE *out, const struct uptime_row *row);
/* The short form, with the time of day in place of a header. */
void format_uptime_short(FILE *out, const struct uptime_row *row, const char *clock);
void format_pool_header(FILE *out, bool cpus);
void format_pool_row(FILE *out, const struct pool_row *row);
void format_cpu_header(FILE *out);
void format_cpu_row(FILE *out, const struct cpu_row *row);
void format_node_header(FILE *out);
void format_node_row(FILE *out, const struct node_row *row);
void format_block_header(FILE *out);
void format_block_row(FILE *out, const struct block_row *row);
void format_network_header(FILE *out);
void format_network_row(FILE *out, const struct network_row *row);

/* Prints one line of `xm info`. */
void format_info(FILE *out, const char *key, const char *value);

/* "3 days, 4:05:06", "4:05:06", or "-" for a negative number. */
const char *format_uptime(int64_t seconds, char *buffer, size_t size);

/*
 * A domain's name for a cell of a table. Blanks become '_', because xl allows them and a row must
 * split into its columns. Characters on which a terminal would act become '?'. Never empty.
 */
const char *format_name(const char *name, char buffer[FORMAT_NAME_MAX]);

#endif
