/* SPDX-License-Identifier: MIT */
/*
 * A daemon has no terminal: what the kernel, libc or libuv make of a fault in it (a bad address, an
 * assertion) nobody would see. So its last act is a line in its log.
 */
#ifndef XEND_RUNTIME_LAST_WORDS_H
#define XEND_RUNTIME_LAST_WORDS_H

/*
 * From now on, a signal that is a fault of this process adds a line to the file (its path is not
 * copied) before it has its usual effect. A sanitizer that has taken such a signal keeps it.
 */
void last_words_setup(const char *path);

#endif
