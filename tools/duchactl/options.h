/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Options: what the operator typed, judged in full before the daemon is looked for.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_UNCHECKED = 2, CTL_USAGE = 64, CTL_ABSENT = 69 };

enum ctl_verb {
	VERB_STATUS,
	VERB_TAIL,
	VERB_SITES,
	VERB_READINGS,
	VERB_ALERTS,
	VERB_CASES,
	VERB_CASE,
	VERB_OPEN,
	VERB_ALERT,
	VERB_SHELVE,
	VERB_UNSHELVE,
	VERB_SHELVES,
	VERB_MARK,
	VERB_MARKS,
	VERB_DELIVERIES,
	VERB_DOSSIER,
	VERB_VERIFY,
	VERB_COPY,
	VERB_EVIDENCE,
	VERB_LOAD,
	VERB_REPORT,
	VERB_RELOAD,
	VERB_CLOCK,
	VERB_HELP,
	VERB_VERSION,
};

enum { ANCHORS_MOST = 16 };

struct ctl_options {
	enum ctl_verb verb;
	const char *socket;
	bool json, csv, all, active, open, effective, overdue;
	int lines;         /* -n */
	int64_t since_s;   /* --since */
	const char *every; /* of means; NULL: the readings themselves */
	const char *site, *factor;
	const char *month, *year; /* of a load */
	const char *id;           /* digits: of the case or alert; or of the delivery to test */
	const char *action;       /* NULL: show the case */
	const char *other;        /* digits: the case to merge into or to link to; NULL: none */
	const char *by, *note, *unit, *leader, *team, *due, *reason;
	const char *track, *step, *document, *dated, *level, *checkers, *approved_by, *relation;
	const char *kind, *source, *severity, *title; /* of a case by hand */
	const char *file, *type;                      /* of an attachment */
	const char *output, *language;                /* of a dossier */
	const char *from, *to, *flag;                 /* of a mark */
	int64_t for_s;                                /* of a shelf; 0: not given */
	const char *directory;                        /* of a store; NULL: the daemon's */
	const char *target;                           /* of a copy */
	const char *anchors[ANCHORS_MOST];
	size_t n_anchors;
	const char *trust;
};

/**
 * options_read() - the command line (main thread: uses getopt)
 * @out: points into @argv
 * @error: a sentence, where false is returned
 */
bool options_read(int argc, char **argv, struct ctl_options *out, struct text *error);

/** duration_read() - "90s", "30m", "1h", "2d" to seconds, at most 10 years */
bool duration_read(const char *text, int64_t *seconds);

/** options_verb(), options_name() - the i-th verb and long option there is; NULL behind the last */
const char *options_verb(size_t i);
const char *options_name(size_t i);
/** options_fits() - may the option stand beside the verb ("case open" too; NULL: before any) */
bool options_fits(const char *verb, const char *option);
/** options_with_value() - the long name of "--site" or "-n" where a value follows it, else NULL */
const char *options_with_value(const char *word);

extern const char options_help[];
