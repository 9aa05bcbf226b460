/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/mail.h"

#include "deliver/advice.h"
#include "deliver/sheet.h"
#include "deliver/sources.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORD_BYTES = 45, LINE_BYTES = 57, SUBJECT_BYTES = 400 };
#define BOUNDARY "=_ducha_part"

/* --- headers --- */

static bool is_plain(const char *s)
{
	for (const char *c = s; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			return false;
	return strstr(s, "=?") == NULL && strlen(s) <= 60;
}

/* How many bytes of @s are whole characters and at most @most. */
static size_t whole_characters(const char *s, size_t length, size_t most)
{
	if (length <= most)
		return length;
	size_t n = most;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n > 0 ? n : most;
}

static void add_base64(struct text *out, const char *bytes, size_t n)
{
	unsigned char text[(LINE_BYTES + 2) / 3 * 4 + 1];
	int length = EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)n);
	text_add_n(out, (const char *)text, (size_t)length);
}

void mail_word(struct text *out, const char *s, size_t used)
{
	size_t length = strlen(s);
	if (is_plain(s) && used + length <= 78) {
		text_add(out, s);
		return;
	}
	for (size_t most = (75 - 12 - used) / 4 * 3; length > 0; most = WORD_BYTES) {
		size_t n = whole_characters(s, length, most);
		text_add(out, "=?UTF-8?B?");
		add_base64(out, s, n);
		text_add(out, "?=");
		s += n;
		length -= n;
		text_add(out, length > 0 ? "\r\n " : "");
	}
}

/* "Fri, 02 Jan 2026 03:04:05 +0800"; names are English by the standard. */
static void add_date(struct text *out, const struct mail *mail)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;
	time_t now_s = (time_t)(mail->now_ms / 1000);
	gmtime_r(&now_s, &tm);
	text_format(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
		    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
}

static void add_ids(struct text *out, const struct mail *mail)
{
	const char *at = strrchr(mail->from, '@');
	const char *node = mail->plan->node, *domain = at == NULL ? "localhost" : at + 1;
	bool test = strcmp(mail->event->type, "test") == 0;
	text_format(out, "Message-ID: <%s-%s%lld@%s>\r\n", node, test ? "test-" : "",
		    (long long)mail->event->id, domain);
	if (mail->event->case_id != 0)
		text_format(out, "References: <%s-case-%lld@%s>\r\n", node,
			    (long long)mail->event->case_id, domain);
}

/* --- words --- */

static const char *word(const struct mail *mail, const char *english)
{
	return english == NULL || english[0] == '\0' ? "" : mail->translate(english);
}

static const char *string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s == NULL ? "" : s;
}

