/* SPDX-License-Identifier: MIT */
/* Makes certificates, and says of one what its fingerprint is and whether its time has passed. */
#include "tls/certificate.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

/* A clock of a host that boots is often some hours off. */
#define DAY   86400
#define YEARS (20 * 365)

static int failed(const char *what, int code, struct error **e)
{
	return error_set(e, EIO, "Cannot %s: %s.", what, gnutls_strerror(code));
}

static int fill_in(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	char host[256] = "xend";
	uint8_t serial[16];
	time_t now = time(NULL);
	int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	if (gethostname(host, sizeof(host) - 1) || !*host)
		snprintf(host, sizeof(host), "xend");
	host[64] = '\0'; /* the most that a common name holds */
	serial[0] &= 0x7f;
	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, host,
						   (unsigned int)strlen(host));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_activation_time(crt, now - DAY);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)YEARS * DAY);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(crt, key);
	if (rc >= 0)
		rc = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	return rc;
}

static void put_pem(struct json_object *o, const char *name, gnutls_datum_t *pem)
{
	json_set_printf(o, name, "%.*s", (int)pem->size, (const char *)pem->data);
	gnutls_memset(pem->data, 0, pem->size);
	gnutls_free(pem->data);
}

int certificate_make(struct json_object **out, struct error **e)
{
	gnutls_datum_t key_pem = { NULL, 0 }, crt_pem = { NULL, 0 };
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc >= 0)
		rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
						  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
						  0);
	if (rc >= 0)
		rc = gnutls_x509_crt_init(&crt);
	if (rc >= 0)
		rc = fill_in(crt, key);
	if (rc >= 0)
		rc = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem);
	if (rc >= 0)
		rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem);
	if (rc >= 0) {
		*out = json_new_object();
		put_pem(*out, "key", &key_pem);
		put_pem(*out, "certificate", &crt_pem);
	} else {
		gnutls_free(key_pem.data);
	}
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return rc < 0 ? failed("make a certificate", rc, e) : 0;
}

void fingerprint_of(const gnutls_datum_t *der, char text[FINGERPRINT])
{
	uint8_t digest[32] = { 0 };
	size_t size = sizeof(digest);

	/* It fails for want of memory alone; the fingerprint of nobody is all zeros. */
	if (gnutls_fingerprint(GNUTLS_DIG_SHA256, der, digest, &size) < 0)
		memset(digest, 0, sizeof(digest));
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

int certificate_fingerprint(const char *pem, char text[FINGERPRINT], struct error **e)
{
	const gnutls_datum_t data = { (unsigned char *)pem, (unsigned int)strlen(pem) };
	gnutls_datum_t der = { NULL, 0 };
	gnutls_x509_crt_t crt;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc < 0)
		return failed("read the certificate", rc, e);
	rc = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	if (rc >= 0)
		fingerprint_of(&der, text);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
	return rc < 0 ? failed("read the certificate", rc, e) : 0;
}

const char *certificate_why_not(const gnutls_datum_t *der)
{
	gnutls_x509_crt_t crt;
	const char *why = NULL;
	time_t now = time(NULL);

	if (gnutls_x509_crt_init(&crt) < 0)
		return "cannot be read";
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0)
		why = "cannot be read";
	else if (gnutls_x509_crt_get_expiration_time(crt) < now)
		why = "has expired";
	else if (gnutls_x509_crt_get_activation_time(crt) > now)
		why = "is not valid yet; is the clock of one host wrong?";
	gnutls_x509_crt_deinit(crt);
	return why;
}
