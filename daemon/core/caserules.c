/* SPDX-License-Identifier: Apache-2.0 */
#include "core/caserules.h"

#include "core/text.h"

#include <string.h>
#include <strings.h>

#define MINUTES(count)                                                                             \
	{                                                                                          \
		TERM_MINUTES, count                                                                \
	}
#define HOURS(count)                                                                               \
	{                                                                                          \
		TERM_MINUTES, (count)*60                                                           \
	}
#define DAYS(count)                                                                                \
	{                                                                                          \
		TERM_DAYS, count                                                                   \
	}
#define WORKDAYS(count)                                                                            \
	{                                                                                          \
		TERM_WORKDAYS, count                                                               \
	}

const char *stage_name(enum stage stage)
{
	static const char *const names[STAGES] = {NULL,   "verify",  "assign",
						  "plan", "rectify", "check"};
	return names[stage];
}

/* --- defaults: a judgement, each to be set by the office --- */

static const struct terms river_terms = {
	.stage = {[STAGE_VERIFY] = WORKDAYS(1),
		  [STAGE_ASSIGN] = WORKDAYS(2),
		  [STAGE_PLAN] = WORKDAYS(5),
		  [STAGE_RECTIFY] = DAYS(30),
		  [STAGE_CHECK] = WORKDAYS(5)},
	.planned = DAYS(90),
	.longest = DAYS(90),
	.extended = DAYS(180),
	.remind = {DAYS(3), DAYS(1)},
	.escalate = {WORKDAYS(3), WORKDAYS(10)},
};
/* The emergency track: calendar time throughout, half of it and then a reminder. */
static const struct terms source_terms = {
	.stage = {[STAGE_VERIFY] = MINUTES(30),
		  [STAGE_ASSIGN] = HOURS(2),
		  [STAGE_PLAN] = HOURS(24),
		  [STAGE_RECTIFY] = HOURS(72),
		  [STAGE_CHECK] = HOURS(24)},
	.planned = HOURS(15 * 24),
	.longest = HOURS(15 * 24),
	.extended = HOURS(30 * 24),
	.remind = {{TERM_HALF, 0}},
	.escalate = {HOURS(1), HOURS(4)},
};
static const struct terms outfall_terms = {
	.stage = {[STAGE_VERIFY] = HOURS(24),
		  [STAGE_ASSIGN] = WORKDAYS(1),
		  [STAGE_PLAN] = WORKDAYS(3),
		  [STAGE_RECTIFY] = WORKDAYS(5),
		  [STAGE_CHECK] = WORKDAYS(5)},
	.planned = DAYS(30),
	.longest = DAYS(180),
	.extended = DAYS(180),
	.remind = {DAYS(2), DAYS(1)},
	.escalate = {WORKDAYS(3), WORKDAYS(10)},
};

static const struct terms *terms_of(int kind)
{
	if (kind == SITE_RIVER_SECTION)
		return &river_terms;
	return kind == SITE_WATER_SOURCE ? &source_terms : &outfall_terms;
}

static void roles_default(unsigned may[DEEDS])
{
	enum { H = ROLE_HANDLER, I = ROLE_INSPECTOR, L = ROLE_LEADER };
	static const unsigned defaults[DEEDS] = {
		[ACTION_ACCEPT] = H | I | L, [ACTION_ASSIGN] = H | L,
		[ACTION_PLAN] = H,           [ACTION_RECTIFIED] = H,
		[ACTION_RETURN] = I | L,     [ACTION_CLOSE] = I | L,
		[ACTION_REOPEN] = I | L,     [ACTION_WITHDRAW] = I | L,
		[ACTION_EXTEND] = L,         [ACTION_TRANSFER] = H | L,
		[ACTION_MERGE] = H | L,      [ACTION_FEEDBACK] = H | I | L,
		[ACTION_ATTACH] = H | I | L, [ACTION_NOTE] = H | I | L,
		[ACTION_LINK] = H | I | L,   [ACTION_LEVEL] = L,
		[DEED_OPEN] = H | I | L,     [DEED_ACKNOWLEDGE] = H | I | L,
		[DEED_SHELVE] = H | L,       [DEED_MARK] = H | I | L,
	};
	memcpy(may, defaults, sizeof defaults);
}

