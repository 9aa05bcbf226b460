/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/office-parts.h"

#include "core/caserules.h"
#include "core/casewords.h"
#include "core/compliance.h"
#include "core/order.h"
#include "core/refusal.h"

#include <string.h>

/* --- who is here --- */

static void attribute(struct office_page *page, const char *name, const char *english)
{
	text_format(page->sheet.out, " data-%s=\"", name);
	sheet_say(&page->sheet, english);
	text_char(page->sheet.out, '"');
}

static void button(struct office_page *page, const char *id, const char *type, const char *english)
{
	text_format(page->sheet.out, "<button id=\"%s\" type=\"%s\">", id, type);
	sheet_say(&page->sheet, english);
	sheet_markup(&page->sheet, "</button>");
}

/* The field has no name and the form no address, so that no browser sends the token by itself. */
static void sign_in(struct office_page *page)
{
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "<form id=\"sign\" hidden><label>");
	sheet_say(sheet, SAY("Officer's token"));
	sheet_markup(sheet, "<input id=\"token\" type=\"password\" autocomplete=\"off\" "
			    "maxlength=\"512\" required></label>");
	button(page, "enter", "submit", SAY("Sign in"));
	sheet_markup(sheet, "<span id=\"sign-said\" role=\"status\"");
	attribute(page, "wrong", SAY("this token is no officer's"));
	attribute(page, "many", SAY("too many attempts; wait a minute"));
	attribute(page, "failed", SAY("no answer; try again"));
	sheet_markup(sheet, "></span></form>");
}

static void roles(struct office_page *page, unsigned held)
{
	static const char *const names[] = {SAY("handling officer"), SAY("inspecting officer"),
					    SAY("leading officer")};
	const char *comma = " (";
	for (unsigned i = 0; i < 3; i++) {
		if ((held & 1u << i) == 0)
			continue;
		text_add(page->sheet.out, comma);
		sheet_say(&page->sheet, names[i]);
		comma = ", ";
	}
	text_add(page->sheet.out, held == 0 ? " " : ") ");
}

void office_who(struct office_page *page)
{
	const struct serve_officer *officer = page->office->officer;
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "<div id=\"who\" data-officer=\"");
	sheet_text(sheet, officer == NULL ? NULL : officer->name);
	sheet_markup(sheet, "\">");
	if (officer != NULL) {
		sheet_text(sheet, officer->name);
		roles(page, officer->roles);
		button(page, "out", "button", SAY("Sign out"));
	} else if (page->office->signs_in) {
		sign_in(page);
	}
	sheet_markup(sheet, "</div>\n");
}

/* --- the actions, and what each is asked --- */

static const struct {
	const char *takes, *needs; /* names of fields; needs: beside those of case_needs() */
} asked[CASE_ACTIONS] = {
	[ACTION_ACCEPT] = {"note", ""},
	[ACTION_ASSIGN] = {"unit leader team note", ""},
	[ACTION_PLAN] = {"note track step due unit leader team", ""},
	[ACTION_RECTIFIED] = {"step note", ""},
	[ACTION_RETURN] = {"note", ""},
	[ACTION_CLOSE] = {"note checkers approved_by", ""},
	[ACTION_REOPEN] = {"note", ""},
	[ACTION_WITHDRAW] = {"reason note", ""},
	[ACTION_EXTEND] = {"due note", ""},
	[ACTION_TRANSFER] = {"unit leader team document note", ""},
	[ACTION_MERGE] = {"other note", "other"},
	[ACTION_FEEDBACK] = {"note", ""},
	[ACTION_ATTACH] = {"type file note", " type file"},
	[ACTION_NOTE] = {"note", ""},
	[ACTION_LINK] = {"other relation note", ""},
	[ACTION_LEVEL] = {"level document dated note", ""},
};

static const struct {
	enum case_need need;
	const char *field;
} needed[] = {{NEED_UNIT, "unit"},   {NEED_REASON, "reason"}, {NEED_DUE, "due"},
	      {NEED_OTHER, "other"}, {NEED_LEVEL, "level"},   {NEED_DOCUMENT, "document"},
	      {NEED_DATED, "dated"}, {NEED_NOTE, "note"}};

static void action_choice(struct office_page *page, enum case_action action)
{
	struct sheet *sheet = &page->sheet;
	unsigned needs = action == ACTION_ATTACH ? 0 : case_needs(action);
	const char *space = "";
	text_format(sheet->out, "<option value=\"%s\" data-takes=\"%s\" data-needs=\"",
		    case_action_name(action), asked[action].takes);
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		if ((needs & needed[i].need) == 0)
			continue;
		text_format(sheet->out, "%s%s", space, needed[i].field);
		space = " ";
	}
	text_format(sheet->out, "%s%s\">", space, asked[action].needs);
	sheet_say(sheet, action_words(case_action_name(action)));
	sheet_markup(sheet, "</option>");
}

