/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/device.c toolstack/xend/device/device_list.c toolstack/xend/device/device_start.c toolstack/xend/device/device_stop.c toolstack/xend/device/device_vbd.c toolstack/xend/device/disk_script.c toolstack/xend/device/driver_domain.c toolstack/xend/device/disk_use.c toolstack/xend/device/disk_image.c toolstack/xend/device/disk_qemu.c tests/unit/toolstack/no_qemu.c toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_claims.c toolstack/xend/device/disk_graph.c toolstack/xend/domain/domain.c toolstack/xend/domain/acquire.c toolstack/xend/server/method_device.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
/*
 * Disks are attached and detached while their backend's driver does not let go of them, while the
 * records' file system is full, and after an attach that was killed. Nobody may get a disk that
 * somebody else may still write. The code under test is real, and so are the files that are the
 * disks; xenstore, the kernel's backends and everything that waits are fakes.
 */
#include "xend/device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "config/config.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/device/disk_host.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/lifecycle.h"
#include "xend/device/hotplug.h"
#include "xend/device/loopdev.h"
#include "xend/runtime/offload.h"
#include "protocol.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/runtime/request.h"
#include "unit.h"

#define FIRST  11
#define SECOND 12
#define BUS    "/sys/bus/xen-backend/devices/vbd-"
#define SYS    "/sys/devices/vbd-"
#define BACK   "/local/domain/0/backend/vbd/"
#define XVDA   51712

/* One backend in the kernel. */
struct backend {
	int domid;
	unsigned int devid;
	bool there, leaving; /* leaving: it is off its bus, but its driver still works on it */
};
/* How a driver lets go: at once; never, because it does not start to; or not while it waits for
 * I/O.
 */
enum stuck { LETS_GO, STAYS, WAITS };

static struct {
	uint64_t now;
	enum stuck stuck;
	bool deaf; /* drivers bind, but report nothing */
	bool disk_full;
	int dies_when_detached; /* the guest that ends then; 0: none */
	bool no_recovery;
	struct backend backends[8];
	bool dead[SECOND + 1];
	char record[1024]; /* the domain's devices */
	enum { SILENT, SERVES, REFUSES, FINDS_NOTHING, DIES } driver;
	struct {
		const char *number, *path; /* what it writes */
		bool fails;
		unsigned int busy; /* as often "remove" fails */
		char log[200];	   /* its actions and their words; "!": the guest has a node */
	} script;
	struct json_object *params;
	struct domain *asked;
} world;

#define SERVED "/local/domain/12/backend/vbd/11/51712"

static struct domain *first, *second;
static char disk_a[] = "/tmp/xend-disk-a.XXXXXX", disk_b[] = "/tmp/xend-disk-b.XXXXXX";

/* --- xenstore --- */

struct node {
	char path[STORE_PATH_MAX], value[STORE_PATH_MAX];
};
static struct node nodes[200];
static size_t nr_nodes;

static const char *node_get(const char *path)
{
	for (size_t i = 0; i < nr_nodes; i++)
		if (strcmp(nodes[i].path, path) == 0)
			return nodes[i].value;
	return NULL;
}

static void node_set(const char *path, const char *value)
{
	size_t i = 0;

	while (i < nr_nodes && strcmp(nodes[i].path, path) != 0)
		i++;
	assert_true(i < sizeof(nodes) / sizeof(nodes[0]));
	nr_nodes += i == nr_nodes;
	snprintf(nodes[i].path, sizeof(nodes[i].path), "%s", path);
	snprintf(nodes[i].value, sizeof(nodes[i].value), "%s", value);
}

/* Removes a node and all below it. */
static void node_remove(const char *path)
{
	size_t length = strlen(path), kept = 0;

	for (size_t i = 0; i < nr_nodes; i++)
		if (strncmp(nodes[i].path, path, length) != 0 ||
		    (nodes[i].path[length] && nodes[i].path[length] != '/'))
			nodes[kept++] = nodes[i];
	nr_nodes = kept;
}

static bool node_is_there(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < nr_nodes; i++)
		if (strncmp(nodes[i].path, path, length) == 0 &&
		    (!nodes[i].path[length] || nodes[i].path[length] == '/'))
			return true;
	return false;
}

#define PATH_OF(fmt)                            \
	char path[STORE_PATH_MAX];              \
	va_list ap;                             \
	va_start(ap, fmt);                      \
	vsnprintf(path, sizeof(path), fmt, ap); \
	va_end(ap)

