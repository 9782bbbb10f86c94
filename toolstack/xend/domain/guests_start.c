/* SPDX-License-Identifier: MIT */
/* Starts one guest with the host. */
#include "xend/domain/guests.h"

#include <errno.h>
#include <time.h>

#include "config/config.h"
#include "lib/log.h"
#include "xend/domain/acquire.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/suspend.h"

/*
 * Milliseconds for a driver domain to come up, for one that nobody has started yet, and between two
 * tries.
 */
#define SERVER_BOOTS	180000
#define SERVER_UNKNOWN	10000
#define SERVER_INTERVAL 3000

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

/* It is not there, does not answer, has ended, or reports an error. */
static bool is_servers_fault(int rc)
{
	return rc == -ENODEV || rc == -ETIMEDOUT || rc == -ESRCH || rc == -EIO;
}

/*
 * Whether a domain that serves one of the guest's devices is on its way: it has just started, and
 * its kernel and its tools take their time; or the host's start has not come to it yet.
 */
static bool server_may_come(const struct guest *guest, uint64_t begun)
{
	const struct domain *server;
	const char *name;
	size_t at = 0;

	while ((name = guest_next_server(guest, &at))) {
		server = domain_by_name(name);
		if ((!server || server->domid < 0) && task_now() < begun + SERVER_UNKNOWN)
			return true;
		if (server && server->domid > 0 &&
		    time(NULL) - server->start_time < SERVER_BOOTS / 1000 &&
		    task_now() < begun + SERVER_BOOTS)
			return true;
	}
	return false;
}

int guest_start(struct guest *guest, struct error **e)
{
	struct config *config = guest->config ? config_copy(guest->config) : NULL;
	uint64_t begun = task_now();
	struct error *why = NULL;
	bool cancelled;
	int rc;

	for (;;) {
		rc = guest->path ? start_file(guest, &why) : start_known(guest, &why);
		if (!is_servers_fault(rc))
			break;
		/* It is under way again, and so it says what it needs. */
		guest->config = config ? config_copy(config) : NULL;
		if (!server_may_come(guest, begun))
			break;
		log_info("Guest %s is tried again: the domain that serves it may still come up.",
			 guest->name);
		error_free(&why);
		guest->rests = true;
		cancelled = task_sleep(SERVER_INTERVAL) != 0;
		guest->rests = false;
		if (cancelled) {
			rc = error_set(&why, ECANCELED, "It was cancelled.");
			break;
		}
	}
	/* If it is cancelled, whoever has the file is asked for it again. */
	config_free(guest->config);
	guest->config = NULL;
	config_free(config);
	error_move(e, &why);
	return rc;
}
