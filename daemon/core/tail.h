/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tail: the one line by which a person hears of an alert, a case or a connection.
 *
 *   2026-01-02T03:04:05+08:00 RAISED exceedance outfall-3 w01018 61.3 > 50 mg/L case 7
 *
 * The columns stand in this order always, one space between them; what an event does not have is
 * left out. Words are translated by a function that the caller brings (gettext, or none), because
 * core knows no locale. The daemon's own log and duchactl both write their lines here, so that an
 * operator reads the same sentence in both places.
 */
#include "core/text.h"
#include "core/verdict.h"

typedef const char *(*tail_translate_fn)(const char *english);

struct tail_line {
	const char *time;   /* RFC 3339; a fraction of the second is left out */
	const char *word;   /* English, such as tail_word() gives */
	const char *kind;   /* "exceedance"; NULL: none */
	const char *site;   /* or the connection, where the event is one's; NULL: none */
	const char *factor; /* NULL: none */
	bool has_value, has_limit;
	double value, limit;
	enum bound bound; /* BOUND_NONE: not known, the sign follows from the numbers */
	int decimals; /* of the value; negative: the shortest text. The limit is always shortest. */
	const char *unit;
	const char *reason; /* English word such as "over_range"; NULL: none */
	int64_t case_id;    /* 0: none */
	const char *number; /* of the case; NULL: none */
	const char *status; /* of the case, English; NULL: none */
};

/** tail_word() - "RAISED" for "ducha.alert.raised", with or without "ducha."; the type if unknown
 */
const char *tail_word(const char *type);

/** tail_print() - adds the line without a line end; @translate NULL: English */
void tail_print(struct text *out, const struct tail_line *line, tail_translate_fn translate);

/**
 * tail_verdict() - the line of what the judge decided
 * @case_id: the case that the alert opened or joined; 0: none
 */
void tail_verdict(struct text *out, const struct plan *plan, const struct verdict *verdict,
		  int64_t case_id, tail_translate_fn translate);