static void actions(struct office_page *page)
{
	sheet_markup(&page->sheet, "<label>");
	sheet_say(&page->sheet, SAY("Action"));
	sheet_markup(&page->sheet, "<select id=\"deed-action\">");
	for (int i = 0; i < CASE_ACTIONS; i++)
		if ((page->office->deeds & 1u << i) != 0)
			action_choice(page, (enum case_action)i);
	sheet_markup(&page->sheet, "</select></label>");
}

/* --- fields --- */

struct field {
	const char *name, *label;
	const char *input; /* NULL: of a list, or a long text */
	enum case_list list;
};
static const struct field fields[] = {
	{"unit", SAY("Responsible unit"), "text", CASE_LISTS},
	{"leader", SAY("leader"), "text", CASE_LISTS},
	{"team", SAY("team"), "text", CASE_LISTS},
	{"track", SAY("track"), NULL, LIST_TRACK},
	{"step", SAY("step of the plan"), "text", CASE_LISTS},
	{"due", SAY("due"), "date", CASE_LISTS},
	{"reason", SAY("reason"), NULL, LIST_REASON},
	{"level", SAY("level"), NULL, LIST_LEVEL},
	{"document", SAY("document"), "text", CASE_LISTS},
	{"dated", SAY("day of the document"), "date", CASE_LISTS},
	{"other", SAY("id of the other case"), "number", CASE_LISTS},
	{"relation", SAY("relation"), "text", CASE_LISTS},
	{"checkers", SAY("checked by"), "text", CASE_LISTS},
	{"approved_by", SAY("approved by"), "text", CASE_LISTS},
	{"type", SAY("Type"), NULL, LIST_ATTACHMENT},
	{"file", SAY("File, at most 16 MiB"), "file", CASE_LISTS},
	{"note", SAY("note"), NULL, CASE_LISTS},
};

static void field_list(struct office_page *page, const struct field *field)
{
	const char *code;
	text_format(page->sheet.out, "<select name=\"%s\"><option value=\"\">-</option>",
		    field->name);
	for (size_t i = 0; (code = case_word_at(field->list, i)) != NULL; i++) {
		text_format(page->sheet.out, "<option value=\"%s\">", code);
		sheet_code(&page->sheet, code);
		sheet_markup(&page->sheet, "</option>");
	}
	sheet_markup(&page->sheet, "</select>");
}

static void field_write(struct office_page *page, const struct field *field)
{
	const struct order_field *order = order_field_find(field->name, USE_ACT);
	size_t most = order == NULL ? 18 : order->most;
	text_format(page->sheet.out, "<label data-field=\"%s\">", field->name);
	sheet_say(&page->sheet, field->label);
	if (field->input != NULL)
		text_format(page->sheet.out, "<input name=\"%s\" type=\"%s\" maxlength=\"%zu\">",
			    field->name, field->input, most);
	else if (field->list != CASE_LISTS)
		field_list(page, field);
	else
		text_format(page->sheet.out, "<textarea name=\"%s\" maxlength=\"%zu\"></textarea>",
			    field->name, most);
	sheet_markup(&page->sheet, "</label>");
}

/* --- what is said before and after --- */

static void confirmation(struct office_page *page)
{
	struct text sentence = {0};
	struct sheet inner = page->sheet;
	inner.out = &sentence;
	sheet_phrase(&inner,
		     SAY("It is recorded under the name {name} and can never be rewritten."),
		     "name", page->office->officer->name, NULL);
	sheet_markup(&page->sheet, "<p id=\"deed-sure\" role=\"status\" hidden data-sure=\"");
	sheet_markup(&page->sheet, sentence.at);
	sheet_markup(&page->sheet, "\"></p>");
	text_deinit(&sentence);
}

/* What a day that does not count for closing is. */
static void days(struct sheet *sheet)
{
	sheet_markup(sheet, "<ul id=\"deed-days\" hidden>");
	for (int i = DAY_COMPLIES + 1; i < DAY_STATES; i++) {
		text_format(sheet->out, "<li data-day=\"%s\">", day_state_name((enum day_state)i));
		sheet_say(sheet, day_state_text((enum day_state)i));
		sheet_markup(sheet, "</li>");
	}
	sheet_markup(sheet, "</ul>");
}

