/* SPDX-License-Identifier: MIT */
/*
 * The methods domain.list, objects with all fields or lists of those that the client needs, and
 * domain.table, which has each domain in one string.
 */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/domain/describe.h"
#include "xend/domain/domain.h"
#include "protocol.h"

struct facts {
	struct hv_domain_info *list;
	size_t count;
	struct domain **domains;
};

/* Running domains by id, then the others by name. */
static int compare(const void *a, const void *b)
{
	const struct domain *x = *(struct domain *const *)a, *y = *(struct domain *const *)b;

	if ((x->domid < 0) != (y->domid < 0))
		return x->domid < 0 ? 1 : -1;
	if (x->domid >= 0)
		return x->domid < y->domid ? -1 : 1;
	return strcmp(x->name, y->name);
}

enum { MAX_COLUMNS = 32 };

/*
 * What the answer says of each domain: an object; or, with columns, an array of their values; or
 * one string.
 */
struct form {
	bool with_config, is_text;
	const struct domain_field *columns[MAX_COLUMNS];
	size_t nr_columns;
};

static void add_value(struct str *line, struct json_object *value)
{
	if (!value)
		str_add_char(line, '-');
	else if (json_object_is_type(value, json_type_int))
		str_printf(line, "%lld", (long long)json_object_get_int64(value));
	else
		str_add(line, json_object_get_string(value));
}

/* With a thousand domains, most of the work is json-c's for each value, here and in the client. */
static struct json_object *describe_as_text(const struct domain *domain,
					    const struct hv_domain_info *info,
					    const struct form *form)
{
	struct str line = STR_INIT;
	struct json_object *row;

	for (size_t i = 0; i < form->nr_columns; i++) {
		struct json_object *value = form->columns[i]->value(domain, info);

		if (i)
			str_add_char(&line, ' ');
		add_value(&line, value);
		json_object_put(value);
	}
	row = json_new_string(str_text(&line));
	str_free(&line);
	return row;
}

static struct json_object *describe(const struct domain *domain, const struct hv_domain_info *info,
				    const struct form *form)
{
	struct json_object *row;

	if (form->is_text)
		return describe_as_text(domain, info, form);
	if (!form->nr_columns)
		return domain_describe(domain, info, form->with_config);
	row = json_new_array();
	for (size_t i = 0; i < form->nr_columns; i++)
		json_append(row, form->columns[i]->value(domain, info));
	return row;
}

static int read_form(struct request *request, struct form *form, struct error **e)
{
	struct json_object *columns = request_value(request, XEND_P_COLUMNS);
	size_t count = columns ? json_object_array_length(columns) : 0;

	form->with_config = request_bool(request, XEND_P_CONFIG);
	if (count > MAX_COLUMNS)
		return error_set(e, EINVAL, "\"%s\" has more than %d names.", XEND_P_COLUMNS,
				 MAX_COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(columns, i));

		form->columns[i] = domain_field_find(name ? name : "");
		if (!form->columns[i])
			return error_set(e, EINVAL, "A domain has no field \"%.40s\".",
					 name ? name : "null");
	}
	form->nr_columns = count;
	return 0;
}

static int list_all(struct json_object *array, const struct form *form, struct error **e)
{
	struct facts facts;
	struct domain *domain, **sorted;
	size_t count = 0;
	int rc = hv_domain_list(domain_hv, &facts.list, &facts.count, e);

	if (rc)
		return rc;
	TAILQ_FOREACH(domain, &domains, link)
		count++;
	sorted = xcalloc(count + 1, sizeof(struct domain *));
	count = 0;
	TAILQ_FOREACH(domain, &domains, link)
		sorted[count++] = domain;
	qsort(sorted, count, sizeof(struct domain *), compare);
	for (size_t i = 0; i < count; i++)
		json_append(array,
			    describe(sorted[i],
				     domain_find_info(sorted[i], facts.list, facts.count), form));
	free(sorted);
	free(facts.list);
	return 0;
}

static int list_one(struct request *request, struct json_object *array, const struct form *form,
		    struct error **e)
{
	struct hv_domain_info info;
	enum domain_number whose;
	struct domain *domain;
	int rc = request_domain(request, &domain, e);

	if (rc)
		return rc;
	rc = domain_number(domain, &whose, &info, e);
	if (rc == 0)
		json_append(array, describe(domain, whose == NUMBER_OWN ? &info : NULL, form));
	domain_unref(domain);
	return rc;
}

static int list(struct request *request, const char *key, bool is_text, struct json_object *result,
		struct error **e)
{
	struct json_object *array = json_new_array();
	struct form form = { .is_text = is_text, .nr_columns = 0 };
	int rc = read_form(request, &form, e);

	json_set(result, key, array);
	if (rc)
		return rc;
	if (request_value(request, XEND_P_DOMAIN))
		return list_one(request, array, &form, e);
	domains_refresh();
	return list_all(array, &form, e);
}

static int domain_list(struct request *request, struct json_object *result, struct error **e)
{
	return list(request, "domains", false, result, e);
}

/* Rows have no room for the few that wait between two hosts, nor for what to do about it. */
static void add_between(struct json_object *result)
{
	struct json_object *array = json_new_array();
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link) {
		struct json_object *o;

		if (!domain->move || domain->state == DOMAIN_RUNNING || !domain->reason)
			continue;
		o = json_new_object();
		json_set_string(o, XEND_D_NAME, domain->name);
		json_set_string(o, XEND_D_REASON, domain->reason);
		json_append(array, o);
	}
	if (json_object_array_length(array))
		json_set(result, XEND_D_BETWEEN, array);
	else
		json_object_put(array);
}

static int domain_table(struct request *request, struct json_object *result, struct error **e)
{
	int rc = list(request, "rows", true, result, e);

	if (rc == 0)
		add_between(result);
	return rc;
}

const struct method methods_list[] = {
	{ XEND_M_DOMAIN_LIST,
	  domain_list,
	  { { XEND_P_DOMAIN, PARAM_DOMAIN, false },
	    { XEND_P_CONFIG, PARAM_BOOL, false },
	    { XEND_P_COLUMNS, PARAM_LIST, false } } },
	{ XEND_M_DOMAIN_TABLE,
	  domain_table,
	  { { XEND_P_DOMAIN, PARAM_DOMAIN, false }, { XEND_P_COLUMNS, PARAM_LIST, true } } },
	{ NULL, NULL, { { NULL, PARAM_STRING, false } } },
};
