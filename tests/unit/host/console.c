/* SPDX-License-Identifier: MIT */
/* A panic fails the running test, unless the test expects it (expect_assert_failure). */
#include <stdlib.h>
#include "hv/console.h"
#include "unit.h"

#define __weak __attribute__((weak))

static void say(const char *prefix, const char *fmt, va_list args)
{
	if (!getenv("UNIT_LOG"))
		return;
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

__weak void hv_log(enum loglevel level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("log: ", fmt, args);
	va_end(args);
}

__weak void guest_printk(struct domain *d, enum loglevel level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("guest: ", fmt, args);
	va_end(args);
}

__weak void panic(const char *fmt, ...)
{
	static char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	mock_assert(0, text, "panic", 0);
	abort();
}

__weak void debug_key_register(char key, const char *what, void (*fn)(char key))
{
}
