/* SPDX-License-Identifier: MIT */
/* Methods for managed domains, which xend keeps when they do not run. */
#include "xend/runtime/request.h"

#include <errno.h>

#include "config/config.h"
#include "xend/device/vif_twin.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/acquire.h"
#include "protocol.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/domain/suspend.h"

static void name_result(const struct domain *domain, struct json_object *result)
{
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	if (domain->domid >= 0)
		json_set_int(result, XEND_D_ID, domain->domid);
	json_set_string(result, XEND_D_NAME, domain->name);
	json_set_string(result, XEND_D_UUID, uuid);
}

static int define(struct request *request, struct json_object *result, struct error **e)
{
	struct config *config = config_from_json(request_value(request, XEND_P_CONFIG), e);
	struct domain *domain;
	int rc;

	if (!config)
		return -EBADMSG;
	rc = recover_wait(request, e);
	if (rc) {
		config_free(config);
		return rc;
	}
	rc = domain_admit(config, "new", &domain, e);
	if (rc)
		return rc;
	domain->managed = true;
	domain->state = DOMAIN_HALTED;
	rc = record_write(domain, e);
	if (rc == 0)
		name_result(domain, result);
	if (rc) {
		/* The record may be in place all the same. */
		record_remove_anyway(domain);
		domain_remove(domain);
	}
	domain_release(domain);
	return rc;
}

static int start(struct request *request, struct json_object *result, struct error **e)
{
	struct boot boot = { .paused = request_bool(request, XEND_P_PAUSED),
			     .console = request_bool(request, XEND_P_CONSOLE),
			     .image_fd = -1,
			     .asker = request };
	struct domain *domain;
	int rc = domain_acquire(request, "start", NEED_OURS | NEED_HALTED, &domain, e);

	if (rc)
		return rc;
	rc = domain_boot(domain, &boot, e);
	if (rc) {
		domain_settle(domain);
	} else {
		name_result(domain, result);
		vif_twin_warn(domain, result);
	}
	domain_release(domain);
	return rc;
}

static int suspend(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "suspend", NEED_RUNS | NEED_OURS | NEED_MANAGED, &domain,
				e);

	if (rc)
		return rc;
	rc = domain_suspend(domain, false, request, e);
	domain_release(domain);
	return rc;
}

static int resume(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "resume", NEED_OURS, &domain, e);

	if (rc)
		return rc;
	rc = domain_resume(domain, request_bool(request, XEND_P_PAUSED), request, e);
	if (rc == 0)
		name_result(domain, result);
	domain_release(domain);
	return rc;
}

static int delete (struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "delete", NEED_OURS, &domain, e);

	if (rc)
		return rc;
	if (domain->domid >= 0) {
		rc = error_set(e, EBADFD,
			       "Domain '%s' is running; it can be deleted when it is halted.",
			       domain->name);
	} else if (domain->state == DOMAIN_SUSPENDED && !request_bool(request, XEND_P_FORCE)) {
		rc = error_set(e, EBADFD,
			       "Domain '%s' is suspended, and its saved memory would be lost. `xm "
			       "resume %s' goes on with it, `xm delete --force %s' deletes it.",
			       domain->name, domain->name, domain->name);
	} else {
		rc = record_remove(domain, e);
		if (rc == 0)
			domain_remove(domain);
	}
	domain_release(domain);
	return rc;
}

#define DOMAIN                                    \
	{                                         \
		XEND_P_DOMAIN, PARAM_DOMAIN, true \
	}

const struct method methods_managed[] = {
	{ XEND_M_DOMAIN_NEW, define, { { XEND_P_CONFIG, PARAM_OBJECT, true } } },
	{ XEND_M_DOMAIN_START,
	  start,
	  { DOMAIN, { XEND_P_PAUSED, PARAM_BOOL, false }, { XEND_P_CONSOLE, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_SUSPEND, suspend, { DOMAIN } },
	{ XEND_M_DOMAIN_RESUME, resume, { DOMAIN, { XEND_P_PAUSED, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_DELETE, delete, { DOMAIN, { XEND_P_FORCE, PARAM_BOOL, false } } },
	{ NULL },
};
