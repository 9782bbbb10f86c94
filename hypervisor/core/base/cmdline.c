/* SPDX-License-Identifier: MIT */
/* The boot options: a table of names, each with a parser and the place of its value. */
#include "hv/cmdline.h"

#include "hv/console.h"
#include "lib/string.h"

struct boot_options boot_options = {
	.loglvl = LOG_INFO,
	.guest_loglvl = -1,
	.guest_loglvl_limited = -1,
	.com1 = { .port = 0x3f8, .irq = 4 },
	.com2 = { .port = 0x2f8, .irq = 3 },
	.console = "com1",
	.console_vga = true,
	.hvm = true,
	.sched_timeslice_ms = 30,
};

struct option {
	const char *name;
	/* False: not understood. `value` is "" for a bare word. */
	bool (*parse)(const char *value, void *where);
	void *where;
};

/* SIZE: a number with the suffix B, K, M, G or T; KiB without a suffix. */
static bool parse_size(const char *s, const char **end, u64 *bytes)
{
	static const char suffixes[] = "bkmgt";
	const char *suffix;
	u64 n = str_to_u64(s, end, 0);
	unsigned int shift = 10;

	if (*end == s)
		return false;
	suffix = **end ? strchr(suffixes, **end | 0x20) : NULL;
	if (suffix) {
		shift = 10 * (unsigned int)(suffix - suffixes);
		(*end)++;
	}
	if (n > ~0UL >> shift)
		return false;
	*bytes = n << shift;
	return true;
}

/* N%: a number up to 100 and %. */
static bool parse_percent(const char *s, const char **end, unsigned int *percent)
{
	u64 n = str_to_u64(s, end, 10);

	if (*end == s || **end != '%' || n > 100)
		return false;
	(*end)++;
	*percent = (unsigned int)n;
	return true;
}

/* [-]SIZE, [-]N% or [-]SIZE+N% */
static bool parse_amount(const char *s, const char **end, struct mem_amount *amount)
{
	struct mem_amount a = { .less = *s == '-' };

	if (a.less)
		s++;
	if (!parse_percent(s, end, &a.percent)) {
		if (!parse_size(s, end, &a.bytes))
			return false;
		if (**end == '+' && !parse_percent(*end + 1, end, &a.percent))
			return false;
	}
	*amount = a;
	return true;
}

/* dom0_mem=AMOUNT[,min:AMOUNT][,max:AMOUNT] in any order */
static bool parse_dom0_mem(const char *s, void *where)
{
	__typeof__(boot_options.dom0_mem) mem = { 0 };

	do {
		struct mem_amount *to = &mem.size;

		if (!strncmp(s, "min:", 4)) {
			to = &mem.min;
			s += 4;
		} else if (!strncmp(s, "max:", 4)) {
			to = &mem.max;
			s += 4;
		}
		if (!parse_amount(s, &s, to) || (*s && *s != ','))
			return false;
	} while (*s++ == ',');
	boot_options.dom0_mem = mem;
	return true;
}

static bool parse_uint(const char *s, void *where)
{
	const char *end;
	u64 n = str_to_u64(s, &end, 0);

	if (end == s || *end || n > ~0U)
		return false;
	*(unsigned int *)where = (unsigned int)n;
	return true;
}

static bool parse_ulong(const char *s, void *where)
{
	unsigned int n = 0;

	if (!parse_uint(s, &n))
		return false;
	*(unsigned long *)where = n;
	return true;
}

static bool parse_bool(const char *s, void *where)
{
	static const char *const yes[] = { "", "1", "yes", "on", "true", "enable" };
	static const char *const no[] = { "0", "no", "off", "false", "disable" };

	for (unsigned int i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(s, yes[i])) {
			*(bool *)where = true;
			return true;
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(no); i++) {
		if (!strcmp(s, no[i])) {
			*(bool *)where = false;
			return true;
		}
	}
	return false;
}

/* dom0_max_vcpus=N or MIN-MAX; of a range only MAX counts. */
static bool parse_vcpus(const char *s, void *where)
{
	const char *dash = strchr(s, '-');

	return parse_uint(dash ? dash + 1 : s, where);
}

