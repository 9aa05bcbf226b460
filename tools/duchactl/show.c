/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include "core/tail.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int show_fetch(struct client *client, struct client_answer *answer)
{
	int result = client_do(client, NULL, answer);
	if (result != CTL_OK)
		return result;
	return answer->status == 200 ? CTL_OK : client_refused(answer);
}

json_t *show_parse(const struct client_answer *answer)
{
	json_error_t place;
	json_t *json = json_loadb(answer->body.at == NULL ? "" : answer->body.at,
				  answer->body.length, 0, &place);
	if (json == NULL)
		fprintf(stderr, "duchactl: the daemon's answer is not JSON: line %d: %s\n",
			place.line, place.text);
	return json;
}

int show_out(const struct text *out)
{
	if (out->length > 0)
		fwrite(out->at, 1, out->length, stdout);
	if (!out->failed && fflush(stdout) == 0 && !ferror(stdout))
		return CTL_OK;
	if (errno == EPIPE) /* the reader has seen enough */
		return CTL_OK;
	fprintf(stderr, "duchactl: cannot write: %s\n", strerror(errno));
	return CTL_FAILED;
}

int show_body(const struct client_answer *answer)
{
	struct text body = {0};
	text_add_n(&body, answer->body.at == NULL ? "" : answer->body.at, answer->body.length);
	if (body.length == 0 || body.at[body.length - 1] != '\n')
		text_char(&body, '\n');
	int result = show_out(&body);
	text_deinit(&body);
	return result;
}

const char *show_string(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));
	return s == NULL ? "" : s;
}

void show_time(struct text *out, const char *time)
{
	if (strlen(time) < 19 || time[10] != 'T') {
		words_clean(out, time[0] == '\0' ? "-" : time);
		return;
	}
	struct text both = {0};
	text_add_n(&both, time, 10);
	text_char(&both, ' ');
	text_add_n(&both, time + 11, 8);
	words_clean(out, both.at);
	text_deinit(&both);
}

void show_number(struct text *out, const json_t *number, int decimals)
{
	if (!json_is_number(number))
		text_char(out, '-');
	else if (decimals >= 0)
		text_fixed(out, json_number_value(number), decimals);
	else
		text_double(out, json_number_value(number));
}

int show_decimals(const json_t *object)
{
	const json_t *decimals = json_object_get(object, "decimals");
	json_int_t n = json_integer_value(decimals);
	return json_is_integer(decimals) && n >= 0 && n <= 9 ? (int)n : -1;
}

/* --- events --- */

static enum bound event_bound(const json_t *data)
{
	const char *bound = show_string(data, "bound");
	return strcmp(bound, "max") == 0   ? BOUND_MAX
	       : strcmp(bound, "min") == 0 ? BOUND_MIN
					   : BOUND_NONE;
}

static void event_alert(struct tail_line *line, const json_t *data)
{
	const char *site = show_string(data, "site");
	line->site = site[0] != '\0' ? site : show_string(data, "connection");
	line->has_value = json_is_number(json_object_get(data, "value"));
	line->value = json_number_value(json_object_get(data, "value"));
	line->reason = show_string(data, "reason");
	line->case_id = json_integer_value(json_object_get(data, "case"));
}

static void event_case(struct tail_line *line, const json_t *data, const char *type)
{
	const char *value = strcmp(type, "ducha.case.opened") == 0 ? "first_value" : "peak_value";
	line->site = show_string(data, "site");
	line->has_value = json_is_number(json_object_get(data, value));
	line->value = json_number_value(json_object_get(data, value));
	line->case_id = json_integer_value(json_object_get(data, "id"));
	line->number = show_string(data, "number");
	line->status = show_string(data, "status");
}

bool show_event(struct text *out, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	const char *type = show_string(event, "type");
	bool called = strcmp(type, "ducha.duty.called") == 0;
	const char *person = show_string(data, "person");
	struct text raw = {0};
	if (called)
		data = json_object_get(data, "alert");
	if (!json_is_object(data) || type[0] == '\0' || strcmp(type, "ducha.duty.digest") == 0 ||
	    strncmp(type, "ducha.seal.", strlen("ducha.seal.")) == 0)
		return false;
	struct tail_line line = {
		.time = show_string(event, "time"),
		.word = tail_word(type),
		.kind = show_string(data, "kind"),
		.factor = show_string(data, "factor"),
		.has_limit = json_is_number(json_object_get(data, "limit")),
		.limit = json_number_value(json_object_get(data, "limit")),
		.bound = event_bound(data),
		.decimals = show_decimals(data),
		.unit = show_string(data, "unit"),
	};
	if (strncmp(type, "ducha.case.", 11) == 0)
		event_case(&line, data, type);
	else
		event_alert(&line, data);
	if (called)
		line.reason = person;
	tail_print(&raw, &line, tr);
	words_clean(out, raw.at == NULL ? "" : raw.at);
	text_deinit(&raw);
	return true;
}
