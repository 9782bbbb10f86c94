/* SPDX-License-Identifier: MIT */
/* The handshake, and what is held against the other end's certificate. */
#include "tls/session.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/str.h"

#define HANDSHAKE_MS 30000
/* Both ends are xends: none needs an older one. */
static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
			       "+AES-256-GCM:+CHACHA20-POLY1305";

static bool flag(struct json_object *order, const char *name)
{
	bool value = false;

	return json_opt_bool(order, name, false, &value, NULL) == 0 && value;
}

static const char *text_of(struct json_object *order, const char *name)
{
	const char *text;

	return json_get_string(order, name, &text, NULL) ? "" : text;
}

static int failed(const char *name, int code, struct error **e)
{
	if (code == GNUTLS_E_TIMEDOUT)
		return error_set(e, ETIMEDOUT, "%s does not answer over TLS.", name);
	return error_set(e, EPROTO, "There is no connection over TLS with %s: %s", name,
			 code == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
					 code == GNUTLS_E_UNEXPECTED_PACKET ?
				 "it does not speak TLS" :
			 code == GNUTLS_E_PREMATURE_TERMINATION || code == GNUTLS_E_PULL_ERROR ?
				 "it has hung up. Is this host on its list "
				 "xend-relocation-hosts-allow?" :
				 gnutls_strerror(code));
}

static int shake_hands(struct session *s, int fd, struct json_object *order, struct error **e)
{
	const char *key = text_of(order, "key"), *crt = text_of(order, "certificate");
	gnutls_datum_t key_pem = { (unsigned char *)key, (unsigned int)strlen(key) };
	gnutls_datum_t crt_pem = { (unsigned char *)crt, (unsigned int)strlen(crt) };
	bool server = flag(order, "server");
	int rc = gnutls_certificate_allocate_credentials(&s->credentials);

	if (rc >= 0) {
		rc = gnutls_certificate_set_x509_key_mem(s->credentials, &crt_pem, &key_pem,
							 GNUTLS_X509_FMT_PEM);
		if (rc < 0)
			return error_set(e, EINVAL,
					 "This host's own key and certificate for TLS cannot be "
					 "used: %s.",
					 gnutls_strerror(rc));
	}
	if (rc >= 0)
		rc = gnutls_init(&s->tls, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
						  GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);
	if (rc >= 0)
		rc = gnutls_priority_set_direct(s->tls, priority, NULL);
	if (rc >= 0)
		rc = gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, s->credentials);
	if (rc < 0)
		return failed(text_of(order, "name"), rc, e);
	if (server)
		gnutls_certificate_server_set_request(s->tls, GNUTLS_CERT_REQUEST);
	gnutls_transport_set_int(s->tls, fd);
	gnutls_handshake_set_timeout(s->tls, HANDSHAKE_MS);
	do
		rc = gnutls_handshake(s->tls);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	return rc < 0 ? failed(text_of(order, "name"), rc, e) : 0;
}

static bool is_trusted(struct json_object *order, const char *fingerprint)
{
	struct json_object *list;
	size_t nr;

	if (json_get_typed(order, "trusted", json_type_array, &list, NULL))
		return false;
	nr = json_object_array_length(list);
	for (size_t i = 0; i < nr; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (text && strcmp(text, fingerprint) == 0)
			return true;
	}
	return false;
}

static int judge(struct session *s, struct json_object *order, struct error **e)
{
	unsigned int count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->tls, &count);
	const char *name = text_of(order, "name"), *why;
	struct json_object *list;

	if (!chain || !count)
		return error_set(e, EACCES, "%s has shown no certificate.", name);
	fingerprint_of(&chain[0], s->fingerprint);
	if (flag(order, "look"))
		return 0;
	why = certificate_why_not(&chain[0]);
	if (why)
		return error_set(e, EACCES,
				 "The certificate of %s %s. Make a new one there: remove its key "
				 "and its certificate (xend-relocation-server-ssl-key-file, "
				 "-cert-file), restart its xend, and `xm trust' it anew.",
				 name, why);
	if (is_trusted(order, s->fingerprint))
		return 0;
	if (flag(order, "server"))
		return error_set(e, EACCES, "%s has a certificate that is not known here: %s.",
				 name, s->fingerprint);
	if (json_get_typed(order, "trusted", json_type_array, &list, NULL) == 0 &&
	    json_object_array_length(list))
		return error_set(e, EACCES,
				 "%s shows another certificate than the one that is trusted: %s. "
				 "If it was not made anew, somebody else answers in its place. If "
				 "it was: xm trust --remove %s, then xm trust %s.",
				 name, s->fingerprint, name, name);
	return error_set(e, EACCES,
			 "The certificate of %s is not known here: %s. `xm trust %s' shows it and "
			 "takes it.",
			 name, s->fingerprint, name);
}

/* In the words of the conversation between two xends, which the client's xend reads. */
static void tell_client(struct session *s, struct error *why)
{
	struct json_object *line = json_new_object();
	struct str text = STR_INIT;
	size_t done = 0;
	char rest[4096];
	ssize_t n;

	json_set_string(line, "say", "error");
	if (*s->fingerprint && !strstr(error_text(why), "not known here"))
		json_set_string(line, "message", error_text(why));
	else
		json_set_printf(line, "message",
				"It does not know your host's certificate (%s). On that host, `xm "
				"trust --list' shows who has asked; `xm trust YOUR-HOST' takes it.",
				*s->fingerprint ? s->fingerprint : "none was shown");
	json_print(line, &text);
	str_add_char(&text, '\n');
	json_object_put(line);
	while (done < text.len) {
		n = gnutls_record_send(s->tls, text.text + done, text.len - done);
		if (n < 0 && n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	gnutls_bye(s->tls, GNUTLS_SHUT_WR);
	/* What it had sent already: with that unread, the kernel would drop our line. */
	gnutls_record_set_timeout(s->tls, 2000);
	for (int i = 0; i < 1024; i++)
		if (gnutls_record_recv(s->tls, rest, sizeof(rest)) <= 0)
			break;
	str_free(&text);
}

int session_begin(struct session *s, int fd, struct json_object *order, struct error **e)
{
	int rc;

	memset(s, 0, sizeof(*s));
	rc = shake_hands(s, fd, order, e);
	if (rc)
		return rc;
	rc = judge(s, order, e);
	if (rc && flag(order, "server"))
		tell_client(s, *e);
	return rc;
}

void session_end(struct session *s)
{
	if (s->tls)
		gnutls_deinit(s->tls);
	if (s->credentials)
		gnutls_certificate_free_credentials(s->credentials);
	memset(s, 0, sizeof(*s));
}
