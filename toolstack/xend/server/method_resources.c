/* SPDX-License-Identifier: MIT */
/* Methods for memory, vCPUs and the scheduler's shares. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/domain/balloon.h"
#include "xend/domain/describe.h"
#include "xend/domain/domain.h"
#include "xend/domain/acquire.h"
#include "xend/domain/affinity.h"
#include "protocol.h"
#include "xend/server/scheduler.h"
#include "xend/domain/record.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"

#define PAGE_KB 4
#define MIB_KB	1024
/* What a small Linux takes, without the tables for its memory. */
#define LINUX_KB (48 * MIB_KB)

/* --- memory --- */

static int set_target(struct domain *domain, uint64_t kb, struct error **e)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%d/memory/target", domain->domid);
	rc = store_write(path, "%llu", (unsigned long long)kb);
	return rc ? error_set(e, rc, "Cannot write %s: %s.", path, strerror(-rc)) : 0;
}

/* Domain-0's limit is the hypervisor's or, if it has none, the host's memory. */
static int dom0_most(const struct hv_domain_info *info, uint64_t *most, struct error **e)
{
	struct xen_sysctl_physinfo host;
	int rc = hv_host_physinfo(domain_hv, &host, e);

	if (rc)
		return rc;
	*most = host.total_pages * PAGE_KB;
	if (info->max_pages && info->max_pages * PAGE_KB < *most)
		*most = info->max_pages * PAGE_KB;
	return 0;
}

static int check_most(const struct domain *domain, const struct hv_domain_info *info, uint64_t kb,
		      struct error **e)
{
	uint64_t most = store_read_number(UINT64_MAX / 2, UINT64_MAX / 2,
					  "/local/domain/%d/memory/static-max", domain->domid);
	int rc = domain->domid ? 0 : dom0_most(info, &most, e);

	/*
	 * memory.max changes the record, but not static-max, which the guest was told at its start.
	 */
	if (domain->config && config_maxmem(domain->config) * 1024 < most)
		most = config_maxmem(domain->config) * 1024;
	if (rc || kb <= most)
		return rc;
	return error_set(e, EINVAL, "Domain '%s' can have %llu MiB at most (%s), not %llu.",
			 domain->name, (unsigned long long)most / 1024,
			 domain->domid ?
				 "its maxmem" :
				 "the host's memory, or max: of dom0_mem on the hypervisor's "
				 "command line",
			 (unsigned long long)kb / 1024);
}

/*
 * A warning, because a small system of another kind may do with less: Linux keeps the tables for
 * the most memory that it may get, besides itself.
 */
static void warn_of_too_little(const struct domain *domain, const struct hv_domain_info *info,
			       uint64_t kb, struct json_object *result)
{
	uint64_t least = LINUX_KB + info->max_pages * PAGE_KB / 32;

	if (!domain->domid || kb >= least || kb >= info->pages * PAGE_KB)
		return;
	json_set_printf(
		result, XEND_D_WARNING,
		"Domain '%s' is asked to do with %llu MiB. If it is a Linux, it needs about "
		"%llu, and ends programs when it has less: `xm mem-set %s %llu' gives it "
		"back what it had.",
		domain->name, (unsigned long long)kb / 1024, (unsigned long long)least / 1024,
		domain->name, (unsigned long long)info->pages * PAGE_KB / 1024);
}

static int memory_set_locked(struct domain *domain, uint64_t kb, struct json_object *result,
			     struct error **e)
{
	struct balloon_loan loan = { 0 };
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	if (rc == 0)
		rc = check_most(domain, &info, kb, e);
	if (rc)
		return rc;
	if (kb < CONFIG_MEMORY_MIN * MIB_KB ||
	    (domain->domid == 0 && kb < settings->dom0_min_mem * 1024))
		return error_set(e, EINVAL, "%llu MiB is too little for domain '%s'%s.",
				 (unsigned long long)kb / 1024, domain->name,
				 domain->domid ? "" : " (dom0-min-mem says more)");
	warn_of_too_little(domain, &info, kb, result);
	/*
	 * Make sure that the memory is there, else other domains find none. Nobody gives memory to
	 * Domain-0.
	 */
	if (domain->domid && kb > info.pages * PAGE_KB) {
		rc = balloon_reserve(kb - info.pages * PAGE_KB, &loan, e);
		if (rc)
			return rc;
		balloon_release();
		rc = domain_info(domain, &info, e);
	}
	if (rc == 0 && domain->domid)
		rc = hv_domain_set_max_mem(domain_hv, (uint32_t)domain->domid,
					   kb + DOMAIN_SIZE_SLACK_KB, e);
	if (rc == 0)
		rc = set_target(domain, kb, e);
	if (rc)
		balloon_give_back(&loan);
	else if (domain->domid)
		balloon_keep(&loan);
	else
		balloon_forget_loans();
	return rc;
}

