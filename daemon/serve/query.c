/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/query.h"

#include "core/reading.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *path;
	enum endpoint endpoint;
} endpoints[] = {
	{"/", ENDPOINT_OFFICE},
	{"/health", ENDPOINT_HEALTH},
	{"/metrics", ENDPOINT_METRICS},
	{"/api/v1/sites", ENDPOINT_SITES},
	{"/api/v1/rules", ENDPOINT_RULES},
	{"/api/v1/readings", ENDPOINT_READINGS},
	{"/api/v1/gaps", ENDPOINT_GAPS},
	{"/api/v1/alerts", ENDPOINT_ALERTS},
	{"/api/v1/cases", ENDPOINT_CASES},
	{"/api/v1/events", ENDPOINT_EVENTS},
	{"/api/v1/loads", ENDPOINT_LOADS},
	{"/api/v1/means", ENDPOINT_MEANS},
	{"/api/v1/report", ENDPOINT_REPORT},
	{"/api/v1/shelves", ENDPOINT_SHELVES},
	{"/api/v1/unshelve", ENDPOINT_UNSHELVE},
	{"/api/v1/deliveries", ENDPOINT_DELIVERIES},
	{"/api/v1/marks", ENDPOINT_MARKS},
	{"/api/v1/reload", ENDPOINT_RELOAD},
	{"/api/v1/clock", ENDPOINT_CLOCK},
	{"/api/v1/configuration", ENDPOINT_CONFIGURATION},
};

static bool whole_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	size_t length = strlen(text);
	if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
		return false;
	*out = strtoll(text, NULL, 10);
	return *out >= least && *out <= most;
}

/* The number at @rest, at most 18 digits. Return: what follows it; NULL if there is none. */
static const char *path_number(const char *rest, int64_t *id)
{
	char digits[20];
	size_t n = strspn(rest, "0123456789");
	if (n == 0 || n >= sizeof digits)
		return NULL;
	memcpy(digits, rest, n);
	digits[n] = '\0';
	return whole_number(digits, 0, INT64_MAX, id) ? rest + n : NULL;
}

const char *attachment_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

#define DELIVERIES "/api/v1/deliveries/"

void delivery_of(const char *path, char out[static 65])
{
	size_t length = strcspn(path + strlen(DELIVERIES), "/");
	snprintf(out, 65, "%.*s", length > 64 ? 0 : (int)length, path + strlen(DELIVERIES));
}

static enum endpoint endpoint_delivery(const char *rest)
{
	size_t length = strcspn(rest, "/");
	return length > 0 && strcmp(rest + length, "/test") == 0 ? ENDPOINT_DELIVERY_TEST
								 : ENDPOINT_NONE;
}

