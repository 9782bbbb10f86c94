/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/stream/frames.c toolstack/worker/stream/guest_p2m.c toolstack/worker/stream/in.c toolstack/worker/stream/out.c toolstack/worker/stream/op_restore.c toolstack/worker/stream/restore.c toolstack/worker/stream/restore_finish.c toolstack/worker/stream/restore_pages.c toolstack/worker/stream/save.c toolstack/worker/stream/save_pages.c toolstack/worker/stream/save_vcpus.c toolstack/worker/stream/vcpu_frames.c toolstack/worker/build/guest_memory.c toolstack/worker/limits.c toolstack/worker/build/request.c toolstack/worker/build/start.c hypervisor/lib/pv_start.c toolstack/worker/target.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c tests/unit/toolstack/fake_hv.c */
/* libs: -ljson-c -lseccomp */
/*
 * Whatever was saved can be restored, however large the domain was. A domain goes through random
 * changes of its memory and vCPUs, is saved and restored, again and again, with the sizes that xend
 * computes and with the hypervisor's limits in force.
 */
#include "config/domain_size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/sched.h>

#include "worker/worker.h"
#include "fake_hv.h"
#include "worker/stream/save.h"
#include "unit.h"

#define LIVES  60
#define CYCLES 3
#define NONE   UINT64_MAX
/* Frame numbers that the guest may use, whatever its maxmem is: 12 MiB. */
#define PFNS_MAX  3072
#define LIST_VIRT 0x8000000000ULL

/* Frames that the guest always keeps. */
enum { LIST = 2, L4 = 10, L3, L2, L1, START_INFO, STORE, CONSOLE, FIRST_FREE };

struct life {
	uint64_t seed;
	uint32_t domid;
	struct config *config;
	struct domain_size now;	     /* except pages, which the hypervisor knows */
	uint64_t mfns[PFNS_MAX];     /* NONE: the guest has no frame there */
	uint64_t contents[PFNS_MAX]; /* one word for each page; 0: a page of zeros */
	uint64_t nr_pfns;	     /* the length of its list */
};

void worker_progress(const char *stage, uint64_t done, uint64_t total)
{
}

static struct hv_domain_info *info(const struct life *l)
{
	return &fake.domains[l->domid].info;
}

static uint64_t *page(const struct life *l, uint64_t pfn)
{
	return fake.memory[l->mfns[pfn]];
}

/* --- what the guest does --- */

static bool give_frame(struct life *l, uint64_t pfn)
{
	xen_pfn_t frame = pfn;

	if (hv_memory_populate(NULL, l->domid, &frame, &frame, 1, 0, NULL) != 1)
		return false;
	l->mfns[pfn] = frame;
	l->contents[pfn] =
		pfn < FIRST_FREE || unit_random(&l->seed) % 4 == 0 ? 0 : unit_random(&l->seed) | 1;
	page(l, pfn)[17] = l->contents[pfn];
	if (pfn >= l->nr_pfns)
		l->nr_pfns = pfn + 1;
	return true;
}

static void take_frame(struct life *l, uint64_t pfn)
{
	xen_pfn_t frame = l->mfns[pfn];

	assert_int_equal(hv_memory_release(NULL, l->domid, &frame, 1, NULL), 0);
	l->mfns[pfn] = NONE;
}

/* Frees some frames and allocates others, anywhere, within the limit. */
static void balloon(struct life *l)
{
	uint64_t tries = unit_random(&l->seed) % 2500, towards = unit_random(&l->seed) % 3;

	for (uint64_t i = 0; i < tries; i++) {
		uint64_t pfn = FIRST_FREE + unit_random(&l->seed) % (PFNS_MAX - FIRST_FREE);

		if (l->mfns[pfn] == NONE && towards != 0)
			give_frame(l, pfn);
		else if (l->mfns[pfn] != NONE && towards != 1 && info(l)->pages > 500)
			take_frame(l, pfn);
	}
}

/* Takes frames up to the last page of the slack. */
static void take_all(struct life *l)
{
	for (uint64_t pfn = FIRST_FREE; pfn < PFNS_MAX; pfn++)
		if (l->mfns[pfn] == NONE && !give_frame(l, pfn))
			return;
}

static uint64_t entry(const struct life *l, uint64_t pfn)
{
	return l->mfns[pfn] << 12 | 0x67;
}

/* Suspends like Linux: the list is complete, and start info has the guest's own numbers of the two
 * frames. */
