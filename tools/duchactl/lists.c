/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "table.h"
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void show_cell_number(struct table *table, const json_t *number, int decimals)
{
	struct text text = {0};
	show_number(&text, number, decimals);
	table_cell(table, text.at);
	text_deinit(&text);
}

static void cell_time(struct table *table, const char *time)
{
	struct text text = {0};
	show_time(&text, time);
	table_cell(table, text.at);
	text_deinit(&text);
}

void show_head(struct table *table, const char *const *names, size_t n)
{
	table->columns = n;
	for (size_t i = 0; i < n; i++)
		table_cell(table, tr(names[i]));
}

int show_table(struct table *table, const char *nothing)
{
	struct text out = {0};
	if (table->n > table->columns)
		table_print(table, &out);
	else
		text_format(&out, "%s\n", tr(nothing));
	int result = show_out(&out);
	text_deinit(&out);
	table_deinit(table);
	return result;
}

int show_list(struct client *client, const struct ctl_options *options,
	      int (*print)(const json_t *json))
{
	struct client_answer answer = {0};
	int result = show_fetch(client, &answer);
	if (result == CTL_OK && options->json) {
		result = show_body(&answer);
	} else if (result == CTL_OK) {
		json_t *json = show_parse(&answer);
		result = json == NULL ? CTL_FAILED : print(json);
		json_decref(json);
	}
	client_answer_deinit(&answer);
	return result;
}

/* --- sites --- */

static void join_words(struct text *out, const json_t *words)
{
	for (size_t i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));
		text_add(out, i == 0 ? "" : ",");
		text_add(out, word == NULL ? "?" : tr(word));
	}
}

static void site_row(struct table *table, const json_t *site, const json_t *monitor)
{
	const json_t *latest = json_object_get(monitor, "latest");
	struct text alerts = {0};
	const json_t *shelved = json_object_get(monitor, "shelved");
	join_words(&alerts, json_object_get(monitor, "alerts"));
	if (json_is_object(shelved)) {
		text_add(&alerts, alerts.length > 0 ? "," : "");
		text_format(&alerts, "%s ", tr("shelved until"));
		show_time(&alerts, show_string(shelved, "until"));
	}
	table_cell(table, show_string(site, "id"));
	table_cell(table, show_string(site, "name"));
	table_cell(table, show_string(monitor, "factor"));
	table_cell(table, show_string(monitor, "factor_name"));
	show_cell_number(table, json_object_get(latest, "value"), show_decimals(monitor));
	table_cell(table, show_string(monitor, "unit"));
	table_cell(table, show_string(latest, "flag"));
	cell_time(table, show_string(latest, "time"));
	table_cell(table, alerts.at);
	text_deinit(&alerts);
}

static void cell_class(struct table *table, const json_t *class)
{
	static const char *const names[] = {"I", "II", "III", "IV", "V", "inferior V"};
	json_int_t n = json_integer_value(class);
	table_cell(table, json_is_integer(class) && n >= 1 && n <= 6 ? tr(names[n - 1]) : NULL);
}

/* Sections have a class, present and of the month, beside their target. */
static void print_sections(const json_t *json)
{
	static const char *const names[] = {"SITE",  "NAME",  "CLASS", "WORST",
					    "MONTH", "WORST", "TARGET"};
	struct table table = {0};
	size_t i;
	json_t *site;
	show_head(&table, names, sizeof names / sizeof names[0]);
	json_array_foreach(json_object_get(json, "sites"), i, site)
	{
		if (json_object_get(site, "section_class") == NULL)
			continue;
		table_cell(&table, show_string(site, "id"));
		table_cell(&table, show_string(site, "name"));
		cell_class(&table, json_object_get(site, "section_class"));
		table_cell(&table, json_string_value(json_object_get(site, "worst")));
		cell_class(&table, json_object_get(site, "month_class"));
		table_cell(&table, json_string_value(json_object_get(site, "month_worst")));
		cell_class(&table, json_object_get(site, "target_class"));
	}
	if (table.n > table.columns) {
		putchar('\n');
		show_table(&table, "");
	} else {
		table_deinit(&table);
	}
}

