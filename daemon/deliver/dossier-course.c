/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers for it, until when, and what was done.
 */
#include "deliver/dossier-parts.h"

#include "core/caserules.h"
#include "core/casewords.h"
#include "core/order.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_SHOWN = 500 };

/* --- instrument --- */

static void row_given(struct parts *parts, const char *name, const char *text)
{
	part_row(parts, name, text != NULL ? text : sheet_word(&parts->sheet, SAY("not given")));
}

void part_instrument(struct parts *parts)
{
	const struct monitor *monitor = parts->monitor;
	struct text range = {0};
	if (monitor == NULL || parts->secrecy != SECRECY_NONE)
		return;
	if (monitor->has_range) {
		text_double(&range, monitor->range_low);
		text_add(&range, " \xe2\x80\x93 ");
		text_double(&range, monitor->range_high);
		text_char(&range, ' ');
		text_add(&range, monitor->unit);
	}
	part_begin(parts, SAY("Instrument"));
	part_pairs(parts);
	part_row(parts, SAY("Measuring range"), range.at);
	row_given(parts, SAY("Accepted on"), monitor->accepted_on);
	row_given(parts, SAY("Last comparison"), monitor->last_comparison);
	row_given(parts, SAY("Operating unit"), monitor->operator);
	part_pairs_end(parts);
	part_settings(parts);
	part_end(parts);
	text_deinit(&range);
}

/* --- responsible --- */

static void row_person(struct parts *parts, const char *name, const char *person)
{
	if (person == NULL || person[0] == '\0')
		return;
	if (parts->dossier->open)
		part_row_word(parts, name, SAY("named, not public"));
	else
		part_row(parts, name, person);
}

static bool unit_tells(const struct parts *parts, const char *unit)
{
	return !parts->dossier->open ||
	       dossier_unit_tells(parts->dossier->plan, parts->dossier->c, unit);
}

static void rows_parties(struct parts *parts, const struct parties *p)
{
	if (parts->secrecy == SECRECY_NONE) {
		part_row(parts, SAY("Supporting units"), p->support_units);
		part_row(parts, SAY("Territory"), p->territory);
	}
	row_person(parts, SAY("River chief"), p->river_chief);
	row_person(parts, SAY("Grid officer"), p->officer);
	row_person(parts, SAY("Contact"), p->contact);
	if (p->contact != NULL && !parts->dossier->open) {
		part_row(parts, SAY("Appointed by"), p->appointed_by);
		part_row(parts, SAY("Appointed until"), p->valid_until);
	}
	if (parts->secrecy != SECRECY_NONE)
		return;
	part_row(parts, SAY("Enterprise"), p->enterprise);
	part_row(parts, SAY("Credit code"), p->credit_code);
	part_row(parts, SAY("Permit"), p->permit_no);
	part_row(parts, SAY("Outlet"), p->outlet);
}

void part_responsible(struct parts *parts)
{
	const json_t *r = json_object_get(parts->dossier->c, "responsible");
	part_begin(parts, SAY("Responsible"));
	part_pairs(parts);
	part_row(parts, SAY("Responsible unit"),
		 parts->secrecy != SECRECY_NONE             ? part_site_name(parts)
		 : unit_tells(parts, json_words(r, "unit")) ? json_words(r, "unit")
							    : NULL);
	row_person(parts, SAY("leader"), json_words(r, "leader"));
	row_person(parts, SAY("team"), json_words(r, "team"));
	if (parts->site != NULL && !parts->dossier->open)
		part_row(parts, SAY("Telephone"), parts->site->responsible.phone);
	if (parts->site != NULL)
		rows_parties(parts, &parts->site->parties);
	part_pairs_end(parts);
	part_end(parts);
}

/* --- demands and deadline --- */

static void row_count(struct parts *parts, const char *name, const char *member)
{
	char count[24];
	long long n = (long long)json_integer_value(json_object_get(parts->dossier->c, member));
	if (n == 0)
		return;
	snprintf(count, sizeof count, "%lld", n);
	part_row(parts, name, count);
}

