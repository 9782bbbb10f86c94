/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/server/method_resources.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * mem-max changes the hypervisor's limit, the configuration and the record, or none of them. What
 * mem-set and sched-credit refuse, and of what they warn.
 */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/xend_config.h"
#include "xend/domain/balloon.h"
#include "xend/domain/describe.h"
#include "xend/domain/domain.h"
#include "xend/domain/acquire.h"
#include "protocol.h"
#include "xend/domain/record.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"
#include "unit.h"

#define MIB 1024 /* KiB */

struct domain_list domains = TAILQ_HEAD_INITIALIZER(domains);
struct hv *domain_hv;
static struct xend_config its_settings = { .dom0_min_mem = 256 };
struct xend_config *settings = &its_settings;

static struct domain domain = { .domid = 7, .name = (char *)"g" };
static uint64_t limit_kb, asked_kb, has_kb = 64 * MIB, target_kb;
static int64_t weight, cap;
static bool disk_full, refuses;

int domain_acquire(struct request *request, const char *operation, unsigned int needs,
		   struct domain **out, struct error **e)
{
	*out = &domain;
	return 0;
}

void domain_release(struct domain *its)
{
}

int64_t request_int(struct request *request, const char *name)
{
	return strcmp(name, XEND_P_WEIGHT) == 0 ? weight :
	       strcmp(name, XEND_P_CAP) == 0	? cap :
						  (int64_t)asked_kb;
}

int domain_info(const struct domain *its, struct hv_domain_info *info, struct error **e)
{
	*info = (struct hv_domain_info){ .domid = (uint32_t)its->domid,
					 .pages = has_kb / 4,
					 .max_pages = limit_kb / 4,
					 .max_vcpu_id = 1 };
	return 0;
}

int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e)
{
	assert_int_equal(domid, 7);
	if (refuses)
		return error_set(e, EPERM, "The hypervisor refuses.");
	limit_kb = kb;
	return 0;
}

int record_write(struct domain *its, struct error **e)
{
	return disk_full ? error_set(e, ENOSPC, "Cannot write the record.") : 0;
}

/* A host of 2 GiB. */
int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e)
{
	*info = (struct xen_sysctl_physinfo){ .total_pages = 2048 * MIB / 4 };
	return 0;
}

/* As Xenolith: 100 for each of its two vCPUs. */
int hv_sched_get(struct hv *hv, uint32_t domid, struct hv_credit *credit, struct error **e)
{
	*credit = (struct hv_credit){ .weight = 256 };
	return 0;
}

int hv_sched_set(struct hv *hv, uint32_t domid, const struct hv_credit *credit, struct error **e)
{
	return credit->cap > 200 ? error_set(e, EINVAL, "Cannot set weight and cap of domain 7.") :
				   0;
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	return otherwise;
}

int store_write(const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	target_kb = va_arg(ap, unsigned long long);
	va_end(ap);
	return 0;
}

/* --- what other methods of the file call --- */

