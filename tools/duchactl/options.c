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
	"  sites [SITE]                            sites, monitors and their newest readings\n"
	"  sites SITE --effective                  every rule in force, and where it comes from\n"
	"  readings SITE [FACTOR] [--since 1h] [--csv]\n"
	"  readings SITE FACTOR --every minute|day|month|year [--since 1h] [--csv]\n"
	"                                          means, when the readings are gone, too\n"
	"  alerts [--active] [--site S]            newest first\n"
	"  cases [--all | --overdue] [--site S]    open ones, or all, newest first\n"
	"  case ID                                 all of one case\n"
	"  case ID ACTION [--by NAME] [--note TEXT] [--unit U] [--leader L] [--team T]\n"
	"          [--due DATE] [--reason R] ...   accept assign plan rectified return close\n"
	"                                          reopen withdraw extend transfer merge\n"
	"                                          feedback attach note link level\n"
	"  case ID attach --file F --type T        keep a file with the case\n"
	"  case ID merge|link OTHER                into, or to, another case\n"
	"  case open --site S --source inspection|complaint|12369|12319|mayor|city|province\n"
	"          [--factor F] [--kind K] [--document NO] [--level L] [--title TEXT] ...\n"
	"  dossier ID [-o FILE.html] [--public] [--language zh_CN|en]\n"
	"                                          all of a case on one page\n"
	"  alert ID ack [--by NAME]                somebody looks after it\n"
	"  shelve SITE [FACTOR] --for 2h --reason TEXT [--by NAME]\n"
	"  unshelve SITE [FACTOR] [--by NAME]      alerts open cases again\n"
	"  shelves [--all]                         where they open none\n"
	"  mark SITE FACTOR --from TIME --to TIME --flag F --reason TEXT [--by NAME] [--file F]\n"
	"                                          what a stretch of data is: M, C, F, D ...\n"
	"  marks [SITE [FACTOR]]                   what was marked, and what it changed\n"
	"  deliveries                              backlog, last error, next try\n"
	"  deliveries test ID                      send a marked test\n"
	"  evidence ID -o FILE.tar [--trust KEY]   all that proves a case, to be checked by "
	"anybody\n"
	"  verify [DIR] [--anchor HASH] [--trust KEY]\n"
	"                                          is the store, or a copy, as it was sealed?\n"
	"  copy DIRECTORY [STORE]                  the store, or another, of one moment, while it "
	"goes "
	"on\n"
	"  load SITE [FACTOR] [--month YYYY-MM | --year YYYY]\n"
	"                                          what was discharged, and how much of the "
	"permit\n"
	"  report --month YYYY-MM | --year YYYY [--csv] [-o FILE]\n"
	"                                          monitors, loads, classes, cases\n"
	"  reload                                  take the configuration up anew\n"
	"  clock confirm                           the daemon's clock is right, whatever it "
	"doubts\n"
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
	TAKES_OPEN = 128,
	TAKES_BY = 256,
	TAKES_SHELF = 512,
	TAKES_DOSSIER = 1024,
	TAKES_VERIFY = 1 << 16,
	TAKES_EVIDENCE = 1 << 17,
	TAKES_SPAN = 1 << 20,
	TAKES_OUTPUT = 1 << 21,
	TAKES_MARK = 1 << 22,
	TAKES_EFFECTIVE = 1 << 23,
	TAKES_OVERDUE = 1 << 24,
	TAKES_EVERY = 1 << 25,
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
	{"sites", VERB_SITES, 0, 1, TAKES_EFFECTIVE, "sites [SITE [--effective]]"},
	{"readings", VERB_READINGS, 1, 2, TAKES_SINCE | TAKES_CSV | TAKES_EVERY,
	 "readings SITE [FACTOR] [--since 1h] [--every minute|day|month|year] [--csv]"},
	{"alerts", VERB_ALERTS, 0, 0, TAKES_SITE | TAKES_ACTIVE, "alerts [--active] [--site S]"},
	{"cases", VERB_CASES, 0, 0, TAKES_ALL | TAKES_SITE | TAKES_OVERDUE,
	 "cases [--all | --overdue] [--site S]"},
	{"case", VERB_CASE, 1, 3, TAKES_ACTION, "case ID [ACTION [OTHER]]"},
	{"alert", VERB_ALERT, 2, 2, TAKES_BY, "alert ID ack [--by NAME]"},
	{"shelve", VERB_SHELVE, 1, 2, TAKES_SHELF,
	 "shelve SITE [FACTOR] --for 2h --reason TEXT [--by NAME]"},
	{"unshelve", VERB_UNSHELVE, 1, 2, TAKES_BY, "unshelve SITE [FACTOR] [--by NAME]"},
	{"shelves", VERB_SHELVES, 0, 0, TAKES_ALL, "shelves [--all]"},
	{"mark", VERB_MARK, 2, 2, TAKES_MARK,
	 "mark SITE FACTOR --from TIME --to TIME --flag F --reason TEXT [--by NAME] [--file F]"},
	{"marks", VERB_MARKS, 0, 2, 0, "marks [SITE [FACTOR]]"},
	{"deliveries", VERB_DELIVERIES, 0, 2, 0, "deliveries [test ID]"},
	{"dossier", VERB_DOSSIER, 1, 1, TAKES_DOSSIER,
	 "dossier ID [-o FILE.html] [--public] [--language zh_CN|en]"},
	{"evidence", VERB_EVIDENCE, 1, 1, TAKES_EVIDENCE, "evidence ID -o FILE.tar [--trust KEY]"},
	{"verify", VERB_VERIFY, 0, 1, TAKES_VERIFY, "verify [DIR] [--anchor HASH] [--trust KEY]"},
	{"copy", VERB_COPY, 1, 2, 0, "copy DIRECTORY [STORE]"},
	{"load", VERB_LOAD, 1, 2, TAKES_SPAN, "load SITE [FACTOR] [--month YYYY-MM | --year YYYY]"},
	{"report", VERB_REPORT, 0, 0, TAKES_SPAN | TAKES_CSV | TAKES_OUTPUT,
	 "report --month YYYY-MM | --year YYYY [--csv] [-o FILE]"},
	{"reload", VERB_RELOAD, 0, 0, 0, "reload"},
	{"clock", VERB_CLOCK, 1, 1, 0, "clock confirm"},
};
static const struct verb open_verb = {
	"case open", VERB_OPEN, 1, 1, TAKES_OPEN, "case open --site S --source SOURCE [options]"};

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
	KEY_TRACK,
	KEY_STEP,
	KEY_DOCUMENT,
	KEY_LEVEL,
	KEY_CHECKERS,
	KEY_APPROVED,
	KEY_RELATION,
	KEY_FILE,
	KEY_TYPE,
	KEY_FACTOR,
	KEY_KIND,
	KEY_SOURCE,
	KEY_SEVERITY,
	KEY_TITLE,
	KEY_FOR,
	KEY_PUBLIC,
	KEY_LANGUAGE,
	KEY_ANCHOR,
	KEY_TRUST,
	KEY_MONTH,
	KEY_YEAR,
	KEY_FROM,
	KEY_TO,
	KEY_FLAG,
	KEY_EFFECTIVE,
	KEY_OVERDUE,
	KEY_DATED,
	KEY_EVERY,
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
	{"track", required_argument, NULL, KEY_TRACK},
	{"step", required_argument, NULL, KEY_STEP},
	{"document", required_argument, NULL, KEY_DOCUMENT},
	{"level", required_argument, NULL, KEY_LEVEL},
	{"checkers", required_argument, NULL, KEY_CHECKERS},
	{"approved-by", required_argument, NULL, KEY_APPROVED},
	{"relation", required_argument, NULL, KEY_RELATION},
	{"file", required_argument, NULL, KEY_FILE},
	{"type", required_argument, NULL, KEY_TYPE},
	{"factor", required_argument, NULL, KEY_FACTOR},
	{"kind", required_argument, NULL, KEY_KIND},
	{"source", required_argument, NULL, KEY_SOURCE},
	{"severity", required_argument, NULL, KEY_SEVERITY},
	{"title", required_argument, NULL, KEY_TITLE},
	{"for", required_argument, NULL, KEY_FOR},
	{"output", required_argument, NULL, 'o'},
	{"public", no_argument, NULL, KEY_PUBLIC},
	{"language", required_argument, NULL, KEY_LANGUAGE},
	{"anchor", required_argument, NULL, KEY_ANCHOR},
	{"trust", required_argument, NULL, KEY_TRUST},
	{"month", required_argument, NULL, KEY_MONTH},
	{"year", required_argument, NULL, KEY_YEAR},
	{"from", required_argument, NULL, KEY_FROM},
	{"to", required_argument, NULL, KEY_TO},
	{"flag", required_argument, NULL, KEY_FLAG},
	{"effective", no_argument, NULL, KEY_EFFECTIVE},
	{"overdue", no_argument, NULL, KEY_OVERDUE},
	{"dated", required_argument, NULL, KEY_DATED},
	{"every", required_argument, NULL, KEY_EVERY},
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
	if (strcmp(word, "case") == 0 && words[1] != NULL && strcmp(words[1], "open") == 0)
		return &open_verb;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(word, verbs[i].name) == 0)
			return &verbs[i];
	text_format(error, "unknown verb \"%s\"; see duchactl --help", word);
	return NULL;
}

