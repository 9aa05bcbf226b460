/* SPDX-License-Identifier: Apache-2.0 */
#include "config/cases.h"
#include "config/checks.h"
#include "config/deliveries.h"
#include "config/origin.h"
#include "config/sites.h"
#include "config/tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SCHEMA(what, fields)                                                                       \
	{                                                                                          \
		what, NULL, fields, COUNT(fields)                                                  \
	}
#define AT(member) offsetof(struct config, member)

static const char *const languages[] = {"zh_CN", "en", NULL};

static const struct field root_fields[] = {
	{"node", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
	{"threads", FIELD_INT, .offset = AT(threads), .low = 1, .high = CONFIG_MOST_THREADS},
	{"storage", FIELD_LATER, .offset = NOWHERE},
	{"http", FIELD_LATER, .offset = NOWHERE},
	{"influx", FIELD_LATER, .offset = NOWHERE},
	{"connections", FIELD_LATER, .offset = NOWHERE},
	{"sites", FIELD_LATER, .offset = NOWHERE},
	{"deliveries", FIELD_LATER, .offset = NOWHERE},
	{"share", FIELD_LATER, .offset = NOWHERE},
	{"deadlines", FIELD_LATER, .offset = NOWHERE},
	{"closing", FIELD_LATER, .offset = NOWHERE},
	{"severity", FIELD_LATER, .offset = NOWHERE},
	{"officers", FIELD_LATER, .offset = NOWHERE},
	{"roles", FIELD_LATER, .offset = NOWHERE},
	{"duty", FIELD_LATER, .offset = NOWHERE},
};
static const struct schema root_schema = SCHEMA("the file", root_fields);

static const struct field node_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_node_id},
	{"office", FIELD_TEXT, .offset = AT(office), .low = 1, .high = 300},
	{"case_prefix", FIELD_TEXT, .offset = AT(case_prefix), .low = 1, .high = 100},
	{"case_number", FIELD_TEXT, .offset = AT(case_number), .low = 1, .high = 200,
	 .check = check_case_number},
	{"timezone", FIELD_TEXT, .offset = AT(timezone), .low = 1, .high = 100,
	 .check = check_timezone},
	{"language", FIELD_CHOICE, .offset = NOWHERE, .choices = languages},
	{"data_directory", FIELD_TEXT, .offset = AT(data_directory)},
	{"practice", FIELD_TEXT, .offset = AT(practice)},
};
static const struct schema node_schema = SCHEMA("node", node_fields);

static const struct field storage_fields[] = {
	{"directory", FIELD_TEXT, .offset = AT(directory)},
	{"flush_ms", FIELD_INT64, .offset = AT(flush_ms), .low = 1, .high = 60000},
	{"max_bytes", FIELD_INT64, .offset = AT(max_bytes), .low = 65536, .high = 9e18},
	{"frames_memory", FIELD_INT64, .offset = AT(frames_memory), .low = 0, .high = 1 << 30},
	{"anchor_s", FIELD_INT, .offset = AT(anchor_s), .low = 1, .high = 86400},
	{"keep_days", FIELD_LATER, .offset = NOWHERE},
};
static const struct schema storage_schema = SCHEMA("storage", storage_fields);

static const struct field keep_fields[] = {
	{"frames", FIELD_INT, .offset = AT(keep_frames), .low = 1, .high = 36500},
	{"raw", FIELD_INT, .offset = AT(keep_raw), .low = 1, .high = 36500},
	{"minute", FIELD_INT, .offset = AT(keep_minute), .low = 1, .high = 36500},
	{"mean", FIELD_INT, .offset = AT(keep_mean), .low = 1, .high = 36500},
};
static const struct schema keep_schema = SCHEMA("keep_days", keep_fields);

static const struct field http_fields[] = {
	{"socket", FIELD_TEXT, .offset = AT(socket), .low = 0, .high = 107},
	{"listen", FIELD_TEXT, .offset = AT(listen), .check = check_listen},
	{"officers_file", FIELD_FILE, .offset = AT(officers_file)},
};
static const struct schema http_schema = SCHEMA("http", http_fields);

