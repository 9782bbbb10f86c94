/* SPDX-License-Identifier: MIT */
/* What one host tells another of a domain that shall come, written and read, also by a liar. */
/* links: toolstack/xend/migrate/offer.c toolstack/xend/domain/move.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "xend/migrate/offer.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/xend_config.h"
#include "xend/domain/domain.h"
#include "unit.h"

void hv_policy_free(struct hv_cpu_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
}

#define MOVE "0123456789abcdef0123456789abcdef"

static const char config_text[] =
	"{\"name\":\"g\",\"uuid\":\"00000000-0000-0000-0000-000000000001\",\"memory\":64,"
	"\"kernel\":\"/boot/k\",\"disk\":[{\"type\":\"phy\",\"target\":\"/dev/"
	"vda\",\"vdev\":\"xvda\","
	"\"mode\":\"w\"}]}";

static struct json_object *parse(const char *text)
{
	struct json_object *o = json_parse_object(text, strlen(text), NULL);

	assert_non_null(o);
	return o;
}

static struct config *make_config(const char *text)
{
	struct json_object *o = parse(text);
	struct error *e = NULL;
	struct config *config = config_from_json(o, &e);

	assert_string_equal(error_text(e), "No error.");
	json_object_put(o);
	return config;
}

/* A line as an honest source writes it. */
static struct json_object *line(void)
{
	struct config *config = make_config(config_text);
	xen_cpuid_leaf_t leaves[2] = { { .leaf = 1, .a = 0x12345678 }, { .leaf = 7 } };
	xen_msr_entry_t msrs[1] = { { .idx = 0xce, .val = 1 } };
	struct hv_cpu_policy policy = { leaves, msrs, 2, 1 };
	struct domain domain = { .managed = true, .resumes_afresh = true };
	struct domain_size size;
	struct json_object *o;

	domain_size_of_config(&size, config);
	size.pages = 16000;
	domain.config = config;
	o = offer_line(MOVE, &domain, &size, &policy);
	config_free(config);
	return o;
}

static void test_what_is_written_is_read(void **state)
{
	struct json_object *o = line();
	struct offer offer;

	assert_int_equal(offer_read(&offer, o, NULL), 0);
	assert_string_equal(offer.move, MOVE);
	assert_true(offer.managed && offer.resumes_afresh);
	assert_string_equal(offer.config->name, "g");
	assert_int_equal(offer.size.pages, 16000);
	assert_int_equal(offer.policy.nr_leaves, 2);
	assert_int_equal(offer.policy.leaves[0].a, 0x12345678);
	assert_int_equal(offer.policy.leaves[1].leaf, 7);
	assert_int_equal(offer.policy.nr_msrs, 1);
	assert_int_equal(offer.policy.msrs[0].idx, 0xce);
	offer_free(&offer);
	json_object_put(o);
}

static void test_a_liar_is_refused(void **state)
{
	static const struct {
		const char *key, *value; /* NULL: without it */
	} lies[] = {
		{ "version", "2" },
		{ "version", NULL },
		{ "move", "\"0123\"" },
		{ "move", "\"../../../../../../../../etc/passwd\"" },
		{ "move", "\"0123456789ABCDEF0123456789abcdef\"" },
		{ "move", NULL },
		{ "managed", "1" },
		{ "suspend_cancel", NULL },
		{ "leaves", "\"0\"" },
		{ "leaves", "\"xx\"" },
		{ "leaves", "7" },
		{ "msrs", NULL },
		{ "config", "[]" },
		{ "config", NULL },
		{ "config", "{\"name\":\"g\"}" },
		{ "config", "{\"name\":\"g/../h\",\"kernel\":\"/k\",\"memory\":64}" },
		{ "config", "{\"name\":\"g\",\"kernel\":\"/k\",\"memory\":64}" },
		{ "config", "{\"name\":\"g\",\"uuid\":\"00000000-0000-0000-0000-000000000001\","
			    "\"kernel\":\"/k\",\"memory\":64,\"size\":{\"pages\":99999999,"
			    "\"target_kb\":65536,\"static_max_kb\":65536,\"vcpus\":1}}" },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct json_object *o = line();
		struct error *e = NULL;
		struct offer offer;

		json_object_object_del(o, lies[i].key);
		if (lies[i].value)
			json_object_object_add(o, lies[i].key, json_tokener_parse(lies[i].value));
		if (offer_read(&offer, o, &e) == 0)
			fail_msg("%s: %s is believed", lies[i].key, lies[i].value);
		assert_non_null(e);
		error_free(&e);
		offer_free(&offer);
		json_object_put(o);
	}
}

