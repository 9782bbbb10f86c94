/* SPDX-License-Identifier: MIT */
/* The files of the key, the certificate and the trusted hosts; who has asked. */
#include "xend/migrate/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/xend_config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/log.h"
#include "xend/migrate/tls.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"

#define FILE_MAX      65536
#define LIST_FILE_MAX (1 << 20)
/* Trusted hosts. */
#define HOSTS_MAX 4096
/* Of which it is kept that they have asked, and for how long their names are. */
#define ASKED_MAX 16
#define HOST_MAX  256
/* Milliseconds for the files of the host to be read or written. */
#define PATIENCE 30000

bool trust_is_fingerprint(const char *text)
{
	return strlen(text) == TRUST_FINGERPRINT - 1 &&
	       strspn(text, "0123456789abcdef") == TRUST_FINGERPRINT - 1;
}

/* --- files, in a thread --- */

struct job {
	int (*run)(struct job *job);
	char *path;
	size_t limit;
	mode_t mode;
	struct str text; /* what was read, or is to be written */
	struct error *e;
	int rc;
};

static int job_read(struct job *job)
{
	return file_read(job->path, job->limit, &job->text, &job->e);
}

static int job_write(struct job *job)
{
	return file_write_atomic(job->path, job->text.text, job->text.len, job->mode, &job->e);
}

static void run_job(void *arg)
{
	struct job *job = arg;

	job->rc = job->run(job);
}

static void job_free(void *arg)
{
	struct job *job = arg;

	str_free(&job->text);
	error_free(&job->e);
	free(job->path);
	free(job);
}

/* Does it, and frees the job; what was read goes to *text. */
static int do_job(struct job *job, struct str *text, struct error **e)
{
	int rc = offload(run_job, job_free, job, task_deadline(PATIENCE));

	if (rc)
		return error_set(e, rc, "The files of the certificates do not answer.");
	rc = job->rc;
	if (rc)
		error_move(e, &job->e);
	else if (text) {
		*text = job->text;
		job->text = (struct str)STR_INIT;
	}
	job_free(job);
	return rc;
}

static int read_file(const char *path, size_t limit, struct str *text, struct error **e)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->run = job_read;
	job->path = xstrdup(path);
	job->limit = limit;
	return do_job(job, text, e);
}

static int write_file(const char *path, const char *text, mode_t mode, struct error **e)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->run = job_write;
	job->path = xstrdup(path);
	job->mode = mode;
	str_add(&job->text, text);
	return do_job(job, NULL, e);
}

/* --- this host's own --- */

static int make_own(struct error **e)
{
	struct json_object *made = NULL;
	const char *key, *certificate;
	int rc = tls_tell("make", json_new_object(), &made, e);

	if (rc == 0)
		rc = json_get_string(made, "key", &key, e);
	if (rc == 0)
		rc = json_get_string(made, "certificate", &certificate, e);
	if (rc == 0)
		rc = write_file(settings->relocation_ssl_cert_file, certificate, 0644, e);
	if (rc == 0)
		rc = write_file(settings->relocation_ssl_key_file, key, 0600, e);
	if (rc == 0)
		log_info("This host has a key and a certificate for TLS now: %s, %s.",
			 settings->relocation_ssl_key_file, settings->relocation_ssl_cert_file);
	json_object_put(made);
	return rc;
}

static int put_file(struct json_object *order, const char *name, const char *path, struct error **e)
{
	struct str text = STR_INIT;
	int rc = read_file(path, FILE_MAX, &text, e);

	if (rc == 0)
		json_set_string(order, name, str_text(&text));
	str_free(&text);
	return rc;
}

static int put_own(struct json_object *order, struct error **e)
{
	struct error *why = NULL;
	int rc = put_file(order, "key", settings->relocation_ssl_key_file, &why);

	if (rc == -ENOENT) {
		error_free(&why);
		/* A certificate without its key is somebody's mistake: nothing is written over. */
		if (put_file(order, "certificate", settings->relocation_ssl_cert_file, &why) !=
		    -ENOENT) {
			error_free(&why);
			return error_set(e, ENOENT,
					 "There is a certificate for TLS, %s, without its key, %s. "
					 "Bring the key back, or remove the certificate: then xend "
					 "makes both anew.",
					 settings->relocation_ssl_cert_file,
					 settings->relocation_ssl_key_file);
		}
		error_free(&why);
		rc = make_own(&why);
		if (rc == 0)
			rc = put_file(order, "key", settings->relocation_ssl_key_file, &why);
	}
	if (rc == 0)
		rc = put_file(order, "certificate", settings->relocation_ssl_cert_file, &why);
	if (rc)
		error_move(e, &why);
	return rc;
}

