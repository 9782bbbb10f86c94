/* SPDX-License-Identifier: MIT */
/*
 * A host's disks, as a /sys and a /proc in a directory of their own:
 *
 * - sda: sda1 has ext4 on /; sda2 is below the volumes vg-root (dm-0, mounted on "/var lib") and
 *   vg-data (dm-1, btrfs on /data).
 * - sdb and sdc are two paths to the multipath device dm-2, which is below the volume dm-3.
 * - sdd1 and sde1 are members of the array md0, which is not mounted.
 * - sdf and sdg are free; sdf has the partitions sdf1 and sdf2.
 * - loop0 and loop1 are over one file in sda1. loop1 is read-only and mounted on /iso; loop0p1 is a
 *   partition of loop0.
 * - loop2 is over a file in /data; loop3 has no file.
 * - zram0 is swap; the file "/swap file" in sda1 is swap too.
 */
#ifndef DISK_FIXTURE_H
#define DISK_FIXTURE_H

#include "xend/device/disk_graph.h"

enum { IMAGE_INODE = 100, DATA_IMAGE_INODE = 200, SWAP_INODE = 300, OTHER_INODE = 400 };

extern struct disk_sources disk_fixture;

int disk_fixture_set_up(void **state);
int disk_fixture_tear_down(void **state);
/*
 * A node for a device, by the kernel's name, or for a file: "image" (of loop0), "data-image" (of
 * loop2), "swap-file", or "other" (in sda1, used by nobody).
 */
struct disk_node disk_fixture_node(const char *name);

#endif
