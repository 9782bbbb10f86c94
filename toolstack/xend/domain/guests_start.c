/* SPDX-License-Identifier: MIT */
/* Starts one guest with the host. */
#include "xend/domain/guests.h"

#include <errno.h>

#include "config/config.h"
#include "lib/log.h"
#include "xend/domain/acquire.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/suspend.h"

static int start_known(struct guest *guest, struct error **e)
{
	struct boot boot = { .image_fd = -1 };
	struct domain *domain = domain_by_uuid(guest->uuid);
	int rc;

	if (!domain)
		return 0;
	domain_ref(domain);
	rc = domain_lock(domain, guest->action == GUEST_RESUME ? "resume" : "start", e);
	if (rc) {
		domain_unref(domain);
		return rc;
	}
	/* Somebody may have been faster. */
	if (guests_plan_start(domain) != guest->action) {
		log_info("Domain %s needs no start with the host.", domain->name);
	} else if (guest->action == GUEST_RESUME) {
		rc = domain_resume(domain, false, NULL, e);
	} else {
		rc = domain_boot(domain, &boot, e);
		if (rc)
			domain_settle(domain);
	}
	domain_release(domain);
	return rc;
}

/* A domain that was left down does not count: domain_admit has it make room. */
static bool is_there(const char *name)
{
	const struct domain *domain = domain_by_name(name);

	return domain && !(domain->ours && !domain->managed && domain->state == DOMAIN_HALTED);
}

static int start_file(struct guest *guest, struct error **e)
{
	struct boot boot = { .image_fd = -1 };
	struct config *config = guest->config;
	struct domain *domain;
	int rc;

	guest->config = NULL;
	domains_refresh();
	if (is_there(config->name)) {
		log_info("%s: domain %s is there already.", guest->path, config->name);
		config_free(config);
		return 0;
	}
	rc = domain_admit(config, "create", &domain, e);
	if (rc)
		return rc;
	rc = domain_boot(domain, &boot, e);
	if (rc)
		domain_settle(domain);
	domain_release(domain);
	return rc;
}

int guest_start(struct guest *guest, struct error **e)
{
	return guest->path ? start_file(guest, e) : start_known(guest, e);
}
