/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "words.h"

#include <string.h>

static void label(struct text *out, const char *name)
{
	int width = words_width(tr(name));
	text_add(out, tr(name));
	do
		text_char(out, ' ');
	while (++width < 16);
}

static void line_count(struct text *out, const char *name, const json_t *json, const char *member)
{
	label(out, name);
	show_number(out, json_object_get(json, member), 0);
	text_char(out, '\n');
}

static void line_uptime(struct text *out, const json_t *json)
{
	long long s = json_integer_value(json_object_get(json, "uptime_s"));
	label(out, "running for");
	if (s >= 86400)
		text_format(out, "%lld d ", s / 86400);
	text_format(out, "%02lld:%02lld:%02lld\n", s / 3600 % 24, s / 60 % 60, s % 60);
}

static void print_status(struct text *out, const json_t *json)
{
	size_t i;
	json_t *reason;
	label(out, "status");
	words_clean(out, tr(show_string(json, "status")));
	text_char(out, '\n');
	json_array_foreach(json_object_get(json, "reasons"), i, reason)
	{
		label(out, i == 0 ? "because" : " ");
		words_clean(out, json_is_string(reason) ? json_string_value(reason) : "?");
		text_char(out, '\n');
	}
	label(out, "node");
	words_clean(out, show_string(json, "node"));
	text_char(out, '\n');
	label(out, "version");
	words_clean(out, show_string(json, "version"));
	text_char(out, '\n');
	line_uptime(out, json);
	line_count(out, "sites", json, "sites");
	line_count(out, "monitors", json, "monitors");
	line_count(out, "connections", json, "connections");
	line_count(out, "readings", json, "readings");
	line_count(out, "active alerts", json, "alerts_active");
	line_count(out, "open cases", json, "cases_open");
}

int show_status(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	client_path(client, "/health");
	int result = client_do(client, NULL, &answer);
	if (result == CTL_OK && answer.status != 200 && answer.status != 503)
		result = client_refused(&answer);
	else if (result == CTL_OK && options->json)
		result = show_body(&answer);
	else if (result == CTL_OK) {
		json_t *json = show_parse(&answer);
		struct text out = {0};
		if (json != NULL)
			print_status(&out, json);
		result = json == NULL ? CTL_FAILED : show_out(&out);
		text_deinit(&out);
		json_decref(json);
	}
	if (result == CTL_OK && answer.status != 200)
		result = CTL_FAILED;
	client_answer_deinit(&answer);
	return result;
}