char *store_read(const char *fmt, ...)
{
	PATH_OF(fmt);
	return node_get(path) ? strdup(node_get(path)) : NULL;
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	PATH_OF(fmt);
	return node_get(path) ? strtoull(node_get(path), NULL, 10) : otherwise;
}

bool store_exists(const char *fmt, ...)
{
	PATH_OF(fmt);
	return node_is_there(path);
}

int store_write(const char *path, const char *fmt, ...)
{
	char value[STORE_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	node_set(path, value);
	return 0;
}

int store_remove(const char *fmt, ...)
{
	PATH_OF(fmt);
	node_remove(path);
	if (world.dies_when_detached && strcmp(path, BACK "11/51712") == 0)
		world.dead[world.dies_when_detached] = true;
	return 0;
}

char **store_list(unsigned int *count, const char *fmt, ...)
{
	/* The array, followed by its names. */
	struct {
		char *list[20], names[20][32];
	} *all = calloc(1, sizeof(*all));
	size_t length;

	PATH_OF(fmt);
	length = strlen(path);
	*count = 0;
	for (size_t i = 0; i < nr_nodes; i++) {
		char name[32];
		bool known = false;

		if (strncmp(nodes[i].path, path, length) != 0 || nodes[i].path[length] != '/')
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(nodes[i].path + length + 1, "/"),
			 nodes[i].path + length + 1);
		for (unsigned int j = 0; j < *count; j++)
			known = known || strcmp(all->names[j], name) == 0;
		if (known)
			continue;
		assert_true(*count < 20);
		strcpy(all->names[*count], name);
		all->list[*count] = all->names[*count];
		++*count;
	}
	return (char **)all;
}

struct store_batch *store_begin(void)
{
	return NULL;
}

void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *fmt, ...)
{
	PATH_OF(fmt);
	node_set(path, value ? value : "");
}

void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *fmt, ...)
{
	char text[32];

	PATH_OF(fmt);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	node_set(path, text);
}

void store_batch_serve(struct store_batch *batch, unsigned int domid)
{
}

void store_drop(struct store_batch *batch, const char *fmt, ...)
{
	PATH_OF(fmt);
	node_remove(path);
}

int store_commit(struct store_batch *batch, struct error **e)
{
	return 0;
}

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	return NULL;
}

void store_unwatch(struct store_watch *watch)
{
}

/* --- the kernel's backends --- */

static struct backend *backend_find(int domid, unsigned int devid)
{
	struct backend *free = NULL;

	for (size_t i = 0; i < sizeof(world.backends) / sizeof(world.backends[0]); i++) {
		struct backend *b = &world.backends[i];

		if (b->there && b->domid == domid && b->devid == devid)
			return b;
		if (!b->there && !free)
			free = b;
	}
	assert_non_null(free);
	*free = (struct backend){ .domid = domid, .devid = devid };
	return free;
}

static void look_at(int domid, unsigned int devid)
{
	struct backend *b = backend_find(domid, devid);
	char path[100], back[80];

	snprintf(back, sizeof(back), BACK "%d/%u", domid, devid);
	snprintf(path, sizeof(path), "%s/state", back);
	if (!b->there && node_get(path) && strcmp(node_get(path), "1") == 0) {
		b->there = true;
		if (!world.deaf)
			node_set(path, "2");
		return;
	}
	snprintf(path, sizeof(path), "%s/online", back);
	if (!b->there || (node_get(path) && strcmp(node_get(path), "1") == 0))
		return;
	b->leaving = world.stuck == WAITS;
	if (world.stuck)
		return;
	b->there = false;
	snprintf(path, sizeof(path), "%s/state", back);
	if (node_get(path))
		node_set(path, "6");
}

