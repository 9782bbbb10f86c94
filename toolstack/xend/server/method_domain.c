/* SPDX-License-Identifier: MIT */
/*
 * Methods for the life of domains: create, destroy, shut down, save, restore, dump, console.
 */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "lib/alloc.h"
#include "xend/domain/boot.h"
#include "xend/server/client.h"
#include "xend/console/console.h"
#include "xend/device/vif_twin.h"
#include "xend/domain/describe.h"
#include "xend/domain/domain.h"
#include "xend/domain/dump.h"
#include "xend/domain/foreign.h"
#include "xend/domain/acquire.h"
#include "protocol.h"
#include "xend/domain/record.h"
#include "xend/domain/rename.h"
#include "xend/domain/recover.h"
#include "xend/domain/save.h"
#include "xend/runtime/files.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"

/* Milliseconds between checks whether a client that waits for a domain is still connected. */
#define WAIT_INTERVAL 5000

static void name_result(const struct domain *domain, struct json_object *result)
{
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	if (domain->domid >= 0)
		json_set_int(result, XEND_D_ID, domain->domid);
	json_set_string(result, XEND_D_NAME, domain->name);
	json_set_string(result, XEND_D_UUID, uuid);
}

/* --- create and destroy --- */

static int boot_new(struct request *request, struct config *config, struct boot *boot,
		    const char *operation, struct json_object *result, struct error **e)
{
	struct domain *domain;
	/* Recovery may be about to forget a domain with this name or UUID. */
	int rc = recover_wait(request, e);

	if (rc) {
		config_free(config);
		return rc;
	}
	rc = domain_admit(config, operation, &domain, e);
	if (rc)
		return rc;
	boot->paused = request_bool(request, XEND_P_PAUSED);
	boot->console = request_bool(request, XEND_P_CONSOLE);
	boot->asker = request;
	rc = domain_boot(domain, boot, e);
	if (rc) {
		domain_settle(domain);
	} else {
		name_result(domain, result);
		vif_twin_warn(domain, result);
	}
	domain_release(domain);
	return rc;
}

static int create(struct request *request, struct json_object *result, struct error **e)
{
	struct config *config = config_from_json(request_value(request, XEND_P_CONFIG), e);
	struct boot boot = { .image_fd = -1 };

	if (!config)
		return -EBADMSG;
	if (request_bool(request, XEND_P_DRYRUN)) {
		config_generate(config);
		json_set(result, XEND_P_CONFIG, config_to_json(config));
		config_free(config);
		return 0;
	}
	return boot_new(request, config, &boot, "create", result, e);
}

static int restore(struct request *request, struct json_object *result, struct error **e)
{
	const char *path = request_string(request, XEND_P_PATH);
	struct saved saved;
	struct boot boot = { .size = &saved.size };
	int rc = save_open(path, &saved, e);

	if (rc)
		return rc;
	boot.image_fd = saved.fd;
	boot.resumes_afresh = saved.resumes_afresh;
	if (!saved.ours && !settings->restore_foreign_files && !request_bool(request, XEND_P_TRUST))
		rc = foreign_refuse(path, saved.config, e);
	if (rc == 0)
		rc = boot_new(request, saved.config, &boot, "restore", result, e);
	else
		config_free(saved.config);
	files_close(saved.fd);
	return rc;
}

/* destroy cancels a running create or save instead of waiting for it. */
static bool may_be_cancelled(const struct domain *domain)
{
	static const char *const operations[] = { "create",  "restore", "start",   "resume", "save",
						  "suspend", "reset",	"migrate", "arrive" };

	for (size_t i = 0; domain->operation && i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(domain->operation, operations[i]) == 0)
			return domain->task != NULL;
	return false;
}