static void row_escalation(struct parts *parts)
{
	static const char *const words[] = {NULL, SAY("reminder"), SAY("supervision order"),
					    SAY("proposed to the higher authority")};
	json_int_t n = json_integer_value(json_object_get(parts->dossier->c, "escalation"));
	if (n > 0 && n < 4)
		part_row_word(parts, SAY("escalation"), words[n]);
}

static void row_merged(struct parts *parts)
{
	json_int_t id = json_integer_value(json_object_get(parts->dossier->c, "merged_into"));
	if (id == 0 || !part_tells(parts, id))
		return;
	part_row_begin(parts, SAY("merged into"));
	part_number(parts, id);
	part_row_end(parts);
}

void part_demands(struct parts *parts)
{
	const json_t *c = parts->dossier->c;
	int64_t due_ms = json_ms(c, "due_at"), closed_ms = json_case_ended(c);
	part_begin(parts, SAY("Demands and deadline"));
	part_pairs(parts);
	part_row_time(parts, SAY("opened"), json_ms(c, "opened_at"));
	part_row_word(parts, SAY("source"), json_words(c, "source"));
	if (!parts->dossier->open)
		part_row(parts, SAY("document"), json_words(c, "document"));
	if (!parts->dossier->open && json_words(c, "level_document") != NULL)
		part_row(parts, SAY("listed by"), json_words(c, "level_document"));
	part_row_word(parts, SAY("stage"), json_words(c, "stage"));
	if (closed_ms == 0)
		part_row_time(parts, SAY("due"), due_ms);
	if (due_ms != 0 && closed_ms == 0 && due_ms < parts->dossier->now_ms)
		part_row_word(parts, SAY("Deadline"), SAY("overdue"));
	row_escalation(parts);
	part_row_word(parts, SAY("track"), json_words(c, "track"));
	row_count(parts, SAY("relapses"), "relapses");
	row_count(parts, SAY("reopened"), "reopened");
	row_count(parts, SAY("taken up again after withdrawal or merging"), "restored");
	part_row_code(parts, SAY("reason for withdrawal"), json_words(c, "withdrawn_reason"));
	row_merged(parts);
	part_row_time(parts, SAY("Ended on"), closed_ms);
	part_pairs_end(parts);
	part_end(parts);
}

void part_steps(struct parts *parts)
{
	static const char *const heads[] = {SAY("step of the plan"), SAY("due"),
					    SAY("struck off on")};
	const json_t *steps = json_object_get(parts->dossier->c, "steps");
	struct sheet *sheet = &parts->sheet;
	if (json_array_size(steps) == 0 || parts->dossier->open)
		return;
	part_begin(parts, SAY("Steps of the plan"));
	sheet_table(&parts->sheet, "list", heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < json_array_size(steps) && i < STEPS_SHOWN; i++) {
		const json_t *step = json_array_get(steps, i);
		sheet_markup(sheet, "<tr><td>");
		sheet_text(sheet, json_words(step, "step"));
		sheet_markup(sheet, "</td><td>");
		sheet_time(sheet, json_ms(step, "due_at"));
		sheet_markup(sheet, "</td><td>");
		sheet_time(sheet, json_ms(step, "done_at"));
		sheet_markup(sheet, "</td></tr>\n");
	}
	sheet_table_end(&parts->sheet);
	part_end(parts);
}

/* --- history --- */

/* In the open: the post that somebody holds, not the name. */
static const char *post_of(const struct parts *parts, const char *by)
{
	const struct case_rules *rules = parts->dossier->plan->rules;
	const struct officer *officer =
		rules == NULL || rules->n_officers == 0 ? NULL : officer_of(rules, by, by);
	if (strcmp(by, "duchad") == 0)
		return SAY("the system");
	if (officer == NULL)
		return SAY("an officer");
	return (officer->roles & ROLE_LEADER) != 0      ? SAY("a leader")
	       : (officer->roles & ROLE_INSPECTOR) != 0 ? SAY("an inspector")
							: SAY("a handler");
}

