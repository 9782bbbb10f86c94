/* SPDX-License-Identifier: MIT */
/* The warning before another host's saved domain is trusted. */
/* links: toolstack/xend/domain/foreign.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "xend/domain/foreign.h"

#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "lib/json.h"
#include "unit.h"

static void check_says(const char *json, const char *says)
{
	struct json_object *o = json_parse_object(json, strlen(json), NULL);
	struct error *e = NULL;
	struct config *config = config_from_json(o, &e);

	assert_string_equal(error_text(e), "No error.");
	assert_int_equal(foreign_refuse("/f", config, &e), -EPERM);
	if (!strstr(error_text(e), says))
		fail_msg("'%s' is not in: %s", says, error_text(e));
	error_free(&e);
	config_free(config);
	json_object_put(o);
}

static void test_who_shall_trust_a_file_sees_what_it_takes_of_the_host(void **state)
{
	static const char all[] =
		"{\"name\":\"g\",\"memory\":64,\"maxmem\":4096,\"bootloader\":\"/b\",\"kernel\":\"/"
		"k\",\"ramdisk\":\"/r\","
		"\"disk\":[{\"type\":\"file\",\"target\":\"/d\",\"vdev\":\"xvda\",\"mode\":\"w\"}],"
		"\"vif\":[{\"bridge\":\"br7\"}]}";

	check_says(all, "the bootloader /b");
	check_says(all, "the kernel /k");
	check_says(all, "the ramdisk /r");
	check_says(all, "the disk /d");
	check_says(all, "the bridge br7");
	check_says(all, "up to 4096 MiB of memory");
	check_says("{\"name\":\"g\",\"memory\":96,\"kernel\":\"/k\"}", "up to 96 MiB of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_shall_trust_a_file_sees_what_it_takes_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