static void suspend(struct life *l)
{
	struct fake_domain *d = &fake.domains[l->domid];
	struct shared_info *shared = (struct shared_info *)fake.memory[d->info.shared_info_frame];
	struct start_info *si = (struct start_info *)page(l, START_INFO);
	static const unsigned int tables[] = { L4, L3, L2, L1 };

	for (int i = 0; i < 4; i++)
		fake.type[l->mfns[tables[i]]] =
			(uint32_t)(4 - i) << 28 | (i == 0 ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
	page(l, L4)[1] = entry(l, L3);
	page(l, L3)[0] = entry(l, L2);
	page(l, L2)[0] = entry(l, L1);
	for (uint64_t i = 0; i < PFNS_MAX / 512; i++)
		page(l, L1)[i] = entry(l, LIST + i);
	for (uint64_t pfn = 0; pfn < PFNS_MAX; pfn++)
		page(l, LIST + pfn / 512)[pfn % 512] = l->mfns[pfn];
	shared->arch.max_pfn = l->nr_pfns;
	shared->arch.p2m_cr3 = l->mfns[L4] << 12;
	shared->arch.p2m_vaddr = LIST_VIRT;
	si->store_mfn = STORE;
	si->console.domU.mfn = CONSOLE;
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		d->vcpus[i].online = i < l->now.vcpus;
		d->vcpus[i].context.ctrlreg[3] = l->mfns[L4] << 12;
	}
	d->vcpus[0].context.user_regs.rdx = l->mfns[START_INFO];
	d->info.shutdown = true;
	d->info.shutdown_reason = SHUTDOWN_suspend;
}

/* --- what xend does --- */

static uint64_t mib(struct life *l, uint64_t least, uint64_t most)
{
	return least + unit_random(&l->seed) % (most - least + 1);
}

static struct config *configure(uint64_t memory, uint64_t maxmem)
{
	struct json_object *o = json_new_object();
	struct error *e = NULL;
	struct config *config;

	json_set_string(o, "name", "g");
	json_set_string(o, "kernel", "/kernel");
	json_set_int(o, "memory", (int64_t)memory);
	json_set_int(o, "maxmem", (int64_t)maxmem);
	json_set_int(o, "maxvcpus", FAKE_VCPUS);
	config = config_from_json(o, &e);
	if (config == NULL)
		fail_msg("%s", error_text(e));
	json_object_put(o);
	return config;
}

static void set_limit(const struct life *l, uint64_t kb)
{
	assert_int_equal(hv_domain_set_max_mem(NULL, l->domid, kb, NULL), 0);
}

static void begin(struct life *l, uint64_t seed, uint64_t memory, uint64_t maxmem)
{
	fake_reset();
	*l = (struct life){ .seed = seed, .domid = 1, .config = configure(memory, maxmem) };
	domain_size_of_config(&l->now, l->config);
	set_limit(l, domain_size_limit_kb(&l->now));
	hv_vcpu_allocate(NULL, 1, FAKE_VCPUS, NULL);
	for (uint64_t pfn = 0; pfn < PFNS_MAX; pfn++)
		l->mfns[pfn] = NONE;
	for (uint64_t pfn = 0; pfn < l->now.pages; pfn++)
		assert_true(give_frame(l, pfn));
}

static void mem_set(struct life *l, uint64_t to)
{
	uint64_t most = config_maxmem(l->config) * 1024;

	most = most < l->now.static_max_kb ? most : l->now.static_max_kb;
	l->now.target_kb = to * 1024 < most ? to * 1024 : most;
	set_limit(l, l->now.target_kb + DOMAIN_SIZE_SLACK_KB);
}

/* mem-max: changes the hypervisor's limit, and the configuration from now on. */
static void mem_max(struct life *l, uint64_t to)
{
	struct config *before = l->config;

	set_limit(l, to * 1024);
	l->config = configure(before->memory < to ? before->memory : to, to);
	config_free(before);
}

static void change(struct life *l)
{
	switch (unit_random(&l->seed) % 6) {
	case 0:
	case 1:
		mem_set(l, mib(l, 4, 10));
		break;
	case 2:
		mem_max(l, mib(l, 4, 11));
		break;
	case 3:
		l->now.vcpus = mib(l, 1, FAKE_VCPUS);
		break;
	case 4:
		take_all(l);
		break;
	default:
		balloon(l);
	}
}

/* Passes configuration and size through the text that goes into a file. */
static void write_and_read_header(struct life *l, struct config **config, struct domain_size *size)
{
	struct domain_size saved = l->now;
	struct json_object *o, *read;
	struct str text = STR_INIT;
	struct error *e = NULL;

	saved.pages = info(l)->pages;
	o = domain_size_put(&saved, l->config);
	json_print(o, &text);
	read = json_parse_object(str_text(&text), text.len, &e);
	*config = domain_size_take(read, size, &e);
	if (*config == NULL)
		fail_msg("the saved configuration: %s", error_text(e));
	json_object_put(o);
	json_object_put(read);
	str_free(&text);
}

