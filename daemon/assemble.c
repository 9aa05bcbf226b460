/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include "assemble-cases.h"
#include "assemble-plan.h"
#include "core/reading.h"
#include "core/text.h"
#include "zone-load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- drivers --- */

/* The monitors by connection: those of @c stand from first[c] to before first[c + 1]. */
struct roster {
	size_t *first;
	struct roster_place {
		const struct config_monitor *monitor;
		uint32_t index; /* in the plan */
	} * places;
};

/* Counts first, so that each list has its place; then each monitor is put at the end of its own. */
static void roster_fill(struct roster *r, const struct config *config)
{
	uint32_t index = 0;
	for (size_t i = 0; i < config->n_sites; i++)
		for (size_t j = 0; j < config->sites[i].n_monitors; j++)
			r->first[config->sites[i].monitors[j].connection + 2]++;
	for (size_t c = 2; c < config->n_connections + 2; c++)
		r->first[c] += r->first[c - 1];
	for (size_t i = 0; i < config->n_sites; i++)
		for (size_t j = 0; j < config->sites[i].n_monitors; j++) {
			const struct config_monitor *m = &config->sites[i].monitors[j];
			r->places[r->first[m->connection + 1]++] =
				(struct roster_place){m, index++};
		}
}

static void roster_deinit(struct roster *r)
{
	free(r->first);
	free(r->places);
}

static int roster_init(struct roster *r, const struct config *config)
{
	size_t n = 1;
	for (size_t i = 0; i < config->n_sites; i++)
		n += config->sites[i].n_monitors;
	r->first = calloc(config->n_connections + 2, sizeof *r->first);
	r->places = calloc(n, sizeof *r->places);
	if (r->first == NULL || r->places == NULL)
		return -ENOMEM;
	roster_fill(r, config);
	return 0;
}

static size_t roster_count(const struct roster *r, size_t at)
{
	return r->first[at + 1] - r->first[at];
}

/* Calls @fn for each monitor of connection @at, with its index in the plan. */
typedef void (*monitor_fn)(void *context, const struct config_monitor *m, uint32_t monitor);

static void each_monitor(const struct roster *r, size_t at, monitor_fn fn, void *context)
{
	for (size_t i = r->first[at]; i < r->first[at + 1]; i++)
		fn(context, r->places[i].monitor, r->places[i].index);
}

static struct modbus_meaning meaning_of(const struct config_extra *e,
					const struct config_meaning *m)
{
	return (struct modbus_meaning){
		.bits = (uint32_t)m->bits,
		.value = m->value,
		.flag = (char)m->flag,
		.no_value = e->no_value && m->flag != FLAG_NORMAL,
		.factor = m->factor,
	};
}

static struct modbus_extra extra_of(const struct config_extra *e)
{
	return (struct modbus_extra){
		.role = (enum modbus_role)e->role,
		.at = {.table = (enum modbus_table)e->at.table,
		       .address = (uint16_t)e->at.address,
		       .type = (enum modbus_type)e->at.type,
		       .order = (enum modbus_order)e->at.order,
		       .bit = (uint8_t)e->at.bit},
		.times = e->times,
		.sign = e->negative ? -1 : 1,
		.bias = e->bias,
		.mask = (uint32_t)e->mask,
		.otherwise = meaning_of(e, &(struct config_meaning){.flag = e->otherwise}),
		.clock = (enum modbus_clock)e->clock,
		.is_utc = e->is_utc,
	};
}

/* One block: what makes the value more than one number, its extras, and all their meanings. */
struct more_block {
	struct modbus_more more;
	struct modbus_extra extras[MODBUS_EXTRAS_MOST];
	struct modbus_meaning meanings[];
};

static int add_more(struct modbus_point *point, const struct config_monitor *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_extras; i++)
		n += m->extras[i].n_meanings;
	if (m->n_extras == 0 && m->n_invalid == 0)
		return 0;
	struct more_block *block = calloc(1, sizeof *block + n * sizeof *block->meanings);
	if (block == NULL)
		return -ENOMEM;
	struct modbus_meaning *next = block->meanings;
	block->more = (struct modbus_more){block->extras, m->n_extras, m->invalid, m->n_invalid};
	for (size_t i = 0; i < m->n_extras; i++) {
		const struct config_extra *e = &m->extras[i];
		block->extras[i] = extra_of(e);
		block->extras[i].meanings = next;
		block->extras[i].n_meanings = e->n_meanings;
		for (size_t j = 0; j < e->n_meanings; j++)
			*next++ = meaning_of(e, &e->meanings[j]);
	}
	point->more = &block->more;
	return 0;
}