static bool is_hash(const char *value)
{
	return strlen(value) == 64 && strspn(value, "0123456789abcdef") == 64;
}

static bool anchor_read(const char *value, struct ctl_options *out, struct text *error)
{
	if (is_hash(value) && out->n_anchors < ANCHORS_MOST) {
		out->anchors[out->n_anchors++] = value;
		return true;
	}
	text_format(error, "--anchor %s: must be 64 digits of lower-case hex, at most %d times",
		    value, ANCHORS_MOST);
	return false;
}

static bool value_read(int key, const char *value, struct ctl_options *out, struct text *error)
{
	if (key == KEY_ANCHOR)
		return anchor_read(value, out, error);
	if (key == KEY_SINCE || key == KEY_FOR) {
		if (duration_read(value, key == KEY_SINCE ? &out->since_s : &out->for_s))
			return true;
		text_format(error, "--%s %s: must be a duration such as 90s, 30m, 1h or 2d",
			    key == KEY_SINCE ? "since" : "for", value);
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
		{'s', &out->socket},
		{KEY_SITE, &out->site},
		{KEY_BY, &out->by},
		{KEY_NOTE, &out->note},
		{KEY_UNIT, &out->unit},
		{KEY_LEADER, &out->leader},
		{KEY_TEAM, &out->team},
		{KEY_DUE, &out->due},
		{KEY_REASON, &out->reason},
		{KEY_TRACK, &out->track},
		{KEY_STEP, &out->step},
		{KEY_DOCUMENT, &out->document},
		{KEY_LEVEL, &out->level},
		{KEY_CHECKERS, &out->checkers},
		{KEY_APPROVED, &out->approved_by},
		{KEY_RELATION, &out->relation},
		{KEY_FILE, &out->file},
		{KEY_TYPE, &out->type},
		{KEY_FACTOR, &out->factor},
		{KEY_KIND, &out->kind},
		{KEY_SOURCE, &out->source},
		{KEY_SEVERITY, &out->severity},
		{KEY_TITLE, &out->title},
		{'o', &out->output},
		{KEY_LANGUAGE, &out->language},
		{KEY_TRUST, &out->trust},
		{KEY_MONTH, &out->month},
		{KEY_YEAR, &out->year},
		{KEY_FROM, &out->from},
		{KEY_TO, &out->to},
		{KEY_FLAG, &out->flag},
		{KEY_DATED, &out->dated},
		{KEY_EVERY, &out->every},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].key == key)
			return texts[i].at;
	return NULL;
}

