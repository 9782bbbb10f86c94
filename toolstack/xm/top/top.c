/* SPDX-License-Identifier: MIT */
/* `xm top`: samples xend at an interval, and draws or prints a table after each sample. */
#include "xm/top/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/number.h"
#include "xm/top/top_model.h"
#include "xm/top/top_view.h"

enum {
	LINE_SIZE = 512,
	MS_PER_SECOND = 1000,
	NS_PER_MS = 1000000,
	DEFAULT_DELAY = 3,
	MAX_DELAY = 3600,
	UNLIMITED = -1
};

struct top {
	struct client *client;
	struct top_view view;
	struct top_sample before, now;
	struct top_table table;
	int64_t iterations; /* how many are left, or UNLIMITED */
};

/* Takes a new sample; the last one becomes `before`. */
static int look(struct top *top, struct error **e)
{
	struct json_object *answer;
	int rc = client_call(top->client, XEND_M_TOP_SAMPLE, NULL, NULL, NULL, &answer, e);

	if (rc)
		return rc;
	top_table_free(&top->table);
	top_sample_free(&top->before);
	top->before = top->now;
	top->now = (struct top_sample){ 0 };
	top_sample_read(&top->now, answer);
	json_object_put(answer);
	top_table_make(&top->table, &top->before, &top->now);
	top_table_sort(&top->table, top->view.sort, top->view.reverse);
	return 0;
}

/* Counts one table. False when there were enough. */
static bool once_more(struct top *top)
{
	if (top->iterations == UNLIMITED)
		return true;
	return top->iterations-- > 0;
}

static void print_table(const struct top *top)
{
	char text[LINE_SIZE];

	puts(top_line_titles(text, sizeof(text)));
	for (size_t i = 0; i < top->table.nr_rows; i++) {
		const struct top_row *row = &top->table.rows[i];

		puts(top_line_domain(row, &top->now, text, sizeof(text)));
		for (size_t v = 0; top->view.vcpus && v < row->domain->nr_vcpus; v++)
			puts(top_line_vcpu(row, v, text, sizeof(text)));
	}
}

static int run_batch(struct top *top, struct error **e)
{
	struct timespec delay = { top->view.delay_ms / MS_PER_SECOND,
				  (long)(top->view.delay_ms % MS_PER_SECOND) * NS_PER_MS };
	/* A rate needs two samples. */
	int rc = look(top, e);

	while (rc == 0 && once_more(top)) {
		nanosleep(&delay, NULL);
		rc = look(top, e);
		if (rc == 0)
			print_table(top);
		if (fflush(stdout))
			break;
	}
	return rc;
}

static int run_terminal(struct top *top, struct error **e)
{
	int rc = look(top, e);

	if (rc)
		return rc;
	if (!top_view_begin())
		return error_set(
			e, ENOTTY,
			"The terminal's kind (TERM=%s) is not known; `xm top --batch' needs none.",
			getenv("TERM") ? getenv("TERM") : "");
	while (rc == 0 && !top->view.ended && once_more(top)) {
		top_view_draw(&top->view, &top->table, &top->now);
		top_view_wait(&top->view, &top->table, &top->now);
		if (!top->view.ended)
			rc = look(top, e);
	}
	/* Restore the screen first: the caller prints the error. */
	top_view_end();
	return rc;
}

static int run(struct top *top, bool batch)
{
	struct error *error = NULL;
	int status = XM_OK, rc;

	top->client = xm_client();
	if (!top->client)
		return XM_FAILED;
	if (batch)
		rc = run_batch(top, &error);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		rc = run_terminal(top, &error);
	else
		rc = error_set(
			&error, ENOTTY,
			"`xm top' needs a terminal; `xm top --batch' prints to files and pipes.");
	if (rc)
		status = xm_fail("%s", error_text(error));
	error_free(&error);
	return status;
}

static int parse_sort(const char *name, enum top_sort *sort)
{
	for (int i = 0; i < TOP_SORTS; i++) {
		if (strcmp(name, top_sort_names[i]) == 0) {
			*sort = (enum top_sort)i;
			return XM_OK;
		}
	}
	return XM_USAGE;
}

/* Converts seconds, with or without a fraction, to milliseconds. */
static bool parse_delay(const char *text, int *ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.1 && seconds <= MAX_DELAY))
		return false;
	*ms = (int)(seconds * MS_PER_SECOND);
	return true;
}

static int parse(struct top *top, const struct xm_args *args)
{
	const char *delay = xm_args_value(args, 'd'), *sort = xm_args_value(args, 's'),
		   *count = xm_args_value(args, 'i');

	top->iterations = UNLIMITED;
	top->view.delay_ms = DEFAULT_DELAY * MS_PER_SECOND;
	top->view.vcpus = xm_args_has(args, 'v');
	if (delay && !parse_delay(delay, &top->view.delay_ms))
		return xm_usage_error(args->command, "'%s' is not a delay: 0.1 to %d seconds",
				      delay, MAX_DELAY);
	if (count && !number_parse(count, 1, INT32_MAX, &top->iterations))
		return xm_usage_error(args->command, "'%s' is not a number of tables", count);
	if (sort && parse_sort(sort, &top->view.sort) != XM_OK)
		return xm_usage_error(args->command,
				      "'%s' is not one of cpu, mem, net, disk, name, id", sort);
	return XM_OK;
}

static int print_json(void)
{
	struct json_object *answer = xm_call(XEND_M_TOP_SAMPLE, NULL, NULL);

	if (!answer)
		return XM_FAILED;
	xm_print_json(answer);
	json_object_put(answer);
	return XM_OK;
}

int top_run(const struct xm_args *args)
{
	struct top top = { 0 };
	int status = parse(&top, args);

	if (status != XM_OK)
		return status;
	if (xm_args_has(args, XM_OPTION_JSON))
		return print_json();
	status = run(&top, xm_args_has(args, 'b'));
	top_table_free(&top.table);
	top_sample_free(&top.before);
	top_sample_free(&top.now);
	return status;
}
