/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule in force at a site, and where it comes from. */
#include "show.h"
#include "table.h"
#include "words.h"

static void cell_value(struct table *table, const json_t *value)
{
	if (json_is_string(value))
		table_cell(table, json_string_value(value));
	else
		show_cell_number(table, value, -1);
}

static void row(struct table *table, const json_t *rule)
{
	bool built_in = json_is_null(json_object_get(rule, "line")) &&
			json_is_null(json_object_get(rule, "source"));
	table_cell(table, show_string(rule, "factor"));
	table_cell(table, show_string(rule, "limit"));
	table_cell(table, show_string(rule, "rule"));
	cell_value(table, json_object_get(rule, "value"));
	table_cell(table, built_in ? tr(show_string(rule, "from")) : show_string(rule, "place"));
}

static int print(const json_t *json)
{
	static const char *const names[] = {"FACTOR", "LIMIT", "RULE", "VALUE", "ORIGIN"};
	struct table table = {0};
	size_t i;
	json_t *rule;
	show_head(&table, names, sizeof names / sizeof names[0]);
	json_array_foreach(json_object_get(json, "rules"), i, rule) row(&table, rule);
	return show_table(&table, "no rules");
}

int show_rules(struct client *client, const struct ctl_options *options)
{
	client_path(client, "/api/v1/rules");
	client_parameter(client, "site", options->site);
	return show_list(client, options, print);
}
