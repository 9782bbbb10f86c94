/* SPDX-License-Identifier: MIT */
/*
 * A guest moves between two hosts. Each of the two xends is killed at each of its steps, and
 * started anew; the connection breaks at each line. Afterwards one host has the guest, and it
 * alone; the other one has nothing left of it.
 *
 * Each xend is a process of its own with a world of its own (kill_world.h), which outlives it. What
 * decides is real: both ends of the conversation, boot, freeze, recovery.
 */
/* links: tests/unit/toolstack/kill_world.c tests/unit/toolstack/no_waits.c toolstack/xend/migrate/handover.c toolstack/xend/migrate/offer.c toolstack/xend/migrate/source.c toolstack/xend/migrate/target.c toolstack/xend/domain/acquire.c toolstack/xend/domain/boot.c toolstack/xend/domain/corpse.c toolstack/xend/domain/domain.c toolstack/xend/domain/dump.c toolstack/xend/domain/fill.c toolstack/xend/domain/freeze.c toolstack/xend/domain/lifecycle.c toolstack/xend/domain/live.c toolstack/xend/domain/measure.c toolstack/xend/domain/move.c toolstack/xend/domain/recover.c toolstack/xend/domain/recover_plan.c toolstack/xend/domain/resume.c toolstack/xend/domain/save.c toolstack/xend/domain/save_header.c toolstack/xend/runtime/files.c toolstack/xend/runtime/seal.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -lnettle -luv */
#include "kill_world.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/device/announce.h"
#include "xend/domain/move.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/migrate/arrival.h"
#include "xend/migrate/images.h"
#include "xend/migrate/peer.h"
#include "xend/migrate/source.h"
#include "xend/migrate/target.h"
#include "xend/runtime/request.h"

enum { SOURCE, TARGET, HOSTS };

/* The line "go": after offer, reasons, begin, ready and received. */
#define GO_LINE 5

/* What both hosts have in common. */
struct between {
	int lines, break_at; /* lines that were said, and the one before which the line breaks */
	bool after;	     /* it breaks after that line, which arrives */
	bool still;	     /* the guest stands still meanwhile */
	bool refuses;	     /* the target has a reason against the guest */
	bool idle;	     /* the target waits for a connection */
	int starts;	     /* of either xend */
	/* The connection breaks there for good, and a person keeps the guest at that host. */
	bool lost;
	int keeper;
	void (*keep)(void); /* what the target's person does before a connection comes */
};

static struct world *worlds[HOSTS];
static struct between *between;
static char directory[] = "/tmp/xend-migrate-XXXXXX";
static int listener;

/* --- the connection --- */

struct peer {
	int fd;
};

struct peer *peer_new(int fd, const char *name)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->fd = fd;
	return peer;
}

void peer_free(struct peer *peer)
{
	if (peer)
		close(peer->fd);
	free(peer);
}

const char *peer_name(const struct peer *peer)
{
	return "other";
}

int peer_fd(const struct peer *peer)
{
	return peer->fd;
}

void peer_hang_up(struct peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
}

static int address(struct sockaddr_un *to)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(to->sun_path, sizeof(to->sun_path), "%s/s", directory);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int peer_connect(const char *host, unsigned int port, enum peer_wire wire, struct peer **out,
		 struct error **e)
{
	struct sockaddr_un to;
	int fd = address(&to);

	if (between->lost && between->lines > between->break_at) {
		struct domain *domain = domain_by_name("g");

		close(fd);
		/* The person comes after some vain tries. */
		if (domain && domain->state == DOMAIN_HANDED_OVER && world->clock > 60000)
			domain->move->keep = between->keeper == SOURCE;
		if (world->clock > 120000)
			_exit(2);
		return error_set(e, EHOSTUNREACH, "The host is not there.");
	}
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	*out = peer_new(fd, host);
	return 0;
}

struct json_object *peer_line(const char *word)
{
	struct json_object *line = json_new_object();

	json_set_string(line, "say", word);
	return line;
}

int peer_say(struct peer *peer, struct json_object *line, struct error **e)
{
	struct str text = STR_INIT;
	bool breaks = between->lines++ == between->break_at, said;

	kill_world_step();
	if (breaks && !between->after)
		peer_hang_up(peer);
	json_print(line, &text);
	str_add_char(&text, '\n');
	json_object_put(line);
	said = send(peer->fd, text.text, text.len, MSG_NOSIGNAL) == (ssize_t)text.len;
	str_free(&text);
	/* The other end may read it still; an answer does not come. */
	if (breaks && between->after)
		shutdown(peer->fd, SHUT_RD);
	kill_world_step();
	return said ? 0 : error_set(e, EPIPE, "The connection broke.");
}

