/* SPDX-License-Identifier: Apache-2.0 */
#include "core/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The spans of one monitor while its marks are laid on. */
struct layer {
	struct mark_span *at;
	size_t n;
};

static void layer_insert(struct layer *layer, size_t place, struct mark_span span)
{
	memmove(&layer->at[place + 1], &layer->at[place], (layer->n - place) * sizeof span);
	layer->at[place] = span;
	layer->n++;
}

static void layer_remove(struct layer *layer, size_t place)
{
	layer->n--;
	memmove(&layer->at[place], &layer->at[place + 1], (layer->n - place) * sizeof layer->at[0]);
}

/* Takes [from, to) out of what lies there. Return: the place of what begins behind it. */
static size_t layer_cut(struct layer *layer, int64_t from_ms, int64_t to_ms)
{
	size_t i = 0;
	while (i < layer->n && layer->at[i].to_ms <= from_ms)
		i++;
	if (i < layer->n && layer->at[i].from_ms < from_ms) {
		struct mark_span right = layer->at[i];
		layer->at[i++].to_ms = from_ms;
		right.from_ms = from_ms;
		layer_insert(layer, i, right);
	}
	while (i < layer->n && layer->at[i].to_ms <= to_ms)
		layer_remove(layer, i);
	if (i < layer->n && layer->at[i].from_ms < to_ms)
		layer->at[i].from_ms = to_ms;
	return i;
}

static void layer_add(struct layer *layer, const struct mark *m)
{
	if (m->from_ms >= m->to_ms)
		return;
	size_t place = layer_cut(layer, m->from_ms, m->to_ms);
	if (m->flag != FLAG_NORMAL)
		layer_insert(layer, place, (struct mark_span){m->from_ms, m->to_ms, m->flag});
}

int marks_build(struct marks *out, size_t n_monitors, const struct mark *given, size_t n)
{
	struct layer layer = {0};
	size_t total = 0;
	/* each mark adds itself, and at most one more where it lies within another */
	*out = (struct marks){.spans = calloc(2 * n + 1, sizeof *out->spans),
			      .first = calloc(n_monitors + 1, sizeof *out->first),
			      .n_monitors = n_monitors};
	if (out->spans == NULL || out->first == NULL) {
		marks_deinit(out);
		return -ENOMEM;
	}
	for (uint32_t monitor = 0; monitor < n_monitors; monitor++) {
		out->first[monitor] = (uint32_t)total;
		layer = (struct layer){.at = &out->spans[total]};
		for (size_t i = 0; i < n; i++)
			if (given[i].monitor == monitor)
				layer_add(&layer, &given[i]);
		total += layer.n;
	}
	out->first[n_monitors] = (uint32_t)total;
	return 0;
}

void marks_deinit(struct marks *marks)
{
	free(marks->spans);
	free(marks->first);
	*marks = (struct marks){0};
}

int marks_pick(struct marks *out, const struct marks *marks, const uint32_t *monitors, size_t n)
{
	size_t total = 0, spans = 0;
	for (size_t i = 0; i < n; i++)
		total += marks->first[monitors[i] + 1] - marks->first[monitors[i]];
	*out = (struct marks){.spans = calloc(total + 1, sizeof *out->spans),
			      .first = calloc(n + 1, sizeof *out->first),
			      .n_monitors = n};
	if (out->spans == NULL || out->first == NULL) {
		marks_deinit(out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		out->first[i] = (uint32_t)spans;
		for (size_t j = marks->first[monitors[i]]; j < marks->first[monitors[i] + 1]; j++)
			out->spans[spans++] = marks->spans[j];
	}
	out->first[n] = (uint32_t)spans;
	return 0;
}

bool marks_flag(const struct marks *marks, uint32_t monitor, int64_t time_ms, enum flag *flag)
{
	size_t low = marks->first[monitor], end = marks->first[monitor + 1], high = end;
	while (low < high) { /* spans before low end at or before the moment */
		size_t middle = low + (high - low) / 2;
		if (marks->spans[middle].to_ms <= time_ms)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == end || marks->spans[low].from_ms > time_ms)
		return false;
	*flag = marks->spans[low].flag;
	return true;
}

const struct reading *marks_reading(const struct marks *marks, const struct reading *r,
				    struct reading *room)
{
	enum flag flag;
	if (!marks_flag(marks, r->monitor, r->measured_ms, &flag))
		return r;
	*room = *r;
	room->flag = (uint8_t)flag;
	return room;
}
