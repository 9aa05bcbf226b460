/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "config/config.h"
#include "config/dates.h"
#include "config/units.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool made_of(const char *text, const char *set)
{
	return text[0] && text[strspn(text, set)] == '\0';
}

const char *check_node_id(const char *text)
{
	return made_of(text, LETTERS DIGITS "-") && strlen(text) <= 64
		       ? NULL
		       : "use a to z, 0 to 9 and -, at most 64";
}

const char *check_id(const char *text)
{
	return made_of(text, LETTERS CAPITALS DIGITS "-_.") && isalnum((unsigned char)text[0]) &&
			       strlen(text) <= 64
		       ? NULL
		       : "use letters a to z, digits and -, at most 64";
}

const char *check_factor(const char *text)
{
	return made_of(text, LETTERS CAPITALS DIGITS "-_") && strlen(text) <= 24
		       ? NULL
		       : "use a code of HJ 525 such as w01018";
}

const char *check_unit(const char *text)
{
	return unit_known(text) ? NULL : "no such unit is known; duchad.cfg(5) lists them";
}

const char *check_mn(const char *text)
{
	return made_of(text, LETTERS CAPITALS DIGITS "-_") && strlen(text) <= 27
		       ? NULL
		       : "use the logger's number, 1 to 27 letters and digits";
}

const char *check_timezone(const char *text)
{
	char path[512], magic[4] = "";
	const char *wrong = "no such zone in the zoneinfo database; use one such as Asia/Shanghai";
	const char *folder = getenv("TZDIR");
	if (strcmp(text, "UTC") == 0)
		return NULL;
	if (!made_of(text, LETTERS CAPITALS DIGITS "/_+-") || text[0] == '/')
		return wrong;
	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/usr/share/zoneinfo", text);
	FILE *file = fopen(path, "re");
	if (!file)
		return wrong;
	bool zone = fread(magic, 1, 4, file) == 4 && memcmp(magic, "TZif", 4) == 0;
	fclose(file);
	return zone ? NULL : wrong;
}

const char *check_case_number(const char *text)
{
	bool year = false, seq = false;
	for (const char *at = text; *at; at++) {
		if (*at == '}')
			return "a } stands alone; use {prefix}, {year} and {seq}";
		if (*at != '{')
			continue;
		if (strncmp(at, "{year}", 6) == 0)
			year = true;
		else if (strncmp(at, "{seq}", 5) == 0)
			seq = true;
		else if (strncmp(at, "{prefix}", 8) != 0)
			return "only {prefix}, {year} and {seq} are known";
		at = strchr(at, '}');
	}
	return year && seq ? NULL : "it needs {year} and {seq}, or numbers would repeat";
}

/* host, host:port, [v6] or [v6]:port up to @end; a port is 1 to 65535. */
static bool good_host(const char *at, const char *end, bool port_needed)
{
	const char *colon;
	size_t length = (size_t)(end - at);
	if (length > 0 && *at == '[') {
		const char *close = memchr(at, ']', length);
		if (!close || close == at + 1 ||
		    strspn(at + 1, DIGITS "abcdefABCDEF:.") != (size_t)(close - at - 1))
			return false;
		colon = close + 1;
	} else {
		size_t name = strspn(at, LETTERS CAPITALS DIGITS ".-_");
		if (name == 0 || name > 253)
			return false;
		colon = at + name;
	}
	if (colon >= end)
		return colon == end && !port_needed;
	size_t digits = strspn(colon + 1, DIGITS);
	if (*colon != ':' || digits < 1 || digits > 5 || colon + 1 + digits != end)
		return false;
	long port = strtol(colon + 1, NULL, 10);
	return port >= 1 && port <= 65535;
}

static const char *check_url(const char *text, const char *const *schemes, const char *wrong)
{
	for (; *schemes; schemes++) {
		size_t length = strlen(*schemes);
		if (strncasecmp(text, *schemes, length) != 0)
			continue;
		const char *host = text + length, *end = host + strcspn(host, "/?#");
		const char *at = memchr(host, '@', (size_t)(end - host));
		if (at)
			return "a name or password does not belong into the address";
		if (!good_host(host, end, false) || strpbrk(text, " \"<>\\"))
			return wrong;
		return NULL;
	}
	return wrong;
}

int check_sayable(const char *text)
{
	const char *host = strstr(text, "://");
	bool open = host == NULL || strchr(host, '@') == NULL;
	return (int)(open ? strlen(text) : (size_t)(host + 3 - text));
}