/* A driver domain (the second domain) with a disk of the first one. */
static void driver_domain_step(void)
{
	const char *state = node_get(SERVED "/state"), *online = node_get(SERVED "/online");

	if (!state)
		return;
	if (world.driver == SERVES || world.driver == REFUSES)
		if (strcmp(state, "1") == 0)
			node_set(SERVED "/state", "2");
	if (world.driver == SERVES && strcmp(node_get(SERVED "/hotplug-status"), "") == 0)
		node_set(SERVED "/hotplug-status", "connected");
	if (world.driver == SERVES || world.driver == SILENT)
		node_set(SERVED "/physical-device", "ca:0");
	if (world.driver == FINDS_NOTHING) {
		node_set(SERVED "/state", "2");
		node_set(SERVED "/hotplug-status", "connected");
	}
	if (world.driver == REFUSES)
		node_set(SERVED "/hotplug-error", "no\033[31m disk");
	if (world.driver == DIES) {
		world.dead[SECOND] = true;
		node_remove("/local/domain/12");
	}
	if (world.driver == SERVES && strcmp(online, "0") == 0)
		node_remove(SERVED);
}

static void step(void)
{
	driver_domain_step();
	for (int domid = FIRST; domid <= SECOND; domid++)
		for (unsigned int devid = XVDA; devid <= XVDA + 16; devid += 16)
			look_at(domid, devid);
}

/* Replaces libc's: what the kernel shows of its backends. */
int access(const char *path, int mode)
{
	bool bus = strncmp(path, BUS, strlen(BUS)) == 0;
	const struct backend *b;
	unsigned int devid;
	int domid;

	if (!bus && strncmp(path, SYS, strlen(SYS)) != 0)
		return faccessat(AT_FDCWD, path, mode, 0);
	assert_int_equal(sscanf(path + strlen(bus ? BUS : SYS), "%d-%u", &domid, &devid), 2);
	b = backend_find(domid, devid);
	if (b->there && !(bus && b->leaving))
		return 0;
	errno = ENOENT;
	return -1;
}

/* --- the rest of Domain-0, and the hypervisor --- */

int task_wait(uint64_t deadline)
{
	world.now += 10;
	step();
	return world.now < deadline ? 0 : -ETIMEDOUT;
}

int task_sleep(uint64_t ms)
{
	world.now += ms;
	step();
	return 0;
}

bool task_shield(bool on)
{
	return false;
}

uint64_t task_now(void)
{
	return world.now;
}

uint64_t task_deadline(uint64_t after_ms)
{
	return world.now + after_ms;
}

struct task *task_current(void)
{
	return NULL;
}

void task_wake(struct task *task)
{
}

void cond_init(struct cond *cond)
{
	TAILQ_INIT(&cond->waiters);
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	return -ETIMEDOUT;
}

void cond_wake(struct cond *cond)
{
}

int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline)
{
	work(arg);
	return 0;
}

/* Returns no number: the disk is known by its file. */
int loopdev_make(int handle, const char *name, bool readonly, int *fd, dev_t *number,
		 struct error **e)
{
	*fd = dup(handle);
	*number = 0;
	return 0;
}

void disk_host_uses(const struct disk_sources *sources, struct disk_use_list *list)
{
}

int disk_host_check_file(int fd, struct error **e)
{
	return 0;
}

int disk_host_check_device(const char *path, struct error **e)
{
	return 0;
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	struct domain *domain = domid == FIRST ? first : second;

	if (domid > SECOND || world.dead[domid])
		return error_set(e, ESRCH, "There is none.");
	*info = (struct hv_domain_info){ .domid = domid };
	memcpy(info->uuid, domain->uuid, sizeof(info->uuid));
	return 0;
}

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	return error_set(e, EPERM, "Nobody asks for it.");
}

int layout_check_known(const struct domain *domain, struct error **e)
{
	return 0;
}

void console_detach(struct domain *domain)
{
}

void hotplug_vif_undo(int domid, unsigned int devid)
{
}

char *hotplug_script_path(const char *name)
{
	return xstrdup(name);
}

static void script_writes(const char *back, const char *key, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", back, key);
	if (value)
		node_set(path, value);
}

/* The disk's script: it writes what the test says. */
int hotplug_run(const char *script, const char *action, const char *const *words, const char *class,
		int domid, unsigned int devid, struct error **e)
{
	size_t length = strlen(world.script.log);
	char back[80];

	snprintf(back, sizeof(back), BACK "%d/%u", domid, devid);
	snprintf(world.script.log + length, sizeof(world.script.log) - length, "%s%s%s%s%s%s ",
		 action, words ? ":" : "", words && words[0] ? words[0] : "",
		 words && words[0] && words[1] ? ":" : "",
		 words && words[0] && words[1] ? words[1] : "",
		 node_is_there("/local/domain/11/device/vbd/51712") ? "!" : "");
	/* No driver may look at the device before xend has checked it. */
	if (strcmp(action, "add") == 0)
		assert_false(backend_find(domid, devid)->there);
	if (strcmp(action, "remove") == 0 && world.script.busy) {
		world.script.busy--;
		return error_set(e, EIO, "The script remove failed: busy.");
	}
	if (strcmp(action, "remove") == 0)
		return 0;
	script_writes(back, "physical-device", world.script.number);
	script_writes(back, "physical-device-path", world.script.path);
	return world.script.fails ? error_set(e, EIO, "The script add failed: broken.") : 0;
}

