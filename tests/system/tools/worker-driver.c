/* SPDX-License-Identifier: MIT */
/*
 * Drives xend-worker without xend, for tests and measurements: makes a domain, has the worker build
 * or restore it, tells xenstore, and lets it run. Runs in the lab's Domain-0.
 *
 *	worker-driver create NAME VCPUS CONFIG.json	prints the id of the running domain
 *	worker-driver paused NAME VCPUS CONFIG.json	the same, but the domain stays paused
 *	worker-driver save ID FILE			suspends it, saves it, destroys it
 *	worker-driver checkpoint ID FILE		suspends it, saves it, lets it go on
 *	worker-driver restore NAME VCPUS FILE CONFIG.json
 *	worker-driver destroy ID
 *	worker-driver hold ID				maps a page of it until it is killed
 *	worker-driver splice XLFILE STREAM OUT		xl's file XLFILE with another stream in it
 *
 * What the worker says goes to stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xenstore.h>
#include <xen/sched.h>

#include "config/domain_size.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "hv/hv.h"
#include "lib/json.h"

#define WORKER	     "/usr/lib/xenolith/xend-worker"
#define CACHE	     "/var/cache/xenolith/kernels"
#define ANSWER_LIMIT (1 << 20)

static struct hv *hv;
static struct xs_handle *xs;

static _Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static _Noreturn void die_of(struct error *e)
{
	die("%s", error_text(e));
}

/* --- the worker --- */

/* Waits until the domain is down for suspension. */
static void suspend(uint32_t domid)
{
	char path[64];
	struct hv_domain_info info;

	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", domid);
	xs_write(xs, XBT_NULL, path, "suspend", 7);
	for (int i = 0; i < 3000; i++) {
		if (hv_domain_info(hv, domid, &info, NULL) != 0)
			die("domain %u is gone", domid);
		if (info.shutdown && info.shutdown_reason == SHUTDOWN_suspend)
			return;
		usleep(10000);
	}
	die("domain %u did not suspend", domid);
}

/* Runs it with the request; its descriptor 3 is data_fd. The result object. */
static struct json_object *worker(struct json_object *request, int data_fd, uint32_t domid)
{
	struct str text = STR_INIT;
	struct json_object *answer = NULL, *result;
	int in[2], out[2], status;
	char *line = NULL;
	size_t room = 0;
	FILE *from;
	pid_t pid;

	if (pipe(in) != 0 || pipe(out) != 0)
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		if (data_fd >= 0)
			dup2(data_fd, 3);
		close_range(4, ~0u, 0);
		execl(WORKER, WORKER, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	json_print(request, &text);
	str_add_char(&text, '\n');
	if (write(in[1], text.text, text.len) != (ssize_t)text.len)
		die("the worker does not read");
	from = fdopen(out[0], "r");
	while (getline(&line, &room, from) > 0) {
		fputs(line, stderr);
		json_object_put(answer);
		answer = json_parse_object(line, strcspn(line, "\n"), NULL);
		if (answer != NULL && json_find(answer, "request") != NULL) {
			suspend(domid);
			if (write(in[1], "done\n", 5) != 5)
				die("the worker does not read");
		}
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || answer == NULL)
		return NULL;
	result = json_object_get(json_find(answer, "result"));
	json_object_put(answer);
	fclose(from);
	close(in[1]);
	return result;
}

/* --- xenstore --- */

static void node(uint32_t domid, bool writable, const char *key, const char *fmt, ...)
{
	struct xs_permissions perms[2] = {
		{ .id = writable ? domid : 0, .perms = XS_PERM_NONE },
		{ .id = writable ? 0 : domid, .perms = XS_PERM_READ },
	};
	char path[200], value[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "/local/domain/%u%s", domid, key);
	if (!xs_write(xs, XBT_NULL, path, value, (unsigned int)n) ||
	    !xs_set_permissions(xs, XBT_NULL, path, perms, 2))
		die("xenstore: %s: %s", path, strerror(errno));
}

static void introduce(uint32_t domid, const char *name, unsigned int vcpus,
		      struct json_object *result)
{
	int64_t store_mfn, store_port, console_mfn, console_port, nr_pages;

