/* SPDX-License-Identifier: MIT */
/* What stands in xend's answers. */
#ifndef XM_CLIENT_ANSWER_H
#define XM_CLIENT_ANSWER_H

#include <json.h>
#include <stddef.h>
#include <stdint.h>

/* Members of answers; a member of another type, or none, is what `otherwise` says: an answer is
 * shown as far as it goes. */
int64_t xm_int(struct json_object *object, const char *key, int64_t otherwise);
const char *xm_string(struct json_object *object, const char *key, const char *otherwise);

/* The array of that name and its length; NULL and 0 when there is none. */
struct json_object *xm_array(struct json_object *object, const char *key, size_t *count);

#endif