static void refusal(struct office_page *page)
{
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "<p id=\"deed-refused\" role=\"alert\" hidden");
	attribute(page, "refused", SAY("Refused: nothing was recorded."));
	attribute(page, "allowed", SAY("What this case takes now:"));
	attribute(page, "lacks", SAY("It lacks:"));
	attribute(page, "s400", SAY("Something is missing, or not as it has to be:"));
	attribute(page, "s403", SAY("The officer's role does not allow it."));
	attribute(page, "s404", SAY("There is no such case."));
	attribute(page, "s409", SAY("The case as it stands now does not take it."));
	attribute(page, "s413", SAY("The file or the text is too large."));
	attribute(page, "unknown",
		  SAY("No answer: look whether it was recorded before you try again."));
	sheet_markup(sheet, "></p><ul id=\"deed-lacks\" hidden>");
	for (unsigned i = 0; i < CLOSING_LACKS; i++) {
		text_format(sheet->out, "<li data-lack=\"%s\">", closing_lack_name(1u << i));
		sheet_say(sheet, closing_lack_text(1u << i));
		sheet_markup(sheet, "</li>");
	}
	sheet_markup(sheet, "</ul>");
	days(sheet);
	sheet_markup(sheet, "<ul id=\"deed-whys\" hidden>");
	for (int i = 0; i < REFUSALS; i++) {
		sheet_markup(sheet, "<li data-why=\"");
		sheet_text(sheet, refusal_text((enum refusal)i));
		sheet_markup(sheet, "\">");
		sheet_say(sheet, refusal_text((enum refusal)i));
		sheet_markup(sheet, "</li>");
	}
	sheet_markup(sheet, "</ul>");
}

static void dialog(struct office_page *page)
{
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "<dialog id=\"deed\" aria-labelledby=\"deed-case\">"
			    "<form id=\"deed-form\" method=\"dialog\"><h2 id=\"deed-case\"></h2>");
	refusal(page);
	sheet_markup(sheet, "<div id=\"deed-fields\">");
	actions(page);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		field_write(page, &fields[i]);
	sheet_markup(sheet, "</div>");
	confirmation(page);
	sheet_markup(sheet, "<p><button id=\"deed-go\" type=\"submit\"");
	attribute(page, "go", SAY("Go on"));
	attribute(page, "sure", SAY("Confirm"));
	sheet_markup(sheet, "></button> ");
	button(page, "deed-back", "button", SAY("Back"));
	text_char(sheet->out, ' ');
	button(page, "deed-leave", "button", SAY("Cancel"));
	sheet_markup(sheet, "</p></form></dialog>");
}

void office_deeds(struct office_page *page)
{
	const struct serve_officer *officer = page->office->officer;
	sheet_markup(&page->sheet, "<div id=\"deeds\" data-officer=\"");
	sheet_text(&page->sheet, officer == NULL ? NULL : officer->name);
	sheet_markup(&page->sheet, "\">");
	if (officer != NULL && page->office->deeds != 0)
		dialog(page);
	sheet_markup(&page->sheet, "</div>\n");
}

/* --- a case's button --- */

static void row_names(struct office_page *page, unsigned deeds)
{
	const char *space = "";
	for (int i = 0; i < CASE_ACTIONS; i++) {
		if ((deeds & 1u << i) == 0)
			continue;
		text_format(page->sheet.out, "%s%s", space, case_action_name((enum case_action)i));
		space = " ";
	}
}

void office_row_deeds(struct office_page *page, const struct office_case *c)
{
	struct sheet *sheet = &page->sheet;
	unsigned allowed = 0;
	if (page->office->deeds == 0)
		return;
	/* what cannot be read is offered nothing */
	if (ledger_allowed(page->office->setup->ledger, c->id, &allowed) != 0)
		allowed = 0;
	allowed &= page->office->deeds;
	sheet_markup(sheet, "<td>");
	if (allowed != 0) {
		text_format(sheet->out, "<button type=\"button\" data-case=\"%lld\" data-acts=\"",
			    (long long)c->id);
		row_names(page, allowed);
		sheet_markup(sheet, "\" data-title=\"");
		sheet_text(sheet, json_words(c->json, "number"));
		text_char(sheet->out, ' ');
		sheet_text(sheet, json_words(c->json, "site_name"));
		sheet_markup(sheet, "\">");
		sheet_say(sheet, SAY("Act"));
		sheet_markup(sheet, "</button>");
	}
	sheet_markup(sheet, "</td>");
}
