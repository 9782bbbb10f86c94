/* SPDX-License-Identifier: MIT */
/* xend-config.sxp: keys, errors with their places, and the shipped file. */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "config/xend_config.h"
#include "lib/file.h"
#include "lib/str.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

static struct xend_config *parse(const char *text, const char *said)
{
	struct config_diags diags = { 0 };
	struct xend_config *c = xend_config_parse(text, strlen(text), "f", &diags);
	struct str s = STR_INIT;

	config_diags_print(&diags, &s);
	assert_string_equal(str_text(&s), said);
	assert_int_equal(!c, diags.nr_errors > 0);
	str_free(&s);
	config_diags_free(&diags);
	return c;
}

static void refuse(const char *text, const char *said)
{
	assert_null(parse(text, said));
}

static void nothing_means_defaults(void **state)
{
	struct xend_config *c = parse("", "");

	assert_false(c->relocation_server);
	assert_int_equal(c->relocation_port, 8002);
	assert_int_equal(c->relocation_ssl_port, 8003);
	assert_null(c->relocation_address);
	assert_int_equal(c->nr_relocation_hosts_allow, 2);
	assert_int_equal(c->dom0_min_mem, 256);
	assert_true(c->dom0_ballooning);
	assert_null(c->network_script);
	assert_null(c->vif_script);
	assert_string_equal(c->default_bridge, "xenbr0");
	assert_int_equal(c->loglevel, XEND_LOG_INFO);
	assert_true(c->bootloader_restrict);
	assert_false(c->restore_foreign_files);
	assert_int_equal(c->bootloader_timeout, 60);
	assert_int_equal(c->bootloader_max_size, 512);
	xend_config_free(c);
}

static void keys_are_read(void **state)
{
	struct xend_config *c = parse("# the host\n"
				      "(xend-relocation-server yes)\n"
				      "(dom0-min-mem 512)\n"
				      "(network-script 'network-bridge netdev=eth1')\n"
				      "(loglevel DEBUG)\n"
				      "(xend-relocation-hosts-allow '')\n"
				      "(xend-http-server no)\n"
				      "(dom0-cpus 0)\n",
				      "");

	assert_true(c->relocation_server);
	assert_int_equal(c->dom0_min_mem, 512);
	assert_string_equal(c->network_script, "network-bridge netdev=eth1");
	assert_int_equal(c->loglevel, XEND_LOG_DEBUG);
	xend_config_free(c);
}

static void what_is_not_known_is_named(void **state)
{
	xend_config_free(parse(
		"(dom0-min-men 1)\n(xend-http-server yes)\n(colour red)\n(loglevel debug)(loglevel "
		"info)",
		"f:1:1: warning: dom0-min-men: there is no such key, did you mean dom0-min-mem?\n"
		"f:2:1: warning: xend-http-server is not supported: xend has one interface, the "
		"socket that xm uses\n"
		"f:3:1: warning: colour: there is no such key\n"
		"f:4:17: warning: loglevel is set again: this value counts\n"));
}

static void every_error_has_its_place(void **state)
{
	refuse("(dom0-min-mem lots)\n (xend-relocation-port 70000)\n(loglevel "
	       "loud)\nword\n(vif-script a b)\n"
	       "(network-script (x))\n((a) b)\n",
	       "f:1:15: error: dom0-min-mem: expected a size of 0 to 16777216 MiB: a number of "
	       "MiB, or one with a unit "
	       "as in "
	       "\"2g\", found \"lots\"\n"
	       "f:2:24: error: xend-relocation-port: expected a whole number from 1 to 65535, "
	       "found \"70000\"\n"
	       "f:3:11: error: loglevel: expected \"error\", \"warning\", \"info\" or \"debug\", "
	       "found \"loud\"\n"
	       "f:4:1: error: expected (key value)\n"
	       "f:5:1: error: vif-script: expected one value: (vif-script VALUE); one with blanks "
	       "needs quotes\n"
	       "f:6:1: error: network-script: expected one value: (network-script VALUE); one with "
	       "blanks needs "
	       "quotes\n"
	       "f:7:1: error: expected (key value)\n");
	refuse("(loglevel info", "f:1:1: error: this list has no end: expected )\n");
	refuse("(xend-relocation-hosts-allow '^a$ ^(b$')",
	       "f:1:30: error: xend-relocation-hosts-allow: expected "
	       "regular expressions of host names, separated by blanks, "
	       "found \"^a$ ^(b$\"\n");
}

