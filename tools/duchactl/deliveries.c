/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "table.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A receiver has its own time limit; this is for one that is asked behind others. */
enum { PATIENCE_S = 60, ASK_EVERY_MS = 100 };

static void cell_count(struct table *table, const json_t *delivery, const char *name)
{
	struct text text = {0};
	text_format(&text, "%lld", (long long)json_integer_value(json_object_get(delivery, name)));
	table_cell(table, text.at);
	text_deinit(&text);
}

static void cell_time(struct table *table, const json_t *delivery, const char *name)
{
	struct text text = {0};
	show_time(&text, show_string(delivery, name));
	table_cell(table, text.at);
	text_deinit(&text);
}

static void row(struct table *table, const json_t *delivery)
{
	bool fails = !json_is_null(json_object_get(delivery, "failing_since"));
	table_cell(table, show_string(delivery, "id"));
	table_cell(table, show_string(delivery, "type"));
	cell_count(table, delivery, "pending");
	cell_count(table, delivery, "held");
	cell_time(table, delivery, "delivered_at");
	cell_time(table, delivery, "failing_since");
	cell_time(table, delivery, fails ? "next_try_at" : "failing_since");
	table_cell(table, fails ? show_string(delivery, "last_error") : "");
}

static int print(const struct client_answer *answer)
{
	static const char *const heads[] = {"receiver", "type",          "waiting",  "held",
					    "last",     "failing since", "next try", "error"};
	struct table table = {.columns = 8, .right = 1u << 2 | 1u << 3};
	struct text out = {0};
	json_t *json = show_parse(answer), *delivery;
	size_t i;
	if (json == NULL)
		return CTL_FAILED;
	for (i = 0; i < 8; i++)
		table_cell(&table, tr(heads[i]));
	json_array_foreach(json_object_get(json, "deliveries"), i, delivery)
	{
		row(&table, delivery);
	}
	if (table.n == table.columns)
		text_format(&out, "%s\n", tr("no deliveries"));
	else
		table_print(&table, &out);
	int result = show_out(&out);
	text_deinit(&out);
	table_deinit(&table);
	json_decref(json);
	return result;
}

/* --- a test --- */

static json_t *find(const json_t *json, const char *id)
{
	size_t i;
	json_t *delivery;
	json_array_foreach(json_object_get(json, "deliveries"), i, delivery)
	{
		if (strcmp(show_string(delivery, "id"), id) == 0)
			return delivery;
	}
	return NULL;
}

static int print_test(const struct ctl_options *options, const json_t *test)
{
	struct text out = {0};
	bool ok = json_is_true(json_object_get(test, "ok"));
	words_clean(&out, options->id);
	text_format(&out, ": %s", ok ? tr("the test was delivered") : tr("the test failed"));
	if (show_string(test, "text")[0] != '\0') {
		text_add(&out, ": ");
		words_clean(&out, show_string(test, "text"));
	}
	text_char(&out, '\n');
	int result = show_out(&out);
	text_deinit(&out);
	return result == CTL_OK && !ok ? CTL_FAILED : result;
}

/* Return: CTL_OK with @done false while it is under way. */
static int ask(struct client *client, const struct ctl_options *options, json_int_t number,
	       bool *done)
{
	struct client_answer answer = {0};
	client_path(client, "/api/v1/deliveries");
	int result = show_fetch(client, &answer);
	json_t *json = result == CTL_OK ? show_parse(&answer) : NULL;
	const json_t *test = json_object_get(find(json, options->id), "test");
	if (result == CTL_OK && json == NULL)
		result = CTL_FAILED;
	*done = json_is_true(json_object_get(test, "done")) &&
		json_integer_value(json_object_get(test, "number")) >= number;
	if (*done && options->json) {
		json_dumpf(test, stdout, JSON_COMPACT);
		putchar('\n');
		result = json_is_true(json_object_get(test, "ok")) ? CTL_OK : CTL_FAILED;
	} else if (*done) {
		result = print_test(options, test);
	}
	json_decref(json);
	client_answer_deinit(&answer);
	return result;
}

static int await(struct client *client, const struct ctl_options *options, json_int_t number)
{
	const struct timespec nap = {.tv_nsec = ASK_EVERY_MS * 1000000};
	int result = CTL_OK;
	bool done = false;
	for (int i = 0; i < PATIENCE_S * 1000 / ASK_EVERY_MS && result == CTL_OK && !done; i++) {
		nanosleep(&nap, NULL);
		result = ask(client, options, number, &done);
	}
	if (result == CTL_OK && !done) {
		fprintf(stderr, "duchactl: the test is still under way; see duchactl deliveries\n");
		return CTL_FAILED;
	}
	return result;
}

static int send_test(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	struct text path = {0};
	char *id = curl_easy_escape(client->curl, options->id, 0);
	text_format(&path, "/api/v1/deliveries/%s/test", id == NULL ? "" : id);
	curl_free(id);
	client_path(client, path.at);
	int result = client_do(client, "", &answer);
	if (result == CTL_OK && answer.status != 202)
		result = client_refused(&answer);
	json_t *json = result == CTL_OK ? show_parse(&answer) : NULL;
	if (json != NULL)
		result = await(client, options, json_integer_value(json_object_get(json, "test")));
	json_decref(json);
	client_answer_deinit(&answer);
	text_deinit(&path);
	return result;
}

int show_deliveries(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	if (options->id != NULL)
		return send_test(client, options);
	client_path(client, "/api/v1/deliveries");
	int result = show_fetch(client, &answer);
	if (result == CTL_OK)
		result = options->json ? show_body(&answer) : print(&answer);
	client_answer_deinit(&answer);
	return result;
}
