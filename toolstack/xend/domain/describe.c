/* SPDX-License-Identifier: MIT */
/* Turns a domain and the hypervisor's facts about it into JSON. */
#include "xend/domain/describe.h"

#include <string.h>

#include <xen/sched.h>

#include "config/config.h"
#include "lib/str.h"
#include "xend/domain/domain.h"
#include "xend/domain/screen.h"
#include "protocol.h"

#define PAGE_KB 4

void domain_state_letters(const struct hv_domain_info *info, char letters[7])
{
	bool crashed = info->shutdown && info->shutdown_reason == SHUTDOWN_crash;

	letters[0] = info->running ? 'r' : '-';
	/*
	 * A paused domain whose vCPUs all block is shown as paused only: programs expect "--p---".
	 */
	letters[1] = info->blocked && !info->paused ? 'b' : '-';
	letters[2] = info->paused ? 'p' : '-';
	letters[3] = info->shutdown && !crashed ? 's' : '-';
	letters[4] = crashed ? 'c' : '-';
	letters[5] = info->dying ? 'd' : '-';
	letters[6] = '\0';
}

static enum domain_status status_of(const struct domain *domain, const struct hv_domain_info *info)
{
	if (!info)
		return domain->state == DOMAIN_SUSPENDED ? STATUS_SUSPENDED : STATUS_HALTED;
	if (info->shutdown && info->shutdown_reason == SHUTDOWN_crash)
		return STATUS_CRASHED;
	if (info->shutdown && info->shutdown_reason == SHUTDOWN_suspend)
		return STATUS_SUSPENDED;
	if (info->shutdown || info->dying)
		return STATUS_SHUTDOWN;
	return info->paused ? STATUS_PAUSED : STATUS_RUNNING;
}

/* This is all that xend knows of a domain that another toolstack made. */
static struct json_object *foreign_config(const struct domain *domain,
					  const struct hv_domain_info *info)
{
	struct json_object *o = json_new_object();
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	json_set_string(o, "name", domain->name);
	json_set_string(o, "uuid", uuid);
	if (info) {
		json_set_int(o, "memory", (int64_t)(info->pages * PAGE_KB / 1024));
		json_set_int(o, "vcpus", info->online_vcpus);
	}
	return o;
}

static void describe_running(struct json_object *o, const struct hv_domain_info *info)
{
	char letters[7];

	domain_state_letters(info, letters);
	json_set_int(o, XEND_D_MEMORY_KB, (int64_t)(info->pages * PAGE_KB));
	/* Domain-0 and some others have no limit; for them, show what they have. */
	json_set_int(o, XEND_D_MAXMEM_KB,
		     (int64_t)((info->max_pages > UINT32_MAX / 2 ? info->pages : info->max_pages) *
			       PAGE_KB));
	json_set_int(o, XEND_D_VCPUS, info->online_vcpus);
	json_set_int(o, XEND_D_MAX_VCPUS,
		     info->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : info->max_vcpu_id + 1);
	json_set_string(o, XEND_D_STATE, letters);
	json_set_int(o, XEND_D_CPU_NS, (int64_t)info->cpu_time_ns);
}

static void describe_halted(struct json_object *o, const struct domain *domain)
{
	const struct config *config = domain->config;

	json_set_int(o, XEND_D_MEMORY_KB, config ? (int64_t)config->memory * 1024 : 0);
	json_set_int(o, XEND_D_MAXMEM_KB, config ? (int64_t)config_maxmem(config) * 1024 : 0);
	json_set_int(o, XEND_D_VCPUS, config ? (int64_t)config->vcpus : 0);
	json_set_int(o, XEND_D_MAX_VCPUS, config ? (int64_t)config_maxvcpus(config) : 0);
	json_set_string(o, XEND_D_STATE, "------");
	json_set_int(o, XEND_D_CPU_NS, 0);
}

struct json_object *domain_describe(struct domain *domain, const struct hv_domain_info *info,
				    bool with_config)
{
	struct json_object *o = json_new_object(), *screen;
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	json_set_int(o, XEND_D_ID, info ? domain->domid : -1);
	json_set_string(o, XEND_D_NAME, domain->name);
	json_set_string(o, XEND_D_UUID, uuid);
	if (info)
		describe_running(o, info);
	else
		describe_halted(o, domain);
	json_set_int(o, XEND_D_STATUS, status_of(domain, info));
	json_set_int(o, XEND_D_START_TIME, domain->start_time);
	json_set_bool(o, XEND_D_MANAGED, domain->managed);
	json_set_bool(o, XEND_D_OURS, domain->ours);
	json_set_string(o, XEND_D_OPERATION, domain->operation);
	json_set_string(o, XEND_D_REASON, domain->reason);
	if (with_config)
		json_set(o, XEND_D_CONFIG,
			 domain->config ? config_to_json(domain->config) :
					  foreign_config(domain, info));
	screen = with_config && info ? screen_describe(domain) : NULL;
	if (screen)
		json_set(o, XEND_D_SCREEN, screen);
	return o;
}

char *cpumap_to_text(const struct hv_cpumap *map, unsigned int nr_cpus)
{
	struct str text = STR_INIT;
	unsigned int count = 0;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		unsigned int last = cpu;

		if (!hv_cpumap_test(map, cpu))
			continue;
		while (last + 1 < nr_cpus && hv_cpumap_test(map, last + 1))
			last++;
		str_printf(&text, "%s%u", text.len ? "," : "", cpu);
		if (last > cpu)
			str_printf(&text, "-%u", last);
		count += last - cpu + 1;
		cpu = last;
	}
	if (count == nr_cpus) {
		str_clear(&text);
		str_add(&text, "any cpu");
	}
	return str_steal(&text);
}