void lifecycle_check(struct domain *domain)
{
}

void lifecycle_observe(struct domain *domain, const struct hv_domain_info *info)
{
}

static char *vif_name(const struct device *device)
{
	return xasprintf("%u", device->devid);
}

const struct device_ops device_vif_ops = { .class = "vif",
					   .schema = &config_vif_schema,
					   .name = vif_name };

int record_write(struct domain *domain, struct error **e)
{
	struct json_object *o = devices_to_json(domain);

	if (!world.disk_full)
		snprintf(world.record, sizeof(world.record), "%s", json_object_to_json_string(o));
	json_object_put(o);
	return world.disk_full ?
		       error_set(e, ENOSPC, "Cannot write the record: No space left on device.") :
		       0;
}

int record_remove(struct domain *domain, struct error **e)
{
	return 0;
}

int files_check_program(const char *path)
{
	return access(path, X_OK) ? -errno : 0;
}

const char *files_error_text(int rc)
{
	return strerror(-rc);
}

void files_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int record_check_free(const uint8_t uuid[16], struct error **e)
{
	return 0;
}

int recover_wait(struct request *asker, struct error **e)
{
	/* Recovery cannot work on a domain that the caller has locked. */
	assert_null(world.asked->operation);
	if (world.no_recovery)
		return error_set(e, ECANCELED, "xend was stopped.");
	return 0;
}

const char *request_string(struct request *request, const char *name)
{
	return json_object_get_string(json_object_object_get(world.params, name));
}

struct json_object *request_value(struct request *request, const char *name)
{
	return json_object_object_get(world.params, name);
}

bool request_bool(struct request *request, const char *name)
{
	return json_object_get_boolean(json_object_object_get(world.params, name));
}

int request_domain(struct request *request, struct domain **domain, struct error **e)
{
	*domain = domain_ref(world.asked);
	return 0;
}

/* --- asking --- */

static struct json_object *disk(const char *path, const char *vdev, const char *mode)
{
	struct json_object *o = json_new_object();

	json_set_string(o, "type", "file");
	json_set_string(o, "target", path);
	json_set_string(o, "vdev", vdev);
	json_set_string(o, "mode", mode);
	return o;
}

/* Makes a request and compares the error with `words`; NULL: the request must succeed. */
static void ask(const char *method, struct domain *domain, struct json_object *config,
		const char *device, const char *words)
{
	struct json_object *result = json_new_object();
	const struct method *row = methods_device;
	struct error *e = NULL;
	int rc;

	world.params = json_new_object();
	world.asked = domain;
	json_set_string(world.params, XEND_P_CLASS, "vbd");
	json_set_bool(world.params, XEND_P_FORCE, true);
	if (config)
		json_set(world.params, XEND_P_CONFIG, config);
	if (device)
		json_set_string(world.params, XEND_P_DEVICE, device);
	while (strcmp(row->name, method) != 0)
		row++;
	rc = row->run(NULL, result, &e);
	if (words && (!rc || !strstr(error_text(e), words)))
		fail_msg("'%s' is not said in: %s", words, rc ? error_text(e) : "(success)");
	if (!words && rc)
		fail_msg("%s", error_text(e));
	assert_null(domain->operation);
	error_free(&e);
	json_object_put(result);
	json_object_put(world.params);
}

static void attach(struct domain *domain, const char *path, const char *vdev, const char *words)
{
	ask(XEND_M_DEVICE_ATTACH, domain, disk(path, vdev, "w"), NULL, words);
}

static struct domain *make_domain(const char *name, int domid)
{
	const uint8_t uuid[16] = { (uint8_t)domid };
	struct json_object *o = json_new_object();
	struct domain *domain = domain_ref(domain_add(name, uuid));

