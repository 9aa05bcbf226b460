/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The dossier's sections, in the order of the page. Each writes its own heading, and nothing at all
 * where it has nothing to say.
 */
#include "deliver/dossier.h"

struct parts {
	struct sheet sheet;
	const struct dossier *dossier;
	const struct site *site;       /* NULL: not of this plan */
	const struct monitor *monitor; /* NULL: not of this plan, or the case has none */
	unsigned pictures;             /* drawn so far */
	enum secrecy secrecy;          /* dossier_secrecy() on an open page, else none */
};

void part_facts(struct parts *parts);
/** part_untold() - in place of all of it, where nothing may lead to whom the case is about */
void part_untold(struct parts *parts);
/** part_rain() - a paragraph of the facts: what rain fell, and that it excuses nothing */
void part_rain(struct parts *parts);
/** part_advice() - what the alert means, asks for, and how soon */
void part_advice(struct parts *parts);
void part_values(struct parts *parts);
/** part_factors() - each with its worst value, where further factors have joined the case */
void part_factors(struct parts *parts);
void part_chart(struct parts *parts);
/** part_load() - of a case of a load, in place of its readings: the sum against the permit */
void part_load(struct parts *parts);
/** load_began() - when the newest share of a permit was reached; its year is the one in question */
int64_t load_began(const json_t *c);
/** part_marks() - what was said later about the readings that are drawn */
void part_marks(struct parts *parts);
void part_episodes(struct parts *parts);
void part_place(struct parts *parts);
void part_instrument(struct parts *parts);
/** part_settings() - a table of ranges and slopes, where they were changed */
void part_settings(struct parts *parts);
void part_responsible(struct parts *parts);
void part_demands(struct parts *parts);
void part_steps(struct parts *parts);
/** part_links() - the cases that this one is linked to, has taken in, or has gone into */
void part_links(struct parts *parts);
/** part_tells() - may another case be told on this page? */
bool part_tells(const struct parts *parts, int64_t id);
/** part_number() - the number of another case, as people know it; where the ledger is not there,
 * its id */
void part_number(struct parts *parts, int64_t id);
void part_history(struct parts *parts);
void part_attachments(struct parts *parts);
void part_evidence(struct parts *parts);
void part_frames(struct parts *parts);

/* --- shared by them --- */

void part_begin(struct parts *parts, const char *heading);
void part_end(struct parts *parts);
/** part_newest() - a table of the newest @most of a list, a row each, and how many are not shown */
void part_newest(struct parts *parts, const char *const *heads, size_t n_heads, const json_t *list,
		 size_t most, void (*row)(struct parts *parts, const json_t *one));
/** part_pairs() - a table of names and texts, which part_row() and its like fill */
void part_pairs(struct parts *parts);
void part_pairs_end(struct parts *parts);
/** part_row_begin() - a name; then what stands beside it; then the end */
void part_row_begin(struct parts *parts, const char *name);
void part_row_end(struct parts *parts);
/** part_row() - a name and a text from outside; nothing where it is NULL or empty */
void part_row(struct parts *parts, const char *name, const char *text);
/** part_row_word() - a name and a word of ours */
void part_row_word(struct parts *parts, const char *name, const char *english);
/** part_row_code() - a name and a word of the API's, such as "river_section" */
void part_row_code(struct parts *parts, const char *name, const char *code);
/** part_source() - where a limit is from, in the language of the page; part_row_source() - the same
 * as a row */
void part_source(struct parts *parts, const char *source);
void part_row_source(struct parts *parts, const char *name, const char *source);
/** part_factor() - the name of an object's `factor` in the language of the page */
const char *part_factor(const struct parts *parts, const json_t *of);
void part_row_time(struct parts *parts, const char *name, int64_t wall_ms);
/** part_value() - the member with the case's decimals and unit; "-" where it is null */
void part_value(struct parts *parts, const json_t *object, const char *member);
/** part_value_words() - the same into @out without a unit. Return: false where it is null. */
bool part_value_words(const struct parts *parts, struct text *out, const json_t *object,
		      const char *member);
/** part_site_name() - "outfall 3", or that it is withheld */
const char *part_site_name(const struct parts *parts);
