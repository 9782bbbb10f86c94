// SPDX-License-Identifier: MIT
/*
 * A file server for tests: "slow-fs DIRECTORY MOUNTPOINT" shows the files of a directory, through
 * the kernel's FUSE. Stopped (SIGSTOP), it is a server that is down: whoever asks for its files
 * waits. After SIGUSR1 it answers all but writes, until SIGUSR2: nobody can end a process that
 * writes. Interface: linux/fuse.h. It serves the files that are there when it starts, and keeps
 * nothing in the kernel's memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK	  (128 * 1024)
#define MAX_FILES 64

/* The file with node number i + 2. */
static struct {
	char name[256];
	int fd;
} files[MAX_FILES];
static int nr_files, device;
static char request[CHUNK + 4096], data[CHUNK];
/* Writes that wait for SIGUSR2. */
static char *withheld[MAX_FILES];
static int nr_withheld;
static volatile sig_atomic_t withholds;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(const struct fuse_in_header *in, int error, const void *body, size_t length)
{
	struct fuse_out_header out = { .unique = in->unique, .error = error };
	struct iovec parts[2] = { { &out, sizeof(out) }, { (void *)body, length } };

	out.len = (uint32_t)(sizeof(out) + length);
	if (writev(device, parts, length ? 2 : 1) < 0 && errno != ENOENT)
		die("answer");
}

static void fill(struct fuse_attr *attr, uint64_t node)
{
	struct stat st = { .st_mode = S_IFDIR | 0755, .st_nlink = 2 };

	if (node >= 2)
		fstat(files[node - 2].fd, &st);
	*attr = (struct fuse_attr){ .ino = node,
				    .size = (uint64_t)st.st_size,
				    .blocks = (uint64_t)st.st_blocks,
				    .mode = st.st_mode,
				    .nlink = (uint32_t)st.st_nlink,
				    .blksize = 4096 };
}

static void look_up(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = { 0 };

	for (int i = 0; i < nr_files; i++) {
		if (strcmp(files[i].name, name) != 0)
			continue;
		out.nodeid = (uint64_t)i + 2;
		fill(&out.attr, out.nodeid);
		answer(in, 0, &out, sizeof(out));
		return;
	}
	answer(in, -ENOENT, NULL, 0);
}

static void transfer(const struct fuse_in_header *in, const void *body)
{
	const struct fuse_read_in *read_in = body;
	const struct fuse_write_in *write_in = body;
	struct fuse_write_out out = { 0 };
	ssize_t n;

	if (in->opcode == FUSE_READ) {
		n = pread(files[in->nodeid - 2].fd, data,
			  read_in->size < CHUNK ? read_in->size : CHUNK, (off_t)read_in->offset);
		answer(in, n < 0 ? -errno : 0, data, n > 0 ? (size_t)n : 0);
		return;
	}
	n = pwrite(files[in->nodeid - 2].fd, write_in + 1, write_in->size, (off_t)write_in->offset);
	out.size = n > 0 ? (uint32_t)n : 0;
	answer(in, n < 0 ? -errno : 0, &out, n < 0 ? 0 : sizeof(out));
}

static void set(const struct fuse_in_header *in, const struct fuse_setattr_in *order)
{
	struct fuse_attr_out out = { 0 };

	if ((order->valid & FATTR_SIZE) && in->nodeid >= 2 &&
	    ftruncate(files[in->nodeid - 2].fd, (off_t)order->size)) {
		answer(in, -errno, NULL, 0);
		return;
	}
	fill(&out.attr, in->nodeid);
	answer(in, 0, &out, sizeof(out));
}

static void serve(const struct fuse_in_header *in, const void *body)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = FUSE_KERNEL_MINOR_VERSION,
				      .max_readahead = CHUNK,
				      .flags = FUSE_BIG_WRITES,
				      .max_write = CHUNK };
	struct fuse_attr_out attr = { 0 };
	/* A flush would wait for the writes of others. */
	struct fuse_open_out opened = { .open_flags = FOPEN_NOFLUSH };
	struct fuse_statfs_out fs = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(in, body);
		break;
	case FUSE_GETATTR:
		fill(&attr.attr, in->nodeid);
		answer(in, 0, &attr, sizeof(attr));
		break;
	case FUSE_SETATTR:
		set(in, body);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
	case FUSE_WRITE:
		transfer(in, body);
		break;
	case FUSE_READDIR:
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		answer(in, 0, NULL, 0);
		break;
	case FUSE_STATFS:
		answer(in, 0, &fs, sizeof(fs));
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break;
	default:
		answer(in, -ENOSYS, NULL, 0);
	}
}

static void on_signal(int number)
{
	withholds = number == SIGUSR1;
}

static void take_request(size_t length)
{
	const struct fuse_in_header *in = (const void *)request;

	if (withholds && in->opcode == FUSE_WRITE && nr_withheld < MAX_FILES) {
		withheld[nr_withheld] = malloc(length);
		memcpy(withheld[nr_withheld++], request, length);
		return;
	}
	serve(in, in + 1);
}

static void release(void)
{
	for (int i = 0; i < nr_withheld; i++) {
		serve((const void *)withheld[i], withheld[i] + sizeof(struct fuse_in_header));
		free(withheld[i]);
	}
	nr_withheld = 0;
}

static void open_files(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory)
		die(path);
	while ((entry = readdir(directory)) && nr_files < MAX_FILES) {
		if (entry->d_type != DT_REG)
			continue;
		files[nr_files].fd = openat(dirfd(directory), entry->d_name, O_RDWR | O_CLOEXEC);
		if (files[nr_files].fd < 0)
			die(entry->d_name);
		snprintf(files[nr_files++].name, sizeof(files[0].name), "%s", entry->d_name);
	}
	closedir(directory);
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	char options[100];

	if (argc != 3) {
		fprintf(stderr, "usage: slow-fs DIRECTORY MOUNTPOINT\n");
		return 2;
	}
	open_files(argv[1]);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("slow-fs", argv[2], "fuse.slow-fs", 0, options))
		die(argv[2]);
	if (daemon(0, 0))
		die("daemon");
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	for (;;) {
		ssize_t n = read(device, request, sizeof(request));

		if (n < 0 && errno == ENODEV)
			return 0;
		if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
			die("read");
		if (!withholds)
			release();
		if (n > 0)
			take_request((size_t)n);
	}
}
