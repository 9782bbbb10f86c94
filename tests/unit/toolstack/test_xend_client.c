/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/server/client.c toolstack/xend/runtime/request.c toolstack/xend/runtime/task.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/log_file.c toolstack/lib/log_open.c toolstack/lib/str.c */
/* libs: -luv -ljson-c */
/*
 * xend's socket with real clients. Each test's client is a child process with plain blocking calls;
 * the loop runs in the test. The child's exit status 0 means that all checks passed.
 */
#include "xend/server/client.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/log.h"
#include "lib/log_open.h"
#include "xend/domain/domain.h"
#include "protocol.h"
#include "xend/runtime/request.h"
#include "xend/runtime/task.h"
#include "unit.h"

static uv_loop_t *loop;
static char path[64];

/* --- methods of the test's own --- */

static int echo(struct request *request, struct json_object *result, struct error **e)
{
	json_set_string(result, "text", request_string(request, "text"));
	return 0;
}

static int slow(struct request *request, struct json_object *result, struct error **e)
{
	for (int i = 1; i <= 3; i++) {
		task_sleep(120);
		request_progress(request, "steps", (uint64_t)i, 3);
	}
	return error_set(e, EBUSY, "It was too slow.");
}

/* Until it is cancelled. */
static int endless(struct request *request, struct json_object *result, struct error **e)
{
	int rc = task_wait(TASK_FOREVER);

	return error_set(e, rc, "A wait was cancelled.");
}

static int large(struct request *request, struct json_object *result, struct error **e)
{
	char *text = malloc(100001);

	memset(text, 'l', 100000);
	text[100000] = '\0';
	json_set_string(result, "text", text);
	free(text);
	return 0;
}

static char typed[16];

static void on_bytes(void *arg, const void *bytes, size_t length)
{
	struct client *client = arg;

	client_send_bytes(client, "<", 1);
	client_send_bytes(client, bytes, length);
	client_send_bytes(client, ">", 1);
	strncat(typed, bytes, length < 8 ? length : 8);
	if (memchr(bytes, 'q', length))
		client_hang_up(client);
}

static void on_gone(void *arg)
{
}

static int raw(struct request *request, struct json_object *result, struct error **e)
{
	request_answer_early(request, result);
	client_become_raw(request_client(request), on_bytes, on_gone, request_client(request));
	return 0;
}

const struct method methods_domain[] = {
	{ "echo",
	  echo,
	  { { "text", PARAM_STRING, true },
	    { "number", PARAM_INT, false },
	    { "config", PARAM_OBJECT, false } } },
	{ XEND_M_DOMAIN_LIST, echo, { { "text", PARAM_STRING, true } } },
	{ "slow", slow, { { NULL } } },
	{ XEND_M_DOMAIN_SAVE, endless, { { NULL } } },
	{ "large", large, { { NULL } } },
	{ "raw", raw, { { NULL } } },
	{ NULL },
};
const struct method methods_managed[] = { { NULL } }, methods_resources[] = { { NULL } },
		    methods_list[] = { { NULL } }, methods_device[] = { { NULL } },
		    methods_host[] = { { NULL } }, methods_guests[] = { { NULL } },
		    methods_topology[] = { { NULL } }, methods_migrate[] = { { NULL } },
		    methods_trust[] = { { NULL } };

int domain_lookup(struct json_object *which, struct domain **out, struct error **e)
{
	return error_set(e, ESRCH, "There are no domains here.");
}

/* --- the two sides --- */

static int child_status;

static void on_child(uv_signal_t *handle, int number)
{
	if (waitpid((pid_t)(intptr_t)handle->data, &child_status, WNOHANG) > 0)
		uv_stop(loop);
}

/* Runs the loop while the client lives. */
static void serve(void (*client)(void))
{
	static uv_signal_t child; /* the loop uses it until tear_down */
	pid_t pid;

	uv_signal_init(loop, &child);
	uv_signal_start(&child, on_child, SIGCHLD);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		client();
		_exit(0);
	}
	child.data = (void *)(intptr_t)pid;
	uv_run(loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&child, NULL);
	assert_true(WIFEXITED(child_status));
	assert_int_equal(WEXITSTATUS(child_status), 0);
}

static int set_up(void **state)
{
	loop = uv_default_loop();
	log_set_stderr(0);
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "/tmp/xend-test-%d.sock", (int)getpid());
	typed[0] = '\0';
	task_setup(loop);
	return clients_listen(loop, path, NULL);
}

static int tear_down(void **state)
{
	clients_stop_listening();
	clients_disconnect();
	/* Requests in progress are finished although nobody waits for them. */
	while (task_count())
		uv_run(loop, UV_RUN_ONCE);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(clients_count(), 0);
	assert_int_equal(access(path, F_OK), -1);
	return 0;
}

/* --- in the client: any failure ends the child with its line as status --- */

#define CHECK(what)                                \
	do {                                       \
		if (!(what))                       \
			_exit(__LINE__ % 255 + 1); \
	} while (0)

