/* SPDX-License-Identifier: MIT */
/*
 * Records that could not be written or removed: xend tries again until the disk takes them. Until
 * then the old record stands. It leads the next xend to the same end, but it is a danger once its
 * domain's name, or the file that it calls partial, belongs to somebody else.
 */
#include "xend/domain/record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/domain/domain.h"
#include "xend/domain/record_file.h"
#include "xend/runtime/task.h"
#include "xend/xend.h"

/* Milliseconds between two tries, and between two looks whether xend stops. */
#define INTERVAL 5000
#define LOOK	 250

struct removal {
	STAILQ_ENTRY(removal) link;
	uint8_t uuid[16];
};

static struct {
	STAILQ_HEAD(, removal) removals;
	bool runs;
} debts = { .removals = STAILQ_HEAD_INITIALIZER(debts.removals) };

/* --- paying --- */

/* A domain whose lock is taken is written by whoever has it, or at the next try. */
static struct domain *next_owed(void)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (domain->record_owed && !domain->operation)
			return domain;
	return NULL;
}

/* The first failure ends it: the disk is no better for the next record. */
static bool write_all(void)
{
	struct domain *domain;
	int rc = 0;

	while (rc == 0 && (domain = next_owed())) {
		domain_ref(domain);
		domain_lock_now(domain, "record");
		rc = record_write(domain, NULL);
		if (rc == 0)
			log_info("Domain %s: its record is written at last.", domain->name);
		domain_unlock(domain);
		domain_unref(domain);
	}
	return rc == 0;
}

static bool remove_all(void)
{
	struct removal *removal;
	char uuid[UUID_TEXT];

	while ((removal = STAILQ_FIRST(&debts.removals))) {
		uuid_to_text(removal->uuid, uuid);
		if (!domain_by_uuid(removal->uuid) && record_file_remove(uuid, NULL))
			return false;
		STAILQ_REMOVE_HEAD(&debts.removals, link);
		free(removal);
	}
	return true;
}

static bool is_owed(void)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (domain->record_owed)
			return true;
	return !STAILQ_EMPTY(&debts.removals);
}

static void pay(void *arg)
{
	while (is_owed() && !xend_is_stopping()) {
		for (int slept = 0; slept < INTERVAL && !xend_is_stopping(); slept += LOOK)
			task_sleep(LOOK);
		if (write_all())
			remove_all();
	}
	debts.runs = false;
}

static void start(void)
{
	if (!debts.runs && !xend_is_stopping())
		debts.runs = task_start(pay, NULL) != NULL;
}

/* --- making --- */

int record_write(struct domain *domain, struct error **e)
{
	int rc = record_replace(domain, e);

	/* Also if the caller undoes its step: the new record may be in place all the same. */
	domain->record_owed = rc != 0;
	if (rc)
		start();
	return rc;
}

/* What is written anyway is written although somebody has cancelled the task. */
static bool shield(bool on)
{
	return task_current() && task_shield(on);
}

void record_write_anyway(struct domain *domain)
{
	bool before = shield(true);
	struct error *e = NULL;

	if (record_write(domain, &e))
		log_error("Domain %s: %s xend tries again.", domain->name, error_text(e));
	error_free(&e);
	shield(before);
}

void record_remove_anyway(struct domain *domain)
{
	bool before = shield(true);
	struct removal *removal;
	struct error *e = NULL;

	if (record_remove(domain, &e)) {
		log_error("Domain %s: %s xend tries again.", domain->name, error_text(e));
		removal = xcalloc(1, sizeof(*removal));
		memcpy(removal->uuid, domain->uuid, sizeof(removal->uuid));
		STAILQ_INSERT_TAIL(&debts.removals, removal, link);
		start();
	}
	error_free(&e);
	shield(before);
}