	json_set_string(o, "name", name);
	json_set_string(o, "kernel", "/k");
	domain->config = config_from_json(o, NULL);
	assert_non_null(domain->config);
	json_object_put(o);
	domain->ours = true;
	domain->domid = domid;
	domain->state = DOMAIN_RUNNING;
	return domain;
}

static int begin(void **state)
{
	memset(&world, 0, sizeof(world));
	nr_nodes = 0;
	first = make_domain("first", FIRST);
	second = make_domain("second", SECOND);
	return 0;
}

static int end(void **state)
{
	domain_remove(first);
	domain_unref(first);
	domain_remove(second);
	domain_unref(second);
	return 0;
}

static void nothing_is_left_of(int domid)
{
	char path[64];

	snprintf(path, sizeof(path), BACK "%d", domid);
	assert_false(node_is_there(path));
	snprintf(path, sizeof(path), "/local/domain/%d/device", domid);
	assert_false(node_is_there(path));
	for (size_t i = 0; i < sizeof(world.backends) / sizeof(world.backends[0]); i++)
		assert_false(world.backends[i].there && world.backends[i].domid == domid);
}

/* --- tests --- */

static void test_one_after_the_other(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", NULL);
}

/* The domain is destroyed and forgotten while blkback still writes. */
static void check_a_disk_is_in_use_until_the_driver_lets_go_of_it(enum stuck stuck)
{
	attach(first, disk_a, "xvda", NULL);
	world.stuck = stuck;
	devices_stop(first);
	world.dead[FIRST] = true;
	devices_forget(first);
	first->domid = -1;
	domain_remove(first);
	attach(second, disk_a, "xvda",
	       "is gone, but the backend driver in Domain-0 has not let go of it");
	attach(second, disk_b, "xvda", NULL);
	world.stuck = LETS_GO;
	step();
	attach(second, disk_a, "xvdb", NULL);
}

static void test_a_disk_is_in_use_until_the_driver_lets_go_of_it(void **state)
{
	check_a_disk_is_in_use_until_the_driver_lets_go_of_it(STAYS);
	end(state);
	begin(state);
	check_a_disk_is_in_use_until_the_driver_lets_go_of_it(WAITS);
}

/* A dead domain is kept, and a new one takes its place (on_crash = "rename-restart"). */
static void check_it_is_in_use_for_its_own_domain_too(enum stuck stuck)
{
	attach(first, disk_a, "xvda", NULL);
	world.stuck = stuck;
	devices_stop(first);
	devices_forget(first);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	attach(first, disk_a, "xvda", "the backend driver has not let go of it yet");
	attach(first, disk_a, "xvdb", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	step();
	attach(first, disk_a, "xvda", NULL);
}

static void test_it_is_in_use_for_its_own_domain_too(void **state)
{
	check_it_is_in_use_for_its_own_domain_too(STAYS);
	end(state);
	begin(state);
	check_it_is_in_use_for_its_own_domain_too(WAITS);
}

static void check_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(enum stuck stuck)
{
	attach(first, disk_a, "xvda", NULL);
	world.stuck = stuck;
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda",
	    "The backend driver does not let go of the device xvda");
	assert_non_null(device_find(first, &device_vbd_ops, "xvda"));
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", NULL);
}

static void test_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(void **state)
{
	check_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(STAYS);
	end(state);
	begin(state);
	check_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(WAITS);
}

/* The driver has started on the disk, reports nothing, and does not close it. */
static void check_an_attach_that_cannot_be_undone(enum stuck stuck)
{
	world.deaf = true;
	world.stuck = stuck;
	attach(first, disk_a, "xvda", "xen-blkback does not take the disk xvda");
	assert_null(device_find(first, &device_vbd_ops, "xvda"));
	world.deaf = false;
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	step();
	attach(second, disk_a, "xvda", NULL);
}

static void test_an_attach_that_cannot_be_undone(void **state)
{
	check_an_attach_that_cannot_be_undone(STAYS);
	end(state);
	begin(state);
	check_an_attach_that_cannot_be_undone(WAITS);
}

