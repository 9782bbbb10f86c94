/* SPDX-License-Identifier: MIT */
/* The fakes of the world in which xend is killed: hypervisor, records, xenstore, devices, tasks. */
#include "kill_world.h"

#include "xend/domain/boot.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/sched.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/device/driver_domain.h"
#include "xend/device/qemu_end.h"
#include "xend/device/qemu_watch.h"
#include "xend/domain/affinity.h"
#include "xend/domain/balloon.h"
#include "xend/domain/bootloader.h"
#include "xend/domain/corpse.h"
#include "xend/domain/destroy.h"
#include "xend/domain/domain.h"
#include "xend/domain/dump.h"
#include "xend/domain/guests.h"
#include "xend/domain/layout.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/move.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/domain/save.h"
#include "xend/domain/screen.h"
#include "xend/domain/worker.h"
#include "xend/runtime/request.h"
#include "xend/runtime/store.h"
#include "xend/xend.h"

struct world *world;
char kill_world_image[64];

struct task {
	void (*run)(void *arg);
	void *arg;
};
#define MAX_TASKS 8
static struct task tasks[MAX_TASKS];
static unsigned int nr_tasks;

static void step(void)
{
	if (world->step++ == world->kill_at)
		_exit(0);
}

void kill_world_step(void)
{
	step();
}

struct machine *guest_of(uint32_t domid)
{
	assert_true(domid < MAX_GUESTS);
	return world->guests[domid].exists ? &world->guests[domid] : NULL;
}

/* --- the hypervisor --- */

static void fill_info(uint32_t domid, struct hv_domain_info *info)
{
	const struct machine *guest = guest_of(domid);

	*info = (struct hv_domain_info){ .domid = domid,
					 .pages = 64 * 256,
					 .paused = guest->paused,
					 .shutdown = guest->shut_down,
					 .shutdown_reason = guest->reason,
					 .max_vcpu_id =
						 guest->has_vcpus ? 0 : XEN_INVALID_MAX_VCPU_ID };
	memcpy(info->uuid, guest->uuid, sizeof(info->uuid));
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	if (!guest_of(domid))
		return error_set(e, ESRCH, "There is none.");
	fill_info(domid, info);
	return 0;
}

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	*list = calloc(MAX_GUESTS, sizeof(**list));
	*count = 0;
	for (uint32_t i = 0; i < MAX_GUESTS; i++)
		if (guest_of(i))
			fill_info(i, &(*list)[(*count)++]);
	return 0;
}

int hv_domain_create(struct hv *hv, const struct hv_domain_spec *spec, uint32_t *domid,
		     struct error **e)
{
	struct machine *guest = &world->guests[world->next_domid];

	step();
	*domid = (uint32_t)world->next_domid++;
	*guest = (struct machine){ .exists = true, .paused = true };
	memcpy(guest->uuid, spec->uuid, sizeof(guest->uuid));
	return 0;
}

int hv_domain_pause(struct hv *hv, uint32_t domid, struct error **e)
{
	step();
	guest_of(domid)->paused = true;
	return 0;
}

int hv_domain_unpause(struct hv *hv, uint32_t domid, struct error **e)
{
	step();
	guest_of(domid)->paused = false;
	guest_of(domid)->ran = true;
	return 0;
}

int hv_domain_set_uuid(struct hv *hv, uint32_t domid, const uint8_t uuid[16], struct error **e)
{
	step();
	memcpy(guest_of(domid)->uuid, uuid, 16);
	return 0;
}

int hv_domain_cancel_suspend(struct hv *hv, uint32_t domid, struct error **e)
{
	step();
	assert_true(guest_of(domid)->shut_down);
	assert_false(record_of(guest_of(domid)->uuid)->resumes_afresh);
	guest_of(domid)->shut_down = false;
	return 0;
}

/* The next xend must know the ports of a guest that runs. */
int hv_domain_resume(struct hv *hv, uint32_t domid, struct error **e)
{
	step();
	assert_true(guest_of(domid)->shut_down);
	assert_true(record_of(guest_of(domid)->uuid)->resumes_afresh);
	assert_int_equal(record_of(guest_of(domid)->uuid)->port, guest_of(domid)->port);
	assert_true(guest_of(domid)->has_devices);
	guest_of(domid)->shut_down = false;
	return 0;
}

int destroy_and_wait(uint32_t domid, const uint8_t uuid[16], struct error **e)
{
	step();
	if (!guest_of(domid))
		return error_set(e, ESRCH, "It is gone.");
	assert_memory_equal(guest_of(domid)->uuid, uuid, 16);
	guest_of(domid)->exists = false;
	return 0;
}

int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e)
{
	return 0;
}