enum { V1 = 1, V2 = 2, V3 = 4 };
static const char *const influx_variants[] = {"api v1", "api v2", "api v3", NULL};
static const struct field influx_fields[] = {
	{"url", FIELD_TEXT, .offset = AT(influx.url), .required = EVERY, .check = check_http_url},
	{"api", FIELD_FEATURE, .offset = AT(influx.api), .feature = "influx api"},
	{"database", FIELD_TEXT, .offset = AT(influx.database), .only = V1 | V3},
	{"org", FIELD_TEXT, .offset = AT(influx.org), .only = V2, .required = V2},
	{"bucket", FIELD_TEXT, .offset = AT(influx.bucket), .only = V2, .required = V2},
	{"token_file", FIELD_SECRET, .offset = AT(influx.token), .only = V2 | V3, .required = V2},
	{"username", FIELD_TEXT, .offset = AT(influx.username), .only = V1},
	{"password_file", FIELD_SECRET, .offset = AT(influx.password), .only = V1},
	{"gzip", FIELD_BOOL, .offset = AT(influx.gzip)},
	{"batch_lines", FIELD_INT, .offset = AT(influx.batch_lines), .low = 1, .high = 100000},
	{"flush_ms", FIELD_INT64, .offset = AT(influx.flush_ms), .low = 10, .high = 3600000},
};
static const struct schema influx_schema = {"influx", influx_variants, influx_fields,
					    COUNT(influx_fields)};
#undef AT

enum { TCP = 1, RTU = 2, RTU_OVER_TCP = 4, DTU = 8, ON_MQTT = 16, ON_HJ212 = 32 };
enum { ON_MODBUS = TCP | RTU | RTU_OVER_TCP | DTU };
static const char *const connection_variants[] = {"driver modbus, transport tcp",
						  "driver modbus, transport rtu",
						  "driver modbus, transport rtu-over-tcp",
						  "driver modbus, transport dtu",
						  "driver mqtt",
						  "driver hj212",
						  NULL};
static const char *const parities[] = {"N", "E", "O", NULL};
static const char *const directions[] = {"none", "up", "down", NULL};
static const char *const acks[] = {"stored", "received", NULL};

