/* SPDX-License-Identifier: MIT */
/* The list of domains: references, lookups, locks, and whose a number is. */
#include "xend/domain/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/move.h"
#include "xend/runtime/store.h"

/*
 * Milliseconds that an operation waits for the one before it: saving a large guest takes minutes.
 */
#define LOCK_PATIENCE (10 * 60 * 1000)

struct domain_list domains = TAILQ_HEAD_INITIALIZER(domains);
struct hv *domain_hv;

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	for (int i = 0, at = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		at += sprintf(text + at, "%02x", uuid[i]);
	}
}

bool uuid_from_text(const char *text, uint8_t uuid[16])
{
	if (strlen(text) != UUID_TEXT - 1)
		return false;
	for (int i = 0; i < 16; i++) {
		char pair[3];
		uint64_t value;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (*text++ != '-')
				return false;
		}
		pair[0] = text[0];
		pair[1] = text[1];
		pair[2] = '\0';
		if (!str_to_u64(pair, 16, 0, 255, &value))
			return false;
		uuid[i] = (uint8_t)value;
		text += 2;
	}
	return true;
}

/* --- the list --- */

struct domain *domain_ref(struct domain *domain)
{
	domain->refs++;
	return domain;
}

void domain_unref(struct domain *domain)
{
	if (!domain || --domain->refs)
		return;
	devices_forget(domain);
	free(domain->name);
	free(domain->old_name);
	free(domain->reason);
	free(domain->saving_to);
	move_free(domain->move);
	config_free(domain->config);
	free(domain);
}

struct domain *domain_add(const char *name, const uint8_t uuid[16])
{
	struct domain *domain = xcalloc(1, sizeof(*domain));

	domain->refs = 1;
	domain->domid = -1;
	domain->name = xstrdup(name);
	memcpy(domain->uuid, uuid, sizeof(domain->uuid));
	TAILQ_INIT(&domain->devices);
	cond_init(&domain->changed);
	TAILQ_INSERT_TAIL(&domains, domain, link);
	return domain;
}

void domain_remove(struct domain *domain)
{
	if (domain->gone)
		return;
	domain->gone = true;
	console_detach(domain);
	TAILQ_REMOVE(&domains, domain, link);
	cond_wake(&domain->changed);
	domain_unref(domain);
}

struct domain *domain_by_name(const char *name)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (strcmp(domain->name, name) == 0 ||
		    (domain->old_name && strcmp(domain->old_name, name) == 0))
			return domain;
	return NULL;
}

struct domain *domain_by_id(int domid)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (domain->domid == domid && domid >= 0)
			return domain;
	return NULL;
}

struct domain *domain_by_uuid(const uint8_t uuid[16])
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (memcmp(domain->uuid, uuid, 16) == 0)
			return domain;
	return NULL;
}

/* --- whose a number is --- */

/* Domain-0 is recognised by its number alone: anybody may have set its UUID. */
static bool is_domain(const struct domain *domain, const struct hv_domain_info *info)
{
	return (int)info->domid == domain->domid &&
	       (domain->domid == 0 || memcmp(info->uuid, domain->uuid, sizeof(info->uuid)) == 0);
}

int domain_number(const struct domain *domain, enum domain_number *whose,
		  struct hv_domain_info *info, struct error **e)
{
	struct error *why = NULL;
	int rc;

	*whose = NUMBER_OTHERS;
	if (domain->domid < 0)
		return 0;
	*whose = NUMBER_FREE;
	rc = hv_domain_info(domain_hv, (uint32_t)domain->domid, info, &why);
	if (rc == -ESRCH) {
		error_free(&why);
		return 0;
	}
	if (rc)
		return error_move(e, &why);
	*whose = is_domain(domain, info) ? NUMBER_OWN : NUMBER_OTHERS;
	return 0;
}

int domain_info(const struct domain *domain, struct hv_domain_info *info, struct error **e)
{
	enum domain_number whose;
	int rc = domain_number(domain, &whose, info, e);

	if (rc || whose == NUMBER_OWN)
		return rc;
	return error_set(e, ESRCH, "Domain '%s' (id %d) is gone.", domain->name, domain->domid);
}

