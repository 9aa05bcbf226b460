/* SPDX-License-Identifier: Apache-2.0 */
#include "core/supcase.h"

#include "core/section.h"
#include "core/text.h"

#include <math.h>
#include <string.h>

/*
 *                 accept*         assign*        plan           plan
 *                ┌─────┐          ┌────┐         ┌────┐        ┌────┐
 *                │     ▼  assign  │    ▼  plan   │    ▼        │    ▼
 *   open ──────► registered ────► assigned ────► rectifying ───┘
 *                    ▲               │             │  ▲  ▲
 *                    │               │   rectified │  │  │ return, or a new episode (反复)
 *                    │ reopen        │             ▼  │  │
 *                    │               │            review ┘
 *                    │               │               │ close
 *                    │               │               ▼
 *                withdrawn ◄─────────┴── withdraw   closed ── reopen ──► rectifying
 *                        (from every open status)
 *
 *   * makes the case verified: assigning stands for accepting where nobody has; accepted is a
 *   case once.
 *   extend, level: any open status, unchanged. transfer, feedback, attach, note, link: any,
 *   unchanged. merge: any, becomes withdrawn (the case lives on in another).
 */
enum { NO = -1, SAME = -2 };

static const signed char steps[CASE_ACTIONS][CASE_STATUSES] = {
	/*                    registered       assigned         rectifying       review closed
	   withdrawn */
	[ACTION_ACCEPT] = {SAME, NO, NO, NO, NO, NO},
	[ACTION_ASSIGN] = {CASE_ASSIGNED, CASE_ASSIGNED, NO, NO, NO, NO},
	[ACTION_PLAN] = {NO, CASE_RECTIFYING, CASE_RECTIFYING, NO, NO, NO},
	[ACTION_RECTIFIED] = {NO, NO, CASE_REVIEW, NO, NO, NO},
	[ACTION_RETURN] = {NO, NO, NO, CASE_RECTIFYING, NO, NO},
	[ACTION_CLOSE] = {NO, NO, NO, CASE_CLOSED, NO, NO},
	[ACTION_REOPEN] = {NO, NO, NO, NO, CASE_RECTIFYING, CASE_REGISTERED},
	[ACTION_WITHDRAW] = {CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN, NO,
			     NO},
	[ACTION_EXTEND] = {SAME, SAME, SAME, SAME, NO, NO},
	[ACTION_TRANSFER] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_MERGE] = {CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN,
			  CASE_WITHDRAWN, CASE_WITHDRAWN},
	[ACTION_FEEDBACK] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_ATTACH] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_NOTE] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_LINK] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_LEVEL] = {SAME, SAME, SAME, SAME, NO, NO},
};

static const struct {
	const char *name;
	unsigned needs;
	bool verifies;
} actions[CASE_ACTIONS] = {
	[ACTION_ACCEPT] = {"accept", 0, .verifies = true},
	[ACTION_ASSIGN] = {"assign", NEED_UNIT, .verifies = true},
	[ACTION_PLAN] = {"plan", NEED_NOTE},
	[ACTION_RECTIFIED] = {"rectified", 0},
	[ACTION_RETURN] = {"return", NEED_NOTE},
	[ACTION_CLOSE] = {"close", NEED_NOTE},
	[ACTION_REOPEN] = {"reopen", NEED_NOTE},
	[ACTION_WITHDRAW] = {"withdraw", NEED_REASON | NEED_NOTE},
	[ACTION_EXTEND] = {"extend", NEED_DUE | NEED_NOTE},
	[ACTION_TRANSFER] = {"transfer", NEED_NOTE},
	[ACTION_MERGE] = {"merge", NEED_NOTE | NEED_OTHER},
	[ACTION_FEEDBACK] = {"feedback", NEED_NOTE},
	[ACTION_ATTACH] = {"attach", NEED_NOTE},
	[ACTION_NOTE] = {"note", NEED_NOTE},
	[ACTION_LINK] = {"link", NEED_OTHER},
	[ACTION_LEVEL] = {"level", NEED_LEVEL | NEED_DOCUMENT | NEED_DATED},
};

const char *case_status_name(enum case_status status)
{
	static const char *const names[CASE_STATUSES] = {"registered", "assigned", "rectifying",
							 "review",     "closed",   "withdrawn"};
	return names[status];
}

const char *case_action_name(enum case_action action)
{
	return actions[action].name;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[SEVERITIES] = {"general", "serious", "grave"};
	return names[severity];
}

enum case_action case_action_find(const char *name)
{
	unsigned i = 0;
	while (i < CASE_ACTIONS && strcmp(actions[i].name, name) != 0)
		i++;
	return (enum case_action)i;
}

bool case_status_open(enum case_status status)
{
	return status != CASE_CLOSED && status != CASE_WITHDRAWN;
}

bool case_step(enum case_status from, enum case_action action, enum case_status *to)
{
	signed char step = steps[action][from];
	if (step == NO)
		return false;
	*to = step == SAME ? from : (enum case_status)step;
	return true;
}

