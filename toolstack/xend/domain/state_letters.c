/* SPDX-License-Identifier: MIT */
/*
 * The six letters of a domain's state. Programs compare all six: Ganeti knows nine combinations,
 * and one that it does not know makes it refuse the list of the whole host.
 */
#include "xend/domain/state_letters.h"

#include <xen/sched.h>

void domain_state_letters(const struct hv_domain_info *info, char letters[7])
{
	bool crashed = info->shutdown && info->shutdown_reason == SHUTDOWN_crash;
	/* The vCPUs of a domain that has ended stay blocked, if they were, until it is freed. */
	bool ended = info->shutdown || info->dying;

	letters[0] = info->running && !ended ? 'r' : '-';
	/*
	 * A paused domain whose vCPUs all block is shown as paused only: programs expect "--p---".
	 */
	letters[1] = info->blocked && !info->paused && !ended ? 'b' : '-';
	letters[2] = info->paused ? 'p' : '-';
	letters[3] = info->shutdown && !crashed ? 's' : '-';
	letters[4] = crashed ? 'c' : '-';
	letters[5] = info->dying ? 'd' : '-';
	letters[6] = '\0';
}
