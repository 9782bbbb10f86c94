/* SPDX-License-Identifier: MIT */
/* Saving and restoring a guest: a faithful copy, bad guests, damaged images, failing calls. */
/* links: toolstack/worker/stream/frames.c toolstack/worker/stream/guest_p2m.c toolstack/worker/stream/in.c toolstack/worker/stream/out.c toolstack/worker/stream/restore.c toolstack/worker/stream/restore_finish.c toolstack/worker/stream/restore_pages.c toolstack/worker/stream/save.c toolstack/worker/stream/save_pages.c toolstack/worker/stream/save_vcpus.c toolstack/worker/stream/vcpu_frames.c toolstack/worker/build/guest_memory.c toolstack/worker/build/start.c hypervisor/lib/pv_start.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c tests/unit/toolstack/fake_hv.c tests/unit/toolstack/stream_guest.c */
#include "worker/stream/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_hv.h"
#include "worker/stream/save.h"
#include "stream_guest.h"
#include "unit.h"

static void no_progress(const char *stage, uint64_t done, uint64_t total)
{
}

static int new_file(void)
{
	return memfd_create("stream", 0);
}

static int save(int fd, struct error **e)
{
	return save_domain(NULL, 1, fd, no_progress, e);
}

/* Restores from fd into domain 2; the caller inspects r and frees it. */
static int restore(int fd, struct restore *r, struct error **e)
{
	lseek(fd, 0, SEEK_SET);
	*r = stream_guest_restore();
	return restore_domain(r, fd, e);
}

static void save_and_restore(struct restore *r, int *fd)
{
	struct error *e = NULL;

	*fd = new_file();
	if (save(*fd, &e) != 0)
		fail_msg("%s", error_text(e));
	if (restore(*fd, r, &e) != 0)
		fail_msg("%s", error_text(e));
	assert_int_equal(fake.windows, 0);
}

static uint64_t mfn_of(const struct restore *r, uint64_t pfn)
{
	return restore_pfn_to_mfn((void *)(uintptr_t)r, pfn);
}

static uint64_t *restored(const struct restore *r, uint64_t pfn)
{
	uint64_t mfn = mfn_of(r, pfn);

	assert_true(mfn < FAKE_FRAMES && fake.owner[mfn] == 2);
	return fake.memory[mfn];
}

static void expect_pages(const struct restore *r)
{
	for (uint64_t pfn = 0; pfn < GUEST_PFNS; pfn++) {
		if (pfn == GUEST_HOLE)
			assert_true(mfn_of(r, pfn) == UINT64_MAX);
		else if (pfn > GUEST_CONSOLE || pfn < GUEST_LIST)
			assert_int_equal(restored(r, pfn)[17],
					 pfn >= GUEST_ZEROS && pfn < GUEST_ZEROS + 100 ?
						 0 :
						 pfn * 3 + 1);
	}
	assert_int_equal(fake.domains[2].info.pages, GUEST_PFNS - 1);
}

static void expect_tables(const struct restore *r)
{
	assert_int_equal(restored(r, GUEST_L4)[1], mfn_of(r, GUEST_L3) << 12 | 0x67);
	assert_int_equal(restored(r, GUEST_L4)[256], 0);
	assert_int_equal(restored(r, GUEST_L1)[1], mfn_of(r, GUEST_LIST + 1) << 12 | 0x67);
	assert_true(restored(r, GUEST_L1)[5] == (mfn_of(r, 305) << 12 | 0x67 | 1ULL << 63));
	assert_int_equal(restored(r, GUEST_L1)[400], 0x5550);
	assert_int_equal(fake.domains[2].nr_pins, 2);
	assert_int_equal(fake.domains[2].pins[0], mfn_of(r, GUEST_L4) << 8 | MMUEXT_PIN_L4_TABLE);
	for (uint64_t pfn = 0; pfn < GUEST_PFNS; pfn++)
		assert_true(restored(r, GUEST_LIST + pfn / 512)[pfn % 512] == mfn_of(r, pfn));
}

