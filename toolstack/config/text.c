/* SPDX-License-Identifier: MIT */
/*
 * The kinds of text that keys require: one parser for each accepts and makes canonical, or refuses.
 */
#include "config/text.h"
#include "config/config.h"
#include "config/cpus.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

static char *parse_any(const char *text)
{
	const char *p = text;

	while (*p) {
		size_t len = str_utf8_length(p);

		if (!len || ((unsigned char)*p < ' ' && *p != '\t') || *p == 127)
			return NULL;
		p += len;
	}
	return xstrdup(text);
}

/* Accepts at most `longest` characters of the set, of which the first is no punctuation. */
static char *parse_chars(const char *text, const char *set, size_t longest)
{
	size_t len = strspn(text, set);

	if (!len || text[len] || len > longest || !(isalnum((unsigned char)*text) || *text == '_'))
		return NULL;
	return xstrdup(text);
}

static char *parse_name(const char *text)
{
	return parse_chars(text, LETTERS DIGITS "_.:+-", 64);
}

/*
 * A domain's name is part of file names and a word of commands: without slashes, and not like an
 * option. Blanks at an end would be seen by nobody.
 */
static char *parse_domain(const char *text)
{
	size_t len = strlen(text);

	if (!len || len > CONFIG_NAME_MAX || *text == '-' || *text == ' ' || text[len - 1] == ' ' ||
	    strpbrk(text, "/\t") || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return NULL;
	return parse_any(text);
}

static char *parse_path(const char *text)
{
	return *text == '/' && strlen(text) < 4096 ? parse_any(text) : NULL;
}

static char *parse_program(const char *text)
{
	return *text == '/' ? parse_path(text) : parse_chars(text, LETTERS DIGITS "_.+-", 128);
}

static bool is_address(const char *text, unsigned int *bits)
{
	unsigned char address[16];

	*bits = strchr(text, ':') ? 128 : 32;
	return inet_pton(*bits == 32 ? AF_INET : AF_INET6, text, address) == 1;
}

static char *parse_address(const char *text)
{
	unsigned int bits;

	return is_address(text, &bits) ? xstrdup(text) : NULL;
}

/* ADDRESS, ADDRESS:DISPLAY or [ADDRESS]:DISPLAY. */
static char *parse_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	unsigned int bits;
	uint64_t display;
	char *address, *found;

	if (strcmp(text, "localhost") == 0)
		return xstrdup("127.0.0.1");
	if (strcmp(text, "*") == 0)
		return xstrdup("0.0.0.0");
	if (!colon || is_address(text, &bits))
		return parse_address(text);
	if (!str_to_u64(colon + 1, 10, 0, CONFIG_DISPLAY_MAX, &display))
		return NULL;
	if (*text == '[' && colon[-1] == ']')
		address = xstrndup(text + 1, (size_t)(colon - text) - 2);
	else
		address = xstrndup(text, (size_t)(colon - text));
	found = strcmp(address, "localhost") == 0 ? xstrdup("127.0.0.1") : parse_address(address);
	free(address);
	address = NULL;
	if (found)
		address = strchr(found, ':') ? xasprintf("[%s]:%s", found, colon + 1) :
					       xasprintf("%s:%s", found, colon + 1);
	free(found);
	return address;
}

static char *parse_addresses(const char *text)
{
	struct str all = STR_INIT;
	char *copy = xstrdup(text), *rest = copy, *word;
	bool good = true;

	while (good && (word = strsep(&rest, " \t"))) {
		char *slash = strchr(word, '/');
		unsigned int most;
		uint64_t bits;

		if (!*word)
			continue;
		str_printf(&all, "%s%s", all.len ? " " : "", word);
		if (slash)
			*slash = '\0';
		good = is_address(word, &most) &&
		       (!slash || str_to_u64(slash + 1, 10, 0, most, &bits));
	}
	good &= all.len > 0;
	free(copy);
	word = str_steal(&all);
	if (good)
		return word;
	free(word);
	return NULL;
}

static char *parse_vdev(const char *text)
{
	return config_vdev_number(text) < 0 ? NULL : xstrdup(text);
}

static char *parse_rate(const char *text)
{
	uint64_t bytes, interval;

	return config_rate_parse(text, &bytes, &interval, NULL) ? NULL : xstrdup(text);
}

static char *parse_backend(const char *text)
{
	uint64_t domid;

	if (strcmp(text, "Domain-0") == 0)
		return xstrdup("0");
	return str_to_u64(text, 10, 0, 32751, &domid) ?
		       xasprintf("%llu", (unsigned long long)domid) :
		       parse_domain(text);
}

/* What block scripts take, and paths. */
static char *parse_target(const char *text)
{
	return *text && strlen(text) < 4096 ? parse_any(text) : NULL;
}

/* What the scripts of bridges and of Open vSwitch take; it becomes one word of a shell. */
static char *parse_bridge(const char *text)
{
	return parse_chars(text, LETTERS DIGITS "_.:-", 255);
}

static char *parse_interface(const char *text)
{
	return parse_chars(text, LETTERS DIGITS "_.:-", 15);
}

static char *parse_cpus(const char *text)
{
	return cpus_check(text, NULL) ? NULL : xstrdup(text);
}

const struct config_text text_any = { "a string in one line, in UTF-8", parse_any, true };
const struct config_text text_domain = {
	"a name of at most 200 bytes in one line, without / and without a - before it",
	parse_domain, true
};
const struct config_text text_name = { "a name of letters, digits and _ . : + - (64 at most)",
				       parse_name, true };
const struct config_text text_uuid = { "a UUID such as \"6b3c7a10-2f4e-4d7a-9f0e-0123456789ab\"",
				       config_uuid_parse, false };
const struct config_text text_path = { "an absolute path", parse_path, false };
const struct config_text text_program = { "a program's name or absolute path", parse_program,
					  false };
const struct config_text text_address = { "an IP address", parse_address, false };
const struct config_text text_listen = { "an IP address, which :DISPLAY may follow", parse_listen,
					 false };
const struct config_text text_addresses = { "IP addresses separated by blanks", parse_addresses,
					    false };
const struct config_text text_mac = {
	"a MAC address such as \"00:16:3e:01:02:03\", not a multicast one", config_mac_parse, false
};
const struct config_text text_vdev = { "a virtual disk such as xvda, xvda1, sda or hda", parse_vdev,
				       true };
const struct config_text text_rate = { "a rate such as \"10Mb/s\" or \"250KB/s@20ms\"", parse_rate,
				       false };
const struct config_text text_backend = { "a domain's name or number", parse_backend, true };
const struct config_text text_target = { "a path, or a text for the script", parse_target, false };
const struct config_text text_bridge = { "a bridge such as xenbr0 or ovsbr0.20", parse_bridge,
					 false };
const struct config_text text_interface = { "a network interface's name (15 characters at most)",
					    parse_interface, false };
const struct config_text text_cpus = { "CPUs such as \"0-3,5,^1\", \"nodes:0\" or \"all\"",
				       parse_cpus, true };