/* What a connection's group is read into. */
struct connection_entry {
	struct config_connection connection;
	char *driver;
	int ack;
};
#define AT(member) offsetof(struct connection_entry, connection.member)
static const struct field connection_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"driver", FIELD_FEATURE, .offset = offsetof(struct connection_entry, driver),
	 .required = EVERY, .feature = "driver"},
	{"transport", FIELD_FEATURE, .offset = AT(transport), .only = ON_MODBUS,
	 .feature = "transport"},
	{"host", FIELD_TEXT, .offset = AT(host), .only = TCP | RTU_OVER_TCP,
	 .required = TCP | RTU_OVER_TCP, .check = check_host},
	{"port", FIELD_INT, .offset = AT(port), .low = 1, .high = 65535,
	 .only = TCP | RTU_OVER_TCP},
	{"interval_ms", FIELD_INT64, .offset = AT(interval_ms), .low = 10, .high = 86400000,
	 .only = ON_MODBUS},
	{"timeout_ms", FIELD_INT64, .offset = AT(timeout_ms), .low = 10, .high = 600000,
	 .only = ON_MODBUS},
	{"request_gap_ms", FIELD_INT64, .offset = AT(request_gap_ms), .low = 0, .high = 60000,
	 .only = ON_MODBUS},
	{"connect_pause_ms", FIELD_INT64, .offset = AT(connect_pause_ms), .low = 0, .high = 600000,
	 .only = ON_MODBUS},
	{"max_gap", FIELD_INT, .offset = AT(max_gap), .low = 0, .high = 124, .only = ON_MODBUS},
	{"max_registers", FIELD_INT, .offset = AT(max_registers), .low = 1, .high = 125,
	 .only = ON_MODBUS},
	{"exact", FIELD_BOOL, .offset = AT(exact), .only = ON_MODBUS},
	{"device", FIELD_TEXT, .offset = AT(device), .only = RTU, .required = RTU,
	 .check = check_device},
	{"baud", FIELD_INT, .offset = AT(baud), .low = 300, .high = 4000000, .only = RTU},
	{"parity", FIELD_CHOICE, .offset = AT(parity), .only = RTU, .choices = parities},
	{"data_bits", FIELD_INT, .offset = AT(data_bits), .low = 7, .high = 8, .only = RTU},
	{"stop_bits", FIELD_INT, .offset = AT(stop_bits), .low = 1, .high = 2, .only = RTU},
	{"rs485", FIELD_BOOL, .offset = AT(rs485), .only = RTU},
	{"rts", FIELD_CHOICE, .offset = AT(rts), .only = RTU, .choices = directions},
	{"rts_delay_us", FIELD_INT, .offset = AT(rts_delay_us), .low = 0, .high = 100000,
	 .only = RTU},
	{"echo", FIELD_BOOL, .offset = AT(echo), .only = RTU},
	{"listen", FIELD_TEXT, .offset = AT(listen), .only = DTU | ON_HJ212,
	 .required = DTU | ON_HJ212, .check = check_listen},
	{"registration", FIELD_TEXT, .offset = AT(registration), .only = DTU, .required = DTU,
	 .check = check_packet},
	{"heartbeat", FIELD_TEXT, .offset = AT(heartbeat), .only = DTU, .check = check_packet},
	{"idle_s", FIELD_INT, .offset = AT(idle_s), .low = 10, .high = 86400,
	 .only = DTU | ON_HJ212},
	{"uri", FIELD_TEXT, .offset = AT(uri), .only = ON_MQTT, .required = ON_MQTT,
	 .check = check_mqtt_uri},
	{"client_id", FIELD_TEXT, .offset = AT(client_id), .only = ON_MQTT, .low = 1, .high = 256},
	{"username", FIELD_TEXT, .offset = AT(username), .only = ON_MQTT},
	{"password_file", FIELD_SECRET, .offset = AT(password), .only = ON_MQTT | ON_HJ212},
	{"ca_file", FIELD_FILE, .offset = AT(ca_file), .only = ON_MQTT},
	{"cert_file", FIELD_FILE, .offset = AT(cert_file), .only = ON_MQTT},
	{"key_file", FIELD_FILE, .offset = AT(key_file), .only = ON_MQTT},
	{"qos", FIELD_INT, .offset = AT(qos), .low = 0, .high = 1, .only = ON_MQTT},
	{"clean_session", FIELD_BOOL, .offset = AT(clean_session), .only = ON_MQTT},
	{"keepalive_s", FIELD_INT, .offset = AT(keepalive_s), .low = 1, .high = 65535,
	 .only = ON_MQTT},
	{"ack", FIELD_CHOICE, .offset = offsetof(struct connection_entry, ack),
	 .only = ON_MQTT | ON_HJ212, .choices = acks},
	{"ack_timeout_ms", FIELD_INT, .offset = AT(ack_timeout_ms), .low = 100, .high = 600000,
	 .only = ON_MQTT},
};
#undef AT
static const struct schema connection_schema = {"a connection", connection_variants,
						connection_fields, COUNT(connection_fields)};

