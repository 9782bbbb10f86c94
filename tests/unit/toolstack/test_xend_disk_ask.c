/* SPDX-License-Identifier: MIT */
/* Files on a server that does not answer: nobody waits long, and what may be the same disk is. */
/* links: toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_fd.c toolstack/xend/device/disk_graph.c toolstack/xend/device/disk_image.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c */
#include "xend/device/disk_ask.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "xend/device/disk_fd.h"
#include "unit.h"

static sem_t answers;
static atomic_int calls;
static char root[] = "/tmp/xend-ask-XXXXXX", proc[64], sys[64];

static int identify(const char *path, struct disk_node *node)
{
	calls++;
	if (strncmp(path, "/nfs/", 5) == 0 || strstr(path, "/7/fd/5"))
		sem_wait(&answers);
	if (strcmp(path, "/none") == 0)
		return -ENOENT;
	*node = (struct disk_node){ makedev(8, 1), 77 };
	return 0;
}

static int loop_file(const char *name, struct disk_node *file)
{
	return identify(strcmp(name, "loop0") == 0 || strlen(name) > 5 ? "/nfs/a" : "/a", file);
}

static struct disk_sources sources = { .identify = identify, .loop_file = loop_file };

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/*
 * On a busy machine an answer may come too late for the little patience that is left after a
 * silence. Then there is a guess, and the answer at one of the next times.
 */
#define SOON(asks, holds)                              \
	do {                                           \
		for (int tries = 0;; tries++) {        \
			int result = (asks);           \
                                                       \
			if (result == 0 && (holds))    \
				break;                 \
			if (tries == 200)              \
				fail_msg("%s", #asks); \
			usleep(20000);                 \
		}                                      \
	} while (0)

static void test_an_answer_is_passed_on(void **state)
{
	struct disk_node node;

	assert_int_equal(disk_ask_identify(&sources, "/a", &node), 0);
	assert_int_equal(node.inode, 77);
	assert_int_equal(disk_ask_identify(&sources, "/none", &node), -ENOENT);
	assert_int_equal(disk_ask_loop_file(&sources, "loop1", &node), 0);
	assert_int_equal(node.inode, 77);
}

static void test_silence_gives_the_file_system(void **state)
{
	struct disk_node node, same = { makedev(0, 45), 5 }, other = { makedev(8, 1), 5 },
			       block = { makedev(0, 45), 0 };
	uint64_t start = now_ms();
	int before = calls;

	assert_int_equal(disk_ask_identify(&sources, "/nfs/a", &node), 0);
	assert_true(now_ms() - start >= DISK_ASK_PATIENCE);
	assert_int_equal(node.device, makedev(0, 45));
	assert_true(disk_node_equal(node, same));
	assert_true(disk_node_equal(same, node));
	assert_false(disk_node_equal(node, other));
	assert_false(disk_node_equal(node, block));
	/* The next ones take less time, and no thread more. */
	start = now_ms();
	for (int i = 0; i < 5; i++)
		assert_int_equal(disk_ask_identify(&sources, "/nfs/a", &node), 0);
	assert_true(now_ms() - start < DISK_ASK_PATIENCE);
	assert_int_equal(calls, before + 1);
	assert_int_equal(disk_ask_loop_file(&sources, "loop0", &node), 0);
	assert_int_equal(node.device, makedev(0, 45));
	assert_int_equal(node.inode, DISK_INODE_UNKNOWN);
	/* Others are answered all the same. */
	SOON(disk_ask_identify(&sources, "/nfsother/a", &node), node.inode == 77);
}

/* The kernel knows which file it is, without its server. */
static void test_silent_descriptor(void **state)
{
	struct disk_node node;
	struct disk_fd fd;

	assert_int_equal(disk_ask_descriptor(&sources, 7, "5", &node), 0);
	assert_int_equal(node.device, makedev(0, 45));
	assert_int_equal(node.inode, 99);
	disk_fd_read(&sources, 7, "5", &fd);
	assert_true(disk_fd_is_writable(&fd));
	assert_true(disk_fd_is_file(&sources, 7, "5"));
	assert_false(disk_fd_is_file(&sources, 7, "6"));
	SOON(disk_ask_descriptor(&sources, 7, "4", &node), node.inode == 77);
	disk_fd_read(&sources, 7, "4", &fd);
	assert_false(disk_fd_is_writable(&fd));
	/* One of which nothing is known may be open in any way on anything. */
	disk_fd_read(&sources, 7, "8", &fd);
	assert_true(disk_fd_is_writable(&fd));
	assert_int_equal(fd.inode, DISK_INODE_UNKNOWN);
}

/* Each device has its own question, but all together take hardly longer than one. */
static void test_many_silent_devices(void **state)
{
	uint64_t start = now_ms();
	struct disk_node node;
	char name[16];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "loop%d", 10 + i);
		assert_int_equal(disk_ask_loop_file(&sources, name, &node), 0);
		assert_int_equal(node.device, makedev(0, 45));
	}
	assert_true(now_ms() - start < DISK_ASK_PATIENCE);
	/* And one elsewhere gets its answer. */
	SOON(disk_ask_loop_file(&sources, "loop1", &node), node.inode == 77);
}