struct modbus_filling {
	struct modbus_connection *connection;
	int error;
};

static void add_modbus_point(void *context, const struct config_monitor *m, uint32_t monitor)
{
	struct modbus_filling *filling = context;
	struct modbus_connection *c = filling->connection;
	struct modbus_point *point = (struct modbus_point *)(uintptr_t)&c->points[c->n_points++];
	int64_t every = m->interval_ms / c->interval_ms;
	*point = (struct modbus_point){
		.monitor = monitor,
		.unit_id = (uint8_t)m->unit_id,
		.table = (enum modbus_table)m->table,
		.address = (uint16_t)m->address,
		.type = (enum modbus_type)m->type,
		.order = (enum modbus_order)m->order,
		.bit = (uint8_t)m->bit,
		.exact = m->exact,
		.block = (uint16_t)m->block,
		.block_count = (uint16_t)m->block_count,
		.scale = m->scale,
		.offset = m->offset,
		.every = every < 1 ? 1 : (uint32_t)every,
	};
	if (add_more(point, m) < 0)
		filling->error = -ENOMEM;
}

static enum modbus_framing framing_of(const char *transport)
{
	if (strcmp(transport, "tcp") == 0)
		return MODBUS_MBAP;
	return strcmp(transport, "dtu") == 0 ? MODBUS_DTU : MODBUS_RTU;
}

_Static_assert((int)CONFIG_PACKET_BYTES == (int)MODBUS_PACKET_BYTES, "packets are of one size");

static int add_packets(struct modbus_connection *m, const struct config_connection *c)
{
	struct modbus_packet *packets = calloc(2, sizeof *packets);
	m->packets = packets;
	if (packets == NULL)
		return -ENOMEM;
	packets[0].n = (uint8_t)packet_bytes(c->registration, packets[0].bytes);
	packets[1].n = (uint8_t)packet_bytes(c->heartbeat, packets[1].bytes);
	return 0;
}

static int add_serial(struct modbus_connection *m, const struct config_connection *c)
{
	static const char parities[] = {'N', 'E', 'O'};
	static const enum modbus_direction directions[] = {MODBUS_DIRECTION_NONE, MODBUS_RTS_UP,
							   MODBUS_RTS_DOWN};
	struct modbus_serial *serial = calloc(1, sizeof *serial);
	m->serial = serial;
	if (serial == NULL)
		return -ENOMEM;
	*serial = (struct modbus_serial){
		.device = c->device,
		.baud = c->baud,
		.data_bits = c->data_bits,
		.stop_bits = c->stop_bits,
		.parity = parities[c->parity],
		.direction = c->rs485 ? MODBUS_RS485 : directions[c->rts],
		.rts_delay_us = c->rts_delay_us,
		.echo = c->echo,
	};
	return 0;
}

static int add_modbus(struct assembly *a, const struct config *config, const struct roster *roster,
		      size_t at)
{
	const struct config_connection *c = &config->connections[at];
	bool is_bus = strcmp(c->transport, "rtu") == 0;
	struct modbus_connection *m = is_bus ? &a->buses[a->n_buses] : &a->modbus[a->n_modbus];
	struct modbus_point *points = calloc(roster_count(roster, at) + 1, sizeof *points);
	if (points == NULL)
		return -ENOMEM;
	*m = (struct modbus_connection){
		.connection = (uint32_t)at,
		.id = c->id,
		.host = c->host,
		.port = (uint16_t)c->port,
		.framing = framing_of(c->transport),
		.listen = c->listen,
		.idle_ms = c->idle_s * INT64_C(1000),
		.interval_ms = c->interval_ms,
		.timeout_ms = c->timeout_ms,
		.request_gap_ms = c->request_gap_ms,
		.connect_pause_ms = c->connect_pause_ms,
		.max_gap = (uint16_t)c->max_gap,
		.max_registers = (uint16_t)c->max_registers,
		.points = points,
		.zone = &a->plan.zone,
	};
	if (is_bus)
		a->n_buses++;
	else
		a->n_modbus++;
	struct modbus_filling filling = {m, 0};
	each_monitor(roster, at, add_modbus_point, &filling);
	if (filling.error < 0)
		return filling.error;
	a->polled_per_minute += m->n_points * (size_t)(60000 / m->interval_ms + 1);
	if (is_bus)
		return add_serial(m, c);
	return m->framing == MODBUS_DTU ? add_packets(m, c) : 0;
}