static int memory_set(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "mem-set", NEED_RUNS | NEED_HEARS, &domain, e);

	if (rc)
		return rc;
	rc = memory_set_locked(domain, (uint64_t)request_int(request, XEND_P_KB), result, e);
	domain_release(domain);
	return rc;
}

/* Keeps the new maximum in the configuration for the next start. A failure changes nothing. */
static int keep_maxmem(struct domain *domain, uint64_t kb, struct error **e)
{
	struct config *config, *before = domain->config;
	uint64_t mib = kb / MIB_KB;
	int rc;

	if (!before)
		return 0;
	config = config_copy(before);
	rc = config_set_mib(config, "maxmem", mib, e);
	if (rc == 0 && config->memory > mib)
		rc = config_set_mib(config, "memory", mib, e);
	if (rc == 0) {
		domain->config = config;
		rc = record_write(domain, e);
	}
	if (rc)
		domain->config = before;
	config_free(rc ? config : before);
	return rc;
}

static int memory_max(struct request *request, struct json_object *result, struct error **e)
{
	uint64_t kb = (uint64_t)request_int(request, XEND_P_KB);
	struct hv_domain_info info = { .max_pages = 0 };
	struct domain *domain;
	int rc = domain_acquire(request, "mem-max", NEED_NOT_DOM0, &domain, e);

	if (rc)
		return rc;
	if (kb < CONFIG_MEMORY_MIN * MIB_KB || kb > CONFIG_MEMORY_MAX * MIB_KB)
		rc = error_set(e, EINVAL,
			       "Domain '%s' can have a maximum of %d to %lld MiB, not %llu.",
			       domain->name, CONFIG_MEMORY_MIN, CONFIG_MEMORY_MAX,
			       (unsigned long long)kb / 1024);
	if (rc == 0 && domain->domid >= 0)
		rc = domain_info(domain, &info, e);
	if (rc == 0 && domain->domid >= 0)
		rc = hv_domain_set_max_mem(domain_hv, (uint32_t)domain->domid, kb, e);
	if (rc == 0) {
		rc = keep_maxmem(domain, kb, e);
		if (rc && domain->domid >= 0)
			hv_domain_set_max_mem(domain_hv, (uint32_t)domain->domid,
					      info.max_pages * PAGE_KB, NULL);
	}
	domain_release(domain);
	return rc;
}

/* --- vCPUs --- */

static int nr_cpus(unsigned int *count, struct error **e)
{
	struct xen_sysctl_physinfo info;
	int rc = hv_host_physinfo(domain_hv, &info, e);

	*count = rc ? 0 : info.max_cpu_id + 1;
	return rc;
}

static void describe_vcpu(struct json_object *array, uint32_t domid, unsigned int vcpu,
			  unsigned int cpus)
{
	struct json_object *o;
	struct hv_vcpu_info info;
	struct hv_cpumap map;
	char *text;

	/* A domain that dies meanwhile has fewer rows. */
	if (hv_vcpu_info(domain_hv, domid, vcpu, &info, NULL) ||
	    hv_vcpu_get_affinity(domain_hv, domid, vcpu, &map, NULL, NULL))
		return;
	o = json_new_object();
	text = cpumap_to_text(&map, cpus);
	json_set_int(o, XEND_V_VCPU, vcpu);
	json_set_int(o, XEND_V_CPU, info.online ? (int64_t)info.cpu : -1);
	json_set_string(o, XEND_V_STATE,
			!info.online ? "--p" :
			info.running ? "r--" :
			info.blocked ? "-b-" :
				       "---");
	json_set_int(o, XEND_V_CPU_NS, (int64_t)info.cpu_time_ns);
	json_set_string(o, XEND_V_AFFINITY, text);
	free(text);
	json_append(array, o);
}

static struct json_object *name_and_id(const struct domain *domain)
{
	struct json_object *o = json_new_object();

	json_set_string(o, XEND_D_NAME, domain->name);
	json_set_int(o, XEND_D_ID, domain->domid);
	return o;
}

