/* SPDX-License-Identifier: MIT */
/* Whose certificates a host takes: the list in its file, and this host's own files. */
/* links: toolstack/xend/migrate/trust.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
#include "xend/migrate/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/xend_config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "xend/migrate/tls.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"
#include "unit.h"

#define PRINT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PRINT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct xend_config *settings;
static char directory[] = "/tmp/trust-XXXXXX";
static char *list_path, *key_path, *crt_path;
static int made;

int tls_tell(const char *what, struct json_object *order, struct json_object **result,
	     struct error **e)
{
	assert_string_equal(what, "make");
	json_object_put(order);
	*result = json_new_object();
	json_set_string(*result, "key", "the key");
	json_set_string(*result, "certificate", "the certificate");
	made++;
	return 0;
}

static void (*script)(void);
static bool ended;

static void run(void *arg)
{
	script();
	ended = true;
}

static void in_a_task(void (*what)(void))
{
	uv_loop_t *loop = uv_default_loop();

	ended = false;
	script = what;
	assert_int_equal(task_setup(loop), 0);
	assert_non_null(task_start(run, NULL));
	uv_run(loop, UV_RUN_DEFAULT);
	assert_true(ended);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
}

/* "host=f host=f ", with the first digit of each fingerprint. */
static void expect(struct json_object *list, const char *text)
{
	struct str s = STR_INIT;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *host, *print;
		struct json_object *o = json_object_array_get_idx(list, i);

		assert_int_equal(json_get_string(o, "host", &host, NULL), 0);
		assert_int_equal(json_get_string(o, "fingerprint", &print, NULL), 0);
		str_printf(&s, "%s=%c ", host, *print);
	}
	assert_string_equal(str_text(&s), text);
	str_free(&s);
	json_object_put(list);
}

static struct json_object *load(void)
{
	struct json_object *list;
	struct error *e = NULL;

	assert_int_equal(trust_load(&list, &e), 0);
	return list;
}

static void change(void)
{
	struct error *e = NULL;

	unlink(list_path);
	expect(load(), "");
	assert_int_equal(trust_add("one", PRINT_A, &e), 0);
	assert_int_equal(trust_add("two", PRINT_B, &e), 0);
	expect(load(), "one=a two=b ");
	assert_int_equal(trust_add("one", PRINT_B, &e), 0);
	expect(load(), "two=b one=b ");
	assert_int_equal(trust_remove("two", &e), 0);
	expect(load(), "one=b ");
	assert_int_equal(trust_remove("two", &e), -ENOENT);
	error_free(&e);
}

static void test_hosts_come_and_go(void **state)
{
	in_a_task(change);
}

static void damaged(void)
{
	static const char *const texts[] = { "", "{}", "[", "7" };
	struct json_object *list;
	struct error *e = NULL;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(file_write_atomic(list_path, texts[i], strlen(texts[i]), 0600,
						   NULL),
				 0);
		assert_int_equal(trust_load(&list, &e), -EBADMSG);
		assert_null(list);
		assert_non_null(strstr(error_text(e), "no host is trusted"));
		error_free(&e);
		assert_int_equal(trust_add("one", PRINT_A, &e), -EBADMSG);
		error_free(&e);
	}
	unlink(list_path);
	assert_int_equal(trust_add("one", PRINT_A, NULL), 0);
}

static void test_a_damaged_list_trusts_nobody_and_is_not_written_over(void **state)
{
	in_a_task(damaged);
}

static void own(void)
{
	struct json_object *order = json_new_object();
	struct error *e = NULL;
	const char *text;
	struct stat st;

	assert_int_equal(trust_put_own(order, &e), 0);
	assert_int_equal(made, 1);
	assert_int_equal(json_get_string(order, "key", &text, NULL), 0);
	assert_string_equal(text, "the key");
	assert_int_equal(stat(key_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(trust_put_own(order, &e), 0);
	assert_int_equal(made, 1);
	/* Half of it gone is not all of it gone. */
	unlink(key_path);
	assert_int_equal(trust_put_own(order, &e), -ENOENT);
	assert_non_null(strstr(error_text(e), "without its key"));
	error_free(&e);
	assert_int_equal(made, 1);
	json_object_put(order);
}

static void test_its_own_certificate_is_made_once(void **state)
{
	in_a_task(own);
}

static void test_the_last_that_have_asked_are_known(void **state)
{
	struct json_object *list;
	char host[16];

	trust_note_asked("one", PRINT_A);
	trust_note_asked("two", PRINT_B);
	trust_note_asked("one", PRINT_B);
	trust_note_asked("three", "nonsense");
	expect(trust_asked(), "one=b two=b ");
	for (int i = 0; i < 100; i++) {
		snprintf(host, sizeof(host), "h%d", i);
		trust_note_asked(host, PRINT_A);
	}
	trust_note_asked("last", PRINT_A);
	list = trust_asked();
	assert_int_equal(json_object_array_length(list), 16);
	json_object_put(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_come_and_go),
		cmocka_unit_test(test_a_damaged_list_trusts_nobody_and_is_not_written_over),
		cmocka_unit_test(test_its_own_certificate_is_made_once),
		cmocka_unit_test(test_the_last_that_have_asked_are_known),
	};
	struct config_diags diags = { 0 };
	char *text, *command;
	int failed;

	if (!mkdtemp(directory))
		return 1;
	list_path = xasprintf("%s/trusted", directory);
	key_path = xasprintf("%s/key", directory);
	crt_path = xasprintf("%s/crt", directory);
	setenv(TRUST_PATH_ENV, list_path, 1);
	text = xasprintf("(xend-relocation-server-ssl-key-file %s)"
			 "(xend-relocation-server-ssl-cert-file %s)",
			 key_path, crt_path);
	settings = xend_config_parse(text, strlen(text), "f", &diags);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	command = xasprintf("rm -rf %s", directory);
	if (system(command))
		failed = 1;
	free(command);
	free(text);
	free(list_path);
	free(key_path);
	free(crt_path);
	xend_config_free(settings);
	config_diags_free(&diags);
	return failed;
}
