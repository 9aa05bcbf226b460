/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Evidence tar: what a case rests on, in one archive that anybody can check without ducha.
 */
#include "config-text.h"
#include "evidence.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct evidence_tar {
	const char *directory; /* of the store */
	const char *node;
	const struct plan *plan;
	struct ledger *ledger;
	struct config_text *config; /* in force */
	struct evidence *evidence;  /* signs the archive */
	const char *trusted;        /* hex of a public key that may begin anew; or NULL */
	int64_t now_ms;
};

/**
 * evidence_tar_write() - of one case (any thread)
 * @dossier: its page; NULL: there is none
 * Return: 0, LEDGER_UNKNOWN, negative errno.
 */
int evidence_tar_write(const struct evidence_tar *setup, int64_t id, const struct text *dossier,
		       struct text *out);
