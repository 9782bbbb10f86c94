/* SPDX-License-Identifier: MIT */
/*
 * Macros for rows of a table of keys: they name the struct's field and the key's kind, and the
 * compiler checks the field's type.
 */
#ifndef CONFIG_KEY_FIELD_H
#define CONFIG_KEY_FIELD_H

#include <stddef.h>
#include <stdint.h>

#define KEY_OFFSET(of, field, ctype) \
	(offsetof(struct of, field) + 0 * sizeof(&((struct of *)0)->field == (ctype *)0))

#define KEY_FIELD_TEXT(of, field, kind_of_text) \
	.kind = KEY_TEXT, .offset = KEY_OFFSET(of, field, char *), .text = &(kind_of_text)
#define KEY_FIELD_UINT(of, field, least, most) \
	.kind = KEY_UINT, .offset = KEY_OFFSET(of, field, uint64_t), .min = (least), .max = (most)
#define KEY_FIELD_MIB(of, field, least, most)                                                      \
	.kind = KEY_MIB, .offset = KEY_OFFSET(of, field, uint64_t), .min = (least), .max = (most), \
	.unit = "MiB"
#define KEY_FIELD_BOOL(of, field) .kind = KEY_BOOL, .offset = KEY_OFFSET(of, field, bool)
#define KEY_FIELD_WORD(of, field, list) \
	.kind = KEY_WORD, .offset = KEY_OFFSET(of, field, unsigned int), .words = (list)
#define KEY_FIELD_TEXTS(of, field, kind_of_text)                     \
	.kind = KEY_TEXTS, .offset = KEY_OFFSET(of, field, char **), \
	.nr_offset = KEY_OFFSET(of, nr_##field, size_t), .text = &(kind_of_text)

#endif
