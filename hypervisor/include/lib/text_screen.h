/* SPDX-License-Identifier: MIT */
/*
 * Text on a screen of fixed-width characters: lines, wrapping, scrolling. Pure; draw() shows a
 * character. What is shown is kept here, because reading a screen's memory is slow. For the same
 * reason a full screen moves up by half: most lines then draw nothing but themselves.
 */
#ifndef LIB_TEXT_SCREEN_H
#define LIB_TEXT_SCREEN_H

#include "lib/types.h"

/* A larger screen is used up to here. */
#define SCREEN_COLUMNS_MAX 240
#define SCREEN_ROWS_MAX	   68

struct text_screen {
	unsigned int columns, rows;
	unsigned int x, y; /* where the next character goes; y == rows: move up first */
	void (*draw)(unsigned int x, unsigned int y, char c);
	char cells[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
};

/* An empty screen. columns, rows: at least 1; more than the maximum is cut. Draws nothing. */
void text_screen_init(struct text_screen *s, unsigned int columns, unsigned int rows,
		      void (*draw)(unsigned int x, unsigned int y, char c));
void text_screen_put(struct text_screen *s, const char *text, size_t len);
/* Draws every character, whatever the screen shows now. */
void text_screen_redraw(struct text_screen *s);
/* Empties the screen, and draws it. */
void text_screen_clear(struct text_screen *s);

#endif
