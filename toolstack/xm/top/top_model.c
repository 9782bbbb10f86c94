/* SPDX-License-Identifier: MIT */
/* Samples become rates, rates become a sorted table. */
#include "xm/top/top_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "protocol.h"
#include "xm/client/answer.h"

#define NS_PER_SECOND 1e9
#define SECTOR	      512.0
#define KIB	      1024.0

const char *const top_sort_names[TOP_SORTS] = { "cpu", "mem", "net", "disk", "name", "id" };

static void read_devices(struct top_domain *domain, struct json_object *object)
{
	struct json_object *nets = xm_array(object, "net", &(size_t){ 0 });
	struct json_object *disks = xm_array(object, "disk", &(size_t){ 0 });

	domain->nr_nets = nets ? (int64_t)json_object_array_length(nets) : 0;
	domain->nr_disks = disks ? (int64_t)json_object_array_length(disks) : 0;
	for (size_t i = 0; i < (size_t)domain->nr_nets; i++) {
		struct json_object *net = json_object_array_get_idx(nets, i);

		domain->rx_bytes += xm_int(net, "rx_bytes", 0);
		domain->tx_bytes += xm_int(net, "tx_bytes", 0);
	}
	for (size_t i = 0; i < (size_t)domain->nr_disks; i++) {
		struct json_object *disk = json_object_array_get_idx(disks, i);

		domain->read_requests += xm_int(disk, "reads", 0);
		domain->write_requests += xm_int(disk, "writes", 0);
		domain->read_sectors += xm_int(disk, "read_sectors", 0);
		domain->write_sectors += xm_int(disk, "write_sectors", 0);
	}
}

static void read_domain(struct top_domain *domain, struct json_object *object)
{
	struct json_object *vcpus = xm_array(object, "vcpus", &domain->nr_vcpus);

	domain->id = xm_int(object, XEND_D_ID, -1);
	domain->name = xstrdup(xm_string(object, XEND_D_NAME, "?"));
	domain->state = xstrdup(xm_string(object, XEND_D_STATE, "------"));
	domain->cpu_ns = xm_int(object, XEND_D_CPU_NS, 0);
	domain->memory_kb = xm_int(object, XEND_D_MEMORY_KB, 0);
	domain->maxmem_kb = xm_int(object, XEND_D_MAXMEM_KB, 0);
	domain->vcpu_ns = xcalloc(domain->nr_vcpus + 1, sizeof(*domain->vcpu_ns));
	for (size_t i = 0; i < domain->nr_vcpus; i++)
		domain->vcpu_ns[i] = json_object_get_int64(json_object_array_get_idx(vcpus, i));
	read_devices(domain, object);
}

void top_sample_read(struct top_sample *sample, struct json_object *answer)
{
	struct json_object *domains = xm_array(answer, "domains", &sample->nr_domains);

	sample->time_ns = xm_int(answer, "time_ns", 0);
	sample->total_kb = xm_int(answer, "total_kb", 0);
	sample->free_kb = xm_int(answer, "free_kb", 0);
	sample->nr_cpus = xm_int(answer, "nr_cpus", 0);
	sample->cpu_mhz = xm_int(answer, "cpu_mhz", 0);
	sample->domains = xcalloc(sample->nr_domains + 1, sizeof(*sample->domains));
	for (size_t i = 0; i < sample->nr_domains; i++)
		read_domain(&sample->domains[i], json_object_array_get_idx(domains, i));
}

void top_sample_free(struct top_sample *sample)
{
	for (size_t i = 0; i < sample->nr_domains; i++) {
		free(sample->domains[i].name);
		free(sample->domains[i].state);
		free(sample->domains[i].vcpu_ns);
	}
	free(sample->domains);
	*sample = (struct top_sample){ 0 };
}

static const struct top_domain *find(const struct top_sample *sample,
				     const struct top_domain *domain)
{
	for (size_t i = 0; i < sample->nr_domains; i++) {
		const struct top_domain *candidate = &sample->domains[i];

		if (candidate->id == domain->id && strcmp(candidate->name, domain->name) == 0)
			return candidate;
	}
	return NULL;
}

static double rate(int64_t before, int64_t now, double seconds)
{
	return now > before ? (double)(now - before) / seconds : 0;
}

static void make_row(struct top_row *row, const struct top_domain *before,
		     const struct top_domain *now, double seconds)
{
	row->domain = now;
	row->vcpu_percent = xcalloc(now->nr_vcpus + 1, sizeof(*row->vcpu_percent));
	if (!before || seconds <= 0)
		return;
	row->cpu_percent = 100 * rate(before->cpu_ns, now->cpu_ns, seconds * NS_PER_SECOND);
	for (size_t i = 0; i < now->nr_vcpus && i < before->nr_vcpus; i++)
		row->vcpu_percent[i] =
			100 * rate(before->vcpu_ns[i], now->vcpu_ns[i], seconds * NS_PER_SECOND);
	row->rx_kib = rate(before->rx_bytes, now->rx_bytes, seconds * KIB);
	row->tx_kib = rate(before->tx_bytes, now->tx_bytes, seconds * KIB);
	row->read_kib = rate(before->read_sectors, now->read_sectors, seconds * KIB / SECTOR);
	row->write_kib = rate(before->write_sectors, now->write_sectors, seconds * KIB / SECTOR);
}

void top_table_make(struct top_table *table, const struct top_sample *before,
		    const struct top_sample *now)
{
	double seconds = (double)(now->time_ns - before->time_ns) / NS_PER_SECOND;

	table->nr_rows = now->nr_domains;
	table->rows = xcalloc(now->nr_domains + 1, sizeof(*table->rows));
	for (size_t i = 0; i < now->nr_domains; i++)
		make_row(&table->rows[i], find(before, &now->domains[i]), &now->domains[i],
			 seconds);
}

void top_table_free(struct top_table *table)
{
	for (size_t i = 0; i < table->nr_rows; i++)
		free(table->rows[i].vcpu_percent);
	free(table->rows);
	*table = (struct top_table){ 0 };
}

struct order {
	enum top_sort sort;
	bool reverse;
};

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare(const void *first, const void *second, void *data)
{
	const struct top_row *a = first, *b = second;
	const struct order *order = data;
	int result = 0;

	switch (order->sort) {
	case TOP_SORT_CPU:
		result = compare_numbers(b->cpu_percent, a->cpu_percent);
		break;
	case TOP_SORT_MEMORY:
		result =
			compare_numbers((double)b->domain->memory_kb, (double)a->domain->memory_kb);
		break;
	case TOP_SORT_NET:
		result = compare_numbers(b->rx_kib + b->tx_kib, a->rx_kib + a->tx_kib);
		break;
	case TOP_SORT_DISK:
		result = compare_numbers(b->read_kib + b->write_kib, a->read_kib + a->write_kib);
		break;
	case TOP_SORT_NAME:
		result = strcmp(a->domain->name, b->domain->name);
		break;
	case TOP_SORT_ID:
	case TOP_SORTS:
		break;
	}
	/* Equal rows keep their order from one sample to the next. */
	if (result == 0)
		result = compare_numbers((double)a->domain->id, (double)b->domain->id);
	return order->reverse ? -result : result;
}

void top_table_sort(struct top_table *table, enum top_sort sort, bool reverse)
{
	struct order order = { sort, reverse };

	qsort_r(table->rows, table->nr_rows, sizeof(*table->rows), compare, &order);
}
