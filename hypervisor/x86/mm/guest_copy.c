/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from the memory of the current PV guest, through the guest's own page tables. The
 * guest's kernel runs in ring 3, so kernel and user memory are alike: both are mapped for user
 * mode. An access to memory that is not mapped, or a write to read-only memory (CR0.WP), faults.
 * The fault ends the copy (.extable).
 */
#include "hv/arch/guest_access.h"

#include "hv/config.h"
#include "lib/errno.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/regs.h"

#define LOWER_HALF_END	 (1UL << 47)
#define GUEST_UPPER_HALF L4_SLOT_ADDR(HV_LAST_SLOT + 1)

bool guest_range_ok(const void __guest *addr, size_t size)
{
	unsigned long first = (__force unsigned long)addr, end = first + size;

	if (end < first)
		return false;
	return end <= LOWER_HALF_END || first >= GUEST_UPPER_HALF;
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

int copy_from_guest(void *dst, const void __guest *src, size_t size)
{
	if (unlikely(!guest_range_ok(src, size)))
		return -EFAULT;
	return copy_checked(dst, (__force const void *)src, size);
}

int copy_to_guest(void __guest *dst, const void *src, size_t size)
{
	if (unlikely(!guest_range_ok(dst, size)))
		return -EFAULT;
	return copy_checked((__force void *)dst, src, size);
}

int clear_guest(void __guest *dst, size_t size)
{
	void *at = (__force void *)dst;
	unsigned long left = size;

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