static void expect_vcpus(const struct restore *r)
{
	const struct fake_vcpu *v = fake.domains[2].vcpus;

	assert_int_equal(v[0].context.ctrlreg[3], mfn_of(r, GUEST_L4) << 12);
	assert_int_equal(v[0].context.ctrlreg[1], mfn_of(r, GUEST_USER_L4) << 12);
	assert_int_equal(v[0].context.gdt_frames[0], mfn_of(r, GUEST_GDT));
	assert_int_equal(v[0].context.user_regs.rdx, mfn_of(r, GUEST_START_INFO));
	assert_int_equal(v[1].context.user_regs.rip, 0x1001);
	assert_true(v[1].online && !v[2].online);
	assert_int_equal(v[1].ext.sysenter_callback_eip, 77);
	assert_int_equal(v[0].xsave[3], 33);
	assert_int_equal(v[1].msrs[1].value, 11);
}

static void expect_told(const struct restore *r)
{
	const struct fake_domain *d = &fake.domains[2];
	const struct start_info *si = (struct start_info *)restored(r, GUEST_START_INFO);
	const struct shared_info *shared =
		(struct shared_info *)fake.memory[d->info.shared_info_frame];

	assert_int_equal(si->store_mfn, mfn_of(r, GUEST_STORE));
	assert_int_equal(si->console.domU.mfn, mfn_of(r, GUEST_CONSOLE));
	assert_int_equal(si->store_evtchn, 5);
	assert_int_equal(si->console.domU.evtchn, 6);
	assert_int_equal(si->shared_info, d->info.shared_info_frame << 12);
	assert_int_equal(si->flags, SIF_VIRT_P2M_4TOOLS);
	assert_int_equal(shared->arch.max_pfn, GUEST_PFNS);
	assert_int_equal(shared->arch.p2m_cr3, 0);
	assert_int_equal(shared->vcpu_info[1].evtchn_upcall_mask, 1);
	assert_int_equal(shared->evtchn_pending[0], 0);
	assert_true(shared->evtchn_mask[0] == UINT64_MAX);
	assert_int_equal(d->grants[1].frame, mfn_of(r, GUEST_STORE));
	assert_int_equal(d->tsc.elapsed_ns, 99);
	assert_int_equal(d->nr_policy_leaves, 3);
}

static void round_trip(bool by_address)
{
	struct restore r;
	int fd;

	stream_guest_make(by_address);
	save_and_restore(&r, &fd);
	expect_pages(&r);
	expect_tables(&r);
	expect_vcpus(&r);
	expect_told(&r);
	restore_free(&r);
	close(fd);
}

static void a_guest_is_restored_as_it_was(void **state)
{
	round_trip(true);
	round_trip(false);
}

static void frames_are_allocated_one_by_one_if_not_all_may_be(void **state)
{
	struct error *e = NULL;
	struct restore r;
	int fd = new_file();

	stream_guest_make(true);
	assert_int_equal(save(fd, &e), 0);
	lseek(fd, 0, SEEK_SET);
	r = stream_guest_restore();
	r.pages = r.max_pages = GUEST_PFNS - 1;
	assert_int_equal(restore_domain(&r, fd, &e), 0);
	expect_pages(&r);
	expect_tables(&r);
	restore_free(&r);
	close(fd);
}

static void zero_pages_take_no_space(void **state)
{
	struct error *e = NULL;
	int fd = new_file();

	stream_guest_make(true);
	assert_int_equal(save(fd, &e), 0);
	assert_true(lseek(fd, 0, SEEK_END) < (GUEST_PFNS - 100 + 10) * 4096);
	close(fd);
}

/* --- saving what cannot be --- */