static bool is_hash(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static enum endpoint endpoint_case(const char *rest, int64_t *case_id)
{
	static const struct {
		const char *rest;
		enum endpoint endpoint;
	} parts[] = {
		{"", ENDPOINT_CASE},
		{"/dossier", ENDPOINT_DOSSIER},
		{"/evidence", ENDPOINT_EVIDENCE},
		{"/actions", ENDPOINT_ACTIONS},
		{"/attachments", ENDPOINT_ATTACHMENTS},
	};
	const char *after = path_number(rest, case_id);
	for (size_t i = 0; after != NULL && i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(after, parts[i].rest) == 0)
			return parts[i].endpoint;
	if (after != NULL && strncmp(after, "/attachments/", 13) == 0 && is_hash(after + 13))
		return ENDPOINT_ATTACHMENT;
	return ENDPOINT_NONE;
}

static enum endpoint endpoint_alert(const char *rest, int64_t *id)
{
	const char *after = path_number(rest, id);
	return after != NULL && strcmp(after, "/ack") == 0 ? ENDPOINT_ACKNOWLEDGE : ENDPOINT_NONE;
}

enum endpoint endpoint_find(const char *path, int64_t *id)
{
	static const char cases[] = "/api/v1/cases/", alerts[] = "/api/v1/alerts/";
	*id = 0;
	for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
		if (strcmp(path, endpoints[i].path) == 0)
			return endpoints[i].endpoint;
	if (strncmp(path, cases, sizeof cases - 1) == 0)
		return endpoint_case(path + sizeof cases - 1, id);
	if (strncmp(path, alerts, sizeof alerts - 1) == 0)
		return endpoint_alert(path + sizeof alerts - 1, id);
	if (strncmp(path, DELIVERIES, strlen(DELIVERIES)) == 0)
		return endpoint_delivery(path + strlen(DELIVERIES));
	return ENDPOINT_NONE;
}

enum { READS = 1, POSTS = 2 };

static int methods_of(enum endpoint endpoint)
{
	switch (endpoint) {
	case ENDPOINT_ACTIONS:
	case ENDPOINT_ATTACHMENTS:
	case ENDPOINT_ACKNOWLEDGE:
	case ENDPOINT_UNSHELVE:
	case ENDPOINT_DELIVERY_TEST:
	case ENDPOINT_RELOAD:
	case ENDPOINT_CLOCK:
		return POSTS;
	case ENDPOINT_CASES:
	case ENDPOINT_SHELVES:
	case ENDPOINT_MARKS:
		return READS | POSTS;
	case ENDPOINT_NONE:
	case ENDPOINT_OFFICE:
	case ENDPOINT_HEALTH:
	case ENDPOINT_METRICS:
	case ENDPOINT_SITES:
	case ENDPOINT_RULES:
	case ENDPOINT_READINGS:
	case ENDPOINT_GAPS:
	case ENDPOINT_ALERTS:
	case ENDPOINT_CASE:
	case ENDPOINT_EVIDENCE:
	case ENDPOINT_DOSSIER:
	case ENDPOINT_ATTACHMENT:
	case ENDPOINT_DELIVERIES:
	case ENDPOINT_EVENTS:
	case ENDPOINT_LOADS:
	case ENDPOINT_MEANS:
	case ENDPOINT_REPORT:
	case ENDPOINT_CONFIGURATION:
	default:
		return READS;
	}
}

bool endpoint_reads(enum endpoint endpoint)
{
	return (methods_of(endpoint) & READS) != 0;
}

bool endpoint_posts(enum endpoint endpoint)
{
	return (methods_of(endpoint) & POSTS) != 0;
}

size_t endpoint_body_most(enum endpoint endpoint)
{
	bool file = endpoint == ENDPOINT_ATTACHMENTS || endpoint == ENDPOINT_MARKS;
	return file ? ATTACHMENT_BYTES_MOST : 65536;
}

/* --- parameters --- */

enum {
	PARAM_SITE = 1,
	PARAM_FACTOR = 2,
	PARAM_FROM = 4,
	PARAM_TO = 8,
	PARAM_LIMIT = 16,
	PARAM_AFTER = 32,
	PARAM_ACTIVE = 64,
	PARAM_STATUS = 128,
	PARAM_LAST_EVENT_ID = 256,
	PARAM_LAST = 512,
	PARAM_ATTACHMENT = 1024, /* the texts of one */
	PARAM_PUBLIC = 2048,
	PARAM_TRUST = 1 << 24,
	PARAM_LANGUAGE = 4096,
	/* of the office page's form, which sends empty ones, too */
	PARAM_PLACE = 8192,
	PARAM_STAGE = 16384,
	PARAM_SEVERITY = 32768,
	PARAM_PAGE = 65536,
	PARAM_DUE = 1 << 17,
	PARAM_OFFICE = PARAM_PLACE | PARAM_STAGE | PARAM_SEVERITY | PARAM_DUE | PARAM_PAGE,
	PARAM_SPAN = 1 << 20, /* month or year: one of the two */
	PARAM_PERIOD = 1 << 21,
	PARAM_MARK = 1 << 22, /* the texts of one, beside a file as the body */
	PARAM_FLAG = 1 << 23,
	PARAM_MEANS = 1 << 25, /* the period of means */
};

static bool param_time(const char *value, const struct zone *zone, int64_t *out)
{
	char text[64];
	size_t length = strlen(value);
	if (time_parse(value, length, zone, out))
		return true;
	/* "+08:00" that was not percent-encoded arrives as " 08:00" */
	const char *space = strrchr(value, ' ');
	if (space == NULL || space - value < 17 || length >= sizeof text)
		return false;
	memcpy(text, value, length + 1);
	text[space - value] = '+';
	return time_parse(text, length, zone, out);
}

static bool read_site(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->site = value;
	return value[0] != '\0';
}

static bool read_factor(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->factor = value;
	return value[0] != '\0';
}

static bool read_from(const char *value, const struct zone *zone, struct query *out)
{
	out->has_from = true;
	return param_time(value, zone, &out->from_ms);
}

static bool read_to(const char *value, const struct zone *zone, struct query *out)
{
	out->has_to = true;
	return param_time(value, zone, &out->to_ms);
}

static bool read_limit(const char *value, const struct zone *zone, struct query *out)
{
	int64_t n;
	(void)zone;
	if (!whole_number(value, 1, QUERY_LIMIT_MOST, &n))
		return false;
	out->limit = (size_t)n;
	return true;
}

static bool read_after(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	return whole_number(value, 1, INT64_MAX, &out->after);
}

static bool read_active(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->active = strcmp(value, "true") == 0;
	return out->active == 1 || strcmp(value, "false") == 0;
}

static bool read_status(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->all = strcmp(value, "all") == 0;
	out->overdue = strcmp(value, "overdue") == 0;
	return out->all || out->overdue || strcmp(value, "open") == 0;
}

static bool read_place(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->site = value[0] == '\0' ? NULL : value;
	return true;
}

static bool read_stage(const char *value, const struct zone *zone, struct query *out)
{
	bool good = value[0] == '\0' || strcmp(value, "open") == 0 || strcmp(value, "all") == 0;
	(void)zone;
	out->stage = value[0] == '\0' ? NULL : value;
	for (int i = 0; i < CASE_STATUSES && !good; i++)
		good = strcmp(value, case_status_name((enum case_status)i)) == 0;
	return good;
}

static bool read_severity(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->severity = value[0] == '\0' ? NULL : value;
	return out->severity == NULL || strcmp(severity_name(severity_find(value)), value) == 0;
}

static bool read_due(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->due = value[0] == '\0' ? NULL : value;
	return out->due == NULL || strcmp(value, "overdue") == 0 || strcmp(value, "day") == 0 ||
	       strcmp(value, "week") == 0;
}

static bool read_page(const char *value, const struct zone *zone, struct query *out)
{
	int64_t n;
	(void)zone;
	if (!whole_number(value, 1, 1000000, &n))
		return false;
	out->page = (size_t)n - 1;
	return true;
}

static bool read_trust(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->trust = value;
	return strlen(value) == 64 && strspn(value, "0123456789abcdef") == 64;
}

static bool read_public(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->open = strcmp(value, "1") == 0;
	return out->open || strcmp(value, "0") == 0;
}

static bool read_language(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->language = value;
	return strcmp(value, "zh_CN") == 0 || strcmp(value, "en") == 0;
}

static bool read_last_event_id(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->last_event_id = value;
	return true;
}

static bool read_last(const char *value, const struct zone *zone, struct query *out)
{
	int64_t n;
	(void)zone;
	if (!whole_number(value, 0, QUERY_LAST_MOST, &n))
		return false;
	out->last = (size_t)n;
	return true;
}

/* The calendar year or month that a text of digits names, as "2026" or "2026-03". */
static bool read_civil(const char *value, bool month, const struct zone *zone, struct query *out)
{
	struct civil first = {.month = 1, .day = 1};
	static const char digits[] = "0123456789";
	if (strlen(value) != (month ? 7 : 4) || strspn(value, digits) != 4 ||
	    (month && (value[4] != '-' || strspn(value + 5, digits) != 2)))
		return false;
	first.year = atoi(value);
	first.month = month ? atoi(value + 5) : 1;
	if (!civil_valid(&first) || first.year < 1970 || first.year > 9998)
		return false;
	int64_t start_ms = zone_wall_ms(zone, &first, 0);
	out->has_span = true;
	out->span = month ? month_of(zone, start_ms) : year_of(zone, start_ms);
	return true;
}

static bool read_month(const char *value, const struct zone *zone, struct query *out)
{
	return read_civil(value, true, zone, out);
}

static bool read_year(const char *value, const struct zone *zone, struct query *out)
{
	return read_civil(value, false, zone, out);
}

static bool read_period(const char *value, const struct zone *zone, struct query *out)
{
	static const char *const names[] = {[TALLY_HOUR] = "hour",
					    [TALLY_DAY] = "day",
					    [TALLY_MONTH] = "month",
					    [TALLY_YEAR] = "year"};
	(void)zone;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(value, names[i]) == 0) {
			out->period = (enum tally_period)i;
			return true;
		}
	return false;
}