static bool *flag_option(int key, struct ctl_options *out)
{
	return key == KEY_JSON        ? &out->json
	       : key == KEY_CSV       ? &out->csv
	       : key == KEY_ALL       ? &out->all
	       : key == KEY_ACTIVE    ? &out->active
	       : key == KEY_PUBLIC    ? &out->open
	       : key == KEY_EFFECTIVE ? &out->effective
	       : key == KEY_OVERDUE   ? &out->overdue
				      : NULL;
}

static unsigned takes_of(int key)
{
	switch (key) {
	case 'n':
		return TAKES_LINES;
	case KEY_SITE:
		return TAKES_SITE | TAKES_OPEN;
	case KEY_SINCE:
		return TAKES_SINCE;
	case KEY_CSV:
		return TAKES_CSV;
	case KEY_ALL:
		return TAKES_ALL;
	case KEY_ACTIVE:
		return TAKES_ACTIVE;
	case KEY_BY:
		return TAKES_ACTION | TAKES_OPEN | TAKES_BY | TAKES_SHELF | TAKES_MARK;
	case KEY_NOTE:
	case KEY_UNIT:
	case KEY_LEADER:
	case KEY_TEAM:
	case KEY_DOCUMENT:
	case KEY_DATED:
	case KEY_LEVEL:
		return TAKES_ACTION | TAKES_OPEN;
	case KEY_REASON:
		return TAKES_ACTION | TAKES_SHELF | TAKES_MARK;
	case KEY_FILE:
		return TAKES_ACTION | TAKES_MARK;
	case KEY_FROM:
	case KEY_TO:
	case KEY_FLAG:
		return TAKES_MARK;
	case KEY_FOR:
		return TAKES_SHELF;
	case 'o':
		return TAKES_DOSSIER | TAKES_EVIDENCE | TAKES_OUTPUT;
	case KEY_PUBLIC:
		return TAKES_DOSSIER;
	case KEY_EFFECTIVE:
		return TAKES_EFFECTIVE;
	case KEY_OVERDUE:
		return TAKES_OVERDUE;
	case KEY_EVERY:
		return TAKES_EVERY;
	case KEY_LANGUAGE:
		return TAKES_DOSSIER | TAKES_OUTPUT;
	case KEY_ANCHOR:
		return TAKES_VERIFY;
	case KEY_TRUST:
		return TAKES_VERIFY | TAKES_EVIDENCE;
	case KEY_MONTH:
	case KEY_YEAR:
		return TAKES_SPAN;
	default:
		return key >= KEY_BY && key <= KEY_TYPE     ? TAKES_ACTION
		       : key >= KEY_FACTOR && key < KEY_FOR ? TAKES_OPEN
							    : 0;
	}
}

