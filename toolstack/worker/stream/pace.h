/* SPDX-License-Identifier: MIT */
/*
 * When the last round of a live migration begins, and how much the guest is slowed until then.
 * Pure: whoever uses it tells the time.
 */
#ifndef WORKER_STREAM_PACE_H
#define WORKER_STREAM_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace_wish {
	uint64_t downtime_ms; /* the guest may stand still for so long while the rest is sent */
	bool strict;	      /* rather not at all than longer */
	bool throttle;	      /* a guest that writes too fast may be slowed */
	uint64_t timeout_ms;  /* for all rounds; 0: none */
};

/* A round has been sent, and the log read. */
struct pace_round {
	uint64_t sent_bytes, sent_ns; /* in that round; without pauses that --rate makes */
	uint64_t written_bytes;	      /* by the guest, since the log was read before */
	uint64_t written_ns;	      /* how long ago that was */
	uint64_t left_bytes;	      /* to send now */
	uint64_t since_begin_ns;
};

enum pace_next {
	PACE_ROUND,   /* one more */
	PACE_SLOWER,  /* one more, and the guest gets only `percent` of its processors */
	PACE_LAST,    /* suspend it, and send the rest */
	PACE_TIMEOUT, /* give up: time is over */
	PACE_HOPELESS /* give up: slowing does not help */
};

struct pace {
	unsigned int round;   /* how many are sent */
	unsigned int percent; /* of its processors that the guest gets */
	uint64_t send_rate;   /* bytes a second, over the last rounds */
	uint64_t write_rate;
	/* Private. */
	uint64_t sent_bytes, sent_ns, left_before;
	unsigned int stalled;
};

void pace_begin(struct pace *p);
enum pace_next pace_after_round(struct pace *p, const struct pace_wish *wish,
				const struct pace_round *round);
/* Milliseconds that sending so much takes. */
uint64_t pace_time_for(const struct pace *p, uint64_t bytes);

#endif