	if (json_get_int(result, "store_mfn", 0, INT64_MAX, &store_mfn, NULL) ||
	    json_get_int(result, "store_port", 0, INT64_MAX, &store_port, NULL) ||
	    json_get_int(result, "console_mfn", 0, INT64_MAX, &console_mfn, NULL) ||
	    json_get_int(result, "console_port", 0, INT64_MAX, &console_port, NULL) ||
	    json_get_int(result, "nr_pages", 0, INT64_MAX, &nr_pages, NULL))
		die("the worker's result lacks something");
	node(domid, false, "", "%s", "");
	node(domid, false, "/name", "%s", name);
	node(domid, false, "/domid", "%u", domid);
	node(domid, false, "/vm", "/vm/%u", domid);
	node(domid, false, "/cpu", "%s", "");
	for (unsigned int i = 0; i < vcpus; i++) {
		char key[64];

		snprintf(key, sizeof(key), "/cpu/%u/availability", i);
		node(domid, false, key, "online");
	}
	node(domid, false, "/memory", "%s", "");
	node(domid, false, "/memory/target", "%lld", (long long)nr_pages * 4);
	node(domid, true, "/control", "%s", "");
	node(domid, true, "/control/shutdown", "%s", "");
	node(domid, true, "/device", "%s", "");
	node(domid, true, "/data", "%s", "");
	node(domid, false, "/store", "%s", "");
	node(domid, false, "/store/ring-ref", "%lld", (long long)store_mfn);
	node(domid, false, "/store/port", "%lld", (long long)store_port);
	node(domid, false, "/console", "%s", "");
	node(domid, false, "/console/ring-ref", "%lld", (long long)console_mfn);
	node(domid, false, "/console/port", "%lld", (long long)console_port);
	node(domid, false, "/console/limit", "1048576");
	node(domid, false, "/console/type", "xenconsoled");
	if (!xs_introduce_domain(xs, domid, (unsigned long)store_mfn, (unsigned int)store_port))
		die("xenstored does not take domain %u: %s", domid, strerror(errno));
}

static void destroy(uint32_t domid)
{
	char path[64];
	struct error *e = NULL;

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	xs_rm(xs, XBT_NULL, path);
	xs_release_domain(xs, domid);
	if (hv_domain_destroy(hv, domid, &e) != 0)
		die_of(e);
}

/* --- commands --- */

static struct config *read_config(const char *path)
{
	struct str text = STR_INIT;
	struct error *e = NULL;
	struct json_object *o = NULL;
	struct config *config = NULL;

	if (file_read(path, ANSWER_LIMIT, &text, &e) == 0)
		o = json_parse_object(str_text(&text), text.len, &e);
	if (o != NULL)
		config = config_from_json(o, &e);
	if (config == NULL)
		die_of(e);
	str_free(&text);
	return config;
}

/* A new domain that the worker fills by `op`. */
static void create(const char *op, const char *name, unsigned int vcpus, const char *path,
		   int data_fd, bool run)
{
	struct hv_domain_spec spec = { .max_vcpus = vcpus,
				       .max_grant_frames = -1,
				       .max_maptrack_frames = -1 };
	struct json_object *request = json_new_object(), *result;
	struct config *config = read_config(path);
	struct domain_size size;
	struct error *e = NULL;
	uint32_t domid = 0;

	for (size_t i = 0; i < sizeof(spec.uuid); i++)
		spec.uuid[i] = (uint8_t)rand();
	if (hv_domain_create(hv, &spec, &domid, &e) != 0)
		die_of(e);
	domain_size_of_config(&size, config);
	if (hv_domain_set_max_mem(hv, domid, domain_size_limit_kb(&size), &e) != 0) {
		destroy(domid);
		die_of(e);
	}
	json_set_string(request, "op", op);
	json_set_int(request, "domid", domid);
	json_set_int(request, "fd", 3);
	json_set_string(request, "cache", CACHE);
	json_set(request, "config", config_to_json(config));
	json_set(request, "size", domain_size_to_json(&size));
	result = worker(request, data_fd, domid);
	if (result == NULL) {
		destroy(domid);
		die("the worker failed");
	}
	introduce(domid, name, vcpus, result);
	if (run && hv_domain_unpause(hv, domid, &e) != 0)
		die_of(e);
	printf("%u\n", domid);
}

static void save(uint32_t domid, const char *path, bool checkpoint)
{
	struct json_object *request = json_new_object();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct error *e = NULL;
	bool ok;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	json_set_string(request, "op", "save");
	json_set_int(request, "domid", domid);
	json_set_int(request, "fd", 3);
	json_set_string(request, "suspend", "xend");
	ok = worker(request, fd, domid) != NULL;
	if (ok && !checkpoint)
		destroy(domid);
	else if (hv_domain_cancel_suspend(hv, domid, &e) != 0)
		die_of(e);
	if (!ok)
		die("the worker failed");
}

struct mapped {
	const char *data;
	size_t size;
};

static struct mapped map_file(const char *path)
{
	struct mapped m = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) != 0)
		die("%s: %s", path, strerror(errno));
	m.size = (size_t)st.st_size;
	m.data = mmap(NULL, m.size, PROT_READ, MAP_SHARED, fd, 0);
	if (m.data == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return m;
}

