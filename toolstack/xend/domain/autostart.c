/* SPDX-License-Identifier: MIT */
/*
 * Starts domains with the host and stops them with xend, one after the other. A failure only goes
 * to the log.
 */
#include "xend/domain/autostart.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/log.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/acquire.h"
#include "xend/domain/record.h"
#include "xend/domain/save.h"
#include "xend/runtime/store.h"

static struct config *read_config(const char *path)
{
	struct config_diags diags = { 0 };
	struct str text = STR_INIT;
	struct config *config = NULL;
	struct error *e = NULL;

	if (file_read(path, CONFIG_MAX_TEXT, &text, &e))
		log_error("%s", error_text(e));
	else
		config = config_parse(str_text(&text), text.len, path, NULL, 0, &diags);
	if (!config && !e) {
		config_diags_to_error(&diags, &e);
		log_error("%s", error_text(e));
	}
	for (size_t i = 0; config && i < diags.nr; i++)
		log_warning("%s:%u:%u: %s", path, diags.list[i].pos.line, diags.list[i].pos.column,
			    diags.list[i].text);
	error_free(&e);
	str_free(&text);
	config_diags_free(&diags);
	return config;
}

static void start_file(const char *path)
{
	struct boot boot = { .image_fd = -1 };
	struct config *config = read_config(path);
	struct domain *domain;
	struct error *e = NULL;

	if (!config)
		return;
	if (domain_by_name(config->name)) {
		log_info("%s: domain %s is there already.", path, config->name);
		config_free(config);
		return;
	}
	if (domain_admit(config, "create", &domain, &e)) {
		log_error("%s: %s", path, error_text(e));
		error_free(&e);
		return;
	}
	if (domain_boot(domain, &boot, &e))
		domain_settle(domain);
	error_free(&e);
	domain_release(domain);
}

static int is_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && entry->d_name[length - 1] != '~';
}

static void start_files(void)
{
	struct dirent **entries;
	int count = scandir(AUTOSTART_DIRECTORY, &entries, is_file, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = xasprintf("%s/%s", AUTOSTART_DIRECTORY, entries[i]->d_name);

		start_file(path);
		free(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	else if (errno != ENOENT)
		log_error("Cannot read the directory %s: %s.", AUTOSTART_DIRECTORY,
			  strerror(errno));
}

static void start_managed(struct domain *domain)
{
	struct boot boot = { .image_fd = -1 };

	if (domain_lock_now(domain, "start"))
		return;
	if (domain_boot(domain, &boot, NULL))
		domain_settle(domain);
	domain_unlock(domain);
}

void autostart_start_all(void)
{
	struct domain *domain, *next;
	int fd = open(AUTOSTART_DONE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0) {
		if (errno != EEXIST)
			log_error("Nothing is started with the host: cannot write %s: %s.",
				  AUTOSTART_DONE, strerror(errno));
		return;
	}
	close(fd);
	for (domain = TAILQ_FIRST(&domains); domain; domain = next) {
		bool wanted = domain->ours && domain->managed && domain->state == DOMAIN_HALTED &&
			      !domain->operation &&
			      domain->config->on_xend_start == CONFIG_START_START;

		domain_ref(domain);
		if (wanted)
			start_managed(domain);
		/*
		 * The start waited, so the list may have changed: begin again at its head. A domain
		 * that was started is no longer halted; one that failed is passed over.
		 */
		next = wanted && domain->domid >= 0 ? TAILQ_FIRST(&domains) :
						      TAILQ_NEXT(domain, link);
		domain_unref(domain);
	}
	start_files();
}

static void ask_to_shut_down(struct domain *domain)
{
	struct hv_domain_info info;
	char path[64];

	if (domain_info(domain, &info, NULL))
		return;
	snprintf(path, sizeof(path), "/local/domain/%d/control/shutdown", domain->domid);
	store_write(path, "poweroff");
	log_info("Domain %s is asked to shut down (on_xend_stop).", domain->name);
}

/* As domain.suspend. A domain that fails to suspend runs on. */
static void suspend(struct domain *domain)
{
	char *path = record_image_path(domain);
	struct error *e = NULL;

	if (domain_lock_now(domain, "suspend") == 0) {
		unlink(path);
		domain->goal = GOAL_SUSPENDED;
		if (domain_save(domain, path, SAVE_THEN_STOP, NULL, &e))
			log_error("Domain %s is not suspended (on_xend_stop): %s", domain->name,
				  error_text(e));
		else
			domain_settle(domain);
		domain_unlock(domain);
	}
	error_free(&e);
	free(path);
}

static struct domain *next_to_stop(unsigned int what)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (domain->ours && domain->domid >= 0 && !domain->operation &&
		    !domain->stop_handled && domain->config->on_xend_stop == what)
			return domain;
	return NULL;
}

void autostart_stop_all(void)
{
	struct domain *domain;

	/* First those that only need to be told. The list may change while the others are saved. */
	while ((domain = next_to_stop(CONFIG_STOP_SHUTDOWN))) {
		domain->stop_handled = true;
		ask_to_shut_down(domain);
	}
	while ((domain = next_to_stop(CONFIG_STOP_SUSPEND))) {
		domain->stop_handled = true;
		domain_ref(domain);
		if (domain->managed)
			suspend(domain);
		else
			log_warning("Domain %s is not managed, so it cannot be suspended "
				    "(on_xend_stop); it runs on.",
				    domain->name);
		domain_unref(domain);
	}
}