bool case_verifies(enum case_action action)
{
	return actions[action].verifies;
}

unsigned case_needs(enum case_action action)
{
	return actions[action].needs;
}

bool case_multiple(const struct monitor *monitor, enum bound bound, double peak, double limit,
		   double *out)
{
	if (bound != BOUND_MAX || monitor->no_multiple || limit == 0 || !isfinite(peak / limit))
		return false;
	*out = peak / limit - 1;
	return true;
}

/* --- listed words --- */

static const struct word {
	enum case_list list;
	const char *code, *chinese;
} words[] = {
	{LIST_REASON, "instrument_fault", "设备故障"},
	{LIST_REASON, "maintenance", "运维质控"},
	{LIST_REASON, "marked", "数据已标记"},
	{LIST_REASON, "duplicate", "重复"},
	{LIST_REASON, "elsewhere", "非本辖区(已转办)"},
	{LIST_REASON, "elsewhere", "非本辖区"},
	{LIST_REASON, "unfounded", "核查不属实"},
	{LIST_REASON, "other", "其他"},
	{LIST_TRACK, "immediate", "立行立改"},
	{LIST_TRACK, "planned", "限期整改"},
	{LIST_LEVEL, "district", "区级"},
	{LIST_LEVEL, "city", "市级"},
	{LIST_LEVEL, "province", "省级"},
	{LIST_SOURCE, "inspection", "现场检查"},
	{LIST_SOURCE, "complaint", "群众投诉"},
	{LIST_SOURCE, "12369", "12369举报"},
	{LIST_SOURCE, "12319", "12319热线"},
	{LIST_SOURCE, "mayor", "市长热线"},
	{LIST_SOURCE, "city", "市级交办"},
	{LIST_SOURCE, "province", "省级交办"},
	{LIST_ATTACHMENT, "photo", "照片"},
	{LIST_ATTACHMENT, "record", "现场检查笔录"},
	{LIST_ATTACHMENT, "laboratory", "检测报告"},
	{LIST_ATTACHMENT, "delivery", "送达回证"},
	{LIST_ATTACHMENT, "plan", "整改方案"},
	{LIST_ATTACHMENT, "acceptance", "验收报告"},
	{LIST_ATTACHMENT, "release", "上级销号文件"},
	{LIST_ATTACHMENT, "other", "其他"},
	{LIST_SEVERITY, "general", "一般"},
	{LIST_SEVERITY, "serious", "较重"},
	{LIST_SEVERITY, "grave", "严重"},
};
enum { WORDS = sizeof words / sizeof words[0] };

const char *case_word(enum case_list list, const char *word)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].list == list &&
		    (strcmp(words[i].code, word) == 0 || strcmp(words[i].chinese, word) == 0))
			return words[i].code;
	return NULL;
}

const char *case_word_chinese(enum case_list list, const char *code)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].list == list && strcmp(words[i].code, code) == 0)
			return words[i].chinese;
	return code;
}

const char *case_word_at(enum case_list list, size_t n)
{
	const char *last = NULL;
	for (size_t i = 0; i < WORDS; i++) {
		if (words[i].list != list || (last != NULL && strcmp(last, words[i].code) == 0))
			continue;
		last = words[i].code;
		if (n-- == 0)
			return last;
	}
	return NULL;
}

void case_words(enum case_list list, struct text *out)
{
	const char *code;
	for (size_t n = 0; (code = case_word_at(list, n)) != NULL; n++) {
		text_add(out, n == 0 ? "" : ", ");
		text_add(out, code);
	}
}

const char *case_relation_back(const char *relation)
{
	static const char *const pairs[][2] = {{"upstream", "downstream"}, {"上游", "下游"}};
	for (size_t i = 0; relation != NULL && i < sizeof pairs / sizeof pairs[0]; i++)
		for (int side = 0; side < 2; side++)
			if (strcmp(relation, pairs[i][side]) == 0)
				return pairs[i][1 - side];
	return relation;
}

const char *case_track_name(enum case_track track)
{
	return track == TRACK_IMMEDIATE ? "immediate" : track == TRACK_PLANNED ? "planned" : NULL;
}

enum case_track case_track_find(const char *code)
{
	if (code == NULL || case_word(LIST_TRACK, code) == NULL)
		return TRACK_NONE;
	return case_word(LIST_TRACK, code)[0] == 'i' ? TRACK_IMMEDIATE : TRACK_PLANNED;
}

/* --- severity --- */

enum severity severity_find(const char *code)
{
	int severity = SEVERITY_GRAVE;
	while (severity > SEVERITY_GENERAL &&
	       strcmp(severity_name((enum severity)severity), code) != 0)
		severity--;
	return (enum severity)severity;
}

static bool one_of(const char *factor, const char *const *codes, size_t n)
{
	for (size_t i = 0; factor != NULL && i < n; i++)
		if (strcmp(factor, codes[i]) == 0)
			return true;
	return false;
}