static bool parse_level_word(const char *s, size_t len, int *level)
{
	static const struct {
		const char *name;
		int level;
	} names[] = {
		{ "none", -1 },	      { "error", LOG_ERR },   { "warning", LOG_WARN },
		{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { "all", LOG_DEBUG },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i].name) == len && !strncmp(names[i].name, s, len)) {
			*level = names[i].level;
			return true;
		}
	}
	return false;
}

/*
 * LEVEL/LEVEL: lines up to the first level are always shown, up to the second within a rate limit.
 * A single LEVEL stands for both.
 */
static bool parse_levels(const char *s, int *always, int *limited)
{
	const char *slash = strchr(s, '/');
	int first = 0, second = 0;

	if (!parse_level_word(s, slash ? (size_t)(slash - s) : strlen(s), &first))
		return false;
	second = first;
	if (slash && !parse_level_word(slash + 1, strlen(slash + 1), &second))
		return false;
	*always = first;
	*limited = second;
	return true;
}

/* The hypervisor's own lines have no rate limit: the second level counts. */
static bool parse_loglvl(const char *s, void *where)
{
	int always;

	return parse_levels(s, &always, &boot_options.loglvl);
}

static bool parse_guest_loglvl(const char *s, void *where)
{
	return parse_levels(s, &boot_options.guest_loglvl, &boot_options.guest_loglvl_limited);
}

/* A number in hexadecimal, and what follows it. */
static bool take_hex(const char **s, unsigned long most, char after, unsigned long *value)
{
	const char *end;
	u64 n = str_to_u64(*s, &end, 16);

	if (end == *s || n > most || *end != after)
		return false;
	*value = (unsigned long)n;
	*s = after ? end + 1 : end;
	return true;
}

/* [0:]BUS:DEVICE.FUNCTION. */
static bool parse_pci_function(const char *s, u16 *function)
{
	unsigned long bus, dev, fn;
	const char *colon = strchr(s, ':');

	if (colon && strchr(colon + 1, ':')) {
		if (!take_hex(&s, 0, ':', &bus))
			return false;
	}
	if (!take_hex(&s, 0xff, ':', &bus) || !take_hex(&s, 31, '.', &dev) ||
	    !take_hex(&s, 7, '\0', &fn))
		return false;
	*function = (u16)(bus << 8 | dev << 3 | fn);
	return true;
}

/*
 * What follows "pci": [,IRQ|msi[,BUS:DEVICE.FUNCTION]]. The card is polled, whatever its interrupt.
 */
static bool parse_pci_card(const char *s, u16 *function)
{
	*function = 0;
	if (*s == '\0')
		return true;
	if (*s++ != ',')
		return false;
	if (!strncmp(s, "msi", 3)) {
		s += 3;
	} else {
		const char *end;

		str_to_u64(s, &end, 10);
		s = end;
	}
	if (*s == '\0')
		return true;
	return *s == ',' && parse_pci_function(s + 1, function);
}

/* comN=[BAUD|auto][,8n1[,PORT[,IRQ]]], or [BAUD|auto],[8n1],pci and what may follow that. */
static bool parse_com(const char *s, void *where)
{
	__typeof__(boot_options.com1) *com = where, new = *com;
	const char *end;

	if (!strncmp(s, "auto", 4)) {
		s += 4;
		new.baud = 0;
	} else if (*s && *s != ',') {
		new.baud = (unsigned int)str_to_u64(s, &end, 10);
		if (end == s)
			return false;
		s = end;
	}
	if (*s == ',') {
		s++;
		if (*s && *s != ',') {
			if (strncmp(s, "8n1", 3))
				return false;
			s += 3;
		}
	}
	if (!strncmp(s, ",pci", 4)) {
		new.pci = true;
		new.port = 0;
		new.irq = 0;
		if (!parse_pci_card(s + 4, &new.pci_function))
			return false;
		*com = new;
		return true;
	}
	if (*s == ',') {
		new.pci = false;
		new.port = (u16)str_to_u64(s + 1, &end, 0);
		if (end == s + 1)
			return false;
		s = end;
	}
	if (*s == ',') {
		new.irq = (unsigned int)str_to_u64(s + 1, &end, 10);
		if (end == s + 1 || new.irq > 15)
			return false;
		s = end;
	}
	if (*s)
		return false;
	*com = new;
	return true;
}