static unsigned variant_of(const char *const *names, const char *name)
{
	for (unsigned i = 0; name && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	return 0;
}

static void set_default(struct walk *walk, char **text, const char *value)
{
	if (!*text)
		*text = schema_copy(walk, value);
}

static void read_node(struct walk *walk, struct config *config, const config_setting_t *root)
{
	const config_setting_t *group = config_setting_get_member(root, "node");
	if (group)
		schema_read(walk, &node_schema, group, 0, config);
	const char *language = group ? schema_peek(group, "language") : NULL;
	set_default(walk, &config->language, language ? language : "zh_CN");
	set_default(walk, &config->id, "");
	set_default(walk, &config->office, config->id);
	set_default(walk, &config->case_prefix, config->id);
	set_default(walk, &config->case_number, "{prefix}〔{year}〕{seq}号");
	set_default(walk, &config->timezone, "Asia/Shanghai");
}

static void read_storage(struct walk *walk, struct config *config, const config_setting_t *root)
{
	const config_setting_t *group = config_setting_get_member(root, "storage");
	config->flush_ms = 100;
	config->max_bytes = INT64_C(20000000000);
	config->frames_memory = INT64_C(64) << 20;
	config->anchor_s = 600;
	config->keep_frames = 30;
	config->keep_raw = 400;
	config->keep_minute = 800;
	config->keep_mean = 3650;
	if (group)
		schema_read(walk, &storage_schema, group, 0, config);
	const config_setting_t *keep = group ? config_setting_get_member(group, "keep_days") : NULL;
	if (keep)
		schema_read(walk, &keep_schema, keep, 0, config);
	if (keep && config->keep_minute < config->keep_raw)
		NOTE(walk, schema_key(keep, schema_has(keep, "minute") ? "minute" : "raw"),
		     "means of minutes are kept %d days and go before the readings (%d days) that "
		     "they "
		     "are to outlast",
		     config->keep_minute, config->keep_raw);
	set_default(walk, &config->directory, "/var/lib/ducha");
}

static bool is_loopback(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0 ||
	       strncmp(listen, "localhost:", 10) == 0;
}

static void read_http(struct walk *walk, struct config *config, const config_setting_t *root)
{
	const config_setting_t *group = config_setting_get_member(root, "http");
	if (group)
		schema_read(walk, &http_schema, group, 0, config);
	set_default(walk, &config->socket, "/run/ducha/duchad.sock");
	if (config->socket && config->socket[0] == '\0') {
		free(config->socket);
		config->socket = NULL;
	}
	if (config->listen && !is_loopback(config->listen))
		FAULT(walk, schema_key(group, "listen"),
		      "listen = \"%s\" is open beyond this machine; use 127.0.0.1 and a proxy with "
		      "TLS",
		      config->listen);
}

static void read_influx(struct walk *walk, struct config *config, const config_setting_t *root)
{
	static const char *const apis[] = {"v1", "v2", "v3", NULL};
	const config_setting_t *group = config_setting_get_member(root, "influx");
	config->influx.gzip = true;
	config->influx.batch_lines = 5000;
	config->influx.flush_ms = 1000;
	if (!group)
		return;
	const char *api = schema_peek(group, "api");
	schema_read(walk, &influx_schema, group, variant_of(apis, api ? api : "v1"), config);
	set_default(walk, &config->influx.api, "v1");
	set_default(walk, &config->influx.database, "ducha");
	if (config->influx.password && !config->influx.username)
		FAULT(walk, schema_key(group, "password_file"),
		      "key \"username\" is missing beside password_file");
}

static unsigned connection_variant(const config_setting_t *group)
{
	static const char *const transports[] = {"tcp", "rtu", "rtu-over-tcp", "dtu", NULL};
	const char *driver = schema_peek(group, "driver");
	const char *transport = schema_peek(group, "transport");
	if (driver && strcmp(driver, "modbus") == 0)
		return variant_of(transports, transport ? transport : "tcp");
	if (driver && strcmp(driver, "mqtt") == 0)
		return ON_MQTT;
	return driver && strcmp(driver, "hj212") == 0 ? ON_HJ212 : 0;
}

static void check_mqtt(struct walk *walk, const struct config *config,
		       const config_setting_t *group, struct config_connection *connection)
{
	if (connection->password && !connection->username)
		FAULT(walk, schema_key(group, "password_file"),
		      "key \"username\" is missing beside password_file");
	bool plain = connection->uri && strncasecmp(connection->uri, "mqtts:", 6) != 0;
	if (plain && (connection->ca_file || connection->cert_file))
		FAULT(walk, schema_key(group, connection->ca_file ? "ca_file" : "cert_file"),
		      "%s needs a uri that begins with mqtts:",
		      connection->ca_file ? "ca_file" : "cert_file");
	if (!connection->cert_file != !connection->key_file)
		FAULT(walk, schema_key(group, connection->cert_file ? "cert_file" : "key_file"),
		      "key \"%s\" is missing beside %s",
		      connection->cert_file ? "key_file" : "cert_file",
		      connection->cert_file ? "cert_file" : "key_file");
	if (!connection->client_id && connection->id && config->id &&
	    asprintf(&connection->client_id, "%s-%s", config->id, connection->id) < 0) {
		connection->client_id = NULL;
		walk->faults->no_memory = true;
	}
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *other = &config->connections[i];
		if (other->client_id && connection->client_id && other->uri && connection->uri &&
		    strcmp(other->uri, connection->uri) == 0 &&
		    strcmp(other->client_id, connection->client_id) == 0)
			FAULT(walk, schema_key(group, "client_id"),
			      "client_id \"%s\" is that of connection \"%s\" at the same broker, "
			      "which would drop one of them; give each its own",
			      connection->client_id, other->id);
	}
}

