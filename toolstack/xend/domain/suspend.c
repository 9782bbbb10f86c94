/* SPDX-License-Identifier: MIT */
/* Suspends a domain into the directory of its record, and resumes it from there. */
#include "xend/domain/suspend.h"

#include <errno.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/record.h"
#include "xend/domain/save.h"
#include "xend/runtime/files.h"

int domain_suspend(struct domain *domain, bool with_host, struct request *asker, struct error **e)
{
	char *path = record_image_path(domain);
	/* An old image is useless: the domain has run since. */
	int rc = files_remove(path);

	if (rc) {
		error_set(e, rc, "Cannot remove the old image %s: %s.", path, files_error_text(rc));
	} else {
		domain->goal = GOAL_SUSPENDED;
		domain->with_host = with_host;
		rc = domain_save(domain, path, SAVE_THEN_STOP, asker, e);
	}
	if (rc == 0)
		domain_settle(domain);
	free(path);
	return rc;
}

int domain_resume(struct domain *domain, bool paused, struct request *asker, struct error **e)
{
	struct boot boot = { .paused = paused, .asker = asker };
	struct saved saved;
	char *path;
	int rc;

	if (domain->state != DOMAIN_SUSPENDED)
		return error_set(e, EBADFD, "Domain '%s' is not suspended.", domain->name);
	path = record_image_path(domain);
	/* The record, not the file, has the domain's configuration. */
	rc = save_open(path, &saved, e);
	if (rc == 0) {
		/*
		 * The size is the saved one. The configuration is unchanged and counts again after
		 * a reboot.
		 */
		boot.size = &saved.size;
		boot.image_fd = saved.fd;
		boot.resumes_afresh = saved.resumes_afresh;
		/* A domain whose resume fails stays suspended, so that it can be tried again. */
		domain->goal = GOAL_SUSPENDED;
		rc = domain_boot(domain, &boot, e);
		files_close(saved.fd);
		if (rc)
			domain_settle(domain);
		else
			files_remove(path);
	}
	config_free(saved.config);
	free(path);
	return rc;
}
