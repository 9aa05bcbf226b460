/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Documents: the pages for people, gathered from ledger, daybook and plan.
 */
#include "serve/query.h"
#include "serve/readers.h"
#include "serve/serve.h"

/* Whatever a page names is in it already: no script, no frame, no form, no request. */
extern const char document_policy[];

struct document_order {
	int64_t id;           /* of the case */
	const char *language; /* NULL: the node's */
	bool open;            /* for everybody: nothing personal */
	int64_t now_ms;
};

/** document_report() - the report of the query's span, as a page or as CSV. Return: as
 * report_html() */
int document_report(const struct serve_setup *setup, const struct query *query, bool csv,
		    int64_t now_ms, struct text *out);
/** document_words() - the catalogue of a language; NULL: English, also where there is no other */
const struct wording *document_words(const struct serve_setup *setup, const char *language);

/**
 * document_dossier() - adds the page of a case
 * A daybook that cannot be read costs the chart and not the page.
 * Return: 0; LEDGER_UNKNOWN; negative errno of the ledger.
 */
int document_dossier(const struct serve_setup *setup, struct readers *readers,
		     const struct document_order *order, struct text *out);