/* The user of the machine who said so over the socket, where that is another name. */
static void step_user(struct parts *parts, const char *by, const char *user)
{
	if (user == NULL || parts->dossier->open || strcmp(by, user) == 0)
		return;
	sheet_markup(&parts->sheet, " <small>(");
	sheet_text(&parts->sheet, user);
	sheet_markup(&parts->sheet, ")</small>");
}

static void step_who(struct parts *parts, const json_t *step)
{
	const char *by = json_words(step, "by");
	if (by == NULL)
		return;
	if (parts->dossier->open || strcmp(by, "duchad") == 0)
		sheet_say(&parts->sheet, post_of(parts, by));
	else
		sheet_text(&parts->sheet, by);
	step_user(parts, by, json_words(step, "user"));
}

/* Which texts of a step may stand in the open: listed words, and units. */
static bool is_public(const struct parts *parts, const char *member, const char *text)
{
	static const char *const public[] = {"reason", "track", "level", "type"};
	for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
		if (strcmp(member, public[i]) == 0)
			return true;
	return strcmp(member, "unit") == 0 && parts->secrecy == SECRECY_NONE &&
	       unit_tells(parts, text);
}

static bool is_listed(const char *member)
{
	return strcmp(member, "reason") == 0 || strcmp(member, "track") == 0 ||
	       strcmp(member, "level") == 0 || strcmp(member, "type") == 0 ||
	       strcmp(member, "relation") == 0;
}

static void step_given(struct parts *parts, const json_t *step, const char *member)
{
	const char *text = json_words(step, member);
	if (text == NULL || (parts->dossier->open && !is_public(parts, member, text)))
		return;
	sheet_markup(&parts->sheet, "<div>");
	sheet_say(&parts->sheet, field_words(member));
	text_add(parts->sheet.out, ": ");
	if (is_listed(member))
		sheet_code(&parts->sheet, text);
	else
		sheet_text(&parts->sheet, text);
	sheet_markup(&parts->sheet, "</div>");
}

static void step_numbers(struct parts *parts, const json_t *step)
{
	const json_t *other = json_object_get(step, "other");
	int64_t due_ms = json_ms(step, "due");
	if (due_ms != 0) {
		sheet_markup(&parts->sheet, "<div>");
		sheet_say(&parts->sheet, SAY("due"));
		text_add(parts->sheet.out, ": ");
		sheet_time(&parts->sheet, due_ms);
		sheet_markup(&parts->sheet, "</div>");
	}
	if (json_is_integer(other) && part_tells(parts, json_integer_value(other))) {
		sheet_markup(&parts->sheet, "<div>");
		sheet_say(&parts->sheet, SAY("case"));
		text_char(parts->sheet.out, ' ');
		part_number(parts, json_integer_value(other));
		sheet_markup(&parts->sheet, "</div>");
	}
}

static void history_row(struct parts *parts, const json_t *step)
{
	struct sheet *sheet = &parts->sheet;
	const char *note = json_words(step, "note");
	sheet_markup(sheet, "<tr><td>");
	sheet_time(sheet, json_ms(step, "at"));
	sheet_markup(sheet, "</td><td>");
	sheet_say(sheet, json_step(json_object_get(parts->dossier->c, "history"), step));
	sheet_markup(sheet, "</td><td>");
	step_who(parts, step);
	sheet_markup(sheet, "</td><td>");
	if (note != NULL && !parts->dossier->open) {
		sheet_markup(sheet, "<div class=\"note\">");
		sheet_text(sheet, note);
		sheet_markup(sheet, "</div>");
	}
	for (size_t i = 0; i < n_order_fields; i++)
		if ((order_fields[i].uses & (USE_ACT | USE_ATTACH)) != 0 &&
		    strcmp(order_fields[i].name, "by") != 0 &&
		    strcmp(order_fields[i].name, "note") != 0)
			step_given(parts, step, order_fields[i].name);
	step_numbers(parts, step);
	sheet_markup(sheet, "</td></tr>\n");
}