static void expect_save_fails(const char *text)
{
	struct error *e = NULL;
	int fd = new_file();

	assert_int_not_equal(save(fd, &e), 0);
	if (strstr(error_text(e), text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error_text(e), text);
	assert_int_equal(fake.windows, 0);
	error_free(&e);
	close(fd);
}

static void guests_that_cannot_be_saved_are_refused(void **state)
{
	struct shared_info *shared;
	uint64_t l1;

	stream_guest_make(true);
	fake.domains[1].info.shutdown = false;
	expect_save_fails("is not suspended");
	stream_guest_make(true);
	fake.domains[1].info.hvm = true;
	expect_save_fails("fully virtualized");

	stream_guest_make(true);
	shared = (struct shared_info *)fake.memory[fake.domains[1].info.shared_info_frame];
	shared->arch.max_pfn = 1ULL << 40;
	expect_save_fails("list of its memory is damaged");
	shared->arch.max_pfn = GUEST_PFNS;
	shared->arch.p2m_vaddr += 1ULL << 30;
	expect_save_fails("it is not mapped");
	shared->arch.p2m_cr3 = 1ULL << 40;
	expect_save_fails("is not the domain's");

	/* A page table that points to another domain's frame. */
	stream_guest_make(true);
	for (l1 = 1; l1 < FAKE_FRAMES && fake.type[l1] != XEN_DOMCTL_PFINFO_L1TAB; l1++)
		;
	fake.memory[l1][10] = fake.domains[2].info.shared_info_frame << 12 | 1;
	expect_save_fails("which is not its own");
}

static void a_full_disk_is_named(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct error *e = NULL;

	stream_guest_make(true);
	assert_int_equal(save(fd, &e), -ENOSPC);
	assert_non_null(strstr(error_text(e), "There is no space left"));
	assert_int_equal(fake.windows, 0);
	error_free(&e);
	close(fd);
}

/* --- images that are damaged --- */

/* Restores a damaged image. In any case there must be no crash, no leak, no mapping left, and no
 * memory taken but the domain's own. */
static int restore_again(int fd)
{
	struct error *e = NULL;
	struct restore r;
	int rc;

	for (uint64_t mfn = 0; mfn < FAKE_FRAMES; mfn++)
		if (fake.owner[mfn] == 2 && mfn != fake.domains[2].info.shared_info_frame)
			fake.owner[mfn] = 0;
	fake.domains[2].info.pages = 0;
	rc = restore(fd, &r, &e);
	assert_int_equal(fake.windows, 0);
	assert_true(rc == 0 || error_errno(e) != 0);
	error_free(&e);
	restore_free(&r);
	return rc;
}

static int saved_image(off_t *size)
{
	struct error *e = NULL;
	int fd = new_file();

	stream_guest_make(true);
	assert_int_equal(save(fd, &e), 0);
	*size = lseek(fd, 0, SEEK_END);
	return fd;
}

static void an_image_that_is_cut_off_is_refused(void **state)
{
	off_t size;
	int fd = saved_image(&size);

	for (off_t at = size - 1; at > 0; at -= at > 4096 ? 3001 : 7) {
		assert_int_equal(ftruncate(fd, at), 0);
		assert_int_not_equal(restore_again(fd), 0);
	}
	close(fd);
}

static void damaged_images_do_no_harm(void **state)
{
	off_t size;
	int fd = saved_image(&size);
	uint64_t seed = UNIT_SEED;

	assert_int_equal(restore_again(fd), 0);
	for (int i = 0; i < 1500; i++) {
		/* Mostly at the start and at the end, where the data are not pages. */
		uint64_t where = unit_random(&seed) % 3, spot = unit_random(&seed) % 8192;
		off_t at = where == 0 ? (off_t)spot :
			   where == 1 ? size - 1 - (off_t)spot :
					(off_t)(spot * 300) % size;
		uint8_t old, bad;

		assert_int_equal(pread(fd, &old, 1, at), 1);
		bad = old ^ (uint8_t)(1 << unit_random(&seed) % 8);
		assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		restore_again(fd);
		assert_int_equal(pwrite(fd, &old, 1, at), 1);
	}
	close(fd);
}

static void each_failure_of_the_hypervisor_is_reported(void **state)
{
	off_t size;
	int fd = saved_image(&size);
	long calls;

	for (calls = 0; calls < 1000; calls++) {
		fake.fail_after = calls;
		if (restore_again(fd) == 0)
			break;
	}
	assert_in_range(calls, 10, 999);
	for (calls = 0; calls < 1000; calls++) {
		struct error *e = NULL;
		int out = new_file(), rc;

		fake.fail_after = calls;
		rc = save(out, &e);
		assert_int_equal(fake.windows, 0);
		assert_true(rc == 0 || error_errno(e) != 0);
		error_free(&e);
		close(out);
		if (rc == 0)
			break;
	}
	assert_in_range(calls, 10, 999);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_is_restored_as_it_was),
		cmocka_unit_test(frames_are_allocated_one_by_one_if_not_all_may_be),
		cmocka_unit_test(zero_pages_take_no_space),
		cmocka_unit_test(guests_that_cannot_be_saved_are_refused),
		cmocka_unit_test(a_full_disk_is_named),
		cmocka_unit_test(an_image_that_is_cut_off_is_refused),
		cmocka_unit_test(damaged_images_do_no_harm),
		cmocka_unit_test(each_failure_of_the_hypervisor_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
