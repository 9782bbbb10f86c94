/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/runtime/store.c toolstack/xend/runtime/store_batch.c toolstack/xend/runtime/store_link.c toolstack/xend/runtime/store_pipe.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/log.c toolstack/lib/log_file.c toolstack/lib/log_open.c toolstack/lib/str.c */
/* libs: -luv -lxenstore */
/*
 * xend's side of xenstore, with the real library, against a fake xenstored that answers, refuses,
 * falls silent, or ends in the middle of any request. xend ends with xenstored, so it runs in a
 * child process; its exit status and its log show how it took the answers. Wire format:
 * xen/io/xs_wire.h.
 */
#include "xend/runtime/store.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#include "hv/hv.h"
#include "lib/log.h"
#include "lib/log_open.h"
#include "xend/runtime/store_link.h"
#include "xend/xend.h"
#include "unit.h"

enum conduct { ANSWER, REFUSE, END, ANSWER_AND_END, HANG };

static struct {
	char directory[32], socket[64], log[64];
	int listener;
	/* How xenstored treats requests of that type, except those for "/". */
	uint32_t type;
	enum conduct conduct;
	const char *error;
	/* The changes that were asked for: "write PATH=VALUE", "access PATH FIRST OTHERS", ... */
	char journal[4096];
	/* Before it has answered a write, it tells of it: as of a change that the first watch sees.
	 */
	bool tells;
} played;

struct hv *domain_hv;
static bool other_has_xenstored;

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	*list = calloc(2, sizeof(**list));
	(*list)[1] = (struct hv_domain_info){ .domid = 1, .xenstore = other_has_xenstored };
	*count = 2;
	return 0;
}

/* --- xenstored --- */

static void reply(int fd, const struct xsd_sockmsg *request, uint32_t type, const char *body,
		  size_t length)
{
	struct xsd_sockmsg header = *request;
	char message[256];

	header.type = type;
	header.len = (uint32_t)length;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), body, length);
	assert_int_equal(write(fd, message, sizeof(header) + length), sizeof(header) + length);
}

