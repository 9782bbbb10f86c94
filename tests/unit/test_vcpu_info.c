/* SPDX-License-Identifier: MIT */
/* A vCPU's vcpu_info: it is registered once, and a second attempt costs the rest of the host
 * nothing. */
/* links: hypervisor/core/domain/vcpu_context.c hypervisor/core/domain/guest_page.c hypervisor/lib/bitmap.c */
#include "hv/domain.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest.h"
#include "hv/arch/map.h"
#include "hv/evtchn.h"
#include "hv/sched.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "unit.h"

#define FRAME_NUMBER GFN(7) /* the guest's own, of ... */
#define FRAME	     MFN(5) /* ... this frame */

static struct domain domain;
static struct vcpu vcpu;
static vcpu_info_t first_info;
static char page[PAGE_SIZE];
static unsigned int references, maps, unmaps, rechecks;
static bool no_addresses;

struct page_info *guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	if (gfn_x(gfn) != gfn_x(FRAME_NUMBER))
		return NULL;
	references++;
	*mfn = FRAME;
	return mfn_to_page(FRAME);
}

void page_put(struct page_info *pg)
{
	references--;
}

int arch_page_get_writable(struct page_info *pg)
{
	references++;
	return 0;
}

void arch_page_put_writable(struct page_info *pg)
{
	references--;
}

void *map_frame_global(mfn_t mfn)
{
	if (no_addresses)
		return NULL;
	maps++;
	return page;
}

/* On a real machine this makes every CPU drop its translation, and waits for each. */
void unmap_frame_global(const void *va)
{
	unmaps++;
}

void evtchn_recheck_vcpu(struct vcpu *v)
{
	rechecks++;
}

int arch_vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx)
{
	return 0;
}

int arch_vcpu_reset(struct vcpu *v)
{
	return 0;
}

void vcpu_pause(struct vcpu *v)
{
}

void vcpu_unpause(struct vcpu *v)
{
}

static int setup(void **state)
{
	host_cpus_init(1);
	host_ram_init(16);
	memset(&domain, 0, sizeof(domain));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&first_info, 0, sizeof(first_info));
	vcpu.domain = &domain;
	vcpu.vcpu_info = vcpu.unregistered_info = &first_info;
	vcpu.vcpu_info_mfn = INVALID_MFN;
	vcpu.pause_flags = VPF_DOWN;
	spin_lock_init(&vcpu.lock, LOCK_VCPU);
	references = maps = unmaps = rechecks = 0;
	no_addresses = false;
	return 0;
}

static void registering_moves_what_was_there(void **state)
{
	first_info.evtchn_pending_sel = 0x1234;
	assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 64), 0);
	assert_ptr_equal(vcpu.vcpu_info, page + 64);
	assert_int_equal(vcpu.vcpu_info->evtchn_pending_sel, 0x1234);
	assert_int_equal(rechecks, 1);
	vcpu_unregister_info(&vcpu);
	assert_ptr_equal(vcpu.vcpu_info, &first_info);
	assert_int_equal(references, 0);
	assert_int_equal(unmaps, 1);
}

/* A guest that is resumed as if it had been restored registers its places anew. */
static void a_reset_forgets_the_place(void **state)
{
	assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 64), 0);
	assert_int_equal(vcpu_reset(&vcpu), 0);
	assert_ptr_equal(vcpu.vcpu_info, &first_info);
	assert_int_equal(references, 0);
	assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 0), 0);
	vcpu_unregister_info(&vcpu);
}

/* A guest may retry as often as it likes without disturbing other CPUs. */
static void a_second_attempt_maps_nothing(void **state)
{
	assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 0), 0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 64), -EINVAL);
	assert_ptr_equal(vcpu.vcpu_info, page);
	assert_int_equal(maps, 1);
	assert_int_equal(unmaps, 0);
	assert_int_equal(references, 2);
}

static void what_is_refused_changes_nothing(void **state)
{
	static const unsigned int offsets[] = { 1, 4, PAGE_SIZE - sizeof(vcpu_info_t) + 8,
						PAGE_SIZE, ~7U };

	for (unsigned int i = 0; i < ARRAY_SIZE(offsets); i++)
		assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, offsets[i]), -EINVAL);
	assert_int_equal(vcpu_register_info(&vcpu, GFN(6), 0), -EINVAL);
	no_addresses = true;
	assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 0), -ENOMEM);
	no_addresses = false;
	/* A vCPU that runs uses its vcpu_info. */
	vcpu.pause_flags = 0;
	assert_int_equal(vcpu_register_info(&vcpu, FRAME_NUMBER, 0), -EINVAL);
	assert_int_equal(references, 0);
	assert_int_equal(maps, 0);
	assert_ptr_equal(vcpu.vcpu_info, &first_info);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registering_moves_what_was_there, setup),
		cmocka_unit_test_setup(a_reset_forgets_the_place, setup),
		cmocka_unit_test_setup(a_second_attempt_maps_nothing, setup),
		cmocka_unit_test_setup(what_is_refused_changes_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
