/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/server/method_list.c toolstack/xend/domain/describe.c toolstack/xend/domain/state_letters.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* The methods that list domains: the same domains as objects, as lists and as strings. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <string.h>

#include "protocol.h"
#include "xend/domain/domain.h"
#include "xend/domain/screen.h"
#include "xend/xend.h"
#include "unit.h"

struct hv *domain_hv;
struct domain_list domains = TAILQ_HEAD_INITIALIZER(domains);
static struct json_object *params;
static struct hv_domain_info running = {
	.domid = 3, .pages = 1024, .online_vcpus = 2, .blocked = true, .cpu_time_ns = 7
};

struct json_object *request_value(struct request *request, const char *name)
{
	return json_find(params, name);
}

bool request_bool(struct request *request, const char *name)
{
	return json_object_get_boolean(request_value(request, name));
}

int request_domain(struct request *request, struct domain **domain, struct error **e)
{
	*domain = TAILQ_FIRST(&domains);
	return 0;
}

int domain_number(const struct domain *domain, enum domain_number *whose,
		  struct hv_domain_info *info, struct error **e)
{
	*whose = domain->domid < 0 ? NUMBER_FREE : NUMBER_OWN;
	*info = running;
	return 0;
}

const struct hv_domain_info *domain_find_info(const struct domain *domain,
					      const struct hv_domain_info *list, size_t count)
{
	return domain->domid == (int)list->domid ? list : NULL;
}

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	*list = calloc(1, sizeof(**list));
	**list = running;
	*count = 1;
	return 0;
}

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	strcpy(text, "");
}

void domain_unref(struct domain *domain)
{
}

void domains_refresh(void)
{
}

struct json_object *screen_describe(const struct domain *domain)
{
	return NULL;
}

/* What a method of that name answers, as text; to be freed. */
static char *ask(const char *method, const char *words)
{
	struct json_object *result = json_new_object();
	struct error *e = NULL;
	const struct method *m = methods_list;
	char *text;
	int rc;

	while (strcmp(m->name, method) != 0)
		m++;
	params = json_parse_object(words, strlen(words), NULL);
	rc = m->run(NULL, result, &e);
	text = strdup(rc ? error_text(e) : json_object_to_json_string_ext(result, 0));
	error_free(&e);
	json_object_put(params);
	json_object_put(result);
	return text;
}

static void expect(const char *method, const char *words, const char *answer)
{
	char *text = ask(method, words);

	assert_string_equal(text, answer);
	free(text);
}

static struct domain halted = { .domid = -1, .name = "b  c\"\xff" },
		     runs = { .domid = 3, .name = "a" };

static int set_up(void **state)
{
	TAILQ_INIT(&domains);
	TAILQ_INSERT_TAIL(&domains, &halted, link);
	TAILQ_INSERT_TAIL(&domains, &runs, link);
	return 0;
}

/* A name may have blanks and bytes that JSON may not; what a domain has not is a dash. */
static void test_a_table_says_what_the_list_says(void **state)
{
#define COLUMNS                                                                                    \
	"\"columns\":[\"id\",\"memory_kb\",\"vcpus\",\"state\",\"cpu_ns\",\"reason\",\"managed\"," \
	"\"name\"]"
	expect("domain.list", "{" COLUMNS "}",
	       "{\"domains\":[[3,4096,2,\"-b----\",7,null,false,\"a\"],"
	       "[-1,0,0,\"------\",0,null,false,\"b  c\\\"?\"]]}");
	expect("domain.table", "{" COLUMNS "}",
	       "{\"rows\":[\"3 4096 2 -b---- 7 - false a\",\"-1 0 0 ------ 0 - false b  "
	       "c\\\"?\"]}");
	expect("domain.table", "{\"domain\":\"b\"," COLUMNS "}",
	       "{\"rows\":[\"-1 0 0 ------ 0 - false b  c\\\"?\"]}");
}

static void test_a_column_that_there_is_not(void **state)
{
	expect("domain.table", "{\"columns\":[\"id\",\"nothing\"]}",
	       "A domain has no field \"nothing\".");
	expect("domain.table", "{\"columns\":[null]}", "A domain has no field \"null\".");
	expect("domain.table", "{\"columns\":[]}", "{\"rows\":[\"\",\"\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_table_says_what_the_list_says, set_up),
		cmocka_unit_test_setup(test_a_column_that_there_is_not, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
