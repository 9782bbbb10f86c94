/* SPDX-License-Identifier: MIT */
/* Tell AddressSanitizer about each switch of stacks; without AddressSanitizer they do nothing. */
#ifndef XEND_RUNTIME_FIBER_H
#define XEND_RUNTIME_FIBER_H

#include <stddef.h>

#ifdef __has_feature
#define FIBER_FEATURE_ASAN __has_feature(address_sanitizer)
#else
#define FIBER_FEATURE_ASAN 0
#endif

#if defined(__SANITIZE_ADDRESS__) || FIBER_FEATURE_ASAN

void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom, size_t *size);

static inline void fiber_leave(void **fake_stack, const void *bottom, size_t size)
{
	__sanitizer_start_switch_fiber(fake_stack, bottom, size);
}

static inline void fiber_arrive(void *fake_stack, const void **bottom, size_t *size)
{
	__sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}

#else

static inline void fiber_leave(void **fake_stack, const void *bottom, size_t size)
{
}

static inline void fiber_arrive(void *fake_stack, const void **bottom, size_t *size)
{
}

#endif

#endif
