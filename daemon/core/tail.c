/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tail.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *type, *word;
} tail_words[] = {
	{"alert.raised", "RAISED"},  {"alert.cleared", "CLEARED"}, {"case.opened", "OPENED"},
	{"case.updated", "UPDATED"}, {"case.overdue", "OVERDUE"},  {"case.closed", "CLOSED"},
	{"duty.called", "CALLED"},
};

const char *tail_word(const char *type)
{
	const char *bare = strncmp(type, "ducha.", 6) == 0 ? type + 6 : type;
	for (size_t i = 0; i < sizeof tail_words / sizeof tail_words[0]; i++)
		if (strcmp(bare, tail_words[i].type) == 0)
			return tail_words[i].word;
	return bare;
}

/* The time without its fraction of a second. */
static void tail_time(struct text *out, const char *time)
{
	const char *dot = strchr(time, '.');
	if (dot == NULL) {
		text_add(out, time);
		return;
	}
	text_add_n(out, time, (size_t)(dot - time));
	text_add(out, dot + 1 + strspn(dot + 1, "0123456789"));
}

static void tail_column(struct text *out, const char *word, tail_translate_fn translate)
{
	if (word == NULL || word[0] == '\0')
		return;
	if (out->length > 0 && out->at[out->length - 1] != '\n')
		text_char(out, ' ');
	text_add(out, translate == NULL ? word : translate(word));
}

/* What the sign says is always true: a warning of 46 under a limit of 50 reads "46 <= 50". */
static const char *tail_sign(const struct tail_line *line)
{
	if (line->bound == BOUND_MAX)
		return line->value > line->limit ? ">" : "<=";
	if (line->bound == BOUND_MIN)
		return line->value < line->limit ? "<" : ">=";
	return line->value > line->limit ? ">" : line->value < line->limit ? "<" : "=";
}

static void tail_value(struct text *out, const struct tail_line *line)
{
	text_char(out, ' ');
	if (line->decimals >= 0)
		text_fixed(out, line->value, line->decimals);
	else
		text_double(out, line->value);
	if (line->has_limit) {
		text_format(out, " %s ", tail_sign(line));
		text_double(out, line->limit);
	}
	tail_column(out, line->unit, NULL);
}

/* "alike outfall-2": the first word is one of ours, the rest a name. */
static void tail_reason(struct text *out, const char *reason, tail_translate_fn translate)
{
	char word[64];
	size_t n = reason == NULL ? 0 : strcspn(reason, " ");
	if (n >= sizeof word)
		n = sizeof word - 1;
	snprintf(word, sizeof word, "%.*s", (int)n, reason == NULL ? "" : reason);
	tail_column(out, word, translate);
	if (reason != NULL)
		text_add(out, reason + n);
}

void tail_print(struct text *out, const struct tail_line *line, tail_translate_fn translate)
{
	tail_time(out, line->time == NULL ? "-" : line->time);
	tail_column(out, line->word, translate);
	tail_column(out, line->kind, translate);
	tail_column(out, line->site, NULL);
	tail_column(out, line->factor, NULL);
	if (line->has_value)
		tail_value(out, line);
	tail_reason(out, line->reason, translate);
	if (line->case_id != 0) {
		tail_column(out, "case", translate);
		text_format(out, " %lld", (long long)line->case_id);
	}
	tail_column(out, line->number, NULL);
	tail_column(out, line->status, translate);
}

/* Names of the place: site and factor, or the connection, or the node itself. */
static void tail_place(struct tail_line *line, const struct plan *plan,
		       const struct verdict *verdict)
{
	line->decimals = -1;
	if (verdict->monitor != NO_INDEX) {
		const struct monitor *monitor = &plan->monitors[verdict->monitor];
		line->site = plan->sites[monitor->site].id;
		line->factor = monitor->factor;
		line->unit = alert_unit(monitor, verdict->kind);
		line->decimals = alert_decimals(monitor, verdict->kind);
	} else if (verdict->connection != NO_INDEX) {
		line->site = plan->connections[verdict->connection].id;
	} else {
		line->site = plan->node;
	}
}

void tail_verdict(struct text *out, const struct plan *plan, const struct verdict *verdict,
		  int64_t case_id, tail_translate_fn translate)
{
	struct text time = {0};
	text_time(&time, verdict->time_ms, &plan->zone, 0);
	struct tail_line line = {
		.time = time.at,
		.word = verdict->type == VERDICT_CLEARED   ? "CLEARED"
			: verdict->type == VERDICT_PEAK    ? "PEAK"
			: verdict->type == VERDICT_SETTLED ? "SETTLED"
							   : "RAISED",
		.kind = alert_kind_name(verdict->kind),
		.has_value = verdict->has_value,
		.has_limit = verdict->has_limit,
		.value = verdict->value,
		.limit = verdict->limit_value,
		.bound = verdict->bound,
		.reason = verdict->reason,
		.case_id = case_id,
	};
	tail_place(&line, plan, verdict);
	tail_print(out, &line, translate);
	text_deinit(&time);
}