int peer_hear(struct peer *peer, uint64_t deadline, const char **word, struct json_object **line,
	      struct error **e)
{
	struct str text = STR_INIT;
	const char *sentence;
	char byte = 0;

	*line = NULL;
	while (recv(peer->fd, &byte, 1, 0) == 1 && byte != '\n')
		str_add_char(&text, byte);
	if (byte == '\n')
		*line = json_parse_object(str_text(&text), text.len, NULL);
	str_free(&text);
	if (!*line)
		return error_set(e, EPIPE, "The connection broke.");
	assert_int_equal(json_get_string(*line, "say", word, NULL), 0);
	if (json_get_string(*line, "message", &sentence, NULL))
		return 0;
	error_set(e, EREMOTEIO, "%s", sentence);
	json_object_put(*line);
	*line = NULL;
	return -EREMOTEIO;
}

void peer_refuse(struct peer *peer, const char *sentence)
{
	struct json_object *line = peer_line("error");

	json_set_string(line, "message", sentence);
	peer_say(peer, line, NULL);
}

int peer_lend(struct peer *peer, struct error **e)
{
	return 0;
}

void peer_take_back(struct peer *peer)
{
}

/* --- the rest of the hosts --- */

int images_check_again(const struct config *config, struct error **e)
{
	return 0;
}

struct json_object *arrival_reasons(const struct offer *offer)
{
	struct json_object *reasons = json_new_array();

	if (between->refuses)
		json_append(reasons, json_new_string("It has no such bridge."));
	return reasons;
}

int hv_policy_get_domain(struct hv *hv, uint32_t domid, struct hv_cpu_policy *policy,
			 struct error **e)
{
	*policy = (struct hv_cpu_policy){ 0 };
	return 0;
}

void hv_policy_free(struct hv_cpu_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
}

void announce_interfaces(const struct domain *domain)
{
}

int record_check_free(const uint8_t uuid[16], struct error **e)
{
	return 0;
}

int record_remove(struct domain *domain, struct error **e)
{
	record_remove_anyway(domain);
	return 0;
}

int request_domain(struct request *request, struct domain **domain, struct error **e)
{
	return -ESRCH;
}

/* --- the two xends --- */

static void run_source(bool anew)
{
	struct migrate_order order = { .host = "other",
				       .port = 8002,
				       .live = between->still ? LIVE_NEVER : LIVE_IF_POSSIBLE };
	struct json_object *result = json_new_object();
	struct error *e = NULL;
	struct domain *domain;

	if (anew) {
		migrate_go_on();
	} else {
		domain = domain_ref(domain_by_name("g"));
		domain_lock_now(domain, "migrate");
		if (migrate_domain(domain, &order, NULL, result, &e))
			log_error("%s", error_text(e));
		if (domain->state != DOMAIN_HANDED_OVER && domain->goal != GOAL_MOVED)
			domain_unlock(domain);
	}
	run_tasks();
}

static void run_target(void)
{
	for (;;) {
		struct peer *peer;
		int fd;

		between->idle = true;
		fd = accept(listener, NULL, NULL);
		between->idle = false;
		peer = peer_new(fd, "source");
		target_serve(peer);
		peer_free(peer);
	}
}

static pid_t start(int host, bool anew)
{
	pid_t pid;

	/* Nothing may go on for ever. */
	assert_true(between->starts++ < 10);
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	alarm(60);
	world = worlds[host];
	if (anew)
		world->kill_at = NEVER;
	if (recover_load(NULL))
		_exit(1);
	recover_run();
	if (host == TARGET && between->keep)
		between->keep();
	if (host == SOURCE)
		run_source(anew);
	else
		run_target();
	_exit(2);
}

/* Whether nobody waits for the target, nor it for anybody. */
static bool is_quiet(void)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	return between->idle && poll(&wait, 1, 0) == 0 && between->idle;
}