static void hosts_must_match_as_a_whole(void **state)
{
	struct xend_config *c =
		parse("(xend-relocation-hosts-allow 'node[0-9]+ ^10\\\\.0\\\\.0\\\\.1$')", "");

	assert_true(xend_config_allows(c, "node17"));
	assert_true(xend_config_allows(c, "NODE17"));
	assert_true(xend_config_allows(c, "10.0.0.1"));
	assert_false(xend_config_allows(c, "10.0.0.12"));
	assert_false(xend_config_allows(c, "node17.evil.example"));
	assert_false(xend_config_allows(c, "mynode17"));
	assert_false(xend_config_allows(c, "10x0.0.1"));
	xend_config_free(c);
	c = parse("(xend-relocation-hosts-allow '')", "");
	assert_int_equal(c->nr_relocation_hosts_allow, 0);
	assert_true(xend_config_allows(c, "anybody"));
	xend_config_free(c);
}

static void the_file_may_be_missing_and_the_shipped_one_is_good(void **state)
{
	struct config_diags diags = { 0 };
	struct error *e = NULL;
	struct xend_config *c = xend_config_load("/nonexistent/xend-config.sxp", &diags, &e);

	assert_non_null(c);
	assert_null(e);
	xend_config_free(c);
	c = xend_config_load("toolstack/etc/xend-config.sxp", &diags, &e);
	assert_non_null(c);
	assert_int_equal(diags.nr, 0);
	assert_int_equal(c->dom0_min_mem, 256);
	xend_config_free(c);
	assert_null(xend_config_load("/", &diags, &e));
	assert_int_equal(error_errno(e), EISDIR);
	error_free(&e);
}

/* The shipped file shows each default behind a #; they must be the table's defaults. */
static void the_shipped_file_shows_the_defaults(void **state)
{
	struct str text = STR_INIT, active = STR_INIT;
	struct config_diags diags = { 0 };
	struct xend_config *c, *d = parse("", "");

	assert_int_equal(file_read("toolstack/etc/xend-config.sxp", 65536, &text, NULL), 0);
	for (const char *p = text.text; *p; p++) {
		if (p[0] == '#' && p[1] == '(' && (p == text.text || p[-1] == '\n'))
			continue;
		str_add_char(&active, *p);
	}
	c = xend_config_parse(active.text, active.len, "f", &diags);
	assert_int_equal(diags.nr, 0);
	assert_int_equal(c->relocation_server, d->relocation_server);
	assert_int_equal(c->relocation_port, d->relocation_port);
	assert_int_equal(c->relocation_ssl_port, d->relocation_ssl_port);
	assert_int_equal(c->nr_relocation_hosts_allow, d->nr_relocation_hosts_allow);
	for (size_t i = 0; i < d->nr_relocation_hosts_allow; i++)
		assert_string_equal(c->relocation_hosts_allow[i], d->relocation_hosts_allow[i]);
	assert_int_equal(c->dom0_min_mem, d->dom0_min_mem);
	assert_int_equal(c->dom0_ballooning, d->dom0_ballooning);
	assert_int_equal(c->guests_stop, d->guests_stop);
	assert_int_equal(c->guests_late, d->guests_late);
	assert_int_equal(c->guests_shutdown_timeout, d->guests_shutdown_timeout);
	assert_int_equal(c->guests_suspend_timeout, d->guests_suspend_timeout);
	assert_int_equal(c->guests_parallel, d->guests_parallel);
	assert_string_equal(c->default_bridge, d->default_bridge);
	assert_int_equal(c->loglevel, d->loglevel);
	assert_int_equal(c->console_limit, d->console_limit);
	assert_int_equal(c->console_log, d->console_log);
	xend_config_free(c);
	xend_config_free(d);
	str_free(&text);
	str_free(&active);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_means_defaults),
		cmocka_unit_test(keys_are_read),
		cmocka_unit_test(what_is_not_known_is_named),
		cmocka_unit_test(every_error_has_its_place),
		cmocka_unit_test(hosts_must_match_as_a_whole),
		cmocka_unit_test(the_file_may_be_missing_and_the_shipped_one_is_good),
		cmocka_unit_test(the_shipped_file_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