static const char *headline(const char *type)
{
	static const struct {
		const char *type, *text;
	} lines[] = {
		{"alert.raised", SAY("alert raised")},
		{"alert.cleared", SAY("alert cleared")},
		{"case.opened", SAY("case opened")},
		{"case.updated", SAY("case updated")},
		{"case.overdue", SAY("case overdue")},
		{"case.closed", SAY("case closed")},
		{"connection.lost", SAY("connection lost")},
		{"connection.restored", SAY("connection restored")},
		{"duty.called", SAY("call for the person on duty")},
		{"duty.digest", SAY("digest for the person on duty")},
		{"test", SAY("test")},
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (strcmp(lines[i].type, type) == 0)
			return lines[i].text;
	return type;
}

/* --- subject --- */

static void add_spaced(struct text *out, const char *s)
{
	if (s[0] == '\0')
		return;
	text_char(out, ' ');
	for (; *s != '\0'; s++) /* no control character, not even an encoded one */
		text_char(out, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
}

/* Of a digest: how many alerts waited for it. */
static long long waiting(const json_t *data)
{
	return (long long)(json_array_size(json_object_get(data, "alerts"))) +
	       (long long)json_integer_value(json_object_get(data, "more"));
}

static void add_count(struct text *out, const json_t *data)
{
	if (json_is_array(json_object_get(data, "alerts")))
		text_format(out, " (%lld)", waiting(data));
}

static void add_subject(struct text *out, const struct mail *mail, const json_t *data)
{
	const json_t *alert = json_object_get(data, "alert");
	const json_t *about = json_is_object(alert) ? alert : data;
	const char *site = string(about, "site_name");
	struct text subject = {0};
	text_format(&subject, "[%s]", mail->plan->node);
	add_spaced(&subject, word(mail, headline(mail->event->type)));
	add_spaced(&subject, string(data, "number"));
	add_count(&subject, data);
	add_spaced(&subject, site[0] != '\0' ? site : string(about, "site"));
	add_spaced(&subject, string(about, "factor_name"));
	add_spaced(&subject, string(about, "connection"));
	add_spaced(&subject, word(mail, json_kind(about)));
	if (subject.length > SUBJECT_BYTES)
		subject.at[whole_characters(subject.at, subject.length, SUBJECT_BYTES)] = '\0';
	text_add(out, "Subject: ");
	mail_word(out, subject.failed ? "ducha" : subject.at, sizeof "Subject: " - 1);
	text_add(out, "\r\n");
	text_deinit(&subject);
}

/* --- text --- */

enum shape { PLAIN, WORD, TIME, VALUE, EXACT, KIND, SOURCE, REASON }; /* VALUE: with its decimals */
static const struct {
	const char *key, *label;
	enum shape shape;
} lines[] = {
	{"number", SAY("number"), PLAIN},
	{"title", SAY("title"), PLAIN},
	{"person", SAY("person"), PLAIN},
	{"site_name", SAY("site"), PLAIN},
	{"factor_name", SAY("factor"), PLAIN},
	{"connection", SAY("Connection"), PLAIN},
	{"kind", SAY("kind"), KIND},
	{"reason", SAY("reason"), REASON},
	{"source", SAY("source"), WORD},
	{"document", SAY("document"), PLAIN},
	{"level_document", SAY("listed by"), PLAIN},
	{"severity", SAY("severity"), WORD},
	{"status", SAY("status"), WORD},
	{"level", SAY("level"), WORD},
	{"opened_at", SAY("opened"), TIME},
	{"due_at", SAY("due"), TIME},
	{"closed_at", SAY("Ended on"), TIME},
	{"began_at", SAY("began"), TIME},
	{"raised_at", SAY("raised"), TIME},
	{"cleared_at", SAY("cleared"), TIME},
	{"next_at", SAY("next call"), TIME},
	{"limit", SAY("limit"), EXACT},
	{"limit_source", SAY("limit source"), SOURCE},
	{"value", SAY("value"), VALUE},
	{"first_value", SAY("first value"), VALUE},
	{"peak_value", SAY("peak value"), VALUE},
	{"last_value", SAY("last value"), VALUE},
	{"note", SAY("note"), PLAIN},
};

static void add_words(struct text *out, const json_t *object, const char *s, enum shape shape,
		      const struct mail *mail)
{
	if (shape == SOURCE)
		source_words(out, mail->words, s);
	else if (shape == REASON)
		reason_words(out, mail->words, s);
	else
		text_add(out, word(mail, shape == KIND ? json_kind(object) : s));
}

static void add_value(struct text *out, const json_t *object, const json_t *value, enum shape shape,
		      const struct mail *mail)
{
	const char *s = json_string_value(value), *unit = string(object, "unit");
	if (shape == WORD || shape == KIND || shape == SOURCE || shape == REASON) {
		add_words(out, object, s, shape, mail);
	} else if (shape == TIME && s != NULL && strlen(s) > 19) {
		text_format(out, "%.10s %.8s", s, s + 11);
	} else if (json_is_number(value)) {
		const json_t *decimals = json_object_get(object, "decimals");
		if (shape == VALUE && json_is_integer(decimals))
			text_fixed(out, json_number_value(value),
				   (int)json_integer_value(decimals));
		else
			text_double(out, json_number_value(value));
		text_format(out, "%s%s", unit[0] != '\0' ? " " : "", unit);
	} else {
		text_add(out, s == NULL ? "" : s);
	}
}

static void add_people(struct text *out, const struct mail *mail, const json_t *responsible)
{
	text_format(out, "%s:", word(mail, SAY("responsible")));
	add_spaced(out, string(responsible, "unit"));
	add_spaced(out, string(responsible, "leader"));
	add_spaced(out, string(responsible, "team"));
	text_char(out, '\n');
}

static void add_lines(struct text *out, const struct mail *mail, const json_t *object)
{
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		const json_t *value = json_object_get(object, lines[i].key);
		if (value == NULL || json_is_null(value) || json_is_object(value))
			continue;
		text_format(out, "%s: ", word(mail, lines[i].label));
		add_value(out, object, value, lines[i].shape, mail);
		text_char(out, '\n');
	}
	const json_t *responsible = json_object_get(object, "responsible");
	if (string(responsible, "unit")[0] != '\0')
		add_people(out, mail, responsible);
}

static void add_step(struct text *out, const struct mail *mail, const json_t *data)
{
	const json_t *history = json_object_get(data, "history");
	const json_t *last = json_array_get(history, json_array_size(history) - 1);
	if (json_array_size(history) == 0)
		return;
	const char *by = string(last, "by");
	text_format(out, "\n%s: %s, %s", word(mail, SAY("newest step")),
		    word(mail, json_step(history, last)),
		    strcmp(by, "duchad") == 0 ? word(mail, SAY("the system")) : by);
	if (string(last, "step")[0] != '\0')
		text_format(out, "\n%s: %s", word(mail, SAY("step of the plan")),
			    string(last, "step"));
	if (string(last, "note")[0] != '\0')
		text_format(out, "\n%s", string(last, "note"));
	text_char(out, '\n');
}

/* What an alert means, what is to be done, and how soon: for whoever is called at night. */
static void add_advice(struct text *out, const struct mail *mail, const json_t *alert)
{
	const enum alert_kind kind = advice_kind(string(alert, "kind"));
	const uint32_t site = plan_site(mail->plan, string(alert, "site"));
	if (kind == ALERT_KINDS || site == NO_INDEX ||
	    json_is_string(json_object_get(alert, "cleared_at")))
		return;
	const struct advice advice = advice_of(kind, mail->plan->sites[site].kind);
	text_format(out, "\n%s: %s\n%s: %s\n%s: %s\n", word(mail, SAY("What it means")),
		    word(mail, advice.consequence), word(mail, SAY("What to do")),
		    word(mail, advice.action), word(mail, SAY("How soon")),
		    word(mail, advice.time));
}

/* Of a digest: how many alerts waited for it, and how many of them it does not list. */
static void add_waiting(struct text *out, const struct mail *mail, const json_t *data)
{
	const long long more = (long long)json_integer_value(json_object_get(data, "more"));
	if (strcmp(mail->event->type, "duty.digest") != 0)
		return;
	text_format(out, "%s: %lld\n", word(mail, SAY("alerts that waited for this digest")),
		    waiting(data));
	if (more > 0)
		text_format(out, "%s: %lld\n", word(mail, SAY("of these not listed here")), more);
}

static void add_text(struct text *out, const struct mail *mail, const json_t *data)
{
	size_t i;
	const json_t *alert, *alerts = json_object_get(data, "alerts");
	text_format(out, "%s (%s)\n%s\n\n", mail->plan->office, mail->plan->node,
		    word(mail, headline(mail->event->type)));
	add_lines(out, mail, data);
	add_waiting(out, mail, data);
	if (json_is_object(json_object_get(data, "alert"))) {
		add_lines(out, mail, json_object_get(data, "alert"));
		add_advice(out, mail, json_object_get(data, "alert"));
	} else if (strcmp(mail->event->type, "alert.raised") == 0) {
		add_advice(out, mail, data);
	}
	json_array_foreach(alerts, i, alert)
	{
		text_char(out, '\n');
		add_lines(out, mail, alert);
	}
	add_step(out, mail, data);
}

/* --- parts --- */

/* Lines of a text end with CRLF, also below base64 (RFC 2046, 4.1.1). */
static void add_crlf(struct text *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_add_n(out, s[i] == '\n' ? "\r\n" : &s[i], s[i] == '\n' ? 2 : 1);
}

static void add_part(struct text *out, const char *type, const char *body, size_t n)
{
	text_format(out,
		    "--" BOUNDARY "\r\nContent-Type: %s\r\n"
		    "Content-Transfer-Encoding: base64\r\n",
		    type);
	if (strncmp(type, "text/html", 9) == 0)
		text_add(out, "Content-Disposition: attachment; filename=\"dossier.html\"\r\n");
	text_add(out, "\r\n");
	for (size_t at = 0; at < n; at += LINE_BYTES) {
		add_base64(out, body + at, n - at < LINE_BYTES ? n - at : LINE_BYTES);
		text_add(out, "\r\n");
	}
}

void mail_write(const struct mail *mail, struct text *out)
{
	struct text plain = {0}, body = {0};
	json_t *json = json_loads(mail->event->json, 0, NULL);
	const json_t *data = json_object_get(json, "data");
	add_date(out, mail);
	text_format(out, "From: <%s>\r\nTo: ", mail->from);
	for (size_t i = 0; i < mail->n_to; i++)
		text_format(out, "%s<%s>", i > 0 ? ",\r\n " : "", mail->to[i]);
	text_add(out, "\r\n");
	add_subject(out, mail, data);
	add_ids(out, mail);
	text_add(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		      "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\r\n\r\n");
	add_text(&plain, mail, data);
	add_crlf(&body, plain.at, plain.length);
	add_part(out, "text/plain; charset=UTF-8", body.at, body.length);
	if (mail->dossier != NULL)
		add_part(out, "text/html; charset=UTF-8", mail->dossier, mail->dossier_bytes);
	text_add(out, "--" BOUNDARY "--\r\n");
	out->failed = out->failed || plain.failed || body.failed || json == NULL;
	text_deinit(&plain);
	text_deinit(&body);
	json_decref(json);
}
