/* SPDX-License-Identifier: MIT */
/* Finds and reads a domain's configuration file, with key=value words from the command line. */
#include "xm/commands/domain_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "xm/command.h"

#define DIRECTORY "/etc/xen"

static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

char *domain_file_find(const char *name)
{
	for (int i = 0; i < (strchr(name, '/') ? 1 : 2); i++) {
		for (int suffix = 0; suffix < 2; suffix++) {
			char *path = xasprintf("%s%s%s", i ? DIRECTORY "/" : "", name,
					       suffix ? ".cfg" : "");

			if (is_file(path))
				return path;
			free(path);
		}
	}
	return NULL;
}

/*
 * Whether the word has the form key=value with a valid key. For a file whose name has a '=', type a
 * path with a slash before it.
 */
static bool is_override(const char *word)
{
	size_t key =
		strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	while (word[key] == ' ')
		key++;
	return key > 0 && (word[key] == '=' || strncmp(word + key, "+=", 2) == 0);
}

static void print_diags(const struct config_diags *diags)
{
	struct str text = STR_INIT;

	config_diags_print(diags, &text);
	fputs(str_text(&text), stderr);
	str_free(&text);
}

static struct config *parse(const struct str *text, const char *path, const char **overrides,
			    size_t count)
{
	struct config_diags diags = { 0 };
	struct config *config =
		config_parse(str_text(text), text->len, path ? path : "command line", overrides,
			     count, &diags);

	print_diags(&diags);
	if (!config)
		xm_fail("%s%s: %zu error%s; nothing was changed.",
			path ? "Configuration file " : "",
			path ? path : "The words of the command line", diags.nr_errors,
			diags.nr_errors == 1 ? "" : "s");
	config_diags_free(&diags);
	return config;
}

static struct config *read_file(const char *file, const char **overrides, size_t count, char **path)
{
	struct str text = STR_INIT;
	struct error *error = NULL;
	struct config *config = NULL;

	if (file) {
		*path = domain_file_find(file);
		if (!*path) {
			xm_fail("There is no configuration file '%s'%s.", file,
				strchr(file, '/') ? "" : ", neither here nor in " DIRECTORY);
			return NULL;
		}
		if (file_read(*path, CONFIG_MAX_TEXT, &text, &error))
			xm_fail("%s", error_text(error));
	}
	if (!error)
		config = parse(&text, *path, overrides, count);
	error_free(&error);
	str_free(&text);
	return config;
}

struct config *domain_file_read(char *const *operands, int count, const char *file, char **path)
{
	const char **overrides = xcalloc((size_t)count + 1, sizeof(*overrides));
	struct config *config = NULL;
	bool good = true;
	size_t words = 0;

	*path = NULL;
	for (int i = 0; i < count && good; i++) {
		if (is_override(operands[i])) {
			overrides[words++] = operands[i];
		} else if (!file) {
			file = operands[i];
		} else {
			xm_fail("'%s' is neither KEY=VALUE nor the file, which is '%s'.",
				operands[i], file);
			good = false;
		}
	}
	if (good)
		config = read_file(file, overrides, words, path);
	free(overrides);
	return config;
}
