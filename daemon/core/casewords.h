/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Case words: what people read of a case where the API has a code. English, and looked up as such
 * in the catalogue; the dossier, the mails and the operator's tool go by the same ones, so that no
 * code of the API and no two words for one thing stand before an office.
 */
#include <stdbool.h>

/**
 * step_words() - what a step of a history is: some have the name of a status or of a field, which
 * is another word there, and a case is reopened after it was closed, withdrawn or merged
 * @action: of the step, as in the API; NULL: none
 * @ended: the action that ended the case before it, "close", "withdraw" or "merge"; NULL: none
 * Return: NULL where there is no action; a word that is not known as it is
 */
const char *step_words(const char *action, const char *ended);
/** step_ends() - is it an action that ends a case: close, withdraw, merge? */
bool step_ends(const char *action);

/** action_words() - what an action is called that may be taken; "level" is a field's word, too */
const char *action_words(const char *action);
/** kind_words() - what a kind of alert or case is, as "data missing" for "stale".
 * Return: NULL where there is no kind; one that is not known as it is */
const char *kind_words(const char *kind);
/** field_words() - what a member of a step holds, as "approved by". Return: NULL: not known */
const char *field_words(const char *member);