static void vcpus_of(struct json_object *array, struct domain *domain, unsigned int cpus)
{
	struct json_object *o, *vcpus;
	struct hv_domain_info info;

	if (domain->domid < 0 || domain_info(domain, &info, NULL))
		return;
	o = name_and_id(domain);
	vcpus = json_new_array();
	if (info.max_vcpu_id != XEN_INVALID_MAX_VCPU_ID)
		for (unsigned int i = 0; i <= info.max_vcpu_id; i++)
			describe_vcpu(vcpus, info.domid, i, cpus);
	json_set(o, "vcpus", vcpus);
	json_append(array, o);
}

/* Calls one(array, domain, arg) for the requested domain, or for each running one. */
static int for_domains(struct request *request, struct json_object *array,
		       void (*one)(struct json_object *array, struct domain *domain,
				   unsigned int arg),
		       unsigned int arg, struct error **e)
{
	struct domain *domain;
	int rc;

	if (!request_value(request, XEND_P_DOMAIN)) {
		domains_refresh();
		for (int id = 0, found; id >= 0; id = found) {
			/* In the order of ids; the list has the order of creation. */
			found = -1;
			TAILQ_FOREACH(domain, &domains, link) {
				if (domain->domid == id)
					one(array, domain, arg);
				if (domain->domid > id && (found < 0 || domain->domid < found))
					found = domain->domid;
			}
		}
		return 0;
	}
	rc = request_domain(request, &domain, e);
	if (rc)
		return rc;
	rc = domain_check(domain, NEED_RUNS, e);
	if (rc == 0)
		one(array, domain, arg);
	domain_unref(domain);
	return rc;
}

static int vcpu_list(struct request *request, struct json_object *result, struct error **e)
{
	struct json_object *array = json_new_array();
	unsigned int cpus;
	int rc;

	json_set(result, "domains", array);
	rc = nr_cpus(&cpus, e);
	if (rc)
		return rc;
	json_set_int(result, "nr_cpus", cpus);
	return for_domains(request, array, vcpus_of, cpus, e);
}

static int vcpu_set(struct request *request, struct json_object *result, struct error **e)
{
	int64_t count = request_int(request, XEND_P_COUNT);
	struct hv_domain_info info;
	struct domain *domain;
	int rc = domain_acquire(request, "vcpu-set", NEED_RUNS | NEED_HEARS, &domain, e);

	if (rc)
		return rc;
	rc = domain_info(domain, &info, e);
	if (rc == 0 && (count < 1 || count > (int64_t)info.max_vcpu_id + 1))
		rc = error_set(e, EINVAL, "Domain '%s' can have 1 to %u vCPUs, not %lld.",
			       domain->name, info.max_vcpu_id + 1, (long long)count);
	for (unsigned int i = 0; rc == 0 && i <= info.max_vcpu_id; i++) {
		char path[80];

		snprintf(path, sizeof(path), "/local/domain/%d/cpu/%u/availability", domain->domid,
			 i);
		rc = store_write(path, i < count ? "online" : "offline");
		if (rc)
			error_set(e, rc, "Cannot write %s: %s.", path, strerror(-rc));
	}
	domain_release(domain);
	return rc;
}

static int pin_one(struct domain *domain, unsigned int vcpu, const struct hv_cpumap *wanted,
		   struct error **e)
{
	struct hv_cpumap map = *wanted;

	return hv_vcpu_set_affinity(domain_hv, (uint32_t)domain->domid, vcpu, &map, NULL, e);
}

static int vcpu_pin_locked(struct domain *domain, const char *which, const char *text,
			   struct error **e)
{
	struct hv_domain_info info;
	struct hv_cpumap map;
	uint64_t vcpu;
	int rc = domain_info(domain, &info, e);

	if (rc == 0)
		rc = affinity_parse(text, &map, e);
	if (rc)
		return rc;
	if (strcmp(which, "all") == 0) {
		for (unsigned int i = 0; rc == 0 && i <= info.max_vcpu_id; i++)
			rc = pin_one(domain, i, &map, e);
		return rc;
	}
	if (!str_to_u64(which, 10, 0, info.max_vcpu_id, &vcpu))
		return error_set(e, EINVAL, "Domain '%s' has no vCPU '%.20s'; it has 0 to %u.",
				 domain->name, which, info.max_vcpu_id);
	return pin_one(domain, (unsigned int)vcpu, &map, e);
}

static int vcpu_pin(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "vcpu-pin", NEED_RUNS, &domain, e);

	if (rc)
		return rc;
	rc = vcpu_pin_locked(domain, request_string(request, XEND_P_VCPU),
			     request_string(request, XEND_P_CPUS), e);
	domain_release(domain);
	return rc;
}

/* --- the scheduler --- */

