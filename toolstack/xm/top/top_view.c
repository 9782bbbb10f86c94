/* SPDX-License-Identifier: MIT */
/* `xm top` on a terminal, by ncurses: draws, and understands the keys. */
#include "xm/top/top_view.h"

#include <ncurses.h>
#include <time.h>

enum {
	HEADER_LINES = 4,
	LINE_SIZE = 512,
	DELAY_STEP_MS = 500,
	DELAY_MAX_MS = 3600 * 1000, /* as option -d allows */
	MS_PER_SECOND = 1000
};

bool top_view_begin(void)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (!screen)
		return false;
	set_term(screen);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	return true;
}

void top_view_end(void)
{
	endwin();
}

/* Draw a line of the table if it is in the visible part. */
static void put_line(const struct top_view *view, size_t line, const char *text)
{
	int y = HEADER_LINES + (int)(line - view->first);

	if (line >= view->first && y < LINES)
		mvaddnstr(y, 0, text, COLS);
}

static void draw_table(const struct top_view *view, const struct top_table *table,
		       const struct top_sample *sample)
{
	char text[LINE_SIZE];
	size_t line = 0;

	for (size_t i = 0; i < table->nr_rows; i++) {
		const struct top_row *row = &table->rows[i];

		put_line(view, line++, top_line_domain(row, sample, text, sizeof(text)));
		for (size_t v = 0; view->vcpus && v < row->domain->nr_vcpus; v++)
			put_line(view, line++, top_line_vcpu(row, v, text, sizeof(text)));
	}
}

static size_t count_lines(const struct top_view *view, const struct top_table *table)
{
	size_t lines = table->nr_rows;

	for (size_t i = 0; view->vcpus && i < table->nr_rows; i++)
		lines += table->rows[i].domain->nr_vcpus;
	return lines;
}

void top_view_draw(struct top_view *view, struct top_table *table, const struct top_sample *sample)
{
	char text[LINE_SIZE], clock[16];
	time_t now = time(NULL);
	struct tm local;
	size_t lines = count_lines(view, table);

	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	if (view->first >= lines)
		view->first = lines ? lines - 1 : 0;
	top_table_sort(table, view->sort, view->reverse);
	erase();
	mvprintw(0, 0, "xm top  %s  %s", clock, top_line_counts(sample, text, sizeof(text)));
	mvaddnstr(1, 0, top_line_host(sample, text, sizeof(text)), COLS);
	mvprintw(2, 0,
		 "Sorted by %s%s, every %.1f s. c m n d a i: sort  r: reverse  v: vCPUs  + -: "
		 "delay  q: end",
		 top_sort_names[view->sort], view->reverse ? " (reversed)" : "",
		 view->delay_ms / (double)MS_PER_SECOND);
	attron(A_REVERSE);
	mvaddnstr(3, 0, top_line_titles(text, sizeof(text)), COLS);
	attroff(A_REVERSE);
	draw_table(view, table, sample);
	refresh();
}

static bool sort_by(struct top_view *view, enum top_sort sort)
{
	view->sort = sort;
	return true;
}

static bool change_delay(struct top_view *view, int ms)
{
	int delay = view->delay_ms + ms;

	if (delay < DELAY_STEP_MS)
		delay = DELAY_STEP_MS;
	if (delay > DELAY_MAX_MS)
		delay = DELAY_MAX_MS;
	/* From a delay below the least that keys set, only up. */
	if (ms < 0 && delay >= view->delay_ms)
		return false;
	view->delay_ms = delay;
	return true;
}

bool top_view_key(struct top_view *view, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		view->ended = true;
		return false;
	case 'c':
		return sort_by(view, TOP_SORT_CPU);
	case 'm':
		return sort_by(view, TOP_SORT_MEMORY);
	case 'n':
		return sort_by(view, TOP_SORT_NET);
	case 'd':
		return sort_by(view, TOP_SORT_DISK);
	case 'a':
		return sort_by(view, TOP_SORT_NAME);
	case 'i':
		return sort_by(view, TOP_SORT_ID);
	case 'r':
		view->reverse = !view->reverse;
		return true;
	case 'v':
		view->vcpus = !view->vcpus;
		return true;
	case '+':
		return change_delay(view, DELAY_STEP_MS);
	case '-':
		return change_delay(view, -DELAY_STEP_MS);
	case KEY_DOWN:
		view->first++;
		return true;
	case KEY_UP:
		view->first -= view->first > 0;
		return true;
	case KEY_HOME:
		view->first = 0;
		return true;
	case KEY_RESIZE:
		return true;
	default:
		return false;
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

void top_view_wait(struct top_view *view, struct top_table *table, const struct top_sample *sample)
{
	int64_t begin = now_ms();

	while (!view->ended) {
		int64_t left = begin + view->delay_ms - now_ms();

		if (left <= 0)
			break;
		timeout((int)left);
		if (top_view_key(view, getch()))
			top_view_draw(view, table, sample);
	}
}