static bool begins_alike(const char *one, const char *other)
{
	uint8_t a[CONFIG_PACKET_BYTES], b[CONFIG_PACKET_BYTES];
	size_t n = packet_bytes(one, a), m = packet_bytes(other, b);
	return n > 0 && m > 0 && memcmp(a, b, n < m ? n : m) == 0;
}

static void check_digits(struct walk *walk, const config_setting_t *group,
			 const struct config_connection *connection)
{
	const char *wrong = connection->listen ? check_listen_address(connection->listen) : NULL;
	if (wrong)
		FAULT(walk, schema_key(group, "listen"), "listen = \"%s\" is not right: %s",
		      connection->listen, wrong);
}

/* Units that dial in by dtu say who they are in other words than data loggers do. */
static void check_loggers(struct walk *walk, const struct config *config,
			  const config_setting_t *group, const struct config_connection *connection)
{
	check_digits(walk, group, connection);
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *other = &config->connections[i];
		bool hj212 = connection->driver == CONFIG_HJ212 || other->driver == CONFIG_HJ212;
		if (hj212 && other->listen && connection->listen &&
		    strcmp(other->listen, connection->listen) == 0) {
			FAULT(walk, schema_key(group, "listen"),
			      "listen = \"%s\" is that of connection \"%s\"; data loggers have an "
			      "address of their own, and all of them may share it",
			      connection->listen, other->id ? other->id : "?");
			return;
		}
	}
}

/* A caller is who its first bytes say, so no registration may begin with another. */
static void check_dtu(struct walk *walk, const struct config *config, const config_setting_t *group,
		      const struct config_connection *connection)
{
	if (begins_alike(connection->registration, connection->heartbeat))
		FAULT(walk, schema_key(group, "heartbeat"),
		      "heartbeat and registration begin alike, so they cannot be told apart");
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *other = &config->connections[i];
		bool same = other->listen && connection->listen &&
			    strcmp(other->listen, connection->listen) == 0;
		if (same && begins_alike(other->registration, connection->registration))
			FAULT(walk, schema_key(group, "registration"),
			      "registration begins as that of connection \"%s\" at the same "
			      "address, "
			      "so callers cannot be told apart",
			      other->id ? other->id : "?");
	}
}

/* libmodbus takes what is not among these for 9600. */
static bool is_baud(int baud)
{
	static const int bauds[] = {300,     600,     1200,    2400,    4800,    9600,
				    19200,   38400,   57600,   115200,  230400,  460800,
				    500000,  576000,  921600,  1000000, 1152000, 1500000,
				    2500000, 3000000, 3500000, 4000000};
	for (size_t i = 0; i < COUNT(bauds); i++)
		if (bauds[i] == baud)
			return true;
	return false;
}

static void check_devices(struct walk *walk, const struct config *config,
			  const config_setting_t *group, const struct config_connection *connection)
{
	size_t buses = 1;
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *other = &config->connections[i];
		buses += other->device != NULL;
		if (other->device && connection->device &&
		    strcmp(other->device, connection->device) == 0)
			FAULT(walk, schema_key(group, "device"),
			      "device \"%s\" is that of connection \"%s\"; a bus is one "
			      "connection, and its instruments differ in unit_id",
			      connection->device, other->id ? other->id : "?");
	}
	if (buses > CONFIG_MOST_BUSES)
		FAULT(walk, schema_key(group, "device"),
		      "more than %d serial lines; put the others behind a gateway (rtu-over-tcp)",
		      CONFIG_MOST_BUSES);
}

static void check_rtu(struct walk *walk, const struct config *config, const config_setting_t *group,
		      const struct config_connection *connection)
{
	if (!is_baud(connection->baud))
		FAULT(walk, schema_key(group, "baud"),
		      "baud = %d is no speed of serial lines; usual ones are 2400, 4800, 9600, "
		      "19200, 38400, 57600, 115200",
		      connection->baud);
	if (connection->data_bits != 8)
		FAULT(walk, schema_key(group, "data_bits"),
		      "data_bits = %d cannot carry RTU frames, which need 8",
		      connection->data_bits);
	if (connection->rs485 && connection->rts != 0)
		FAULT(walk, schema_key(group, "rts"),
		      "rts and rs485 both turn the line round; keep rs485 where the driver knows "
		      "it");
	if (connection->rts == 0 && schema_has(group, "rts_delay_us"))
		FAULT(walk, schema_key(group, "rts_delay_us"),
		      "rts_delay_us needs rts = \"up\" or \"down\"");
	check_devices(walk, config, group, connection);
}