static FILE *dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	FILE *file;

	strcpy(address.sun_path, path);
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	file = fdopen(fd, "r+");
	CHECK(file != NULL);
	setvbuf(file, NULL, _IONBF, 0);
	return file;
}

static const char *line(FILE *from)
{
	static char text[200000];

	return fgets(text, sizeof(text), from) ? text : "";
}

#define SAY_HI	   "{\"version\":1,\"id\":7,\"method\":\"echo\",\"params\":{\"text\":\"hi\"}}\n"
#define CALL(name) "{\"version\":1,\"id\":8,\"method\":\"" name "\"}\n"

static void asks_once(void)
{
	FILE *xend = dial();
	struct stat st;

	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	fputs(SAY_HI, xend);
	CHECK(strcmp(line(xend), "{\"id\":7,\"result\":{\"text\":\"hi\"}}\n") == 0);
}

static void test_a_request_is_answered(void **state)
{
	serve(asks_once);
}

static void says_nonsense_first(void)
{
	FILE *xend = dial();

	fputs("\n\nwhat?\n" SAY_HI, xend);
	CHECK(strstr(line(xend), "\"id\":null,\"error\":{\"code\":\"bad-request\""));
	CHECK(strstr(line(xend), "\"hi\""));
}

static void test_nonsense_is_refused_and_the_connection_goes_on(void **state)
{
	serve(says_nonsense_first);
}

static void waits_for_progress(void)
{
	FILE *xend = dial();

	fputs(CALL("slow"), xend);
	CHECK(strstr(line(xend), "\"progress\":{\"stage\":\"steps\",\"done\":1,\"total\":3}"));
	CHECK(strstr(line(xend), "\"done\":2"));
	CHECK(strstr(line(xend), "\"done\":3"));
	CHECK(strstr(line(xend), "{\"code\":\"busy\",\"message\":\"It was too slow.\"}"));
}

static void test_progress_comes_before_the_answer(void **state)
{
	serve(waits_for_progress);
}

static void sends_all_then_closes_its_side(void)
{
	FILE *xend = dial();

	for (int i = 0; i < 100; i++)
		fputs(i % 10 ? SAY_HI : CALL("slow"), xend);
	shutdown(fileno(xend), SHUT_WR);
	for (int answers = 0; answers < 100;) {
		const char *text = line(xend);

		CHECK(*text);
		answers += strstr(text, "\"progress\"") == NULL;
	}
	CHECK(*line(xend) == '\0');
}

static void test_more_requests_than_may_be_open_are_all_answered(void **state)
{
	serve(sends_all_then_closes_its_side);
}

static void sends_a_long_line(void)
{
	FILE *xend = dial();

	for (int i = 0; i < XEND_MAX_REQUEST; i++)
		if (fputc('x', xend) == EOF)
			break;
	CHECK(strstr(line(xend), "too-large"));
	CHECK(*line(xend) == '\0');
}

static void test_a_line_without_end_ends_the_connection(void **state)
{
	serve(sends_a_long_line);
}

static void does_not_read(void)
{
	FILE *xend = dial();

	for (int i = 0; i < 100000; i++)
		if (write(fileno(xend), CALL("large"), strlen(CALL("large"))) < 0)
			return;
	CHECK(false);
}

static void test_a_client_that_does_not_read_is_dropped(void **state)
{
	serve(does_not_read);
}

/* The client writes as fast as it can and reads late; all requests are answered. */
static void writes_first_reads_later(void)
{
	FILE *xend = dial();
	int answers = 0;

	if (fork() == 0) {
		for (int i = 0; i < 100000; i++)
			fputs("x\n", xend);
		shutdown(fileno(xend), SHUT_WR);
		_exit(0);
	}
	usleep(300000);
	while (*line(xend))
		answers++;
	CHECK(answers == 100000);
}

static void test_a_hundred_thousand_lines_are_answered(void **state)
{
	serve(writes_first_reads_later);
}

static void comes_in_a_crowd(void)
{
	FILE *all[XEND_MAX_CLIENTS], *extra;

	for (int i = 0; i < XEND_MAX_CLIENTS; i++)
		all[i] = dial();
	for (int i = 0; i < XEND_MAX_CLIENTS; i++)
		fputs(SAY_HI, all[i]);
	for (int i = 0; i < XEND_MAX_CLIENTS; i++)
		CHECK(strstr(line(all[i]), "\"hi\""));
	extra = dial();
	CHECK(strstr(line(extra), "\"busy\""));
	CHECK(*line(extra) == '\0');
	fclose(all[0]);
	usleep(50000);
	extra = dial();
	fputs(SAY_HI, extra);
	CHECK(strstr(line(extra), "\"hi\""));
}

static void test_all_that_may_come_are_served_and_one_more_is_told(void **state)
{
	serve(comes_in_a_crowd);
}

#define CANCEL(id) \
	"{\"version\":1,\"id\":9,\"method\":\"request.cancel\",\"params\":{\"request\":" id "}}\n"