/* However an attach was interrupted, and however far it got. */
static void test_a_backend_in_no_list_is_a_use(void **state)
{
	static const char *const states[] = { "1", "2", "3", "4", "5", "6" };

	attach(first, disk_b, "xvda", NULL);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		node_set(BACK "11/51728/params", disk_a);
		node_set(BACK "11/51728/mode", "w");
		node_set(BACK "11/51728/dev", "xvdb");
		node_set(BACK "11/51728/online", "1");
		node_set(BACK "11/51728/state", states[i]);
		attach(second, disk_a, "xvda", "domain 'first' writes it (as xvdb)");
		node_set(BACK "11/51728/online", "0");
		if (i < 5)
			attach(second, disk_a, "xvda", "domain 'first' writes it (as xvdb)");
	}
	/* Now it is closed and gone from the kernel. */
	step();
	attach(second, disk_a, "xvda", NULL);
	ask(XEND_M_DEVICE_DETACH, second, NULL, "xvda", NULL);
	/* A backend of QEMU's, of which only xenstore knows. */
	node_set("/local/domain/0/backend/qdisk/11/51712/params", "aio:");
	strcat(nodes[nr_nodes - 1].value, disk_a);
	node_set("/local/domain/0/backend/qdisk/11/51712/mode", "w");
	node_set("/local/domain/0/backend/qdisk/11/51712/state", "4");
	attach(second, disk_a, "xvda", "domain 'first' writes it");
}

static void test_attach_waits_for_recovery(void **state)
{
	world.no_recovery = true;
	attach(first, disk_a, "xvda", "xend was stopped");
	nothing_is_left_of(FIRST);
	world.no_recovery = false;
	attach(first, disk_a, "xvda", NULL);
	world.no_recovery = true;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL, "xend was stopped");
	assert_string_equal(node_get(BACK "11/51712/params"), disk_a);
	world.no_recovery = false;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL, NULL);
	assert_string_equal(node_get(BACK "11/51712/params"), disk_b);
}

static void test_what_is_not_recorded_is_not_attached(void **state)
{
	world.disk_full = true;
	attach(first, disk_a, "xvda",
	       "The device xvda was not attached to domain 'first': Cannot write the record");
	assert_true(TAILQ_EMPTY(&first->devices));
	assert_int_equal(first->config->nr_disk, 0);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", "No space left on device");
	world.disk_full = false;
	attach(second, disk_a, "xvda", NULL);
	assert_non_null(strstr(world.record, "51712"));
}

static void test_a_disk_is_not_configured_anew_if_that_is_not_recorded(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	world.disk_full = true;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL,
	    "No space left on device");
	assert_string_equal(node_get(BACK "11/51712/params"), disk_a);
	assert_string_equal(first->config->disk[0].target, disk_a);
	assert_non_null(strstr(world.record, strrchr(disk_a, '/') + 1));
	world.disk_full = false;
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	attach(second, disk_b, "xvda", NULL);
}

/* The guest ends between the detach and the attach: it has its disk when it starts again. */
static void test_a_guest_that_ends_while_its_disk_is_changed_keeps_the_disk(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	world.dies_when_detached = FIRST;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL, "is gone");
	assert_int_equal(first->config->nr_disk, 1);
	assert_string_equal(first->config->disk[0].target, disk_a);
	assert_non_null(strstr(world.record, strrchr(disk_a, '/') + 1));
}

/* --- scripts --- */

static void attach_script(const char *script, const char *target, const char *words)
{
	struct json_object *o = disk(target, "xvda", "w");

	json_object_object_del(o, "type");
	json_set_string(o, "script", script);
	ask(XEND_M_DEVICE_ATTACH, first, o, NULL, words);
}

static void test_a_script_that_makes_no_block_device_is_undone(void **state)
{
	static const struct {
		const char *number, *path, *words;
		bool fails;
	} rows[] = {
		{ NULL, NULL, "names no block device in " BACK "11/51712", false },
		{ "seven", NULL, "wrote \"seven\" as physical-device", false },
		{ "7:0:0", NULL, "wrote \"7:0:0\"", false },
		{ "fff:fffff", NULL, "no such block device", false },
		{ NULL, "dev/x", "expected an absolute path", false },
		{ NULL, "/nowhere", "No such file or directory", false },
		{ NULL, "/dev/null", "/dev/null is neither a block device nor a file", false },
		{ NULL, disk_a, "which is not the block device 0:0", false },
		{ NULL, NULL, "broken", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&world.script, 0, sizeof(world.script));
		world.script.number = rows[i].number;
		world.script.path = rows[i].path;
		world.script.fails = rows[i].fails;
		attach_script("/bin/true", "some:words", rows[i].words);
		assert_string_equal(world.script.log, "add remove ");
		nothing_is_left_of(FIRST);
		assert_true(TAILQ_EMPTY(&first->devices));
	}
	memset(&world.script, 0, sizeof(world.script));
	attach_script("/bin/no-such-script", "x", "cannot be run: No such file");
	nothing_is_left_of(FIRST);
}

