/* SPDX-License-Identifier: MIT */
/*
 * The transmit buffer between writers and the console's device, which is slow: a UART at 115200
 * baud takes 87 us for a character. Only the hypervisor itself spins until the device has room:
 * before the buffer is in use, when the hypervisor's share of it is full, in a panic, at the
 * machine's end, and always with option sync_console.
 *
 * A write passes on at once what the device takes. A timer sends the rest, a bounded number of
 * bytes each time. A write may happen under any lock and so cannot set the timer: a tasklet does.
 */
#include "core/base/console_internal.h"

#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/softirq.h"
#include "hv/timer.h"
#include "lib/printf.h"

#define TX_SIZE 16384 /* power of two */
/*
 * The most bytes sent at once. A real UART takes no more than its FIFO holds. An emulated one takes
 * any number, and each byte costs a trap to its host.
 */
#define TX_BURST 64
/*
 * A device is dead if it is still full after WAIT_SPINS reads of its status, plus one read for each
 * READ_NS of its fill time. No port read is faster than READ_NS, so these reads take longer than
 * the device needs to send all it holds. A clock would be better, but there is none for boot's
 * first lines, nor in every panic.
 */
#define WAIT_SPINS 200000
#define READ_NS	   200
/* The same for the timer: the device is dead if it sent nothing for this and its fill time. */
#define STALL_MAX SECONDS(2)

static const u32 shares[] = {
	[TX_GUEST] = TX_SIZE / 4,
	[TX_DOM0] = TX_SIZE / 4 * 3,
	[TX_HV] = TX_SIZE,
};

static const struct console_device *tx_device;
static char buffer[TX_SIZE];
static u32 head, tail; /* sent from head, put at tail; both count bytes, modulo 2^32 */
static bool buffered;
static bool dead;
static u32 lost_lines; /* lines of guests lost since the last message about them */
static u32 wait_head, wait_spins;

static struct timer tick_timer;
static bool tick_pending; /* the tasklet is scheduled or the timer set */
static u32 tick_head;
static s_time_t tick_stall; /* how long nothing was sent */

static void set_timer(void *data)
{
	timer_set(&tick_timer, time_now() + tx_device->fill_time);
}

static struct tasklet tick_tasklet = { .fn = set_timer };

static u32 filled(void)
{
	return tail - head;
}

/* Gives the device at most `most` bytes, without waiting. Returns the number of bytes given. */
static u32 send_some(u32 most)
{
	u32 start = head, room = 0;

	while (head != tail && head - start < most) {
		if (!room) {
			room = tx_device->room();
			if (!room)
				break;
			dead = false;
		}
		tx_device->send(buffer[head++ % TX_SIZE]);
		room--;
	}
	return head - start;
}

static void give_up(void)
{
	dead = true;
	head = tail;
	lost_lines = 0;
}

static u32 most_spins(void)
{
	return (u32)(WAIT_SPINS + tx_device->fill_time / READ_NS);
}

/* Waits until the device has taken all. */
static void send_all(void)
{
	for (u32 spins = 0; head != tail;) {
		if (send_some(TX_BURST)) {
			spins = 0;
		} else if (++spins > most_spins()) {
			give_up();
		} else {
			cpu_relax();
		}
	}
}

static void append(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n')
			buffer[tail++ % TX_SIZE] = '\r';
		buffer[tail++ % TX_SIZE] = s[i];
	}
}

/*
 * Returns how many bytes `s` takes in the buffer; *fits: how many of its characters fit in `room`.
 */
static u32 size_of(const char *s, size_t len, u32 room, size_t *fits)
{
	u32 size = 0;

	*fits = 0;
	for (size_t i = 0; i < len; i++) {
		size += s[i] == '\n' ? 2 : 1;
		if (size <= room)
			*fits = i + 1;
	}
	return size;
}

/* Each write asks a dead device once whether it is back. */
static bool is_dead(void)
{
	if (dead && tx_device->room())
		dead = false;
	return dead;
}

static void after_write(void)
{
	if (!buffered) {
		send_all();
		return;
	}
	send_some(TX_BURST);
	if (head != tail && !tick_pending) {
		tick_pending = true;
		tasklet_schedule(&tick_tasklet);
	}
}

size_t tx_put_some(enum tx_writer writer, const char *s, size_t len)
{
	size_t fits;

	if (!tx_device || is_dead())
		return len;
	size_of(s, len, shares[writer] - min(filled(), shares[writer]), &fits);
	append(s, fits);
	after_write();
	return fits;
}

/* One more try of a device that has no room for the hypervisor's line. */
static void wait_once(void)
{
	if (send_some(TX_BURST) || head != wait_head) {
		wait_head = head;
		wait_spins = 0;
	} else if (++wait_spins > most_spins()) {
		wait_spins = 0;
		give_up();
	}
}

bool tx_put_line(enum tx_writer writer, const char *line, size_t len)
{
	u32 room = shares[writer] - min(filled(), shares[writer]);
	size_t fits;

	if (!tx_device || is_dead())
		return true;
	if (size_of(line, len, room, &fits) > room) {
		if (writer == TX_HV)
			wait_once();
		return false;
	}
	append(line, len);
	after_write();
	return true;
}

void tx_count_lost_line(void)
{
	lost_lines++;
}

bool tx_has_lost_lines(void)
{
	return lost_lines != 0;
}

static void show_lost_lines(void)
{
	char line[80];
	int n = fmt_snprintf(line, sizeof(line),
			     CONSOLE_PREFIX "%u lines of guests were left out here\n", lost_lines);

	lost_lines = 0;
	append(line, (size_t)n);
}

static void tick(void *data)
{
	unsigned long flags = console_lock_take();
	bool more;

	send_some(TX_BURST);
	tick_stall = head == tick_head ? tick_stall + tx_device->fill_time : 0;
	tick_head = head;
	if (tick_stall > STALL_MAX + tx_device->fill_time) {
		tick_stall = 0;
		give_up();
	}
	/* Not as soon as there is room, or each lost line would get a message. */
	if (lost_lines && filled() < shares[TX_GUEST] / 2)
		show_lost_lines();
	more = tick_pending = head != tail;
	console_lock_drop(flags);
	if (more)
		set_timer(NULL);
}

void tx_init(void)
{
	timer_init(&tick_timer, tick, NULL, smp_processor_id());
}

bool tx_has_device(void)
{
	return tx_device != NULL;
}

void tx_set_device(const struct console_device *device)
{
	tx_device = device;
}

void tx_set_buffered(void)
{
	buffered = true;
}

void tx_set_synchronous(void)
{
	buffered = false;
	if (tx_device)
		send_all();
}