static unsigned keys_said(const config_setting_t *group)
{
	static const struct {
		const char *key;
		unsigned bit;
	} keys[] = {{"request_gap_ms", CONFIG_SAYS_REQUEST_GAP},
		    {"connect_pause_ms", CONFIG_SAYS_CONNECT_PAUSE},
		    {"timeout_ms", CONFIG_SAYS_TIMEOUT},
		    {"max_gap", CONFIG_SAYS_MAX_GAP},
		    {"max_registers", CONFIG_SAYS_MAX_REGISTERS}};
	unsigned said = 0;
	for (size_t i = 0; i < COUNT(keys); i++)
		said |= schema_has(group, keys[i].key) ? keys[i].bit : 0;
	return said;
}

static void read_connection(struct walk *walk, struct config *config, const config_setting_t *group)
{
	struct connection_entry entry = {
		.connection = {.port = 502,
			       .max_gap = 16,
			       .max_registers = 125,
			       .interval_ms = 1000,
			       .timeout_ms = 500,
			       .idle_s = 180,
			       .baud = 9600,
			       .data_bits = 8,
			       .stop_bits = 1,
			       .rts_delay_us = -1,
			       .qos = 1,
			       .keepalive_s = 60,
			       .ack_timeout_ms = 500},
	};
	struct config_connection *connection = &entry.connection;
	unsigned variant = connection_variant(group);
	if (variant == DTU)
		connection->timeout_ms = 5000;
	if (variant == ON_HJ212)
		connection->idle_s = 7200;
	schema_read(walk, &connection_schema, group, variant, &entry);
	connection->driver = variant == ON_MQTT    ? CONFIG_MQTT
			     : variant == ON_HJ212 ? CONFIG_HJ212
						   : CONFIG_MODBUS;
	connection->ack_received = entry.ack == 1;
	connection->said = keys_said(group);
	if (connection->driver == CONFIG_MODBUS)
		set_default(walk, &connection->transport, "tcp");
	if (connection->id && connection_index(config, connection->id) != SIZE_MAX)
		FAULT(walk, schema_key(group, "id"),
		      "connection \"%s\" is defined twice; give each its own id", connection->id);
	if (variant == ON_MQTT)
		check_mqtt(walk, config, group, connection);
	if (variant == RTU)
		check_rtu(walk, config, group, connection);
	if (variant == DTU)
		check_dtu(walk, config, group, connection);
	if (variant == DTU || variant == ON_HJ212)
		check_loggers(walk, config, group, connection);
	connection_add(config, connection);
	free(entry.driver);
}

static void read_connections(struct walk *walk, struct config *config, const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "connections");
	config->connections = calloc(n + 1, sizeof(*config->connections));
	if (!config->connections)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_connection(walk, config, schema_element(root, "connections", i));
}

static bool holds_data(const struct reader *reader, const char *folder)
{
	char **names, *path = reader_join(folder, "catalogue");
	size_t n;
	bool there = path && reader_list(reader, path, &names, &n) == 0;
	if (there)
		reader_free_names(names, n);
	free(path);
	return there;
}

/* As said, relative to the configuration's folder; else the installed one, else that folder. */
static void find_data(struct walk *walk, struct config *config)
{
	static const char *const defaults[] = DUCHA_DATA_DIRECTORIES;
	char *said = config->data_directory;
	config->data_directory = said ? reader_beside(walk->file, said) : NULL;
	free(said);
	if (said)
		goto out;
	config->data_directory =
		holds_data(walk->reader, defaults[0])
			? strdup(defaults[0])
			: reader_beside(walk->file, strchr(walk->file, '/') ? "" : ".");
	for (size_t i = 1; config->data_directory && i < COUNT(defaults); i++) {
		if (holds_data(walk->reader, config->data_directory) ||
		    !holds_data(walk->reader, defaults[i]))
			continue;
		free(config->data_directory);
		config->data_directory = strdup(defaults[i]);
	}
out:
	if (!config->data_directory)
		walk->faults->no_memory = true;
}