static bool read_whole(int fd, void *to, size_t length)
{
	for (char *at = to; length;) {
		ssize_t n = read(fd, at, length);

		if (n <= 0)
			return false;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

static void tell(int fd, const char *path)
{
	const struct xsd_sockmsg none = { 0 };
	char body[64];
	size_t length = (size_t)snprintf(body, sizeof(body), "%s", path) + 1;

	strcpy(body + length, "1");
	reply(fd, &none, XS_WATCH_EVENT, body, length + 2);
}

static void answer(int fd, const struct xsd_sockmsg *header, const char *body)
{
	switch (header->type) {
	case XS_READ:
		if (strcmp(body, "/test/there") == 0 || strcmp(body, "/") == 0)
			reply(fd, header, XS_READ, "7", 1);
		else
			reply(fd, header, XS_ERROR, "ENOENT", 7);
		return;
	case XS_DIRECTORY:
		if (strcmp(body, "/test/there") == 0)
			reply(fd, header, XS_DIRECTORY, "a\0b", 4);
		else
			reply(fd, header, XS_ERROR, "ENOENT", 7);
		return;
	case XS_TRANSACTION_START:
		reply(fd, header, header->type, "5", 2);
		return;
	case XS_IS_DOMAIN_INTRODUCED:
		reply(fd, header, header->type, strcmp(body, "4") == 0 ? "F" : "T", 2);
		return;
	default:
		reply(fd, header, header->type, "OK", 3);
	}
}

/* The body of a request: strings, each with a zero but a written value. */
static void note(uint32_t type, const char *body, size_t length)
{
	static const struct {
		uint32_t type;
		const char *word;
	} words[] = { { XS_WRITE, "write" },	    { XS_MKDIR, "make" },
		      { XS_RM, "remove" },	    { XS_SET_PERMS, "access" },
		      { XS_RELEASE, "release" },    { XS_TRANSACTION_START, "begin" },
		      { XS_TRANSACTION_END, "end" } };
	char line[256];
	size_t i = 0, n;

	while (i < sizeof(words) / sizeof(words[0]) && words[i].type != type)
		i++;
	if (i == sizeof(words) / sizeof(words[0]))
		return;
	n = (size_t)snprintf(line, sizeof(line), "%s ", words[i].word);
	for (size_t at = 0; at < length && n < sizeof(line) - 2; at++)
		line[n++] = body[at] ? body[at] : type == XS_WRITE ? '=' : ' ';
	while (line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	assert_true(strlen(played.journal) + n + 2 < sizeof(played.journal));
	strcat(strcat(played.journal, line), "\n");
}

/* Serves one request; false: this xenstored has ended. */
static bool serve(int fd, bool *silent)
{
	struct xsd_sockmsg header;
	char body[4096] = "";

	if (!read_whole(fd, &header, sizeof(header)) || !read_whole(fd, body, header.len))
		return false;
	note(header.type, body, header.len);
	if (played.tells && header.type == XS_WRITE)
		tell(fd, body);
	if (*silent || header.type != played.type || strcmp(body, "/") == 0 ||
	    played.conduct == ANSWER) {
		if (!*silent)
			answer(fd, &header, body);
		return true;
	}
	if (played.conduct == ANSWER_AND_END)
		answer(fd, &header, body);
	if (played.conduct == END || played.conduct == ANSWER_AND_END)
		return false;
	if (played.conduct == HANG)
		*silent = true;
	else
		reply(fd, &header, XS_ERROR, played.error, strlen(played.error) + 1);
	return true;
}

/* Serves until a client has gone, or until it must end itself. */
static void be_xenstored(void)
{
	struct pollfd fds[8] = { { .fd = played.listener, .events = POLLIN } };
	nfds_t count = 1;
	bool runs = true, silent = false;

	while (runs && poll(fds, count, -1) > 0) {
		for (nfds_t i = 1; i < count; i++)
			if (fds[i].revents && !serve(fds[i].fd, &silent))
				runs = false;
		if (runs && fds[0].revents)
			fds[count++] = (struct pollfd){ .fd = accept(played.listener, NULL, NULL),
							.events = POLLIN };
	}
	for (nfds_t i = 1; i < count; i++)
		close(fds[i].fd);
}

/* --- xend --- */

static void never(void *arg)
{
}

/* Runs in a child: the exit status is 0 when work returned. */
static int run_xend(void (*work)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct error *e = NULL;

		setenv("XENSTORED_PATH", played.socket, 1);
		log_set_stderr(0);
		log_open(played.log, 1 << 20, NULL);
		if (store_setup(uv_default_loop(), &e)) {
			log_error("%s", error_text(e));
			log_close();
			_exit(1);
		}
		work();
		log_close();
		_exit(0);
	}
	if (played.listener >= 0)
		be_xenstored();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool log_has(const char *words)
{
	char text[4096];
	FILE *file = fopen(played.log, "r");
	size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[n] = '\0';
	if (file)
		fclose(file);
	return strstr(text, words) != NULL;
}

static void listen_anew(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, played.socket);
	unlink(played.socket);
	unlink(played.log);
	played.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(played.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(played.listener, 8), 0);
}

static int set_up(void **state)
{
	memset(&played, 0, sizeof(played));
	other_has_xenstored = false;
	strcpy(played.directory, "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(played.directory));
	snprintf(played.socket, sizeof(played.socket), "%s/socket", played.directory);
	snprintf(played.log, sizeof(played.log), "%s/log", played.directory);
	listen_anew();
	return 0;
}

static int tear_down(void **state)
{
	close(played.listener);
	unlink(played.socket);
	unlink(played.log);
	rmdir(played.directory);
	return 0;
}

/* --- what xend asks for --- */

static void do_read(void)
{
	free(store_read("/test/x"));
}

static void do_read_number(void)
{
	store_read_number(9, 9, "/test/x");
}

static void do_exists(void)
{
	store_exists("/test/x");
}

static void do_list(void)
{
	unsigned int count;

	free(store_list(&count, "/test/x"));
}

static void do_write(void)
{
	store_write("/test/x", "1");
}

static void do_remove(void)
{
	store_remove("/test/x");
}

static void do_introduce(void)
{
	store_introduce(3, 4, 5, NULL);
}

static void do_release(void)
{
	store_release(3);
}

static void do_resume(void)
{
	store_resume(3);
}

static void do_commit(void)
{
	struct store_batch *batch = store_begin();

	store_drop(batch, "/test/old");
	store_put(batch, STORE_GUEST_READS, 3, "1", "/test/new");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/test/directory");
	store_commit(batch, NULL);
}

static void do_commit_unseen(void)
{
	struct store_batch *batch = store_begin();

	store_drop(batch, "/test/old");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/test/directory");
	store_put(batch, STORE_GUEST_READS, 3, "1", "/test/new");
	store_commit_unseen(batch, NULL);
}

static void do_watch(void)
{
	store_unwatch(store_watch(never, NULL, "/test/x"));
}

static void do_nothing(void)
{
}

static const struct {
	void (*work)(void);
	uint32_t type;
} calls[] = {
	{ do_read, XS_READ },
	{ do_read_number, XS_READ },
	{ do_exists, XS_READ },
	{ do_list, XS_DIRECTORY },
	{ do_write, XS_WRITE },
	{ do_remove, XS_RM },
	{ do_introduce, XS_INTRODUCE },
	{ do_release, XS_IS_DOMAIN_INTRODUCED },
	{ do_release, XS_RELEASE },
	{ do_resume, XS_RESUME },
	{ do_commit, XS_TRANSACTION_START },
	{ do_commit, XS_RM },
	{ do_commit, XS_WRITE },
	{ do_commit, XS_MKDIR },
	{ do_commit, XS_SET_PERMS },
	{ do_commit, XS_TRANSACTION_END },
	{ do_commit_unseen, XS_RM },
	{ do_commit_unseen, XS_WRITE },
	{ do_commit_unseen, XS_MKDIR },
	{ do_commit_unseen, XS_SET_PERMS },
	{ do_watch, XS_WATCH },
	{ do_watch, XS_UNWATCH },
};

static void (*after_watch)(void);

/* After the first watch, the library reads answers in another way. */
static void with_watch(void)
{
	store_watch(never, NULL, "@releaseDomain");
	after_watch();
}

static void check_each(enum conduct conduct, const char *words)
{
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(calls[0]); i++) {
		bool watched = i % 2;

		/* with_watch()'s own watch would meet the conduct first: the same as without. */
		if (watched && calls[i / 2].type == XS_WATCH)
			continue;
		played.type = calls[i / 2].type;
		played.conduct = conduct;
		close(played.listener);
		listen_anew();
		after_watch = calls[i / 2].work;
		print_message("call %zu, %s\n", i / 2, watched ? "with a watch" : "without");
		assert_int_equal(run_xend(watched ? with_watch : after_watch), XEND_EXIT_STORE);
		assert_true(log_has(words));
		assert_true(log_has("Domains run on"));
	}
}

/* --- tests --- */

static void read_all_kinds(void)
{
	unsigned int count;
	char *value = store_read("/test/there"), **list;

	if (!value || strcmp(value, "7") != 0 || store_read("/test/absent"))
		_exit(2);
	if (store_read_number(9, 1, "/test/there") != 7 ||
	    store_read_number(9, 1, "/test/absent") != 1)
		_exit(3);
	list = store_list(&count, "/test/there");
	if (!list || count != 2 || store_list(&count, "/test/absent") || count)
		_exit(4);
	if (!store_exists("/test/there") || store_exists("/test/absent") ||
	    store_write("/test/there", "8") || store_remove("/test/absent"))
		_exit(5);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		calls[i].work();
	store_teardown();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static unsigned int heard;

static void hear(void *arg)
{
	heard++;
}

static void write_and_catch_up(void)
{
	struct store_watch *watch = store_watch(hear, NULL, "/test/x");

	do_write();
	if (heard)
		_exit(2);
	store_catch_up();
	if (heard != 1)
		_exit(3);
	store_unwatch(watch);
}

/* All that xenstored has told of is heard of, without a turn of the loop. */
static void test_changes_can_be_caught_up_with(void **state)
{
	played.tells = true;
	assert_int_equal(run_xend(write_and_catch_up), 0);
}

static void test_what_is_there_and_what_is_not(void **state)
{
	assert_int_equal(run_xend(read_all_kinds), 0);
}

static void test_a_xenstored_that_ends_is_not_absence(void **state)
{
	check_each(END, "he connection to xenstored is lost");
}

static void write_and_rest(void)
{
	store_watch(never, NULL, "@releaseDomain");
	store_write("/test/x", "1");
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static void test_a_xenstored_that_ends_is_noticed_at_rest(void **state)
{
	played.type = XS_WRITE;
	played.conduct = ANSWER_AND_END;
	assert_int_equal(run_xend(write_and_rest), XEND_EXIT_STORE);
	assert_true(log_has("xenstored has ended"));
}

static void test_a_xenstored_that_hangs_does_not_hang_xend(void **state)
{
	store_patience = 100;
	check_each(HANG, "xenstored has not answered");
	store_patience = 30000;
}

static void reads_refused(void)
{
	if (store_read("/test/there"))
		_exit(2);
}

/* EINVAL means that no node can have that name. Any other error means that xenstored does not know,
 * which is not absence. */
static void test_a_read_that_fails_is_not_absence(void **state)
{
	static const char *const errors[] = {
		"ENOMEM", "EIO", "EACCES", "EPERM", "ENOSYS", "EBUSY"
	};

	played.type = XS_READ;
	played.conduct = REFUSE;
	played.error = "EINVAL";
	assert_int_equal(run_xend(reads_refused), 0);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		played.error = errors[i];
		close(played.listener);
		listen_anew();
		assert_int_equal(run_xend(do_read), XEND_EXIT_STORE);
		assert_true(log_has("cannot say what is at /test/x"));
		played.type = XS_DIRECTORY;
		close(played.listener);
		listen_anew();
		assert_int_equal(run_xend(do_list), XEND_EXIT_STORE);
		played.type = XS_READ;
	}
}

static void write_refused(void)
{
	if (store_write("/test/there", "1") != -EACCES)
		_exit(2);
	if (store_write("/test/there", "1") != -EACCES)
		_exit(3);
}

static void test_a_write_that_is_refused_is_an_error_of_its_own(void **state)
{
	played.type = XS_WRITE;
	played.conduct = REFUSE;
	played.error = "EACCES";
	assert_int_equal(run_xend(write_refused), 0);
}

/* A device, as xend writes it; the backend's script has been there. */
static void put_device(struct store_batch *batch)
{
	store_drop(batch, "/front");
	store_put(batch, STORE_GUEST_OWNS, 3, NULL, "/front");
	store_put(batch, STORE_GUEST_OWNS, 3, "1", "/front/state");
	store_put(batch, STORE_GUEST_OWNS, 3, "5", "/front/deep/er");
	store_put(batch, STORE_PRIVATE, 0, "x", "/front/secret");
	store_put(batch, STORE_GUEST_OWNS, 3, "2", "/front/again");
	store_put(batch, STORE_GUEST_OWNS, 3, "3", "/front/again");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/back");
	store_put(batch, STORE_GUEST_READS, 3, "/front", "/back/frontend");
	store_put(batch, STORE_GUEST_READS, 3, "1", "/back/state");
	store_put(batch, STORE_GUEST_READS, 3, "1", "/frontier");
}

static void commit_unseen(void)
{
	struct store_batch *batch = store_begin();

	put_device(batch);
	if (store_commit_unseen(batch, NULL))
		_exit(2);
}

/*
 * Both states come last, when both directories are there. A node that was there, or that others
 * may not read like its directory, has its access before its value.
 */
static void test_unseen_nodes_are_written_one_by_one(void **state)
{
	assert_int_equal(run_xend(commit_unseen), 0);
	assert_string_equal(played.journal, "remove /front\n"
					    "make /front\n"
					    "access /front n3 r0\n"
					    "write /front/deep/er=5\n"
					    "make /front/secret\n"
					    "access /front/secret n0\n"
					    "write /front/secret=x\n"
					    "write /front/again=2\n"
					    "make /front/again\n"
					    "access /front/again n3 r0\n"
					    "write /front/again=3\n"
					    "make /back\n"
					    "access /back n0 r3\n"
					    "make /back/frontend\n"
					    "access /back/frontend n0 r3\n"
					    "write /back/frontend=/front\n"
					    "make /frontier\n"
					    "access /frontier n0 r3\n"
					    "write /frontier=1\n"
					    "write /front/state=1\n"
					    "make /back/state\n"
					    "access /back/state n0 r3\n"
					    "write /back/state=1\n");
}

static void commit_sparing(void)
{
	struct store_batch *batch = store_begin();

	store_drop(batch, "/home");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/home");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/home/full");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/home/bare");
	store_put(batch, STORE_GUEST_OWNS, 3, "", "/home/full/own");
	store_drop(batch, "/home/device");
	store_put(batch, STORE_GUEST_OWNS, 3, "1", "/home/device/0/key");
	store_drop(batch, "/home/device/0");
	store_put(batch, STORE_GUEST_OWNS, 3, "", "/home/device");
	store_absent(batch, "/back");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/back");
	store_put(batch, STORE_GUEST_READS, 3, "x", "/back/key");
	if (store_commit_unseen(batch, NULL))
		_exit(2);
}

/*
 * No request for what inherits and comes with what is below it, for the empty value of a new node,
 * or to remove what cannot be there. What came by itself may be removed.
 */
static void test_unseen_nodes_take_few_requests(void **state)
{
	assert_int_equal(run_xend(commit_sparing), 0);
	assert_string_equal(played.journal, "remove /home\n"
					    "make /home\n"
					    "access /home n0 r3\n"
					    "make /home/bare\n"
					    "make /home/full/own\n"
					    "access /home/full/own n3 r0\n"
					    "make /home/device/0/key\n"
					    "access /home/device/0/key n3 r0\n"
					    "write /home/device/0/key=1\n"
					    "remove /home/device/0\n"
					    "make /home/device\n"
					    "access /home/device n3 r0\n"
					    "write /home/device=\n"
					    "make /back\n"
					    "access /back n0 r3\n"
					    "write /back/key=x\n");
}

static void commit_later(void)
{
	struct store_batch *batch = store_begin();

	store_drop(batch, "/home");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/home");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/home/device");
	store_batch_later(batch, true);
	store_put(batch, STORE_GUEST_READS, 3, "x", "/home/name");
	store_batch_later(batch, false);
	store_put(batch, STORE_GUEST_OWNS, 3, NULL, "/home/device/0");
	store_put(batch, STORE_GUEST_OWNS, 3, "f", "/home/device/0/first");
	store_batch_later(batch, true);
	store_put(batch, STORE_GUEST_OWNS, 3, "l", "/home/device/0/last");
	store_put(batch, STORE_GUEST_OWNS, 3, "1", "/home/device/0/state");
	if (store_commit_unseen(batch, NULL))
		_exit(2);
}

/* A state does not wait for them. Who may read them is the same as if they came in their place. */
static void test_some_nodes_come_after_the_states(void **state)
{
	assert_int_equal(run_xend(commit_later), 0);
	assert_string_equal(played.journal, "remove /home\n"
					    "make /home\n"
					    "access /home n0 r3\n"
					    "make /home/device/0\n"
					    "access /home/device/0 n3 r0\n"
					    "write /home/device/0/first=f\n"
					    "write /home/device/0/state=1\n"
					    "write /home/name=x\n"
					    "write /home/device/0/last=l\n");
}

static void commit_served(void)
{
	struct store_batch *batch = store_begin();

	store_batch_serve(batch, 7);
	store_put(batch, STORE_GUEST_READS, 3, "1", "/back/state");
	store_batch_serve(batch, 0);
	store_put(batch, STORE_GUEST_READS, 3, "1", "/other");
	if (store_commit_unseen(batch, NULL))
		_exit(2);
}

static void test_a_domain_that_serves_sees_all_at_once(void **state)
{
	assert_int_equal(run_xend(commit_served), 0);
	assert_string_equal(played.journal, "begin\n"
					    "write /back/state=1\n"
					    "access /back/state n7 r3\n"
					    "write /other=1\n"
					    "access /other n0 r3\n"
					    "end T\n");
}

static void commit_refused(void)
{
	struct store_batch *batch = store_begin();
	struct error *e = NULL;

	put_device(batch);
	if (store_commit_unseen(batch, &e) != -ENOSPC)
		_exit(2);
	if (strcmp(error_text(e), "Cannot write /front/deep/er in xenstore: No space left on "
				  "device.") != 0)
		_exit(3);
}

/*
 * What was sent before the refusal was answered may be written, but nothing later, least of all a
 * state.
 */
static void test_a_refused_node_is_the_last(void **state)
{
	played.type = XS_WRITE;
	played.conduct = REFUSE;
	played.error = "ENOSPC";
	assert_int_equal(run_xend(commit_refused), 0);
	assert_string_equal(played.journal, "remove /front\n"
					    "make /front\n"
					    "access /front n3 r0\n"
					    "write /front/deep/er=5\n"
					    "make /front/secret\n"
					    "access /front/secret n0\n");
}

static void commit_many(void)
{
	struct store_batch *batch = store_begin();

	store_drop(batch, "/d");
	store_put(batch, STORE_GUEST_READS, 3, NULL, "/d");
	for (int i = 0; i < 200; i++)
		store_put(batch, STORE_GUEST_READS, 3, "v", "/d/%d", i);
	if (store_commit_unseen(batch, NULL))
		_exit(2);
	if (store_write("/d/x", "1"))
		_exit(3);
}

/* More than are sent at a time: in order, each once. */
static void test_many_unseen_nodes(void **state)
{
	char expected[4096] = "remove /d\nmake /d\naccess /d n0 r3\n";

	assert_int_equal(run_xend(commit_many), 0);
	for (int i = 0; i < 200; i++) {
		size_t n = strlen(expected);

		snprintf(expected + n, sizeof(expected) - n, "write /d/%d=v\n", i);
	}
	strcat(expected, "write /d/x=1\n");
	assert_string_equal(played.journal, expected);
}

static void do_release_two(void)
{
	store_release(3);
	store_release(4);
}

/* oxenstored goes through all its nodes for a release, also of a domain that it has forgotten. */
static void test_a_domain_is_released_once(void **state)
{
	assert_int_equal(run_xend(do_release_two), 0);
	assert_string_equal(played.journal, "release 3\n");
}

static void test_without_xenstored_xend_does_not_start(void **state)
{
	close(played.listener);
	played.listener = -1;
	/* A socket without a listener, and no socket. */
	assert_int_equal(run_xend(do_nothing), 1);
	assert_true(log_has("xenstored is not running"));
	unlink(played.log);
	unlink(played.socket);
	assert_int_equal(run_xend(do_nothing), 1);
	assert_true(log_has("xenstored is not running"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes_can_be_caught_up_with, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_there_and_what_is_not, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_xenstored_that_ends_is_not_absence, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_xenstored_that_ends_is_noticed_at_rest,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_xenstored_that_hangs_does_not_hang_xend,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_read_that_fails_is_not_absence, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_write_that_is_refused_is_an_error_of_its_own,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_unseen_nodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unseen_nodes_take_few_requests, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_unseen_nodes_are_written_one_by_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_domain_that_serves_sees_all_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_refused_node_is_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_some_nodes_come_after_the_states, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_domain_is_released_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_xenstored_xend_does_not_start, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
