/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "core/supcase.h"
#include "core/text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
	"Usage: duchactl [-s SOCKET] [--json] VERB ...\n"
	"\n"
	"  status                                  is the daemon well?\n"
	"  tail [-n N] [--site S]                  alerts and case events as they happen\n"
	"  sites                                   sites, monitors and their newest readings\n"
	"  readings SITE [FACTOR] [--since 1h] [--csv]\n"
	"  alerts [--active] [--site S]            newest first\n"
	"  cases [--all] [--site S]                open ones, or all, newest first\n"
	"  case ID                                 all of one case\n"
	"  case ID ACTION [--by NAME] [--note TEXT] [--unit U] [--leader L] [--team T]\n"
	"          [--due DATE] [--reason R]       accept assign plan rectified return close\n"
	"                                          reopen withdraw extend transfer merge\n"
	"                                          feedback attach note\n"
	"\n"
	"  -s, --socket SOCKET   default $DUCHA_SOCKET, else /run/ducha/duchad.sock\n"
	"      --json            the API's own answer\n"
	"      --help, --version\n"
	"\n"
	"See duchactl(1).\n";

/* What a verb takes; a bit for each option of getopt's. */
enum {
	TAKES_LINES = 1,
	TAKES_SITE = 2,
	TAKES_SINCE = 4,
	TAKES_CSV = 8,
	TAKES_ALL = 16,
	TAKES_ACTION = 32,
	TAKES_ACTIVE = 64,
};

static const struct verb {
	const char *name;
	enum ctl_verb verb;
	int least, most; /* arguments after the verb */
	unsigned takes;
	const char *usage;
} verbs[] = {
	{"status", VERB_STATUS, 0, 0, 0, "status"},
	{"tail", VERB_TAIL, 0, 0, TAKES_LINES | TAKES_SITE, "tail [-n N] [--site S]"},
	{"sites", VERB_SITES, 0, 0, 0, "sites"},
	{"readings", VERB_READINGS, 1, 2, TAKES_SINCE | TAKES_CSV,
	 "readings SITE [FACTOR] [--since 1h] [--csv]"},
	{"alerts", VERB_ALERTS, 0, 0, TAKES_SITE | TAKES_ACTIVE, "alerts [--active] [--site S]"},
	{"cases", VERB_CASES, 0, 0, TAKES_ALL | TAKES_SITE, "cases [--all] [--site S]"},
	{"case", VERB_CASE, 1, 2, TAKES_ACTION, "case ID [ACTION]"},
};

/* Verbs of the full tool that this build does not have. */
static const char *const later[] = {"alert", "dossier", "evidence", "verify",
				    "mark",  "shelve",  "unshelve", "deliveries",
				    "load",  "report",  "reload"};

enum {
	KEY_JSON = 256,
	KEY_SITE,
	KEY_SINCE,
	KEY_CSV,
	KEY_ALL,
	KEY_ACTIVE,
	KEY_BY,
	KEY_NOTE,
	KEY_UNIT,
	KEY_LEADER,
	KEY_TEAM,
	KEY_DUE,
	KEY_REASON,
	KEY_HELP,
	KEY_VERSION
};

static const struct option keys[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, KEY_JSON},
	{"lines", required_argument, NULL, 'n'},
	{"site", required_argument, NULL, KEY_SITE},
	{"since", required_argument, NULL, KEY_SINCE},
	{"csv", no_argument, NULL, KEY_CSV},
	{"all", no_argument, NULL, KEY_ALL},
	{"active", no_argument, NULL, KEY_ACTIVE},
	{"by", required_argument, NULL, KEY_BY},
	{"note", required_argument, NULL, KEY_NOTE},
	{"unit", required_argument, NULL, KEY_UNIT},
	{"leader", required_argument, NULL, KEY_LEADER},
	{"team", required_argument, NULL, KEY_TEAM},
	{"due", required_argument, NULL, KEY_DUE},
	{"reason", required_argument, NULL, KEY_REASON},
	{"help", no_argument, NULL, KEY_HELP},
	{"version", no_argument, NULL, KEY_VERSION},
	{NULL, 0, NULL, 0},
};

bool duration_read(const char *text, int64_t *seconds)
{
	static const char units[] = "smhd";
	static const int64_t factors[] = {1, 60, 3600, 86400};
	size_t digits = strspn(text, "0123456789");
	const char *unit = strchr(units, text[digits]);
	if (digits == 0 || digits > 9 || text[digits] == '\0' || unit == NULL ||
	    text[digits + 1] != '\0')
		return false;
	*seconds = strtoll(text, NULL, 10) * factors[unit - units];
	return *seconds > 0 && *seconds <= 3653 * factors[3];
}

/* The first word that is no option and no option's value; NULL: none. @argv ends with NULL. */
static char **verb_word(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			return &argv[i];
		if (strcmp(argv[i], "-s") == 0 || strcmp(argv[i], "--socket") == 0)
			i++;
	}
	return NULL;
}

static const struct verb *verb_find(char **words, struct text *error)
{
	const char *word = words[0];
	if (strcmp(word, "case") == 0 && words[1] != NULL && strcmp(words[1], "open") == 0) {
		text_add(error, "verb \"case open\" is not in this build");
		return NULL;
	}
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(word, verbs[i].name) == 0)
			return &verbs[i];
	for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
		if (strcmp(word, later[i]) == 0) {
			text_format(error, "verb \"%s\" is not in this build", word);
			return NULL;
		}
	text_format(error, "unknown verb \"%s\"; see duchactl --help", word);
	return NULL;
}