static void test_a_script_is_tried_again_while_the_kernel_closes_its_device(void **state)
{
	world.script.fails = true;
	world.script.busy = 2;
	attach_script("/bin/true", "x", "broken");
	assert_string_equal(world.script.log, "add remove remove remove ");
	nothing_is_left_of(FIRST);
}

/* As a xend leaves it that was killed in the middle: the next one undoes it, once. */
static void test_an_interrupted_script_is_undone_by_its_directory(void **state)
{
	node_set(BACK "11/51712/script", "/bin/true");
	node_set(BACK "11/51712/params", "x");
	node_set(BACK "11/51712/online", "1");
	node_set(BACK "11/51712/state", "2");
	assert_false(devices_agree(first));
	devices_reconcile(first);
	assert_string_equal(world.script.log, "remove ");
	nothing_is_left_of(FIRST);
	assert_true(devices_agree(first));
	devices_stop(first);
	assert_string_equal(world.script.log, "remove ");
}

static void test_scripts_of_network_disks_get_words(void **state)
{
	char script[] = "/tmp/xend-scripts.XXXXXX/block-nbd";

	*strrchr(script, '/') = '\0';
	assert_non_null(mkdtemp(script));
	script[strlen(script)] = '/';
	assert_int_equal(symlink("/bin/true", script), 0);
	world.script.path = "/nowhere";
	attach_script(script, "10.0.0.1:10809", "No such file or directory");
	assert_string_equal(world.script.log, "add:10.0.0.1:10809 remove:/nowhere ");
	unlink(script);
	*strrchr(script, '/') = '\0';
	rmdir(script);
}

/* --- driver domains --- */

static void attach_served(const char *backend, const char *words)
{
	struct json_object *o = disk("/dev/theirs", "xvda", "w");

	json_set_string(o, "backend", backend);
	ask(XEND_M_DEVICE_ATTACH, first, o, NULL, words);
}

static void test_a_disk_of_a_driver_domain(void **state)
{
	world.driver = SERVES;
	attach_served("second", NULL);
	assert_int_equal(device_by_id(first, "vbd", XVDA)->host, SECOND);
	assert_string_equal(node_get(SERVED "/frontend"), "/local/domain/11/device/vbd/51712");
	assert_string_equal(node_get(SERVED "/params"), "/dev/theirs");
	assert_string_equal(node_get("/local/domain/11/device/vbd/51712/backend"), SERVED);
	assert_string_equal(node_get("/local/domain/11/device/vbd/51712/backend-id"), "12");
	assert_string_equal(node_get("/libxl/11/device/vbd/51712/backend"), SERVED);
	assert_non_null(strstr(world.record, "\"host\": 12"));
	assert_true(devices_agree(first));
	/* The driver domain owns its directory, and takes no disk out of another's configuration.
	 */
	node_set(SERVED "/online", "0");
	devices_reconcile(first);
	assert_true(devices_agree(first) && first->config->nr_disk == 1);
	node_set(SERVED "/online", "1");
	/* It is another disk than Domain-0's of the same path. */
	attach(first, disk_a, "xvdb", NULL);
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvdb", NULL);
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	assert_false(node_is_there(SERVED));
	assert_false(node_is_there("/libxl/11/device/vbd/51712"));
	nothing_is_left_of(FIRST);
	assert_true(world.now < 2000);
}

