/* SPDX-License-Identifier: MIT */
/* Forgiving access to answers: a wrong member counts as missing. */
#include "xm/client/answer.h"

#include "lib/json.h"

int64_t xm_int(struct json_object *object, const char *key, int64_t otherwise)
{
	struct json_object *value = json_find(object, key);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : otherwise;
}

const char *xm_string(struct json_object *object, const char *key, const char *otherwise)
{
	struct json_object *value = json_find(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) :
							      otherwise;
}

struct json_object *xm_array(struct json_object *object, const char *key, size_t *count)
{
	struct json_object *value = json_find(object, key);

	if (!json_object_is_type(value, json_type_array)) {
		*count = 0;
		return NULL;
	}
	*count = json_object_array_length(value);
	return value;
}
