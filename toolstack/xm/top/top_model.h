/* SPDX-License-Identifier: MIT */
/* What `xm top` shows: what xend counted at two moments, made into rates, in an order. */
#ifndef XM_TOP_TOP_MODEL_H
#define XM_TOP_TOP_MODEL_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a domain has used since it began. */
struct top_domain {
	int64_t id;
	char *name;
	char *state;
	int64_t cpu_ns;
	int64_t memory_kb, maxmem_kb;
	int64_t *vcpu_ns;
	size_t nr_vcpus;
	int64_t nr_nets, rx_bytes, tx_bytes;
	int64_t nr_disks, read_requests, write_requests, read_sectors, write_sectors;
};

struct top_sample {
	int64_t time_ns; /* monotonic */
	int64_t total_kb, free_kb, nr_cpus, cpu_mhz;
	struct top_domain *domains;
	size_t nr_domains;
};

/* What a domain used between two samples. */
struct top_row {
	const struct top_domain *domain;	    /* of the later sample */
	double cpu_percent;			    /* of one CPU */
	double *vcpu_percent;			    /* domain->nr_vcpus of them */
	double rx_kib, tx_kib, read_kib, write_kib; /* a second */
};

struct top_table {
	struct top_row *rows;
	size_t nr_rows;
};

enum top_sort {
	TOP_SORT_CPU,
	TOP_SORT_MEMORY,
	TOP_SORT_NET,
	TOP_SORT_DISK,
	TOP_SORT_NAME,
	TOP_SORT_ID,
	TOP_SORTS
};

/* The words of --sort, by enum top_sort. */
extern const char *const top_sort_names[TOP_SORTS];

/* Read an answer to top.sample; what is missing in it is 0. */
void top_sample_read(struct top_sample *sample, struct json_object *answer);
void top_sample_free(struct top_sample *sample);

/*
 * The rates between two samples: of domains that are not in `before`, 0. A counter that went back
 * (a domain of the same ID and another name, a device that was attached anew) gives 0, not
 * nonsense. The table refers to `now`.
 */
void top_table_make(struct top_table *table, const struct top_sample *before,
		    const struct top_sample *now);
void top_table_free(struct top_table *table);

/* Greatest first; names and IDs least first. `reverse` turns it round. */
void top_table_sort(struct top_table *table, enum top_sort sort, bool reverse);

/* A line each, without a newline: the titles, a domain, its vCPU. */
const char *top_line_titles(char *buffer, size_t size);
const char *top_line_domain(const struct top_row *row, const struct top_sample *sample,
			    char *buffer, size_t size);
const char *top_line_vcpu(const struct top_row *row, size_t vcpu, char *buffer, size_t size);

/* Two lines on the whole host. */
const char *top_line_host(const struct top_sample *sample, char *buffer, size_t size);
const char *top_line_counts(const struct top_sample *sample, char *buffer, size_t size);

#endif
