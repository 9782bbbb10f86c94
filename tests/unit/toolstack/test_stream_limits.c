/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/stream/frames.c toolstack/worker/stream/guest_p2m.c toolstack/worker/stream/in.c toolstack/worker/stream/out.c toolstack/worker/stream/op_dump.c toolstack/worker/stream/restore.c toolstack/worker/stream/restore_finish.c toolstack/worker/stream/restore_pages.c toolstack/worker/stream/save.c toolstack/worker/stream/save_pages.c toolstack/worker/stream/save_vcpus.c toolstack/worker/stream/vcpu_frames.c toolstack/worker/build/guest_memory.c toolstack/worker/limits.c toolstack/worker/build/start.c hypervisor/lib/pv_start.c toolstack/worker/target.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/str.c tests/unit/toolstack/fake_hv.c tests/unit/toolstack/stream_guest.c */
/* libs: -ljson-c -lseccomp */
/*
 * Whatever a guest or an image says, the worker's memory is bounded by what the domain has. The
 * sanitizer counts the allocations.
 */
#include "worker/stream/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker/worker.h"
#include "fake_hv.h"
#include "worker/stream/save.h"
#include "stream_guest.h"
#include "unit.h"

/*
 * Bytes that the worker may use for the guest of 2.7 MiB: mappings of guest memory (copies here)
 * and buffers. The p2m list comes on top with 8 bytes for each of its pages; its length depends on
 * the guest's address space.
 */
#define WORKER_MAX (24 << 20)
#define FATAL	   (1UL << 30)
#define FILE_MAX   (64 << 20)

/* The sanitizer's allocator (sanitizer/allocator_interface.h, which GCC's packages lack). */
size_t __sanitizer_get_allocated_size(const volatile void *p);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

static size_t in_use, peak;

static void on_malloc(const volatile void *p, size_t size)
{
	in_use += size;
	if (in_use > peak)
		peak = in_use;
	/* Stop before this machine runs out of memory. */
	if (in_use > FATAL)
		abort();
}

static void on_free(const volatile void *p)
{
	if (p != NULL)
		in_use -= __sanitizer_get_allocated_size(p);
}

static void begin_count(void)
{
	in_use = peak = 0;
}

static void expect_at_most(size_t bytes, const char *what)
{
	if (peak > bytes)
		fail_msg("%s: the worker allocated %zu bytes", what, peak);
}

static void expect_small(const char *what)
{
	expect_at_most(WORKER_MAX, what);
}

void worker_progress(const char *stage, uint64_t done, uint64_t total)
{
}

static void no_progress(const char *stage, uint64_t done, uint64_t total)
{
}

/* Saves the guest and, on success, restores it. Returns the error's text, which the caller frees;
 * NULL without an error. */
static char *save_and_restore(void)
{
	int fd = memfd_create("stream", 0);
	struct error *e = NULL;
	char *text = NULL;

	begin_count();
	if (save_domain(NULL, 1, fd, no_progress, &e) == 0) {
		struct restore r = stream_guest_restore();

		expect_small("save");
		r.pages = r.max_pages = 1024;
		lseek(fd, 0, SEEK_SET);
		begin_count();
		restore_domain(&r, fd, &e);
		restore_free(&r);
	}
	expect_small("save or restore");
	if (e != NULL)
		text = strdup(error_text(e));
	error_free(&e);
	assert_int_equal(fake.windows, 0);
	close(fd);
	return text;
}

static char *dump(void)
{
	struct json_object *request = json_new_object(), *result = json_new_object();
	int fd = memfd_create("core", 0);
	struct error *e = NULL;
	char *text = NULL;

	json_set_int(request, "domid", 1);
	json_set_int(request, "fd", fd);
	begin_count();
	op_dump(request, result, &e);
	expect_small("dump");
	if (e != NULL)
		text = strdup(error_text(e));
	error_free(&e);
	assert_int_equal(fake.windows, 0);
	/* No more than the guest's memory and what describes it. */
	assert_in_range(lseek(fd, 0, SEEK_END), 0, (GUEST_PFNS + 100) * 4096);
	json_object_put(request);
	json_object_put(result);
	close(fd);
	return text;
}

static void expect(char *text, const char *part)
{
	if (part == NULL && text != NULL)
		fail_msg("%s", text);
	if (part != NULL && (text == NULL || strstr(text, part) == NULL))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
	free(text);
}

static uint64_t empty_list_page(void)
{
	uint64_t mfn = stream_guest_mfn(GUEST_PFNS - 1);

	memset(fake.memory[mfn], 0xff, 4096);
	return mfn;
}

/* Linux's list may be long and mostly empty, which costs nothing. */
static void a_long_list_with_little_in_it_is_saved(void **state)
{
	stream_guest_make(true);
	stream_guest_stretch_list(1 << 24, empty_list_page());
	expect(save_and_restore(), NULL);
	expect(dump(), NULL);
}

/* The list names the same frames over and over, under 64 million numbers. */
static void a_list_that_names_more_than_there_is_is_refused(void **state)
{
	stream_guest_make(true);
	stream_guest_stretch_list(1 << 26, stream_guest_mfn(GUEST_LIST));
	expect(save_and_restore(), "more frames than the domain has");
	expect(dump(), "more frames than the domain has");
}

