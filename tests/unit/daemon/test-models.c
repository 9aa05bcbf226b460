/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped models with the exchanges that makers and users of the instruments have published:
 * configuration, plan and codec must ask for just these bytes, and read the reply as they say. */
#include "assemble.h"
#include "core/reading.h"
#include "drivers/modbus/planner.h"
#include "drivers/modbus/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One connection with one monitor, as far as the bus. */
struct station {
	struct config *config;
	struct assembly *assembly;
	const struct modbus_connection *connection;
	struct modbus_asked asked;
	struct modbus_plan plan;
	struct values values;
};

static void station_open(struct station *station, const char *connection, const char *monitor)
{
	char path[] = "/tmp/ducha-models-XXXXXX";
	struct config_faults faults = {0};
	*station = (struct station){.config = NULL};
	FILE *file = fdopen(mkstemp(path), "w");
	assert_non_null(file);
	fprintf(file,
		"node: { id = \"n\"; data_directory = \"" TEST_DATA "\"; };\n"
		"connections: ( { id = \"c\"; driver = \"modbus\"; transport = \"rtu-over-tcp\"; "
		"host = \"127.0.0.1\"; %s } );\n"
		"sites: ( { id = \"s\"; kind = \"outfall\"; monitors: (\n{ connection = \"c\"; "
		"unit_id = 1; %s } ) } );\n",
		connection, monitor);
	assert_int_equal(fclose(file), 0);
	int result = config_load(path, NULL, &station->config, &faults);
	config_faults_print(&faults, stderr);
	config_faults_deinit(&faults);
	unlink(path);
	assert_int_equal(result, 0);
	assert_int_equal(assemble(&station->assembly, station->config), 0);
	const struct modbus_connection *c = station->connection = &station->assembly->modbus[0];
	assert_int_equal(modbus_asked_init(&station->asked, c), 0);
	assert_int_equal(values_init(&station->values, c, &station->asked), 0);
	assert_int_equal(modbus_plan_init(&station->plan, station->asked.points, station->asked.n,
					  c->max_gap, c->max_registers),
			 0);
}

static void station_close(struct station *station)
{
	modbus_plan_deinit(&station->plan);
	values_deinit(&station->values);
	modbus_asked_deinit(&station->asked);
	assembly_free(station->assembly);
	config_free(station->config);
}

static size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;
	int used;
	for (; sscanf(hex, "%2x %n", &byte, &used) == 1; hex += used)
		out[n++] = (uint8_t)byte;
	return n;
}

/* Ask for span @i: the request must be @request; @reply comes. Return: as values_reply(). */
static bool exchange(struct station *station, size_t i, const char *request, const char *reply,
		     struct sample *sample)
{
	const struct modbus_span *span = &station->plan.spans[i];
	struct modbus_request asked = {.unit = span->unit,
				       .table = span->table,
				       .address = span->address,
				       .count = span->count};
	uint8_t built[MODBUS_RTU_REQUEST_BYTES], wanted[64], bytes[MODBUS_REPLY_BYTES];
	struct modbus_reply judged;
	assert_true(i < station->plan.n_spans);
	modbus_rtu_build(&asked, built);
	assert_int_equal(bytes_of(request, wanted), sizeof built);
	assert_memory_equal(built, wanted, sizeof built);
	size_t n = bytes_of(reply, bytes);
	assert_int_equal(modbus_rtu_judge(&asked, bytes, n, &judged), MODBUS_COMPLETE);
	return values_reply(&station->values, 0, &asked, &judged, sample);
}

static struct sample one_exchange(const char *monitor, const char *request, const char *reply)
{
	struct station station;
	struct sample sample;
	station_open(&station, "", monitor);
	assert_int_equal(station.plan.n_spans, 1);
	assert_true(exchange(&station, 0, request, reply, &sample));
	station_close(&station);
	return sample;
}

/* To the seven digits to which people write a float. */
static void assert_near(struct sample sample, double expected)
{
	char is[32], wanted[32];
	snprintf(is, sizeof is, "%.7g", sample.value);
	snprintf(wanted, sizeof wanted, "%.7g", expected);
	assert_true(sample.has_value);
	assert_string_equal(is, wanted);
	assert_int_equal(sample.flag, FLAG_NORMAL);
}

#define JIANGSU_ASK "01 03 75 31 00 0B 4F CE"
#define JIANGSU_REPLY                                                                              \
	"01 03 16 00 01 40 A1 A8 9D 46 0C A0 00 07 E1 00 08 00 1A 00 0D 00 2C 00 0A 71 6B"