static bool read_mean_period(const char *value, const struct zone *zone, struct query *out)
{
	out->minutes = strcmp(value, "minute") == 0;
	return out->minutes || (strcmp(value, "hour") != 0 && read_period(value, zone, out));
}

static bool read_flag(const char *value, const struct zone *zone, struct query *out)
{
	(void)zone;
	out->order.flag = value[0];
	return flag_known(value[0]) && value[1] == '\0';
}

static const struct param {
	const char *name;
	unsigned bit;
	bool (*read)(const char *value, const struct zone *zone, struct query *out);
	const char *right; /* what would be right */
} params[] = {
	{"site", PARAM_SITE, read_site, "the id of a site"},
	{"factor", PARAM_FACTOR, read_factor, "the code of a factor"},
	{"from", PARAM_FROM, read_from, "an RFC 3339 time or epoch seconds"},
	{"to", PARAM_TO, read_to, "an RFC 3339 time or epoch seconds"},
	{"limit", PARAM_LIMIT, read_limit, "a whole number from 1 to 100000"},
	{"after", PARAM_AFTER, read_after, "the \"next\" of an earlier page"},
	{"active", PARAM_ACTIVE, read_active, "true or false"},
	{"status", PARAM_STATUS, read_status, "open, overdue or all"},
	{"last_event_id", PARAM_LAST_EVENT_ID, read_last_event_id, "an event's id"},
	{"site", PARAM_PLACE, read_place, "the id of a site"},
	{"status", PARAM_STAGE, read_stage, "open, all, or a case's status"},
	{"severity", PARAM_SEVERITY, read_severity, "general, serious or grave"},
	{"due", PARAM_DUE, read_due, "overdue, day or week"},
	{"page", PARAM_PAGE, read_page, "a whole number from 1"},
	{"public", PARAM_PUBLIC, read_public, "1 or 0"},
	{"trust", PARAM_TRUST, read_trust, "a public key, 64 digits of lower-case hex"},
	{"language", PARAM_LANGUAGE, read_language, "zh_CN or en"},
	{"last", PARAM_LAST, read_last, "a whole number from 0 to 1000"},
	{"month", PARAM_SPAN, read_month, "a month such as 2026-03"},
	{"year", PARAM_SPAN, read_year, "a year such as 2026"},
	{"period", PARAM_PERIOD, read_period, "hour, day, month or year"},
	{"period", PARAM_MEANS, read_mean_period, "minute, day, month or year"},
	{"flag", PARAM_FLAG, read_flag, "one of N, F, M, S, D, C, T, B"},
};

