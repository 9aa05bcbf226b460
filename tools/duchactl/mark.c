/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "table.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

static void cell_time(struct table *table, const json_t *of, const char *name)
{
	struct text text = {0};
	show_time(&text, show_string(of, name));
	table_cell(table, text.at);
	text_deinit(&text);
}

/* "2026-11-22 81 → 46 case 7", each mean that it changed. */
static void cell_changes(struct table *table, const json_t *mark)
{
	struct text text = {0};
	size_t i;
	json_t *change;
	if (!json_is_true(json_object_get(mark, "done")))
		text_add(&text, tr("not worked off yet"));
	json_array_foreach(json_object_get(mark, "recomputed"), i, change)
	{
		const json_t *of_case = json_object_get(change, "case");
		text_add(&text, i > 0 ? "; " : "");
		show_time(&text, show_string(change, "from"));
		text_char(&text, ' ');
		show_number(&text, json_object_get(change, "before"), show_decimals(mark));
		text_add(&text, "→");
		show_number(&text, json_object_get(change, "after"), show_decimals(mark));
		if (json_is_integer(of_case))
			text_format(&text, " %s %lld", tr("case"),
				    (long long)json_integer_value(of_case));
	}
	table_cell(table, text.at);
	text_deinit(&text);
}

static void row(struct table *table, const json_t *mark)
{
	struct text id = {0};
	text_format(&id, "%lld", (long long)json_integer_value(json_object_get(mark, "id")));
	table_cell(table, id.at);
	table_cell(table, show_string(mark, "site"));
	table_cell(table, show_string(mark, "factor"));
	cell_time(table, mark, "from");
	cell_time(table, mark, "to");
	table_cell(table, show_string(mark, "flag"));
	table_cell(table, show_string(mark, "by"));
	table_cell(table, show_string(mark, "reason"));
	cell_changes(table, mark);
	text_deinit(&id);
}

static int print(const json_t *json)
{
	static const char *const names[] = {"ID",   "SITE", "FACTOR", "FROM",   "TO",
					    "FLAG", "BY",   "REASON", "CHANGED"};
	struct table table = {.columns = sizeof names / sizeof names[0], .right = 1u};
	const json_t *marks = json_object_get(json, "marks");
	struct text out = {0};
	size_t i;
	json_t *mark;
	for (i = 0; i < table.columns; i++)
		table_cell(&table, tr(names[i]));
	json_array_foreach(marks, i, mark) row(&table, mark);
	if (marks == NULL)
		row(&table, json);
	if (table.n > table.columns)
		table_print(&table, &out);
	else
		text_format(&out, "%s\n", tr("nothing is marked"));
	int result = show_out(&out);
	text_deinit(&out);
	table_deinit(&table);
	return result;
}

static int reply(const struct ctl_options *options, const struct client_answer *answer, int result)
{
	if (result != CTL_OK)
		return result;
	if (answer->status != 200)
		return client_refused(answer);
	if (options->json)
		return show_body(answer);
	json_t *json = show_parse(answer);
	result = json == NULL ? CTL_FAILED : print(json);
	json_decref(json);
	return result;
}

struct field {
	const char *name, *value;
};
enum { FIELDS = 7 };

static void fields_of(const struct ctl_options *o, struct field fields[FIELDS])
{
	const struct field all[FIELDS] = {
		{"site", o->site}, {"factor", o->factor}, {"from", o->from}, {"to", o->to},
		{"flag", o->flag}, {"reason", o->reason}, {"by", o->by}};
	memcpy(fields, all, sizeof all);
}

/* A file is the body, and the mark its address. */
static int mark_with_file(struct client *client, const struct ctl_options *options,
			  const struct field *fields)
{
	const char *slash = strrchr(options->file, '/');
	struct client_answer answer = {0};
	struct text data = {0};
	int result = CTL_FAILED;
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].value != NULL)
			client_parameter(client, fields[i].name, fields[i].value);
	client_parameter(client, "name", slash == NULL ? options->file : slash + 1);
	if (show_file(options->file, &data)) {
		result = client_send(client, data.at == NULL ? "" : data.at, data.length, &answer);
		result = reply(options, &answer, result);
	}
	client_answer_deinit(&answer);
	text_deinit(&data);
	return result;
}

int show_mark(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	struct field fields[FIELDS];
	fields_of(options, fields);
	client_path(client, "/api/v1/marks");
	if (options->file != NULL)
		return mark_with_file(client, options, fields);
	json_t *json = json_object();
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].value != NULL)
			json_object_set_new(json, fields[i].name, json_string(fields[i].value));
	char *body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	int result = reply(options, &answer, client_do(client, body, &answer));
	client_answer_deinit(&answer);
	free(body);
	return result;
}

int show_marks(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	client_path(client, "/api/v1/marks");
	if (options->site != NULL)
		client_parameter(client, "site", options->site);
	if (options->factor != NULL)
		client_parameter(client, "factor", options->factor);
	int result = reply(options, &answer, client_do(client, NULL, &answer));
	client_answer_deinit(&answer);
	return result;
}
