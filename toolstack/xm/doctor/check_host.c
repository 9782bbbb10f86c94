/* SPDX-License-Identifier: MIT */
/* The machine and its hypervisor. */
#include "xm/doctor/doctor.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "lib/str.h"
#include "xm/client/answer.h"

/* MiB below which Domain-0 of a Debian is short of memory. */
#define DOM0_LEAST	512
#define AVAILABLE_LEAST 64

/* The newest hypervisor in /boot; NULL: there is none. The caller frees it. */
static char *installed_hypervisor(const struct doctor *d)
{
	char *pattern = doctor_path(d, "/boot/xenolith-*.gz"), *found = NULL;
	glob_t names;

	if (glob(pattern, 0, NULL, &names) == 0)
		found = xstrdup(strrchr(names.gl_pathv[names.gl_pathc - 1], '/') + 1);
	globfree(&names);
	free(pattern);
	return found;
}

static void boot_advice(struct doctor *d, enum doctor_level level, const char *now)
{
	char *hypervisor = installed_hypervisor(d);

	if (hypervisor)
		doctor_add(d, "hypervisor", level, "xenolith default on\nreboot",
			   "%s; %s is installed, and runs from the next boot if the boot menu "
			   "chooses it",
			   now, hypervisor);
	else
		doctor_add(d, "hypervisor", level, "apt-get install ./xenolith*.deb\nreboot",
			   "%s, and Xenolith's hypervisor is not installed. No archive has its "
			   "packages; 'make deb' in its sources builds them",
			   now);
	free(hypervisor);
}

static void name_hypervisor(struct doctor *d)
{
	char *major = doctor_line(d, "/sys/hypervisor/version/major");
	char *minor = doctor_line(d, "/sys/hypervisor/version/minor");
	char *extra = doctor_line(d, "/sys/hypervisor/version/extra");
	char *changeset = doctor_line(d, "/sys/hypervisor/properties/changeset");
	char *text;

	if (str_starts(changeset, "xenolith ")) {
		doctor_add(d, "hypervisor", DOCTOR_OK, NULL,
			   "Xenolith %s, with Xen's interface %s.%s; this is its Domain-0",
			   changeset + strlen("xenolith "), major, minor);
	} else {
		text = xasprintf("this is the Domain-0 of Xen %s.%s%s", major, minor, extra);
		boot_advice(d, DOCTOR_ADVICE, text);
		free(text);
	}
	free(major);
	free(minor);
	free(extra);
	free(changeset);
}

void doctor_check_hypervisor(struct doctor *d)
{
	char *type = doctor_line(d, "/sys/hypervisor/type");
	char *caps = doctor_line(d, "/proc/xen/capabilities");

	d->hypervisor = strcmp(type, "xen") == 0 && strstr(caps, "control_d");
	if (d->hypervisor)
		name_hypervisor(d);
	else if (strcmp(type, "xen") != 0)
		boot_advice(d, DOCTOR_FAULT, "no hypervisor: this Linux has the machine to itself");
	else if (!doctor_exists(d, "/proc/xen/capabilities"))
		doctor_add(d, "hypervisor", DOCTOR_FAULT, "mount -t xenfs xenfs /proc/xen",
			   "/proc/xen is not mounted, so programs do not see the hypervisor");
	else
		doctor_add(
			d, "hypervisor", DOCTOR_FAULT, NULL,
			"this is a guest: guests are managed in Domain-0, the host's own system");
	free(type);
	free(caps);
}

/* Features of the processor, from hw_caps: eight words in hexadecimal with colons between them. */
static bool capability(const char *words, unsigned int word, unsigned int bit)
{
	while (word-- && words)
		words = strchr(words, ':') ? strchr(words, ':') + 1 : NULL;
	return words && strtoul(words, NULL, 16) >> bit & 1;
}

/* Linux names the features of the whole processor only if it has the machine to itself. */
static const char *extension_by_linux(const struct doctor *d)
{
	char *path = doctor_path(d, "/proc/cpuinfo"), *line = NULL;
	FILE *file = fopen(path, "re");
	const char *found = NULL;
	size_t size = 0;

	while (file && !found && getline(&line, &size, file) > 0) {
		if (!str_starts(line, "flags"))
			continue;
		str_trim(line);
		for (char *save, *word = strtok_r(line, " ", &save); word && !found;
		     word = strtok_r(NULL, " ", &save))
			found = strcmp(word, "svm") == 0 ? "svm" :
				strcmp(word, "vmx") == 0 ? "vmx" :
							   NULL;
	}
	if (file)
		fclose(file);
	free(line);
	free(path);
	return found;
}

/* "svm", "vmx" or NULL. Word 1 of hw_caps is CPUID 1.ECX, word 3 is CPUID 80000001.ECX. */
static const char *extension(const struct doctor *d)
{
	const char *caps = d->host ? xm_string(d->host, "hw_caps", "") : "";

	if (!d->hypervisor)
		return extension_by_linux(d);
	return capability(caps, 1, 5) ? "vmx" : capability(caps, 3, 2) ? "svm" : NULL;
}