const char *check_http_url(const char *text)
{
	static const char *const schemes[] = {"http://", "https://", NULL};
	return check_url(text, schemes, "use http://host:port or https://host:port");
}

bool is_loopback_url(const char *url)
{
	char host[64];
	struct in_addr address;
	const char *at = strstr(url, "://");
	size_t length = at ? strcspn(at + 3, ":/?#") : 0;
	if (!at || length >= sizeof(host))
		return false;
	if (strncmp(at + 3, "[::1]", 5) == 0)
		return true;
	snprintf(host, sizeof(host), "%.*s", (int)length, at + 3);
	if (strcasecmp(host, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* Return: how many bytes @length of base64 stand for; 0 where it is none. */
static size_t base64_bytes(const char *text, size_t length)
{
	size_t padding = 0;
	while (padding < 2 && length > padding && text[length - 1 - padding] == '=')
		padding++;
	if (length == 0 || length % 4 != 0 ||
	    strspn(text, LETTERS CAPITALS DIGITS "+/") != length - padding)
		return 0;
	return length / 4 * 3 - padding;
}

const char *check_webhook_secrets(const char *text)
{
	const char *wrong = "use whsec_ and 24 to 64 random bytes in base64, as of "
			    "`openssl rand -base64 32`, or up to 8 of them with spaces between";
	int n = 0;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		if (strncmp(text, "whsec_", 6) == 0)
			text += 6;
		size_t length = strcspn(text, " "), bytes = base64_bytes(text, length);
		if (bytes < 24 || bytes > 64 || ++n > 8)
			return wrong;
		text += length;
	}
	return n > 0 ? NULL : wrong;
}

const char *check_signing_key(const char *text)
{
	if (strncmp(text, "whsk_", 5) == 0)
		text += 5;
	size_t bytes = base64_bytes(text, strlen(text));
	return bytes == 32 || bytes == 64
		       ? NULL
		       : "use whsk_ and the 32 bytes of an Ed25519 key in base64, as of "
			 "`openssl rand -base64 32`";
}

const char *check_smtp_url(const char *text)
{
	static const char *const schemes[] = {"smtp://", "smtps://", NULL};
	return check_url(text, schemes, "use smtp://host:port or smtps://host:port");
}

const char *check_postgresql_url(const char *text)
{
	static const char *const schemes[] = {"postgresql://", NULL};
	const char *wrong = "use postgresql://host:port/database";
	const char *fault = check_url(text, schemes, wrong);
	const char *slash = fault ? NULL : strchr(strstr(text, "://") + 3, '/');
	if (fault)
		return fault;
	return slash && made_of(slash + 1, LETTERS CAPITALS DIGITS "_-") ? NULL : wrong;
}

const char *check_mqtt_uri(const char *text)
{
	static const char *const schemes[] = {"mqtt://", "mqtts://", NULL};
	const char *wrong = "use mqtt://host:port or mqtts://host:port";
	const char *fault = check_url(text, schemes, wrong);
	const char *path = fault ? NULL : strpbrk(strstr(text, "://") + 3, "/?#");
	return path && strcmp(path, "/") != 0 ? wrong : fault;
}

const char *check_host(const char *text)
{
	const char *end = text + strlen(text);
	size_t v6 = strspn(text, DIGITS "abcdefABCDEF:.");
	bool bare_v6 =
		text + v6 == end && strchr(text, ':') && strchr(text, ':') != strrchr(text, ':');
	return bare_v6 || (!strchr(text, ':') && good_host(text, end, false))
		       ? NULL
		       : "use an address such as 192.0.2.10 or a host name, without port";
}

const char *check_device(const char *text)
{
	return text[0] == '/' ? NULL
			      : "use the whole path, such as /dev/ttyS1 or one of "
				"/dev/serial/by-path";
}

const char *check_listen(const char *text)
{
	return good_host(text, text + strlen(text), true)
		       ? NULL
		       : "use address:port such as 127.0.0.1:9212";
}

const char *check_listen_address(const char *text)
{
	unsigned char address[16];
	char host[64];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool bracketed = n > 2 && text[0] == '[' && text[n - 1] == ']';
	if (check_listen(text) == NULL && n < sizeof(host)) {
		snprintf(host, sizeof(host), "%.*s", (int)(n - 2U * bracketed), text + bracketed);
		if (inet_pton(bracketed ? AF_INET6 : AF_INET, host, address) == 1)
			return NULL;
	}
	return "use address:port with the address in digits, such as 192.0.2.1:9003";
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t packet_bytes(const char *text, uint8_t out[CONFIG_PACKET_BYTES])
{
	size_t length = text ? strlen(text) : 0, n = 0;
	if (length == 0 || strncmp(text, "hex:", 4) != 0) {
		if (length > CONFIG_PACKET_BYTES)
			return 0;
		memcpy(out, text ? text : "", length);
		return length;
	}
	for (const char *at = text + 4; *at; at += 2) {
		int high = hex_digit(at[0]), low = at[1] ? hex_digit(at[1]) : -1;
		if (high < 0 || low < 0 || n == CONFIG_PACKET_BYTES)
			return 0;
		out[n++] = (uint8_t)(high << 4 | low);
	}
	return n;
}

const char *check_packet(const char *text)
{
	uint8_t bytes[CONFIG_PACKET_BYTES];
	return packet_bytes(text, bytes) > 0
		       ? NULL
		       : "use a text of at most 64 bytes, or hex: with two digits for each byte, "
			 "such as hex:0d0a";
}

const char *check_topic_filter(const char *text)
{
	for (const char *level = text;; level++) {
		size_t length = strcspn(level, "/"), plain = strcspn(level, "/+#");
		if (plain < length && length > 1)
			return "+ and # stand alone between slashes";
		if (*level == '#' && level[1])
			return "# can only be the last level";
		level += length;
		if (*level == '\0')
			return NULL;
	}
}

const char *check_topic(const char *text)
{
	return strpbrk(text, "+#") ? "a topic to publish to has no + and no #" : NULL;
}

const char *check_event_topic(const char *text)
{
	for (const char *at = strpbrk(text, "{}"); at; at = strpbrk(at + 1, "{}")) {
		bool known = strncmp(at, "{node}", 6) == 0 || strncmp(at, "{event}", 7) == 0;
		if (!known)
			return "only {node} and {event} are known";
		at = strchr(at, '}');
	}
	return check_topic(text);
}

const char *check_share_topic(const char *text)
{
	bool site = strstr(text, "{site}"), factor = strstr(text, "{factor}");
	for (const char *at = strpbrk(text, "{}"); at; at = strpbrk(at + 1, "{}")) {
		if (strncmp(at, "{node}", 6) != 0 && strncmp(at, "{site}", 6) != 0 &&
		    strncmp(at, "{factor}", 8) != 0)
			return "only {node}, {site} and {factor} are known";
		at = strchr(at, '}');
	}
	return site && factor ? check_topic(text)
			      : "it needs {site} and {factor}, or readings could not be told apart";
}

const char *check_mail_address(const char *text)
{
	static const char wrong[] = "use an address alone, such as office@example.org";
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : 0;
	if (!at || length == 0 || length > 64 || strlen(at + 1) == 0 || strlen(at + 1) > 253)
		return wrong;
	if (strspn(text, LETTERS CAPITALS DIGITS ".!#$%&'*+/=?^_`{|}~-") != length ||
	    strspn(at + 1, LETTERS CAPITALS DIGITS ".-") != strlen(at + 1))
		return wrong;
	return NULL;
}

const char *check_pointer(const char *text)
{
	if (text[0] != '/' && text[0] != '\0')
		return "a JSON pointer begins with /, such as /data/value";
	for (const char *tilde = strchr(text, '~'); tilde; tilde = strchr(tilde + 1, '~'))
		if (tilde[1] != '0' && tilde[1] != '1')
			return "in a JSON pointer ~ is written ~0 and / in a name ~1";
	return NULL;
}

const char *check_event_filter(const char *text)
{
	static const char *const types[] = {"alert.raised",    "alert.cleared",       "case.opened",
					    "case.updated",    "case.overdue",        "case.closed",
					    "connection.lost", "connection.restored", "duty.called",
					    "duty.digest",     "seal.anchored"};
	const char *star = strchr(text, '*');
	bool whole = !star;
	size_t length = whole ? strlen(text) : (size_t)(star - text);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(types[i], text, length) == 0 && (!whole || types[i][length] == '\0') &&
		    (whole || star[1] == '\0'))
			return NULL;
	return "it matches no event; use a type such as case.opened, or case.*, or *";
}

const char *check_date(const char *text)
{
	return date_days(text) > 0 ? NULL : "use a date such as 2026-03-01";
}