void case_rules_default(struct case_rules *rules)
{
	*rules = (struct case_rules){
		.fault_shelve_workdays = 5,
		.strangers = true,
		.closing = {.clear = true,
			    .other_person = true,
			    .record = true,
			    .approval = true,
			    .five_ones = true,
			    .steps = true,
			    .laboratory = true,
			    .release = true,
			    .checkers = 2,
			    .attachments = 1,
			    .compliant_days = {[SITE_RIVER_SECTION] = 7,
					       [SITE_WATER_SOURCE] = 3,
					       [SITE_OUTFALL] = 3}},
	};
	for (int kind = 0; kind < SITE_KINDS; kind++)
		for (int severity = 0; severity < SEVERITIES; severity++)
			rules->terms[kind][severity] = *terms_of(kind);
	rules->terms[SITE_OUTFALL][SEVERITY_GRAVE].stage[STAGE_ASSIGN] = (struct term)HOURS(4);
	roles_default(rules->may);
}

/* --- closing --- */

/* A case that was put right at once needs no team and no plan where it was a small one. */
static unsigned five_lacks(const struct closing_facts *f)
{
	if (f->track == TRACK_IMMEDIATE && f->severity == SEVERITY_GENERAL)
		return 0;
	return (f->unit ? 0 : LACK_UNIT) | (f->leader ? 0 : LACK_LEADER) |
	       (f->team ? 0 : LACK_TEAM) | (f->plan ? 0 : LACK_PLAN);
}

static bool asks_laboratory(const struct closing *c, const struct closing_facts *f)
{
	return f->exceedance && c->laboratory && f->kind == SITE_WATER_SOURCE;
}

static bool asks_release(const struct closing *c, const struct closing_facts *f)
{
	return c->release && !f->district;
}

/* What stands beside the record; one that is asked for by itself does not count twice. */
static int beside(const struct closing *c, const struct closing_facts *f)
{
	return f->attachments + (f->laboratory && !asks_laboratory(c, f)) +
	       (f->release && !asks_release(c, f));
}

static unsigned data_lacks(const struct closing *c, const struct closing_facts *f)
{
	bool short_of_days = f->exceedance && f->compliant_days < c->compliant_days[f->kind];
	return (short_of_days ? LACK_DAYS : 0) |
	       (asks_laboratory(c, f) && !f->laboratory ? LACK_LABORATORY : 0);
}

unsigned closing_lacks(const struct closing *c, const struct closing_facts *f)
{
	unsigned lacks = data_lacks(c, f);
	if (c->clear && f->alert_active)
		lacks |= LACK_CLEAR;
	if (c->other_person && f->judges_itself)
		lacks |= LACK_OTHER;
	if (f->checkers < c->checkers)
		lacks |= LACK_CHECKERS;
	if (c->record && !f->record)
		lacks |= LACK_RECORD;
	if (beside(c, f) < c->attachments)
		lacks |= LACK_ATTACHMENT;
	if (c->approval && !f->approved)
		lacks |= LACK_APPROVAL;
	if (c->five_ones)
		lacks |= five_lacks(f);
	if (c->steps && f->open_steps > 0)
		lacks |= LACK_STEPS;
	if (asks_release(c, f) && !f->release)
		lacks |= LACK_RELEASE;
	return lacks;
}

static const struct {
	const char *name, *text;
} lacks[CLOSING_LACKS] = {
	{"clear", "an alert of it is active"},
	{"other_person", "nobody who reported rectification closes, checks or approves it"},
	{"checkers", "more people who checked on the spot (checkers)"},
	{"record", "the record of the check (attachment of type record)"},
	{"attachment", "a photo or another document beside the record"},
	{"approval", "the leader who approves (approved_by)"},
	{"unit", "a responsible unit"},
	{"leader", "a leader"},
	{"team", "a team"},
	{"plan", "a plan"},
	{"steps", "steps of the plan are not struck off"},
	{"days", "more compliant days"},
	{"laboratory", "a laboratory's report (attachment of type laboratory)"},
	{"release", "the release of the authority that listed it (attachment of type release)"},
};

static unsigned place_of_bit(unsigned bit)
{
	unsigned place = 0;
	while (place + 1 < CLOSING_LACKS && (1u << place) != bit)
		place++;
	return place;
}

const char *closing_lack_name(unsigned bit)
{
	return lacks[place_of_bit(bit)].name;
}

const char *closing_lack_text(unsigned bit)
{
	return lacks[place_of_bit(bit)].text;
}

/* --- who may --- */

const char *deed_name(int deed)
{
	static const char *const others[] = {"open", "acknowledge", "shelve", "mark"};
	return deed < CASE_ACTIONS ? case_action_name((enum case_action)deed)
				   : others[deed - CASE_ACTIONS];
}