#define STATE_ASK "01 03 75 42 00 04 FE 11"
#define STATE_REPLY "01 03 08 00 01 00 01 00 01 00 00 E9 17"
#define JIANGSU(quantity)                                                                          \
	"factor = \"w01018\"; unit = \"mg/L\"; model = \"jiangsu-analyser\"; quantity = "          \
	"\"" quantity "\";"
/* 2017-08-26T13:44:10+08:00 */
#define JIANGSU_MS INT64_C(1503726250000)

static void test_jiangsu_result(void **state)
{
	(void)state;
	struct sample sample = one_exchange(JIANGSU("signal"), JIANGSU_ASK, JIANGSU_REPLY);
	assert_near(sample, 9000);
	assert_true(sample.has_time && sample.measured_ms == JIANGSU_MS);
	assert_true(sample.raw == 0x460ca000);
	/* Without the alarm, and reading the signal along as the page's request does. */
	sample = one_exchange(JIANGSU("concentration") "status: { address = 30001; flags: ( { "
						       "value = 1; flag = \"N\"; } ); };"
						       "plus: { address = 30004; times = 0; };",
			      JIANGSU_ASK, JIANGSU_REPLY);
	assert_near(sample, 5.051833);
	assert_true(sample.has_time && sample.measured_ms == JIANGSU_MS);
}

/* Where requests hold no gaps, the alarm is asked for apart, with the block of the state. */
static void test_jiangsu_concentration_waits_for_the_alarm(void **state)
{
	(void)state;
	struct station station;
	struct sample sample;
	station_open(&station, "max_gap = 0;", JIANGSU("concentration"));
	assert_int_equal(station.plan.n_spans, 3);
	station_close(&station);
	station_open(&station, "", JIANGSU("concentration"));
	assert_int_equal(station.plan.n_spans, 1); /* 30001 to 30021 at once */
	const struct modbus_request asked[] = {
		{.unit = 1, .table = MODBUS_HOLDING, .address = 30001, .count = 11},
		{.unit = 1, .table = MODBUS_HOLDING, .address = 30018, .count = 4}};
	static const char *const replies[] = {JIANGSU_REPLY, STATE_REPLY};
	struct modbus_words words = {.have = 0};
	for (size_t i = 0; i < 2; i++) {
		uint8_t bytes[MODBUS_REPLY_BYTES];
		struct modbus_reply judged;
		size_t n = bytes_of(replies[i], bytes);
		assert_int_equal(modbus_rtu_judge(&asked[i], bytes, n, &judged), MODBUS_COMPLETE);
		modbus_gather(&station.connection->points[0], &asked[i], &judged, &words);
	}
	assert_int_equal(words.have, 0x0f);
	struct modbus_result result =
		modbus_compose(&station.connection->points[0], &words, station.connection->zone);
	sample = (struct sample){
		.has_value = result.has_value, .value = result.value, .flag = result.flag};
	assert_near(sample, 5.051833);
	words.at[2][1] = 1; /* an alarm */
	result = modbus_compose(&station.connection->points[0], &words, NULL);
	assert_true(result.has_value && result.flag == FLAG_FAULT);
	words.at[1][1] = 0; /* no valid value */
	result = modbus_compose(&station.connection->points[0], &words, NULL);
	assert_false(result.has_value);
	station_close(&station);
}

static void test_jiangsu_state_and_precision(void **state)
{
	(void)state;
	assert_near(one_exchange(JIANGSU("restart"), STATE_ASK, STATE_REPLY), 1);
	assert_near(one_exchange(JIANGSU("state"), STATE_ASK, STATE_REPLY), 1);
	assert_near(one_exchange(JIANGSU("alarm"), STATE_ASK, STATE_REPLY), 0);
	static const char ask[] = "01 03 75 FA 00 06 FF F5";
	static const char reply[] = "01 03 0C 3D 4C CC CD 3F 80 00 00 00 00 00 00 5B 78";
	assert_near(one_exchange(JIANGSU("precision"), ask, reply), 0.05);
	assert_near(one_exchange(JIANGSU("correction"), ask, reply), 1);
	assert_near(one_exchange(JIANGSU("correction-offset"), ask, reply), 0);
}

#define CHANNEL_ASK "01 03 00 00 00 10 44 06"
#define CHANNEL_REPLY                                                                              \
	"01 03 20 3D 6F 97 C1 3E 69 0D 4E 3E 08 52 7C 43 EF A0 FE 00 00 00 00 00 01 4D A7 00 00 "  \
	"00 00 00 00 00 00 C5 6A"
