/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define WEBHOOK "{ id = \"a\"; type = \"webhook\"; url = \"https://office.example/x\";\n"

static void test_a_webhook_is_over_https_or_on_this_machine(void **state)
{
	static const struct example examples[] = {
		{NODE
		 "deliveries: ( { id = \"a\"; type = \"webhook\";\n"
		 "url = \"http://office.example/x\"; },\n"
		 "{ id = \"b\"; type = \"webhook\";\n url = \"http://127.0.0.1.example/\"; },\n"
		 "{ id = \"c\"; type = \"webhook\";\n url = \"ftp://office.example/\"; },\n"
		 "{ id = \"d\"; type = \"webhook\";\n url = \"https://me:pw@office.example/\"; "
		 "},\n"
		 "{ id = \"e\"; type = \"webhook\"; } );\n",
		 "3: http is for receivers on this machine; use https\n"
		 "5: http is for receivers on this machine; use https\n"
		 "7: use http://host:port or https://host:port\n"
		 "9: a name or password does not belong into the address\n"
		 "10: key \"url\" is missing in a delivery"},
	};
	CHECK(state, examples);
	fixture_load(*state,
		     NODE "deliveries: (\n"
			  "{ id = \"a\"; type = \"webhook\"; url = \"http://127.0.0.2:80/x\"; },\n"
			  "{ id = \"b\"; type = \"webhook\"; url = \"http://localhost:80/x\"; },\n"
			  "{ id = \"c\"; type = \"webhook\"; url = \"http://[::1]:80/x\"; },\n"
			  "{ id = \"d\"; type = \"webhook\"; url = \"HTTPS://office.example/x\"; } "
			  ");\n");
	expect_ok(*state);
}

