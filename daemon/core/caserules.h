/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Case rules: what an office decides for itself about its cases, as configured: who may do what,
 * what a case must have before it is struck off, and how long each stage may take.
 *
 * Without officers everybody who reaches the socket may do everything; the other rules have the
 * defaults that the configuration's manual names. Where the plan has no rules at all (recorded
 * readings) nothing falls due and only an active alert holds a case open.
 */
#include "core/duty.h"

struct case_order;

/* --- terms --- */

enum stage {
	STAGE_NONE,
	STAGE_VERIFY,  /* registered: is it true? */
	STAGE_ASSIGN,  /* registered and verified: to whom? */
	STAGE_PLAN,    /* assigned: how? */
	STAGE_RECTIFY, /* rectifying */
	STAGE_CHECK,   /* review */
	STAGES
};
const char *stage_name(enum stage stage); /* "verify"; NULL: STAGE_NONE */

enum term_unit { TERM_NONE, TERM_MINUTES, TERM_DAYS, TERM_WORKDAYS, TERM_HALF };
struct term {
	enum term_unit unit;
	int n;
};
enum { REMINDERS = 2, ESCALATIONS = 3 };

/* Of one kind of site and one severity. */
struct terms {
	struct term stage[STAGES];
	struct term planned;                   /* to rectify, on the track of a plan */
	struct term longest;                   /* what a plan may ask for at most */
	struct term extended;                  /* and what it may take with its extension */
	struct term remind[REMINDERS];         /* before the deadline, the earlier first */
	struct term escalate[ESCALATIONS - 1]; /* after it: to level 2 and 3 */
};

/* Days since 1970-01-01, each list ascending. */
struct workdays {
	const int64_t *off, *on; /* holidays; weekend days that are worked */
	size_t n_off, n_on;
};

/* --- closing --- */

enum closing_lack {
	LACK_CLEAR = 1 << 0, /* an alert is active */
	LACK_OTHER = 1 << 1, /* who reported rectification may not close, check or approve */
	LACK_CHECKERS = 1 << 2,
	LACK_RECORD = 1 << 3, /* of the check, newer than the report of rectification */
	LACK_ATTACHMENT = 1 << 4,
	LACK_APPROVAL = 1 << 5, /* of a leader */
	LACK_UNIT = 1 << 6,     /* the "five ones" 五个一 */
	LACK_LEADER = 1 << 7,
	LACK_TEAM = 1 << 8,
	LACK_PLAN = 1 << 9,
	LACK_STEPS = 1 << 10, /* of the plan, not struck off */
	LACK_DAYS = 1 << 11,  /* compliant days */
	LACK_LABORATORY = 1 << 12,
	LACK_RELEASE = 1 << 13, /* of the higher authority that listed the case */
	CLOSING_LACKS = 14
};

struct closing {
	bool clear, other_person, record, approval, five_ones, steps, laboratory, release;
	int checkers, attachments;
	int compliant_days[SITE_KINDS];
};

/* What the ledger knows when somebody wants to close. */
struct closing_facts {
	enum site_kind kind;
	enum severity severity;
	enum case_track track;
	bool exceedance; /* of a monitor: the data test applies */
	bool district;   /* not listed by a higher authority */
	bool alert_active, judges_itself, record, laboratory, release, approved;
	bool unit, leader, team, plan;
	int checkers, open_steps, compliant_days;
	int attachments; /* files beside the record, the laboratory's report and the release */
};
/** closing_lacks() - Return: OR of enum closing_lack, 0 when the case may be closed. */
unsigned closing_lacks(const struct closing *closing, const struct closing_facts *facts);
/** closing_lack_name(), closing_lack_text() - of one bit: "checkers"; what is to be done */
const char *closing_lack_name(unsigned bit);
const char *closing_lack_text(unsigned bit);

/* --- who may --- */

enum role { ROLE_HANDLER = 1, ROLE_INSPECTOR = 2, ROLE_LEADER = 4 };
struct officer {
	const char *id, *name;
	const char *user; /* of the machine; NULL: none */
	unsigned roles;
};
/* Deeds beside the actions of a case. */
enum { DEED_OPEN = CASE_ACTIONS, DEED_ACKNOWLEDGE, DEED_SHELVE, DEED_MARK, DEEDS };
const char *deed_name(int deed);

struct case_rules {
	struct terms terms[SITE_KINDS][SEVERITIES];
	struct workdays workdays;
	int fault_shelve_workdays; /* after a withdrawal for an instrument's fault */
	struct closing closing;
	/* Who has which roles, whichever way they come: the configuration's list, or without one
	 * those who have a token. */
	const struct officer *officers;
	size_t n_officers;
	bool strangers;      /* over the socket, whoever is none of them may do everything */
	unsigned may[DEEDS]; /* OR of enum role */
	struct duty duty;
};

/** case_rules_default() - the defaults; without officers and holidays */
void case_rules_default(struct case_rules *rules);

/**
 * officer_of() - who acts
 * @by: the name, id or user given, in whatever capitals; NULL: none
 * @peer: the user at the other end of the socket
 * Return: NULL where nobody of that name is an officer
 */
const struct officer *officer_of(const struct case_rules *rules, const char *by, const char *peer);
/** officer_may() - Return: true; false and a sentence */
bool officer_may(const struct case_rules *rules, const struct officer *officer, int deed,
		 struct text *why);
/** names_count() - how many different people a list such as "A, B; C、D" names; an officer's name,
 * id and user are one, and capitals make no other
 * @roles: where there are officers, only those who have one of these count */
int names_count(const struct case_rules *rules, const char *list, unsigned roles);
/** names_share() - is somebody named in both of two such lists? NULL names nobody. */
bool names_share(const struct case_rules *rules, const char *list, const char *other);
/** officer_is() - is this one name, that of an officer with one of these roles? Without officers:
 * true */
bool officer_is(const struct case_rules *rules, const char *name, unsigned roles);
