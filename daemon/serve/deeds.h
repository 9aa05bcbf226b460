/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Deeds: what people do over the API to cases, alerts, shelves and data. Each reads its order, asks
 * whether its author may, and lets the ledger do it; all fill @answer, with a refusal too. Any
 * thread.
 */
#include "serve/api.h"

/** deeds_of() - what an officer who shows a token may do by his roles: OR of 1 << enum case_action
 */
unsigned deeds_of(const struct case_rules *rules, const struct serve_officer *known);

void deed_act(struct api *api, const struct api_request *request, struct api_answer *answer);
void deed_open(struct api *api, const struct api_request *request, struct api_answer *answer);
void deed_attach(struct api *api, const struct api_request *request, struct api_answer *answer);
void deed_attachment(struct api *api, const struct api_request *request, struct api_answer *answer);
void deed_acknowledge(struct api *api, const struct api_request *request,
		      struct api_answer *answer);
void deed_shelve(struct api *api, const struct api_request *request, struct api_answer *answer);
void deed_shelves(struct api *api, const struct api_request *request, struct api_answer *answer);
void deed_marks(struct api *api, const struct api_request *request, struct api_answer *answer);
