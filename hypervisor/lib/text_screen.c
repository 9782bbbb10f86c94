/* SPDX-License-Identifier: MIT */
#include "lib/text_screen.h"

#include "lib/string.h"

#define TAB 8

void text_screen_init(struct text_screen *s, unsigned int columns, unsigned int rows,
		      void (*draw)(unsigned int x, unsigned int y, char c))
{
	s->columns = min(columns, (unsigned int)SCREEN_COLUMNS_MAX);
	s->rows = min(rows, (unsigned int)SCREEN_ROWS_MAX);
	s->x = s->y = 0;
	s->draw = draw;
	memset(s->cells, ' ', sizeof(s->cells));
}

static void set_cell(struct text_screen *s, unsigned int x, unsigned int y, char c)
{
	if (s->cells[y][x] == c)
		return;
	s->cells[y][x] = c;
	s->draw(x, y, c);
}

static void move_up(struct text_screen *s)
{
	unsigned int by = (s->rows + 1) / 2;

	for (unsigned int y = 0; y < s->rows; y++) {
		for (unsigned int x = 0; x < s->columns; x++) {
			char c = ' ';

			if (y + by < s->rows)
				c = s->cells[y + by][x];
			set_cell(s, x, y, c);
		}
	}
	s->y -= by;
}

static void put_char(struct text_screen *s, char c)
{
	if (s->x == s->columns) {
		s->x = 0;
		s->y++;
	}
	if (s->y == s->rows)
		move_up(s);
	set_cell(s, s->x++, s->y, c);
}

void text_screen_put(struct text_screen *s, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\n') {
			if (s->y == s->rows)
				move_up(s);
			s->x = 0;
			s->y++;
		} else if (c == '\t') {
			do
				put_char(s, ' ');
			while (s->x % TAB && s->x < s->columns);
		} else if (c != '\r') {
			if (c < ' ' || c > '~')
				c = '?';
			put_char(s, c);
		}
	}
}

void text_screen_redraw(struct text_screen *s)
{
	for (unsigned int y = 0; y < s->rows; y++)
		for (unsigned int x = 0; x < s->columns; x++)
			s->draw(x, y, s->cells[y][x]);
}

void text_screen_clear(struct text_screen *s)
{
	memset(s->cells, ' ', sizeof(s->cells));
	s->x = s->y = 0;
	text_screen_redraw(s);
}