/* The list names frames from all over a host of 1 TiB; none of them is the guest's. */
static void a_list_of_others_frames_costs_nothing(void **state)
{
	uint64_t next = FAKE_FRAMES;

	stream_guest_make(true);
	fake.max_mfn = (1 << 28) - 1;
	for (int i = 0; i < 300; i++) {
		uint64_t mfn = stream_guest_mfn(GUEST_ZEROS + 100 + (uint64_t)i);

		for (int j = 0; j < 512; j++, next += 512)
			fake.memory[mfn][j] = next;
		fake.memory[stream_guest_mfn(GUEST_L1)][i + 2] = mfn << 12 | 0x67;
	}
	((struct shared_info *)fake.memory[fake.domains[1].info.shared_info_frame])->arch.max_pfn =
		302 * 512;
	for (int i = GUEST_PFNS - 512; i < 512; i++)
		fake.memory[stream_guest_mfn(GUEST_LIST + 1)][i] = UINT64_MAX;
	expect(save_and_restore(), NULL);
	expect(dump(), NULL);
}

/* --- images --- */

/* Writes an image's headers and what precedes its memory. */
static int begin_image(struct stream_out *out)
{
	const struct stream_pv_info pv = { .guest_width = 8, .pt_levels = 4 };

	*out = (struct stream_out){ .fd = memfd_create("stream", 0) };
	assert_int_equal(stream_out_headers(out, 4, 17, NULL), 0);
	assert_int_equal(stream_out_simple(out, STREAM_X86_PV_INFO, &pv, sizeof(pv), NULL, 0, NULL),
			 0);
	return out->fd;
}

/* Adds a record of that length: all zeros, except its first words. */
static void add_hollow(int fd, uint32_t type, uint32_t length, const void *head, size_t head_size)
{
	struct stream_record record = { type, length };

	assert_int_equal(write(fd, &record, sizeof(record)), sizeof(record));
	assert_int_equal(write(fd, head, head_size), head_size);
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_CUR) - (off_t)head_size + length), 0);
	lseek(fd, 0, SEEK_END);
}

static void expect_refused(int fd, size_t bytes, const char *what)
{
	struct restore r = stream_guest_restore();
	struct error *e = NULL;

	fake_reset();
	lseek(fd, 0, SEEK_SET);
	begin_count();
	assert_int_not_equal(restore_domain(&r, fd, &e), 0);
	expect_at_most(bytes, what);
	assert_non_null(strstr(error_text(e), "is damaged"));
	error_free(&e);
	restore_free(&r);
	close(fd);
}

static void long_records_are_not_taken_into_memory(void **state)
{
	static const uint32_t types[] = { STREAM_X86_CPUID_POLICY, STREAM_X86_MSR_POLICY };
	struct stream_out out;

	for (int i = 0; i < 2; i++) {
		int fd = begin_image(&out);

		add_hollow(fd, types[i], 48 << 20, "", 0);
		expect_refused(fd, 1 << 20, "a policy");
	}
}

static void states_of_vcpus_are_small(void **state)
{
	struct stream_out out;
	int fd = begin_image(&out);

	for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
		for (uint32_t type = STREAM_X86_PV_VCPU_BASIC; type <= STREAM_X86_PV_VCPU_XSAVE;
		     type++)
			add_hollow(fd, type, 1 << 20, &(struct stream_vcpu){ .vcpu = vcpu },
				   sizeof(struct stream_vcpu));
	expect_refused(fd, 1 << 20, "vCPUs");
}

/* The image has 2^26 frames, of which only the last exists. */
static void a_long_list_in_an_image_costs_its_own_length(void **state)
{
	const struct stream_p2m_frames head = { .start_pfn = 0, .end_pfn = (1 << 26) - 1 };
	struct {
		struct stream_page_data head;
		uint64_t word;
	} pages = { { .count = 1 },
		    (uint64_t)XEN_DOMCTL_PFINFO_XALLOC << STREAM_TYPE_SHIFT | ((1 << 26) - 1) };
	struct stream_out out;
	int fd = begin_image(&out);

	add_hollow(fd, STREAM_X86_PV_P2M_FRAMES, sizeof(head) + (1 << 26) / 512 * 8, &head,
		   sizeof(head));
	out.fd = fd;
	assert_int_equal(stream_out_simple(&out, STREAM_PAGE_DATA, &pages, sizeof(pages), NULL, 0,
					   NULL),
			 0);
	assert_int_equal(stream_out_simple(&out, STREAM_END, NULL, 0, NULL, 0, NULL), 0);
	expect_refused(fd, WORKER_MAX, "the list of frames");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_list_with_little_in_it_is_saved),
		cmocka_unit_test(a_list_that_names_more_than_there_is_is_refused),
		cmocka_unit_test(a_list_of_others_frames_costs_nothing),
		cmocka_unit_test(long_records_are_not_taken_into_memory),
		cmocka_unit_test(states_of_vcpus_are_small),
		cmocka_unit_test(a_long_list_in_an_image_costs_its_own_length),
	};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ FILE_MAX, FILE_MAX });
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
