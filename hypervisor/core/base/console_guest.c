/* SPDX-License-Identifier: MIT */
/*
 * The log of guests: what guests write by console_io, and what the hypervisor logs about them. It
 * is separate from the hypervisor's own log, so no guest can push a line out of that one. Debug key
 * G shows it.
 *
 * What a guest writes is collected into lines, and each line becomes a message of its domain.
 *
 * A domain may add ten lines a second. Its next line after lost ones is preceded by their number.
 * Option guest_loglvl selects the lines that the console's device shows, too.
 */
#include "core/base/console_internal.h"
#include "core/base/log_ring.h"

#include "hv/arch/time.h"
#include "hv/cmdline.h"
#include "hv/domain.h"
#include "hv/spinlock.h"
#include "lib/printf.h"
#include "lib/string.h"

#define GUEST_LOG_SIZE	 16384 /* power of two */
#define LINES_PER_SECOND 10

static DEFINE_SPINLOCK(guest_log_lock, LOCK_CONSOLE);
static char guest_log_bytes[GUEST_LOG_SIZE];
static struct log_ring guest_log = { .bytes = guest_log_bytes, .size = GUEST_LOG_SIZE };

/* The line begins with CONSOLE_PREFIX. The log omits the prefix: showing the log adds it again. */
static void add_line(const char *line, size_t len, bool show)
{
	size_t prefix = strlen(CONSOLE_PREFIX);
	unsigned long flags = spin_lock_irqsave(&guest_log_lock);

	log_ring_put(&guest_log, line + prefix, len - prefix);
	spin_unlock_irqrestore(&guest_log_lock, flags);
	if (show)
		console_show_guest_line(line, len);
}

/*
 * May d log a line now? True: *lost lines were lost before, to be reported first. False: this line
 * is counted as lost.
 */
static bool may_print(struct domain *d, u32 *lost)
{
	unsigned long flags = spin_lock_irqsave(&guest_log_lock);
	s_time_t now = time_now();
	bool may;

	if (now - d->console.refilled_at > SECONDS(1)) {
		d->console.refilled_at = now;
		d->console.tokens = LINES_PER_SECOND;
	}
	may = d->console.tokens > 0;
	if (may) {
		d->console.tokens--;
		*lost = d->console.lost;
		d->console.lost = 0;
	} else {
		d->console.lost++;
	}
	spin_unlock_irqrestore(&guest_log_lock, flags);
	return may;
}

static void tell_lost(const struct domain *d, u32 lost, bool show)
{
	char line[64];
	int n;

	if (!lost)
		return;
	n = fmt_snprintf(line, sizeof(line), CONSOLE_PREFIX "d%u: %u lines left out\n", d->id,
			 lost);
	add_line(line, (size_t)n, show);
}

void guest_printk(struct domain *d, enum loglevel level, const char *fmt, ...)
{
	bool always = (int)level <= boot_options.guest_loglvl;
	bool show = always || (int)level <= boot_options.guest_loglvl_limited;
	char line[CONSOLE_LINE_MAX], prefix[12];
	va_list args;
	size_t len;
	u32 lost = 0;

	if (!always && !may_print(d, &lost))
		return;
	tell_lost(d, lost, show);
	fmt_snprintf(prefix, sizeof(prefix), "d%u: ", d->id);
	va_start(args, fmt);
	len = console_format_line(line, prefix, fmt, args);
	va_end(args);
	add_line(line, len, show);
}

void guest_log_tell_lost(struct domain *d)
{
	unsigned long flags = spin_lock_irqsave(&guest_log_lock);
	u32 lost = d->console.lost;

	d->console.lost = 0;
	spin_unlock_irqrestore(&guest_log_lock, flags);
	tell_lost(d, lost, boot_options.guest_loglvl_limited >= (int)LOG_DEBUG);
}

static bool is_printable(char c)
{
	return (c >= ' ' && c < 0x7f) || c == '\t';
}

/* Caller holds d->lock. */
static void line_flush(struct domain *d)
{
	d->console.line[d->console.fill] = '\0';
	if (d->console.fill)
		guest_printk(d, LOG_DEBUG, "%s\n", d->console.line);
	d->console.fill = 0;
}

void console_write_guest(struct domain *d, const char *s, size_t len)
{
	spin_lock(&d->lock);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n' || s[i] == '\0')
			line_flush(d);
		else if (is_printable(s[i]))
			d->console.line[d->console.fill++] = s[i];
		if (d->console.fill == sizeof(d->console.line) - 1)
			line_flush(d);
	}
	spin_unlock(&d->lock);
}

void console_domain_ends(struct domain *d)
{
	spin_lock(&d->lock);
	line_flush(d);
	spin_unlock(&d->lock);
	guest_log_tell_lost(d);
}

/* Leaves lines that are added meanwhile for the next time, so the loop ends. */
void guest_log_dump(char key)
{
	u32 end = READ_ONCE(guest_log.next), pos = end - GUEST_LOG_SIZE;
	char line[CONSOLE_LINE_MAX];
	size_t n;

	do {
		unsigned long flags = spin_lock_irqsave(&guest_log_lock);

		n = log_ring_read_line(&guest_log, &pos, line, sizeof(line) - 1);
		spin_unlock_irqrestore(&guest_log_lock, flags);
		line[n] = '\0';
		if (n)
			log_err("%s", line);
	} while (n && (s32)(end - pos) > 0);
}
