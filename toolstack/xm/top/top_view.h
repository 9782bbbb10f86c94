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
	size_t first; /* line of the table at the top */
	bool ended;   /* q was typed */
};

/* Take the terminal over; false if it is none that can be drawn on. */
bool top_view_begin(void);
void top_view_end(void);

/* Draw it. The table is sorted by this. */
void top_view_draw(struct top_view *view, struct top_table *table, const struct top_sample *sample);

/* What typing a key changes; true if it is drawn anew then. Separate from the terminal, for tests.
 */
bool top_view_key(struct top_view *view, int key);

/* Let keys act until the delay is over, drawing anew after each; or until q. */
void top_view_wait(struct top_view *view, struct top_table *table, const struct top_sample *sample);

#endif
