/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include "core/casewords.h"
#include "core/sources.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
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

static const char *find_words(const void *context, const char *english)
{
	(void)context;
	return tr(english);
}

static void line_source(struct text *out, const char *source)
{
	const struct speaking speaking = {find_words, NULL};
	struct text words = {0};
	source_say(&words, &speaking, source);
	line(out, "from", words.at);
	text_deinit(&words);
}

static void print_values(struct text *out, const json_t *c)
{
	int decimals = show_decimals(c);
	line_value(out, "limit", c, "limit", -1);
	line_source(out, show_string(c, "limit_source"));
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
		bool joined = json_object_get(episode, "factor") != NULL;
		show_number(out, json_object_get(episode, "peak_value"),
			    show_decimals(joined ? episode : c));
		if (joined) {
			text_add(out, "  ");
			words_clean(out, show_string(episode, "factor"));
		}
		text_char(out, '\n');
	}
}

/* Listed words travel as codes and are shown in the operator's language. */
static bool is_listed(const char *member)
{
	static const char *const listed[] = {"reason", "track", "level", "type", "relation"};
	for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
		if (strcmp(listed[i], member) == 0)
			return true;
	return false;
}

static void history_given(struct text *out, const json_t *step, const char *member)
{
	const char *text = show_string(step, member);
	if (text[0] == '\0')
		return;
	text_format(out, "\n      %s: ", tr(field_words(member)));
	words_clean(out, is_listed(member) ? tr(text) : text);
}

static void history_other(struct text *out, const json_t *step)
{
	const json_t *other = json_object_get(step, "other");
	const json_t *escalation = json_object_get(step, "escalation");
	if (json_is_integer(other))
		text_format(out, "\n      %s %lld", tr("case"),
			    (long long)json_integer_value(other));
	if (json_is_integer(escalation))
		text_format(out, "\n      %s: %lld", tr("escalation"),
			    (long long)json_integer_value(escalation));
}

/* Who, and in brackets who typed it, where that is another name. */
static void history_user(struct text *out, const json_t *step)
{
	const char *by = show_string(step, "by");
	words_clean(out, strcmp(by, "duchad") == 0 ? tr("the system") : by);
	const char *user = json_string_value(json_object_get(step, "user"));
	if (user == NULL || strcmp(user, by) == 0)
		return;
	text_add(out, " (");
	words_clean(out, user);
	text_char(out, ')');
}

static void print_history(struct text *out, const json_t *c)
{
	static const char *const given[] = {"note",     "unit",   "leader",   "team",
					    "due",      "reason", "track",    "step",
					    "document", "level",  "checkers", "approved_by",
					    "relation", "name",   "type",     "sha256"};
	size_t i;
	json_t *step;
	const char *ended = NULL;
	text_format(out, "\n%s\n", tr("History"));
	json_array_foreach(json_object_get(c, "history"), i, step)
	{
		text_add(out, "  ");
		show_time(out, show_string(step, "at"));
		text_add(out, "  ");
		const char *action = show_string(step, "action");
		words_clean(out, tr(step_words(action, ended)));
		ended = step_ends(action) ? action : ended;
		text_add(out, "  ");
		history_user(out, step);
		for (size_t g = 0; g < sizeof given / sizeof given[0]; g++)
			history_given(out, step, given[g]);
		history_other(out, step);
		text_char(out, '\n');
	}
}

static void print_steps(struct text *out, const json_t *c)
{
	size_t i;
	json_t *step;
	json_array_foreach(json_object_get(c, "steps"), i, step)
	{
		if (i == 0)
			text_format(out, "\n%s\n", tr("Steps of the plan"));
		text_add(out, "  ");
		show_time(out, show_string(step, "due_at"));
		text_format(out, "  %s  ",
			    tr(json_is_string(json_object_get(step, "done_at"))
				       ? "struck off"
				       : "not struck off"));
		words_clean(out, show_string(step, "step"));
		text_char(out, '\n');
	}
}