#define CHANNEL(quantity)                                                                          \
	one_exchange("factor = \"w00000\"; unit = \"L/s\"; model = \"open-channel-flow\"; "        \
		     "quantity = \"" quantity "\";",                                               \
		     CHANNEL_ASK, CHANNEL_REPLY)

static void test_open_channel_flow(void **state)
{
	(void)state;
	struct sample flow = CHANNEL("flow"), hour = CHANNEL("flow-hour");
	assert_near(flow, 0.133127153); /* the page cuts it to 0.1331271 */
	assert_near(hour, 479.2578);
	assert_true(fabs(flow.value * 3600 - hour.value) < 1e-4);
	assert_near(CHANNEL("velocity"), 0.05849433);
	assert_near(CHANNEL("level"), 0.2275898);
	assert_near(CHANNEL("total"), 85415);
	assert_near(CHANNEL("total-reverse"), 0);
}

static void test_electromagnetic_flow_runs_back(void **state)
{
	(void)state;
	assert_near(one_exchange("factor = \"w00000\"; model = \"electromagnetic-flow\";",
				 "01 03 00 00 00 02 C4 0B", "01 03 04 00 00 C1 48 AB 95"),
		    -12.5);
}

/* The numbers of the frames here are worked out by hand; their checks by an independent CRC. */
static void test_liquiline_states(void **state)
{
	(void)state;
	static const char monitor[] =
		"factor = \"w01001\"; unit = \"\"; model = \"eh-liquiline-cm44x\"; input = 3;";
	static const char ask[] = "01 04 00 08 00 03 31 C9";
	struct sample sample = one_exchange(monitor, ask, "01 04 06 40 E0 00 00 00 00 EF 85");
	assert_near(sample, 7);
	sample = one_exchange(monitor, ask, "01 04 06 40 E0 00 00 00 01 2E 45");
	assert_true(sample.has_value && sample.value == 7 && sample.flag == FLAG_FAULT);
	sample = one_exchange(monitor, ask, "01 04 06 7F A0 00 00 00 02 6A 84");
	assert_true(!sample.has_value && sample.flag == FLAG_FAULT && sample.raw == 0x7fa00000);
	sample = one_exchange(monitor, ask, "01 04 06 7F A0 00 00 00 00 EB 45");
	assert_true(!sample.has_value && sample.flag == FLAG_FAULT);
}

/* --- what the other models make of registers, worked out by hand from their sources --- */

struct word {
	int address;
	uint16_t word;
};

static uint16_t word_at(const struct word *image, size_t n, int address)
{
	for (size_t i = 0; i < n; i++)
		if (image[i].address == address)
			return image[i].word;
	return 0;
}

static struct modbus_result result_of(const char *monitor, const struct word *image, size_t n)
{
	struct station station;
	station_open(&station, "", monitor);
	const struct modbus_point *point = &station.connection->points[0];
	struct modbus_words words = {.have = 0};
	for (size_t i = 0; i < modbus_places(point); i++) {
		uint16_t width;
		struct modbus_place place = modbus_place(point, i, &width);
		for (int k = 0; k < width; k++) {
			uint16_t word = word_at(image, n, place.address + k);
			words.at[i][2 * k] = (uint8_t)(word >> 8);
			words.at[i][2 * k + 1] = (uint8_t)(word & 0xff);
		}
	}
	struct modbus_result result = modbus_compose(point, &words, station.connection->zone);
	station_close(&station);
	return result;
}
#define RESULT(monitor, ...)                                                                       \
	result_of(monitor, (const struct word[]){__VA_ARGS__},                                     \
		  sizeof((const struct word[]){__VA_ARGS__}) / sizeof(struct word))

static void assert_result(struct modbus_result result, double value, enum flag flag)
{
	assert_true(result.has_value);
	assert_true(result.value == value);
	assert_int_equal(result.flag, flag);
}

static void assert_none(struct modbus_result result)
{
	assert_false(result.has_value);
	assert_int_equal(result.flag, FLAG_FAULT);
}

#define TROLL                                                                                      \
	"factor = \"w01001\"; unit = \"\"; model = \"insitu-aqua-troll-400\"; quantity = \"ph\";"