static void add_mqtt_point(void *context, const struct config_monitor *m, uint32_t monitor)
{
	struct mqtt_connection *c = context;
	struct mqtt_point *points = (struct mqtt_point *)(uintptr_t)c->points;
	points[c->n_points++] = (struct mqtt_point){
		.monitor = monitor,
		.topic = m->topic,
		.value = m->value,
		.time = m->time,
		.flag = m->flag,
		.scale = m->scale,
		.offset = m->offset,
	};
}

static int add_mqtt(struct assembly *a, const struct config *config, const struct roster *roster,
		    size_t at)
{
	const struct config_connection *c = &config->connections[at];
	struct mqtt_point *points = calloc(roster_count(roster, at) + 1, sizeof *points);
	if (points == NULL)
		return -ENOMEM;
	a->mqtt[a->n_mqtt] = (struct mqtt_connection){
		.connection = (uint32_t)at,
		.id = c->id,
		.uri = c->uri,
		.client_id = c->client_id,
		.qos = c->qos,
		.clean_session = c->clean_session,
		.keepalive_s = c->keepalive_s,
		.ack_timeout_ms = c->ack_timeout_ms,
		.ack = c->ack_received ? MQTT_ACK_RECEIVED : MQTT_ACK_STORED,
		.username = c->username,
		.password = c->password,
		.ca_file = c->ca_file,
		.cert_file = c->cert_file,
		.key_file = c->key_file,
		.points = points,
	};
	each_monitor(roster, at, add_mqtt_point, &a->mqtt[a->n_mqtt++]);
	return 0;
}

static void add_hj212_point(void *context, const struct config_monitor *m, uint32_t monitor)
{
	struct hj212_connection *c = context;
	struct hj212_point *points = (struct hj212_point *)(uintptr_t)c->points;
	points[c->n_points++] = (struct hj212_point){
		.monitor = monitor,
		.mn = m->mn,
		.factor = m->factor.code,
		.old_factor = m->factor.old_code,
		.kind = (enum hj212_kind)m->data,
		.field = (enum hj212_field)m->field,
		.period_ms = m->end_stamp_s * INT64_C(1000),
		.scale = m->scale,
		.offset = m->offset,
	};
}

static int by_mn(const void *a, const void *b)
{
	return strcmp(((const struct hj212_point *)a)->mn, ((const struct hj212_point *)b)->mn);
}

static int add_hj212(struct assembly *a, const struct config *config, const struct roster *roster,
		     size_t at)
{
	const struct config_connection *c = &config->connections[at];
	struct hj212_point *points = calloc(roster_count(roster, at) + 1, sizeof *points);
	if (points == NULL)
		return -ENOMEM;
	struct hj212_connection *out = &a->hj212[a->n_hj212++];
	*out = (struct hj212_connection){
		.connection = (uint32_t)at,
		.id = c->id,
		.listen = c->listen,
		.password = c->password,
		.ack = c->ack_received ? HJ212_ACK_RECEIVED : HJ212_ACK_STORED,
		.idle_ms = c->idle_s * INT64_C(1000),
		.points = points,
		.zone = &a->plan.zone,
	};
	each_monitor(roster, at, add_hj212_point, out);
	qsort(points, out->n_points, sizeof *points, by_mn);
	return 0;
}

static bool is_dialled_into(const struct config_connection *c)
{
	return c->driver == CONFIG_MODBUS && framing_of(c->transport) == MODBUS_DTU;
}

