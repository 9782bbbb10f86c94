/* SPDX-License-Identifier: MIT */
/*
 * Runs a bootloader by confine_run() and turns its output, or its failure, into a choice or a
 * sentence.
 */
#include "worker/build/bootloader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/confine.h"
#include "lib/alloc.h"

/*
 * The user ids of bootloaders. Each domain has its own, so that two bootloaders that run at the
 * same time cannot touch each other. Ids from 0x7f000000 on are used by nobody else: not by
 * Debian's policy, nor by useradd for subordinate users (up to 600100000), nor by systemd.
 */
#define FIRST_USER 2130706432u
#define DOMIDS	   0x7ff0u

struct bootloader {
	const char *name, *disk; /* as in the configuration */
	struct json_object *args;
	struct confine_spec spec;
};

/* Limits the output to half of this host's memory, because the files are in a tmpfs. */
static uint64_t output_size(uint64_t most)
{
	struct sysinfo info;
	uint64_t half = sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit / 2 : most;

	return half < most ? half : most;
}

static int parse(struct json_object *order, uint32_t domid, struct bootloader *b, struct error **e)
{
	int64_t major = 0, minor = 0, mib = 0, seconds = 0, console = 0;
	int rc = json_get_string(order, "program", &b->name, e);

	if (rc == 0)
		rc = json_get_typed(order, "args", json_type_array, &b->args, e);
	if (rc == 0)
		rc = json_get_string(order, "disk", &b->disk, e);
	if (rc == 0)
		rc = json_get_int(order, "major", 0, UINT32_MAX, &major, e);
	if (rc == 0)
		rc = json_get_int(order, "minor", 0, UINT32_MAX, &minor, e);
	if (rc == 0)
		rc = json_get_bool(order, "restricted", &b->spec.restricted, e);
	if (rc == 0)
		rc = json_get_int(order, "seconds", 1, INT32_MAX / 1000, &seconds, e);
	if (rc == 0)
		rc = json_get_int(order, "mib", 1, INT32_MAX, &mib, e);
	if (rc == 0)
		rc = json_opt_int(order, "console", 3, 3, 0, &console, e);
	if (rc)
		return rc;
	b->spec.console = (int)console;
	b->spec.disk = makedev((unsigned int)major, (unsigned int)minor);
	b->spec.seconds = (unsigned int)seconds;
	b->spec.output_size = output_size((uint64_t)mib << 20);
	b->spec.id = FIRST_USER + domid % DOMIDS;
	return 0;
}

/*
 * PROGRAM [ARGS] --quiet --output-format=simple --output-directory=DIRECTORY DISK. With a console
 * it shows its menu there (no --quiet), and its choice goes to a file. The caller frees the array
 * but not its strings.
 */
static const char **make_argv(const struct bootloader *b)
{
	static const char *const directories[] = {
		"--output-directory=" CONFINE_OUTPUT_UNRESTRICTED,
		"--output-directory=" CONFINE_OUTPUT
	};
	static const char *const files[] = { "--output=" CONFINE_OUTPUT_UNRESTRICTED
					     "/" CONFINE_SAID,
					     "--output=" CONFINE_OUTPUT "/" CONFINE_SAID };
	size_t count = json_object_array_length(b->args), n = 0;
	const char **argv = xcalloc(count + 6, sizeof(char *));

	argv[n++] = b->name;
	for (size_t i = 0; i < count; i++)
		argv[n++] = json_object_get_string(json_object_array_get_idx(b->args, i));
	argv[n++] = b->spec.console ? files[b->spec.restricted] : "--quiet";
	argv[n++] = "--output-format=simple";
	argv[n++] = directories[b->spec.restricted];
	argv[n++] = b->spec.restricted ? CONFINE_DISK : b->disk;
	return argv;
}

/* Adds the last line that is not empty: in a traceback of Python, that line has the reason. */
static void add_last_line(struct str *s, struct str *complaint)
{
	char *text = str_steal(complaint), *trimmed = str_trim(text),
	     *newline = strrchr(trimmed, '\n');
	const char *line = newline ? str_trim(newline + 1) : trimmed;

	if (*line) {
		str_add(s, " It said: ");
		str_add_shown(s, line, 200);
	}
	free(text);
}

static int complain(const struct bootloader *b, struct confine_result *result, struct error **e)
{
	struct str s = STR_INIT;
	int rc;

	str_printf(&s, "The bootloader %s finds no kernel in %s (%s %d).", b->name, b->disk,
		   WIFEXITED(result->status) ? "status" : "signal",
		   WIFEXITED(result->status) ? WEXITSTATUS(result->status) :
					       WTERMSIG(result->status));
	add_last_line(&s, &result->complaint);
	rc = error_set(e, ENOEXEC, "%s", str_text(&s));
	str_free(&s);
	return rc;
}

static int judge(const struct bootloader *b, struct confine_result *result,
		 struct bootloader_output *output, struct error **e)
{
	const char *why = "";

	if (result->end == CONFINE_TOOK_TOO_LONG && result->key_seconds)
		return error_set(
			e, ETIMEDOUT,
			"The bootloader %s did not end within %u s of the last key. (A "
			"bootloader-timeout above that in /etc/xen/xend-config.sxp gives it more.)",
			b->name, result->key_seconds);
	if (result->end == CONFINE_TOOK_TOO_LONG)
		return error_set(
			e, ETIMEDOUT,
			"The bootloader %s did not end within %u s. (bootloader-timeout in "
			"/etc/xen/xend-config.sxp gives it more.)",
			b->name, b->spec.seconds);
	if (result->end == CONFINE_SAID_TOO_MUCH)
		return error_set(e, ENOEXEC,
				 "The bootloader %s is not usable: it wrote more than %u KiB.",
				 b->name, CONFINE_SAID_MAX / 1024);
	if (!WIFEXITED(result->status) || WEXITSTATUS(result->status))
		return complain(b, result, e);
	if (bootloader_output_parse(str_text(&result->said), result->said.len,
				    b->spec.restricted ? CONFINE_OUTPUT :
							 CONFINE_OUTPUT_UNRESTRICTED,
				    output, &why))
		return error_set(e, ENOEXEC, "The bootloader %s is not usable: for %s it %s.",
				 b->name, b->disk, why);
	return 0;
}

int bootloader_run(struct json_object *order, uint32_t domid, struct bootloader_choice *choice,
		   struct error **e)
{
	struct bootloader b = { 0 };
	struct confine_result result = { .output = -1 };
	const char **argv;
	char *program;
	int rc = parse(order, domid, &b, e);

	if (rc)
		return rc;
	program = realpath(b.name, NULL);
	if (!program)
		return error_set(e, errno, "The bootloader %s cannot be run: %s.", b.name,
				 strerror(errno));
	argv = make_argv(&b);
	b.spec.program = program;
	b.spec.argv = argv;
	rc = confine_run(&b.spec, &result, e);
	if (rc)
		error_prefix(e, "The bootloader ");
	else
		rc = judge(&b, &result, &choice->output, e);
	if (rc == 0) {
		choice->directory = result.output;
		result.output = -1;
	}
	confine_free(&result);
	free(argv);
	free(program);
	return rc;
}

void bootloader_free(struct bootloader_choice *choice)
{
	if (choice->directory >= 0)
		close(choice->directory);
	choice->directory = -1;
}