int hv_memory_claim(struct hv *hv, uint32_t domid, uint64_t pages, struct error **e)
{
	return 0;
}

int hv_vcpu_set_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e)
{
	return 0;
}

int hv_sched_get(struct hv *hv, uint32_t domid, struct hv_credit *credit, struct error **e)
{
	credit->cap = guest_of(domid)->cap;
	return 0;
}

int hv_sched_set(struct hv *hv, uint32_t domid, const struct hv_credit *credit, struct error **e)
{
	step();
	guest_of(domid)->cap = credit->cap;
	return 0;
}

int hv_log_dirty_stop(struct hv *hv, uint32_t domid, struct error **e)
{
	step();
	guest_of(domid)->logged = false;
	return 0;
}

int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e)
{
	return 0;
}

/* --- the records --- */

struct record *record_of(const uint8_t uuid[16])
{
	struct record *unused = NULL;

	for (size_t i = 0; i < MAX_RECORDS; i++) {
		struct record *record = &world->records[i];

		if (record->exists && memcmp(record->uuid, uuid, 16) == 0)
			return record;
		if (!record->exists && !unused)
			unused = record;
	}
	assert_non_null(unused);
	return unused;
}

int record_write(struct domain *domain, struct error **e)
{
	struct record *record = record_of(domain->uuid);

	step();
	*record = (struct record){ .exists = true,
				   .managed = domain->managed,
				   .held = domain->held,
				   .suspends_late = domain->suspends_late,
				   .resumes_afresh = domain->resumes_afresh,
				   .port = domain->console_port,
				   .half_renamed = domain->half_renamed,
				   .has_devices = !TAILQ_EMPTY(&domain->devices),
				   .state = domain->state,
				   .goal = domain->goal,
				   .domid = domain->domid,
				   .on_crash = domain->config->on_crash };
	memcpy(record->uuid, domain->uuid, 16);
	snprintf(record->name, sizeof(record->name), "%s", domain->name);
	snprintf(record->config_name, sizeof(record->config_name), "%s", domain->config->name);
	if (domain->move) {
		struct json_object *move = move_to_json(domain->move);

		snprintf(record->move, sizeof(record->move), "%s",
			 json_object_to_json_string(move));
		json_object_put(move);
	}
	snprintf(record->saving_to, sizeof(record->saving_to), "%s",
		 domain->saving_to ? domain->saving_to : "");
	return 0;
}

void record_write_anyway(struct domain *domain)
{
	record_write(domain, NULL);
}

void record_remove_anyway(struct domain *domain)
{
	step();
	record_of(domain->uuid)->exists = false;
}

char *record_image_path(const struct domain *domain)
{
	return xstrdup(kill_world_image);
}

static void add_device(struct domain *domain)
{
	struct device *device = xcalloc(1, sizeof(*device));

	device->domain = domain;
	TAILQ_INSERT_TAIL(&domain->devices, device, link);
}

static void load_move(struct domain *domain, const struct record *record)
{
	struct json_object *o;

	if (!*record->move)
		return;
	o = json_parse_object(record->move, strlen(record->move), NULL);
	domain->move = move_from_json(o, NULL);
	assert_non_null(domain->move);
	json_object_put(o);
	if (strcmp(domain->name, domain->config->name) != 0)
		domain->old_name = xstrdup(domain->config->name);
}

int records_load(struct error **e)
{
	for (size_t i = 0; i < MAX_RECORDS; i++) {
		const struct record *record = &world->records[i];
		struct json_object *o;
		struct domain *domain;
		char uuid[UUID_TEXT];

		if (!record->exists)
			continue;
		domain = domain_add(record->name, record->uuid);
		o = json_new_object();
		json_set_string(o, "name",
				*record->config_name ? record->config_name : record->name);
		uuid_to_text(record->uuid, uuid);
		json_set_string(o, "uuid", uuid);
		json_set_string(o, "kernel", "/k");
		json_set_int(o, "memory", 64);
		domain->config = config_from_json(o, NULL);
		json_object_put(o);
		domain->config->on_crash = record->on_crash;
		domain->ours = true;
		domain->managed = record->managed;
		domain->held = record->held;
		domain->suspends_late = record->suspends_late;
		domain->resumes_afresh = record->resumes_afresh;
		domain->console_port = record->port;
		domain->half_renamed = record->half_renamed;
		domain->state = record->state;
		domain->goal = record->goal;
		domain->domid = record->domid;
		domain->saving_to = *record->saving_to ? xstrdup(record->saving_to) : NULL;
		load_move(domain, record);
		if (record->has_devices)
			add_device(domain);
	}
	return 0;
}

/* --- devices --- */