static unsigned params_of(enum endpoint endpoint)
{
	switch (endpoint) {
	case ENDPOINT_READINGS:
		return PARAM_SITE | PARAM_FACTOR | PARAM_FROM | PARAM_TO | PARAM_LIMIT |
		       PARAM_AFTER;
	case ENDPOINT_GAPS:
		return PARAM_SITE | PARAM_FACTOR | PARAM_FROM | PARAM_TO | PARAM_LIMIT;
	case ENDPOINT_ALERTS:
		return PARAM_ACTIVE | PARAM_SITE | PARAM_LIMIT | PARAM_AFTER;
	case ENDPOINT_CASES:
		return PARAM_STATUS | PARAM_SITE | PARAM_FROM | PARAM_TO | PARAM_LIMIT |
		       PARAM_AFTER;
	case ENDPOINT_EVENTS:
		return PARAM_SITE | PARAM_LAST_EVENT_ID | PARAM_LAST;
	case ENDPOINT_ATTACHMENTS:
		return PARAM_ATTACHMENT;
	case ENDPOINT_MARKS:
		return PARAM_SITE | PARAM_FACTOR | PARAM_FROM | PARAM_TO | PARAM_LIMIT |
		       PARAM_AFTER | PARAM_FLAG | PARAM_MARK;
	case ENDPOINT_SHELVES:
		return PARAM_STATUS;
	case ENDPOINT_SITES:
	case ENDPOINT_RULES:
		return PARAM_SITE;
	case ENDPOINT_OFFICE:
		return PARAM_OFFICE | PARAM_LANGUAGE;
	case ENDPOINT_DOSSIER:
		return PARAM_PUBLIC | PARAM_LANGUAGE;
	case ENDPOINT_REPORT:
		return PARAM_SPAN | PARAM_LANGUAGE;
	case ENDPOINT_LOADS:
		return PARAM_SITE | PARAM_FACTOR | PARAM_SPAN | PARAM_PERIOD;
	case ENDPOINT_MEANS:
		return PARAM_SITE | PARAM_FACTOR | PARAM_FROM | PARAM_TO | PARAM_LIMIT |
		       PARAM_AFTER | PARAM_MEANS;
	case ENDPOINT_EVIDENCE:
		return PARAM_TRUST;
	case ENDPOINT_ATTACHMENT:
	case ENDPOINT_ACKNOWLEDGE:
	case ENDPOINT_UNSHELVE:
	case ENDPOINT_DELIVERIES:
	case ENDPOINT_DELIVERY_TEST:
	case ENDPOINT_NONE:
	case ENDPOINT_HEALTH:
	case ENDPOINT_METRICS:
	case ENDPOINT_CASE:
	case ENDPOINT_ACTIONS:
	case ENDPOINT_RELOAD:
	case ENDPOINT_CLOCK:
	case ENDPOINT_CONFIGURATION:
		return 0;
	}
	return 0;
}

