/* SPDX-License-Identifier: MIT */
/* Parses a bootloader's output line by line, and copies only what it has checked. */
#include "worker/build/bootloader_output.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct item {
	const char *word;
	char *to;
	size_t size;
	bool is_path;
	const char *twice, *bad;
};

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* Copies NAME from DIRECTORY/NAME. False when the value has another form, or an unsafe name. */
static bool take_name(const char *value, size_t length, const char *directory, char *name,
		      size_t size)
{
	size_t above = strlen(directory);

	if (length <= above + 1 || memcmp(value, directory, above) != 0 || value[above] != '/')
		return false;
	value += above + 1;
	length -= above + 1;
	if (length >= size || memchr(value, '/', length) || value[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (is_control(value[i]))
			return false;
	memcpy(name, value, length);
	name[length] = '\0';
	return true;
}

/*
 * Copies the command line with blanks for tabs. False when it is too long or has control
 * characters.
 */
static bool take_args(const char *value, size_t length, char *args, size_t size)
{
	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (is_control(value[i]) && value[i] != '\t')
			return false;
		args[i] = value[i] == '\t' ? ' ' : value[i];
	}
	args[length] = '\0';
	return true;
}

static int take_line(const char *line, size_t length, const struct item *items, size_t count,
		     bool *seen, const char *directory, const char **why)
{
	for (size_t i = 0; i < count; i++) {
		size_t word = strlen(items[i].word);
		const char *value = line + word + 1;

		if (length <= word + 1 || memcmp(line, items[i].word, word) != 0 ||
		    line[word] != ' ')
			continue;
		*why = items[i].twice;
		if (seen[i])
			return -EBADMSG;
		seen[i] = true;
		*why = items[i].bad;
		if (!(items[i].is_path ?
			      take_name(value, length - word - 1, directory, items[i].to,
					items[i].size) :
			      take_args(value, length - word - 1, items[i].to, items[i].size)))
			return -EBADMSG;
	}
	return 0;
}

static bool ends_line(char c)
{
	return c == '\n' || c == '\0';
}

int bootloader_output_parse(const char *text, size_t length, const char *directory,
			    struct bootloader_output *output, const char **why)
{
	const struct item items[] = {
		{ "kernel", output->kernel, sizeof(output->kernel), true, "names two kernels",
		  "names a kernel that is no file of its directory" },
		{ "ramdisk", output->ramdisk, sizeof(output->ramdisk), true, "names two ramdisks",
		  "names a ramdisk that is no file of its directory" },
		{ "args", output->args, sizeof(output->args), false, "says two command lines",
		  "says a command line of more than 1023 bytes, or with control characters" },
	};
	bool seen[sizeof(items) / sizeof(items[0])] = { false };

	memset(output, 0, sizeof(*output));
	for (size_t begin = 0, end; begin < length; begin = end + 1) {
		int rc;

		end = begin;
		while (end < length && !ends_line(text[end]))
			end++;
		rc = take_line(text + begin, end - begin, items, sizeof(items) / sizeof(items[0]),
			       seen, directory, why);
		if (rc)
			return rc;
	}
	*why = "finds no kernel";
	return seen[0] ? 0 : -EBADMSG;
}