static void print_attachments(struct text *out, const json_t *c)
{
	size_t i;
	json_t *file;
	json_array_foreach(json_object_get(c, "attachments"), i, file)
	{
		if (i == 0)
			text_format(out, "\n%s\n", tr("Attachments"));
		text_add(out, "  ");
		words_clean(out, tr(show_string(file, "type")));
		text_add(out, "  ");
		words_clean(out, show_string(file, "name"));
		text_format(out, "  %lld B  %.12s\n",
			    (long long)json_integer_value(json_object_get(file, "bytes")),
			    show_string(file, "sha256"));
	}
}

static void print_links(struct text *out, const json_t *c)
{
	size_t i;
	json_t *link;
	json_array_foreach(json_object_get(c, "links"), i, link)
	{
		if (i == 0)
			text_format(out, "\n%s\n", tr("Links"));
		text_format(out, "  %s %lld  ", tr("case"),
			    (long long)json_integer_value(json_object_get(link, "case")));
		words_clean(out, tr(show_string(link, "relation")));
		text_char(out, '\n');
	}
}

/* Where further factors have joined: each with its worst value. */
static void print_factors(struct text *out, const json_t *c)
{
	size_t i;
	json_t *f;
	json_array_foreach(json_object_get(c, "factors"), i, f)
	{
		int decimals = (int)json_integer_value(json_object_get(f, "decimals"));
		if (i == 0)
			text_format(out, "\n%s\n", tr("Factors of the same event"));
		text_add(out, "  ");
		words_clean(out, show_string(f, "factor"));
		text_add(out, "  ");
		words_clean(out, show_string(f, "factor_name"));
		text_add(out, "  ");
		show_number(out, json_object_get(f, "peak_value"), decimals);
		text_add(out, " / ");
		show_number(out, json_object_get(f, "limit"), -1);
		text_char(out, ' ');
		words_clean(out, show_string(f, "unit"));
		text_char(out, '\n');
	}
}

/* Where its course left the ordinary. */
static void line_count(struct text *out, const char *name, const json_t *c, const char *member)
{
	long long n = (long long)json_integer_value(json_object_get(c, member));
	if (n == 0)
		return;
	label(out, name);
	text_format(out, "%lld\n", n);
}

static void print_course(struct text *out, const json_t *c)
{
	line_time(out, "opened", c, "opened_at");
	line(out, "stage", tr(show_string(c, "stage")));
	line_time(out, "due", c, "due_at");
	line_count(out, "escalation", c, "escalation");
	line_time(out, "closed", c, "closed_at");
	line(out, "track", tr(show_string(c, "track")));
	line(out, "reason for withdrawal", tr(show_string(c, "withdrawn_reason")));
	line_count(out, "merged into", c, "merged_into");
	line_count(out, "relapses", c, "relapses");
	line_count(out, "reopened", c, "reopened");
	line_count(out, "taken up again after withdrawal or merging", c, "restored");
	line(out, "source", tr(show_string(c, "source")));
	line(out, "document", show_string(c, "document"));
	line(out, "listed by", show_string(c, "level_document"));
}

static const char *show_registered(const json_t *c)
{
	return strcmp(show_string(c, "source"), "automatic") == 0 ? "no: registered automatically"
								  : "no";
}

static void print_case(struct text *out, const json_t *c)
{
	bool verified = json_is_true(json_object_get(c, "verified"));
	text_format(out, "%s %lld  ", tr("case"),
		    (long long)json_integer_value(json_object_get(c, "id")));
	words_clean(out, show_string(c, "number"));
	text_char(out, '\n');
	line(out, "title", show_string(c, "title"));
	line(out, "status", tr(show_string(c, "status")));
	line(out, "verified", verified ? tr("yes") : tr(show_registered(c)));
	line(out, "severity", tr(show_string(c, "severity")));
	line(out, "level", tr(show_string(c, "level")));
	line(out, "kind", tr(show_string(c, "kind")));
	line_both(out, "site", show_string(c, "site"), show_string(c, "site_name"));
	line_both(out, "factor", show_string(c, "factor"), show_string(c, "factor_name"));
	print_values(out, c);
	print_course(out, c);
	print_responsible(out, c);
	print_factors(out, c);
	print_episodes(out, c);
	print_steps(out, c);
	print_attachments(out, c);
	print_links(out, c);
	print_history(out, c);
}