/* Until the source has nothing more to do. `anew`: both hosts start with what they have. */
static void run_both(bool anew)
{
	pid_t pids[HOSTS] = { 0 };
	int status;

	between->idle = false;
	pids[TARGET] = start(TARGET, anew);
	while (!between->idle)
		usleep(200);
	pids[SOURCE] = start(SOURCE, anew);
	for (;;) {
		pid_t pid = wait(&status);
		int host = pid == pids[SOURCE] ? SOURCE : TARGET;

		assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
		if (host == SOURCE && WEXITSTATUS(status) == 2)
			break;
		assert_int_equal(WEXITSTATUS(status), 0);
		between->idle = false;
		pids[host] = start(host, true);
	}
	/* A target that is killed now is started once more, as after any kill. */
	while (!is_quiet()) {
		if (waitpid(pids[TARGET], &status, WNOHANG) == pids[TARGET])
			pids[TARGET] = start(TARGET, true);
		usleep(200);
	}
	kill(pids[TARGET], SIGKILL);
	waitpid(pids[TARGET], &status, 0);
}

static void move(void)
{
	run_both(false);
}

static void again(void)
{
	run_both(true);
}

/* --- a case --- */

static const uint8_t uuid[16] = { 1, 2, 3 };

static void begin(void)
{
	for (int host = 0; host < HOSTS; host++) {
		memset(worlds[host], 0, sizeof(*worlds[host]));
		worlds[host]->guests[0].exists = worlds[host]->guests[0].has_vcpus = true;
		worlds[host]->next_domid = FIRST + 1;
		worlds[host]->patient = true;
		worlds[host]->kill_at = NEVER;
	}
	worlds[SOURCE]->guests[FIRST] = (struct machine){
		.exists = true, .has_vcpus = true, .has_devices = true, .ran = true, .cap = OWN_CAP
	};
	memcpy(worlds[SOURCE]->guests[FIRST].uuid, uuid, 16);
	memcpy(worlds[SOURCE]->guests[FIRST].known_as, uuid, 16);
	worlds[SOURCE]->records[0] = (struct record){ .exists = true,
						      .has_devices = true,
						      .state = DOMAIN_RUNNING,
						      .domid = FIRST,
						      .name = "g",
						      .config_name = "g" };
	memcpy(worlds[SOURCE]->records[0].uuid, uuid, 16);
	*between = (struct between){ .break_at = NEVER };
}

/* The guest on that host, whatever its number; NULL: there is none. */
static struct machine *find(int host)
{
	for (int i = FIRST; i < MAX_GUESTS; i++)
		if (worlds[host]->guests[i].exists)
			return &worlds[host]->guests[i];
	return NULL;
}

static const struct record *find_record(int host)
{
	for (int i = 0; i < MAX_RECORDS; i++)
		if (worlds[host]->records[i].exists)
			return &worlds[host]->records[i];
	return NULL;
}

/* The host with the guest. */
static int check(void)
{
	int where = find(TARGET) ? TARGET : SOURCE;
	const struct machine *guest = find(where);
	const struct record *record = find_record(where);

	if (!guest || find(!where) || find_record(!where) || !record)
		fail_msg("source: %d %d, target: %d %d", !!find(SOURCE), !!find_record(SOURCE),
			 !!find(TARGET), !!find_record(TARGET));
	if (guest->logged || (where == SOURCE && guest->cap != OWN_CAP))
		fail_msg("it is still logged (%d) or slowed (%u)", guest->logged, guest->cap);
	if (guest->paused || guest->shut_down || !guest->ran || !guest->has_devices ||
	    record->state != DOMAIN_RUNNING || strcmp(record->name, "g") != 0 || *record->move)
		fail_msg("on the %s: paused %d, shut down %d, ran %d, devices %d, state %d, %s, %s",
			 where == TARGET ? "target" : "source", guest->paused, guest->shut_down,
			 guest->ran, guest->has_devices, record->state, record->name, record->move);
	return where;
}

static void test_a_guest_moves(void **state)
{
	begin();
	move();
	assert_int_equal(check(), TARGET);
	assert_int_equal(between->starts, 2);
}

static void test_a_guest_moves_while_it_stands_still(void **state)
{
	begin();
	between->still = true;
	move();
	assert_int_equal(check(), TARGET);
	begin();
	between->still = true;
	worlds[SOURCE]->kill_at = 3;
	move();
	assert_int_equal(check(), SOURCE);
}

static void test_a_refused_guest_stays(void **state)
{
	begin();
	between->refuses = true;
	move();
	assert_int_equal(check(), SOURCE);
	assert_false(find(SOURCE)->shut_down);
}

