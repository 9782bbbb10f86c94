/* SPDX-License-Identifier: MIT */
/* One log for the process. */
#include "lib/log.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	/* NULL: lines go to standard error at once. Another thread may set it at any time. */
	_Atomic(log_sink) sink;
	enum log_level level;
	int to_stderr;
} the_log = { .level = LOG_LEVEL_INFO, .to_stderr = 1 };

void log_add_time(struct str *line)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	str_printf(line, "[%s.%03ld] ", text, now.tv_nsec / 1000000);
}

void log_set_sink(log_sink sink)
{
	the_log.sink = sink;
}

void log_set_level(enum log_level level)
{
	the_log.level = level;
}

void log_set_stderr(int on)
{
	the_log.to_stderr = on;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "ERROR", "WARNING", "INFO", "DEBUG" };
	static const int journal_levels[] = { 3, 4, 6, 7 };
	struct str text = STR_INIT, line = STR_INIT;
	log_sink sink = the_log.sink;
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
		if (sink)
			sink(true, str_text(&line), line.len);
		else
			file_write_fd(STDERR_FILENO, "stderr", str_text(&line), line.len, NULL);
	}
	if (sink) {
		str_clear(&line);
		log_add_time(&line);
		str_printf(&line, "%s %s\n", names[level], str_text(&text));
		sink(false, str_text(&line), line.len);
	}
	str_free(&text);
	str_free(&line);
}