#define NEVER(result, name, ...)                 \
	result name(__VA_ARGS__)                 \
	{                                        \
		fail_msg("%s is called", #name); \
		return (result)0;                \
	}

NEVER(int, affinity_parse, const char *text, struct hv_cpumap *map, struct error **e)
NEVER(char *, cpumap_to_text, const struct hv_cpumap *map, unsigned int cpus)
NEVER(int, domain_check, struct domain *its, unsigned int needs, struct error **e)
NEVER(int, hv_sched_id, struct hv *hv, uint32_t *id, struct error **e)
NEVER(int, hv_vcpu_info, struct hv *hv, uint32_t domid, unsigned int vcpu,
      struct hv_vcpu_info *info, struct error **e)
NEVER(int, hv_vcpu_get_affinity, struct hv *hv, uint32_t domid, unsigned int vcpu,
      struct hv_cpumap *hard, struct hv_cpumap *soft, struct error **e)
NEVER(int, hv_vcpu_set_affinity, struct hv *hv, uint32_t domid, unsigned int vcpu,
      struct hv_cpumap *hard, struct hv_cpumap *soft, struct error **e)
NEVER(const char *, scheduler_name, uint32_t id)
NEVER(int, request_domain, struct request *request, struct domain **its, struct error **e)
NEVER(const char *, request_string, struct request *request, const char *name)
NEVER(struct json_object *, request_value, struct request *request, const char *name)

int balloon_reserve(uint64_t kb, struct balloon_loan *loan, struct error **e)
{
	return 0;
}

void balloon_give_back(struct balloon_loan *loan)
{
}

void balloon_keep(struct balloon_loan *loan)
{
}

void balloon_forget_loans(void)
{
}

void balloon_release(void)
{
}

void domain_unref(struct domain *its)
{
}

void domains_refresh(void)
{
}

/* --- tests --- */

/* The sentence of the error, or else of the warning. */
static char said[400];

static int call(const char *method, uint64_t mib)
{
	struct json_object *result = json_new_object(), *warning;
	const struct method *row = methods_resources;
	struct error *e = NULL;
	int rc;

	while (strcmp(row->name, method) != 0)
		row++;
	asked_kb = mib * MIB;
	rc = row->run(NULL, result, &e);
	assert_int_equal(rc, -error_errno(e));
	warning = json_find(result, XEND_D_WARNING);
	snprintf(said, sizeof(said), "%s",
		 rc	 ? error_text(e) :
		 warning ? json_object_get_string(warning) :
			   "");
	error_free(&e);
	json_object_put(result);
	return rc;
}

static int set_max(uint64_t mib)
{
	return call(XEND_M_MEMORY_MAX, mib);
}

static void check(uint64_t mib)
{
	assert_int_equal(limit_kb, mib * MIB);
	assert_int_equal(config_maxmem(domain.config), mib);
}

static void test_all_or_nothing(void **state)
{
	struct json_object *o = json_new_object();

	json_set_string(o, "name", "g");
	json_set_string(o, "kernel", "/k");
	json_set_int(o, "memory", 128);
	json_set_int(o, "maxmem", 256);
	domain.config = config_from_json(o, NULL);
	json_object_put(o);
	limit_kb = 256 * MIB;
	check(256);

	assert_int_equal(set_max(CONFIG_MEMORY_MIN - 1), -EINVAL);
	assert_int_equal(set_max(CONFIG_MEMORY_MAX + 1), -EINVAL);
	check(256);
	disk_full = true;
	assert_int_equal(set_max(512), -ENOSPC);
	check(256);
	assert_int_equal(set_max(64), -ENOSPC);
	check(256);
	disk_full = false;
	refuses = true;
	assert_int_equal(set_max(512), -EPERM);
	check(256);
	refuses = false;
	assert_int_equal(set_max(512), 0);
	check(512);
	assert_int_equal(set_max(64), 0);
	check(64);
	config_free(domain.config);
}

static void test_domain_0_has_a_limit_too(void **state)
{
	domain = (struct domain){ .domid = 0, .name = (char *)"Domain-0" };
	limit_kb = (uint64_t)UINT32_MAX * 4;
	assert_int_equal(call(XEND_M_MEMORY_SET, 5000), -EINVAL);
	assert_non_null(strstr(said, "Domain 'Domain-0' can have 2048 MiB at most (the host's"));
	assert_non_null(strstr(said, "not 5000."));
	limit_kb = 1024 * MIB;
	assert_int_equal(call(XEND_M_MEMORY_SET, 1025), -EINVAL);
	assert_non_null(strstr(said, "can have 1024 MiB at most"));
	assert_int_equal(call(XEND_M_MEMORY_SET, 1024), 0);
	assert_int_equal(target_kb, 1024 * MIB);
	assert_string_equal(said, "");
}

static void test_too_little_for_a_linux_is_warned_of(void **state)
{
	domain = (struct domain){ .domid = 7, .name = (char *)"g" };
	limit_kb = has_kb = 192 * MIB;
	assert_int_equal(call(XEND_M_MEMORY_SET, 10), 0);
	assert_int_equal(target_kb, 10 * MIB);
	assert_string_equal(said, "Domain 'g' is asked to do with 10 MiB. If it is a Linux, it "
				  "needs about 54, and ends programs when it has less: `xm mem-set "
				  "g 192' gives it back what it had.");
	assert_int_equal(call(XEND_M_MEMORY_SET, 54), 0);
	assert_string_equal(said, "");
	/* It has as little already, so it can. */
	has_kb = 10 * MIB;
	assert_int_equal(call(XEND_M_MEMORY_SET, 12), 0);
	assert_string_equal(said, "");
}

static void test_a_cap_that_the_scheduler_refuses(void **state)
{
	domain = (struct domain){ .domid = 7, .name = (char *)"g" };
	weight = -1;
	cap = 500;
	assert_int_equal(call(XEND_M_SCHED_SET, 0), -EINVAL);
	assert_string_equal(said, "Domain 'g' cannot have the weight 256 and the cap 500: a weight "
				  "is 1 to 65535, and a cap at most 100 for each of its 2 vCPUs.");
	cap = 200;
	assert_int_equal(call(XEND_M_SCHED_SET, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_domain_0_has_a_limit_too),
		cmocka_unit_test(test_too_little_for_a_linux_is_warned_of),
		cmocka_unit_test(test_a_cap_that_the_scheduler_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
