/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory, as the hypervisor reaches it: a frame by the guest's own number of it, and
 * copies by address.
 *
 * Which addresses a guest may name: all but those of the hypervisor. is_direct decides by one
 * comparison for nearly all copies, guest_range_ok for the rest. A guest with guest_memory_ops has
 * an address space of its own, so it may name any.
 *
 * Without guest_memory_ops a guest's frame number is the machine's, and its memory is mapped where
 * the guest has it. Such a guest's kernel runs in ring 3, so kernel and user memory are alike: both
 * are mapped for user mode. An access to memory that is not mapped, or a write to read-only memory
 * (CR0.WP), faults. The fault ends the copy (.extable).
 */
#include "hv/arch/guest_access.h"

#include "hv/arch/frame.h"
#include "hv/config.h"
#include "lib/errno.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/regs.h"
#include "x86/guest/guest_ops.h"

/* Bytes at the end of a guest's range of addresses that is_direct does not count to it. */
#define COPY_SLACK 0x10000UL

bool guest_range_ok(const void __guest *addr, size_t size)
{
	unsigned long first = (__force unsigned long)addr, end = first + size;

	if (end < first)
		return false;
	return guest_ops(current->domain)->memory || end <= GUEST_LOWER_HALF_END ||
	       first >= GUEST_UPPER_HALF;
}

/* Copies n bytes, quadwords first. Returns 0 when all were copied. */
static unsigned long copy_catching(void *dst, const void *src, size_t n)
{
	unsigned long left = n / 8;

	stac();
	__asm__ __volatile__("1: rep movsq\n"
			     "   movl %k3, %%ecx\n"
			     "2: rep movsb\n"
			     "3:" EXTABLE_C(1b, 3b) EXTABLE_C(2b, 3b)
			     : "+&c"(left), "+&D"(dst), "+&S"(src)
			     : "r"(n % 8)
			     : "memory");
	clac();
	return left;
}

/* The same for the sizes that are most frequent. */
#define DEFINE_COPY(bytes, mov, reg)                                            \
	static unsigned long copy##bytes##_catching(void *dst, const void *src) \
	{                                                                       \
		unsigned long left = 1, value;                                  \
                                                                                \
		stac();                                                         \
		__asm__ __volatile__("1: " mov " (%3), %" reg "1\n"             \
				     "2: " mov " %" reg "1, (%2)\n"             \
				     "   xorl %k0, %k0\n"                       \
				     "3:" EXTABLE_C(1b, 3b) EXTABLE_C(2b, 3b)   \
				     : "+&r"(left), "=&r"(value)                \
				     : "r"(dst), "r"(src)                       \
				     : "memory");                               \
		clac();                                                         \
		return left;                                                    \
	}
DEFINE_COPY(2, "movw", "w")
DEFINE_COPY(4, "movl", "k")
DEFINE_COPY(8, "movq", "")

static unsigned long copy16_catching(void *dst, const void *src)
{
	unsigned long left = 1, low, high;

	stac();
	__asm__ __volatile__("1: movq (%4), %1\n"
			     "2: movq 8(%4), %2\n"
			     "3: movq %1, (%3)\n"
			     "4: movq %2, 8(%3)\n"
			     "   xorl %k0, %k0\n"
			     "5:" EXTABLE_C(1b, 5b) EXTABLE_C(2b, 5b) EXTABLE_C(3b, 5b)
				     EXTABLE_C(4b, 5b)
			     : "+&r"(left), "=&r"(low), "=&r"(high)
			     : "r"(dst), "r"(src)
			     : "memory");
	clac();
	return left;
}

static int copy_checked(void *dst, const void *src, size_t size)
{
	unsigned long left;

	switch (size) {
	case 2:
		left = copy2_catching(dst, src);
		break;
	case 4:
		left = copy4_catching(dst, src);
		break;
	case 8:
		left = copy8_catching(dst, src);
		break;
	case 16:
		left = copy16_catching(dst, src);
		break;
	default:
		left = copy_catching(dst, src, size);
	}
	return left ? -EFAULT : 0;
}

