/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

/* What is wrong, as `duchad --check` says it: a line each. */
static int refused(const struct client_answer *answer)
{
	json_t *json = json_loadb(answer->body.at == NULL ? "" : answer->body.at,
				  answer->body.length, 0, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));
	if (error == NULL)
		error = "the daemon gives no reason";
	for (const char *at = error; *at != '\0'; at += *at == '\n') {
		struct text raw = {0}, clean = {0};
		size_t n = strcspn(at, "\n");
		text_add_n(&raw, at, n);
		words_clean(&clean, raw.at == NULL ? "" : raw.at);
		fprintf(stderr, "%s\n", clean.at == NULL ? "" : clean.at);
		text_deinit(&raw);
		text_deinit(&clean);
		at += n;
	}
	fprintf(stderr, "duchactl: the configuration in force stays so\n");
	json_decref(json);
	return CTL_FAILED;
}

static long long count(const json_t *json, const char *name)
{
	return (long long)json_integer_value(json_object_get(json, name));
}

static int in_force(const struct client_answer *answer)
{
	struct text out = {0};
	json_t *json = show_parse(answer);
	if (json == NULL)
		return CTL_FAILED;
	text_format(&out, "%lld sites, %lld monitors, %lld limits, %lld connections: in force\n",
		    count(json, "sites"), count(json, "monitors"), count(json, "limits"),
		    count(json, "connections"));
	int result = show_out(&out);
	text_deinit(&out);
	json_decref(json);
	return result;
}

int show_reload(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	client_path(client, "/api/v1/reload");
	int result = client_do(client, "", &answer);
	if (result == CTL_OK && answer.status == 409)
		result = refused(&answer);
	else if (result == CTL_OK && answer.status != 200)
		result = client_refused(&answer);
	else if (result == CTL_OK)
		result = options->json ? show_body(&answer) : in_force(&answer);
	client_answer_deinit(&answer);
	return result;
}

static int print_clock(const struct client_answer *answer)
{
	struct text out = {0};
	json_t *json = show_parse(answer);
	if (json == NULL)
		return CTL_FAILED;
	text_format(&out, "%s  ", tr("the clock is right"));
	show_time(&out, show_string(json, "confirmed"));
	text_char(&out, '\n');
	int result = show_out(&out);
	text_deinit(&out);
	json_decref(json);
	return result;
}

int show_clock(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	client_path(client, "/api/v1/clock");
	int result = client_do(client, "", &answer);
	if (result == CTL_OK && answer.status != 200)
		result = client_refused(&answer);
	else if (result == CTL_OK)
		result = options->json ? show_body(&answer) : print_clock(&answer);
	client_answer_deinit(&answer);
	return result;
}