static const struct param *param_find(unsigned allowed, const char *name)
{
	for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
		if ((params[i].bit & allowed) != 0 && strcmp(params[i].name, name) == 0)
			return &params[i];
	return NULL;
}

static bool query_pair(const struct query_pair *pair, unsigned allowed, unsigned *seen,
		       const struct zone *zone, struct query *out, struct text *error)
{
	const struct order_field *field = NULL;
	const struct param *param = param_find(allowed, pair->name);
	if (param == NULL && (allowed & (PARAM_ATTACHMENT | PARAM_MARK)) != 0)
		field = order_field_find(pair->name,
					 (allowed & PARAM_MARK) != 0 ? USE_MARK : USE_ATTACH);
	if (field != NULL)
		return order_take(&out->order, field, pair->value, error);
	if (param == NULL) {
		text_format(error, "unknown parameter \"%.64s\"", pair->name);
		return false;
	}
	if ((*seen & param->bit) != 0) {
		text_format(error,
			    param->bit == PARAM_SPAN
				    ? "parameter \"%s\": one of month and year is given, once"
				    : "parameter \"%s\" is given twice",
			    param->name);
		return false;
	}
	*seen |= param->bit;
	if (pair->value != NULL && param->read(pair->value, zone, out))
		return true;
	text_format(error, "parameter \"%s\" is \"%.64s\"; it must be %s", param->name,
		    pair->value == NULL ? "" : pair->value, param->right);
	return false;
}

bool query_read(enum endpoint endpoint, const struct query_pair *pairs, size_t n,
		const struct zone *zone, struct query *out, struct text *error)
{
	unsigned seen = 0, allowed = params_of(endpoint);
	*out = (struct query){
		.limit = QUERY_LIMIT_DEFAULT, .active = -1, .period = TALLY_DAY, .minutes = true};
	for (size_t i = 0; i < n; i++)
		if (!query_pair(&pairs[i], allowed, &seen, zone, out, error))
			return false;
	if ((endpoint == ENDPOINT_READINGS || endpoint == ENDPOINT_LOADS ||
	     endpoint == ENDPOINT_MEANS || endpoint == ENDPOINT_RULES) &&
	    out->site == NULL) {
		text_add(error, "parameter \"site\" is missing");
		return false;
	}
	if (endpoint == ENDPOINT_MEANS && out->factor == NULL) {
		text_add(error, "parameter \"factor\" is missing");
		return false;
	}
	if (endpoint == ENDPOINT_REPORT && !out->has_span) {
		text_add(error, "parameter \"month\" or \"year\" is missing");
		return false;
	}
	if (endpoint != ENDPOINT_READINGS && endpoint != ENDPOINT_MEANS &&
	    out->limit > QUERY_LIMIT_DEFAULT)
		out->limit =
			QUERY_LIMIT_DEFAULT; /* these are long, and read under the ledger's lock */
	if (out->has_from && out->has_to && out->from_ms > out->to_ms) {
		text_add(error, "parameter \"from\" lies after \"to\"");
		return false;
	}
	return true;
}

/* --- Accept (RFC 9110, 12.5.1) --- */

/* The weight of one media range, in thousandths; 1000 where it has none. */
static long accept_weight(const char *range, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++) {
		if (range[i] != ';')
			continue;
		size_t at = i + 1;
		while (at < length && (range[at] == ' ' || range[at] == '\t'))
			at++;
		if (at + 2 > length || strncasecmp(range + at, "q=", 2) != 0)
			continue;
		long weight = 0, unit = 1000;
		for (at += 2; at < length && unit > 0; at++) {
			if (range[at] == '.')
				continue;
			if (!isdigit((unsigned char)range[at]))
				break;
			weight += (range[at] - '0') * unit;
			unit /= 10;
		}
		return weight;
	}
	return 1000;
}

/* The weight that the header gives to a type by its name; 0 where it is not named. */
static long accept_of(const char *accept, const char *type)
{
	size_t n = strlen(type);
	while (*accept != '\0') {
		accept += strspn(accept, " \t,");
		size_t length = strcspn(accept, ",");
		if (length >= n && strncasecmp(accept, type, n) == 0 &&
		    (length == n || strchr("; \t", accept[n]) != NULL))
			return accept_weight(accept, length);
		accept += length;
	}
	return 0;
}

bool query_wants_csv(const char *accept)
{
	if (accept == NULL)
		return false;
	long csv = accept_of(accept, "text/csv");
	return csv > 0 && csv >= accept_of(accept, "application/json");
}
