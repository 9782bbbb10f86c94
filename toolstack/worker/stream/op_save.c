/* SPDX-License-Identifier: MIT */
/*
 * The operation "save": writes a domain's stream to the given descriptor, after xend has suspended
 * it, or while it runs. docs/design/worker.md has the request.
 */
#include "worker/worker.h"

#include <string.h>
#include <time.h>

#include "lib/str.h"
#include "worker/limits.h"
#include "worker/target.h"
#include "worker/stream/save.h"

/* Milliseconds between two reports of progress in a round. */
#define REPORT_INTERVAL 200

/* --- while it runs --- */

struct running {
	struct json_object *request;
	struct hv *hv;
};

static int have_suspended(void *arg, struct error **e)
{
	struct running *running = arg;
	int rc = worker_ask("suspend", e);

	return rc ? rc : target_check(running->request, running->hv, e);
}

static void report(const struct save_live_progress *p)
{
	static uint64_t said_at;
	static unsigned int round;
	struct json_object *numbers;
	struct str stage = STR_INIT;
	struct timespec now;
	uint64_t ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (round == p->round && ms - said_at < REPORT_INTERVAL)
		return;
	said_at = ms;
	round = p->round;
	str_printf(&stage, p->last ? "last round" : "round %u", p->round);
	numbers = json_new_object();
	json_set_int(numbers, "round", p->round);
	json_set_bool(numbers, "last", p->last);
	json_set_int(numbers, "sent_bytes", (int64_t)p->sent_bytes);
	json_set_int(numbers, "left_bytes",
		     (int64_t)(p->total_bytes > p->done_bytes ? p->total_bytes - p->done_bytes :
								0));
	json_set_int(numbers, "send_rate", (int64_t)p->send_rate);
	json_set_int(numbers, "write_rate", (int64_t)p->write_rate);
	json_set_int(numbers, "percent", p->percent);
	worker_progress_numbers(str_text(&stage), p->done_bytes, p->total_bytes, numbers);
	str_free(&stage);
}

static int get_number(struct json_object *o, const char *key, int64_t most, uint64_t *to,
		      struct error **e)
{
	int64_t value;
	int rc = json_opt_int(o, key, 0, most, 0, &value, e);

	*to = rc ? 0 : (uint64_t)value;
	return rc;
}

static int get_live(struct json_object *o, struct save_live *live, struct error **e)
{
	uint64_t cap = 0;
	int rc = get_number(o, "downtime_ms", INT32_MAX, &live->wish.downtime_ms, e);

	if (rc == 0)
		rc = get_number(o, "timeout_ms", INT64_MAX, &live->wish.timeout_ms, e);
	if (rc == 0)
		rc = get_number(o, "rate", INT64_MAX, &live->rate, e);
	if (rc == 0)
		rc = get_number(o, "cap", INT32_MAX, &cap, e);
	live->cap = (unsigned int)cap;
	if (rc == 0)
		rc = json_opt_bool(o, "strict", false, &live->wish.strict, e);
	if (rc == 0)
		rc = json_opt_bool(o, "throttle", false, &live->wish.throttle, e);
	return rc ? rc : json_opt_bool(o, "must", false, &live->must, e);
}

static int save_running(struct json_object *request, struct json_object *order, struct hv *hv,
			uint32_t domid, int fd, struct json_object *result, struct error **e)
{
	struct running running = { request, hv };
	struct save_live live = { .suspend = have_suspended, .arg = &running, .progress = report };
	int rc = get_live(order, &live, e);

	if (rc == 0)
		rc = save_domain_live(hv, domid, fd, &live, e);
	if (rc == 0) {
		json_set_bool(result, "live", live.live);
		if (live.why_not)
			json_set_string(result, "why_not", error_text(live.why_not));
		json_set_int(result, "rounds", live.rounds);
		json_set_int(result, "percent", live.percent);
		json_set_int(result, "sent_bytes", (int64_t)live.sent_bytes);
		json_set_int(result, "last_bytes", (int64_t)live.last_bytes);
	}
	error_free(&live.why_not);
	return rc;
}

/* --- the operation --- */

static int save(struct json_object *request, struct hv *hv, uint32_t domid, int fd,
		struct json_object *result, struct error **e)
{
	struct json_object *live = NULL;
	struct hv_domain_info info;
	const char *suspend = NULL;
	int rc = json_opt_string(request, "suspend", NULL, &suspend, e);

	if (rc == 0)
		rc = json_opt_typed(request, "live", json_type_object, &live, e);
	if (rc == 0 && suspend)
		rc = worker_ask("suspend", e);
	if (rc == 0 && suspend)
		rc = target_check(request, hv, e);
	if (rc == 0)
		rc = hv_domain_info(hv, domid, &info, e);
	/* One that runs may get more, and what it gave back is forgotten late. */
	if (rc == 0)
		rc = limits_for_domain(live ? 2 * info.max_pages : info.pages, e);
	if (rc)
		return rc;
	return live ? save_running(request, live, hv, domid, fd, result, e) :
		      save_domain(hv, domid, fd, worker_progress, e);
}

int op_save(struct json_object *request, struct json_object *result, struct error **e)
{
	int64_t domid, fd;
	struct hv *hv = NULL;
	int rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);

	if (rc == 0)
		rc = json_get_int(request, "fd", 0, 1023, &fd, e);
	if (rc == 0)
		rc = target_open(request, &hv, e);
	if (rc == 0)
		rc = save(request, hv, (uint32_t)domid, (int)fd, result, e);
	hv_close(hv);
	return rc;
}