/* Kills that xend at each of its steps; it counts those of a move without a kill first. */
static void kill_each(int host)
{
	int steps, where[HOSTS] = { 0 };

	begin();
	move();
	steps = worlds[host]->step;
	assert_true(steps > 10);
	for (int at = 0; at < steps; at++) {
		begin();
		worlds[host]->kill_at = at;
		move();
		where[check()]++;
	}
	/* Both ends occur. */
	assert_true(where[SOURCE] > 2 && where[TARGET] > 2);
}

static void test_the_source_is_killed_at_each_step(void **state)
{
	kill_each(SOURCE);
}

static void test_the_target_is_killed_at_each_step(void **state)
{
	kill_each(TARGET);
}

static void test_the_connection_breaks_at_each_line(void **state)
{
	int lines;

	begin();
	move();
	lines = between->lines;
	for (int after = 0; after < 2; after++) {
		for (int at = 0; at < lines; at++) {
			begin();
			between->break_at = at;
			between->after = after;
			move();
			check();
		}
	}
}

/* The connection breaks, and the xend that would ask or answer is killed then. */
static void test_the_connection_breaks_and_a_xend_is_killed(void **state)
{
	int lines, steps[HOSTS];

	begin();
	move();
	lines = between->lines;
	steps[SOURCE] = worlds[SOURCE]->step;
	steps[TARGET] = worlds[TARGET]->step;
	for (int host = 0; host < HOSTS; host++) {
		for (int line = GO_LINE; line < lines; line++) {
			for (int at = steps[host] / 2; at < steps[host] + 8; at += 11) {
				begin();
				between->break_at = line;
				worlds[host]->kill_at = at;
				move();
				check();
			}
		}
	}
}

/* The other host is gone for good just after the guest was handed over. */
static void test_a_person_keeps_the_guest_at_the_source(void **state)
{
	const struct machine *guest;

	begin();
	between->break_at = GO_LINE;
	between->lost = true;
	between->keeper = SOURCE;
	move();
	guest = find(SOURCE);
	assert_non_null(guest);
	assert_false(guest->shut_down);
	assert_int_equal(find_record(SOURCE)->state, DOMAIN_RUNNING);
	/* It is to be told to forget its copy when it comes back. */
	assert_true(*find_record(SOURCE)->move);
	assert_int_equal(find_record(TARGET)->state, DOMAIN_COMPLETE);
	assert_true(find(TARGET)->paused && !find(TARGET)->ran);
}

static void do_keep(void)
{
	struct domain *domain = domain_by_name("migrating-g");

	assert_int_equal(domain_lock_now(domain, "migrate"), 0);
	assert_int_equal(target_keep(domain, NULL), 0);
	domain_unlock(domain);
}

/* The source comes back after all: it hears that the guest is not its own any more. */
static void test_a_person_keeps_the_guest_at_the_target(void **state)
{
	begin();
	between->break_at = GO_LINE;
	between->lost = true;
	between->keeper = TARGET;
	move();
	assert_int_equal(find_record(SOURCE)->state, DOMAIN_HANDED_OVER);
	between->keep = do_keep;
	between->lost = false;
	between->break_at = NEVER;
	between->starts = 0;
	worlds[SOURCE]->clock = 0;
	again();
	assert_int_equal(check(), TARGET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_guest_moves),
		cmocka_unit_test(test_a_guest_moves_while_it_stands_still),
		cmocka_unit_test(test_a_refused_guest_stays),
		cmocka_unit_test(test_the_source_is_killed_at_each_step),
		cmocka_unit_test(test_the_target_is_killed_at_each_step),
		cmocka_unit_test(test_the_connection_breaks_at_each_line),
		cmocka_unit_test(test_the_connection_breaks_and_a_xend_is_killed),
		cmocka_unit_test(test_a_person_keeps_the_guest_at_the_source),
		cmocka_unit_test(test_a_person_keeps_the_guest_at_the_target),
	};
	struct sockaddr_un to;
	int rc;

	if (!mkdtemp(directory))
		return 1;
	for (int host = 0; host < HOSTS; host++) {
		if (!kill_world_make())
			return 1;
		worlds[host] = world;
	}
	between = mmap(NULL, sizeof(*between), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	listener = address(&to);
	if (between == MAP_FAILED || bind(listener, (struct sockaddr *)&to, sizeof(to)) ||
	    listen(listener, 16))
		return 1;
	log_set_stderr(getenv("VERBOSE") != NULL);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(to.sun_path);
	rmdir(directory);
	return rc;
}