/* Two connections at once make one key: the second one waits for the first. */
int trust_put_own(struct json_object *order, struct error **e)
{
	static struct cond through;
	static bool busy, ready;
	int rc = 0;

	if (!ready)
		cond_init(&through);
	ready = true;
	while (busy && rc == 0)
		rc = cond_wait(&through, task_deadline(PATIENCE));
	if (rc)
		return error_set(e, rc, "Waiting for the certificate was in vain.");
	busy = true;
	rc = put_own(order, e);
	busy = false;
	cond_wake(&through);
	return rc;
}

/* --- the trusted hosts --- */

static const char *path_of_list(void)
{
	const char *path = getenv(TRUST_PATH_ENV);

	return path ? path : TRUST_PATH;
}

static const char *text_of(struct json_object *o, const char *name)
{
	const char *text;

	return json_object_is_type(o, json_type_object) &&
			       json_get_string(o, name, &text, NULL) == 0 ?
		       text :
		       "";
}

int trust_load(struct json_object **list, struct error **e)
{
	struct str text = STR_INIT;
	struct error *why = NULL;
	int rc = read_file(path_of_list(), LIST_FILE_MAX, &text, &why);

	*list = NULL;
	if (rc == -ENOENT) {
		error_free(&why);
		*list = json_new_array();
		return 0;
	}
	if (rc == 0) {
		*list = json_parse(text.text, text.len, &why);
		if (*list && !json_object_is_type(*list, json_type_array)) {
			json_object_put(*list);
			*list = NULL;
		}
		if (!*list)
			rc = error_set(e, EBADMSG,
				       "%s is damaged, so no host is trusted. Remove it, and `xm "
				       "trust' the hosts again.",
				       path_of_list());
		error_free(&why);
	} else {
		error_move(e, &why);
	}
	str_free(&text);
	return rc;
}

/* A new list without that host. *found: whether it was there. */
static struct json_object *without(struct json_object *list, const char *host, bool *found)
{
	struct json_object *rest = json_new_array();

	*found = false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(text_of(o, "host"), host) == 0)
			*found = true;
		else
			json_append(rest, json_object_get(o));
	}
	return rest;
}

static int change(const char *host, const char *fingerprint, struct error **e)
{
	struct json_object *list, *rest, *o;
	struct str text = STR_INIT;
	static bool busy;
	bool found;
	int rc;

	if (busy)
		return error_set(e, EBUSY,
				 "The trusted hosts are being changed already; try again.");
	busy = true;
	rc = trust_load(&list, e);
	if (rc) {
		busy = false;
		return rc;
	}
	rest = without(list, host, &found);
	json_object_put(list);
	if (!fingerprint && !found)
		rc = error_set(e, ENOENT, "The host '%s' is not trusted anyway.", host);
	if (fingerprint && json_object_array_length(rest) >= HOSTS_MAX)
		rc = error_set(e, ENOSPC, "%d hosts are trusted, and no more can be.", HOSTS_MAX);
	if (fingerprint) {
		o = json_new_object();
		json_set_string(o, "host", host);
		json_set_string(o, "fingerprint", fingerprint);
		json_append(rest, o);
	}
	if (rc == 0) {
		json_print(rest, &text);
		str_add_char(&text, '\n');
		rc = write_file(path_of_list(), text.text, 0600, e);
	}
	str_free(&text);
	json_object_put(rest);
	busy = false;
	return rc;
}

int trust_add(const char *host, const char *fingerprint, struct error **e)
{
	int rc = change(host, fingerprint, e);

	if (rc == 0)
		log_info("The host %s is trusted: %s.", host, fingerprint);
	return rc;
}

int trust_remove(const char *host, struct error **e)
{
	int rc = change(host, NULL, e);

	if (rc == 0)
		log_info("The host %s is not trusted any more.", host);
	return rc;
}

/* --- who has asked --- */

static struct asked {
	char host[HOST_MAX], fingerprint[TRUST_FINGERPRINT];
} asked[ASKED_MAX];
static unsigned int next_asked;

void trust_note_asked(const char *host, const char *fingerprint)
{
	struct asked *to = NULL;

	if (!trust_is_fingerprint(fingerprint))
		return;
	for (size_t i = 0; i < ASKED_MAX && !to; i++)
		if (strcmp(asked[i].host, host) == 0)
			to = &asked[i];
	if (!to)
		to = &asked[next_asked++ % ASKED_MAX];
	snprintf(to->host, sizeof(to->host), "%s", host);
	memcpy(to->fingerprint, fingerprint, sizeof(to->fingerprint));
}

struct json_object *trust_asked(void)
{
	struct json_object *list = json_new_array(), *o;

	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (!*asked[i].host)
			continue;
		o = json_new_object();
		json_set_string(o, "host", asked[i].host);
		json_set_string(o, "fingerprint", asked[i].fingerprint);
		json_append(list, o);
	}
	return list;
}
