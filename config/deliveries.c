/* SPDX-License-Identifier: Apache-2.0 */
#include "config/deliveries.h"

#include "config/checks.h"
#include "config/sites.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FILES = 1, WEBHOOK = 2, SMTP = 4, BUS = 8, ALERTMANAGER = 16, POSTGRESQL = 32 };
enum { BY_URL = WEBHOOK | SMTP | ALERTMANAGER | POSTGRESQL };
static const char *const types[] = {"file",         "webhook",    "smtp", "mqtt",
				    "alertmanager", "postgresql", NULL};
static const char *const variants[] = {"type file", "type webhook",      "type smtp",
				       "type mqtt", "type alertmanager", "type postgresql",
				       NULL};
static const char *const starttls[] = {"required", "off", NULL};
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
	{"from", FIELD_TEXT, .offset = AT(from), .only = SMTP, .required = SMTP,
	 .check = check_mail_address},
	{"to", FIELD_TEXTS, .offset = AT(to), .only = SMTP, .required = SMTP,
	 .check = check_mail_address},
	{"starttls", FIELD_CHOICE, .offset = AT(starttls), .only = SMTP, .choices = starttls},
	{"username", FIELD_TEXT, .offset = AT(username), .only = SMTP | ALERTMANAGER | POSTGRESQL,
	 .required = POSTGRESQL},
	{"password_file", FIELD_SECRET, .offset = AT(password),
	 .only = SMTP | ALERTMANAGER | POSTGRESQL},
	{"ca_file", FIELD_FILE, .offset = AT(ca_file), .only = BY_URL},
	{"cert_file", FIELD_FILE, .offset = AT(cert_file), .only = BY_URL},
	{"key_file", FIELD_FILE, .offset = AT(key_file), .only = BY_URL},
	{"connection", FIELD_TEXT, .offset = NOWHERE, .only = BUS, .required = BUS},
	{"topic", FIELD_TEXT, .offset = AT(topic), .only = BUS, .required = BUS,
	 .check = check_event_topic},
	{"resend_s", FIELD_INT64, .offset = AT(resend_s), .low = 1, .high = 3600,
	 .only = ALERTMANAGER},
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
			const config_setting_t *group, char *const *sites, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool known = false;
		for (size_t j = 0; !known && j < config->n_sites; j++)
			known = config->sites[j].id && strcmp(config->sites[j].id, sites[i]) == 0;
		if (!known)
			FAULT(walk, schema_key(group, "sites"),
			      "sites names \"%s\", and there is no site of that id", sites[i]);
	}
}

static void check_url(struct walk *walk, const config_setting_t *group, unsigned variant,
		      const char *url)
{
	const char *wrong = variant == SMTP         ? check_smtp_url(url)
			    : variant == POSTGRESQL ? check_postgresql_url(url)
						    : check_http_url(url);
	if (!wrong && variant == WEBHOOK && strncasecmp(url, "https:", 6) != 0 &&
	    !is_loopback_url(url))
		wrong = "http is for receivers on this machine; use https";
	int said = check_sayable(url);
	if (wrong)
		FAULT(walk, schema_key(group, "url"), "url = \"%.*s%s\" is not right: %s", said, url,
		      url[said] == '\0' ? "" : "…", wrong);
}

/* Without a key: a server on this machine is asked for STARTTLS only if there is a way to trust it.
 */
