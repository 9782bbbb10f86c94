/* SPDX-License-Identifier: MIT */
/* Reading members of xend's answers. */
#ifndef XM_CLIENT_ANSWER_H
#define XM_CLIENT_ANSWER_H

#include <json.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A member of an answer; `otherwise` when it is missing or has another type. xm shows an answer as
 * far as it can.
 */
int64_t xm_int(struct json_object *object, const char *key, int64_t otherwise);
const char *xm_string(struct json_object *object, const char *key, const char *otherwise);

/* The array with that name, and its length; NULL and 0 when there is none. */
struct json_object *xm_array(struct json_object *object, const char *key, size_t *count);

#endif