static void restore(struct life *l, int fd, const struct domain_size *size)
{
	struct json_object *order = json_new_object(), *result = json_new_object();
	struct error *e = NULL;

	json_set_int(order, "domid", l->domid);
	json_set_int(order, "fd", fd);
	json_set(order, "config", config_to_json(l->config));
	json_set(order, "size", domain_size_to_json(size));
	set_limit(l, domain_size_limit_kb(size));
	/* The host has only as much free memory as was asked for. */
	fake.free_frames = size->pages;
	lseek(fd, 0, SEEK_SET);
	if (op_restore(order, result, &e) != 0)
		fail_msg("%llu pages, memory %llu, target %llu KiB, maxmem %llu: %s",
			 (unsigned long long)size->pages, (unsigned long long)l->config->memory,
			 (unsigned long long)size->target_kb,
			 (unsigned long long)config_maxmem(l->config), error_text(e));
	fake.free_frames = UINT64_MAX;
	json_object_put(order);
	json_object_put(result);
}

/* --- the restored guest is as before --- */

static uint64_t *follow(uint64_t entry)
{
	uint64_t mfn = entry << 12 >> 24;

	assert_true((entry & 1) && mfn < FAKE_FRAMES);
	return fake.memory[mfn];
}

static void expect_as_before(struct life *l, uint64_t pages)
{
	const struct fake_domain *d = &fake.domains[l->domid];
	uint64_t *l1 = follow(follow(follow(follow(d->vcpus[0].context.ctrlreg[3] | 1)[1])[0])[0]);
	const struct shared_info *shared =
		(const struct shared_info *)fake.memory[d->info.shared_info_frame];

	assert_int_equal(d->info.pages, pages);
	assert_true(d->info.max_pages >= pages);
	assert_true(d->info.max_pages >= (l->now.target_kb + DOMAIN_SIZE_SLACK_KB) / 4);
	assert_int_equal(d->map_bytes, l->now.static_max_kb * 1024);
	assert_int_equal(shared->arch.max_pfn, l->nr_pfns);
	for (uint64_t pfn = 0; pfn < l->nr_pfns; pfn++) {
		uint64_t mfn = follow(l1[pfn / 512])[pfn % 512];

		if (l->mfns[pfn] == NONE) {
			assert_true(mfn == NONE);
			continue;
		}
		assert_true(mfn < FAKE_FRAMES && fake.owner[mfn] == l->domid);
		l->mfns[pfn] = mfn;
		if (pfn >= FIRST_FREE)
			assert_true(page(l, pfn)[17] == l->contents[pfn]);
	}
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		assert_int_equal(d->vcpus[i].online, i < l->now.vcpus);
}

/* Saves and restores. A managed domain keeps its own configuration; any other gets the file's. */
static void cycle(struct life *l, bool managed)
{
	uint64_t pages = info(l)->pages, vcpus = l->now.vcpus, target = l->now.target_kb;
	uint64_t most = config_maxmem(l->config) * 1024;
	int fd = memfd_create("stream", 0);
	struct config *config;
	struct error *e = NULL;
	struct domain_size size;

	suspend(l);
	write_and_read_header(l, &config, &size);
	if (save_domain(NULL, l->domid, fd, worker_progress, &e) != 0)
		fail_msg("%s", error_text(e));
	fake_renew(l->domid);
	l->domid = 3 - l->domid;
	fake_renew(l->domid);
	if (managed) {
		config_free(config);
	} else {
		config_free(l->config);
		l->config = config;
	}
	restore(l, fd, &size);
	close(fd);
	assert_int_equal(size.static_max_kb, l->now.static_max_kb);
	assert_int_equal(size.vcpus, vcpus);
	assert_int_equal(size.target_kb, target < most ? target : most);
	l->now = size;
	expect_as_before(l, pages);
}

/* --- tests --- */

static void whatever_became_of_it_it_comes_back(void **state)
{
	struct life l;

	for (uint64_t i = 0; i < LIVES; i++) {
		uint64_t seed = UNIT_SEED + i, memory = 4 + seed % 3;

		print_message("life %llu\n", (unsigned long long)i);
		begin(&l, seed, memory, memory + seed / 3 % 5);
		for (int j = 0; j < CYCLES; j++) {
			for (uint64_t changes = unit_random(&l.seed) % 6; changes > 0; changes--)
				change(&l);
			cycle(&l, unit_random(&l.seed) % 2);
		}
		config_free(l.config);
	}
}

