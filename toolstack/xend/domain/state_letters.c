/* SPDX-License-Identifier: MIT */
/*
 * The six letters of a domain's state. Programs compare all six: Ganeti knows a handful of
 * combinations, and one that it does not know makes it refuse the list of the whole host.
 */
#include "xend/domain/state_letters.h"

#include <xen/sched.h>

/*
 * A guest that reboots, is saved or moves has shut down for a moment. xl shows that as "---sr-" and
 * "---ss-", which Ganeti takes for a guest that goes on; "---s--" is one that its user shut down.
 */
static char ended_letter(unsigned int reason)
{
	return reason == SHUTDOWN_reboot ? 'r' : reason == SHUTDOWN_suspend ? 's' : '-';
}

void domain_state_letters(const struct hv_domain_info *info, char letters[7])
{
	bool crashed = info->shutdown && info->shutdown_reason == SHUTDOWN_crash;
	/* The vCPUs of a domain that has ended stay blocked, if they were, until it is freed. */
	bool ended = info->shutdown || info->dying;
	char letter = info->shutdown ? ended_letter(info->shutdown_reason) : '-';

	letters[0] = info->running && !ended ? 'r' : '-';
	/*
	 * A paused domain whose vCPUs all block is shown as paused only: programs expect "--p---".
	 */
	letters[1] = info->blocked && !info->paused && !ended ? 'b' : '-';
	letters[2] = info->paused ? 'p' : '-';
	/* "---srd" is a combination that Ganeti does not know; "-----d" counts as running, too. */
	letters[3] = info->shutdown && !crashed && !(info->dying && letter != '-') ? 's' : '-';
	letters[4] = crashed ? 'c' : info->dying ? '-' : letter;
	letters[5] = info->dying ? 'd' : '-';
	letters[6] = '\0';
}
