/* SPDX-License-Identifier: Apache-2.0 */
#include "config/deliveries.h"

#include "config/checks.h"
#include "config/sites.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FILES = 1, WEBHOOK = 2, SMTP = 4, BUS = 8, ALERTMANAGER = 16 };
enum { BY_URL = WEBHOOK | SMTP | ALERTMANAGER };
static const char *const types[] = {"file", "webhook", "smtp", "mqtt", "alertmanager", NULL};
static const char *const variants[] = {"type file", "type webhook",      "type smtp",
				       "type mqtt", "type alertmanager", NULL};
static const char *const severities[] = {"general", "serious", "grave", NULL};

#define AT(member) offsetof(struct config_delivery, member)
static const struct field fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"type", FIELD_FEATURE, .offset = AT(type), .required = EVERY, .feature = "delivery type"},
	{"events", FIELD_TEXTS, .offset = AT(events), .check = check_event_filter},
	{"sites", FIELD_TEXTS, .offset = AT(sites)},
	{"min_severity", FIELD_CHOICE, .offset = AT(min_severity), .choices = severities},
	{"alarm_after_s", FIELD_INT64, .offset = AT(alarm_after_s), .low = 0, .high = 31536000},
	{"retry_longest_s", FIELD_INT64, .offset = AT(retry_longest_s), .low = 1, .high = 86400},
	{"directory", FIELD_TEXT, .offset = AT(directory), .only = FILES, .required = FILES},
	{"url", FIELD_TEXT, .offset = AT(url), .only = BY_URL, .required = BY_URL},
	{"secret_file", FIELD_SECRET, .offset = AT(secret), .only = WEBHOOK},
	{"signing_key_file", FIELD_SECRET, .offset = AT(signing_key), .only = WEBHOOK},
	{"timeout_ms", FIELD_INT64, .offset = AT(timeout_ms), .low = 100, .high = 600000,
	 .only = BY_URL | BUS},
	{"from", FIELD_TEXT, .offset = NOWHERE, .only = SMTP, .required = SMTP},
	{"to", FIELD_TEXTS, .offset = NOWHERE, .only = SMTP, .required = SMTP},
	{"username", FIELD_TEXT, .offset = AT(username), .only = SMTP | ALERTMANAGER},
	{"password_file", FIELD_SECRET, .offset = AT(password), .only = SMTP | ALERTMANAGER},
	{"ca_file", FIELD_FILE, .offset = AT(ca_file), .only = BY_URL},
	{"cert_file", FIELD_FILE, .offset = AT(cert_file), .only = BY_URL},
	{"key_file", FIELD_FILE, .offset = AT(key_file), .only = BY_URL},
	{"connection", FIELD_TEXT, .offset = NOWHERE, .only = BUS, .required = BUS},
	{"topic", FIELD_TEXT, .offset = NOWHERE, .only = BUS, .required = BUS,
	 .check = check_topic},
};
#undef AT
static const struct schema schema = {"a delivery", variants, fields, COUNT(fields)};

static unsigned variant_of(const char *type)
{
	for (unsigned i = 0; type && types[i]; i++)
		if (strcmp(types[i], type) == 0)
			return 1u << i;
	return 0;
}

static void check_twice(struct walk *walk, const struct config *config,
			const config_setting_t *group, const char *id)
{
	for (size_t i = 0; id && i < config->n_deliveries; i++)
		if (config->deliveries[i].id && strcmp(config->deliveries[i].id, id) == 0)
			FAULT(walk, schema_key(group, "id"),
			      "delivery \"%s\" is defined twice; give each its own id", id);
}

static void check_sites(struct walk *walk, const struct config *config,
			const config_setting_t *group, const struct config_delivery *delivery)
{
	for (size_t i = 0; i < delivery->n_sites; i++) {
		bool known = false;
		for (size_t j = 0; !known && j < config->n_sites; j++)
			known = config->sites[j].id &&
				strcmp(config->sites[j].id, delivery->sites[i]) == 0;
		if (!known)
			FAULT(walk, schema_key(group, "sites"),
			      "sites names \"%s\", and there is no site of that id",
			      delivery->sites[i]);
	}
}

