/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Supervision case (挂号 … 销号): the administrative side of an alert.
 *
 * An alert begins and ends by itself; a case is registered by the daemon, carries a number, and
 * ends only by a person. This file holds the rules that need no database: which action leads from
 * which status to which, which words are listed, which multiple and severity a case has, when an
 * alert opens one. Deadlines: core/deadline.h. Roles and closing conditions: core/caserules.h.
 */
#include "core/verdict.h"

struct text;

enum case_status {
	CASE_REGISTERED,
	CASE_ASSIGNED,
	CASE_RECTIFYING,
	CASE_REVIEW,
	CASE_CLOSED,
	CASE_WITHDRAWN,
	CASE_STATUSES
};

enum case_action {
	ACTION_ACCEPT,
	ACTION_ASSIGN,
	ACTION_PLAN,
	ACTION_RECTIFIED,
	ACTION_RETURN,
	ACTION_CLOSE,
	ACTION_REOPEN,
	ACTION_WITHDRAW,
	ACTION_EXTEND,
	ACTION_TRANSFER,
	ACTION_MERGE,
	ACTION_FEEDBACK,
	ACTION_ATTACH,
	ACTION_NOTE,
	ACTION_LINK,
	ACTION_LEVEL,
	CASE_ACTIONS
};

enum case_need {
	NEED_NOTE = 1,
	NEED_UNIT = 2,
	NEED_REASON = 4,
	NEED_DUE = 8,
	NEED_OTHER = 16,
	NEED_LEVEL = 32,
	NEED_DOCUMENT = 64,
	NEED_DATED = 128
};
/* 立行立改 at once, 限期整改 by a plan with a deadline */
enum case_track { TRACK_NONE, TRACK_IMMEDIATE, TRACK_PLANNED, TRACKS };
enum severity { SEVERITY_GENERAL, SEVERITY_SERIOUS, SEVERITY_GRAVE, SEVERITIES };

const char *case_status_name(enum case_status status);
const char *case_action_name(enum case_action action);
const char *severity_name(enum severity severity);
/** case_action_find() - Return: the action of this name, CASE_ACTIONS if unknown. */
enum case_action case_action_find(const char *name);
bool case_status_open(enum case_status status);

/**
 * case_step() - the life cycle's table (interface: Alerts and cases)
 * Return: true and @to (may equal @from) if @action is allowed in @from.
 */
bool case_step(enum case_status from, enum case_action action, enum case_status *to);
/** case_verifies() - does an action stand for the case being true? Accepting says so; nobody hands
 * over what nobody stands for. */
bool case_verifies(enum case_action action);
/** case_needs() - Return: OR of enum case_need that the action's body must have */
unsigned case_needs(enum case_action action);

/*
 * Listed words: each has a code, which travels, and is also taken in Chinese as an office writes
 * it.
 */
enum case_list {
	LIST_REASON,     /* why a case is withdrawn */
	LIST_TRACK,      /* immediate, planned */
	LIST_LEVEL,      /* district, city, province */
	LIST_SOURCE,     /* of a case by hand: inspection, complaint, 12369 ... */
	LIST_ATTACHMENT, /* photo, record, laboratory ... */
	LIST_SEVERITY,
	CASE_LISTS
};
/** case_word() - Return: the code of a listed word; NULL where the list does not have it. */
const char *case_word(enum case_list list, const char *word);
/** case_word_chinese() - as an office writes a listed code; the code itself where it is none */
const char *case_word_chinese(enum case_list list, const char *code);
/** case_word_at() - Return: the code at place @n of a list; NULL behind the last one */
const char *case_word_at(enum case_list list, size_t n);
/** case_words() - adds all codes of a list, as "a, b, c" */
void case_words(enum case_list list, struct text *out);
/** case_relation_back() - of a link, seen from the other case: downstream for upstream */
const char *case_relation_back(const char *relation);
enum case_track case_track_find(const char *code);  /* TRACK_NONE: NULL or unknown */
const char *case_track_name(enum case_track track); /* NULL: TRACK_NONE */
enum severity severity_find(const char *code);      /* general where unknown */

/**
 * case_multiple() - 超标倍数 = peak / limit - 1
 * Return: true and @out; false where there is none: min limits, pH, dissolved oxygen, temperature,
 * limit 0 (环办〔2011〕22号).
 */
bool case_multiple(const struct monitor *monitor, enum bound bound, double peak, double limit,
		   double *out);
/* From where on a case is more than general (domain practice; an office may set its own). */
struct severity_steps {
	double serious_multiple, grave_multiple; /* of the limit */
	double source_grave_multiple;            /* at a water source */
	double ph_serious;                       /* how far out of its bounds */
	double ph_grave_low, ph_grave_high;
	double oxygen_serious;       /* mg/L */
	int serious_classes;         /* below the target, at a section */
	double grave_inferior_times; /* of the bound of class V */
	int serious_days;            /* exceeding ones in 30, at an outfall */
};
extern const struct severity_steps severity_defaults;

/* What the severity of an exceedance follows from. */
struct severity_facts {
	const struct severity_steps *steps; /* NULL: the defaults */
	enum site_kind kind;
	const char *factor; /* HJ 525 code; NULL: none */
	bool has_multiple, has_peak, has_limit;
	double multiple, peak, limit;
	int days;         /* with an exceeding day mean among the last 30 */
	int class, below; /* of the peak, and by how many it lies below the target; 0: unknown */
	bool inferior_beyond; /* above grave_inferior_times the bound of class V */
};
/** severity_section() - the class of the peak, where the monitor has classes */
void severity_section(struct severity_facts *facts, const struct plan *plan, uint32_t monitor);
/**
 * case_severity() - by the kind of site: multiples; pH by how far it is out; dissolved oxygen under
 * 2 mg/L; toxic factors at rivers and water sources; three days in thirty at outfalls; at a section
 * the class: one below the target is general, two or inferior to V serious, more than twice the
 * bound of V grave. Where a factor has no class, the multiple stands for it.
 */
enum severity case_severity(const struct severity_facts *facts);
/** severity_by_peak() - of an exceedance by its worst value alone, on whichever day */
enum severity severity_by_peak(const struct plan *plan, uint32_t monitor, enum bound bound,
			       double peak, double limit);
/** severity_why() - a few words: which of the rules makes it so severe */
void severity_why(const struct severity_facts *facts, bool chinese, struct text *out);
/** severity_rise() - "general → serious: 0.80 times over the limit" */
void severity_rise(enum severity from, const struct severity_facts *facts, bool chinese,
		   struct text *out);
/** factor_is_toxic() - the metals of GB 8978-1996 table 1, dissolved forms, and cyanide */
bool factor_is_toxic(const char *factor);
/** case_wanted() - does this raised (or settled) alert open, or join, a case at its site? */
bool case_wanted(const struct plan *plan, const struct verdict *raised);
/** case_number() - writes the number from plan->case_number, as 五环督挂〔2026〕1号 */
void case_number(const struct plan *plan, int64_t year, int64_t seq, struct text *out);
