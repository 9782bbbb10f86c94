/* SPDX-License-Identifier: MIT */
/* Finds and reads a domain's configuration file, with key=value words from the command line. */
#include "xm/commands/domain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "xm/python/evaluate.h"

#define DIRECTORY    "/etc/xen"
#define DEFAULT_PATH ".:" DIRECTORY

/* A file that is being read. */
struct reading {
	const struct domain_file_options *options;
	char *path; /* NULL: there are only words */
	struct str text;
	const char **words; /* key=value, from the command line */
	size_t nr_words;
	char *directory;       /* relative paths are below it */
	bool is_roots;	       /* only root can have written the file */
	struct config *config; /* the result */
};

static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* The name in a directory (of `length` bytes; 0: this one), as it is or with ".cfg". */
static char *find_in(const char *directory, size_t length, const char *name)
{
	for (int suffix = 0; suffix < 2; suffix++) {
		char *path = xasprintf("%.*s%s%s%s", (int)length, directory, length ? "/" : "",
				       name, suffix ? ".cfg" : "");

		if (is_file(path))
			return path;
		free(path);
	}
	return NULL;
}

char *domain_file_find(const char *name, const char *directories)
{
	char *path = NULL;

	if (strchr(name, '/'))
		return find_in("", 0, name);
	for (const char *at = directories ? directories : DEFAULT_PATH; !path && at;) {
		const char *end = strchrnul(at, ':');
		size_t length = (size_t)(end - at);

		path = length == 1 && *at == '.' ? find_in("", 0, name) : find_in(at, length, name);
		at = *end ? end + 1 : NULL;
	}
	return path;
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

/* Prints what the diagnostics say; `config` is what came of it. Returns an enum xm_status. */
static int report(const struct reading *r, struct config_diags *diags, const struct config *config)
{
	int status = XM_OK;

	print_diags(diags);
	if (!config)
		status = xm_fail("%s%s: %zu error%s; nothing was changed.",
				 r->path ? "Configuration file " : "",
				 r->path ? r->path : "The words of the command line",
				 diags->nr_errors, diags->nr_errors == 1 ? "" : "s");
	config_diags_free(diags);
	return status;
}

static const char *source_of(const struct reading *r)
{
	return r->path ? r->path : "command line";
}

static int parse(struct reading *r)
{
	struct config_diags diags = { .strict = r->options->strict,
				      .directory = r->directory,
				      .name = r->path ? basename(r->path) : NULL };

	r->config = config_parse(str_text(&r->text), r->text.len, source_of(r), r->words,
				 r->nr_words, &diags);
	return report(r, &diags, r->config);
}

static int print_help(const char *text)
{
	fputs(text, stdout);
	return XM_OK;
}

/* Adds an error that the program's answer names. */
static void add_error(const struct reading *r, struct json_object *error,
		      struct config_diags *diags)
{
	struct config_pos pos = { 0, 0 };
	int64_t line = 0, column = 0;
	const char *text = "";

	json_opt_int(error, "line", 0, INT32_MAX, 0, &line, NULL);
	json_opt_int(error, "column", 0, INT32_MAX, 0, &column, NULL);
	json_opt_string(error, "text", "", &text, NULL);
	if (line)
		pos = (struct config_pos){ (unsigned int)line, (unsigned int)column };
	config_error(diags, r->path, pos, "%s", text);
}

/* `plain`: the errors of the plain syntax, for a file that is no Python either. */
static int use_answer(struct reading *r, struct json_object *answer, struct config_diags *plain)
{
	struct json_object *errors = json_find(answer, "errors");
	struct config_diags diags = { .strict = r->options->strict,
				      .directory = r->directory,
				      .name = r->path ? basename(r->path) : NULL };
	const char *help = NULL;

	if (json_find(answer, "plain"))
		return report(r, plain, NULL);
	json_opt_string(answer, "help", NULL, &help, NULL);
	if (help)
		return print_help(help);
	if (!json_object_is_type(errors, json_type_array)) {
		r->config = config_from_program(answer, r->path, r->words, r->nr_words, &diags);
		return report(r, &diags, r->config);
	}
	for (size_t i = 0; i < json_object_array_length(errors); i++)
		add_error(r, json_object_array_get_idx(errors, i), &diags);
	return report(r, &diags, NULL);
}

static int evaluate(struct reading *r, struct config_diags *plain)
{
	struct python_file file = { .path = r->path,
				    .text = &r->text,
				    .words = r->words,
				    .nr_words = r->nr_words,
				    .help = r->options->help,
				    .seconds = r->options->seconds ? r->options->seconds :
								     PYTHON_SECONDS };
	struct json_object *answer = NULL;
	struct error *error = NULL;
	int status;

	fflush(stdout);
	if (python_evaluate(&file, &answer, &error))
		status = xm_fail("%s", error_text(error));
	else
		status = use_answer(r, answer, plain);
	json_object_put(answer);
	error_free(&error);
	return status;
}

static unsigned int first_line(const struct config_diags *plain)
{
	return plain->nr ? plain->list[0].pos.line : 1;
}

static int refuse_python(const struct reading *r, struct config_diags *plain)
{
	print_diags(plain);
	return xm_fail("Configuration file %s is not plain KEY = VALUE, first in line %u, and "
		       "--no-python keeps it from being run as Python; nothing was changed.",
		       r->path, first_line(plain));
}

/* A file that is not plain is a Python program, as all files were for xm of Xen 3. */
static int read_text(struct reading *r)
{
	struct config_diags plain = { 0 };
	char *none;
	int status;

	if (config_is_plain(str_text(&r->text), r->text.len, r->path, &plain)) {
		none = xasprintf("%s takes no variables.\n", r->path);
		status = r->options->help ? print_help(none) : parse(r);
		free(none);
	} else if (r->options->no_python) {
		status = refuse_python(r, &plain);
	} else if (r->options->roots_python && !r->is_roots) {
		status = xm_fail("%s is a Python program (line %u is not plain KEY = VALUE). It "
				 "would run as root, so it must belong to root, and nobody else "
				 "may be allowed to write it.",
				 r->path, first_line(&plain));
	} else {
		status = evaluate(r, &plain);
	}
	config_diags_free(&plain);
	return status;
}

/* One open(): whoever replaces the file now is too late. */
static int load(struct reading *r, struct error **e)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	int rc;

	if (fd < 0 || fstat(fd, &status)) {
		rc = error_set(e, errno, "Cannot open %s: %s.", r->path, strerror(errno));
	} else {
		r->is_roots = !status.st_uid && !(status.st_mode & (S_IWGRP | S_IWOTH));
		rc = file_read_fd(fd, r->path, CONFIG_MAX_TEXT, &r->text, e);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int read_file(struct reading *r, const char *file)
{
	struct error *error = NULL;
	struct stat found;
	int status;

	if (!file)
		return parse(r);
	r->path = domain_file_find(file, r->options->path);
	if (!r->path && lstat(file, &found) == 0)
		return xm_fail("'%s' is %s, and no configuration file.", file,
			       S_ISDIR(found.st_mode) ? "a directory" :
							"a link that leads nowhere");
	if (!r->path)
		return xm_fail("There is no configuration file '%s'%s%s.", file,
			       strchr(file, '/') ? "" :
			       r->options->path	 ? " in " :
						   ", neither here nor in " DIRECTORY,
			       strchr(file, '/') || !r->options->path ? "" : r->options->path);
	if (load(r, &error))
		status = xm_fail("%s", error_text(error));
	else
		status = read_text(r);
	error_free(&error);
	return status;
}

int domain_file_read(char *const *operands, int count, const struct domain_file_options *options,
		     struct config **config, char **path)
{
	struct reading r = { .options = options, .directory = get_current_dir_name() };
	const char *file = options->file;
	int status = XM_OK;

	r.words = xcalloc((size_t)count + 1, sizeof(*r.words));
	for (int i = 0; i < count && status == XM_OK; i++) {
		if (is_override(operands[i]))
			r.words[r.nr_words++] = operands[i];
		else if (!file)
			file = operands[i];
		else
			status = xm_fail("'%s' is neither KEY=VALUE nor the file, which is '%s'.",
					 operands[i], file);
	}
	if (status == XM_OK)
		status = read_file(&r, file);
	*config = r.config;
	*path = r.path;
	free(r.words);
	free(r.directory);
	str_free(&r.text);
	return status;
}