static void check_practice(struct walk *walk, const struct practices *practices,
			   const config_setting_t *root)
{
	const config_setting_t *node = config_setting_get_member(root, "node");
	if (node && config_setting_type(node) == CONFIG_TYPE_GROUP)
		practice_check(walk, practices, node);
}

/* Sites come late: they look up what all the others define; deliveries name sites. */
static void read_root(struct walk *walk, const struct config_dates *dates, struct config *config)
{
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	struct catalogue catalogue = {0};
	struct standards standards = {0};
	struct models models = {0};
	struct signals signals = {0};
	size_t first = walk->faults->list.n;
	config->threads = 1;
	schema_read(walk, &root_schema, root, 0, config);
	read_node(walk, config, root);
	read_storage(walk, config, root);
	read_http(walk, config, root);
	read_influx(walk, config, root);
	read_connections(walk, config, root);
	find_data(walk, config);
	cases_read(walk, &config->cases, config->data_directory, root);
	tokens_read(walk, config, config_setting_get_member(root, "http"));
	int error = 0;
	if (!walk->faults->no_memory) {
		catalogue_read(&catalogue, config->data_directory, walk->reader, walk->faults);
		error = standards_read(&standards, &catalogue, config->data_directory, walk->reader,
				       walk->faults);
		models_read(&models, config->data_directory, walk->reader, walk->faults);
		if (signals_wanted(root))
			signals_read(&signals, &catalogue, config->data_directory, walk->reader,
				     walk->faults);
		origins_keep(walk, config);
		check_practice(walk, &signals.practices, root);
	}
	config->codes = catalogue.codes;
	config->n_codes = catalogue.n_codes;
	config->codes_from = catalogue.codes_from;
	config->unreal_from = catalogue.unreal_from;
	catalogue.codes = NULL;
	struct sites_context context = {config,  &catalogue, error ? NULL : &standards,
					&models, &signals,   dates};
	if (!walk->faults->no_memory)
		sites_read(walk, &context, root);
	deliveries_read(walk, config, root);
	sharing_read(walk, config, root);
	document_notes(walk->document, walk->faults, first);
	catalogue_deinit(&catalogue);
	standards_deinit(&standards);
	models_deinit(&models);
	signals_deinit(&signals);
}

int config_load_with(const char *file, const struct config_dates *dates,
		     const struct reader *reader, struct config **out, struct config_faults *faults)
{
	struct faults found = {0};
	struct document document = {0};
	struct config *config = calloc(1, sizeof(*config));
	*out = NULL;
	*faults = (struct config_faults){0};
	int error = config ? document_read(&document, file, reader, &found) : -ENOMEM;
	struct walk walk = {&document, &found, reader, file};
	if (!error)
		read_root(&walk, dates, config);
	if (config)
		document_deinit(&document);
	if (config)
		config->notes = found.notes;
	else
		config_faults_deinit(&found.notes);
	if (error == -ENOMEM || found.no_memory) {
		config_faults_deinit(&found.list);
		config_free(config);
		return -ENOMEM;
	}
	if (found.list.n > 0) {
		faults_sort(&found.list);
		*faults = found.list;
		config_free(config);
		return -EINVAL;
	}
	faults_sort(&config->notes);
	*out = config;
	return 0;
}

int config_load(const char *file, const struct config_dates *dates, struct config **out,
		struct config_faults *faults)
{
	return config_load_with(file, dates, &reader_disk, out, faults);
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	sites_free(config);
	cases_free(&config->cases);
	config_faults_deinit(&config->notes);
	for (size_t i = 0; i < config->n_connections; i++)
		schema_free(&connection_schema,
			    &(struct connection_entry){.connection = config->connections[i]});
	deliveries_free(config);
	tokens_free(config);
	free(config->connections);
	for (size_t i = 0; i < config->n_files; i++)
		free(config->files[i]);
	free(config->files);
	free(config->codes);
	schema_free(&node_schema, config);
	schema_free(&storage_schema, config);
	schema_free(&http_schema, config);
	schema_free(&influx_schema, config);
	free(config->language);
	free(config);
	return NULL;
}