static void share_of(struct json_object *array, struct domain *domain, unsigned int arg)
{
	struct hv_credit credit;
	struct json_object *o;

	if (domain->domid < 0 || hv_sched_get(domain_hv, (uint32_t)domain->domid, &credit, NULL))
		return;
	o = name_and_id(domain);
	json_set_int(o, XEND_P_WEIGHT, credit.weight);
	json_set_int(o, XEND_P_CAP, credit.cap);
	json_append(array, o);
}

static int sched_get(struct request *request, struct json_object *result, struct error **e)
{
	struct json_object *array = json_new_array();
	uint32_t id;
	int rc;

	json_set(result, "domains", array);
	rc = hv_sched_id(domain_hv, &id, e);
	if (rc)
		return rc;
	json_set_string(result, "scheduler", scheduler_name(id));
	return for_domains(request, array, share_of, 0, e);
}

/* Whether a configuration may have the value, too. */
static bool fits(const char *name, int64_t value, const struct config_key **key)
{
	*key = schema_find(&config_domain_schema, name);
	return value >= (int64_t)(*key)->min && value <= (int64_t)(*key)->max;
}

static unsigned int vcpus_of_domain(const struct domain *domain)
{
	struct hv_domain_info info;

	return domain_info(domain, &info, NULL) ? 0 : info.max_vcpu_id + 1;
}

static int sched_set(struct request *request, struct json_object *result, struct error **e)
{
	int64_t weight = request_int(request, XEND_P_WEIGHT),
		cap = request_int(request, XEND_P_CAP);
	const struct config_key *key;
	struct hv_credit credit;
	struct error *why = NULL;
	struct domain *domain;
	int rc;

	if (weight != -1 && !fits("cpu_weight", weight, &key))
		return error_set(e, EINVAL, "A weight is %llu to %llu, not %lld.",
				 (unsigned long long)key->min, (unsigned long long)key->max,
				 (long long)weight);
	if (cap != -1 && !fits("cpu_cap", cap, &key))
		return error_set(e, EINVAL,
				 "A cap is 0 for none, or at most %llu per cent of one CPU, not "
				 "%lld.",
				 (unsigned long long)key->max, (long long)cap);
	rc = domain_acquire(request, "sched-credit", NEED_RUNS, &domain, e);
	if (rc)
		return rc;
	rc = hv_sched_get(domain_hv, (uint32_t)domain->domid, &credit, e);
	if (rc == 0) {
		credit.weight = weight != -1 ? (unsigned int)weight : credit.weight;
		credit.cap = cap != -1 ? (unsigned int)cap : credit.cap;
		rc = hv_sched_set(domain_hv, (uint32_t)domain->domid, &credit, &why);
		if (rc == -EINVAL)
			error_set(
				e, EINVAL,
				"Domain '%s' cannot have the weight %u and the cap %u%s: a weight "
				"is 1 to 65535, and a cap at most 100 for each of its %u vCPUs.",
				domain->name, credit.weight, credit.cap,
				credit.cap ? "" : " (none)", vcpus_of_domain(domain));
		else
			error_move(e, &why);
		error_free(&why);
	}
	domain_release(domain);
	return rc;
}

#define DOMAIN                                    \
	{                                         \
		XEND_P_DOMAIN, PARAM_DOMAIN, true \
	}
#define ANY_DOMAIN                                 \
	{                                          \
		XEND_P_DOMAIN, PARAM_DOMAIN, false \
	}

const struct method methods_resources[] = {
	{ XEND_M_MEMORY_SET, memory_set, { DOMAIN, { XEND_P_KB, PARAM_INT, true } } },
	{ XEND_M_MEMORY_MAX, memory_max, { DOMAIN, { XEND_P_KB, PARAM_INT, true } } },
	{ XEND_M_VCPU_LIST, vcpu_list, { ANY_DOMAIN } },
	{ XEND_M_VCPU_SET, vcpu_set, { DOMAIN, { XEND_P_COUNT, PARAM_INT, true } } },
	{ XEND_M_VCPU_PIN,
	  vcpu_pin,
	  { DOMAIN,
	    { XEND_P_VCPU, PARAM_INT_OR_STRING, true },
	    { XEND_P_CPUS, PARAM_STRING, true } } },
	{ XEND_M_SCHED_GET, sched_get, { ANY_DOMAIN } },
	{ XEND_M_SCHED_SET,
	  sched_set,
	  { DOMAIN, { XEND_P_WEIGHT, PARAM_INT, false }, { XEND_P_CAP, PARAM_INT, false } } },
	{ NULL },
};
