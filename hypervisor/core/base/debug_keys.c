/* SPDX-License-Identifier: MIT */
/* Debug keys: typed on the console or sent by `xl debug-keys`, run in softirq context. */
#include "core/base/console_internal.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/softirq.h"

#define KEYS  128
#define QUEUE 16 /* keys typed but not run yet; any more are dropped */

static struct {
	const char *what;
	void (*fn)(char key);
} keys[KEYS];

static char queue[QUEUE];
/* The interrupt adds at the tail; the softirq of the same CPU takes from the head. */
static u32 queue_head, queue_tail;

void debug_key_register(char key, const char *what, void (*fn)(char key))
{
	ASSERT((u8)key < KEYS);
	keys[(u8)key].what = what;
	keys[(u8)key].fn = fn;
}

void debug_key_handle(char key)
{
	if ((u8)key >= KEYS || !keys[(u8)key].fn)
		return;
	log_err("debug key '%c': %s", key, keys[(u8)key].what);
	keys[(u8)key].fn(key);
}

void debug_key_queue(char key)
{
	if (READ_ONCE(queue_tail) - READ_ONCE(queue_head) >= QUEUE)
		return;
	queue[queue_tail % QUEUE] = key;
	smp_wmb();
	WRITE_ONCE(queue_tail, queue_tail + 1);
	softirq_raise(SOFTIRQ_CONSOLE);
}

static void run_queue(void)
{
	while (READ_ONCE(queue_head) != READ_ONCE(queue_tail)) {
		char key = queue[queue_head % QUEUE];

		WRITE_ONCE(queue_head, queue_head + 1);
		debug_key_handle(key);
	}
}

static void show_help(char key)
{
	for (unsigned int i = 0; i < KEYS; i++)
		if (keys[i].fn)
			log_err("  %c  %s", (char)i, keys[i].what);
}

static void reboot(char key)
{
	console_end();
	arch_reboot();
}

static void crash(char key)
{
	panic("asked for by a debug key");
}

void console_init(void)
{
	softirq_register(SOFTIRQ_CONSOLE, run_queue);
	tx_init();
	debug_key_register('C', "crash the hypervisor", crash);
	debug_key_register('G', "the log of guests", guest_log_dump);
	debug_key_register('h', "this list", show_help);
	debug_key_register('R', "reboot the machine", reboot);
}
