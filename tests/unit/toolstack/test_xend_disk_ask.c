/* SPDX-License-Identifier: MIT */
/* Files on a server that does not answer: nobody waits long, and what may be the same disk is. */
/* links: toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_graph.c toolstack/lib/alloc.c toolstack/lib/str.c */
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

#include "unit.h"

static sem_t answers;
static atomic_int calls;
static char root[] = "/tmp/xend-ask-XXXXXX", proc[64], sys[64];

static int identify(const char *path, struct disk_node *node)
{
	calls++;
	if (strncmp(path, "/nfs/", 5) == 0)
		sem_wait(&answers);
	if (strcmp(path, "/none") == 0)
		return -ENOENT;
	*node = (struct disk_node){ makedev(8, 1), 77 };
	return 0;
}

static int loop_file(const char *name, struct disk_node *file)
{
	return identify(strcmp(name, "loop0") == 0 ? "/nfs/a" : "/a", file);
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
	assert_int_equal(disk_ask_identify(&sources, "/nfsother/a", &node), 0);
	assert_int_equal(node.inode, 77);
}

static void test_a_server_that_is_back_answers(void **state)
{
	struct disk_node node = { 0, 0 };

	sem_post(&answers);
	sem_post(&answers);
	for (int i = 0; i < 100 && node.inode != 77; i++) {
		sem_post(&answers);
		assert_int_equal(disk_ask_identify(&sources, "/nfs/a", &node), 0);
	}
	assert_int_equal(node.inode, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_passed_on),
		cmocka_unit_test(test_silence_gives_the_file_system),
		cmocka_unit_test(test_a_server_that_is_back_answers),
	};
	char command[256];
	int rc;

	sem_init(&answers, 0, 0);
	if (!mkdtemp(root))
		return 1;
	snprintf(proc, sizeof(proc), "%s/proc", root);
	snprintf(sys, sizeof(sys), "%s/sys", root);
	snprintf(command, sizeof(command), "mkdir -p %s/self %s/block/loop0/loop", proc, sys);
	if (system(command)) /* NOLINT(cert-env33-c) */
		return 1;
	sources.proc = proc;
	sources.sys = sys;
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