/* How many sentences there are against a configuration. */
static size_t count_reasons(const char *text, const char *settings_text)
{
	struct config_diags diags = { 0 };
	struct xend_config *settings =
		xend_config_parse(settings_text, strlen(settings_text), "f", &diags);
	struct config *config = make_config(text);
	struct json_object *reasons = json_new_array();
	size_t count;

	assert_non_null(settings);
	offer_check_names(config, settings, reasons);
	count = json_object_array_length(reasons);
	json_object_put(reasons);
	config_free(config);
	xend_config_free(settings);
	config_diags_free(&diags);
	return count;
}

#define WITH(keys) "{\"name\":\"g\",\"memory\":64," keys "}"
#define DISK(keys) \
	WITH("\"kernel\":\"/boot/k\",\"disk\":[{\"vdev\":\"xvda\",\"mode\":\"w\"," keys "}]")
#define PHY(target) DISK("\"type\":\"phy\",\"target\":\"" target "\"")
#define LOADER(name)                                                                             \
	WITH("\"bootloader\":\"" name "\",\"disk\":[{\"vdev\":\"xvda\",\"mode\":\"w\",\"type\":" \
	     "\"phy\",\"target\":\"/dev/vda\"}]")

#define ARGUMENTS                                                                          \
	WITH("\"bootloader\":\"pygrub\",\"bootargs\":[\"--output=/etc/passwd\"],\"disk\":" \
	     "[{\"vdev\":\"xvda\",\"mode\":\"w\",\"type\":\"phy\",\"target\":\"/dev/vda\"}]")

static void test_a_bootloader_with_all_rights_takes_no_strangers_arguments(void **state)
{
	assert_int_equal(count_reasons(ARGUMENTS, ""), 0);
	assert_int_equal(count_reasons(ARGUMENTS, "(bootloader-restrict no)"), 1);
	assert_int_equal(count_reasons(LOADER("pygrub"), "(bootloader-restrict no)"), 0);
}

static void test_a_stranger_names_only_what_the_host_permits(void **state)
{
	assert_int_equal(count_reasons(config_text, ""), 0);
	assert_int_equal(count_reasons(WITH("\"kernel\":\"/etc/shadow\""), ""), 1);
	assert_int_equal(count_reasons(WITH("\"kernel\":\"/boot/k\",\"ramdisk\":\"/etc/shadow\""),
				       ""),
			 1);
	assert_int_equal(count_reasons(WITH("\"kernel\":\"/etc/a\",\"ramdisk\":\"/etc/b\""), ""),
			 2);
	assert_int_equal(count_reasons(WITH("\"kernel\":\"/boot/../etc/shadow\""), ""), 1);
	assert_int_equal(count_reasons(WITH("\"kernel\":\"/boot/..\""), ""), 1);
	assert_int_equal(count_reasons(WITH("\"kernel\":\"/bootleg/k\""), ""), 1);
	assert_int_equal(count_reasons(LOADER("pygrub"), ""), 0);
	assert_int_equal(count_reasons(LOADER("/tmp/evil"), ""), 1);
	assert_int_equal(count_reasons(LOADER("sh"), ""), 1);
	assert_int_equal(count_reasons(LOADER("sh"), "(xend-relocation-bootloaders 'pygrub sh')"),
			 0);
	assert_int_equal(count_reasons(LOADER("pygrub"), "(xend-relocation-bootloaders mine)"), 1);
	assert_int_equal(count_reasons(PHY("/dev/sda"), ""), 0);
	assert_int_equal(count_reasons(PHY("/home/a.img"), ""), 1);
	assert_int_equal(count_reasons(PHY("/dev/sda"), "(xend-relocation-paths /dev/sdb)"), 2);
	assert_int_equal(
		count_reasons(DISK("\"type\":\"phy\",\"target\":\"x:y\",\"script\":\"block-x\""),
			      ""),
		0);
	assert_int_equal(
		count_reasons(DISK("\"type\":\"phy\",\"target\":\"x:y\",\"script\":\"/tmp/evil\""),
			      ""),
		1);
	assert_int_equal(
		count_reasons(DISK("\"type\":\"phy\",\"target\":\"tap:/etc/shadow\",\"script\":"
				   "\"block-tap\""),
			      ""),
		1);
	assert_int_equal(
		count_reasons(DISK("\"type\":\"phy\",\"target\":\"phy:sda\",\"script\":\"block\""),
			      ""),
		1);
	assert_int_equal(
		count_reasons(WITH("\"kernel\":\"/boot/k\",\"vif\":[{\"script\":\"/tmp/evil\"}]"),
			      ""),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_a_liar_is_refused),
		cmocka_unit_test(test_a_stranger_names_only_what_the_host_permits),
		cmocka_unit_test(test_a_bootloader_with_all_rights_takes_no_strangers_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