static int print_sites(const json_t *json)
{
	static const char *const names[] = {"SITE", "NAME", "FACTOR", "SUBSTANCE", "VALUE",
					    "UNIT", "FLAG", "TIME",   "ALERTS"};
	struct table table = {.right = 1u << 4};
	size_t i, m;
	json_t *site, *monitor;
	show_head(&table, names, sizeof names / sizeof names[0]);
	json_array_foreach(json_object_get(json, "sites"), i, site)
		json_array_foreach(json_object_get(site, "monitors"), m, monitor)
			site_row(&table, site, monitor);
	int result = show_table(&table, "no sites");
	if (result == CTL_OK)
		print_sections(json);
	return result;
}

int show_sites(struct client *client, const struct ctl_options *options)
{
	if (options->effective)
		return show_rules(client, options);
	client_path(client, "/api/v1/sites");
	if (options->site != NULL)
		client_parameter(client, "site", options->site);
	return show_list(client, options, print_sites);
}

/* --- alerts --- */

static int print_alerts(const json_t *json)
{
	static const char *const names[] = {"ID",     "RAISED", "CLEARED", "KIND", "SITE",
					    "FACTOR", "PEAK",   "LIMIT",   "UNIT", "CASE"};
	struct table table = {.right = 1u | 1u << 6 | 1u << 7 | 1u << 9};
	size_t i;
	json_t *alert;
	show_head(&table, names, sizeof names / sizeof names[0]);
	json_array_foreach(json_object_get(json, "alerts"), i, alert)
	{
		const char *site = show_string(alert, "site");
		show_cell_number(&table, json_object_get(alert, "id"), 0);
		cell_time(&table, show_string(alert, "raised_at"));
		cell_time(&table, show_string(alert, "cleared_at"));
		table_cell(&table, tr(show_string(alert, "kind")));
		table_cell(&table, site[0] != '\0' ? site : show_string(alert, "connection"));
		table_cell(&table, show_string(alert, "factor"));
		show_cell_number(&table, json_object_get(alert, "peak_value"),
				 show_decimals(alert));
		show_cell_number(&table, json_object_get(alert, "limit"), -1);
		table_cell(&table, show_string(alert, "unit"));
		show_cell_number(&table, json_object_get(alert, "case"), 0);
	}
	return show_table(&table, "no alerts");
}

int show_alerts(struct client *client, const struct ctl_options *options)
{
	client_path(client, "/api/v1/alerts");
	if (options->active)
		client_parameter(client, "active", "true");
	if (options->site != NULL)
		client_parameter(client, "site", options->site);
	return show_list(client, options, print_alerts);
}

/* --- cases --- */

static int print_cases(const json_t *json)
{
	static const char *const names[] = {"ID",       "NUMBER", "STATUS", "KIND",
					    "SEVERITY", "SITE",   "FACTOR", "PEAK",
					    "LIMIT",    "UNIT",   "OPENED", "DUE"};
	struct table table = {.right = 1u | 1u << 7 | 1u << 8};
	size_t i;
	json_t *c;
	show_head(&table, names, sizeof names / sizeof names[0]);
	json_array_foreach(json_object_get(json, "cases"), i, c)
	{
		show_cell_number(&table, json_object_get(c, "id"), 0);
		table_cell(&table, show_string(c, "number"));
		table_cell(&table, tr(show_string(c, "status")));
		table_cell(&table, tr(show_string(c, "kind")));
		table_cell(&table, tr(show_string(c, "severity")));
		table_cell(&table, show_string(c, "site"));
		table_cell(&table, show_string(c, "factor"));
		show_cell_number(&table, json_object_get(c, "peak_value"), show_decimals(c));
		show_cell_number(&table, json_object_get(c, "limit"), -1);
		table_cell(&table, show_string(c, "unit"));
		cell_time(&table, show_string(c, "opened_at"));
		cell_time(&table, show_string(c, "due_at"));
	}
	int result = show_table(&table, "no cases");
	if (json_object_get(json, "next") != NULL)
		fprintf(stderr, "duchactl: %s\n", tr("older cases are not shown"));
	return result;
}

int show_cases(struct client *client, const struct ctl_options *options)
{
	client_path(client, "/api/v1/cases");
	client_parameter(client, "status",
			 options->all       ? "all"
			 : options->overdue ? "overdue"
					    : "open");
	client_parameter(client, "limit", "100000");
	if (options->site != NULL)
		client_parameter(client, "site", options->site);
	return show_list(client, options, print_cases);
}

/* --- readings --- */

