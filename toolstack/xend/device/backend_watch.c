/* SPDX-License-Identifier: MIT */
/* Two watches, each on all backends of one class in Domain-0. */
#include "xend/device/backend_watch.h"

#include <stdlib.h>
#include <string.h>

#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

static const char *const directories[] = { "/local/domain/0/backend/vbd",
					   "/local/domain/0/backend/qdisk" };
enum { WATCHES = sizeof(directories) / sizeof(directories[0]) };

static struct store_watch *watches[WATCHES];

/* path: below the directory `arg`, or that one itself, for which all are looked at again. */
static void on_change(void *arg, const char *path)
{
	size_t length = strlen(arg);
	bool is_all = strncmp(path, arg, length) != 0 || path[length] != '/';
	int domid = is_all ? -1 : atoi(path + length + 1);
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (is_all || domain->domid == domid)
			domain->backends_known = false;
}

void backend_watch_setup(void)
{
	for (size_t i = 0; i < WATCHES; i++)
		watches[i] =
			store_watch_below(on_change, (void *)directories[i], "%s", directories[i]);
}

void backend_watch_teardown(void)
{
	for (size_t i = 0; i < WATCHES; i++) {
		store_unwatch(watches[i]);
		watches[i] = NULL;
	}
}
