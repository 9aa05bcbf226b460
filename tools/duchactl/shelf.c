/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "table.h"
#include "words.h"

#include <stdlib.h>

static void row(struct table *table, const json_t *shelf)
{
	struct text until = {0};
	table_cell(table, show_string(shelf, "site"));
	table_cell(table, json_string_value(json_object_get(shelf, "factor")));
	show_time(&until, show_string(shelf, "until"));
	table_cell(table, until.at);
	table_cell(table, show_string(shelf, "by"));
	table_cell(table, show_string(shelf, "reason"));
	table_cell(table, tr(json_is_null(json_object_get(shelf, "ended_at")) ? "" : "ended"));
	text_deinit(&until);
}

static int print(const struct client_answer *answer)
{
	struct table table = {.columns = 6};
	struct text out = {0};
	json_t *json = show_parse(answer), *shelf;
	size_t i;
	if (json == NULL)
		return CTL_FAILED;
	json_array_foreach(json_object_get(json, "shelves"), i, shelf)
	{
		row(&table, shelf);
	}
	if (table.n == 0)
		text_format(&out, "%s\n", tr("nothing is shelved"));
	table_print(&table, &out);
	int result = show_out(&out);
	text_deinit(&out);
	table_deinit(&table);
	json_decref(json);
	return result;
}

/* The caller frees it; NULL: nothing is to be said, only to be shown. */
static char *body_of(const struct ctl_options *o)
{
	json_t *json = json_object();
	const struct {
		const char *name, *value;
	} fields[] = {
		{"site", o->site}, {"factor", o->factor}, {"by", o->by}, {"reason", o->reason}};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].value != NULL)
			json_object_set_new(json, fields[i].name, json_string(fields[i].value));
	if (o->for_s != 0)
		json_object_set_new(json, "for_s", json_integer(o->for_s));
	char *body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return body;
}

static int show(struct client *client, const struct ctl_options *options, const char *path,
		char *body, int (*print_text)(const struct client_answer *answer))
{
	struct client_answer answer = {0};
	client_path(client, path);
	if (options->all)
		client_parameter(client, "status", "all");
	int result = client_do(client, body, &answer);
	if (result == CTL_OK && answer.status != 200)
		result = client_refused(&answer);
	else if (result == CTL_OK)
		result = options->json ? show_body(&answer) : print_text(&answer);
	client_answer_deinit(&answer);
	free(body);
	return result;
}

int show_shelves(struct client *client, const struct ctl_options *options)
{
	const char *path = options->verb == VERB_UNSHELVE ? "/api/v1/unshelve" : "/api/v1/shelves";
	return show(client, options, path, options->verb == VERB_SHELVES ? NULL : body_of(options),
		    print);
}

static int print_alert(const struct client_answer *answer)
{
	struct text out = {0};
	json_t *json = show_parse(answer);
	if (json == NULL)
		return CTL_FAILED;
	text_format(&out, "%s %lld  %s ", tr("alert"),
		    (long long)json_integer_value(json_object_get(json, "id")), tr("acknowledged"));
	show_time(&out, show_string(json, "acknowledged_at"));
	text_add(&out, "  ");
	words_clean(&out, show_string(json, "acknowledged_by"));
	text_char(&out, '\n');
	int result = show_out(&out);
	text_deinit(&out);
	json_decref(json);
	return result;
}

int show_acknowledge(struct client *client, const struct ctl_options *options)
{
	struct text path = {0};
	text_format(&path, "/api/v1/alerts/%s/ack", options->id);
	int result = show(client, options, path.at, body_of(options), print_alert);
	text_deinit(&path);
	return result;
}
