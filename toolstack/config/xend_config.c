/* SPDX-License-Identifier: MIT */
/*
 * Reads xend-config.sxp: its S-expressions become values, and the table of keys fills the record.
 */
#include "config/xend_config.h"
#include "config/key_field.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/sexp.h"
#include "lib/str.h"
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* Compiles "^(HOSTS)$": the whole name must match, even if the file's author wrote no anchors. */
static int compile_host(regex_t *regex, const char *text)
{
	char *anchored = xasprintf("^(%s)$", text);
	int rc = regcomp(regex, anchored, REG_EXTENDED | REG_ICASE | REG_NOSUB);

	free(anchored);
	return rc;
}

static char *parse_host(const char *text)
{
	regex_t regex;

	if (compile_host(&regex, text))
		return NULL;
	regfree(&regex);
	return xstrdup(text);
}

static const struct config_text text_host = {
	"regular expressions of host names, separated by blanks", parse_host, false
};

/* In the order of enum xend_log_level. */
static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };

/* In the order of enum xend_guests_stop and enum xend_guests_late. */
static const char *const guests_stops[] = { "suspend", "shutdown", "leave", NULL };
static const char *const guests_lates[] = { "destroy", "leave", NULL };

/* clang-format off */
static const struct config_key keys[] = {
	{ .name = "xend-relocation-server", KEY_FIELD_BOOL(xend_config, relocation_server), .fallback = "no",
	  .doc = "Whether domains may be moved to this host." },
	{ .name = "xend-relocation-port", KEY_FIELD_UINT(xend_config, relocation_port, 1, 65535), .fallback = "8002",
	  .doc = "The TCP port for that." },
	{ .name = "xend-relocation-address", KEY_FIELD_TEXT(xend_config, relocation_address, text_address),
	  .doc = "The address that it listens on; every one when absent." },
	{ .name = "xend-relocation-ssl-server", KEY_FIELD_BOOL(xend_config, relocation_ssl_server), .fallback = "no",
	  .doc = "Whether domains may be moved to this host over TLS." },
	{ .name = "xend-relocation-ssl-port", KEY_FIELD_UINT(xend_config, relocation_ssl_port, 1, 65535), .fallback = "8003",
	  .doc = "The TCP port for that." },
	{ .name = "xend-relocation-server-ssl-key-file", KEY_FIELD_TEXT(xend_config, relocation_ssl_key_file, text_path), .fallback = "/etc/xen/xmlrpc.key",
	  .doc = "The host's private key for TLS. xend makes it, and the certificate, when neither is there." },
	{ .name = "xend-relocation-server-ssl-cert-file", KEY_FIELD_TEXT(xend_config, relocation_ssl_cert_file, text_path), .fallback = "/etc/xen/xmlrpc.crt",
	  .doc = "The host's certificate for TLS." },
	{ .name = "xend-relocation-hosts-allow", KEY_FIELD_TEXTS(xend_config, relocation_hosts_allow, text_host),
	  .flags = KEY_SPLIT, .fallback = "^localhost$ ^localhost\\.localdomain$",
	  .doc = "Who may move domains here: regular expressions of which one must match the host's whole name or address; none at all lets every host." },
	{ .name = "xend-relocation-paths", KEY_FIELD_TEXTS(xend_config, relocation_paths, text_path),
	  .flags = KEY_SPLIT, .fallback = "/boot /dev /srv /var/lib/xen",
	  .doc = "Directories, one of which must have each kernel, RAM disk and disk of a domain that comes from another host, and each file that such a disk's image lies on. Scripts must be names, which this host looks up among its own." },
	{ .name = "xend-relocation-bootloaders", KEY_FIELD_TEXTS(xend_config, relocation_bootloaders, text_name),
	  .flags = KEY_SPLIT, .fallback = "pygrub",
	  .doc = "The bootloaders, by their names, that a domain from another host may use. With bootloader-restrict no they may have no arguments then." },
	{ .name = "dom0-min-mem", KEY_FIELD_MIB(xend_config, dom0_min_mem, 0, 16 << 20), .fallback = "256",
	  .doc = "What Domain-0 keeps when memory is taken from it for a new domain." },
	{ .name = "enable-dom0-ballooning", KEY_FIELD_BOOL(xend_config, dom0_ballooning), .fallback = "yes",
	  .doc = "Whether memory is taken from Domain-0 at all." },
	{ .name = "network-script", KEY_FIELD_TEXT(xend_config, network_script, text_any),
	  .doc = "A script of /etc/xen/scripts, with its arguments, that makes the host's bridge when xend starts." },
	{ .name = "vif-script", KEY_FIELD_TEXT(xend_config, vif_script, text_program),
	  .doc = "The script of /etc/xen/scripts that connects interfaces which name none. Without one xend puts them on their bridge itself, which is much faster." },
	{ .name = "default-bridge", KEY_FIELD_TEXT(xend_config, default_bridge, text_bridge), .fallback = "xenbr0",
	  .doc = "The bridge of interfaces that name none." },
	{ .name = "bootloader-restrict", KEY_FIELD_BOOL(xend_config, bootloader_restrict), .fallback = "yes",
	  .doc = "Whether a bootloader (pygrub), which reads a guest's disk, runs without privilege; see xend(8)." },
	{ .name = "bootloader-timeout", KEY_FIELD_UINT(xend_config, bootloader_timeout, 1, 86400), .unit = "seconds", .fallback = "60",
	  .doc = "How long a bootloader may take. Each key that is typed at its menu gives it that time anew, and no less than 10 minutes." },
	{ .name = "bootloader-max-size", KEY_FIELD_MIB(xend_config, bootloader_max_size, 1, 1 << 20), .fallback = "512",
	  .doc = "The most that kernel and RAM disk which a bootloader found may take together; never more than half of Domain-0's memory." },
	{ .name = "restore-foreign-files", KEY_FIELD_BOOL(xend_config, restore_foreign_files), .fallback = "no",
	  .doc = "Whether `xm restore' needs no --trust for files that this host did not save; see xend(8)." },
	{ .name = "vnc-listen", KEY_FIELD_TEXT(xend_config, vnc_listen, text_address), .fallback = "127.0.0.1",
	  .doc = "The address at which the screens of guests (vfb) that name none are shown by VNC." },
	{ .name = "vncpasswd", KEY_FIELD_TEXT(xend_config, vncpasswd, text_any),
	  .doc = "The password for the screens that have none of their own." },
	{ .name = "keymap", KEY_FIELD_TEXT(xend_config, keymap, text_name),
	  .doc = "The keyboard's layout for the screens that name none: en-us, de and so on." },
	{ .name = "guests-stop", KEY_FIELD_WORD(xend_config, guests_stop, guests_stops), .fallback = "suspend",
	  .doc = "What becomes of a guest when the host stops, if on_xend_stop of its file does not say; one that cannot be suspended is shut down." },
	{ .name = "guests-shutdown-timeout", KEY_FIELD_UINT(xend_config, guests_shutdown_timeout, 1, 86400), .unit = "seconds", .fallback = "300",
	  .doc = "How long a guest may take to shut down then." },
	{ .name = "guests-suspend-timeout", KEY_FIELD_UINT(xend_config, guests_suspend_timeout, 1, 86400), .unit = "seconds", .fallback = "1800",
	  .doc = "How long it may take to be suspended; after that it is shut down." },
	{ .name = "guests-late", KEY_FIELD_WORD(xend_config, guests_late, guests_lates), .fallback = "destroy",
	  .doc = "What becomes of one that has not shut down by then." },
	{ .name = "guests-parallel", KEY_FIELD_UINT(xend_config, guests_parallel, 1, 64), .fallback = "4",
	  .doc = "How many guests are started, resumed or suspended at the same time." },
	{ .name = "loglevel", KEY_FIELD_WORD(xend_config, loglevel, log_levels), .fallback = "info",
	  .doc = "What is important enough for it." },
	{ .name = "console-limit", KEY_FIELD_UINT(xend_config, console_limit, 16, 1 << 20), .unit = "KiB", .fallback = "1024",
	  .doc = "How much of a domain's console is kept." },
	{ .name = "console-log", KEY_FIELD_BOOL(xend_config, console_log), .fallback = "yes",
	  .doc = "Whether it is also written to /var/log/xen/console." },
};
/* clang-format on */

