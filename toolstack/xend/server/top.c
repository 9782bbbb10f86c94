/* SPDX-License-Identifier: MIT */
/*
 * The samples for `xm top`: counters from the hypervisor and from the backends' directories in
 * sysfs; xm computes rates.
 */
#include "xend/server/top.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/file.h"
#include "lib/str.h"
#include "xend/domain/describe.h"
#include "xend/domain/domain.h"
#include "xend/domain/state_letters.h"
#include "protocol.h"
#include "xend/runtime/store.h"

#define PAGE_KB	 4
#define BACKENDS "/sys/bus/xen-backend/devices"

/* A number in a file of sysfs; 0: it cannot be read. */
static int64_t read_counter(const char *directory, const char *name)
{
	struct str text = STR_INIT;
	char path[512];
	uint64_t value = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (file_read(path, 64, &text, NULL) == 0 && text.len)
		str_to_u64(str_trim(text.text), 10, 0, INT64_MAX, &value);
	str_free(&text);
	return (int64_t)value;
}

static void add_counters(struct json_object *o, const char *directory, const char *const names[][2],
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_set_int(o, names[i][0], read_counter(directory, names[i][1]));
}

static void add_disk(struct json_object *array, int domid, uint64_t devid)
{
	static const char *const names[][2] = {
		{ "reads", "rd_req" },		 { "writes", "wr_req" },
		{ "read_sectors", "rd_sect" },	 { "write_sectors", "wr_sect" },
		{ "out_of_requests", "oo_req" },
	};
	struct json_object *o = json_new_object();
	char path[128];

	json_set_int(o, XEND_DEV_DEVID, (int64_t)devid);
	snprintf(path, sizeof(path), BACKENDS "/vbd-%d-%llu/statistics", domid,
		 (unsigned long long)devid);
	add_counters(o, path, names, sizeof(names) / sizeof(names[0]));
	json_append(array, o);
}

/*
 * rx and tx are swapped: what the interface in Domain-0 sends, the guest receives. The interface is
 * found through its device, because a script may have renamed it.
 */
static void add_net(struct json_object *array, int domid, uint64_t devid)
{
	static const char *const names[][2] = {
		{ "rx_bytes", "tx_bytes" },
		{ "rx_packets", "tx_packets" },
		{ "tx_bytes", "rx_bytes" },
		{ "tx_packets", "rx_packets" },
	};
	struct json_object *o = json_new_object();
	char path[128], statistics[400];
	struct dirent *entry;
	DIR *directory;

	json_set_int(o, XEND_DEV_DEVID, (int64_t)devid);
	snprintf(path, sizeof(path), BACKENDS "/vif-%d-%llu/net", domid, (unsigned long long)devid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(statistics, sizeof(statistics), "%s/%s/statistics", path, entry->d_name);
		add_counters(o, statistics, names, sizeof(names) / sizeof(names[0]));
		break;
	}
	if (directory)
		closedir(directory);
	json_append(array, o);
}

static struct json_object *devices_of(int domid, const char *class,
				      void (*add)(struct json_object *array, int domid,
						  uint64_t devid))
{
	struct json_object *array = json_new_array();
	unsigned int count;
	char **names = store_list(&count, "/local/domain/0/backend/%s/%d", class, domid);
	uint64_t devid;

	for (unsigned int i = 0; i < count; i++)
		if (str_to_u64(names[i], 10, 0, UINT32_MAX, &devid))
			add(array, domid, devid);
	free(names);
	return array;
}

static struct json_object *sample(struct domain *domain, const struct hv_domain_info *info)
{
	struct json_object *o = json_new_object(), *vcpus = json_new_array();
	struct hv_vcpu_info vcpu;
	char letters[7];

	domain_state_letters(info, letters);
	json_set_int(o, XEND_D_ID, domain->domid);
	json_set_string(o, XEND_D_NAME, domain->name);
	json_set_string(o, XEND_D_STATE, letters);
	json_set_int(o, XEND_D_CPU_NS, (int64_t)info->cpu_time_ns);
	json_set_int(o, XEND_D_MEMORY_KB, (int64_t)(info->pages * PAGE_KB));
	json_set_int(o, XEND_D_MAXMEM_KB,
		     (int64_t)((info->max_pages > UINT32_MAX / 2 ? info->pages : info->max_pages) *
			       PAGE_KB));
	if (info->max_vcpu_id != XEN_INVALID_MAX_VCPU_ID)
		for (unsigned int i = 0; i <= info->max_vcpu_id; i++)
			if (hv_vcpu_info(domain_hv, info->domid, i, &vcpu, NULL) == 0)
				json_append(vcpus, json_new_int((int64_t)vcpu.cpu_time_ns));
	json_set(o, "vcpus", vcpus);
	json_set(o, "net", devices_of(domain->domid, "vif", add_net));
	json_set(o, "disk", devices_of(domain->domid, "vbd", add_disk));
	return o;
}

int top_sample(struct json_object *result, struct error **e)
{
	struct json_object *array = json_new_array();
	struct xen_sysctl_physinfo hardware;
	struct hv_domain_info *list;
	struct timespec now;
	size_t count;
	int rc = hv_host_physinfo(domain_hv, &hardware, e);

	json_set(result, "domains", array);
	domains_refresh();
	if (rc == 0)
		rc = hv_domain_list(domain_hv, &list, &count, e);
	if (rc)
		return rc;
	clock_gettime(CLOCK_MONOTONIC, &now);
	json_set_int(result, "time_ns", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	json_set_int(result, "total_kb", (int64_t)(hardware.total_pages * PAGE_KB));
	json_set_int(result, "free_kb", (int64_t)(hardware.free_pages * PAGE_KB));
	json_set_int(result, "nr_cpus", hardware.nr_cpus);
	json_set_int(result, "cpu_mhz", hardware.cpu_khz / 1000);
	for (size_t i = 0; i < count; i++) {
		struct domain *domain = domain_of(&list[i]);

		if (domain)
			json_append(array, sample(domain, &list[i]));
	}
	free(list);
	return 0;
}