void doctor_check_processor(struct doctor *d)
{
	const char *name = extension(d), *faults;

	if (d->hypervisor && !d->host) {
		doctor_add(d, "processor", DOCTOR_OK, NULL,
			   "what it can do is not known until xend runs");
		return;
	}
	if (!name)
		doctor_add(d, "processor", DOCTOR_OK, NULL,
			   "neither svm nor vmx (or the firmware has it switched off): "
			   "paravirtualized guests run, unmodified systems do not");
	else if (!d->hypervisor)
		doctor_add(d, "processor", DOCTOR_OK, NULL, "it has %s", name);
	else if (strstr(xm_string(d->host, "virt_caps", ""), "hvm"))
		doctor_add(d, "processor", DOCTOR_OK, NULL,
			   "%s is in use: paravirtualized guests and unmodified systems run", name);
	else
		doctor_add(d, "processor", DOCTOR_OK, NULL,
			   "it has %s, which this hypervisor does not use: paravirtualized guests "
			   "run, unmodified systems do not",
			   name);
	faults = d->host ? xm_string(d->host, "cpu_faults", "none") : "none";
	if (strcmp(faults, "none") != 0)
		doctor_add(
			d, "processor", DOCTOR_ADVICE, "xm dmesg | grep -i guests",
			"nothing guards against these faults of it: %s; run no strangers' guests",
			faults);
}

/* A member of /proc/meminfo in MiB; -1 when it is not there. */
static long meminfo(const struct doctor *d, const char *name)
{
	char *path = doctor_path(d, "/proc/meminfo"), *line = NULL;
	FILE *file = fopen(path, "re");
	size_t size = 0, length = strlen(name);
	long kb = -1;

	while (file && kb < 0 && getline(&line, &size, file) > 0)
		if (str_starts(line, name) && line[length] == ':')
			kb = strtol(line + length + 1, NULL, 10);
	if (file)
		fclose(file);
	free(line);
	free(path);
	return kb < 0 ? -1 : kb / 1024;
}

void doctor_check_memory(struct doctor *d)
{
	long total = meminfo(d, "MemTotal"), available = meminfo(d, "MemAvailable");
	long long free_mb = d->host ? xm_int(d->host, "free_memory", -1) : -1;
	char *rest = free_mb < 0 ? xstrdup("") :
				   xasprintf("; %lld MiB of the host are free for guests", free_mb);

	if (!d->hypervisor)
		doctor_add(d, "memory", DOCTOR_OK, NULL, "%ld MiB", total);
	else if (available >= 0 && available < AVAILABLE_LEAST)
		doctor_add(d, "memory", DOCTOR_FAULT, "ps -e -o rss,comm --sort=-rss | head",
			   "Domain-0 has only %ld of its %ld MiB left%s; dom0_mem in "
			   "/etc/default/grub.d/xenolith.cfg, then update-grub and a reboot, give "
			   "it more",
			   available, total, rest);
	else if (total >= 0 && total < DOM0_LEAST - DOM0_LEAST / 8)
		doctor_add(d, "memory", DOCTOR_ADVICE,
			   "editor /etc/default/grub.d/xenolith.cfg\nupdate-grub\nreboot",
			   "Domain-0 has only %ld MiB%s; dom0_mem should be %dM at least", total,
			   rest, DOM0_LEAST);
	else
		doctor_add(d, "memory", DOCTOR_OK, NULL,
			   "Domain-0 has %ld MiB, and %ld of them to spare%s", total, available,
			   rest);
	free(rest);
}

/* The kernel keeps the state of the clock's discipline; adjtimex(2) only reads it here. */
static bool clock_is_disciplined(void)
{
	struct timex now = { 0 };

	return adjtimex(&now) >= 0 && !(now.status & STA_UNSYNC);
}

void doctor_check_clock(struct doctor *d)
{
	if (*d->root) {
		doctor_add(d, "clock", DOCTOR_OK, NULL, "not looked at in a mounted system");
		return;
	}
	if (clock_is_disciplined())
		doctor_add(d, "clock", DOCTOR_OK, NULL, "it is kept right by a time server");
	else if (doctor_exists(d, "/lib/systemd/systemd-timesyncd"))
		doctor_add(d, "clock", DOCTOR_ADVICE, "timedatectl set-ntp true",
			   "no time server keeps it right; guests take their time from it");
	else
		doctor_add(d, "clock", DOCTOR_ADVICE, "apt-get install systemd-timesyncd",
			   "nothing is installed that keeps it right; guests take their time "
			   "from it");
}

static const struct space {
	const char *path;
	unsigned int least; /* MiB */
	const char *use;
} spaces[] = {
	{ "/var/lib/xend", 1024, "guests are suspended to it" },
	{ "/var/log/xen", 64, "consoles and xend write their logs there" },
	{ "/boot", 64, "kernels and the hypervisor lie there" },
};

/* MiB that root may still use; -1: not known. */
static long free_space(const struct doctor *d, const char *path)
{
	char *below = doctor_path(d, path);
	struct statvfs fs;
	int rc = statvfs(below, &fs);

	free(below);
	return rc ? -1 : (long)(fs.f_bavail * (fs.f_frsize / 512) / 2048);
}

void doctor_check_space(struct doctor *d)
{
	unsigned int short_of = 0;

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		const struct space *space = &spaces[i];
		long mb = free_space(d, space->path);
		char *mend;

		if (mb < 0 || mb >= (long)space->least)
			continue;
		mend = xasprintf("du -xhd1 %s | sort -h", space->path);
		doctor_add(d, "space", mb ? DOCTOR_ADVICE : DOCTOR_FAULT, mend,
			   "%s has %ld MiB left; %s", space->path, mb, space->use);
		free(mend);
		short_of++;
	}
	if (!short_of)
		doctor_add(d, "space", DOCTOR_OK, NULL, "there is room in /var and /boot");
}
