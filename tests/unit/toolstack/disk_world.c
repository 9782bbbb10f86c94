/* SPDX-License-Identifier: MIT */
/* The host of tests of disks: the kernel's backends, a script, a driver domain, and requests. */
#include "disk_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/device/backend_watch.h"
#include "xend/device/vif_twin.h"
#include "xend/device/disk_host.h"
#include "xend/device/hotplug.h"
#include "xend/device/loopdev.h"
#include "xend/domain/layout.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/runtime/files.h"
#include "xend/runtime/request.h"

#define BUS "/sys/bus/xen-backend/devices/vbd-"
#define SYS "/sys/devices/vbd-"

struct disk_world world;
struct domain *first, *second;
char disk_a[] = "/tmp/xend-disk-a.XXXXXX", disk_b[] = "/tmp/xend-disk-b.XXXXXX";

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
	snprintf(path, sizeof(path), "%s/state", back);
	if (world.connects_late && node_get(path) && strcmp(node_get(path), "5") == 0) {
		world.connects_late = false;
		node_set(path, "4");
	}
	/* It never heard of the order. */
	if (node_get(path) && strcmp(node_get(path), "4") == 0)
		return;
	b->leaving = world.stuck == WAITS;
	if (world.stuck && world.stuck != CLOSES)
		return;
	b->there = world.stuck == CLOSES;
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
	if (world.driver == AT_WORK && strcmp(state, "5") == 0)
		node_set(SERVED "/state", "6");
	world.driver_undid =
		strcmp(online, "0") == 0 &&
		(world.driver == SERVES || (world.driver == UNBOUND && strcmp(state, "6") == 0) ||
		 (world.driver == AT_WORK && world.now > 3000));
	if (world.driver_undid)
		node_remove(SERVED);
}

void step(void)
{
	driver_domain_step();
	if (world.lets_go_at && world.now >= world.lets_go_at)
		world.stuck = LETS_GO;
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
	return world.cancelled ? -ECANCELED : 0;
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

struct task *task_start(void (*run)(void *arg), void *arg)
{
	world.task = run;
	return (struct task *)&world;
}

void task_cancel(struct task *task)
{
	world.cancelled = true;
}

struct task *task_current(void)
{
	return NULL;
}

void task_wake(struct task *task)
{
}

/* Without a number, the disk is known by its file. */
int loopdev_make(int handle, const char *name, bool readonly, int *fd, dev_t *number,
		 struct error **e)
{
	*fd = dup(handle);
	*number = world.has_loop ? LOOP : 0;
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
	*list = xcalloc(2, sizeof(**list));
	*count = 0;
	for (uint32_t domid = FIRST; domid <= SECOND; domid++)
		*count += hv_domain_info(hv, domid, &(*list)[*count], NULL) == 0;
	return 0;
}

bool hv_evtchn_leads_to(struct hv *hv, uint32_t domid, uint32_t port, uint32_t remote)
{
	assert_int_equal(domid, FIRST);
	assert_int_equal(remote, 0);
	return port == world.guest_port &&
	       (!world.port_closes_at || world.now < world.port_closes_at);
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
	if (world.script.meanwhile)
		world.script.meanwhile();
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

void vif_twin_warn(const struct domain *domain, struct json_object *result)
{
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

struct json_object *disk(const char *path, const char *vdev, const char *mode)
{
	struct json_object *o = json_new_object();

	json_set_string(o, "type", "file");
	json_set_string(o, "target", path);
	json_set_string(o, "vdev", vdev);
	json_set_string(o, "mode", mode);
	return o;
}

void ask(const char *method, struct domain *domain, struct json_object *config, const char *device,
	 const char *words)
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

void attach(struct domain *domain, const char *path, const char *vdev, const char *words)
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

/* A guest may end while its disk is changed. */
static void on_remove(const char *path)
{
	if (world.dies_when_detached && strcmp(path, BACK "11/51712") == 0)
		world.dead[world.dies_when_detached] = true;
}

int begin(void **state)
{
	memset(&world, 0, sizeof(world));
	node_remove_all();
	node_hold_events(false);
	node_on_remove = on_remove;
	first = make_domain("first", FIRST);
	second = make_domain("second", SECOND);
	backend_watch_setup();
	return 0;
}

int end(void **state)
{
	backend_watch_teardown();
	domain_remove(first);
	domain_unref(first);
	domain_remove(second);
	domain_unref(second);
	return 0;
}

void nothing_is_left_of(int domid)
{
	char path[64];

	snprintf(path, sizeof(path), BACK "%d", domid);
	assert_false(node_is_there(path));
	snprintf(path, sizeof(path), "/local/domain/%d/device", domid);
	assert_false(node_is_there(path));
	for (size_t i = 0; i < sizeof(world.backends) / sizeof(world.backends[0]); i++)
		assert_false(world.backends[i].there && world.backends[i].domid == domid);
}

int disk_world_run(int (*run)(void))
{
	int a = mkstemp(disk_a), b = mkstemp(disk_b), failed;

	close(a);
	close(b);
	log_set_stderr(0);
	failed = a < 0 || b < 0 ? 1 : run();
	unlink(disk_a);
	unlink(disk_b);
	return failed;
}
