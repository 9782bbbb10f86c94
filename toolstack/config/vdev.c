/* SPDX-License-Identifier: MIT */
/*
 * Names and numbers of virtual disks (xen-vbd-interface(7)). A number is major << 8 | minor of the
 * device that the guest sees, with bits 28 and up zero. A disk or partition that has no such number
 * is 1 << 28 | disk << 8 | partition.
 */
#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXTENDED = 1 << 28, MAX_DISK = (1 << 20) - 1 };

static int number_of_xvd(unsigned int disk, unsigned int part)
{
	return (int)(disk < 16 && part < 16 ? 202 << 8 | disk << 4 | part :
					      EXTENDED | disk << 8 | part);
}

/*
 * "a" is 0, "z" 25, "aa" 26. Moves *p behind the letters. Returns -1 when there are none or too
 * many.
 */
static int parse_letters(const char **p)
{
	int disk = 0;

	if (**p < 'a' || **p > 'z')
		return -1;
	for (; **p >= 'a' && **p <= 'z'; (*p)++) {
		disk = disk * 26 + **p - 'a' + 1;
		if (disk > MAX_DISK)
			return -1;
	}
	return disk - 1;
}

/* "51712" and "0xca00" are the number itself; "d5p2" is disk 5, partition 2. */
static int number_of_position(const char *vdev)
{
	uint64_t number, disk, part = 0;
	char *copy, *end;
	bool good;

	if (*vdev != 'd')
		return str_to_u64(vdev, 0, 0, EXTENDED * 2 - 1, &number) ? (int)number : -1;
	copy = xstrdup(vdev + 1);
	end = strchr(copy, 'p');
	if (end)
		*end++ = '\0';
	good = str_to_u64(copy, 10, 0, MAX_DISK, &disk) &&
	       (!end || str_to_u64(end, 10, 1, 255, &part));
	free(copy);
	return good ? number_of_xvd((unsigned int)disk, (unsigned int)part) : -1;
}

int config_vdev_number(const char *vdev)
{
	bool is_xvd = str_starts(vdev, "xvd"), is_sd = str_starts(vdev, "sd"),
	     is_hd = str_starts(vdev, "hd");
	uint64_t part = 0;
	const char *p;
	int disk;

	if (!is_xvd && !is_sd && !is_hd)
		return number_of_position(vdev);
	p = vdev + (is_xvd ? 3 : 2);
	disk = parse_letters(&p);
	if (disk < 0 || *p == '0' || (*p && !str_to_u64(p, 10, 1, 255, &part)))
		return -1;
	if (is_hd)
		return disk < 4 && part < 64 ?
			       (disk < 2 ? 3 : 22) << 8 | (disk & 1) << 6 | (int)part :
			       -1;
	if (is_sd)
		return disk < 16 && part < 16 ? 8 << 8 | disk << 4 | (int)part : -1;
	return number_of_xvd((unsigned int)disk, (unsigned int)part);
}

static char *name(const char *prefix, unsigned int disk, unsigned int part)
{
	char letters[8] = "", *p = letters + sizeof(letters) - 1;
	char digits[12] = "";

	for (disk++; disk; disk = (disk - 1) / 26)
		*--p = (char)('a' + (disk - 1) % 26);
	if (part)
		snprintf(digits, sizeof(digits), "%u", part);
	return xasprintf("%s%s%s", prefix, p, digits);
}

char *config_vdev_name(unsigned int number)
{
	unsigned int major = number >> 8, minor = number & 0xff;

	if (number & EXTENDED)
		return number >> 29 ? NULL : name("xvd", (number & (EXTENDED - 1)) >> 8, minor);
	if (major == 202)
		return name("xvd", minor >> 4, minor & 15);
	if (major == 8)
		return name("sd", minor >> 4, minor & 15);
	if ((major == 3 || major == 22) && minor < 128)
		return name("hd", (major == 22 ? 2 : 0) + (minor >> 6), minor & 63);
	return NULL;
}