static void test_secrets_are_read_from_files_and_checked(void **state)
{
	fixture_write(*state, "good", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
	fixture_write(*state, "bad", "opensesame\n");
	fixture_write(*state, "key", "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=\n");
	static const struct example examples[] = {
		{NODE "deliveries: ( " WEBHOOK
		      "secret_file = \"bad\";\nsigning_key_file = \"good\";\n"
		      "ca_file = \"none\";\n cert_file = \"good\"; } );\n",
		 "3: secret_file = \"bad\" holds no webhook secret: use whsec_\n"
		 "4: signing_key_file = \"good\" holds no key: use whsk_\n"
		 "5: ca_file = \"none\" cannot be read\n"
		 "6: key \"key_file\" is missing beside cert_file"},
		{NODE
		 "deliveries: ( { id = \"a\"; type = \"webhook\"; url = \"http://[::1]:80/\";\n"
		 "ca_file = \"good\"; } );\n",
		 "3: ca_file needs a url that begins with https:"},
	};
	CHECK(state, examples);
	fixture_load(*state, NODE "deliveries: ( " WEBHOOK
				  "secret_file = \"good\"; signing_key_file = \"key\"; } );\n");
	expect_ok(*state);
	const struct config_delivery *d = ((struct fixture *)*state)->config->deliveries;
	assert_string_equal(d->secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	assert_int_equal(d->alarm_after_s, 900);
	assert_int_equal(d->timeout_ms, 20000);
	assert_int_equal(d->retry_longest_s, 0);
	assert_int_equal(d->min_severity, 0);
}

static void test_filters_name_what_there_is(void **state)
{
	static const struct example examples[] = {
		{NODE "sites: ( { id = \"s\"; kind = \"air\"; } );\n"
		      "deliveries: ( " WEBHOOK "sites = (\"s\", \"t\");\nmin_severity = \"huge\";\n"
		      "alarm_after_s = -1;\nretry_longest_s = 0; directory = \"/x\"; } );\n",
		 "4: sites names \"t\", and there is no site of that id\n"
		 "5: min_severity \"huge\" is not known; known are \"general\", \"serious\", "
		 "\"grave\"\n"
		 "6: alarm_after_s = -1 is out of range, 0 to 31536000\n"
		 "7: retry_longest_s = 0 is out of range, 1 to 86400\n"
		 "7: key \"directory\" is not one of a delivery of type webhook"},
	};
	CHECK(state, examples);
}

static void test_a_mail_goes_to_addresses_and_not_in_the_clear(void **state)
{
	static const struct example examples[] = {
		{NODE
		 "deliveries: ( { id = \"a\"; type = \"smtp\"; url = \"http://mail.example\";\n"
		 "from = \"Office <a@b.example>\";\nto = (\"a@b.example\", \"c d@b.example\"); "
		 "},\n"
		 "{ id = \"b\"; type = \"smtp\"; url = \"smtp://mail.example\"; from = \"a@b\";\n"
		 "to = ();\nstarttls = \"off\"; } );\n",
		 "2: url = \"http://mail.example\" is not right: use smtp://\n"
		 "3: from = \"Office <a@b.example>\" is not right: use an address alone\n"
		 "4: an element of to = \"c d@b.example\" is not right: use an address alone\n"
		 "6: to is empty; give it an address\n"
		 "7: starttls = \"off\" is for a server on this machine; others need it"},
	};
	CHECK(state, examples);
	fixture_load(*state,
		     NODE "deliveries: (\n"
			  "{ id = \"a\"; type = \"smtp\"; url = \"smtp://127.0.0.1:25\"; from = "
			  "\"a@b\"; to = (\"c@d\"); },\n"
			  "{ id = \"b\"; type = \"smtp\"; url = \"smtp://mail.example\"; from = "
			  "\"a@b\"; to = (\"c@d\"); } );\n");
	expect_ok(*state);
	const struct config_delivery *d = ((struct fixture *)*state)->config->deliveries;
	assert_int_equal(d[0].starttls, 1);
	assert_int_equal(d[1].starttls, 0);
}

static void test_a_topic_and_its_connection_are_checked(void **state)
{
	static const struct example examples[] = {
		{NODE MQTT
		 "deliveries: ( { id = \"a\"; type = \"mqtt\"; connection = \"bux\";\n"
		 "topic = \"x/{name}\"; },\n"
		 "{ id = \"b\"; type = \"mqtt\"; connection = \"bus\"; topic = \"x/#\"; } );\n",
		 "3: connection \"bux\" does not exist\n"
		 "4: topic = \"x/{name}\" is not right: only {node} and {event} are known\n"
		 "5: topic = \"x/#\" is not right: a topic to publish to has no + and no #"},
		{NODE TCP "deliveries: ( { id = \"a\"; type = \"mqtt\"; topic = \"x\";\n"
			  "connection = \"plc\"; } );\n",
		 "4: connection \"plc\" is not of driver mqtt, which this needs"},
	};
	CHECK(state, examples);
}

static void test_a_registry_beyond_this_machine_is_checked_by_certificate(void **state)
{
	static const struct example examples[] = {
		{NODE "deliveries: ( { id = \"a\"; type = \"postgresql\"; username = \"u\";\n"
		      "url = \"postgresql://city.example/db\"; },\n"
		      "{ id = \"b\"; type = \"postgresql\"; username = \"u\";\n"
		      "url = \"postgresql://127.0.0.1/\"; },\n"
		      "{ id = \"c\"; type = \"postgresql\";\n"
		      "url = \"postgresql://127.0.0.1/db?x=1\"; } );\n",
		 "2: key \"ca_file\" is missing: the registry is beyond this machine\n"
		 "5: url = \"postgresql://127.0.0.1/\" is not right: use postgresql://\n"
		 "6: key \"username\" is missing in a delivery\n"
		 "7: use postgresql://host:port/database"},
	};
	CHECK(state, examples);
	fixture_load(*state, NODE "deliveries: ( { id = \"a\"; type = \"postgresql\"; username = "
				  "\"u\"; url = \"postgresql://[::1]:5433/db\"; } );\n");
	expect_ok(*state);
}

static void test_a_share_tells_its_readings_apart(void **state)
{
	static const struct example examples[] = {
		{NODE MQTT
		 "sites: ( { id = \"s\"; kind = \"air\"; } );\n"
		 "share: ( { id = \"a\"; connection = \"bus\";\ntopic = \"x/{site}\"; },\n"
		 "{ id = \"a\"; connection = \"bus\"; topic = \"{site}/{factor}\";\n"
		 "sites = (\"t\"); every_s = -1; },\n"
		 "{ id = \"b\"; topic = \"{event}/{site}/{factor}\"; } );\n",
		 "5: it needs {site} and {factor}, or readings could not be told apart\n"
		 "6: share \"a\" is defined twice\n"
		 "7: every_s = -1 is out of range, 0 to 86400\n"
		 "7: sites names \"t\", and there is no site of that id\n"
		 "8: only {node}, {site} and {factor} are known\n"
		 "8: key \"connection\" is missing in a share"},
	};
	CHECK(state, examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_webhook_is_over_https_or_on_this_machine),
		TEST(test_secrets_are_read_from_files_and_checked),
		TEST(test_filters_name_what_there_is),
		TEST(test_a_mail_goes_to_addresses_and_not_in_the_clear),
		TEST(test_a_topic_and_its_connection_are_checked),
		TEST(test_a_share_tells_its_readings_apart),
		TEST(test_a_registry_beyond_this_machine_is_checked_by_certificate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
