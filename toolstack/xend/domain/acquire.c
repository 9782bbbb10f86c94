/* SPDX-License-Identifier: MIT */
/*
 * The checks before an operation, and the only place where requests and autostart add new domains.
 */
#include "xend/domain/acquire.h"

#include <errno.h>
#include <stdbool.h>

#include "config/config.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/move.h"
#include "xend/domain/record.h"
#include "xend/runtime/request.h"

/* Between two hosts, one of which must say whose it is. */
static bool is_between(const struct domain *domain)
{
	return domain->state == DOMAIN_HANDED_OVER || domain->state == DOMAIN_COMPLETE ||
	       domain->state == DOMAIN_ARRIVED;
}

int domain_check(struct domain *domain, unsigned int needs, struct error **e)
{
	struct hv_domain_info info;

	if ((needs & NEED_NOT_DOM0) && domain->domid == 0)
		return error_set(e, EOPNOTSUPP, "That is not possible for Domain-0.");
	if ((needs & NEED_RUNS) && domain->domid < 0)
		return error_set(e, ENOTCONN, "Domain '%s' is not running.", domain->name);
	if ((needs & NEED_RUNS) && is_between(domain))
		return error_set(e, EBADFD,
				 "Domain '%s' is on its way %s another host, %s, and belongs to "
				 "neither of the two for certain: `xm list --json' shows what "
				 "becomes of it.",
				 domain->name, domain->state == DOMAIN_HANDED_OVER ? "to" : "from",
				 domain->move->host);
	if ((needs & NEED_OURS) && !domain->ours)
		return error_set(e, EOPNOTSUPP,
				 "Domain '%s' was not made by xend, so that is not possible.",
				 domain->name);
	if ((needs & NEED_MANAGED) && !domain->managed)
		return error_set(e, EBADFD,
				 "Domain '%s' is not managed by xend (made by `xm new`).",
				 domain->name);
	if ((needs & NEED_HALTED) && domain->state != DOMAIN_HALTED)
		return error_set(e, EBADFD, "Domain '%s' is %s.", domain->name,
				 domain->state == DOMAIN_SUSPENDED ?
					 "suspended; xm resume starts it" :
					 "running already");
	if (needs & NEED_RUNS) {
		int rc = domain_info(domain, &info, e);

		if (rc)
			return rc;
	}
	return (needs & NEED_HEARS) && domain->domid > 0 ? layout_check_known(domain, e) : 0;
}

int domain_acquire(struct request *request, const char *operation, unsigned int needs,
		   struct domain **out, struct error **e)
{
	struct domain *domain;
	int rc = request_domain(request, &domain, e);

	if (rc)
		return rc;
	rc = domain_lock(domain, operation, e);
	if (rc == 0) {
		rc = domain_check(domain, needs, e);
		if (rc)
			domain_unlock(domain);
	}
	if (rc) {
		domain_unref(domain);
		return rc;
	}
	*out = domain;
	return 0;
}

void domain_release(struct domain *domain)
{
	domain_unlock(domain);
	domain_unref(domain);
}

/*
 * Removes an unmanaged domain of that name that was left down: it is kept only to show its reason.
 */
static int make_room(const char *name, struct error **e)
{
	struct domain *old = domain_by_name(name);
	int rc;

	if (!old || !old->ours || old->managed || old->state != DOMAIN_HALTED ||
	    domain_lock_now(old, "forget"))
		return 0;
	domain_ref(old);
	rc = record_remove(old, e);
	if (rc == 0)
		domain_remove(old);
	domain_release(old);
	return rc;
}

static int check_free(const struct config *config, uint8_t uuid[16], struct error **e)
{
	struct domain *other;

	if (!uuid_from_text(config->uuid, uuid))
		return error_set(e, EBADMSG, "'%s' is no UUID.", config->uuid);
	if (domain_by_name(config->name))
		return error_set(e, EEXIST, "Domain '%s' already exists.", config->name);
	other = domain_by_uuid(uuid);
	if (other)
		return error_set(e, EEXIST, "Domain '%s' has the UUID %s already.", other->name,
				 config->uuid);
	return record_check_free(uuid, e);
}

int domain_admit(struct config *config, const char *operation, struct domain **out,
		 struct error **e)
{
	struct domain *domain;
	uint8_t uuid[16];
	int rc;

	domains_refresh();
	config_generate(config);
	rc = make_room(config->name, e);
	/* From here on nothing waits: of two requests for one name or UUID, only one finds it free.
	 */
	if (rc == 0)
		rc = check_free(config, uuid, e);
	if (rc) {
		config_free(config);
		return rc;
	}
	domain = domain_add(config->name, uuid);
	domain->config = config;
	domain->ours = true;
	domain_lock_now(domain, operation);
	*out = domain_ref(domain);
	return 0;
}
