/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

static void label(struct text *out, const char *name)
{
	int width = words_width(tr(name));
	text_add(out, tr(name));
	do
		text_char(out, ' ');
	while (++width < 14);
}

/* One line "name  text"; nothing where the text is missing. */
static void line(struct text *out, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	label(out, name);
	words_clean(out, text);
	text_char(out, '\n');
}

static void line_time(struct text *out, const char *name, const json_t *c, const char *member)
{
	const char *time = show_string(c, member);
	if (time[0] == '\0')
		return;
	label(out, name);
	show_time(out, time);
	text_char(out, '\n');
}

static void line_value(struct text *out, const char *name, const json_t *c, const char *member,
		       int decimals)
{
	const json_t *value = json_object_get(c, member);
	if (!json_is_number(value))
		return;
	label(out, name);
	show_number(out, value, decimals);
	if (strcmp(member, "multiple") != 0) {
		text_char(out, ' ');
		words_clean(out, show_string(c, "unit"));
	}
	text_char(out, '\n');
}

static void line_both(struct text *out, const char *name, const char *first, const char *second)
{
	struct text both = {0};
	text_add(&both, first);
	if (first[0] != '\0' && second[0] != '\0')
		text_char(&both, ' ');
	text_add(&both, second);
	line(out, name, both.at);
	text_deinit(&both);
}

static void print_values(struct text *out, const json_t *c)
{
	int decimals = show_decimals(c);
	line_value(out, "limit", c, "limit", -1);
	line(out, "from", show_string(c, "limit_source"));
	line(out, "averaging", tr(show_string(c, "average")));
	line_value(out, "first value", c, "first_value", decimals);
	line_value(out, "peak value", c, "peak_value", decimals);
	line_time(out, "peak at", c, "peak_at");
	line_value(out, "last value", c, "last_value", decimals);
	line_value(out, "times over", c, "multiple", 2);
}

static void print_responsible(struct text *out, const json_t *c)
{
	const json_t *responsible = json_object_get(c, "responsible");
	line(out, "unit", show_string(responsible, "unit"));
	line(out, "leader", show_string(responsible, "leader"));
	line(out, "team", show_string(responsible, "team"));
}

static void print_episodes(struct text *out, const json_t *c)
{
	size_t i;
	json_t *episode;
	text_format(out, "\n%s\n", tr("Episodes"));
	json_array_foreach(json_object_get(c, "episodes"), i, episode)
	{
		text_add(out, "  ");
		show_time(out, show_string(episode, "began_at"));
		text_add(out, " .. ");
		if (json_is_string(json_object_get(episode, "ended_at")))
			show_time(out, show_string(episode, "ended_at"));
		else
			text_add(out, tr("goes on"));
		text_format(out, "  %s ", tr("peak"));
		show_number(out, json_object_get(episode, "peak_value"), show_decimals(c));
		text_char(out, '\n');
	}
}

static void history_given(struct text *out, const json_t *step, const char *member)
{
	const char *text = show_string(step, member);
	if (text[0] == '\0')
		return;
	text_format(out, "\n      %s: ", tr(member));
	words_clean(out, text);
}

static void print_history(struct text *out, const json_t *c)
{
	static const char *const given[] = {"note", "unit", "leader", "team", "due", "reason"};
	size_t i;
	json_t *step;
	text_format(out, "\n%s\n", tr("History"));
	json_array_foreach(json_object_get(c, "history"), i, step)
	{
		text_add(out, "  ");
		show_time(out, show_string(step, "at"));
		text_add(out, "  ");
		words_clean(out, tr(show_string(step, "action")));
		text_add(out, "  ");
		words_clean(out, show_string(step, "by"));
		for (size_t g = 0; g < sizeof given / sizeof given[0]; g++)
			history_given(out, step, given[g]);
		text_char(out, '\n');
	}
}

static void print_case(struct text *out, const json_t *c)
{
	bool verified = json_is_true(json_object_get(c, "verified"));
	text_format(out, "%s %lld  ", tr("case"),
		    (long long)json_integer_value(json_object_get(c, "id")));
	words_clean(out, show_string(c, "number"));
	text_char(out, '\n');
	line(out, "status", tr(show_string(c, "status")));
	line(out, "verified", verified ? tr("yes") : tr("no: registered automatically"));
	line(out, "severity", tr(show_string(c, "severity")));
	line(out, "level", tr(show_string(c, "level")));
	line(out, "kind", tr(show_string(c, "kind")));
	line_both(out, "site", show_string(c, "site"), show_string(c, "site_name"));
	line_both(out, "factor", show_string(c, "factor"), show_string(c, "factor_name"));
	print_values(out, c);
	line_time(out, "opened", c, "opened_at");
	line_time(out, "due", c, "due_at");
	line_time(out, "closed", c, "closed_at");
	line(out, "source", tr(show_string(c, "source")));
	print_responsible(out, c);
	print_episodes(out, c);
	print_history(out, c);
}

/* The body of an action; the caller frees it. NULL: out of memory. */
static char *action_body(const struct ctl_options *options)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{"action", options->action}, {"by", options->by},         {"note", options->note},
		{"unit", options->unit},     {"leader", options->leader}, {"team", options->team},
		{"due", options->due},       {"reason", options->reason},
	};
	json_t *json = json_object();
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].value != NULL)
			json_object_set_new(json, fields[i].name, json_string(fields[i].value));
	char *body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return body;
}

static int print_answer(const struct client_answer *answer)
{
	struct text out = {0};
	json_t *json = show_parse(answer);
	if (json == NULL)
		return CTL_FAILED;
	print_case(&out, json);
	int result = show_out(&out);
	text_deinit(&out);
	json_decref(json);
	return result;
}

int show_case(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	struct text path = {0};
	char *body = options->action == NULL ? NULL : action_body(options);
	text_format(&path, "/api/v1/cases/%s%s", options->case_id,
		    options->action == NULL ? "" : "/actions");
	client_path(client, path.at);
	int result = client_do(client, body, &answer);
	if (result == CTL_OK && answer.status != 200)
		result = client_refused(&answer);
	else if (result == CTL_OK)
		result = options->json ? show_body(&answer) : print_answer(&answer);
	client_answer_deinit(&answer);
	text_deinit(&path);
	free(body);
	return result;
}