bool domain_may_touch(const struct domain *domain)
{
	struct hv_domain_info info;
	enum domain_number whose;
	struct error *e = NULL;

	if (domain_number(domain, &whose, &info, &e)) {
		log_error("Domain %s: %s", domain->name, error_text(e));
		error_free(&e);
		return false;
	}
	return whose != NUMBER_OTHERS;
}

struct domain *domain_of(const struct hv_domain_info *info)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (is_domain(domain, info))
			return domain;
	return NULL;
}

const struct hv_domain_info *domain_find_number(int domid, const struct hv_domain_info *list,
						size_t count)
{
	size_t from = 0, to = count;

	while (domid >= 0 && from < to) {
		size_t middle = (from + to) / 2;

		if ((int)list[middle].domid == domid)
			return &list[middle];
		if ((int)list[middle].domid < domid)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

const struct hv_domain_info *domain_find_info(const struct domain *domain,
					      const struct hv_domain_info *list, size_t count)
{
	const struct hv_domain_info *info = domain_find_number(domain->domid, list, count);

	return info && is_domain(domain, info) ? info : NULL;
}

/* Whether tables show the name so: a blank as '_'. */
static bool is_shown_as(const char *name, const char *text)
{
	while (*name && (*name == *text || (*name == ' ' && *text == '_'))) {
		name++;
		text++;
	}
	return !*name && !*text;
}

/* For who copies a name from a table. -EINVAL: several names look like that one; NULL: none does.
 */
static int find_shown(const char *text, struct domain **found, struct error **e)
{
	struct domain *domain;

	*found = NULL;
	TAILQ_FOREACH(domain, &domains, link) {
		if (!is_shown_as(domain->name, text))
			continue;
		if (*found)
			return error_set(
				e, EINVAL,
				"'%.80s' may be domain '%s' or domain '%s': tables show "
				"blanks as '_'. Write the name with its blanks, in quotes.",
				text, (*found)->name, domain->name);
		*found = domain;
	}
	return 0;
}

int domain_lookup(struct json_object *which, struct domain **out, struct error **e)
{
	const char *text = json_object_get_string(which);
	struct domain *domain = NULL;
	uint8_t uuid[16];
	uint64_t id;
	int rc = 0;

	domains_refresh();
	/* As with xl, a number is an id first. */
	if (str_to_u64(text, 10, 0, DOMID_FIRST_RESERVED - 1, &id))
		domain = domain_by_id((int)id);
	if (!domain && json_object_is_type(which, json_type_string))
		domain = domain_by_name(text);
	if (!domain && uuid_from_text(text, uuid))
		domain = domain_by_uuid(uuid);
	if (!domain && json_object_is_type(which, json_type_string))
		rc = find_shown(text, &domain, e);
	if (rc)
		return rc;
	if (!domain)
		return error_set(e, ESRCH, "Domain '%.80s' does not exist.", text);
	*out = domain_ref(domain);
	return 0;
}

/* --- who works on it --- */

int domain_lock_now(struct domain *domain, const char *operation)
{
	if (domain->gone)
		return -ESRCH;
	if (domain->operation)
		return -EBUSY;
	domain->operation = operation;
	domain->task = task_current();
	return 0;
}

int domain_lock(struct domain *domain, const char *operation, struct error **e)
{
	uint64_t deadline = task_deadline(LOCK_PATIENCE);
	int rc;

	while ((rc = domain_lock_now(domain, operation)) == -EBUSY) {
		rc = cond_wait(&domain->changed, deadline);
		if (rc == -ETIMEDOUT)
			return error_set(e, EBUSY,
					 "Domain '%s' has been busy with '%s' for a long time; "
					 "'%s' gives up.",
					 domain->name, domain->operation ? domain->operation : "?",
					 operation);
		if (rc)
			return error_set(e, rc, "'%s' of domain '%s' was cancelled.", operation,
					 domain->name);
	}
	if (rc)
		return error_set(e, ESRCH, "Domain '%s' does not exist.", domain->name);
	return 0;
}

void domain_unlock(struct domain *domain)
{
	domain->operation = NULL;
	domain->task = NULL;
	cond_wake(&domain->changed);
	/* Handle a shutdown that came while the domain was locked. */
	lifecycle_check(domain);
}

void domain_set_state(struct domain *domain, enum domain_state state)
{
	domain->state = state;
	cond_wake(&domain->changed);
}

void domain_set_reason(struct domain *domain, const char *fmt, ...)
{
	va_list ap;

	free(domain->reason);
	domain->reason = NULL;
	if (!fmt)
		return;
	va_start(ap, fmt);
	domain->reason = xvasprintf(fmt, ap);
	va_end(ap);
	log_warning("Domain %s: %s", domain->name, domain->reason);
}

/* --- what the hypervisor says --- */

/*
 * When xl started a domain, from xenstore, in seconds since 1970 (xl writes hundredths, too); 0:
 * not known.
 */
static time_t read_start_time(const uint8_t uuid[16])
{
	char text[UUID_TEXT], *value, *dot;
	uint64_t seconds = 0;

	uuid_to_text(uuid, text);
	value = store_read("/vm/%s/start_time", text);
	dot = value ? strchr(value, '.') : NULL;
	if (dot)
		*dot = '\0';
	if (value)
		str_to_u64(value, 10, 0, INT64_MAX, &seconds);
	free(value);
	return (time_t)seconds;
}

/*
 * Adds a domain of another toolstack. It appears only once xl has written its name to xenstore. If
 * the name is taken, the id is appended to it.
 */
static void add_foreign(const struct hv_domain_info *info)
{
	char *name = store_read("/local/domain/%u/name", info->domid);
	struct domain *domain;

	if (name && *name && domain_by_name(name)) {
		char *longer = xasprintf("%s-%u", name, info->domid);

		free(name);
		name = longer;
	}
	if (name && *name && !domain_by_name(name)) {
		domain = domain_add(name, info->uuid);
		domain->domid = (int)info->domid;
		domain->state = DOMAIN_RUNNING;
		domain->start_time = read_start_time(info->uuid);
	}
	free(name);
}

/* xl may rename its domains. */
static void refresh_foreign_name(struct domain *domain)
{
	char *name = store_read("/local/domain/%d/name", domain->domid);

	if (name && *name && strcmp(name, domain->name) != 0 && !domain_by_name(name)) {
		free(domain->name);
		domain->name = name;
		return;
	}
	free(name);
}

void domains_refresh(void)
{
	struct hv_domain_info *list;
	struct domain *domain, *next;
	struct error *e = NULL;
	size_t count;
	bool *known;

	if (hv_domain_list(domain_hv, &list, &count, &e)) {
		log_error("%s", error_text(e));
		error_free(&e);
		return;
	}
	known = xcalloc(count + 1, sizeof(*known));
	for (domain = TAILQ_FIRST(&domains); domain; domain = next) {
		const struct hv_domain_info *info = domain_find_info(domain, list, count);

		next = TAILQ_NEXT(domain, link);
		if (domain->domid < 0)
			continue;
		if (info)
			known[info - list] = true;
		if (domain->ours)
			lifecycle_observe(domain, info);
		else if (!info)
			domain_remove(domain);
		else if (domain->domid)
			refresh_foreign_name(domain);
	}
	for (size_t i = 0; i < count; i++)
		/* Match the number, too: xl can give a domain any UUID. */
		if (!list[i].dying && !known[i] && !domain_of(&list[i]))
			add_foreign(&list[i]);
	free(known);
	free(list);
}

int domain_check_alone(const struct domain *domain, struct error **e)
{
	struct hv_domain_info *list;
	struct domain *other;
	bool same = false;
	size_t count;
	int rc;

	domains_refresh();
	TAILQ_FOREACH(other, &domains, link) {
		char *name = other->ours || other->domid <= 0 ?
				     NULL :
				     store_read("/local/domain/%d/name", other->domid);

		same = name && strcmp(name, domain->name) == 0;
		free(name);
		if (same)
			return error_set(e, EEXIST,
					 "Domain '%s' cannot start: another toolstack runs a "
					 "domain of that name (%s, id "
					 "%d). Destroy that one first.",
					 domain->name, other->name, other->domid);
	}
	rc = hv_domain_list(domain_hv, &list, &count, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (list[i].dying || memcmp(list[i].uuid, domain->uuid, sizeof(domain->uuid)) != 0)
			continue;
		other = domain_by_id((int)list[i].domid);
		rc = error_set(e, EEXIST,
			       "Domain '%s' cannot start: the domain '%s' (id %u) runs under the "
			       "same UUID. Destroy that "
			       "one first.",
			       domain->name, other ? other->name : "?", list[i].domid);
	}
	free(list);
	return rc;
}