void part_history(struct parts *parts)
{
	static const char *const heads[] = {SAY("Time"), SAY("Step"), SAY("By"),
					    SAY("What was said")};
	const json_t *history = json_object_get(parts->dossier->c, "history");
	part_begin(parts, SAY("History"));
	part_newest(parts, heads, sizeof heads / sizeof heads[0], history, STEPS_SHOWN,
		    history_row);
	part_end(parts);
}

/* --- attachments, evidence --- */

static void attachment_row(struct parts *parts, const json_t *file)
{
	struct sheet *sheet = &parts->sheet;
	sheet_markup(sheet, "<tr><td>");
	sheet_time(sheet, json_ms(file, "at"));
	sheet_markup(sheet, "</td><td>");
	sheet_say(sheet, json_words(file, "type"));
	sheet_markup(sheet, "</td><td class=\"file\">");
	if (!parts->dossier->open)
		sheet_text(sheet, json_words(file, "name"));
	text_format(sheet->out, "</td><td class=\"whole\">%lld</td><td><small>",
		    (long long)json_integer_value(json_object_get(file, "bytes")));
	sheet_text(sheet, json_words(file, "sha256"));
	sheet_markup(sheet, "</small></td></tr>\n");
}

void part_attachments(struct parts *parts)
{
	static const char *const heads[] = {SAY("Time"), SAY("Type"), SAY("file name"),
					    SAY("Bytes"), SAY("SHA-256")};
	const json_t *files = json_object_get(parts->dossier->c, "attachments");
	if (json_array_size(files) == 0)
		return;
	part_begin(parts, SAY("Attachments"));
	sheet_table(&parts->sheet, "list", heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < json_array_size(files) && i < STEPS_SHOWN; i++)
		attachment_row(parts, json_array_get(files, i));
	sheet_table_end(&parts->sheet);
	part_end(parts);
}

/* A load rests on all readings of the year, and on none of the moment when a share was reached. */
static void rows_readings(struct parts *parts)
{
	const struct dossier *dossier = parts->dossier;
	const struct dossier_frames *frames = dossier->frames;
	json_int_t sealed = json_integer_value(
		json_object_get(json_object_get(dossier->c, "evidence"), "readings"));
	char count[64];
	if (dossier->load != NULL) {
		snprintf(count, sizeof count, "%lld / %lld", (long long)dossier->load->valid,
			 (long long)dossier->load->readings);
		part_row(parts, SAY("Readings of the year that were added up: valid / all"), count);
	}
	/* of an alert that counts none as it goes on, they have been read */
	if (frames != NULL && frames->readings > 0)
		sealed = (json_int_t)frames->readings;
	if (sealed == 0 && dossier->load != NULL)
		return;
	snprintf(count, sizeof count, "%lld", (long long)sealed);
	part_row(parts, SAY("Readings of the case"), count);
}

void part_evidence(struct parts *parts)
{
	const json_t *evidence = json_object_get(parts->dossier->c, "evidence");
	const char *digest = json_words(evidence, "digest");
	if (json_array_size(json_object_get(parts->dossier->c, "episodes")) == 0)
		return; /* by hand: nothing was measured */
	part_begin(parts, SAY("Evidence"));
	part_pairs(parts);
	rows_readings(parts);
	if (digest != NULL)
		part_row(parts, SAY("Digest of the readings (SHA-256)"), digest);
	else
		part_row_word(parts, SAY("Digest of the readings (SHA-256)"),
			      SAY("not sealed yet"));
	part_pairs_end(parts);
	part_end(parts);
}
