/* SPDX-License-Identifier: MIT */
/* Turns a domain and the hypervisor's facts about it into JSON. */
#include "xend/domain/describe.h"

#include <string.h>

#include <xen/sched.h>

#include "config/config.h"
#include "lib/str.h"
#include "xend/domain/domain.h"
#include "xend/domain/screen.h"
#include "xend/domain/state_letters.h"
#include "protocol.h"

#define PAGE_KB 4

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

/* --- the fields: each gives the value of a domain, which runs if info is not NULL; NULL: none ---
 */

static struct json_object *field_id(const struct domain *domain, const struct hv_domain_info *info)
{
	return json_new_int(info ? domain->domid : -1);
}

static struct json_object *field_name(const struct domain *domain,
				      const struct hv_domain_info *info)
{
	(void)info;
	return json_new_string(domain->name);
}

static struct json_object *field_uuid(const struct domain *domain,
				      const struct hv_domain_info *info)
{
	char uuid[UUID_TEXT];

	(void)info;
	uuid_to_text(domain->uuid, uuid);
	return json_new_string(uuid);
}

static struct json_object *field_memory(const struct domain *domain,
					const struct hv_domain_info *info)
{
	const struct config *config = domain->config;

	if (info)
		return json_new_int((int64_t)(info->pages * PAGE_KB));
	return json_new_int(config ? (int64_t)config->memory * 1024 : 0);
}

static struct json_object *field_maxmem(const struct domain *domain,
					const struct hv_domain_info *info)
{
	const struct config *config = domain->config;

	if (!info)
		return json_new_int(config ? (int64_t)config_maxmem(config) * 1024 : 0);
	/* Domain-0 and some others have no limit; for them, show what they have. */
	return json_new_int(
		(int64_t)((info->max_pages > UINT32_MAX / 2 ? info->pages : info->max_pages) *
			  PAGE_KB));
}

static struct json_object *field_claimed(const struct domain *domain,
					 const struct hv_domain_info *info)
{
	(void)domain;
	return json_new_int(info ? (int64_t)(info->outstanding_pages * PAGE_KB) : 0);
}

static struct json_object *field_vcpus(const struct domain *domain,
				       const struct hv_domain_info *info)
{
	const struct config *config = domain->config;

	return json_new_int(info ? info->online_vcpus : config ? (int64_t)config->vcpus : 0);
}

static struct json_object *field_max_vcpus(const struct domain *domain,
					   const struct hv_domain_info *info)
{
	const struct config *config = domain->config;

	if (info)
		return json_new_int(
			info->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : info->max_vcpu_id + 1);
	return json_new_int(config ? (int64_t)config_maxvcpus(config) : 0);
}

static struct json_object *field_state(const struct domain *domain,
				       const struct hv_domain_info *info)
{
	char letters[7] = "------";

	(void)domain;
	if (info)
		domain_state_letters(info, letters);
	return json_new_string(letters);
}

static struct json_object *field_cpu_ns(const struct domain *domain,
					const struct hv_domain_info *info)
{
	(void)domain;
	return json_new_int(info ? (int64_t)info->cpu_time_ns : 0);
}

static struct json_object *field_status(const struct domain *domain,
					const struct hv_domain_info *info)
{
	return json_new_int(status_of(domain, info));
}

static struct json_object *field_start_time(const struct domain *domain,
					    const struct hv_domain_info *info)
{
	(void)info;
	return json_new_int(domain->start_time);
}

static struct json_object *field_managed(const struct domain *domain,
					 const struct hv_domain_info *info)
{
	(void)info;
	return json_new_bool(domain->managed);
}

static struct json_object *field_ours(const struct domain *domain,
				      const struct hv_domain_info *info)
{
	(void)info;
	return json_new_bool(domain->ours);
}

static struct json_object *field_operation(const struct domain *domain,
					   const struct hv_domain_info *info)
{
	(void)info;
	return domain->operation ? json_new_string(domain->operation) : NULL;
}

static struct json_object *field_reason(const struct domain *domain,
					const struct hv_domain_info *info)
{
	(void)info;
	return domain->reason ? json_new_string(domain->reason) : NULL;
}

static struct json_object *field_between(const struct domain *domain,
					 const struct hv_domain_info *info)
{
	return domain->move && domain->state != DOMAIN_RUNNING ? field_reason(domain, info) : NULL;
}

static struct json_object *field_config(const struct domain *domain,
					const struct hv_domain_info *info)
{
	return domain->config ? config_to_json(domain->config) : foreign_config(domain, info);
}

/* Where its screen is to be seen. */
static struct json_object *field_screen(const struct domain *domain,
					const struct hv_domain_info *info)
{
	return info ? screen_describe(domain) : NULL;
}

static const struct domain_field fields[] = {
	{ XEND_D_ID, field_id },
	{ XEND_D_NAME, field_name },
	{ XEND_D_UUID, field_uuid },
	{ XEND_D_MEMORY_KB, field_memory },
	{ XEND_D_MAXMEM_KB, field_maxmem },
	{ XEND_D_CLAIMED_KB, field_claimed },
	{ XEND_D_VCPUS, field_vcpus },
	{ XEND_D_MAX_VCPUS, field_max_vcpus },
	{ XEND_D_STATE, field_state },
	{ XEND_D_CPU_NS, field_cpu_ns },
	{ XEND_D_STATUS, field_status },
	{ XEND_D_START_TIME, field_start_time },
	{ XEND_D_MANAGED, field_managed },
	{ XEND_D_OURS, field_ours },
	{ XEND_D_OPERATION, field_operation },
	{ XEND_D_REASON, field_reason },
	{ XEND_D_BETWEEN, field_between },
	/* From here on: in an object only on request. */
	{ XEND_D_CONFIG, field_config },
	{ XEND_D_SCREEN, field_screen },
};

enum { NR_FIELDS = sizeof(fields) / sizeof(fields[0]), NR_ON_REQUEST = 2 };

struct json_object *domain_describe(const struct domain *domain, const struct hv_domain_info *info,
				    bool with_config)
{
	struct json_object *o = json_new_object();

	for (size_t i = 0; i < NR_FIELDS - (with_config ? 0 : NR_ON_REQUEST); i++) {
		struct json_object *value = fields[i].value(domain, info);

		if (value)
			json_set(o, fields[i].name, value);
	}
	return o;
}

const struct domain_field *domain_field_find(const char *name)
{
	for (size_t i = 0; i < NR_FIELDS; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	}
	return NULL;
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