static void memory_set_above_the_configured_comes_back(void **state)
{
	struct life l;

	for (int managed = 0; managed < 2; managed++) {
		begin(&l, UNIT_SEED, 4, 8);
		mem_set(&l, 7);
		while (info(&l)->pages < 7 * 256)
			assert_true(give_frame(&l, l.nr_pfns));
		cycle(&l, managed);
		cycle(&l, managed);
		assert_int_equal(l.now.target_kb, 7 * 1024);
		assert_int_equal(l.config->memory, managed ? 4 : 7);
		config_free(l.config);
	}
}

static void one_page_of_the_slack_comes_back(void **state)
{
	struct life l;

	for (int managed = 0; managed < 2; managed++) {
		begin(&l, UNIT_SEED, 4, 4);
		assert_true(give_frame(&l, 4 * 256));
		cycle(&l, managed);
		take_all(&l);
		cycle(&l, managed);
		assert_int_equal(info(&l)->pages, 5 * 256);
		/* The domain does not grow from cycle to cycle. */
		take_all(&l);
		assert_int_equal(info(&l)->pages, 5 * 256);
		config_free(l.config);
	}
}

static void sizes_that_are_no_sizes_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"pages\":0,\"target_kb\":4096,\"static_max_kb\":4096,\"vcpus\":1}",
		"{\"pages\":1073741825,\"target_kb\":4096,\"static_max_kb\":4096,\"vcpus\":1}",
		"{\"pages\":1024,\"target_kb\":-1,\"static_max_kb\":4096,\"vcpus\":1}",
		"{\"pages\":1024,\"target_kb\":4096,\"static_max_kb\":\"4096\",\"vcpus\":1}",
		"{\"pages\":1024,\"target_kb\":4096,\"static_max_kb\":4096,\"vcpus\":513}",
	};
	struct domain_size size;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *config = configure(4, 4);
		struct json_object *o = config_to_json(config);
		struct error *e = NULL;

		json_set(o, "size", json_parse_object(bad[i], strlen(bad[i]), NULL));
		assert_null(domain_size_take(o, &size, &e));
		assert_true(error_errno(e) != 0);
		error_free(&e);
		json_object_put(o);
		config_free(config);
	}
}

/* Reads a saved size under the configuration that a person is shown before trusting the file: 4 MiB
 * of at most 8, and 1 of 2 vCPUs. */
static struct config *take(uint64_t pages, uint64_t target_kb, uint64_t vcpus, struct error **e)
{
	struct domain_size size = { pages, target_kb, 64 * 1024, vcpus }, taken;
	struct config *config = configure(4, 8), *result;
	struct json_object *o = config_to_json(config);

	json_set_int(o, "maxvcpus", 2);
	json_set_int(o, "vcpus", 1);
	json_set(o, "size", domain_size_to_json(&size));
	result = domain_size_take(o, &taken, e);
	if (result != NULL)
		assert_memory_equal(&taken, &size, sizeof(size));
	json_object_put(o);
	config_free(config);
	return result;
}

static void a_size_beyond_the_configuration_is_refused(void **state)
{
	static const struct {
		uint64_t pages, target_kb, vcpus;
		const char *says; /* part of the error; NULL: the size is accepted */
	} rows[] = {
		{ 8 * 256, 8 * 1024, 2, NULL },
		{ 1, 1, 1, NULL },
		{ 8 * 256 + DOMAIN_SIZE_SLACK_KB / 4, 8 * 1024, 2, NULL },
		{ 8 * 256 + DOMAIN_SIZE_SLACK_KB / 4 + 1, 8 * 1024, 2, "9220 KiB" },
		{ 1 << 30, 8 * 1024, 2, "4294967296 KiB" },
		{ 8 * 256, 8 * 1024 + 1, 2, "8193 KiB" },
		{ 8 * 256, 4LL << 30, 2, "4294967296 KiB" },
		{ 8 * 256, 8 * 1024, 3, "3 vCPUs" },
		{ 8 * 256, 8 * 1024, 512, "512 vCPUs" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error *e = NULL;
		struct config *config = take(rows[i].pages, rows[i].target_kb, rows[i].vcpus, &e);

		print_message("row %zu: %s\n", i, error_text(e));
		assert_int_equal(config != NULL, rows[i].says == NULL);
		assert_true(rows[i].says == NULL || strstr(error_text(e), rows[i].says) != NULL);
		error_free(&e);
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_set_above_the_configured_comes_back),
		cmocka_unit_test(one_page_of_the_slack_comes_back),
		cmocka_unit_test(whatever_became_of_it_it_comes_back),
		cmocka_unit_test(sizes_that_are_no_sizes_are_refused),
		cmocka_unit_test(a_size_beyond_the_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
