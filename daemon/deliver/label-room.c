/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/label-room.h"

#include <math.h>

#define FONT 11.0
#define GAP 3.0   /* between a name and its line */
#define STEP 24.0 /* from one try to the next */

void label_room_begin(struct label_room *room, double left, double top, double bottom)
{
	*room = (struct label_room){.left = left, .top = top, .bottom = bottom};
	for (size_t i = 0; i < LABEL_COLUMNS; i++) {
		room->high[i] = INFINITY;
		room->low[i] = -INFINITY;
	}
}

static void touch(struct label_room *room, size_t column, double y)
{
	if (column >= LABEL_COLUMNS)
		return;
	room->high[column] = fmin(room->high[column], y);
	room->low[column] = fmax(room->low[column], y);
}

void label_room_point(struct label_room *room, size_t column, double y, bool joined)
{
	if (room->begun && joined)
		for (size_t i = room->last; i <= column; i++) {
			double share = column == room->last ? 1
							    : (double)(i - room->last) /
								      (double)(column - room->last);
			touch(room, i, room->last_y + share * (y - room->last_y));
		}
	touch(room, column, y);
	room->begun = true;
	room->last = column;
	room->last_y = y;
}

static bool crossed(const struct label_room *room, const struct label_box *box)
{
	size_t from = box->left > room->left ? (size_t)(box->left - room->left) : 0;
	for (size_t i = from; i < LABEL_COLUMNS && room->left + (double)i <= box->right; i++)
		if (room->high[i] < box->bottom && room->low[i] > box->top)
			return true;
	for (size_t i = 0; i < room->n_taken; i++) {
		const struct label_box *t = &room->taken[i];
		if (t->left < box->right && t->right > box->left && t->top < box->bottom &&
		    t->bottom > box->top)
			return true;
	}
	return box->top < room->top || box->bottom > room->bottom;
}

static struct label_box box_at(double right, double width, double y, bool below)
{
	double top = below ? y + GAP : y - GAP - FONT;
	return (struct label_box){right - width, right, top, top + FONT};
}

struct label_place label_room_find(struct label_room *room, double width, double y, bool below)
{
	const double end = room->left + LABEL_COLUMNS - 4;
	struct label_box found = box_at(end, width, y, below);
	bool good = false;
	for (double right = end; !good && right - width > room->left; right -= STEP)
		for (int other = 0; !good && other < 2; other++) {
			struct label_box box = box_at(right, width, y, other == 0 ? below : !below);
			good = !crossed(room, &box);
			found = good ? box : found;
		}
	if (room->n_taken < LABELS_MOST)
		room->taken[room->n_taken++] = found;
	return (struct label_place){found.right, found.bottom - 1};
}

double label_width(const char *utf8)
{
	double width = 0;
	for (; *utf8 != '\0'; utf8++) {
		unsigned char c = (unsigned char)*utf8;
		if (c < 0x80)
			width += 0.58 * FONT;
		else if (c >= 0xe0)
			width += FONT;
		else if (c >= 0xc0)
			width += 0.65 * FONT;
	}
	return width;
}