static void roles_text(unsigned roles, struct text *out)
{
	static const char *const names[] = {"handler", "inspector", "leader"};
	bool first = true;
	for (unsigned i = 0; i < 3; i++) {
		if ((roles & 1u << i) == 0)
			continue;
		text_add(out, first ? "" : " or ");
		text_add(out, names[i]);
		first = false;
	}
}

bool officer_may(const struct case_rules *rules, const struct officer *officer, int deed,
		 struct text *why)
{
	if ((officer->roles & rules->may[deed]) != 0)
		return true;
	text_format(why, "%.200s may not %s; it takes the role ", officer->name, deed_name(deed));
	roles_text(rules->may[deed], why);
	return false;
}

/* --- people in lists --- */

/* Where the name at @at ends, and where the next may begin. */
static const char *name_end(const char *at, const char **next)
{
	static const char *const marks[] = {",", ";", "、", "，", "；"};
	for (; *at != '\0'; at++)
		for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
			if (strncmp(at, marks[i], strlen(marks[i])) == 0) {
				*next = at + strlen(marks[i]);
				return at;
			}
	*next = at;
	return at;
}

static size_t trimmed(const char **at, const char *end)
{
	while (*at < end && **at == ' ')
		++*at;
	while (end > *at && end[-1] == ' ')
		end--;
	return (size_t)(end - *at);
}

struct name {
	const char *at;
	size_t length;
};

static bool word_is(struct name name, const char *word)
{
	return word != NULL && strlen(word) == name.length &&
	       strncasecmp(name.at, word, name.length) == 0;
}

/* A name or id goes before the user of another. */
static const struct officer *officer_spelt(const struct case_rules *rules, struct name name)
{
	for (size_t i = 0; i < rules->n_officers; i++)
		if (word_is(name, rules->officers[i].name) || word_is(name, rules->officers[i].id))
			return &rules->officers[i];
	for (size_t i = 0; i < rules->n_officers; i++)
		if (word_is(name, rules->officers[i].user))
			return &rules->officers[i];
	return NULL;
}

static struct name name_of(const char *text)
{
	struct name name = {.at = text};
	name.length = trimmed(&name.at, text + strlen(text));
	return name;
}

const struct officer *officer_of(const struct case_rules *rules, const char *by, const char *peer)
{
	if (by != NULL)
		return officer_spelt(rules, name_of(by));
	for (size_t i = 0; peer != NULL && i < rules->n_officers; i++)
		if (rules->officers[i].user != NULL && strcmp(rules->officers[i].user, peer) == 0)
			return &rules->officers[i];
	return NULL;
}

static bool same_person(const struct case_rules *rules, struct name a, struct name b)
{
	const struct officer *officer = officer_spelt(rules, a);
	if (officer != NULL && officer == officer_spelt(rules, b))
		return true;
	return a.length == b.length && strncasecmp(a.at, b.at, a.length) == 0;
}

/* The next name of a list, and @at behind it; length 0: one that is empty. */
static struct name name_next(const char **at)
{
	const char *next, *end = name_end(*at, &next);
	struct name name = {.at = *at};
	name.length = trimmed(&name.at, end);
	*at = next;
	return name;
}

/* Is the person named before @end? */
static bool named_before(const struct case_rules *rules, const char *list, const char *end,
			 struct name person)
{
	while (list < end && *list != '\0') {
		struct name name = name_next(&list);
		if (name.at < end && name.length > 0 && same_person(rules, name, person))
			return true;
	}
	return false;
}

/* Where the office has named its officers, nobody else has a role. */
static bool has_role(const struct case_rules *rules, struct name name, unsigned roles)
{
	if (rules == NULL || rules->n_officers == 0)
		return true;
	const struct officer *officer = officer_spelt(rules, name);
	return officer != NULL && (officer->roles & roles) != 0;
}

bool officer_is(const struct case_rules *rules, const char *name, unsigned roles)
{
	return has_role(rules, name_of(name), roles);
}

int names_count(const struct case_rules *rules, const char *list, unsigned roles)
{
	int n = 0;
	for (const char *at = list; at != NULL && *at != '\0';) {
		struct name name = name_next(&at);
		n += name.length > 0 && !named_before(rules, list, name.at, name) &&
		     has_role(rules, name, roles);
	}
	return n;
}

bool names_share(const struct case_rules *rules, const char *list, const char *other)
{
	for (const char *at = other; list != NULL && at != NULL && *at != '\0';) {
		struct name name = name_next(&at);
		if (name.length > 0 && named_before(rules, list, list + strlen(list), name))
			return true;
	}
	return false;
}
