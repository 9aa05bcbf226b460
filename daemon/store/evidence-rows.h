/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Evidence rows: a case as the ledger's chain has it. Its rows as lines of JSON whose cells, in
 * their order, are what was hashed, and the entries of the chain that hold their digests. With the
 * case go the days and frames of its time that were removed by rule, and how its instruments were
 * read.
 */
#include "store/ledger.h"

struct evidence_rows {
	struct text json;    /* the case, as ledger_case_json() */
	struct text rows;    /* a line each: {"kind":…,"ref":…,"cells":{…}} */
	int64_t first, last; /* the least and the greatest of their newest entries */
	size_t days_gone;    /* removed days that readings of the case may have been in */
	char bad[160];       /* the first row that is not what its entry says; empty: none */
};

/** ledger_evidence_rows() - of one moment; evidence_rows_deinit() in any case
 * Return: 0, LEDGER_UNKNOWN, negative errno. */
int ledger_evidence_rows(struct ledger *ledger, int64_t id, struct evidence_rows *out);
void evidence_rows_deinit(struct evidence_rows *rows);

/**
 * ledger_evidence_entries() - entries @first to @head.number as CSV, behind a line of the one
 * before them
 * @head: hash: out: of the last one as its chain is computed
 * @bad: out: the first that does not follow from the one before it; empty: none
 * Return: 0, negative errno.
 */
int ledger_evidence_entries(struct ledger *ledger, int64_t first, struct chain_head *head,
			    struct text *out, char *bad, size_t size);