static void check_url(struct walk *walk, const config_setting_t *group, unsigned variant,
		      const char *url)
{
	const char *wrong = variant == SMTP ? check_smtp_url(url) : check_http_url(url);
	if (!wrong && variant == WEBHOOK && strncasecmp(url, "https:", 6) != 0 &&
	    !is_loopback_url(url))
		wrong = "http is for receivers on this machine; use https";
	if (wrong)
		FAULT(walk, schema_key(group, "url"), "url = \"%s\" is not right: %s", url, wrong);
}

static void check_tls(struct walk *walk, const config_setting_t *group,
		      const struct config_delivery *delivery)
{
	if (!delivery->cert_file != !delivery->key_file)
		FAULT(walk, schema_key(group, delivery->cert_file ? "cert_file" : "key_file"),
		      "key \"%s\" is missing beside %s",
		      delivery->cert_file ? "key_file" : "cert_file",
		      delivery->cert_file ? "cert_file" : "key_file");
	bool plain = delivery->url && strncasecmp(delivery->url, "http:", 5) == 0;
	if (plain && (delivery->ca_file || delivery->cert_file))
		FAULT(walk, schema_key(group, delivery->ca_file ? "ca_file" : "cert_file"),
		      "%s needs a url that begins with https:",
		      delivery->ca_file ? "ca_file" : "cert_file");
}

/* The secret itself is in no message. */
static void check_secrets(struct walk *walk, const config_setting_t *group,
			  const struct config_delivery *delivery)
{
	const char *wrong = delivery->secret ? check_webhook_secrets(delivery->secret) : NULL;
	if (wrong)
		FAULT(walk, schema_key(group, "secret_file"),
		      "secret_file = \"%s\" holds no webhook secret: %s",
		      schema_peek(group, "secret_file"), wrong);
	wrong = delivery->signing_key ? check_signing_key(delivery->signing_key) : NULL;
	if (wrong)
		FAULT(walk, schema_key(group, "signing_key_file"),
		      "signing_key_file = \"%s\" holds no key: %s",
		      schema_peek(group, "signing_key_file"), wrong);
	if (delivery->password && !delivery->username)
		FAULT(walk, schema_key(group, "password_file"),
		      "key \"username\" is missing beside password_file");
}

static void check_bus(struct walk *walk, const struct config *config, const config_setting_t *group)
{
	const char *id = schema_peek(group, "connection");
	size_t index = id ? connection_index(config, id) : SIZE_MAX;
	if (id && index == SIZE_MAX)
		unknown_connection(walk, config, schema_key(group, "connection"), id);
	else if (id && config->connections[index].driver != CONFIG_MQTT)
		FAULT(walk, schema_key(group, "connection"),
		      "connection \"%s\" is not of driver mqtt, which this delivery needs", id);
}

static void read_delivery(struct walk *walk, struct config *config, const config_setting_t *group)
{
	struct config_delivery *delivery = &config->deliveries[config->n_deliveries];
	unsigned variant = variant_of(schema_peek(group, "type"));
	delivery->alarm_after_s = 900;
	delivery->timeout_ms = 20000;
	schema_read(walk, &schema, group, variant, delivery);
	check_twice(walk, config, group, delivery->id);
	check_sites(walk, config, group, delivery);
	if (delivery->url)
		check_url(walk, group, variant, delivery->url);
	check_tls(walk, group, delivery);
	check_secrets(walk, group, delivery);
	if (variant == BUS)
		check_bus(walk, config, group);
	config->n_deliveries++;
}

void deliveries_read(struct walk *walk, struct config *config, const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "deliveries");
	config->deliveries = calloc(n + 1, sizeof(*config->deliveries));
	if (!config->deliveries)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_delivery(walk, config, schema_element(root, "deliveries", i));
}

void deliveries_free(struct config *config)
{
	for (size_t i = 0; i < config->n_deliveries; i++)
		schema_free(&schema, &config->deliveries[i]);
	free(config->deliveries);
}