static void cancels(void)
{
	FILE *xend = dial(), *other = dial();

	fputs(CALL("domain.save"), xend);
	/* Only its own connection can cancel it, by the id as it was. */
	fputs(CANCEL("8"), other);
	CHECK(strstr(line(other), "No request 8 of this connection is under way any more."));
	fputs(CANCEL("\"8\""), xend);
	CHECK(strstr(line(xend), "\"id\":9,\"error\":{\"code\":\"failed\""));
	fputs(CANCEL("8"), xend);
	CHECK(strstr(line(xend), "\"id\":9,\"result\""));
	CHECK(strcmp(line(xend), "{\"id\":8,\"error\":{\"code\":\"cancelled\",\"message\":"
				 "\"Cancelled: the domain was not saved, and goes on.\"}}\n") == 0);
	fputs(CANCEL("8"), xend);
	CHECK(strstr(line(xend), "\"id\":9,\"error\":{\"code\":\"failed\""));
	/* In one go with what it cancels. */
	fputs(CALL("domain.save") CANCEL("8"), xend);
	CHECK(strstr(line(xend), "\"id\":9,\"result\""));
	CHECK(strstr(line(xend), "\"id\":8,\"error\":{\"code\":\"cancelled\""));
}

static void test_a_request_is_cancelled(void **state)
{
	serve(cancels);
}

static void cancels_what_cannot_be(void)
{
	FILE *xend = dial();

	fputs(CALL("slow") CANCEL("8"), xend);
	CHECK(strstr(line(xend), "{\"code\":\"unsupported\",\"message\":\"slow cannot be "
				 "cancelled.\"}"));
	CHECK(strstr(line(xend), "\"done\":1"));
}

static void test_a_request_that_cannot_be_cancelled_goes_on(void **state)
{
	serve(cancels_what_cannot_be);
}

static void changes_and_asks(void)
{
	FILE *xend = dial();

	fputs("{\"version\":1,\"id\":1,\"method\":\"echo\",\"params\":{\"text\":\"hi\",\"number\":"
	      "5,"
	      "\"config\":{\"name\":\"g\\n1\",\"vfb\":[{\"vncpasswd\":\"secret\"}]}}}\n",
	      xend);
	CHECK(strstr(line(xend), "\"result\""));
	fputs("{\"version\":1,\"id\":1,\"method\":\"domain.list\",\"params\":{\"text\":\"asked\"}}"
	      "\n",
	      xend);
	CHECK(strstr(line(xend), "\"result\""));
	fputs(CALL("slow"), xend);
	while (!strstr(line(xend), "\"error\""))
		continue;
}

static void test_the_log_has_what_was_changed_and_what_failed(void **state)
{
	char name[64], text[1000];
	FILE *log;

	snprintf(name, sizeof(name), "/tmp/xend-test-%d.log", (int)getpid());
	assert_int_equal(log_open(name, 1000000, NULL), 0);
	log_set_level(LOG_LEVEL_INFO);
	serve(changes_and_asks);
	log_close();
	log = fopen(name, "r");
	assert_non_null(log);
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	fclose(log);
	unlink(name);
	assert_non_null(
		strstr(text, "INFO A client's echo (text=hi number=5 name=g?1) is done.\n"));
	assert_non_null(strstr(text, "INFO A client's slow () failed: It was too slow.\n"));
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "asked"));
}

static void goes_away(void)
{
	for (int i = 0; i < 50; i++) {
		FILE *xend = dial();

		fputs(CALL("slow") CALL("large"), xend);
		fclose(xend);
	}
}

static void test_who_goes_away_leaves_nothing(void **state)
{
	serve(goes_away);
	while (task_count() || clients_count())
		uv_run(loop, UV_RUN_ONCE);
}

static void types_bytes(void)
{
	FILE *xend = dial();
	char got[8] = "";

	/* Bytes after the request's line are already typed input. */
	fputs(CALL("raw") "ab", xend);
	CHECK(strstr(line(xend), "\"result\""));
	CHECK(fread(got, 1, 4, xend) == 4 && memcmp(got, "<ab>", 4) == 0);
	fputs("\n", xend);
	CHECK(fread(got, 1, 3, xend) == 3 && memcmp(got, "<\n>", 3) == 0);
	fputs("q", xend);
	CHECK(fread(got, 1, 4, xend) == 3 && memcmp(got, "<q>", 3) == 0);
}

static void test_a_raw_connection_carries_bytes(void **state)
{
	serve(types_bytes);
	assert_string_equal(typed, "ab\nq");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_is_answered),
		TEST(test_nonsense_is_refused_and_the_connection_goes_on),
		TEST(test_progress_comes_before_the_answer),
		TEST(test_more_requests_than_may_be_open_are_all_answered),
		TEST(test_a_line_without_end_ends_the_connection),
		TEST(test_a_client_that_does_not_read_is_dropped),
		TEST(test_a_hundred_thousand_lines_are_answered),
		TEST(test_all_that_may_come_are_served_and_one_more_is_told),
		TEST(test_the_log_has_what_was_changed_and_what_failed),
		TEST(test_a_request_is_cancelled),
		TEST(test_a_request_that_cannot_be_cancelled_goes_on),
		TEST(test_who_goes_away_leaves_nothing),
		TEST(test_a_raw_connection_carries_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
