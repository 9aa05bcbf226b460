/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule or a sender did to the readings of a case since its digest: some came later, which
 * are listed apart, or days of them were removed. Neither is an alarm.
 */
#include "evidence-work.h"
#include "store/evidence-batches.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "time,received_at,site,factor,value,flag,batch\n";

struct later {
	struct text lines; /* with their line ends */
	int64_t *sequence;
	size_t n, most;
};

static bool line_take(void *context, const struct daybook_row *row, const struct text *line)
{
	struct later *l = context;

	if (l->n == l->most)
		return false;
	l->sequence[l->n++] = row->sequence;
	text_add_n(&l->lines, line->at, line->length);
	return !l->lines.failed;
}

static void table_put(struct work *w, const struct later *l, const struct evidence_place *places)
{
	const char *line = l->lines.at;
	struct text table = {0};

	text_add(&table, header);
	for (size_t i = 0; i < l->n; i++) {
		size_t length = strcspn(line, "\n");
		text_add_n(&table, line, length);
		text_format(&table, ",%lld\n",
			    (long long)evidence_place(places, l->n, l->sequence[i]));
		line += length + 1;
	}
	work_put_text(w, "later.csv", &table);
	text_deinit(&table);
}

static int later_write(struct work *w, struct later *l)
{
	struct evidence_place *places = calloc(l->n, sizeof *places);

	if (places == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		places[i].sequence = l->sequence[i];
	int r = evidence_places(w->setup->directory, places, l->n);
	if (r == 0)
		table_put(w, l, places);
	free(places);
	return r;
}

void later_put(struct work *w, struct daybook_reader *reader, const struct evidence_case *c,
	       const struct evidence_lines *lines)
{
	struct later l = {.most = (size_t)lines->later};
	struct evidence_lines later;

	if (lines->later == 0)
		return;
	l.sequence = calloc(l.most, sizeof *l.sequence);
	int r = l.sequence == NULL
			? -ENOMEM
			: evidence_later(reader, w->setup->plan, c, line_take, &l, &later);
	if (r == 0 && l.n > 0)
		r = later_write(w, &l);
	work_note(
		w,
		"%zu readings of these times were recorded after the digest of the case was made; "
		"they are in later.csv and no part of it 摘要生成后补录的同时段数据 %zu "
		"条，另列于 later.csv，不计入摘要",
		l.n, l.n);
	if (r != 0)
		w->r = r;
	free(l.sequence);
	text_deinit(&l.lines);
}

/* A line of rows.jsonl that is a removed day. */
static void day_note(struct work *w, const char *line, size_t length)
{
	json_t *row = json_loadb(line, length, 0, NULL), *cells = json_object_get(row, "cells");
	const char *name = json_string_value(json_object_get(cells, "name"));
	const char *hash =
		json_string_value(json_object_get(json_object_get(cells, "hash"), "hex"));
	struct text when = {0};

	text_time(&when, json_integer_value(json_object_get(cells, "removed")),
		  &w->setup->plan->zone, 3);
	if (name != NULL && hash != NULL && !when.failed)
		work_note(w, "%s, batches %lld to %lld, last hash %s, removed 清除于 %s", name,
			  (long long)json_integer_value(json_object_get(cells, "first_batch")),
			  (long long)json_integer_value(json_object_get(cells, "last_batch")), hash,
			  when.at);
	text_deinit(&when);
	json_decref(row);
}

static void days_note(struct work *w)
{
	static const char day[] = "{\"kind\":9,";
	const char *line = w->rows->at;

	for (const char *end; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (strncmp(line, day, strlen(day)) == 0)
			day_note(w, line, (size_t)(end - line));
}

void removed_note(struct work *w, const struct evidence_case *c, const struct evidence_lines *lines)
{
	long long gone = (long long)(c->kept - lines->readings);

	work_note(
		w,
		"%lld of the %lld readings of which the ledger keeps the digest were removed with "
		"their days by the rules of retention (storage.keep_days.raw, storage.max_bytes); "
		"the digest stands, and cannot be computed from what is left "
		"摘要所涵盖的 %lld 条数据中有 %lld 条已按保存期限随当日数据清除，摘要仍在案",
		gone, (long long)c->kept, (long long)c->kept, gone);
	days_note(w);
}