int devices_from_config(struct domain *domain, struct error **e)
{
	add_device(domain);
	return 0;
}

int screen_put(const struct domain *domain, struct store_batch *batch, struct error **e)
{
	return 0;
}

int screen_start(struct domain *domain, struct request *asker, struct error **e)
{
	return 0;
}

void driver_domain_warn(const struct domain *domain)
{
}

void qemu_adopt(struct domain *domain)
{
}

/* In this world no domain has one. */
bool qemu_stop(struct domain *domain)
{
	(void)domain;
	return true;
}

void qemu_stop_strays(void)
{
}

bool devices_have_scripts(const struct domain *domain)
{
	return false;
}

/* The disk has one user. */
int devices_prepare(struct domain *domain, struct store_batch *batch, struct error **e)
{
	step();
	for (uint32_t i = 0; i < MAX_GUESTS; i++)
		if (guest_of(i) && guest_of(i)->has_devices)
			return error_set(e, EADDRINUSE, "Domain %u has the disk.", i);
	guest_of((uint32_t)domain->domid)->has_devices = true;
	return 0;
}

int devices_complete(struct domain *domain, struct error **e)
{
	step();
	return 0;
}

void devices_stop(struct domain *domain)
{
	step();
	if (domain->domid >= 0 && guest_of((uint32_t)domain->domid))
		guest_of((uint32_t)domain->domid)->has_devices = false;
}

void devices_forget(struct domain *domain)
{
	struct device *device;

	while ((device = TAILQ_FIRST(&domain->devices))) {
		TAILQ_REMOVE(&domain->devices, device, link);
		free(device);
	}
}

bool devices_agree(struct domain *domain)
{
	return guest_of((uint32_t)domain->domid)->has_devices == !TAILQ_EMPTY(&domain->devices);
}

/* A device whose backend is gone is forgotten, a backend that belongs to no device taken away. */
void devices_reconcile(struct domain *domain)
{
	step();
	if (!guest_of((uint32_t)domain->domid)->has_devices) {
		world->lost = world->lost || !TAILQ_EMPTY(&domain->devices);
		devices_forget(domain);
	}
	guest_of((uint32_t)domain->domid)->has_devices = !TAILQ_EMPTY(&domain->devices);
}

/* --- jobs --- */

/* The memory on its way to another host: one word. Files are never looked at. */
static bool transfer(bool out, int fd)
{
	static const char memory[4] = "MEM";
	char word[4];
	socklen_t size = sizeof(int);
	int type;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
		return true;
	if (out)
		return send(fd, memory, sizeof(memory), MSG_NOSIGNAL) == sizeof(memory);
	return recv(fd, word, sizeof(word), MSG_WAITALL) == sizeof(word) &&
	       memcmp(word, memory, sizeof(word)) == 0;
}

int worker_run(struct json_object *order, int fd, struct request *asker,
	       struct json_object **result, struct error **e)
{
	return worker_run_with_help(order, fd, asker, NULL, NULL, result, e);
}

/* It has the hypervisor log, and slows the guest, then asks for the last round. */
static int send_running(struct machine *guest, worker_help_fn *help, void *arg, struct error **e)
{
	assert_false(guest->shut_down);
	guest->logged = true;
	step();
	guest->cap = 5;
	step();
	return help(arg, "suspend", e);
}

int worker_run_with_help(struct json_object *order, int fd, struct request *asker,
			 worker_help_fn *help, void *arg, struct json_object **result,
			 struct error **e)
{
	const char *op = NULL;
	int64_t domid = 0;
	struct machine *guest;

	json_get_string(order, "op", &op, NULL);
	json_get_int(order, "domid", 0, MAX_GUESTS, &domid, NULL);
	guest = guest_of((uint32_t)domid);
	step();
	if (json_find(order, "live")) {
		int rc = send_running(guest, help, arg, e);

		if (rc)
			return rc;
	}
	if (!transfer(strcmp(op, "save") == 0, fd))
		return error_set(e, EIO, "The connection broke.");
	if (strcmp(op, "save") == 0)
		assert_true(guest->shut_down);
	else if (strcmp(op, "dump") == 0)
		assert_true(guest->paused || guest->shut_down);
	else if (strcmp(op, "resume") == 0)
		/* A backend of before could still map what the guest gives to others now. */
		assert_true(guest->shut_down && !guest->has_devices);
	else
		guest->has_vcpus = true;
	if (strcmp(op, "save") != 0 && strcmp(op, "dump") != 0)
		guest->port++;
	*result = json_new_object();
	json_set_int(*result, "store_mfn", 1);
	json_set_int(*result, "store_port", 1);
	json_set_int(*result, "console_mfn", 2);
	json_set_int(*result, "console_port", guest->port);
	return 0;
}

