/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration that says little gets, and what duchad.cfg(5) says that it gets: the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char manual[400000];

static void read_manual(void)
{
	FILE *file = fopen(TEST_DATA "/duchad.cfg.5", "r");
	assert_non_null(file);
	size_t n = fread(manual, 1, sizeof manual - 1, file);
	assert_true(n > 0 && n < sizeof manual - 1);
	fclose(file);
}

/* A section, also one below another. Return: where its text begins; its end is cut off. */
static char *section(const char *heading)
{
	static char text[sizeof manual];
	char line[64];
	for (int sub = 0; sub < 2; sub++) {
		snprintf(line, sizeof line, "\n.S%c %s\n", sub == 0 ? 'h' : 's', heading);
		const char *at = strstr(manual, line);
		if (at == NULL)
			continue;
		strcpy(text, at + 1);
		char *end = strstr(text + 1, "\n.S");
		while (end != NULL && end[3] != 'h' && end[3] != 's')
			end = strstr(end + 1, "\n.S");
		if (end != NULL)
			*end = '\0';
		return text;
	}
	fail_msg("duchad.cfg(5) has no section %s", heading);
	return NULL;
}

/* Where @word stands alone before @end. */
static char *find_word(char *at, const char *word, const char *end)
{
	size_t length = strlen(word);
	for (char *found = strstr(at, word); found != NULL && found < end;
	     found = strstr(found + 1, word))
		if (!isalnum((unsigned char)found[-1]) && found[-1] != '_' &&
		    !isalnum((unsigned char)found[length]) && found[length] != '_')
			return found;
	return NULL;
}

/* The number behind "; " at the end of the brackets of a key, as in "(0 to 64; 12)". */
static bool in_brackets(const char *key, const char *end, double *value)
{
	const char *open = strchr(key, '('), *close = open == NULL ? NULL : strchr(open, ')');
	if (close == NULL || close > end)
		return false;
	const char *at = close;
	while (at > open && *at != ';')
		at--;
	char *rest;
	*value = strtod(at + 1, &rest);
	return *at == ';' && rest == close;
}

/* "Default: 1.", or of the @place-th key of an item "Defaults: 1, 2." */
static bool in_text(const char *item, int place, double *value)
{
	const char *at = strstr(item, "Default");
	if (at == NULL || (at = strchr(at, ':')) == NULL)
		return false;
	char *rest;
	*value = strtod(at + 1, &rest);
	for (int i = 0; i < place && rest[0] != '.'; i++) {
		const char *next = rest[0] == ','                  ? rest + 1
				   : strncmp(rest, " and", 4) == 0 ? rest + 4
								   : NULL;
		if (next == NULL)
			return false;
		*value = strtod(next, &rest);
	}
	return rest != at + 1;
}

static int keys_before(const char *item, const char *key)
{
	int n = 0;
	for (const char *at = item; at < key; at++)
		n += strncmp(at, "Ic ", 3) == 0 || strncmp(at, " , ", 3) == 0;
	return n - 1;
}

static bool said(const char *heading, const char *key, double *value)
{
	for (char *item = strstr(section(heading), "\n.It Ic"); item != NULL;) {
		char *next = strstr(item + 1, "\n.It Ic"), *head = strchr(item + 1, '\n');
		char *at = find_word(item, key, head);
		if (next != NULL)
			*next = '\0';
		if (at != NULL)
			return in_brackets(at, head, value) ||
			       in_text(head, keys_before(item, at), value);
		item = next;
		if (next != NULL)
			*next = '\n';
	}
	return false;
}

static void expect_said(const char *heading, const char *key, double gets)
{
	double says;
	if (!said(heading, key, &says))
		fail_msg("%s: %s: duchad.cfg(5) says no default, it gets %g", heading, key, gets);
	if (says < gets || says > gets)
		fail_msg("%s: %s: duchad.cfg(5) says %g, it gets %g", heading, key, says, gets);
}
#define SAID(heading, group, key) expect_said(heading, #key, (double)(group).key)

#define SITES                                                                                      \
	"sites: ( { id = \"s\"; kind = \"outfall\"; clues: { }; monitors: ( { factor = "           \
	"\"w01018\"; connection = \"plc\"; unit_id = 1; table = \"holding\"; address = 0; type = " \
	"\"float32\"; limits: ( { max = 50.0; } ); } ); } );\n"