/* The body of an action or of a case by hand; the caller frees it. NULL: out of memory. */
static char *order_body(const struct ctl_options *o)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{"action", o->action},
		{"other", o->other},
		{"by", o->by},
		{"note", o->note},
		{"unit", o->unit},
		{"leader", o->leader},
		{"team", o->team},
		{"due", o->due},
		{"reason", o->reason},
		{"track", o->track},
		{"step", o->step},
		{"document", o->document},
		{"dated", o->dated},
		{"level", o->level},
		{"checkers", o->checkers},
		{"approved_by", o->approved_by},
		{"relation", o->relation},
		{"site", o->site},
		{"factor", o->factor},
		{"kind", o->kind},
		{"source", o->source},
		{"severity", o->severity},
		{"title", o->title},
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

static int print_reply(const struct ctl_options *options, const struct client_answer *answer,
		       int result)
{
	if (result == CTL_OK && answer->status != 200)
		return client_refused(answer);
	if (result == CTL_OK)
		return options->json ? show_body(answer) : print_answer(answer);
	return result;
}

bool show_file(const char *path, struct text *out)
{
	enum { FILE_BYTES_MOST = 16 << 20 };
	char block[65536];
	size_t n;
	FILE *file = fopen(path, "re");
	while (file != NULL && out->length <= FILE_BYTES_MOST &&
	       (n = fread(block, 1, sizeof block, file)) > 0)
		text_add_n(out, block, n);
	bool good = file != NULL && ferror(file) == 0 && !out->failed;
	if (!good)
		fprintf(stderr, "duchactl: %s: %s\n", path, strerror(errno));
	if (file != NULL)
		fclose(file);
	if (good && out->length > FILE_BYTES_MOST) {
		fprintf(stderr, "duchactl: %s: %s\n", path, tr("larger than 16 MiB"));
		return false;
	}
	return good;
}

static int attach(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	struct text path = {0}, data = {0};
	const char *slash = strrchr(options->file, '/');
	int result = CTL_FAILED;
	text_format(&path, "/api/v1/cases/%s/attachments", options->id);
	client_path(client, path.at);
	client_parameter(client, "name", slash == NULL ? options->file : slash + 1);
	client_parameter(client, "type", options->type == NULL ? "other" : options->type);
	if (options->by != NULL)
		client_parameter(client, "by", options->by);
	if (options->note != NULL)
		client_parameter(client, "note", options->note);
	if (show_file(options->file, &data)) {
		result = client_send(client, data.at == NULL ? "" : data.at, data.length, &answer);
		result = print_reply(options, &answer, result);
	}
	client_answer_deinit(&answer);
	text_deinit(&path);
	text_deinit(&data);
	return result;
}

static int post(struct client *client, const struct ctl_options *options, const char *path,
		char *body)
{
	struct client_answer answer = {0};
	client_path(client, path);
	int result = client_do(client, body, &answer);
	result = print_reply(options, &answer, result);
	client_answer_deinit(&answer);
	free(body);
	return result;
}

int show_case(struct client *client, const struct ctl_options *options)
{
	struct text path = {0};
	if (options->file != NULL)
		return attach(client, options);
	text_format(&path, "/api/v1/cases/%s%s", options->id,
		    options->action == NULL ? "" : "/actions");
	int result = post(client, options, path.at,
			  options->action == NULL ? NULL : order_body(options));
	text_deinit(&path);
	return result;
}

int show_open(struct client *client, const struct ctl_options *options)
{
	return post(client, options, "/api/v1/cases", order_body(options));
}