bool factor_is_toxic(const char *factor)
{
	static const char *const codes[] = {"w20111", "w20113", "w20115", "w20116", "w20117",
					    "w20119", "w20120", "w20121", "w20126", "w20127",
					    "w20141", "w20142", "w20143", "w20144", "w21016"};
	return one_of(factor, codes, sizeof codes / sizeof codes[0]);
}

const struct severity_steps severity_defaults = {
	.serious_multiple = 0.5,
	.grave_multiple = 2, /* at least three times the limit */
	.source_grave_multiple = 0.5,
	.ph_serious = 0.5,
	.ph_grave_low = 2,
	.ph_grave_high = 12.5,
	.oxygen_serious = 2,
	.serious_classes = 2,
	.grave_inferior_times = 2,
	.serious_days = 3,
};

static enum severity acidity_severity(const struct severity_steps *s,
				      const struct severity_facts *f)
{
	if (f->peak <= s->ph_grave_low || f->peak >= s->ph_grave_high)
		return SEVERITY_GRAVE;
	return f->has_limit && fabs(f->peak - f->limit) > s->ph_serious ? SEVERITY_SERIOUS
									: SEVERITY_GENERAL;
}

static enum severity class_severity(const struct severity_steps *s, const struct severity_facts *f)
{
	if (f->inferior_beyond)
		return SEVERITY_GRAVE;
	return f->class == SECTION_INFERIOR || f->below >= s->serious_classes ? SEVERITY_SERIOUS
									      : SEVERITY_GENERAL;
}

static enum severity own_severity(const struct severity_steps *s, const struct severity_facts *f)
{
	static const char *const acidity[] = {"w01001"}, *const oxygen[] = {"w01009"};
	if (f->has_peak && one_of(f->factor, acidity, 1))
		return acidity_severity(s, f);
	if (f->has_peak && one_of(f->factor, oxygen, 1) && f->peak < s->oxygen_serious)
		return SEVERITY_SERIOUS;
	if (f->kind == SITE_RIVER_SECTION && f->class != SECTION_UNKNOWN)
		return class_severity(s, f);
	if (f->has_multiple && f->multiple >= s->grave_multiple)
		return SEVERITY_GRAVE;
	return f->has_multiple && f->multiple > s->serious_multiple ? SEVERITY_SERIOUS
								    : SEVERITY_GENERAL;
}

void severity_section(struct severity_facts *f, const struct plan *plan, uint32_t monitor)
{
	const struct severity_steps *s = plan->steps != NULL ? plan->steps : &severity_defaults;
	f->steps = plan->steps;
	if (monitor != NO_INDEX && f->has_peak)
		f->below = section_below(plan, monitor, f->peak, s->grave_inferior_times, &f->class,
					 &f->inferior_beyond);
}

enum severity case_severity(const struct severity_facts *f)
{
	const struct severity_steps *s = f->steps != NULL ? f->steps : &severity_defaults;
	bool toxic = factor_is_toxic(f->factor);
	enum severity severity = own_severity(s, f);
	if (f->kind == SITE_WATER_SOURCE && severity == SEVERITY_GENERAL)
		severity = SEVERITY_SERIOUS;
	if (f->kind == SITE_WATER_SOURCE && f->has_multiple &&
	    f->multiple > s->source_grave_multiple)
		severity = SEVERITY_GRAVE;
	if ((f->kind == SITE_WATER_SOURCE || f->kind == SITE_RIVER_SECTION) && toxic)
		severity = SEVERITY_GRAVE;
	if (f->kind == SITE_OUTFALL && f->days >= s->serious_days && severity == SEVERITY_GENERAL)
		severity = SEVERITY_SERIOUS;
	return severity;
}

/* --- registration --- */

bool case_wanted(const struct plan *plan, const struct verdict *raised)
{
	if (raised->monitor == NO_INDEX)
		return false;
	const struct monitor *m = &plan->monitors[raised->monitor];
	if (raised->kind == ALERT_EXCEEDANCE && raised->limit != NO_INDEX)
		return m->limits[raised->limit].opens_case &&
		       (m->limits[raised->limit].mark_until_ms == 0 ||
			raised->type == VERDICT_SETTLED);
	return (plan->sites[m->site].opens & (1u << raised->kind)) != 0;
}

void case_number(const struct plan *plan, int64_t year, int64_t seq, struct text *out)
{
	const char *at = plan->case_number;
	while (*at != '\0') {
		if (strncmp(at, "{prefix}", 8) == 0) {
			text_add(out, plan->case_prefix);
			at += 8;
		} else if (strncmp(at, "{year}", 6) == 0) {
			text_format(out, "%lld", (long long)year);
			at += 6;
		} else if (strncmp(at, "{seq}", 5) == 0) {
			text_format(out, "%lld", (long long)seq);
			at += 5;
		} else {
			text_char(out, *at++);
		}
	}
}
