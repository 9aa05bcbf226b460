/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Enclosure: the dossier of a case as it stands now, to be sent along. It is for the office:
 * nothing is withheld.
 */
#include "core/text.h"
#include "deliver/courier-type.h"

/** enclosure_dossier() - adds the page to @out (a delivery's thread; reads the daybook)
 * Return: 0; LEDGER_UNKNOWN; negative errno: @out is of no use */
int enclosure_dossier(const struct courier_host *host, int64_t case_id, struct text *out);
