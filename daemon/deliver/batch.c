/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/batch.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void batch_clear(struct batch *batch)
{
	text_clear(&batch->text);
	batch->n = 0;
	batch->first = batch->last = batch->skipped = batch->events = 0;
	batch->failed = false;
}

void batch_deinit(struct batch *batch)
{
	for (size_t i = 0; i < batch->n_series; i++)
		text_deinit(&batch->series[i]);
	free(batch->series);
	text_deinit(&batch->text);
	free(batch->starts);
	*batch = (struct batch){0};
}

static void look_at(struct batch *batch, int64_t position)
{
	if (batch->first == 0)
		batch->first = position;
	batch->last = position;
}

static bool begin_line(struct batch *batch)
{
	if (batch->n == batch->capacity) {
		size_t capacity = batch->capacity == 0 ? 1024 : batch->capacity * 2;
		size_t *starts = realloc(batch->starts, capacity * sizeof *starts);
		if (starts == NULL) {
			batch->failed = true;
			return false;
		}
		batch->starts = starts;
		batch->capacity = capacity;
	}
	batch->starts[batch->n++] = batch->text.length;
	return true;
}

static void end_line(struct batch *batch)
{
	batch->failed |= batch->text.failed;
	if (batch->starts[batch->n - 1] == batch->text.length)
		batch->n--; /* no line came of it */
}

/* Of a site that has left the plan nobody knows any more of what kind it was: NULL. */
static const char *kind_of(const struct plan *plan, const char *site)
{
	uint32_t index = plan_site(plan, site);
	return index == NO_INDEX ? NULL : site_kind_name(plan->sites[index].kind);
}

/* A monitor that has left the plan keeps its names in the daybook. */
static void add_old_row(struct batch *batch, const struct plan *plan, const struct daybook_row *row)
{
	if (!begin_line(batch))
		return;
	line_series_of(&batch->text, &(struct line_names){.factor = row->factor,
							  .kind = kind_of(plan, row->site),
							  .node = plan->node,
							  .site = row->site});
	line_point(&batch->text, &row->reading);
	end_line(batch);
}

/* How the lines of a monitor begin; written once. Return: NULL when memory is out. */
static const struct text *series_of(struct batch *batch, const struct plan *plan, uint32_t monitor)
{
	if (batch->series == NULL) {
		batch->series = calloc(plan->n_monitors, sizeof *batch->series);
		batch->n_series = batch->series == NULL ? 0 : plan->n_monitors;
	}
	struct text *series = batch->series == NULL ? NULL : &batch->series[monitor];
	if (series != NULL && series->length == 0) {
		text_clear(series);
		line_series(series, plan, monitor);
	}
	if (series == NULL || series->failed) {
		batch->failed = true;
		return NULL;
	}
	return series;
}

void batch_add_row(struct batch *batch, const struct plan *plan, const struct daybook_row *row)
{
	look_at(batch, row->sequence);
	if (row->monitor == NO_INDEX) {
		add_old_row(batch, plan, row);
		return;
	}
	const struct text *series = series_of(batch, plan, row->monitor);
	if (series == NULL || !begin_line(batch))
		return;
	text_add_n(&batch->text, series->at, series->length);
	line_point(&batch->text, &row->reading);
	end_line(batch);
}

static bool get_number(const json_t *data, const char *key, double *out)
{
	const json_t *value = json_object_get(data, key);
	*out = json_number_value(value);
	return json_is_number(value);
}

/* Two events of one case in one millisecond would be one point, and the later would hide the
 * earlier. The event's id in the digits below the millisecond keeps them apart and is the same in
 * every resend. */
static void set_apart(struct text *text, int64_t id)
{
	char digits[8];
	int n = snprintf(digits, sizeof digits, "%06d\n", (int)(id % 1000000));
	if (!text->failed && text->length > (size_t)n)
		memcpy(text->at + text->length - n, digits, (size_t)n);
}

static void add_case(struct batch *batch, const struct plan *plan, const struct outbox_event *event,
		     const json_t *root)
{
	const json_t *data = json_object_get(root, "data");
	struct line_case line = {
		.node = plan->node,
		.site = json_string_value(json_object_get(data, "site")),
		.factor = json_string_value(json_object_get(data, "factor")),
		.kind = json_string_value(json_object_get(data, "kind")),
		.id = json_integer_value(json_object_get(data, "id")),
		.event = event->type + strlen("case."),
		.head = json_string_value(json_object_get(root, "chainhead")),
		.time_ms = event->at_ms,
	};
	bool opened = strcmp(line.event, "opened") == 0;
	line.has_value = get_number(data, opened ? "first_value" : "last_value", &line.value);
	line.has_limit = get_number(data, "limit", &line.limit);
	if (line.site == NULL || line.kind == NULL || !begin_line(batch)) {
		batch->skipped++;
		return;
	}
	line_case(&batch->text, &line);
	set_apart(&batch->text, event->id);
	end_line(batch);
}

static void add_anchor(struct batch *batch, const struct plan *plan,
		       const struct outbox_event *event, const json_t *data)
{
	const char *head = json_string_value(json_object_get(data, "head"));
	if (head == NULL || !begin_line(batch)) {
		batch->skipped++;
		return;
	}
	line_anchor(&batch->text, plan->node, json_integer_value(json_object_get(data, "seal")),
		    head, event->at_ms);
	end_line(batch);
}

void batch_add_event(struct batch *batch, const struct plan *plan, const struct outbox_event *event)
{
	bool anchor = strcmp(event->type, "seal.anchored") == 0;
	look_at(batch, event->id);
	if (strncmp(event->type, "case.", 5) != 0 && !anchor)
		return;
	batch->events++;
	json_t *root = json_loads(event->json, JSON_REJECT_DUPLICATES, NULL);
	const json_t *data = json_object_get(root, "data");
	if (json_is_object(data) && anchor)
		add_anchor(batch, plan, event, data);
	else if (json_is_object(data))
		add_case(batch, plan, event, root);
	else
		batch->skipped++;
	json_decref(root);
}

void batch_add_section(struct batch *batch, const struct plan *plan,
		       const struct section_row *section)
{
	look_at(batch, section->id);
	if (!begin_line(batch))
		return;
	line_section(&batch->text, &(struct line_section){
					   .node = plan->node,
					   .site = section->site,
					   .kind = kind_of(plan, section->site),
					   .class = section->class,
					   .worst = section->worst,
					   .time_ms = section->at_ms,
				   });
	end_line(batch);
}

const char *batch_part(const struct batch *batch, size_t from, size_t n, size_t *length)
{
	size_t end = from + n < batch->n ? batch->starts[from + n] : batch->text.length;
	*length = end - batch->starts[from];
	return batch->text.at + batch->starts[from];
}