struct page_info *guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	const struct guest_memory_ops *ops = d->arch->memory_ops;

	if (unlikely(ops))
		return ops->frame_get(d, gfn, mfn);
	*mfn = MFN(gfn_x(gfn));
	return page_get_from_mfn(*mfn, d);
}

bool guest_frames_are_machine(const struct domain *d)
{
	/* dom_io and dom_xen have no arch. */
	return !d->arch || !d->arch->memory_ops;
}

int arch_gfn_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum gfn_use use)
{
	return d->arch->memory_ops->gfn_map(d, gfn, mfn, order, use);
}

int arch_gfn_unmap(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	return d->arch->memory_ops->gfn_unmap(d, gfn, mfn);
}

unsigned int arch_gfn_give_up(struct domain *d, const gfn_t *gfns, unsigned int nr,
			      unsigned int order)
{
	return d->arch->memory_ops->gfn_give_up(d, gfns, nr, order);
}

unsigned long arch_gfn_max(const struct domain *d)
{
	return d->arch->memory_ops->gfn_max(d);
}

/*
 * Is that memory of the current guest, mapped where the guest has it? One comparison, because every
 * copy pays for it: counted from GUEST_UPPER_HALF, which wraps around, the guest's halves are one
 * range of direct_guest_bytes. A copy that is longer than COPY_SLACK, or ends that near to the
 * range's end, takes the way of the others.
 */
static inline bool is_direct(const void __guest *addr, size_t size)
{
	unsigned long first = (__force unsigned long)addr;

	/* Hidden from the compiler, which would keep the difference beside the address in loops. */
	__asm__("" : "+r"(first));
	return likely(size <= COPY_SLACK) &&
	       likely(first - GUEST_UPPER_HALF < cpu_info()->direct_guest_bytes);
}

void guest_copy_load(const struct domain *d)
{
	cpu_info()->direct_guest_bytes =
		guest_ops(d)->memory ? 0 : GUEST_LOWER_HALF_END - COPY_SLACK - GUEST_UPPER_HALF;
}

static noinline int copy_from_other(void *dst, const void __guest *src, size_t size)
{
	const struct guest_memory_ops *ops = guest_ops(current->domain)->memory;

	if (ops)
		return ops->copy_from(dst, src, size);
	return guest_range_ok(src, size) ? copy_checked(dst, (__force const void *)src, size) :
					   -EFAULT;
}

static noinline int copy_to_other(void __guest *dst, const void *src, size_t size)
{
	const struct guest_memory_ops *ops = guest_ops(current->domain)->memory;

	if (ops)
		return ops->copy_to(dst, src, size);
	return guest_range_ok(dst, size) ? copy_checked((__force void *)dst, src, size) : -EFAULT;
}

int copy_from_guest(void *dst, const void __guest *src, size_t size)
{
	if (unlikely(!is_direct(src, size)))
		return copy_from_other(dst, src, size);
	return copy_checked(dst, (__force const void *)src, size);
}

int copy_to_guest(void __guest *dst, const void *src, size_t size)
{
	if (unlikely(!is_direct(dst, size)))
		return copy_to_other(dst, src, size);
	return copy_checked((__force void *)dst, src, size);
}

int clear_guest(void __guest *dst, size_t size)
{
	const struct guest_memory_ops *ops = guest_ops(current->domain)->memory;
	void *at = (__force void *)dst;
	unsigned long left = size;

	if (ops)
		return ops->clear(dst, size);
	if (unlikely(!guest_range_ok(dst, size)))
		return -EFAULT;
	stac();
	__asm__ __volatile__("1: rep stosb\n"
			     "2:" EXTABLE_C(1b, 2b)
			     : "+c"(left), "+D"(at)
			     : "a"(0)
			     : "memory");
	clac();
	return left ? -EFAULT : 0;
}