/* Where in an image the stream begins. */
static size_t stream_begin(struct mapped image)
{
	static const char start[] = "\xff\xff\xff\xff\xff\xff\xff\xffXENF";
	const char *at = memmem(image.data, image.size, start, sizeof(start) - 1);

	if (at == NULL)
		die("there is no stream");
	return (size_t)(at - image.data);
}

/* Where it ends: after the record END. */
static size_t stream_end(struct mapped image)
{
	size_t end = stream_begin(image) + 24 + 16;
	uint32_t record[2];

	do {
		if (image.size - end < sizeof(record))
			die("the stream is cut off");
		memcpy(record, image.data + end, sizeof(record));
		end += sizeof(record) + ((size_t)record[1] + 7) / 8 * 8;
	} while (record[0] != 0);
	return end;
}

static void splice_stream(const char *xl_path, const char *stream_path, const char *out_path)
{
	struct mapped xl = map_file(xl_path), stream = map_file(stream_path);
	int fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t begin = stream_begin(xl), end = stream_end(xl), from = stream_begin(stream),
	       to = stream_end(stream);
	struct error *e = NULL;

	if (file_write_fd(fd, out_path, xl.data, begin, &e) != 0 ||
	    file_write_fd(fd, out_path, stream.data + from, to - from, &e) != 0 ||
	    file_write_fd(fd, out_path, xl.data + end, xl.size - end, &e) != 0)
		die_of(e);
}

/* A page of a domain that somebody maps outlives the domain, which stays dying as long. */
static _Noreturn void hold(uint32_t domid)
{
	struct error *e = NULL;
	char path[64], *ring;
	xen_pfn_t frame;

	snprintf(path, sizeof(path), "/local/domain/%u/store/ring-ref", domid);
	ring = xs_read(xs, XBT_NULL, path, NULL);
	if (ring == NULL)
		die("domain %u has no ring", domid);
	frame = strtoul(ring, NULL, 10);
	if (hv_map_frames(hv, domid, PROT_READ, &frame, NULL, 1, &e) == NULL)
		die_of(e);
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}

/* The image, at the beginning of its stream. */
static int open_stream(const char *path)
{
	int fd = open(path, O_RDONLY);

	lseek(fd, (off_t)stream_begin(map_file(path)), SEEK_SET);
	return fd;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	struct error *e = NULL;

	srand((unsigned int)getpid());
	if (hv_open(&hv, &e) != 0)
		die_of(e);
	xs = xs_open(0);
	if (xs == NULL)
		die("xenstored does not answer");
	if (argc == 5 && strcmp(command, "create") == 0)
		create("build", argv[2], (unsigned int)atoi(argv[3]), argv[4], -1, true);
	else if (argc == 5 && strcmp(command, "paused") == 0)
		create("build", argv[2], (unsigned int)atoi(argv[3]), argv[4], -1, false);
	else if (argc == 4 && strcmp(command, "save") == 0)
		save((uint32_t)atoi(argv[2]), argv[3], false);
	else if (argc == 4 && strcmp(command, "checkpoint") == 0)
		save((uint32_t)atoi(argv[2]), argv[3], true);
	else if (argc == 6 && strcmp(command, "restore") == 0)
		create("restore", argv[2], (unsigned int)atoi(argv[3]), argv[5],
		       open_stream(argv[4]), true);
	else if (argc == 3 && strcmp(command, "destroy") == 0)
		destroy((uint32_t)atoi(argv[2]));
	else if (argc == 3 && strcmp(command, "hold") == 0)
		hold((uint32_t)atoi(argv[2]));
	else if (argc == 5 && strcmp(command, "splice") == 0)
		splice_stream(argv[2], argv[3], argv[4]);
	else
		die("usage: see the top of worker-driver.c");
	return 0;
}
