/* SPDX-License-Identifier: MIT */
/*
 * Sends a domain that runs. All pages go first, then, round by round, those that it has written to
 * since. When the rest is small enough it is suspended, and the last round sends that.
 *
 * ORDER. A round first reads the log, then the parts of the guest's list that have changed, then
 * sends. Whatever the guest does after the log was read is in the next round: writes, other frames
 * under a number, another type of a page. So what is sent of a running guest need not fit together,
 * and what cannot be read now waits for the next round. In the last one nothing changes any more,
 * and what cannot be read is an error.
 */
#include "worker/stream/save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xen/sched.h>

#include "lib/alloc.h"
#include "worker/stream/bitmap.h"
#include "worker/stream/live_frames.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
/* A batch takes so long at most when there is a limit on the rate. */
#define RATE_STEPS 20

struct live {
	struct save s;
	struct save_live *order;
	struct live_frames frames;
	uint64_t *todo;	 /* what this round sends */
	uint64_t *later; /* what the next one sends, whatever the log says */
	uint64_t *sent;	 /* what the other side has had */
	uint64_t *dirty;
	struct save_batch *batch;
	struct pace pace;
	struct save_live_progress progress;
	uint64_t begun_ns, read_ns; /* when it began, and when the log was read last */
	uint64_t slept_ns;	    /* in this round, for the limit on the rate */
	bool final;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* --- a round --- */

/* Adds a page to the batch, if there is something to say of it. */
static void take_page(struct live *l, uint64_t pfn)
{
	struct save_batch *b = l->batch;
	uint64_t mfn = l->frames.mfns[pfn];

	if (mfn == 0 && !bitmap_test(l->sent, pfn))
		return;
	b->mfns[b->count] = mfn ? mfn : l->s.info.shared_info_frame;
	b->words[b->count++] =
		pfn | (mfn ? 0 : (uint64_t)XEN_DOMCTL_PFINFO_XTAB << STREAM_TYPE_SHIFT);
}

/*
 * The types of the pages, as they are now. A frame that the guest has just given back is in its
 * list still, and its list in the log.
 */
static int type_pages(struct live *l, struct error **e)
{
	struct save_batch *b = l->batch;
	xen_pfn_t types[STREAM_BATCH];
	int rc;

	memcpy(types, b->mfns, b->count * sizeof(types[0]));
	rc = hv_frames_info(l->s.hv, l->s.domid, types, b->count, e);
	for (uint32_t i = 0; i < b->count && rc == 0; i++) {
		uint64_t pfn = b->words[i] & STREAM_PFN_MASK;
		uint64_t type = types[i] & XEN_DOMCTL_PFINFO_LTAB_MASK;

		if (b->words[i] >> STREAM_TYPE_SHIFT)
			continue; /* it has no frame */
		b->words[i] = type << STREAM_TYPE_SHIFT | pfn;
		if (type == XEN_DOMCTL_PFINFO_XTAB && !bitmap_test(l->sent, pfn)) {
			bitmap_set(l->later, pfn);
			b->count--;
			memmove(&b->words[i], &b->words[i + 1], (b->count - i) * sizeof(*b->words));
			memmove(&b->mfns[i], &b->mfns[i + 1], (b->count - i) * sizeof(*b->mfns));
			memmove(&types[i], &types[i + 1], (b->count - i) * sizeof(*types));
			i--;
		}
	}
	return rc;
}

/* Waits for as long as `bytes` may take in all since `begun`. */
static void keep_rate(struct live *l, uint64_t bytes, uint64_t begun)
{
	uint64_t due =
		begun + (uint64_t)((double)bytes * (double)NS_PER_S / (double)l->order->rate);
	uint64_t now = now_ns(), wait = due > now ? due - now : 0;
	struct timespec rest = { .tv_sec = (time_t)(wait / NS_PER_S),
				 .tv_nsec = (long)(wait % NS_PER_S) };

	if (wait == 0)
		return;
	nanosleep(&rest, NULL);
	l->slept_ns += now_ns() - now;
}

static uint32_t batch_size(const struct live *l)
{
	uint64_t pages = l->order->rate / RATE_STEPS / STREAM_PAGE + 1;

	return l->final || l->order->rate == 0 || pages > SAVE_BATCH_MAX ? SAVE_BATCH_MAX :
									   (uint32_t)pages;
}

static int send_batch(struct live *l, struct error **e)
{
	int rc = type_pages(l, e);

	if (rc == 0 && l->batch->count > 0)
		rc = save_send_batch(&l->s, l->batch, e);
	l->batch->count = 0;
	return rc;
}

static void report(struct live *l, uint64_t done)
{
	struct save_live_progress *p = &l->progress;

	p->round = l->pace.round + 1;
	p->percent = l->pace.percent;
	p->last = l->final;
	p->done_bytes = done * STREAM_PAGE;
	p->sent_bytes = l->s.out.written;
	p->send_rate = l->pace.send_rate;
	p->write_rate = l->pace.write_rate;
	l->order->progress(p);
}

static uint64_t count_todo(const struct live *l)
{
	uint64_t count = 0;

	for (size_t i = 0; i < bitmap_words(l->s.p2m.nr_pfns); i++)
		for (uint64_t word = l->todo[i]; word; word &= word - 1) {
			uint64_t pfn = i * 64 + (uint64_t)__builtin_ctzll(word);

			count += l->frames.mfns[pfn] || bitmap_test(l->sent, pfn);
		}
	return count;
}

/* Sends what is in todo, which is empty then. */
static int send_round(struct live *l, uint64_t total, struct error **e)
{
	uint64_t before = l->s.out.written, begun = now_ns(), done = 0;
	uint32_t most = batch_size(l);
	int rc = 0;

	l->progress.total_bytes = total * STREAM_PAGE;
	l->slept_ns = 0;
	report(l, 0);
	for (size_t i = 0; i < bitmap_words(l->s.p2m.nr_pfns) && rc == 0; i++) {
		for (; l->todo[i] && rc == 0; l->todo[i] &= l->todo[i] - 1) {
			take_page(l, i * 64 + (uint64_t)__builtin_ctzll(l->todo[i]));
			if (l->batch->count < most)
				continue;
			done += l->batch->count;
			rc = send_batch(l, e);
			if (rc == 0 && l->order->rate && !l->final)
				keep_rate(l, l->s.out.written - before, begun);
			report(l, done);
		}
	}
	return rc ? rc : send_batch(l, e);
}

/* --- the log --- */

/* Begins a new round: todo has what it must send. *written: pages, by the log. */
static int read_log(struct live *l, uint64_t *written, struct error **e)
{
	uint64_t nr_pfns = l->s.p2m.nr_pfns;
	bool moved = false;
	int rc = hv_log_dirty_round(l->s.hv, l->s.domid, l->dirty, nr_pfns, l->final, e);

	*written = 0;
	if (rc)
		return rc;
	for (size_t i = 0; i < bitmap_words(nr_pfns); i++) {
		*written += (uint64_t)__builtin_popcountll(l->dirty[i]);
		l->todo[i] |= l->dirty[i] | l->later[i];
		l->later[i] = 0;
	}
	rc = live_frames_update(&l->frames, l->dirty, l->todo, e);
	if (rc == 0 && l->final)
		rc = live_frames_find_again(&l->frames, l->s.shared, l->todo, &moved, e);
	if (rc == 0 && moved)
		rc = save_p2m_frames(&l->s, e);
	return rc;
}

/* --- until the last round --- */

static int slow(struct live *l, struct error **e)
{
	unsigned int own = l->s.info.online_vcpus * 100, cap;
	struct hv_credit credit;
	int rc = hv_sched_get(l->s.hv, l->s.domid, &credit, e);

	if (l->order->cap && l->order->cap < own)
		own = l->order->cap;
	cap = own * l->pace.percent / 100;
	credit.cap = cap ? cap : 1;
	if (rc == 0)
		rc = hv_sched_set(l->s.hv, l->s.domid, &credit, e);
	if (rc)
		error_prefix(e, "The domain writes faster than its memory can be sent, and cannot "
				"be slowed: ");
	return rc;
}

static int give_up(const struct live *l, uint64_t left, bool late, struct error **e)
{
	return error_set(
		e, ETIMEDOUT,
		"The domain was not sent %s: it writes %llu MB a second%s, %llu MB a second "
		"can be sent, and %llu MB are left, for which it would stand still for %llu "
		"ms. Allow that (--downtime), or send it while it stands still (--no-live).",
		late ? "in time" : "in the end", (unsigned long long)l->pace.write_rate / 1000000,
		l->pace.percent < 100 ? " though it is slowed" : "",
		(unsigned long long)l->pace.send_rate / 1000000, (unsigned long long)left / 1000000,
		(unsigned long long)pace_time_for(&l->pace, left));
}

/* Sends one round, and reads the log. *last: the next one is the last. */
static int one_round(struct live *l, uint64_t *total, bool *last, struct error **e)
{
	uint64_t before = l->s.out.written, begun = now_ns(), ended, written;
	struct pace_round round;
	int rc = send_round(l, *total, e);

	if (rc)
		return rc;
	ended = now_ns();
	rc = read_log(l, &written, e);
	if (rc)
		return rc;
	*total = count_todo(l);
	round = (struct pace_round){ .sent_bytes = l->s.out.written - before,
				     .sent_ns = ended - begun - l->slept_ns,
				     .written_bytes = written * STREAM_PAGE,
				     .written_ns = ended - l->read_ns,
				     .left_bytes = *total * STREAM_PAGE,
				     .since_begin_ns = ended - l->begun_ns };
	l->read_ns = ended;
	switch (pace_after_round(&l->pace, &l->order->wish, &round)) {
	case PACE_LAST:
		*last = true;
		return 0;
	case PACE_SLOWER:
		l->order->percent = l->pace.percent;
		return slow(l, e);
	case PACE_TIMEOUT:
		return give_up(l, round.left_bytes, true, e);
	case PACE_HOPELESS:
		return give_up(l, round.left_bytes, false, e);
	default:
		return 0;
	}
}

static int last_round(struct live *l, struct error **e)
{
	uint64_t written, before;
	int rc = l->order->suspend(l->order->arg, e);

	if (rc == 0)
		rc = hv_domain_info(l->s.hv, l->s.domid, &l->s.info, e);
	if (rc == 0 && (!l->s.info.shutdown || l->s.info.shutdown_reason != SHUTDOWN_suspend))
		rc = error_set(e, EBUSY, "Domain %u is not suspended, so it cannot be sent.",
			       l->s.domid);
	if (rc)
		return rc;
	l->final = true;
	l->batch->again = NULL;
	before = l->s.out.written;
	rc = read_log(l, &written, e);
	if (rc == 0)
		rc = send_round(l, count_todo(l), e);
	l->order->last_bytes = l->s.out.written - before;
	return rc;
}

/* Everything that it has, to begin with. */
static void todo_all(struct live *l)
{
	for (uint64_t pfn = 0; pfn < l->s.p2m.nr_pfns; pfn++)
		if (l->frames.mfns[pfn])
			bitmap_set(l->todo, pfn);
}

static int send_all(struct live *l, struct error **e)
{
	uint64_t total;
	bool last = false;
	int rc = save_head(&l->s, e);

	if (rc == 0)
		rc = save_p2m_frames(&l->s, e);
	todo_all(l);
	total = count_todo(l);
	while (rc == 0 && !last)
		rc = one_round(l, &total, &last, e);
	if (rc == 0)
		rc = last_round(l, e);
	return rc ? rc : save_tail(&l->s, e);
}

static int make_maps(struct live *l, struct error **e)
{
	size_t words = bitmap_words(l->s.p2m.nr_pfns);

	l->todo = calloc(words, sizeof(uint64_t));
	l->later = calloc(words, sizeof(uint64_t));
	l->sent = calloc(words, sizeof(uint64_t));
	l->dirty = calloc(words, sizeof(uint64_t));
	l->batch = calloc(1, sizeof(*l->batch));
	if (!l->todo || !l->later || !l->sent || !l->dirty || !l->batch)
		return error_set(e, ENOMEM, "Out of memory for the list of the domain's pages.");
	l->batch->sent = l->sent;
	l->batch->again = l->later;
	return 0;
}

/* The log is on. */
static int send_live(struct live *l, struct error **e)
{
	uint64_t max_mfn = 0, max_pages = l->s.info.max_pages;
	int rc = save_open(&l->s, &max_mfn, e);

	l->begun_ns = l->read_ns = now_ns();
	pace_begin(&l->pace);
	if (max_pages > GUEST_PFNS_MAX)
		max_pages = GUEST_PFNS_MAX;
	if (rc == 0)
		rc = live_frames_read(&l->frames, &l->s.p2m, l->s.hv, l->s.domid, l->s.shared,
				      max_mfn, max_pages, e);
	if (rc == 0)
		rc = make_maps(l, e);
	if (rc == 0)
		rc = send_all(l, e);
	l->order->rounds = l->pace.round + 1;
	l->order->sent_bytes = l->s.out.written;
	free(l->todo);
	free(l->later);
	free(l->sent);
	free(l->dirty);
	free(l->batch);
	live_frames_free(&l->frames);
	save_close(&l->s);
	return rc;
}

/* --- without a log --- */

static void ignore_progress(const char *stage, uint64_t done, uint64_t total)
{
}

static int send_standing(struct live *l, struct error **e)
{
	int rc = l->order->suspend(l->order->arg, e);

	l->order->live = false;
	l->order->rounds = 1;
	l->order->percent = 100;
	return rc ? rc : save_domain(l->s.hv, l->s.domid, l->s.out.fd, ignore_progress, e);
}

int save_domain_live(struct hv *hv, uint32_t domid, int fd, struct save_live *order,
		     struct error **e)
{
	struct live l = { .s = { .hv = hv,
				 .domid = domid,
				 .out.fd = fd,
				 .translate = live_frames_mfn_to_pfn,
				 .translate_arg = &l.frames },
			  .order = order };
	int rc = hv_domain_info(hv, domid, &l.s.info, e);

	if (rc)
		return rc;
	if (l.s.info.hvm)
		return error_set(
			e, EOPNOTSUPP,
			"Domain %u is fully virtualized: only paravirtualized ones can be sent.",
			domid);
	order->live = true;
	order->percent = 100;
	if (hv_log_dirty_start(hv, domid, &order->why_not) == 0)
		return send_live(&l, e);
	if (order->must) {
		error_prefix(&order->why_not, "The domain cannot be sent while it runs: ");
		error_move(e, &order->why_not);
		return -EOPNOTSUPP;
	}
	return send_standing(&l, e);
}