static int add_connection(struct assembly *a, const struct config *config,
			  const struct roster *roster, size_t at)
{
	switch (config->connections[at].driver) {
	case CONFIG_MODBUS:
		return add_modbus(a, config, roster, at);
	case CONFIG_MQTT:
		return add_mqtt(a, config, roster, at);
	case CONFIG_HJ212:
		return add_hj212(a, config, roster, at);
	}
	return 0;
}

/* Those that are dialled into stand first. */
static int add_connections(struct assembly *a, const struct config *config,
			   const struct roster *roster)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < config->n_connections; i++)
		if (is_dialled_into(&config->connections[i]))
			r = add_connection(a, config, roster, i);
	a->n_listening = a->n_modbus;
	for (size_t i = 0; r == 0 && i < config->n_connections; i++)
		if (!is_dialled_into(&config->connections[i]))
			r = add_connection(a, config, roster, i);
	return r;
}

static int fill_drivers(struct assembly *a, const struct config *config)
{
	struct roster roster = {0};
	a->modbus = calloc(config->n_connections + 1, sizeof *a->modbus);
	a->buses = calloc(config->n_connections + 1, sizeof *a->buses);
	a->mqtt = calloc(config->n_connections + 1, sizeof *a->mqtt);
	a->hj212 = calloc(config->n_connections + 1, sizeof *a->hj212);
	if (a->modbus == NULL || a->buses == NULL || a->mqtt == NULL || a->hj212 == NULL)
		return -ENOMEM;
	int r = roster_init(&roster, config);
	if (r == 0)
		r = add_connections(a, config, &roster);
	roster_deinit(&roster);
	return r;
}

/* Anchors come every ten minutes: what a program receives has them unless it chooses, what a person
 * reads only if it is chosen. */
static struct outbox_filter filter_of(const struct config_delivery *d)
{
	static const char *const all[] = {"*"};
	bool read = strcmp(d->type, "smtp") == 0 || strcmp(d->type, "alertmanager") == 0;
	bool chosen = d->n_events > 0 || read;

	return (struct outbox_filter){.events = chosen ? (const char *const *)d->events : all,
				      .n_events = chosen ? d->n_events : 1,
				      .sites = (const char *const *)d->sites,
				      .n_sites = d->n_sites,
				      .least = (enum severity)d->min_severity};
}

/* A client of its own at the broker of a connection. */
static int over_connection(struct delivery_setup *out, const struct config_delivery *d,
			   const struct config *config)
{
	const struct config_connection *c = &config->connections[d->connection];
	char *client_id = NULL;
	if (asprintf(&client_id, "%s-%s", c->client_id, d->id) < 0)
		return -ENOMEM;
	out->topic = d->topic;
	out->client_id = client_id;
	out->url = c->uri;
	out->username = c->username;
	out->password = c->password;
	out->ca_file = c->ca_file;
	out->cert_file = c->cert_file;
	out->key_file = c->key_file;
	return 0;
}

static int fill_deliveries(struct assembly *a, const struct config *config)
{
	int r = 0;
	a->deliveries = calloc(config->n_deliveries + 1, sizeof *a->deliveries);
	if (a->deliveries == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < config->n_deliveries; i++) {
		const struct config_delivery *d = &config->deliveries[i];
		a->deliveries[i] = (struct delivery_setup){
			.id = d->id,
			.type = d->type,
			.filter = filter_of(d),
			.alarm_after_ms = d->alarm_after_s * 1000,
			.longest_pause_ms = d->retry_longest_s * 1000,
			.timeout_ms = d->timeout_ms,
			.directory = d->directory,
			.url = d->url,
			.secret = d->secret,
			.signing_key = d->signing_key,
			.ca_file = d->ca_file,
			.cert_file = d->cert_file,
			.key_file = d->key_file,
			.username = d->username,
			.password = d->password,
			.from = d->from,
			.to = (const char *const *)d->to,
			.n_to = d->n_to,
			.no_starttls = d->starttls == 1,
			.resend_ms = d->resend_s * 1000,
		};
		if (d->topic != NULL)
			r = over_connection(&a->deliveries[i], d, config);
	}
	a->n_deliveries = config->n_deliveries;
	return r;
}

