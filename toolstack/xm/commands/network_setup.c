/* SPDX-License-Identifier: MIT */
/* `xm network-setup` runs a program of its own, which knows the managers of a host's network. */
#include "xm/commands/network_setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* XM_NETWORK_SETUP in the environment names another one, for tests. */
#define PROGRAM	    "/usr/lib/xenolith/network"
#define PROGRAM_ENV "XM_NETWORK_SETUP"

int network_setup_run(const struct xm_args *args)
{
	const char *program = getenv(PROGRAM_ENV);
	const struct xm_option *option = args->command->options;
	char *words[2 * XM_MAX_OPTIONS + 4];
	char names[XM_MAX_OPTIONS][32];
	int n = 0;

	if (!program || !*program)
		program = PROGRAM;
	words[n++] = (char *)"python3";
	words[n++] = (char *)"-B"; /* no files of ours beside those of the package */
	words[n++] = (char *)program;
	for (int i = 0; option[i].name; i++) {
		if (!args->value[i])
			continue;
		strcpy(stpcpy(names[i], "--"), option[i].name);
		words[n++] = names[i];
		if (option[i].argument)
			words[n++] = (char *)args->value[i];
	}
	words[n] = NULL;
	if (access(program, R_OK))
		return xm_fail("Cannot set up the network: %s: %s. It belongs to the package "
			       "xenolith-utils.",
			       program, strerror(errno));
	execv("/usr/bin/python3", words);
	return xm_fail("Cannot run /usr/bin/python3 %s: %s.", program, strerror(errno));
}

const struct xm_option network_setup_options[] = {
	{ 'b', "bridge", "NAME", "the bridge's name; the default is xenbr0" },
	{ 'i', "interface", "NAME",
	  "the card of the host that joins it; the default is the one with the default route" },
	{ XM_OPTION_NAT, "nat", NULL,
	  "join no card: guests get a network of their own, and reach others by the host's "
	  "address" },
	{ XM_OPTION_ADDRESS, "address", "ADDRESS/LENGTH",
	  "with --nat: the host's address in that network; the default is 10.55.0.1/24" },
	{ 'n', "dry-run", NULL, "show what would be done" },
	{ XM_OPTION_UNDO, "undo", NULL, "take the bridge back" },
	{ 0 },
};
