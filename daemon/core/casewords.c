/* SPDX-License-Identifier: Apache-2.0 */
#include "core/casewords.h"

#include <stddef.h>
#include <string.h>

struct pair {
	const char *code, *words;
};

static const char *words_of(const struct pair *pairs, size_t n, const char *code)
{
	for (size_t i = 0; code != NULL && i < n; i++)
		if (strcmp(pairs[i].code, code) == 0)
			return pairs[i].words;
	return NULL;
}

bool step_ends(const char *action)
{
	return action != NULL && (strcmp(action, "close") == 0 || strcmp(action, "withdraw") == 0 ||
				  strcmp(action, "merge") == 0);
}

static const char *reopen_words(const char *ended)
{
	static const struct pair pairs[] = {
		{"withdraw", "taken up again after withdrawal"},
		{"merge", "taken up again by itself after merging"},
	};
	const char *words = words_of(pairs, sizeof pairs / sizeof pairs[0], ended);
	return words != NULL ? words : "rectifying again after reopening";
}

const char *step_words(const char *action, const char *ended)
{
	static const struct pair pairs[] = {
		{"registered", "case registered"},
		{"severity", "severity raised"},
		{"parted", "parted from the case merged into it"},
		{"level", "listed by a higher authority"},
		{"step_reminded", "reminder of a step of the plan"},
		{"step_overdue", "step of the plan overdue"},
	};
	if (action != NULL && strcmp(action, "reopen") == 0)
		return reopen_words(ended);
	const char *words = words_of(pairs, sizeof pairs / sizeof pairs[0], action);
	return words != NULL ? words : action;
}

const char *action_words(const char *action)
{
	return action != NULL && strcmp(action, "reopen") == 0 ? action : step_words(action, NULL);
}

const char *kind_words(const char *kind)
{
	static const struct pair pairs[] = {
		{"stale", "data missing"},
		{"flat", "constant data"},
		{"step", "sudden change of the data"},
		{"undetermined", "too few valid data"},
		{"fault", "equipment fault"},
		{"connection", "connection interrupted"},
		{"load", "load above the permit"},
	};
	const char *words = words_of(pairs, sizeof pairs / sizeof pairs[0], kind);
	return words != NULL ? words : kind;
}

const char *field_words(const char *member)
{
	static const struct pair pairs[] = {
		{"by", "By"},
		{"note", "note"},
		{"unit", "Responsible unit"},
		{"leader", "leader"},
		{"team", "team"},
		{"reason", "reason"},
		{"track", "track"},
		{"step", "step of the plan"},
		{"document", "document"},
		{"dated", "day of the document"},
		{"level", "level"},
		{"checkers", "checked by"},
		{"approved_by", "approved by"},
		{"relation", "relation"},
		{"site", "site"},
		{"factor", "factor"},
		{"kind", "kind"},
		{"source", "source"},
		{"severity", "severity"},
		{"title", "title"},
		{"name", "file name"},
		{"type", "type"},
		{"sha256", "SHA-256"},
		{"bytes", "Bytes"},
		{"due", "due"},
		{"other", "the other case"},
		{"escalation", "escalation"},
		{"action", "Action"},
		{"from", "From"},
		{"to", "To"},
		{"flag", "Flag"},
		{"for_s", "for how long"},
		{"until", "until"},
	};
	return words_of(pairs, sizeof pairs / sizeof pairs[0], member);
}
