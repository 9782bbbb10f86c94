/* SPDX-License-Identifier: MIT */
/* A stranger's image names the file that it lies on: only one that strangers may name will do. */
/* links: toolstack/xend/migrate/images.c toolstack/xend/migrate/offer.c toolstack/xend/device/disk_image.c toolstack/xend/domain/move.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
#include "xend/migrate/images.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/xend_config.h"
#include "lib/alloc.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"
#include "unit.h"

struct xend_config *settings;

void hv_policy_free(struct hv_cpu_policy *policy)
{
}

static char directory[] = "/tmp/images-XXXXXX";

static void put32(unsigned char *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

/* A qcow2 image that lies on `below`, whose format it says. */
static void write_image(const char *name, const char *below, const char *format)
{
	unsigned char bytes[4096] = { 0 };
	char *path = xasprintf("%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	put32(bytes, 0x514649fb);
	put32(bytes + 4, 3);
	put32(bytes + 12, 1024);
	put32(bytes + 16, (uint32_t)strlen(below));
	put32(bytes + 20, 16);
	put32(bytes + 100, 104);
	put32(bytes + 104, 0xe2792aca);
	put32(bytes + 108, (uint32_t)strlen(format));
	memcpy(bytes + 112, format, strlen(format));
	memcpy(bytes + 1024, below, strlen(below));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	free(path);
}

static struct config *config_of(const char *image, const char *more)
{
	char *text = xasprintf("{\"name\":\"g\",\"memory\":64,\"kernel\":\"/boot/k\",\"disk\":[{"
			       "\"type\":\"qdisk\",\"format\":\"qcow2\",\"vdev\":\"xvda\",\"mode\":"
			       "\"w\",\"target\":\"%s/%s\"%s}]}",
			       directory, image, more);
	struct json_object *o = json_parse_object(text, strlen(text), NULL);
	struct error *e = NULL;
	struct config *config = config_from_json(o, &e);

	assert_string_equal(error_text(e), "No error.");
	json_object_put(o);
	free(text);
	return config;
}

/* What is said against it; the paths that are permitted are those of the directory. */
static char *reasons_of(const char *image)
{
	struct config *config = config_of(image, "");
	struct json_object *reasons = json_new_array();
	char *text;

	images_look(config, settings, reasons);
	assert_true(json_object_array_length(reasons) <= 1);
	text = xstrdup(json_object_array_length(reasons) ?
			       json_object_get_string(json_object_array_get_idx(reasons, 0)) :
			       "");
	json_object_put(reasons);
	config_free(config);
	return text;
}

static void expect(const char *image, const char *words)
{
	char *said = reasons_of(image);

	if (*words ? !strstr(said, words) : *said)
		fail_msg("%s: '%s', not '%s'", image, said, words);
	free(said);
}

static void test_what_an_image_lies_on_must_be_permitted(void **state)
{
	write_image("base", "base2", "raw");
	write_image("good", "base", "qcow2");
	write_image("bad", "/etc/shadow", "raw");
	write_image("up", "../../etc/shadow", "raw");
	write_image("deep", "bad", "qcow2");
	write_image("json", "json:{}", "raw");
	expect("good", "");
	expect("bad", "/etc/shadow");
	expect("bad", "xend-relocation-paths");
	expect("up", "xend-relocation-paths");
	expect("deep", "/etc/shadow");
	expect("json", "not a plain path");
	expect("absent", "");
}

static const char *image;
static int result;
static struct error *sentence;

static void check_in_task(void *arg)
{
	struct config *config = config_of(image, "");

	result = images_check_again(config, &sentence);
	config_free(config);
}

static void check_again(const char *name)
{
	uv_loop_t *loop = uv_default_loop();

	image = name;
	assert_int_equal(task_setup(loop), 0);
	assert_non_null(task_start(check_in_task, NULL));
	uv_run(loop, UV_RUN_DEFAULT);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
}

static void test_it_is_looked_at_again_before_it_is_opened(void **state)
{
	write_image("late", "base2", "raw");
	check_again("late");
	assert_int_equal(result, 0);
	write_image("late", "/etc/shadow", "raw");
	check_again("late");
	assert_int_equal(result, -EACCES);
	assert_non_null(strstr(error_text(sentence), "/etc/shadow"));
	error_free(&sentence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_an_image_lies_on_must_be_permitted),
		cmocka_unit_test(test_it_is_looked_at_again_before_it_is_opened),
	};
	struct config_diags diags = { 0 };
	struct xend_config *config;
	char *text, *command;
	int failed;

	if (!mkdtemp(directory))
		return 1;
	text = xasprintf("(xend-relocation-paths '/boot %s')", directory);
	config = xend_config_parse(text, strlen(text), "f", &diags);
	settings = config;
	command = xasprintf("touch %s/base2", directory);
	failed = system(command) || cmocka_run_group_tests(tests, NULL, NULL);
	free(command);
	command = xasprintf("rm -rf %s", directory);
	if (system(command))
		failed = 1;
	free(command);
	free(text);
	xend_config_free(config);
	config_diags_free(&diags);
	return failed;
}