static int fill_sharing(struct assembly *a, const struct config *config)
{
	a->shares = calloc(config->n_shares + 1, sizeof *a->shares);
	if (a->shares == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_shares; i++) {
		const struct config_share *s = &config->shares[i];
		const struct config_connection *c = &config->connections[s->connection];
		char *client_id = NULL;
		if (asprintf(&client_id, "%s-share-%s", c->client_id, s->id) < 0)
			return -ENOMEM;
		a->shares[a->n_shares++] = (struct share_setup){
			.id = s->id,
			.url = c->uri,
			.client_id = client_id,
			.username = c->username,
			.password = c->password,
			.ca_file = c->ca_file,
			.cert_file = c->cert_file,
			.key_file = c->key_file,
			.topic = s->topic,
			.sites = (const char *const *)s->sites,
			.n_sites = s->n_sites,
			.factors = (const char *const *)s->factors,
			.n_factors = s->n_factors,
			.every_ms = s->every_s * 1000,
			.max_age_ms = s->max_age_s * 1000,
			.timeout_ms = s->timeout_ms,
			.alarm_after_ms = s->alarm_after_s * 1000,
		};
	}
	return 0;
}

_Static_assert((int)CONFIG_HASH_BYTES == (int)OFFICER_HASH_BYTES, "both are SHA-256");

static int fill_officers(struct assembly *a, const struct config *config)
{
	a->officers = calloc(config->n_tokens + 1, sizeof *a->officers);
	if (a->officers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_tokens; i++) {
		const struct config_token *token = &config->tokens[i];
		struct serve_officer *officer = &a->officers[a->n_officers++];
		*officer = (struct serve_officer){.name = token->name, .roles = token->roles};
		memcpy(officer->hash, token->hash, sizeof officer->hash);
	}
	return 0;
}

static int assemble_by(struct assembly **out, const struct config *config, const struct zone *zone)
{
	struct assembly *a = calloc(1, sizeof *a);
	if (a == NULL)
		return -ENOMEM;
	a->plan.rules = &a->rules;
	a->plan.steps = &a->steps;
	a->steps = severity_fill(&config->cases.severity);
	int r = case_rules_fill(&a->rules, config);
	if (r == 0)
		r = plan_fill(&a->plan, config, zone);
	if (r == 0)
		r = fill_drivers(a, config);
	if (r == 0)
		r = fill_deliveries(a, config);
	if (r == 0)
		r = fill_sharing(a, config);
	if (r == 0)
		r = fill_officers(a, config);
	if (r < 0)
		assembly_free(a);
	else
		*out = a;
	return r;
}

int assemble(struct assembly **out, const struct config *config)
{
	return assemble_by(out, config, NULL);
}

int assemble_next(struct assembly **out, const struct config *config, const struct assembly *before)
{
	return assemble_by(out, config, &before->plan.zone);
}

static void release(const void *memory)
{
	free((void *)(uintptr_t)memory);
}

static void release_points(const struct modbus_connection *connection)
{
	for (size_t i = 0; i < connection->n_points; i++)
		release(connection->points[i].more);
	release(connection->points);
}

struct assembly *assembly_free(struct assembly *a)
{
	if (a == NULL)
		return NULL;
	for (size_t i = 0; i < a->n_modbus; i++) {
		release_points(&a->modbus[i]);
		release(a->modbus[i].packets);
	}
	for (size_t i = 0; i < a->n_buses; i++) {
		release_points(&a->buses[i]);
		release(a->buses[i].serial);
	}
	for (size_t i = 0; i < a->n_mqtt; i++)
		release(a->mqtt[i].points);
	for (size_t i = 0; i < a->n_hj212; i++)
		release(a->hj212[i].points);
	plan_deinit(&a->plan);
	case_rules_deinit(&a->rules);
	free(a->modbus);
	free(a->buses);
	free(a->mqtt);
	free(a->hj212);
	for (size_t i = 0; i < a->n_deliveries; i++)
		release(a->deliveries[i].client_id);
	free(a->deliveries);
	for (size_t i = 0; i < a->n_shares; i++)
		release(a->shares[i].client_id);
	free(a->shares);
	free(a->officers);
	free(a);
	return NULL;
}