const char *options_verb(size_t i)
{
	return i < sizeof verbs / sizeof verbs[0] ? verbs[i].name : NULL;
}

const char *options_name(size_t i)
{
	return i < sizeof keys / sizeof keys[0] ? keys[i].name : NULL;
}

bool options_fits(const char *verb, const char *option)
{
	unsigned takes = 0, has = 0;
	for (size_t i = 0; keys[i].name != NULL; i++)
		if (strcmp(keys[i].name, option) == 0)
			takes = takes_of(keys[i].val);
	for (size_t i = 0; verb != NULL && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].name, verb) == 0)
			has = verbs[i].takes;
	if (verb != NULL && strcmp(verb, open_verb.name) == 0)
		has = open_verb.takes;
	return takes == 0 || (has & takes) != 0;
}

const char *options_with_value(const char *word)
{
	for (size_t i = 0; keys[i].name != NULL; i++) {
		bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, keys[i].name) == 0;
		bool is_short = word[0] == '-' && word[1] == keys[i].val && word[1] != '\0' &&
				word[2] == '\0';
		if (keys[i].has_arg == required_argument && (is_long || is_short))
			return keys[i].name;
	}
	return NULL;
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

static bool id_read(const char *what, const char *word, struct text *error)
{
	size_t length = strlen(word);
	if (length <= 18 && strspn(word, "0123456789") == length)
		return true;
	text_format(error, "%s %s: must be the %s's id, a whole number", what, word, what);
	return false;
}

/* An option beside a case that is only shown is a slip. */
static bool nothing_given(const struct ctl_options *o)
{
	const char *const given[] = {
		o->by,       o->note,        o->unit, o->leader,   o->team,  o->due,
		o->reason,   o->track,       o->step, o->document, o->level, o->checkers,
		o->relation, o->approved_by, o->file, o->type,     o->dated};
	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
		if (given[i] != NULL)
			return false;
	return true;
}

static bool case_read(int n, char **words, struct ctl_options *out, struct text *error)
{
	enum case_action action = n > 1 ? case_action_find(words[1]) : CASE_ACTIONS;
	if (!id_read("case", words[0], error))
		return false;
	if (n > 1 && action == CASE_ACTIONS) {
		text_format(error, "unknown action \"%s\"", words[1]);
		return false;
	}
	if (n > 2 && action != ACTION_MERGE && action != ACTION_LINK) {
		text_format(error, "action \"%s\" takes no other case", words[1]);
		return false;
	}
	if (n > 2 && !id_read("case", words[2], error))
		return false;
	out->id = words[0];
	out->action = n > 1 ? words[1] : NULL;
	out->other = n > 2 ? words[2] : NULL;
	if (out->file != NULL && action != ACTION_ATTACH) {
		text_add(error, "--file stands beside the action attach alone");
		return false;
	}
	if (n == 1 && !nothing_given(out)) {
		text_format(error, "case %s: an option is given, but no action", words[0]);
		return false;
	}
	return true;
}

static bool alert_read(char **words, struct ctl_options *out, struct text *error)
{
	out->id = words[0];
	if (!id_read("alert", words[0], error))
		return false;
	if (strcmp(words[1], "ack") == 0)
		return true;
	text_format(error, "unknown action \"%s\"; an alert knows ack", words[1]);
	return false;
}