static const struct config_foreign foreign[] = {
	{ false,
	  "xend-http-server xend-port xend-address xend-tcp-xmlrpc-server "
	  "xend-tcp-xmlrpc-server-address "
	  "xend-tcp-xmlrpc-server-port xend-tcp-xmlrpc-server-ssl-key-file "
	  "xend-tcp-xmlrpc-server-ssl-cert-file "
	  "xend-unix-xmlrpc-server xen-api-server xen-api-server-ssl-key-file "
	  "xen-api-server-ssl-cert-file "
	  "xend-unix-path "
	  "xend-udev-event-server",
	  "xend has one interface, the socket that xm uses" },
	{ false, "xend-unix-server", "the socket that xm uses is always there" },
	{ false, "logfile", "the log is /var/log/xen/xend.log, and the journal" },
	{ false, "enable-dump",
	  "on_crash = \"coredump-restart\" in a domain's file asks for that" },
	{ false, "dom0-cpus",
	  "Domain-0 uses the CPUs that it was booted with; xm vcpu-set changes that" },
	{ false, "device-create-timeout device-destroy-timeout",
	  "how long a device may take is fixed" },
	{ false, "vnc-tls vnc-x509-cert-dir vnc-x509-verify",
	  "a screen has no TLS; reach it through a tunnel of ssh or stunnel" },
	{ false, "xend-relocation-udev-server external-migration-tool",
	  "domains are moved by xend itself" },
	{ false,
	  "vif-antispoof total_available_memory pci-passthrough-strict-check "
	  "pci-dev-assign-strict-check "
	  "resource-label-change-script xend-domains-path xend-domains-lock-path "
	  "domain-shutdown-timeout "
	  "xend-vifname tpm enable-dom0-balloon",
	  "it has no equivalent here" },
	{ false, NULL, NULL },
};

