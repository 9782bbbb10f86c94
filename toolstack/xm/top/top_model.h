/* SPDX-License-Identifier: MIT */
/* The data of `xm top`: two samples of xend's counters, made into a sorted table of rates. */
#ifndef XM_TOP_TOP_MODEL_H
#define XM_TOP_TOP_MODEL_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A domain's counters since it started. */
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

/* A domain's rates between two samples. */
struct top_row {
	const struct top_domain *domain;	    /* from the later sample */
	double cpu_percent;			    /* 100: one whole CPU */
	double *vcpu_percent;			    /* domain->nr_vcpus elements */
	double rx_kib, tx_kib, read_kib, write_kib; /* KiB per second */
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

/* The words for --sort, by enum top_sort. */
extern const char *const top_sort_names[TOP_SORTS];

/* Read an answer to top.sample; missing members count as 0. */
void top_sample_read(struct top_sample *sample, struct json_object *answer);
void top_sample_free(struct top_sample *sample);

/*
 * Compute the rates between two samples. A domain that is not in `before` has rates of 0. A counter
 * that went back (another domain with the same id, a device that was attached again) has a rate of
 * 0 too. The table points into `now`.
 */
void top_table_make(struct top_table *table, const struct top_sample *before,
		    const struct top_sample *now);
void top_table_free(struct top_table *table);

/*
 * Sort rows by greatest value first, but by names and ids in ascending order. `reverse` reverses
 * it.
 */
void top_table_sort(struct top_table *table, enum top_sort sort, bool reverse);

/* One line each, without a newline: the titles, a domain, one of its vCPUs. */
const char *top_line_titles(char *buffer, size_t size);
const char *top_line_domain(const struct top_row *row, const struct top_sample *sample,
			    char *buffer, size_t size);
const char *top_line_vcpu(const struct top_row *row, size_t vcpu, char *buffer, size_t size);

/* Two lines on the whole host. */
const char *top_line_host(const struct top_sample *sample, char *buffer, size_t size);
const char *top_line_counts(const struct top_sample *sample, char *buffer, size_t size);

#endif
