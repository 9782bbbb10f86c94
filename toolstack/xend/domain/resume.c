/* SPDX-License-Identifier: MIT */
/*
 * The order: record (saving), old devices go, the worker renews vCPUs and ports, xenstored and the
 * console take the new ports, new devices, record, the domain runs.
 */
#include "xend/domain/resume.h"

#include <errno.h>
#include <stdint.h>

#include "lib/json.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/record.h"
#include "xend/domain/screen.h"
#include "xend/domain/worker.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

static int renew(struct domain *domain, struct error **e)
{
	struct json_object *order = json_new_object(), *result = NULL;
	int64_t store_port = 0, console_port = 0;
	int rc;

	json_set_string(order, "op", "resume");
	worker_name_domain(order, domain);
	json_set_int(order, "store_mfn", (int64_t)domain->store_mfn);
	json_set_int(order, "console_mfn", (int64_t)domain->console_mfn);
	rc = worker_run(order, -1, NULL, &result, e);
	if (rc == 0)
		rc = json_get_int(result, "store_port", 0, UINT32_MAX, &store_port, e);
	if (rc == 0)
		rc = json_get_int(result, "console_port", 0, UINT32_MAX, &console_port, e);
	json_object_put(result);
	json_object_put(order);
	if (rc)
		return rc;
	domain->store_port = (uint32_t)store_port;
	domain->console_port = (uint32_t)console_port;
	return 0;
}

/* The number is the domain's, until this waits. */
static int connect_services(struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	if (rc == 0)
		rc = layout_write_channels(domain, e);
	if (rc == 0)
		rc = store_introduce((unsigned int)domain->domid, domain->store_mfn,
				     domain->store_port, e);
	return rc == 0 ? console_rebind(domain, e) : rc;
}

static int renew_devices(struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	int rc = boot_put_devices(domain, store_begin(), e);

	if (rc == 0)
		rc = devices_complete(domain, e);
	if (rc == 0)
		rc = domain_info(domain, &info, e);
	return rc == 0 ? screen_start(domain, NULL, e) : rc;
}

static int run(struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	int rc = record_write(domain, e);

	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc)
		return rc;
	store_resume((unsigned int)domain->domid);
	return hv_domain_resume(domain_hv, (uint32_t)domain->domid, e);
}

static int take_steps(struct domain *domain, struct error **e)
{
	int rc = record_write(domain, e);

	if (rc)
		return rc;
	/* A disk that its driver still holds is refused below: nobody may write it twice. */
	devices_stop(domain);
	devices_forget(domain);
	rc = devices_from_config(domain, e);
	if (rc == 0)
		rc = renew(domain, e);
	if (rc == 0)
		rc = connect_services(domain, e);
	if (rc == 0)
		rc = renew_devices(domain, e);
	return rc == 0 ? run(domain, e) : rc;
}

int resume_afresh(struct domain *domain, struct error **e)
{
	enum domain_state state = domain->state;
	bool before = task_shield(true);
	int rc;

	/* A xend that finds "saving" lets it go on, whatever has become of its devices. */
	domain_set_state(domain, DOMAIN_SAVING);
	rc = take_steps(domain, e);
	domain_set_state(domain, state);
	task_shield(before);
	if (rc)
		error_prefix(e,
			     "Domain '%s' stays suspended, because it cannot go on as if restored "
			     "(its kernel knows no other way): ",
			     domain->name);
	else
		log_info("Domain %s goes on as if it had been restored.", domain->name);
	return rc;
}