static void readings_path(struct client *client, const struct ctl_options *options,
			  const char *from, const char *limit, const char *after)
{
	client_path(client, options->every == NULL ? "/api/v1/readings" : "/api/v1/means");
	if (options->every != NULL)
		client_parameter(client, "period", options->every);
	client_parameter(client, "site", options->site);
	if (options->factor != NULL)
		client_parameter(client, "factor", options->factor);
	client_parameter(client, "from", from);
	client_parameter(client, "limit", limit);
	if (after[0] != '\0')
		client_parameter(client, "after", after);
}

/* The page without the header line, when it is not the first. */
static int csv_page(const struct client_answer *answer, bool first)
{
	struct text out = {0};
	const char *body = answer->body.at == NULL ? "" : answer->body.at;
	if (!first)
		body += strcspn(body, "\n");
	text_add(&out, first || *body == '\0' ? body : body + 1);
	int result = show_out(&out);
	text_deinit(&out);
	return result;
}

static int readings_csv(struct client *client, const struct ctl_options *options, const char *from)
{
	struct client_answer answer = {0};
	char after[sizeof answer.next] = "";
	int result;
	bool first = true;
	client_header(client, "Accept: text/csv");
	do {
		readings_path(client, options, from, "100000", after);
		result = show_fetch(client, &answer);
		if (result == CTL_OK)
			result = csv_page(&answer, first);
		first = false;
		memcpy(after, answer.next, sizeof after);
	} while (result == CTL_OK && after[0] != '\0' && !ferror(stdout));
	client_answer_deinit(&answer);
	return result;
}

static void reading_rows(struct table *table, const json_t *json)
{
	size_t i;
	json_t *reading;
	json_array_foreach(json_object_get(json, "readings"), i, reading)
	{
		cell_time(table, show_string(reading, "time"));
		table_cell(table, show_string(reading, "site"));
		table_cell(table, show_string(reading, "factor"));
		show_cell_number(table, json_object_get(reading, "value"), -1);
		table_cell(table, show_string(reading, "flag"));
	}
}

static void mean_rows(struct table *table, const json_t *json)
{
	static const char *const values[] = {"count", "mean", "min", "max"};
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(json, "means"), i, row)
	{
		cell_time(table, show_string(row, "time"));
		for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
			show_cell_number(table, json_object_get(row, values[j]), -1);
	}
}

/* One page into the table. @after: in and out, "" when it was the last. */
static int readings_page(struct client *client, const struct ctl_options *options, const char *from,
			 char *after, size_t size, struct table *table)
{
	struct client_answer answer = {0};
	readings_path(client, options, from, "20000", after);
	int result = show_fetch(client, &answer);
	after[0] = '\0';
	if (result == CTL_OK) {
		json_t *json = show_parse(&answer);
		json_int_t next = json_integer_value(json_object_get(json, "next"));
		if (json == NULL)
			result = CTL_FAILED;
		else if (next > 0)
			snprintf(after, size, "%lld", (long long)next);
		reading_rows(table, json);
		mean_rows(table, json);
		json_decref(json);
	}
	client_answer_deinit(&answer);
	return result;
}

static int readings_text(struct client *client, const struct ctl_options *options, const char *from)
{
	static const char *const readings[] = {"TIME", "SITE", "FACTOR", "VALUE", "FLAG"};
	static const char *const means[] = {"TIME", "COUNT", "MEAN", "MIN", "MAX"};
	struct table table = {.right = options->every == NULL ? 1u << 3 : 0x1eu};
	char after[24] = "";
	int result;
	show_head(&table, options->every == NULL ? readings : means, 5);
	do
		result = readings_page(client, options, from, after, sizeof after, &table);
	while (result == CTL_OK && after[0] != '\0');
	if (result == CTL_OK)
		return show_table(&table, "no readings");
	table_deinit(&table);
	return result;
}

static int readings_json(struct client *client, const struct ctl_options *options, const char *from)
{
	struct client_answer answer = {0};
	readings_path(client, options, from, "100000", "");
	int result = show_fetch(client, &answer);
	if (result == CTL_OK)
		result = show_body(&answer);
	client_answer_deinit(&answer);
	return result;
}

int show_readings(struct client *client, const struct ctl_options *options)
{
	struct timespec now;
	char from[32];
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(from, sizeof from, "%lld", (long long)(now.tv_sec - options->since_s));
	if (options->csv)
		return readings_csv(client, options, from);
	return options->json ? readings_json(client, options, from)
			     : readings_text(client, options, from);
}
