/* SPDX-License-Identifier: Apache-2.0 */
/* Other cases that have to do with this one, by their numbers. */
#include "deliver/dossier-parts.h"

#include <stdio.h>
#include <string.h>

enum { LINKS_SHOWN = 60 };

/* Return: the other case; NULL where the ledger is not there, or does not have it. */
static json_t *read_case(const struct parts *parts, int64_t id)
{
	struct text text = {0};
	json_t *c = NULL;
	if (parts->dossier->ledger != NULL &&
	    ledger_case_json(parts->dossier->ledger, id, &text) == 0)
		c = json_loadb(text.at, text.length, 0, NULL);
	text_deinit(&text);
	return c;
}

static void number(struct parts *parts, const json_t *c, int64_t id)
{
	if (json_words(c, "number") != NULL)
		sheet_text(&parts->sheet, json_words(c, "number"));
	else
		text_format(parts->sheet.out, "%lld", (long long)id);
}

void part_number(struct parts *parts, int64_t id)
{
	json_t *c = read_case(parts, id);
	number(parts, c, id);
	json_decref(c);
}

/* On an open page neither of the two leads to an enterprise that is not to be named. */
bool part_tells(const struct parts *parts, int64_t id)
{
	struct case_whose whose;
	const struct dossier *dossier = parts->dossier;
	if (!dossier->open)
		return true;
	return parts->secrecy == SECRECY_NONE && dossier->ledger != NULL &&
	       ledger_case_whose(dossier->ledger, id, &whose) == 0 &&
	       secrecy_of_case(dossier->plan, whose.site[0] == '\0' ? NULL : whose.site,
			       whose.verified) == SECRECY_NONE;
}

/* What a person wrote stands on no open page. */
static void link_row(struct parts *parts, const json_t *link)
{
	struct sheet *sheet = &parts->sheet;
	int64_t id = json_integer_value(json_object_get(link, "case"));
	const char *relation = json_words(link, "relation");
	json_t *c = read_case(parts, id);
	sheet_markup(sheet, "<tr><td class=\"whole\">");
	number(parts, c, id);
	sheet_markup(sheet, "</td><td>");
	if (!parts->dossier->open || json_is(link, "by", "duchad"))
		sheet_code(sheet, relation == NULL ? "" : relation);
	sheet_markup(sheet, "</td><td>");
	sheet_text(sheet, json_words(c, "site_name"));
	sheet_markup(sheet, "</td><td>");
	if (c != NULL)
		sheet_say(sheet, json_kind(c));
	sheet_markup(sheet, "</td><td>");
	if (c != NULL)
		sheet_say(sheet, json_words(c, "status"));
	sheet_markup(sheet, "</td><td>");
	sheet_time(sheet, json_ms(link, "at"));
	sheet_markup(sheet, "</td></tr>\n");
	json_decref(c);
}

/* Those that may be told here. */
static json_t *told_links(const struct parts *parts)
{
	json_t *told = json_array(), *link;
	size_t i;
	json_array_foreach(json_object_get(parts->dossier->c, "links"), i, link)
	{
		if (part_tells(parts, json_integer_value(json_object_get(link, "case"))))
			json_array_append(told, link);
	}
	return told;
}

void part_links(struct parts *parts)
{
	static const char *const heads[] = {SAY("Number"), SAY("relation"), SAY("Site"),
					    SAY("kind"),   SAY("status"),   SAY("Time")};
	json_t *links = told_links(parts);
	if (json_array_size(links) > 0) {
		part_begin(parts, SAY("Linked cases"));
		part_newest(parts, heads, sizeof heads / sizeof heads[0], links, LINKS_SHOWN,
			    link_row);
		part_end(parts);
	}
	json_decref(links);
}
