/* SPDX-License-Identifier: MIT */
/* Looks commands up in their tables, by name, older name or prefix, and runs them. */
#include "xm/command.h"

#include <stdio.h>
#include <string.h>

#include "lib/str.h"

const struct xm_group xm_groups[] = {
	{ "Domains", xm_lifecycle_commands }, { "Managed domains", xm_managed_commands },
	{ "Queries", xm_query_commands },     { "Resources", xm_resource_commands },
	{ "The host", xm_host_commands },     { "Devices", xm_device_commands },
	{ "Help", xm_help_commands },	      { NULL, NULL },
};

/* Names from earlier releases: they work with a warning, and help does not show them. */
static const struct {
	const char *old;
	const char *name;
} aliases[] = {
	{ "balloon", "mem-set" },
	{ "set-mem", "mem-set" },
	{ "maxmem", "mem-max" },
	{ "set-vcpus", "vcpu-set" },
	{ "pincpu", "vcpu-pin" },
	{ "vif-list", "network-list" },
	{ "vif-create", "network-attach" },
	{ "vif-destroy", "network-detach" },
	{ "vbd-list", "block-list" },
	{ "vbd-create", "block-attach" },
	{ "vbd-destroy", "block-detach" },
	{ "vbd-refresh", "block-configure" },
};

#define ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* Appends a name to a text, with a comma before it unless it is the first. */
static void append(char *text, size_t size, const char *name)
{
	size_t used = text ? strlen(text) : size;

	if (used < size)
		snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

static const struct xm_command *find_exact(const char *word)
{
	for (const struct xm_group *group = xm_groups; group->title; group++) {
		for (const struct xm_command *command = group->commands; command->name; command++) {
			if (strcmp(command->name, word) == 0)
				return command;
		}
	}
	return NULL;
}

/* Counts the commands that begin with the word, and sets *command to the first. */
static int find_prefix(const char *word, const struct xm_command **command, char *names,
		       size_t size)
{
	int count = 0;

	for (const struct xm_group *group = xm_groups; group->title; group++) {
		for (const struct xm_command *c = group->commands; c->name; c++) {
			if (strncmp(c->name, word, strlen(word)) != 0)
				continue;
			if (count++ == 0)
				*command = c;
			append(names, size, c->name);
		}
	}
	return count;
}

/* Appends the commands that are spelt most like the word: at most two mistakes away. */
static void find_alike(const char *word, char *names, size_t size)
{
	unsigned int best = 2;

	if (strlen(word) < 3)
		return;
	for (const struct xm_group *group = xm_groups; group->title; group++) {
		for (const struct xm_command *c = group->commands; c->name; c++) {
			unsigned int distance = str_distance(word, c->name, best);

			if (distance > best)
				continue;
			if (distance < best && names)
				names[0] = '\0';
			best = distance;
			append(names, size, c->name);
		}
	}
}

enum xm_find_result xm_find(const char *word, const struct xm_command **command, char *candidates,
			    size_t size)
{
	int count = 0;

	if (candidates && size)
		candidates[0] = '\0';
	*command = find_exact(word);
	if (*command)
		return XM_FOUND;
	for (size_t i = 0; i < ALIASES; i++) {
		if (strcmp(aliases[i].old, word) == 0) {
			*command = find_exact(aliases[i].name);
			return *command ? XM_FOUND_ALIAS : XM_NOT_FOUND;
		}
	}
	if (strlen(word) >= 2)
		count = find_prefix(word, command, candidates, size);
	if (count == 1)
		return XM_FOUND;
	*command = NULL;
	if (!count)
		find_alike(word, candidates, size);
	return count ? XM_AMBIGUOUS : XM_NOT_FOUND;
}