static int destroy(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = request_domain(request, &domain, e);

	if (rc)
		return rc;
	rc = domain_check(domain, NEED_NOT_DOM0, e);
	if (rc == 0 && domain->state == DOMAIN_HANDED_OVER)
		rc = error_set(e, EBADFD,
			       "Domain '%s' is handed over to another host, which may have it by "
			       "now: `xm list' shows what becomes of it. Destroy it where it is.",
			       domain->name);
	if (rc == 0 && may_be_cancelled(domain))
		task_cancel(domain->task);
	if (rc == 0)
		rc = domain_lock(domain, "destroy", e);
	if (rc == -ESRCH) {
		/* The domain was being built, and the cancelled build has removed it. */
		error_free(e);
		domain_unref(domain);
		return 0;
	}
	if (rc) {
		domain_unref(domain);
		return rc;
	}
	if (domain->domid < 0) {
		rc = domain_check(domain, NEED_RUNS, e);
	} else {
		/*
		 * Also for a domain that somebody else has destroyed: something may be left of it.
		 */
		rc = domain_tear_down(domain, e);
		/* Why it did not start here, or waited, is of no use any more. */
		if (rc == 0 && domain->move)
			domain_set_reason(domain, NULL);
		domain_settle(domain);
	}
	domain_release(domain);
	return rc;
}

static int reset(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "reset", NEED_RUNS | NEED_OURS, &domain, e);

	if (rc)
		return rc;
	rc = domain_restart(domain, request, e);
	if (rc == 0)
		name_result(domain, result);
	domain_release(domain);
	return rc;
}

/* --- shutdown and reboot --- */

static int wait_for_end(struct request *request, struct domain *domain, int old_id, bool reboot,
			struct json_object *result, struct error **e)
{
	while (!domain->gone && (domain->domid == old_id ||
				 (reboot && domain->state != DOMAIN_HALTED &&
				  (domain->domid < 0 || domain->state != DOMAIN_RUNNING)))) {
		int rc = cond_wait(&domain->changed, task_deadline(WAIT_INTERVAL));

		if (rc == -ECANCELED)
			return error_set(e, ECANCELED, "Waiting for domain '%s' was cancelled.",
					 domain->name);
		if (!client_is_connected(request_client(request)))
			return 0;
		/* A domain of another toolstack may end without waking this task. */
		domains_refresh();
	}
	if (reboot && (domain->gone || domain->domid < 0))
		return error_set(e, EIO, "Domain '%s' did not come up again: %s", domain->name,
				 domain->reason ? domain->reason : "it is gone.");
	if (reboot)
		json_set_int(result, XEND_D_ID, domain->domid);
	else
		json_set_string(result, XEND_D_REASON,
				domain->reason ? domain->reason : "poweroff");
	return 0;
}

static int ask_to_end(struct request *request, const char *what, struct json_object *result,
		      struct error **e)
{
	bool reboot = strcmp(what, "reboot") == 0;
	struct domain *domain;
	char path[64];
	int id, rc = domain_acquire(request, what, NEED_RUNS | NEED_NOT_DOM0 | NEED_HEARS, &domain,
				    e);

	if (rc)
		return rc;
	id = domain->domid;
	domain->reboot_asked = reboot;
	if (domain->ours)
		record_write_anyway(domain);
	snprintf(path, sizeof(path), "/local/domain/%d/control/shutdown", id);
	rc = store_write(path, "%s", what);
	if (rc)
		error_set(e, rc, "Domain '%s' cannot be asked: %s: %s.", domain->name, path,
			  strerror(-rc));
	domain_unlock(domain);
	if (rc == 0 && request_bool(request, XEND_P_WAIT))
		rc = wait_for_end(request, domain, id, reboot, result, e);
	domain_unref(domain);
	return rc;
}

static int shutdown_domain(struct request *request, struct json_object *result, struct error **e)
{
	return ask_to_end(request, "poweroff", result, e);
}

static int reboot_domain(struct request *request, struct json_object *result, struct error **e)
{
	return ask_to_end(request, "reboot", result, e);
}