static bool value_read(int key, const char *value, struct ctl_options *out, struct text *error)
{
	if (key == KEY_SINCE) {
		if (duration_read(value, &out->since_s))
			return true;
		text_format(error, "--since %s: must be a duration such as 90s, 30m, 1h or 2d",
			    value);
		return false;
	}
	size_t length = strlen(value);
	if (length == 0 || length > 4 || strspn(value, "0123456789") != length ||
	    (out->lines = atoi(value)) > 1000) {
		text_format(error, "-n %s: must be a whole number from 0 to 1000", value);
		return false;
	}
	return true;
}

/* Where the text of an option goes; NULL for those that are no plain text. */
static const char **text_option(int key, struct ctl_options *out)
{
	const struct {
		int key;
		const char **at;
	} texts[] = {
		{'s', &out->socket},    {KEY_SITE, &out->site}, {KEY_BY, &out->by},
		{KEY_NOTE, &out->note}, {KEY_UNIT, &out->unit}, {KEY_LEADER, &out->leader},
		{KEY_TEAM, &out->team}, {KEY_DUE, &out->due},   {KEY_REASON, &out->reason},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].key == key)
			return texts[i].at;
	return NULL;
}

static bool *flag_option(int key, struct ctl_options *out)
{
	return key == KEY_JSON     ? &out->json
	       : key == KEY_CSV    ? &out->csv
	       : key == KEY_ALL    ? &out->all
	       : key == KEY_ACTIVE ? &out->active
				   : NULL;
}

static unsigned takes_of(int key)
{
	switch (key) {
	case 'n':
		return TAKES_LINES;
	case KEY_SITE:
		return TAKES_SITE;
	case KEY_SINCE:
		return TAKES_SINCE;
	case KEY_CSV:
		return TAKES_CSV;
	case KEY_ALL:
		return TAKES_ALL;
	case KEY_ACTIVE:
		return TAKES_ACTIVE;
	default:
		return key >= KEY_BY && key <= KEY_REASON ? TAKES_ACTION : 0;
	}
}

static bool option_read(int key, const struct verb *verb, struct ctl_options *out,
			struct text *error)
{
	unsigned takes = takes_of(key);
	if (takes != 0 && (verb == NULL || (verb->takes & takes) == 0)) {
		text_format(error, "verb \"%s\" takes no such option; usage: duchactl %s",
			    verb == NULL ? "" : verb->name,
			    verb == NULL ? "VERB ..." : verb->usage);
		return false;
	}
	const char **text = text_option(key, out);
	bool *flag = flag_option(key, out);
	if (text != NULL)
		*text = optarg;
	else if (flag != NULL)
		*flag = true;
	else if (key == KEY_HELP || key == KEY_VERSION)
		out->verb = key == KEY_HELP ? VERB_HELP : VERB_VERSION;
	else
		return value_read(key, optarg, out, error);
	return true;
}

static bool case_read(int n, char **words, struct ctl_options *out, struct text *error)
{
	size_t length = strlen(words[0]);
	if (length > 18 || strspn(words[0], "0123456789") != length) {
		text_format(error, "case %s: must be the case's id, a whole number", words[0]);
		return false;
	}
	if (n > 1 && case_action_find(words[1]) == CASE_ACTIONS) {
		text_format(error, "unknown action \"%s\"", words[1]);
		return false;
	}
	out->case_id = words[0];
	out->action = n > 1 ? words[1] : NULL;
	const char *given[] = {out->by,   out->note, out->unit,  out->leader,
			       out->team, out->due,  out->reason};
	for (size_t i = 0; i < sizeof given / sizeof given[0] && n == 1; i++)
		if (given[i] != NULL) {
			text_format(error, "case %s: an option is given, but no action", words[0]);
			return false;
		}
	return true;
}

static bool words_read(const struct verb *verb, int n, char **words, struct ctl_options *out,
		       struct text *error)
{
	if (n < verb->least || n > verb->most) {
		text_format(error, "usage: duchactl %s", verb->usage);
		return false;
	}
	for (int i = 0; i < n; i++)
		if (words[i][0] == '\0') {
			text_format(error, "an argument is empty; usage: duchactl %s", verb->usage);
			return false;
		}
	if (verb->verb == VERB_READINGS) {
		out->site = words[0];
		out->factor = n > 1 ? words[1] : NULL;
	}
	return verb->verb != VERB_CASE || case_read(n, words, out, error);
}

static bool options_end(const struct verb *verb, int argc, char **argv, struct ctl_options *out,
			struct text *error)
{
	if (out->verb == VERB_HELP || out->verb == VERB_VERSION)
		return true;
	if (verb == NULL) {
		text_add(error, "a verb is missing; see duchactl --help");
		return false;
	}
	out->verb = verb->verb;
	return words_read(verb, argc - optind - 1, argv + optind + 1, out, error);
}

bool options_read(int argc, char **argv, struct ctl_options *out, struct text *error)
{
	char **word = verb_word(argc, argv);
	const char *socket = getenv("DUCHA_SOCKET");
	const struct verb *verb = word == NULL ? NULL : verb_find(word, error);
	*out = (struct ctl_options){.verb = VERB_STATUS,
				    .lines = 10,
				    .since_s = 3600,
				    .socket = "/run/ducha/duchad.sock"};
	if (socket != NULL && socket[0] != '\0')
		out->socket = socket;
	if (word != NULL && verb == NULL)
		return false;
	opterr = 0;
	optind = 0;
	for (int key; (key = getopt_long(argc, argv, ":s:n:", keys, NULL)) != -1;) {
		if (key == '?' || key == ':') {
			text_format(error, "%s \"%s\"; see duchactl --help",
				    key == '?' ? "unknown option" : "a value is missing after",
				    argv[optind - 1]);
			return false;
		}
		if (!option_read(key, verb, out, error))
			return false;
	}
	return options_end(verb, argc, argv, out, error);
}