static bool delivery_read(const struct verb *verb, int n, char **words, struct ctl_options *out,
			  struct text *error)
{
	if (n == 1 || (n == 2 && strcmp(words[0], "test") != 0)) {
		text_format(error, "usage: duchactl %s", verb->usage);
		return false;
	}
	out->id = n == 2 ? words[1] : NULL;
	return true;
}

static bool dossier_read(char **words, struct ctl_options *out, struct text *error)
{
	out->id = words[0];
	if (!id_read("case", words[0], error))
		return false;
	if (out->language == NULL || strcmp(out->language, "en") == 0 ||
	    strcmp(out->language, "zh_CN") == 0)
		return true;
	text_format(error, "--language %s: must be zh_CN or en", out->language);
	return false;
}

static bool needs(const char *option, bool given, struct text *error)
{
	if (!given)
		text_format(error, "%s is missing", option);
	return given;
}

static bool digits_like(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; pattern++, text++)
		if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return *text == '\0';
}

static bool span_read(const struct ctl_options *o, struct text *error)
{
	if (o->month != NULL && o->year != NULL)
		text_add(error, "--month and --year exclude each other");
	else if (o->month != NULL && !digits_like(o->month, "0000-00"))
		text_format(error, "--month %s: must be a month such as 2026-03", o->month);
	else if (o->year != NULL && !digits_like(o->year, "0000"))
		text_format(error, "--year %s: must be a year such as 2026", o->year);
	else
		return true;
	return false;
}

static bool every_read(const struct ctl_options *o, struct text *error)
{
	static const char *const known[] = {"minute", "day", "month", "year"};
	for (size_t i = 0; o->factor != NULL && i < sizeof known / sizeof known[0]; i++)
		if (strcmp(o->every, known[i]) == 0)
			return true;
	text_add(error, "--every: minute, day, month or year, of a SITE and a FACTOR");
	return false;
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
	if (verb->verb == VERB_SITES && out->effective && n == 0) {
		text_add(error, "--effective needs a site; usage: duchactl sites SITE --effective");
		return false;
	}
	if (verb->verb == VERB_SITES || verb->verb == VERB_READINGS || verb->verb == VERB_SHELVE ||
	    verb->verb == VERB_UNSHELVE || verb->verb == VERB_LOAD || verb->verb == VERB_MARK ||
	    verb->verb == VERB_MARKS) {
		out->site = n > 0 ? words[0] : NULL;
		out->factor = n > 1 ? words[1] : NULL;
	}
	if (out->trust != NULL && !is_hash(out->trust)) {
		text_format(error, "--trust %s: must be 64 digits of lower-case hex", out->trust);
		return false;
	}
	if (verb->verb == VERB_VERIFY) {
		out->directory = n > 0 ? words[0] : NULL;
		return true;
	}
	if (verb->verb == VERB_COPY) {
		out->target = words[0];
		out->directory = n > 1 ? words[1] : NULL;
		return true;
	}
	if (out->every != NULL)
		return every_read(out, error);
	if (verb->verb == VERB_OPEN)
		return needs("--site", out->site != NULL, error) &&
		       needs("--source", out->source != NULL, error);
	if (verb->verb == VERB_SHELVE)
		return needs("--for", out->for_s != 0, error) &&
		       needs("--reason", out->reason != NULL, error);
	if (verb->verb == VERB_REPORT && out->month == NULL)
		return needs("--month or --year", out->year != NULL, error) &&
		       span_read(out, error);
	if (verb->verb == VERB_LOAD || verb->verb == VERB_REPORT)
		return span_read(out, error);
	if (verb->verb == VERB_MARK)
		return needs("--from", out->from != NULL, error) &&
		       needs("--to", out->to != NULL, error) &&
		       needs("--flag", out->flag != NULL, error) &&
		       needs("--reason", out->reason != NULL, error);
	if (verb->verb == VERB_ALERT)
		return alert_read(words, out, error);
	if (verb->verb == VERB_CLOCK && strcmp(words[0], "confirm") != 0) {
		text_format(error, "usage: duchactl %s", verb->usage);
		return false;
	}
	if (verb->verb == VERB_DELIVERIES)
		return delivery_read(verb, n, words, out, error);
	if (verb->verb == VERB_EVIDENCE) {
		out->id = words[0];
		return id_read("case", words[0], error) && needs("-o", out->output != NULL, error);
	}
	if (verb->verb == VERB_DOSSIER)
		return dossier_read(words, out, error);
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
	for (int key; (key = getopt_long(argc, argv, ":s:n:o:", keys, NULL)) != -1;) {
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
