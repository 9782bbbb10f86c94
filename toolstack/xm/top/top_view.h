/* SPDX-License-Identifier: MIT */
/* `xm top` on a terminal. */
#ifndef XM_TOP_TOP_VIEW_H
#define XM_TOP_TOP_VIEW_H

#include "xm/top/top_model.h"

struct top_view {
	enum top_sort sort;
	bool reverse;
	bool vcpus;
	int delay_ms;
	size_t first; /* the first visible line of the table */
	bool ended;   /* q was typed */
};

/* Take over the terminal; false if ncurses cannot draw on it. */
bool top_view_begin(void);
void top_view_end(void);

/* Sort the table by the view's order, and draw it. */
void top_view_draw(struct top_view *view, struct top_table *table, const struct top_sample *sample);

/*
 * Apply a key to the view; true if it must be drawn again. Does not use the terminal, so that tests
 * can call it.
 */
bool top_view_key(struct top_view *view, int key);

/* Handle keys, drawing again after each, until the delay is over or q was typed. */
void top_view_wait(struct top_view *view, struct top_table *table, const struct top_sample *sample);

#endif
