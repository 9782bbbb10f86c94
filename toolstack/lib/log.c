/* SPDX-License-Identifier: MIT */
/* One process-wide log that rotates its own file. */
#include "lib/log.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	int fd; /* -1: no file */
	char *path;
	size_t size;
	size_t limit;
	enum log_level level;
	int to_stderr;
} the_log = { .fd = -1, .level = LOG_LEVEL_INFO, .to_stderr = 1 };

static int open_file(const char *path, size_t *size)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	*size = fstat(fd, &st) ? 0 : (size_t)st.st_size;
	return fd;
}

int log_open(const char *path, size_t limit, struct error **e)
{
	size_t size = 0;
	int fd = open_file(path, &size);

	if (fd < 0)
		return error_set(e, fd, "Cannot open the log file %s: %s.", path, strerror(-fd));
	log_close();
	the_log.fd = fd;
	the_log.path = xstrdup(path);
	the_log.size = size;
	the_log.limit = limit;
	return 0;
}

void log_close(void)
{
	if (the_log.fd >= 0)
		close(the_log.fd);
	free(the_log.path);
	the_log.fd = -1;
	the_log.path = NULL;
}

void log_set_level(enum log_level level)
{
	the_log.level = level;
}

void log_set_stderr(int on)
{
	the_log.to_stderr = on;
}

/*
 * Renames the full file to PATH.1 and opens a new one. On failure, lines still go to the old file:
 * a file that is too long is better than lost lines.
 */
static void rotate(void)
{
	char *old = xasprintf("%s.1", the_log.path);
	size_t size = 0;
	int fd = rename(the_log.path, old) ? -errno : open_file(the_log.path, &size);

	if (fd >= 0) {
		close(the_log.fd);
		the_log.fd = fd;
		the_log.size = size;
	}
	free(old);
}

static void add_time(struct str *line)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	str_printf(line, "[%s.%03ld] ", text, now.tv_nsec / 1000000);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "ERROR", "WARNING", "INFO", "DEBUG" };
	static const int journal_levels[] = { 3, 4, 6, 7 };
	struct str text = STR_INIT, line = STR_INIT;
	va_list ap;

	if (level > the_log.level)
		return;
	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	/*
	 * Control characters become blanks, so that a guest's name or a program's message cannot
	 * forge a line.
	 */
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.text[i] < ' ' || text.text[i] == 127)
			text.text[i] = ' ';
	}
	if (the_log.to_stderr) {
		if (getenv("JOURNAL_STREAM"))
			str_printf(&line, "<%d>", journal_levels[level]);
		str_printf(&line, "%s\n", str_text(&text));
		file_write_fd(STDERR_FILENO, "stderr", str_text(&line), line.len, NULL);
	}
	if (the_log.fd >= 0) {
		str_clear(&line);
		add_time(&line);
		str_printf(&line, "%s %s\n", names[level], str_text(&text));
		if (the_log.size && the_log.size + line.len > the_log.limit)
			rotate();
		if (file_write_fd(the_log.fd, the_log.path, str_text(&line), line.len, NULL) == 0)
			the_log.size += line.len;
	}
	str_free(&text);
	str_free(&line);
}