/*
 * A list, as GRUB's scripts write it (console=com1,vga): the first serial port that is known
 * counts, and the screen is used beside it.
 */
static bool parse_console(const char *s, void *where)
{
	static const char *const names[] = { "com1", "com2", "none" };
	const char *serial = NULL;
	bool vga = false;

	while (*s) {
		const char *comma = strchr(s, ',');
		size_t len = comma ? (size_t)(comma - s) : strlen(s);

		for (unsigned int i = 0; i < ARRAY_SIZE(names) && !serial; i++)
			if (strlen(names[i]) == len && !strncmp(s, names[i], len))
				serial = names[i];
		vga |= len == 3 && !strncmp(s, "vga", len);
		s += len + (comma != NULL);
	}
	if (!serial && !vga)
		return false;
	str_copy(boot_options.console, serial ? serial : "none", sizeof(boot_options.console));
	boot_options.console_vga = vga;
	return true;
}

static bool parse_sched(const char *s, void *where)
{
	return !strcmp(s, "credit");
}

static bool parse_spec_ctrl(const char *s, void *where)
{
	return cpu_guards_parse_spec_ctrl(s, where);
}

static bool parse_pv_l1tf(const char *s, void *where)
{
	return cpu_guards_parse_pv_l1tf(s, where);
}

/* Options that GRUB's script 20_linux_xen adds by itself. They mean nothing here. */
static bool parse_ignored(const char *s, void *where)
{
	return true;
}

static const struct option options[] = {
	{ "dom0_mem", parse_dom0_mem, NULL },
	{ "dom0_max_vcpus", parse_vcpus, &boot_options.dom0_max_vcpus },
	{ "dom0_vcpus_pin", parse_bool, &boot_options.dom0_vcpus_pin },
	{ "maxcpus", parse_uint, &boot_options.maxcpus },
	{ "hvm", parse_bool, &boot_options.hvm },
	{ "noreboot", parse_bool, &boot_options.noreboot },
	{ "loglvl", parse_loglvl, NULL },
	{ "guest_loglvl", parse_guest_loglvl, NULL },
	{ "sync_console", parse_bool, &boot_options.sync_console },
	{ "com1", parse_com, &boot_options.com1 },
	{ "com2", parse_com, &boot_options.com2 },
	{ "console", parse_console, NULL },
	{ "sched", parse_sched, NULL },
	{ "sched_credit_tslice_ms", parse_ulong, &boot_options.sched_timeslice_ms },
	{ "spec-ctrl", parse_spec_ctrl, &boot_options.guards },
	{ "pv-l1tf", parse_pv_l1tf, &boot_options.guards },
	{ "placeholder", parse_ignored, NULL },
	{ "no-real-mode", parse_ignored, NULL },
	{ "edd", parse_ignored, NULL },
};

static void parse_word(const char *word)
{
	char name[64];
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : strlen(word);

	value = value ? value + 1 : "";
	str_copy(name, word, min(len + 1, sizeof(name)));
	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].name, name))
			continue;
		if (!options[i].parse(value, options[i].where))
			log_warn("boot option %s: \"%s\" is not understood", name, value);
		return;
	}
	log_warn("boot option \"%s\" is unknown", word);
}

void cmdline_parse(const char *line)
{
	char word[256];

	str_copy(boot_options.text, line, sizeof(boot_options.text));
	while (*line) {
		size_t len = 0;

		while (*line == ' ' || *line == '\t')
			line++;
		while (line[len] && line[len] != ' ' && line[len] != '\t')
			len++;
		if (!len)
			break;
		str_copy(word, line, min(len + 1, sizeof(word)));
		parse_word(word);
		line += len;
	}
}
