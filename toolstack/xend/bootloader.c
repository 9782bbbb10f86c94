/* SPDX-License-Identifier: MIT */
#include "xend/bootloader.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "util/alloc.h"
#include "util/file.h"
#include "util/str.h"
#include "xend/domain.h"
#include "xend/proc.h"

/* Milliseconds: a disk of a guest may be made so that looking at it never ends. */
#define PATIENCE 60000

/* Where a bootloader lies that is given by its name alone. */
static char *find_program(const char *name, struct error **e)
{
	static const char *const places[] = { "/usr/lib/xenolith/%s", "/usr/lib/xen-*/bin/%s", "/usr/bin/%s" };
	char *found = NULL;

	if (name[0] == '/')
		return xstrdup(name);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !found && !strchr(name, '/'); i++) {
		const char *percent = strstr(places[i], "%s");
		char *pattern = xasprintf("%.*s%s", (int)(percent - places[i]), places[i], name);
		glob_t matches;

		if (glob(pattern, 0, NULL, &matches) == 0) {
			found = xstrdup(matches.gl_pathv[matches.gl_pathc - 1]);
			globfree(&matches);
		}
		free(pattern);
	}
	if (!found)
		error_set(e, ENOENT, "The bootloader '%s' is not installed.", name);
	return found;
}

static void take_word(char **where, const char *line, const char *word)
{
	size_t length = strlen(word);

	if (*where == NULL && strncmp(line, word, length) == 0 && line[length] == ' ' && line[length + 1])
		*where = xstrdup(line + length + 1);
}

static void on_line(void *arg, char *line)
{
	struct bootloader_choice *choice = arg;

	take_word(&choice->kernel, line, "kernel");
	take_word(&choice->ramdisk, line, "ramdisk");
	take_word(&choice->cmdline, line, "args");
}

static int run(const char *program, const struct config *config, struct bootloader_choice *choice, struct error **e)
{
	char *directory = xasprintf("--output-directory=%s", choice->directory);
	const char **argv = xcalloc(config->nr_bootargs + 6, sizeof(char *));
	struct proc_spec spec = { .argv = argv, .fd = -1, .on_line = on_line, .arg = choice };
	struct proc *proc = NULL;
	int status = 0, rc;
	size_t n = 0;

	argv[n++] = program;
	for (size_t i = 0; i < config->nr_bootargs; i++)
		argv[n++] = config->bootargs[i];
	argv[n++] = "--quiet";
	argv[n++] = "--output-format=simple";
	argv[n++] = directory;
	argv[n++] = config->disk[0].target;
	rc = proc_start(&spec, &proc, e);
	if (rc == 0) {
		proc_end_input(proc);
		rc = proc_wait(proc, task_deadline(PATIENCE), &status);
		if (rc)
			error_set(e, rc, "The bootloader %s %s.", program,
				  rc == -ETIMEDOUT ? "did not end within a minute" : "was cancelled");
	}
	proc_free(proc);
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) || !choice->kernel))
		rc = error_set(e, ENOEXEC, "The bootloader %s finds no kernel in %s (%s %d).", program,
			       config->disk[0].target, WIFEXITED(status) ? "status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	free(argv);
	free(directory);
	return rc;
}

int bootloader_run(struct domain *domain, struct bootloader_choice *choice, struct error **e)
{
	char *program, uuid[UUID_TEXT];
	int rc;

	memset(choice, 0, sizeof(*choice));
	if (!domain->config->nr_disk)
		return error_set(e, EBADMSG, "Domain '%s' has a bootloader, but no disk for it to look into.",
				 domain->name);
	program = find_program(domain->config->bootloader, e);
	if (!program)
		return -ENOENT;
	uuid_to_text(domain->uuid, uuid);
	choice->directory = xasprintf("%s/%s", BOOTLOADER_DIRECTORY, uuid);
	rc = file_make_dirs(choice->directory, 0700, e);
	if (rc == 0)
		rc = run(program, domain->config, choice, e);
	free(program);
	if (rc)
		bootloader_free(choice);
	return rc;
}

static void remove_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
	rmdir(path);
}

void bootloader_free(struct bootloader_choice *choice)
{
	if (choice->directory)
		remove_directory(choice->directory);
	free(choice->directory);
	free(choice->kernel);
	free(choice->ramdisk);
	free(choice->cmdline);
	memset(choice, 0, sizeof(*choice));
}

void bootloader_sweep(void)
{
	DIR *directory = opendir(BOOTLOADER_DIRECTORY);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *path = xasprintf("%s/%s", BOOTLOADER_DIRECTORY, entry->d_name);

		if (entry->d_name[0] != '.')
			remove_directory(path);
		free(path);
	}
	if (directory)
		closedir(directory);
}