static void check_smtp(struct walk *walk, const config_setting_t *group,
		       struct config_delivery *delivery)
{
	bool local = delivery->url && is_loopback_url(delivery->url);
	if (!schema_has(group, "starttls"))
		delivery->starttls = local && !delivery->ca_file;
	else if (delivery->starttls && !local)
		FAULT(walk, schema_key(group, "starttls"),
		      "starttls = \"off\" is for a server on this machine; others need it");
	if (schema_has(group, "to") && delivery->n_to == 0)
		FAULT(walk, schema_key(group, "to"), "to is empty; give it an address");
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

/* Return: the index of the connection; 0 with a fault where it is none of driver mqtt. */
static size_t broker_of(struct walk *walk, const struct config *config,
			const config_setting_t *group)
{
	const char *id = schema_peek(group, "connection");
	size_t index = id ? connection_index(config, id) : SIZE_MAX;
	if (id && index == SIZE_MAX)
		unknown_connection(walk, config, schema_key(group, "connection"), id);
	else if (id && config->connections[index].driver != CONFIG_MQTT)
		FAULT(walk, schema_key(group, "connection"),
		      "connection \"%s\" is not of driver mqtt, which this needs", id);
	return index == SIZE_MAX ? 0 : index;
}

/* Alertmanager knows alerts alone. */
static void default_events(struct walk *walk, struct config_delivery *delivery)
{
	if (delivery->n_events > 0)
		return;
	delivery->events = calloc(1, sizeof(*delivery->events));
	char *all = schema_copy(walk, "alert.*");
	if (delivery->events && all)
		delivery->events[delivery->n_events++] = all;
	else
		walk->faults->no_memory = true;
}

static void read_delivery(struct walk *walk, struct config *config, const config_setting_t *group)
{
	struct config_delivery *delivery = &config->deliveries[config->n_deliveries];
	unsigned variant = variant_of(schema_peek(group, "type"));
	delivery->alarm_after_s = 900;
	delivery->timeout_ms = 20000;
	delivery->resend_s = 60;
	schema_read(walk, &schema, group, variant, delivery);
	check_twice(walk, config, group, delivery->id);
	check_sites(walk, config, group, delivery->sites, delivery->n_sites);
	if (delivery->url)
		check_url(walk, group, variant, delivery->url);
	check_tls(walk, group, delivery);
	check_secrets(walk, group, delivery);
	if (variant == SMTP)
		check_smtp(walk, group, delivery);
	if (variant == BUS)
		delivery->connection = broker_of(walk, config, group);
	if (variant == POSTGRESQL && delivery->url && !delivery->ca_file &&
	    !is_loopback_url(delivery->url))
		FAULT(walk, group,
		      "key \"ca_file\" is missing: the registry is beyond this machine");
	if (variant == ALERTMANAGER)
		default_events(walk, delivery);
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

/* --- shares --- */

#define AT(member) offsetof(struct config_share, member)
static const struct field share_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"connection", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
	{"topic", FIELD_TEXT, .offset = AT(topic), .required = EVERY, .check = check_share_topic},
	{"sites", FIELD_TEXTS, .offset = AT(sites)},
	{"factors", FIELD_TEXTS, .offset = AT(factors), .check = check_factor},
	{"every_s", FIELD_INT64, .offset = AT(every_s), .low = 0, .high = 86400},
	{"max_age_s", FIELD_INT64, .offset = AT(max_age_s), .low = 1, .high = 31536000},
	{"timeout_ms", FIELD_INT64, .offset = AT(timeout_ms), .low = 100, .high = 600000},
	{"alarm_after_s", FIELD_INT64, .offset = AT(alarm_after_s), .low = 0, .high = 31536000},
};
#undef AT
static const struct schema share_schema = {"a share", NULL, share_fields, COUNT(share_fields)};

static void read_share(struct walk *walk, struct config *config, const config_setting_t *group)
{
	struct config_share *share = &config->shares[config->n_shares];
	share->max_age_s = 86400;
	share->timeout_ms = 20000;
	share->alarm_after_s = 900;
	schema_read(walk, &share_schema, group, 0, share);
	for (size_t i = 0; share->id && i < config->n_shares; i++)
		if (config->shares[i].id && strcmp(config->shares[i].id, share->id) == 0)
			FAULT(walk, schema_key(group, "id"),
			      "share \"%s\" is defined twice; give each its own id", share->id);
	check_sites(walk, config, group, share->sites, share->n_sites);
	share->connection = broker_of(walk, config, group);
	config->n_shares++;
}

void sharing_read(struct walk *walk, struct config *config, const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "share");
	config->shares = calloc(n + 1, sizeof(*config->shares));
	if (!config->shares)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_share(walk, config, schema_element(root, "share", i));
}

void deliveries_free(struct config *config)
{
	for (size_t i = 0; i < config->n_deliveries; i++)
		schema_free(&schema, &config->deliveries[i]);
	for (size_t i = 0; i < config->n_shares; i++)
		schema_free(&share_schema, &config->shares[i]);
	free(config->deliveries);
	free(config->shares);
}
