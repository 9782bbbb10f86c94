/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/stream/frames.c toolstack/worker/stream/in.c toolstack/worker/stream/restore.c toolstack/worker/stream/restore_finish.c toolstack/worker/stream/restore_pages.c toolstack/worker/stream/vcpu_frames.c toolstack/worker/build/guest_memory.c toolstack/worker/build/start.c hypervisor/lib/pv_start.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c tests/unit/toolstack/fake_hv.c */
/* flags: -malloc_limit_mb=24 */
/*
 * An image that a domain is restored from. Whatever it says, the domain gets only frames of its
 * own, nothing leaks, and no more memory is taken at once than the longest list of frames has.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_hv.h"
#include "worker/stream/restore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_progress(const char *stage, uint64_t done, uint64_t total)
{
}

static void start_anew(void)
{
	static int started;

	if (!started++)
		fake_reset();
	for (uint64_t mfn = 0; mfn < FAKE_FRAMES; mfn++)
		if (fake.owner[mfn] == 2 && mfn != fake.domains[2].info.shared_info_frame)
			fake.owner[mfn] = 0;
	fake.domains[2].info.pages = 0;
	fake.domains[2].nr_pins = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct restore r = { .domid = 2,
			     .max_vcpus = FAKE_VCPUS,
			     .pages = 64,
			     .max_pages = 64,
			     .progress = no_progress };
	struct error *e = NULL;
	static int fd;
	int rc;

	start_anew();
	if (fd == 0)
		fd = memfd_create("stream", 0);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	lseek(fd, 0, SEEK_SET);
	rc = restore_domain(&r, fd, &e);
	if (fake.windows != 0 || (rc == 0) != (error_errno(e) == 0))
		abort();
	if (rc == 0)
		for (uint64_t i = 0; i < restore_count(&r); i++) {
			uint64_t mfn = *restore_word_at(&r, i) & STREAM_PFN_MASK;

			if (mfn != FRAME_NONE && fake.owner[mfn] != 2)
				abort();
		}
	error_free(&e);
	restore_free(&r);
	return 0;
}