/* --- the rest --- */

static int pause_domain(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "pause", NEED_RUNS | NEED_NOT_DOM0, &domain, e);

	if (rc)
		return rc;
	rc = hv_domain_pause(domain_hv, (uint32_t)domain->domid, e);
	domain_release(domain);
	return rc;
}

static int unpause_domain(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "unpause", NEED_RUNS | NEED_NOT_DOM0, &domain, e);

	if (rc)
		return rc;
	rc = hv_domain_unpause(domain_hv, (uint32_t)domain->domid, e);
	domain_release(domain);
	return rc;
}

static int save(struct request *request, struct json_object *result, struct error **e)
{
	bool go_on = request_bool(request, XEND_P_CONTINUE);
	struct domain *domain;
	int rc = domain_acquire(request, "save", NEED_RUNS | NEED_OURS, &domain, e);

	if (rc)
		return rc;
	rc = domain_save(domain, request_string(request, XEND_P_PATH),
			 go_on ? SAVE_THEN_GO_ON : SAVE_THEN_STOP, request, e);
	if (rc == 0 && !go_on)
		domain_settle(domain);
	domain_release(domain);
	return rc;
}

static int rename_domain(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = domain_acquire(request, "rename", NEED_OURS, &domain, e);

	if (rc)
		return rc;
	rc = domain_rename(domain, request_string(request, XEND_P_NAME), e);
	domain_release(domain);
	return rc;
}

static int sysrq(struct request *request, struct json_object *result, struct error **e)
{
	const char *key = request_string(request, XEND_P_KEY);
	struct domain *domain;
	char path[64];
	int rc;

	if (strlen(key) != 1 || key[0] < ' ' || key[0] > '~')
		return error_set(e, EINVAL, "A sysrq is one character, not '%.20s'.", key);
	rc = domain_acquire(request, "sysrq", NEED_RUNS | NEED_NOT_DOM0 | NEED_HEARS, &domain, e);
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/local/domain/%d/control/sysrq", domain->domid);
	rc = store_write(path, "%s", key);
	if (rc)
		error_set(e, rc, "Domain '%s' cannot be sent a sysrq: %s: %s.", domain->name, path,
			  strerror(-rc));
	domain_release(domain);
	return rc;
}

static int trigger_number(const char *name, unsigned int *number, struct error **e)
{
	static const struct {
		const char *name;
		unsigned int number;
	} known[] = {
		{ "nmi", XEN_DOMCTL_SENDTRIGGER_NMI },
		{ "reset", XEN_DOMCTL_SENDTRIGGER_RESET },
		{ "init", XEN_DOMCTL_SENDTRIGGER_INIT },
		{ "power", XEN_DOMCTL_SENDTRIGGER_POWER },
		{ "sleep", XEN_DOMCTL_SENDTRIGGER_SLEEP },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) == 0) {
			*number = known[i].number;
			return 0;
		}
	}
	return error_set(e, strcmp(name, "s3resume") ? EINVAL : EOPNOTSUPP,
			 "The trigger '%.20s' is none of nmi, reset, init, power, sleep.", name);
}

static int trigger(struct request *request, struct json_object *result, struct error **e)
{
	const char *name = request_string(request, XEND_P_TRIGGER);
	int64_t vcpu = request_int(request, XEND_P_VCPU);
	struct domain *domain;
	unsigned int number = 0;
	int rc = trigger_number(name, &number, e);

	if (rc)
		return rc;
	/* A PV guest has no power button; ask it to power off its own way. */
	if (number == XEN_DOMCTL_SENDTRIGGER_POWER)
		return ask_to_end(request, "poweroff", result, e);
	rc = domain_acquire(request, "trigger", NEED_RUNS | NEED_NOT_DOM0, &domain, e);
	if (rc)
		return rc;
	rc = hv_domain_send_trigger(domain_hv, (uint32_t)domain->domid, number,
				    vcpu < 0 ? 0 : (unsigned int)vcpu, e);
	domain_release(domain);
	return rc;
}