static void test_a_sentinel_of_zero_is_no_value(void **state)
{
	(void)state;
	struct word set_up[] = {{1538, 0x40e0}, {1540, 17}, {1541, 145}, {1542, 0}};
	assert_result(result_of(TROLL, set_up, 4), 7, FLAG_NORMAL);
	assert_none(RESULT(TROLL, {1540, 17}, {1541, 145}, {1542, 7}));
	assert_none(RESULT(TROLL, {1540, 17}, {1541, 145}, {1542, 3}));
	set_up[1].word = 18; /* another parameter stands there */
	assert_none(result_of(TROLL, set_up, 4));
}

#define SCATTER                                                                                    \
	"factor = \"w01003\"; model = \"hach-surface-scatter-7\"; quantity = \"turbidity-ntu\";"

static void test_service_and_unit_of_a_turbidimeter(void **state)
{
	(void)state;
	assert_result(RESULT(SCATTER, {0, 0x4120}, {15, 7}), 10, FLAG_NORMAL);
	assert_result(RESULT(SCATTER, {0, 0x4120}, {15, 7}, {17, 1}), 10, FLAG_MAINTENANCE);
	assert_none(RESULT(SCATTER, {0, 0x4120}, {15, 0})); /* mg/L */
}

#define UVAS "factor = \"w01018\"; model = \"hach-uvas\";"
#define GAS "factor = \"a21026\"; unit = \"mg/m3\"; model = \"air-station-gas\";"
#define TUF "factor = \"w00000\"; unit = \"L/s\"; model = \"tuf-2000\"; quantity = \"total\";"

static void test_values_are_scaled_by_their_registers(void **state)
{
	(void)state;
	assert_result(RESULT(UVAS, {0, 0x3f00}, {2, 0}), 0.5, FLAG_NORMAL);
	assert_result(RESULT(UVAS, {0, 0x3f00}, {2, 1}), 500, FLAG_NORMAL); /* g/L */
	assert_none(RESULT(UVAS, {0, 0x3f00}, {2, 2}));
	assert_result(RESULT(GAS, {0x6001, 1234}, {0x2031, 2}), 12.34, FLAG_NORMAL);
	assert_result(RESULT(GAS, {0x6001, 1234}), 1234, FLAG_NORMAL);
	/* 0x00014da7 = 85415, low word first, and 0.25 */
	assert_result(RESULT(TUF, {8, 0x4da7}, {9, 1}, {11, 0x3e80}), 85415.25, FLAG_NORMAL);
	assert_none(RESULT(TUF, {8, 0x4da7}, {9, 1}, {11, 0x3e80}, {1437, 1}));
}

#define EXO "factor = \"w01001\"; model = \"ysi-exo\"; quantity = \"ph\"; input = 5;"

static void test_a_parameter_of_a_sonde_is_where_its_code_is(void **state)
{
	(void)state;
	assert_result(RESULT(EXO, {393, 0x40e0}, {132, 18}), 7, FLAG_NORMAL);
	assert_none(RESULT(EXO, {393, 0x40e0}, {132, 19}));
	assert_none(RESULT(EXO, {393, 0x40e0}, {132, 18}, {260, 2}));
}

static void test_every_shipped_model_is_good(void **state)
{
	(void)state;
	struct station station;
	DIR *folder = opendir(TEST_DATA "/models");
	size_t files = 0;
	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		files += strstr(entry->d_name, ".cfg") != NULL;
	closedir(folder);
	assert_int_equal(files, 19);
	station_open(&station, "",
		     "factor = \"w01001\"; model = \"ysi-exo\"; quantity = \"ph\"; input = 4;");
	const struct modbus_point *point = &station.connection->points[0];
	assert_int_equal(point->address, 390);
	assert_int_equal(point->order, MODBUS_CDAB);
	assert_int_equal(point->more->extras[0].at.address, 259);
	assert_int_equal(point->more->extras[1].at.address, 131);
	assert_int_equal(station.plan.n_spans, 3);
	station_close(&station);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jiangsu_result),
		cmocka_unit_test(test_jiangsu_concentration_waits_for_the_alarm),
		cmocka_unit_test(test_jiangsu_state_and_precision),
		cmocka_unit_test(test_open_channel_flow),
		cmocka_unit_test(test_electromagnetic_flow_runs_back),
		cmocka_unit_test(test_liquiline_states),
		cmocka_unit_test(test_a_sentinel_of_zero_is_no_value),
		cmocka_unit_test(test_service_and_unit_of_a_turbidimeter),
		cmocka_unit_test(test_values_are_scaled_by_their_registers),
		cmocka_unit_test(test_a_parameter_of_a_sonde_is_where_its_code_is),
		cmocka_unit_test(test_every_shipped_model_is_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