static const char *const no_aliases[][2] = { { NULL, NULL } };

const struct config_schema xend_config_schema = {
	.what = "",
	.size = sizeof(struct xend_config),
	.keys = keys,
	.nr = sizeof(keys) / sizeof(keys[0]),
	.foreign = foreign,
	.aliases = no_aliases,
};

static struct config_pos pos_of(const struct sexp *s)
{
	struct config_pos pos = { s->line, s->column };

	return pos;
}

/* Adds (KEY VALUE) to the object; (KEY) alone means no value. Reports anything else. */
static void read_item(const struct sexp *item, const char *name, struct value *object,
		      struct config_diags *diags)
{
	const char *key = sexp_head(item);
	const struct sexp *argument = item->nr > 1 ? item->items[1] : NULL;
	struct value *v;

	if (!key) {
		config_error(diags, name, pos_of(item), "expected (key value)");
		return;
	}
	if (item->nr > 2 || (argument && !argument->text)) {
		config_error(diags, name, pos_of(item),
			     "%s: expected one value: (%s VALUE); one with blanks needs quotes",
			     key, key);
		v = value_new(VALUE_BROKEN, name, pos_of(item));
	} else if (argument) {
		v = value_new_string(name, pos_of(argument), argument->text,
				     strlen(argument->text));
	} else {
		v = value_new(VALUE_NONE, name, pos_of(item));
	}
	if (value_find(object, key)) {
		config_warning(diags, name, pos_of(item), "%s is set again: this value counts",
			       key);
		value_free(value_take(object, key));
	}
	value_set(object, key, pos_of(item), v);
}

struct xend_config *xend_config_parse(const char *text, size_t len, const char *name,
				      struct config_diags *diags)
{
	static const struct config_pos nowhere = { 0, 0 };
	struct xend_config *c = xcalloc(1, sizeof(*c));
	struct value *object = value_new(VALUE_OBJECT, name, nowhere);
	struct config_pos where = nowhere;
	const char *why = "";
	struct sexp *all = sexp_parse(text, len, &where.line, &where.column, &why);

	for (size_t i = 0; all && i < all->nr; i++)
		read_item(all->items[i], name, object, diags);
	if (!all)
		config_error(diags, name, where, "%s", why);
	schema_fill(&xend_config_schema, c, object, diags);
	sexp_free(all);
	value_free(object);
	config_diags_sort(diags);
	if (!diags->nr_errors)
		return c;
	xend_config_free(c);
	return NULL;
}

struct xend_config *xend_config_load(const char *path, struct config_diags *diags, struct error **e)
{
	struct str text = STR_INIT;
	struct xend_config *c = NULL;
	int rc = file_read(path, CONFIG_MAX_TEXT, &text, e);

	if (rc == -ENOENT && e)
		error_free(e);
	if (rc == 0 || rc == -ENOENT) {
		c = xend_config_parse(str_text(&text), text.len, path, diags);
		config_diags_to_error(diags, e);
	}
	str_free(&text);
	return c;
}

bool xend_config_allows(const struct xend_config *c, const char *host)
{
	bool allowed = !c->nr_relocation_hosts_allow;

	for (size_t i = 0; i < c->nr_relocation_hosts_allow && !allowed; i++) {
		regex_t regex;

		if (compile_host(&regex, c->relocation_hosts_allow[i]))
			continue;
		allowed = regexec(&regex, host, 0, NULL, 0) == 0;
		regfree(&regex);
	}
	return allowed;
}

void xend_config_free(struct xend_config *c)
{
	if (!c)
		return;
	schema_clear(&xend_config_schema, c);
	free(c);
}
