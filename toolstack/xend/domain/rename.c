/* SPDX-License-Identifier: MIT */
/* Gives a domain another name, and takes that back if the disk does not take the record. */
#include "xend/domain/rename.h"

#include <errno.h>
#include <stdlib.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "xend/console/console.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/record.h"

/* The domain has both names while its record is written: a failure gives the old one back. */
static int set_name(struct domain *domain, const char *name, struct error **e)
{
	bool before = domain->half_renamed;
	int rc;

	if (config_set_text(domain->config, "name", name, e))
		return -EBADMSG;
	domain->old_name = domain->name;
	domain->name = xstrdup(name);
	domain->half_renamed = domain->domid >= 0;
	rc = record_write(domain, e);
	if (rc) {
		/* xenstore may have an even older one, which the next xend must mend. */
		domain->half_renamed = before;
		free(domain->name);
		domain->name = domain->old_name;
		config_set_text(domain->config, "name", domain->name, NULL);
		error_prefix(e, "Domain '%s' keeps its name: ", domain->name);
	} else {
		free(domain->old_name);
	}
	domain->old_name = NULL;
	return rc;
}

int domain_rename(struct domain *domain, const char *name, struct error **e)
{
	const struct domain *other = domain_by_name(name);
	int rc;

	if (other && other != domain)
		return error_set(e, EEXIST, "Domain '%s' already exists.", name);
	rc = set_name(domain, name, e);
	if (rc || domain->domid < 0)
		return rc;
	rc = layout_rename(domain, e);
	console_renamed(domain);
	if (rc == 0) {
		domain->half_renamed = false;
		record_write_anyway(domain);
	}
	return rc;
}