static void test_of_node_store_and_database(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE "influx: { url = \"http://127.0.0.1:1\"; };\n" TCP SITES);
	expect_ok(fixture);
	const struct config *c = fixture->config;
	SAID("storage", *c, flush_ms);
	SAID("storage", *c, max_bytes);
	SAID("storage", *c, anchor_s);
	SAID("influx", c->influx, batch_lines);
	SAID("influx", c->influx, flush_ms);
	SAID("deadlines", c->cases, fault_shelve_workdays);
	SAID("closing", c->cases.closing, checkers);
	SAID("closing", c->cases.closing, attachments);
	SAID("severity", c->cases.severity, serious_multiple);
	SAID("severity", c->cases.severity, grave_multiple);
	SAID("severity", c->cases.severity, source_grave_multiple);
	SAID("severity", c->cases.severity, ph_serious);
	SAID("severity", c->cases.severity, ph_grave_low);
	SAID("severity", c->cases.severity, ph_grave_high);
	SAID("severity", c->cases.severity, oxygen_serious);
	SAID("severity", c->cases.severity, serious_classes);
	SAID("severity", c->cases.severity, grave_inferior_times);
	SAID("severity", c->cases.severity, serious_days);
}

static void test_of_connections(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE
		     "connections: ( { id = \"plc\"; driver = \"modbus\"; host = "
		     "\"192.0.2.1\"; }, { id = \"bus\"; driver = \"mqtt\"; uri = "
		     "\"mqtt://127.0.0.1:1883\"; }, { id = \"line\"; driver = \"modbus\"; "
		     "transport = \"rtu\"; device = \"/dev/ttyS1\"; }, { id = \"dtu\"; driver = "
		     "\"modbus\"; transport = \"dtu\"; listen = \"127.0.0.1:9000\"; "
		     "registration = \"x\"; } );\n" SITES);
	expect_ok(fixture);
	const struct config_connection *c = fixture->config->connections;
	SAID("connections", c[0], port);
	SAID("connections", c[0], interval_ms);
	SAID("connections", c[0], timeout_ms);
	SAID("connections", c[0], request_gap_ms);
	SAID("connections", c[0], connect_pause_ms);
	SAID("connections", c[0], max_gap);
	SAID("connections", c[0], max_registers);
	SAID("connections", c[1], qos);
	SAID("connections", c[1], keepalive_s);
	SAID("connections", c[1], ack_timeout_ms);
	SAID("connections", c[2], baud);
	SAID("connections", c[2], stop_bits);
	SAID("connections", c[3], idle_s);
}

static void test_of_sites_and_limits(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE TCP SITES);
	expect_ok(fixture);
	const struct config_clues *clues = &fixture->config->sites[0].clues;
	SAID("sites", *clues, clipped_count);
	SAID("sites", *clues, clipped_share);
	SAID("sites", *clues, weak_flat_count);
	SAID("sites", *clues, weak_flat_share);
	SAID("sites", *clues, repeating_count);
	SAID("sites", *clues, alike_count);
	SAID("sites", *clues, shut_count);
	SAID("sites", *clues, shut_share);
	SAID("sites", *clues, shut_after_s);
	SAID("sites", *clues, flagged_after_s);
	SAID("sites", *clues, contradicts_count);
	SAID("sites", *clues, within_s);
	SAID("sites", *clues, hold_s);
	SAID("sites", *clues, altitude_m);
	const struct config_monitor *monitor = &fixture->config->sites[0].monitors[0];
	SAID("Monitors", *monitor, flat_band);
	SAID("Monitors", *monitor, detection_limit);
	SAID("Monitors", *monitor, cycle_s);
	SAID("Monitors", *monitor, settle_results);
	SAID("Monitors", *monitor, scale);
	SAID("Monitors", *monitor, offset);
	SAID("Limits", monitor->limits[0], on_count);
	SAID("Limits", monitor->limits[0], grace_s);
	SAID("Limits", monitor->limits[0], min_valid);
}

static void test_of_deliveries_shares_and_duty(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(
		fixture, NODE MQTT
		"duty: { people = (\"Lin\"); };\n"
		"deliveries: ( { id = \"a\"; type = \"alertmanager\"; url = "
		"\"http://127.0.0.1:1\"; }, { id = \"m\"; type = \"smtp\"; url = "
		"\"smtp://127.0.0.1:25\"; from = \"a@b.example\"; to = (\"c@d.example\"); }, { "
		"id = \"b\"; type = \"mqtt\"; connection = \"bus\"; topic = \"t\"; } );\n"
		"share: ( { id = \"s\"; connection = \"bus\"; topic = \"{site}/{factor}\"; "
		"} );\n"
		"sites: ( );\n");
	expect_ok(fixture);
	const struct config_delivery *d = fixture->config->deliveries;
	SAID("deliveries", d[1], alarm_after_s);
	SAID("alertmanager", d[0], resend_s);
	SAID("webhook", d[1], timeout_ms);
	SAID("mqtt", d[2], timeout_ms);
	const struct config_share *share = &fixture->config->shares[0];
	SAID("share", *share, every_s);
	SAID("share", *share, max_age_s);
	SAID("share", *share, timeout_ms);
	SAID("share", *share, alarm_after_s);
	SAID("duty", fixture->config->cases.duty, next_min);
	SAID("duty", fixture->config->cases.duty, source_next_min);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_of_node_store_and_database),
		TEST(test_of_connections),
		TEST(test_of_sites_and_limits),
		TEST(test_of_deliveries_shares_and_duty),
	};
	read_manual();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
