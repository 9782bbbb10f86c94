/* SPDX-License-Identifier: MIT */
/* One file for each domain, and one of its QEMU before. */
#include "xend/device/qemu_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/domain/domain.h"

#define DIRECTORY "/var/log/xen"
#define PREFIX	  "qemu-"
/* Bytes at the end of the log in which its last line is looked for. */
#define TAIL  512
#define LIMIT (4 * 1024 * 1024)
/* Files of domains that xend does not have any more. */
#define KEPT 32

char *qemu_log_path(const struct domain *domain)
{
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	return xasprintf(DIRECTORY "/" PREFIX "%s.log", uuid);
}

/* --- their number --- */

/* Whether the file is a log of a domain that is gone. */
static bool is_left_over(const char *name)
{
	const size_t length = sizeof(PREFIX) - 1 + UUID_TEXT - 1;
	char text[UUID_TEXT];
	uint8_t uuid[16];

	if (!str_starts(name, PREFIX) || strlen(name) < length ||
	    (strcmp(name + length, ".log") != 0 && strcmp(name + length, ".log.1") != 0))
		return false;
	memcpy(text, name + sizeof(PREFIX) - 1, UUID_TEXT - 1);
	text[UUID_TEXT - 1] = '\0';
	return uuid_from_text(text, uuid) && !domain_by_uuid(uuid);
}

/* How many there are; *oldest: that file's name, to be freed. */
static unsigned int count_left_over(char **oldest)
{
	DIR *directory = opendir(DIRECTORY);
	struct dirent *entry;
	unsigned int count = 0;
	time_t first = 0;
	struct stat st;

	*oldest = NULL;
	while (directory && (entry = readdir(directory))) {
		if (!is_left_over(entry->d_name) ||
		    fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		count++;
		if (*oldest && st.st_mtime >= first)
			continue;
		first = st.st_mtime;
		free(*oldest);
		*oldest = xasprintf(DIRECTORY "/%s", entry->d_name);
	}
	if (directory)
		closedir(directory);
	return count;
}

static void remove_left_over(void)
{
	char *oldest;

	while (count_left_over(&oldest) > KEPT && unlink(oldest) == 0)
		free(oldest);
	free(oldest);
}

/* --- one of them --- */

int qemu_log_open(const struct domain *domain, struct error **e)
{
	char *path = qemu_log_path(domain), *before = xasprintf("%s.1", path);
	int log;

	remove_left_over();
	if (rename(path, before) && errno != ENOENT)
		log_warning("Cannot keep %s as %s: %s.", path, before, strerror(errno));
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
	if (log < 0)
		log = error_set(e, errno, "Cannot write %s: %s.", path, strerror(errno));
	free(before);
	free(path);
	return log;
}

int64_t qemu_log_size(const struct domain *domain)
{
	char *path = qemu_log_path(domain);
	struct stat st;
	int rc = stat(path, &st);

	free(path);
	return rc ? 0 : st.st_size;
}

/* The last line, for an error; to be freed. */
static char *last_words(int log)
{
	char text[TAIL + 1], *line;
	off_t size = lseek(log, 0, SEEK_END), from = size > TAIL ? size - TAIL : 0;
	ssize_t n = size > 0 ? pread(log, text, TAIL, from) : 0;
	struct str shown = STR_INIT;

	text[n > 0 ? n : 0] = '\0';
	line = str_trim(text);
	if (strrchr(line, '\n'))
		line = strrchr(line, '\n') + 1;
	str_add_shown(&shown, line, TAIL);
	return str_steal(&shown);
}

char *qemu_log_last_line(const struct domain *domain)
{
	char *path = qemu_log_path(domain), *said;
	int log = open(path, O_RDONLY | O_CLOEXEC);

	said = log < 0 ? xstrdup("") : last_words(log);
	if (log >= 0)
		close(log);
	free(path);
	return said;
}

void qemu_log_bound(const struct domain *domain)
{
	char *path = qemu_log_path(domain);
	struct stat st;

	/* What was cut off is a hole afterwards: its blocks count, not its length. */
	if (stat(path, &st) == 0 && st.st_blocks * 512LL > LIMIT && truncate(path, 0) == 0)
		log_warning("%s had more than %d KiB and was emptied.", path, LIMIT / 1024);
	free(path);
}
