/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rig_make(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	if (rig == NULL)
		return -1;
	rig->connections[0] = (struct connection){"line-1", "modbus"};
	rig->connections[1] = (struct connection){"line-2", "mqtt"};
	rig->site = (struct site){.id = "outfall-3", .n_monitors = RIG_MONITORS};
	rig->limits[0] = (struct limit){.has_max = true, .max = 50, .key = "a"};
	rig->limits[1].key = "b";
	rig->limits[2].key = "c";
	rig->monitors[0] = (struct monitor){
		.factor = "w01018", .limits = rig->limits, .n_limits = 1, .connection = NO_INDEX};
	rig->monitors[1] = (struct monitor){.factor = "w21003", .connection = NO_INDEX};
	rig->monitors[2] = (struct monitor){.factor = "w01001", .connection = NO_INDEX};
	rig->plan = (struct plan){.node = "edge",
				  .sites = &rig->site,
				  .n_sites = 1,
				  .monitors = rig->monitors,
				  .n_monitors = RIG_MONITORS,
				  .clues = rig->clues,
				  .n_clues = RIG_MONITORS,
				  .connections = rig->connections,
				  .n_connections = 2};
	*state = rig;
	return 0;
}

int rig_remove(void **state)
{
	struct rig *rig = *state;
	evaluator_free(rig->evaluator);
	free(rig);
	return 0;
}

static void hear(void *context, const struct verdict *verdict)
{
	struct rig *rig = context;
	assert_true(rig->n_said < RIG_SAID);
	rig->said[rig->n_said++] = *verdict;
}

void rig_start(struct rig *rig)
{
	assert_int_equal(
		evaluator_new(&rig->evaluator, &rig->plan, RIG_START_MS, RIG_MONO_NS, hear, rig),
		0);
}

static int64_t wall(double s)
{
	return RIG_START_MS + llround(s * 1000);
}

static int64_t mono(double s)
{
	return RIG_MONO_NS + llround(s * 1e9);
}

static void play_link(struct rig *rig, double at, bool up)
{
	struct reading r = {.kind = up ? SLOT_LINK_UP : SLOT_LINK_DOWN,
			    .measured_ms = wall(at),
			    .received_ms = wall(at),
			    .received_mono_ns = mono(at)};
	evaluator_feed(rig->evaluator, &r);
}

static void play_reading(struct rig *rig, double at, const char *rest)
{
	char *end = (char *)(uintptr_t)rest;
	struct reading r = {.measured_ms = wall(at), .monitor = rig->current, .flag = FLAG_NORMAL};
	double received = at;
	if (rest[0] == '-' && rest[1] >= 'A') {
		end++;
	} else {
		r.has_value = true;
		r.value = strtod(rest, &end);
	}
	if (*end >= 'A' && *end <= 'Z')
		r.flag = (uint8_t)*end++;
	if (*end == '@')
		received = strtod(end + 1, &end);
	if (*end != '\0')
		fail_msg("cannot read \"%s\" of a script", rest);
	r.received_ms = wall(received);
	r.received_mono_ns = mono(received);
	evaluator_feed(rig->evaluator, &r);
}

static void play_word(struct rig *rig, const char *word)
{
	char *rest;
	if (word[0] == 'm') {
		rig->current = (uint32_t)atoi(word + 1);
		return;
	}
	double at = strtod(word, &rest);
	if (*rest == ':')
		play_reading(rig, at, rest + 1);
	else if (*rest == '!')
		evaluator_tick(rig->evaluator, wall(at), mono(at));
	else if (*rest == '$')
		evaluator_clock(rig->evaluator, rig->current, wall(at), mono(at), true);
	else if (*rest == 'v' || *rest == '^')
		play_link(rig, at, *rest == '^');
	else
		fail_msg("cannot read \"%s\" of a script", word);
}

void rig_play(struct rig *rig, const char *script)
{
	char *copy = strdup(script), *save;
	if (rig->evaluator == NULL)
		rig_start(rig);
	for (char *word = strtok_r(copy, " \n", &save); word != NULL;
	     word = strtok_r(NULL, " \n", &save))
		play_word(rig, word);
	free(copy);
}

static double seconds(int64_t wall_ms)
{
	return (double)(wall_ms - RIG_START_MS) / 1000;
}

static void print_verdict(const struct verdict *v, FILE *out)
{
	fputc(v->type == VERDICT_RAISED ? '+' : v->type == VERDICT_CLEARED ? '-' : '^', out);
	if (v->monitor != NO_INDEX && v->monitor != 0)
		fprintf(out, "m%u.", v->monitor);
	fputs(alert_kind_name(v->kind), out);
	if (v->reason != NULL && strcmp(v->reason, "over_range") != 0)
		fprintf(out, "(%s)", v->reason);
	if (v->limit != NO_INDEX && v->limit != 0)
		fprintf(out, "#%u", v->limit);
	fprintf(out, "%s@%.10g", v->bound == BOUND_MIN ? "(min)" : "", seconds(v->time_ms));
	if (v->type == VERDICT_RAISED)
		fprintf(out, "/%.10g", seconds(v->began_ms));
	if (v->type != VERDICT_CLEARED && v->has_value)
		fprintf(out, "=%.10g", v->type == VERDICT_PEAK ? v->peak_value : v->value);
}

void rig_said_at(struct rig *rig, const char *expected, const char *file, int line)
{
	FILE *out = fmemopen(rig->text, sizeof rig->text, "w");
	assert_non_null(out);
	for (size_t i = 0; i < rig->n_said; i++) {
		if (i > 0)
			fputc(' ', out);
		print_verdict(&rig->said[i], out);
	}
	fputc('\0', out);
	fclose(out);
	rig->n_said = 0;
	_assert_string_equal(rig->text, expected, file, line);
}