static void test_image(void **state)
{
	static const unsigned char header[104] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 2, [23] = 16 };
	struct disk_image_below below;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/image", root);
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite(header, 1, sizeof(header), file);
	fclose(file);
	SOON(disk_ask_image(&sources, path, CONFIG_FORMAT_QCOW2, &below), !below.path);
	SOON(disk_ask_image(&sources, path, CONFIG_FORMAT_QED, &below) + EINVAL, !below.path);
}

static void test_a_server_that_is_back_answers(void **state)
{
	struct disk_node node = { 0, 0 };

	for (int i = 0; i < 100; i++)
		sem_post(&answers);
	SOON((sem_post(&answers), disk_ask_identify(&sources, "/nfs/a", &node)), node.inode == 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_passed_on),
		cmocka_unit_test(test_silence_gives_the_file_system),
		cmocka_unit_test(test_silent_descriptor),
		cmocka_unit_test(test_many_silent_devices),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_a_server_that_is_back_answers),
	};
	char command[512];
	int rc;

	sem_init(&answers, 0, 0);
	if (!mkdtemp(root))
		return 1;
	snprintf(proc, sizeof(proc), "%s/proc", root);
	snprintf(sys, sizeof(sys), "%s/sys", root);
	snprintf(command, sizeof(command),
		 "mkdir -p %s/self %s/7/fd %s/7/fdinfo %s/block/loop0/loop", proc, proc, proc, sys);
	if (system(command)) /* NOLINT(cert-env33-c) */
		return 1;
	sources.proc = proc;
	sources.sys = sys;
	snprintf(command, sizeof(command),
		 "cd %s/7/fd && ln -s /nfs/a 5 && ln -s socket:[1] 6 && ln -s /a 4", proc);
	if (system(command)) /* NOLINT(cert-env33-c) */
		return 1;
	write_file(proc, "7/fdinfo/5", "pos:\t0\nflags:\t0100002\nmnt_id:\t23\nino:\t99\n");
	write_file(proc, "7/fdinfo/4", "pos:\t0\nflags:\t0100000\nmnt_id:\t22\nino:\t77\n");
	write_file(proc, "7/mountinfo", "23 22 0:45 / /nfs rw - nfs server:/export rw\n");
	for (int i = 0; i < 60; i++) {
		snprintf(command, sizeof(command), "mkdir -p %s/block/loop%d/loop", sys, 10 + i);
		if (system(command)) /* NOLINT(cert-env33-c) */
			return 1;
		snprintf(command, sizeof(command), "block/loop%d/loop/backing_file", 10 + i);
		write_file(sys, command, "/nfs/a\n");
	}
	write_file(proc, "self/mountinfo",
		   "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		   "23 22 0:45 / /nfs rw - nfs server:/export rw\n"
		   "24 22 0:46 / /nf rw - tmpfs none rw\n");
	write_file(sys, "block/loop0/loop/backing_file", "/nfs/a\n");
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", root);
	if (system(command)) /* NOLINT(cert-env33-c) */
		return 1;
	return rc;
}