static void test_a_driver_domain_that_does_not_serve(void **state)
{
	static const struct {
		int driver;
		const char *words;
	} rows[] = {
		{ SILENT, "its kernel does not answer. Has it the module xen-blkback?" },
		{ REFUSES, "it reports: no?[31m disk." },
		{ FINDS_NOTHING, "found no such block device or file" },
		{ DIES, "it has ended" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.driver = rows[i].driver;
		attach_served("12", rows[i].words);
		assert_false(node_is_there(SERVED));
		assert_false(node_is_there("/libxl/11/device/vbd/51712"));
		nothing_is_left_of(FIRST);
		assert_true(TAILQ_EMPTY(&first->devices));
	}
	attach_served("second", "does not run: start it first");
	attach_served("first", "is the domain itself");
	attach_served("nobody", "The domain 'nobody', which is to serve a disk of domain 'first', "
				"does not exist");
	assert_false(node_is_there("/local/domain/11/device"));
}

/* What an attach has left that was killed, and a driver domain that does not let go. */
static void test_a_half_attached_disk_of_a_driver_domain(void **state)
{
	node_set("/libxl/11/device/vbd/51712/backend", SERVED);
	node_set(SERVED "/state", "2");
	node_set(SERVED "/online", "1");
	node_set(SERVED "/hotplug-status", "connected");
	/* Nodes of others, and such as nobody writes, mean nothing. */
	node_set("/libxl/11/device/vbd/51728/backend", "/local/domain/0/backend/vbd/11/51728");
	node_set("/libxl/11/device/vbd/51744/backend", "/local/domain/12/backend/vbd/13/51744");
	node_set("/libxl/11/device/vbd/51760/backend", "/local/domain/12/../vbd/11/51760");
	assert_false(devices_agree(first));
	devices_reconcile(first);
	assert_false(node_is_there(SERVED));
	assert_true(node_is_there("/libxl/11/device/vbd/51728"));
	assert_true(devices_agree(first));
	assert_true(world.now < 20000);
}

static void test_a_driver_domain_ends_before_its_guest(void **state)
{
	world.driver = SERVES;
	attach_served("second", NULL);
	world.driver = DIES;
	step();
	/* The device stays its guest's: served again when both start anew. */
	assert_true(devices_agree(first));
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	nothing_is_left_of(FIRST);
	assert_true(world.now < 2000);
}

static int add_vif(const char *mac)
{
	struct json_object *o = json_new_object();
	struct device *device;
	int rc;

	json_set_string(o, "mac", mac);
	assert_int_equal(device_from_json(first, &device_vif_ops, o, &device, NULL), 0);
	json_object_put(o);
	rc = device_add(device, DEVICE_NO_ID, NULL);
	devices_to_config(first);
	return rc;
}

/* xend leaves a record alone that it cannot read, and with it the domain. */
static void test_only_devices_are_added_that_a_record_can_have(void **state)
{
	struct config *read;
	struct json_object *o;

	assert_int_equal(add_vif("00:16:3e:00:00:01"), 0);
	assert_int_equal(add_vif("00:16:3e:00:00:01"), -EEXIST);
	assert_int_equal(add_vif(NULL), 0);
	assert_int_equal(first->config->nr_vif, 2);
	o = config_to_json(first->config);
	read = config_from_json(o, NULL);
	assert_non_null(read);
	assert_string_equal(read->vif[1].mac, first->config->vif[1].mac);
	config_free(read);
	json_object_put(o);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_one_after_the_other),
		TEST(test_only_devices_are_added_that_a_record_can_have),
		TEST(test_a_disk_is_in_use_until_the_driver_lets_go_of_it),
		TEST(test_it_is_in_use_for_its_own_domain_too),
		TEST(test_a_disk_that_the_driver_does_not_let_go_of_is_not_detached),
		TEST(test_an_attach_that_cannot_be_undone),
		TEST(test_a_backend_in_no_list_is_a_use),
		TEST(test_attach_waits_for_recovery),
		TEST(test_what_is_not_recorded_is_not_attached),
		TEST(test_a_disk_of_a_driver_domain),
		TEST(test_a_driver_domain_that_does_not_serve),
		TEST(test_a_half_attached_disk_of_a_driver_domain),
		TEST(test_a_driver_domain_ends_before_its_guest),
		TEST(test_a_script_that_makes_no_block_device_is_undone),
		TEST(test_a_script_is_tried_again_while_the_kernel_closes_its_device),
		TEST(test_an_interrupted_script_is_undone_by_its_directory),
		TEST(test_scripts_of_network_disks_get_words),
		TEST(test_a_disk_is_not_configured_anew_if_that_is_not_recorded),
		TEST(test_a_guest_that_ends_while_its_disk_is_changed_keeps_the_disk),
	};
	int a = mkstemp(disk_a), b = mkstemp(disk_b), failed;

	close(a);
	close(b);
	log_set_stderr(0);
	failed = a < 0 || b < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	unlink(disk_a);
	unlink(disk_b);
	return failed;
}
