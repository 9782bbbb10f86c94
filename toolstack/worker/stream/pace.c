/* SPDX-License-Identifier: MIT */
/*
 * A round helps if it leaves clearly less to send than the one before. One that does not is
 * answered by a smaller share of the processors, from the third round on: in the first one the
 * guest has all the time that its whole memory takes.
 */
#include "worker/stream/pace.h"

#include <stddef.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

/* So little is always sent at once: a guest at rest writes about as much from round to round. */
#define SMALL_REST (256ULL << 10)
/* Per cent of the allowed time that the rest may take by measure; the guest writes meanwhile. */
#define MARGIN 70
/* Milliseconds in which a guest that is asked to suspend still writes. */
#define SUSPEND_MS 20
/* A round helps if it leaves less than so many per cent of what was left before. */
#define PROGRESS 75
/* Rounds that do not help, at the lowest share, before it is given up. */
#define STALLS 6
/* Milliseconds that the guest may stand still before that, if nobody has named another time. */
#define LAST_RESORT_MS 1000

static const unsigned int shares[] = { 100, 70, 50, 35, 25, 17, 12, 8, 5 };
#define LOWEST (shares[sizeof(shares) / sizeof(shares[0]) - 1])

void pace_begin(struct pace *p)
{
	*p = (struct pace){ .percent = shares[0] };
}

static uint64_t rate(uint64_t bytes, uint64_t ns)
{
	return (uint64_t)((double)bytes * (double)NS_PER_S / (double)(ns ? ns : 1));
}

uint64_t pace_time_for(const struct pace *p, uint64_t bytes)
{
	return (uint64_t)((double)bytes * 1000.0 / (double)(p->send_rate ? p->send_rate : 1));
}

/* Small rounds measure badly, so the ones before count, each half as much as the next. */
static void measure(struct pace *p, const struct pace_round *round)
{
	p->round++;
	p->sent_bytes = p->sent_bytes / 2 + round->sent_bytes;
	p->sent_ns = p->sent_ns / 2 + round->sent_ns;
	p->send_rate = rate(p->sent_bytes, p->sent_ns);
	p->write_rate = rate(round->written_bytes, round->written_ns);
}

static bool fits(const struct pace *p, const struct pace_round *round, uint64_t allowed_ms)
{
	uint64_t expected = round->left_bytes + p->write_rate * SUSPEND_MS / 1000;

	return round->left_bytes <= SMALL_REST ||
	       pace_time_for(p, expected) * 100 <= allowed_ms * MARGIN;
}

static unsigned int lower(unsigned int percent)
{
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (shares[i] < percent)
			return shares[i];
	return percent;
}

/* The last round has not helped. */
static enum pace_next stall(struct pace *p, const struct pace_wish *wish,
			    const struct pace_round *round)
{
	if (!wish->throttle)
		return PACE_ROUND;
	if (p->percent > LOWEST) {
		p->percent = lower(p->percent);
		return PACE_SLOWER;
	}
	if (++p->stalled < STALLS)
		return PACE_ROUND;
	return !wish->strict && fits(p, round, LAST_RESORT_MS) ? PACE_LAST : PACE_HOPELESS;
}

enum pace_next pace_after_round(struct pace *p, const struct pace_wish *wish,
				const struct pace_round *round)
{
	uint64_t before = p->left_before;

	measure(p, round);
	p->left_before = round->left_bytes;
	if (fits(p, round, wish->downtime_ms))
		return PACE_LAST;
	if (wish->timeout_ms && round->since_begin_ns / NS_PER_MS >= wish->timeout_ms)
		return PACE_TIMEOUT;
	if (p->round < 2 || round->left_bytes * 100 < before * PROGRESS)
		return PACE_ROUND;
	return stall(p, wish, round);
}