static int dump(struct request *request, struct json_object *result, struct error **e)
{
	const char *given = request_string(request, XEND_P_PATH);
	struct domain *domain;
	char *path;
	int rc = domain_acquire(request, "dump-core", NEED_RUNS | NEED_OURS, &domain, e);

	if (rc)
		return rc;
	path = given ? xstrdup(given) : dump_default_path(domain);
	rc = dump_core(domain, path, !request_bool(request, XEND_P_LIVE), request, e);
	if (rc == 0)
		json_set_string(result, XEND_P_PATH, path);
	if (rc == 0 && request_bool(request, XEND_P_CRASH)) {
		rc = domain_tear_down(domain, e);
		domain_settle(domain);
	}
	free(path);
	domain_release(domain);
	return rc;
}

static int console(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = request_domain(request, &domain, e);

	if (rc)
		return rc;
	rc = console_can_open(domain, e);
	if (rc == 0) {
		json_set_int(result, XEND_D_ID, domain->domid);
		json_set_string(result, XEND_D_NAME, domain->name);
		request_answer_early(request, result);
		console_open(domain, request_client(request),
			     request_bool(request, XEND_P_SCROLLBACK));
	}
	domain_unref(domain);
	return rc;
}

#define DOMAIN                                    \
	{                                         \
		XEND_P_DOMAIN, PARAM_DOMAIN, true \
	}

const struct method methods_domain[] = {
	{ XEND_M_DOMAIN_CREATE,
	  create,
	  { { XEND_P_CONFIG, PARAM_OBJECT, true },
	    { XEND_P_PAUSED, PARAM_BOOL, false },
	    { XEND_P_CONSOLE, PARAM_BOOL, false },
	    { XEND_P_DRYRUN, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_DESTROY, destroy, { DOMAIN } },
	{ XEND_M_DOMAIN_SHUTDOWN, shutdown_domain, { DOMAIN, { XEND_P_WAIT, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_REBOOT, reboot_domain, { DOMAIN, { XEND_P_WAIT, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_RESET, reset, { DOMAIN } },
	{ XEND_M_DOMAIN_PAUSE, pause_domain, { DOMAIN } },
	{ XEND_M_DOMAIN_UNPAUSE, unpause_domain, { DOMAIN } },
	{ XEND_M_DOMAIN_SAVE,
	  save,
	  { DOMAIN, { XEND_P_PATH, PARAM_STRING, true }, { XEND_P_CONTINUE, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_RESTORE,
	  restore,
	  { { XEND_P_PATH, PARAM_STRING, true },
	    { XEND_P_PAUSED, PARAM_BOOL, false },
	    { XEND_P_TRUST, PARAM_BOOL, false } } },
	{ XEND_M_DOMAIN_RENAME, rename_domain, { DOMAIN, { XEND_P_NAME, PARAM_STRING, true } } },
	{ XEND_M_DOMAIN_SYSRQ, sysrq, { DOMAIN, { XEND_P_KEY, PARAM_STRING, true } } },
	{ XEND_M_DOMAIN_TRIGGER,
	  trigger,
	  { DOMAIN, { XEND_P_TRIGGER, PARAM_STRING, true }, { XEND_P_VCPU, PARAM_INT, false } } },
	{ XEND_M_DOMAIN_DUMP_CORE,
	  dump,
	  { DOMAIN,
	    { XEND_P_PATH, PARAM_STRING, false },
	    { XEND_P_LIVE, PARAM_BOOL, false },
	    { XEND_P_CRASH, PARAM_BOOL, false } } },
	{ XEND_M_CONSOLE_OPEN, console, { DOMAIN, { XEND_P_SCROLLBACK, PARAM_BOOL, false } } },
	{ NULL },
};
