/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Order: what a person says when acting on a case or opening one, field by field.
 *
 * One table names the texts, how long each may be and where it is meant; the API's body, the
 * history and the operator's tool go by it, so that a field is added in one place. Texts come from
 * outside: they are UTF-8 and bounded, and hold no control character but the line ends of a note.
 */
#include "core/supcase.h"

struct case_order {
	enum case_action action;
	const char *by;   /* who; never NULL in the ledger */
	const char *user; /* of this machine, who said so over the socket; NULL: none */
	/* NULL where not given */
	const char *note, *unit, *leader, *team, *reason, *track, *step, *document, *level;
	const char *checkers, *approved_by, *relation;
	const char *dated; /* of the document, "2026-03-31"; the ledger keeps it behind the number,
			    * where it may stand when it is given, too */
	const char *site, *factor, *kind, *source, *severity, *title; /* of a case by hand */
	const char *file, *type, *sha256;                             /* of an attachment */
	const char *why;                                              /* of a shelf, a mark */
	int64_t due_ms, other, bytes;                                 /* 0: not given */
	bool has_from, has_to;                                        /* of a mark */
	int64_t from_ms, to_ms;
	char flag; /* 0: not given */
};

enum order_use {
	USE_ACT = 1,
	USE_OPEN = 2,
	USE_ATTACH = 4,
	USE_SHELVE = 8,
	USE_ACKNOWLEDGE = 16,
	USE_MARK = 32
};

struct order_field {
	const char *name;
	size_t offset; /* of the text in struct case_order */
	size_t most;   /* bytes */
	unsigned uses; /* OR of enum order_use */
	bool lines;    /* may hold line ends */
	int list;      /* enum case_list whose code is kept; -1: free text; -2: a day */
};
extern const struct order_field order_fields[];
extern const size_t n_order_fields;

/** order_field_find() - Return: NULL where no such text is known for this use */
const struct order_field *order_field_find(const char *name, enum order_use use);
/** order_text() - where the field's text is */
const char **order_text(struct case_order *order, const struct order_field *field);

/**
 * order_take() - check a text and set the field; an empty or blank one counts as not given
 * @value: kept by pointer; a listed word is replaced by its code
 * Return: true; false and a sentence that names the field
 */
bool order_take(struct case_order *order, const struct order_field *field, const char *value,
		struct text *error);

/** order_lacks() - the first field that the order's action needs and does not have; NULL: none */
const char *order_lacks(const struct case_order *order);

enum { DOCUMENT_DAY = 11 };
/** document_day() - the day at the end of a document's text, as "No. 8 (2026-03-31)" or
 * 2026年3月31日, in brackets, behind a space or behind 号
 * @day: out: "2026-03-31"
 * Return: how many bytes the number before it has; 0: there is no day, or no number */
size_t document_day(const char *document, char day[DOCUMENT_DAY]);
/** order_two_days() - is dated another day than that which stands behind the document's number? */
bool order_two_days(const struct case_order *order);
/** order_document() - the document with its day, as "No. 8 (2026-03-31)"; @room holds it if need be
 * Return: as it is where there is no day or no document; NULL: no document, or no memory */
const char *order_document(const struct case_order *order, struct text *room);

/** text_is_utf8() - well-formed, without surrogates and overlong forms (RFC 3629) */
bool text_is_utf8(const char *s);