void worker_name_domain(struct json_object *order, const struct domain *domain)
{
	json_set_int(order, "domid", domain->domid);
}

int bootloader_put(const struct domain *domain, struct json_object *order, struct error **e)
{
	return 0;
}

int affinity_apply(struct domain *domain, struct error **e)
{
	(void)domain;
	(void)e;
	return 0;
}

int balloon_reserve(uint64_t kb, struct balloon_loan *loan, struct error **e)
{
	step();
	world->lent = true;
	return 0;
}

static void end_loan(void)
{
	if (world->lent)
		step();
	world->lent = false;
}

void balloon_give_back(struct balloon_loan *loan)
{
	end_loan();
}

void balloon_keep(struct balloon_loan *loan)
{
	end_loan();
}

void balloon_recover(void)
{
	end_loan();
}

void balloon_release(void)
{
}

uint64_t balloon_overhead_kb(uint64_t memory_kb, unsigned int vcpus)
{
	return 0;
}

/* --- xenstore, console, tasks --- */

void layout_put(const struct domain *domain, const struct domain_size *size,
		struct store_batch *batch)
{
	memcpy(guest_of((uint32_t)domain->domid)->known_as, domain->uuid, 16);
}

int layout_write_channels(const struct domain *domain, struct error **e)
{
	step();
	return 0;
}

void layout_remove(const struct domain *domain)
{
	step();
}

int layout_check_known(const struct domain *domain, struct error **e)
{
	const struct machine *guest = guest_of((uint32_t)domain->domid);

	return guest && memcmp(guest->known_as, domain->uuid, 16) == 0 ?
		       0 :
		       error_set(e, EIO, "xenstore does not know it.");
}

int layout_rename(const struct domain *domain, struct error **e)
{
	struct machine *guest = guest_of((uint32_t)domain->domid);

	step();
	if (guest)
		memcpy(guest->known_as, domain->uuid, 16);
	return 0;
}

struct store_batch *store_begin(void)
{
	return NULL;
}

int store_commit_unseen(struct store_batch *batch, struct error **e)
{
	step();
	/* The nodes are written one by one. */
	step();
	return 0;
}

void store_discard(struct store_batch *batch)
{
}

int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e)
{
	step();
	return 0;
}

void store_release(unsigned int domid)
{
}

void store_resume(unsigned int domid)
{
}

char *store_read(const char *fmt, ...)
{
	return NULL;
}

bool store_exists(const char *fmt, ...)
{
	return true;
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	return otherwise;
}

/* The guest suspends as soon as it is asked. */
int store_write(const char *at, const char *fmt, ...)
{
	char value[32];
	unsigned int domid;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	step();
	if (strcmp(value, "suspend") == 0 && sscanf(at, "/local/domain/%u/", &domid) == 1) {
		guest_of(domid)->shut_down = true;
		guest_of(domid)->reason = SHUTDOWN_suspend;
	}
	return 0;
}

char *store_exchange(const char *at, const char *value)
{
	return xstrdup("suspend");
}

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	return NULL;
}

void store_unwatch(struct store_watch *watch)
{
}

int console_open_boot(struct domain *domain, int *fd, struct error **e)
{
	return 0;
}

int console_rebind(struct domain *domain, struct error **e)
{
	step();
	return 0;
}

int console_attach(struct domain *domain, struct error **e)
{
	return 0;
}

void console_detach(struct domain *domain)
{
}

void console_move(struct domain *from, struct domain *to)
{
}

void request_progress(struct request *request, const char *stage, uint64_t done, uint64_t total)
{
}

int guests_allow_boot(const struct domain *domain, struct error **e)
{
	return 0;
}

bool guests_are_stopping(void)
{
	return false;
}

bool xend_is_stopping(void)
{
	return false;
}

struct task *task_start(void (*run)(void *arg), void *arg)
{
	assert_true(nr_tasks < MAX_TASKS);
	tasks[nr_tasks] = (struct task){ run, arg };
	return &tasks[nr_tasks++];
}

void run_tasks(void)
{
	for (unsigned int i = 0; i < nr_tasks; i++)
		tasks[i].run(tasks[i].arg);
}

struct task *task_current(void)
{
	return NULL;
}

int task_sleep(uint64_t ms)
{
	world->clock += world->patient ? ms : 0;
	return world->patient ? 0 : -ECANCELED;
}

bool task_shield(bool on)
{
	return false;
}

uint64_t task_now(void)
{
	return world->clock;
}

uint64_t task_deadline(uint64_t after_ms)
{
	return world->clock + after_ms;
}

bool kill_world_make(void)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	return world != MAP_FAILED;
}
