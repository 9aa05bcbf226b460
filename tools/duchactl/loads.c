/* SPDX-License-Identifier: Apache-2.0 */
/* What a site discharged: the parts of the time asked for, its total, and the year's. */
#include "show.h"
#include "table.h"
#include "words.h"

#include <string.h>

static void cell_share(struct table *table, const json_t *share)
{
	struct text text = {0};
	if (json_is_number(share)) {
		text_fixed(&text, 100 * json_number_value(share), 1);
		text_char(&text, '%');
	}
	table_cell(table, text.at);
	text_deinit(&text);
}

static void row(struct table *table, const char *time, const json_t *of, const json_t *sum,
		const json_t *share)
{
	table_cell(table, time);
	table_cell(table, show_string(of, "factor"));
	table_cell(table, show_string(of, "factor_name"));
	show_cell_number(table, json_object_get(sum, "load"), 3);
	table_cell(table, show_string(of, "unit"));
	cell_share(table, json_object_get(sum, "covered"));
	show_cell_number(table, json_object_get(sum, "excess"), 3);
	cell_share(table, share);
}

/* Of a time only as much as tells the parts apart. */
static void rows(struct table *table, const json_t *of, size_t letters)
{
	char time[20];
	size_t i;
	json_t *part;
	json_array_foreach(json_object_get(of, "parts"), i, part)
	{
		strncpy(time, show_string(part, "time"), sizeof time - 1);
		time[letters] = '\0';
		row(table, time, of, part, NULL);
	}
	row(table, tr("total"), of, of, NULL);
	row(table, tr("year"), of, json_object_get(of, "year"),
	    json_object_get(of, "permit_share"));
}

static int print(const json_t *json, size_t letters)
{
	static const char *const names[] = {"TIME", "FACTOR",  "SUBSTANCE", "LOAD",
					    "UNIT", "COVERED", "EXCESS",    "PERMIT"};
	struct table table = {.columns = sizeof names / sizeof names[0],
			      .right = 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7};
	struct text out = {0};
	size_t i;
	json_t *of;
	for (i = 0; i < table.columns; i++)
		table_cell(&table, tr(names[i]));
	json_array_foreach(json_object_get(json, "loads"), i, of) rows(&table, of, letters);
	if (table.n > table.columns)
		table_print(&table, &out);
	else
		text_format(&out, "%s\n", tr("no load is computed here: the flow is not measured"));
	int result = show_out(&out);
	text_deinit(&out);
	table_deinit(&table);
	return result;
}

int show_loads(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	client_path(client, "/api/v1/loads");
	client_parameter(client, "site", options->site);
	if (options->factor != NULL)
		client_parameter(client, "factor", options->factor);
	if (options->month != NULL)
		client_parameter(client, "month", options->month);
	if (options->year != NULL) {
		client_parameter(client, "year", options->year);
		client_parameter(client, "period", "month");
	}
	int result = show_fetch(client, &answer);
	if (result == CTL_OK && options->json) {
		result = show_body(&answer);
	} else if (result == CTL_OK) {
		json_t *json = show_parse(&answer);
		result = json == NULL ? CTL_FAILED : print(json, options->year != NULL ? 7 : 10);
		json_decref(json);
	}
	client_answer_deinit(&answer);
	return result;
}
