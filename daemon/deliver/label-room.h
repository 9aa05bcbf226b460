/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Label room: where the name of a level may stand in a chart without lying over the curve.
 *
 * What is drawn is known column by column: the curve's highest and lowest point there, and where it
 * only passes through from one reading to the next. A name is tried above and below its line, from
 * the right to the left. Pure; in units of the drawing, y grows downwards.
 */
#include <stdbool.h>
#include <stddef.h>

enum { LABEL_COLUMNS = 720, LABELS_MOST = 4 };

struct label_box {
	double left, right, top, bottom;
};

struct label_room {
	double left;                                    /* x of the first column; one unit each */
	double top, bottom;                             /* of the plot: a name stays within */
	double high[LABEL_COLUMNS], low[LABEL_COLUMNS]; /* of the curve; high > low: nothing */
	struct label_box taken[LABELS_MOST];
	size_t n_taken;
	bool begun; /* of the curve's present line */
	size_t last;
	double last_y;
};

void label_room_begin(struct label_room *room, double left, double top, double bottom);
/** label_room_point() - the curve is at @y in a column, ascending; with @joined it came there in a
 * line from the point before */
void label_room_point(struct label_room *room, size_t column, double y, bool joined);

struct label_place {
	double x, y; /* of the text's end and baseline */
};
/**
 * label_room_find() - for a name of this width, of a line at @y
 * @below: it is tried below its line first
 * Return: a place that nothing crosses; where there is none, that at the right end
 */
struct label_place label_room_find(struct label_room *room, double width, double y, bool below);

/** label_width() - about how wide a text is at 11 units; wide characters are as wide as high */
double label_width(const char *utf8);
