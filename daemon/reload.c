/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include "base/log.h"
#include "drivers/driver.h"
#include "flow/clock.h"
#include "reload-read.h"
#include "run-state.h"
#include "store/ledger-instruments.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a thread may take to come to its gate: an exchange, a commit. */
enum { FIELD_MS = 5000, FLOW_MS = 3000, ROOM_MS = 5000 };

/* Everything that follows the next plan, beside what follows the present one. Behind the swap it
 * holds the old things. */
struct next {
	struct config *config;
	struct assembly *assembly;
	struct plan_change change;
	struct judge *judge;
	struct revise *revise;
	struct recorder *recorder;
	struct keeper *keeper;
	struct daybook_tables *tables;
	_Atomic uint32_t *kinds;
	struct officers officers;
	struct restore_alerts alerts;
	struct door *pushed, *loggers;
	void *mqtt, *hj212;
	struct door *field_doors[CONFIG_MOST_THREADS];
	void *fields[CONFIG_MOST_THREADS];
	struct modbus_connection *shares[CONFIG_MOST_THREADS];
	size_t n_shares[CONFIG_MOST_THREADS];
	/* By slot of run->buses. line: the next assembly's serial line there, NULL: none */
	const struct modbus_connection *lines[CONFIG_MOST_BUSES];
	struct door *bus_doors[CONFIG_MOST_BUSES];
	void *buses[CONFIG_MOST_BUSES];
	size_t n_buses; /* slots */
};

/* --- beside the present plan --- */

static int prepare_fields(struct run *run, struct next *next)
{
	int r = run_share(run, next->assembly, true, next->shares, next->n_shares);
	for (size_t i = 0; r == 0 && i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		struct driver_host host = {
			.door = field->door, .loop = field->loop, .metrics = run->metrics};
		r = run_door(run, &next->assembly->plan, field->ring, &next->field_doors[i]);
		if (r == 0)
			r = modbus_driver.prepare(&host, next->shares[i], next->n_shares[i],
						  field->driver, &next->fields[i]);
	}
	return r;
}

/* The slot that has the line already; else one that nobody uses. */
static size_t slot_of(const struct run *run, const struct next *next, const char *id)
{
	char name[sizeof run->buses->name];
	size_t unused = next->n_buses;
	snprintf(name, sizeof name, "serial-%s", id);
	for (size_t i = 0; i < next->n_buses; i++) {
		bool runs = i < run->n_buses && run->buses[i].driver != NULL;
		if (runs && strcmp(run->buses[i].name, name) == 0)
			return i;
		if (!runs && next->lines[i] == NULL && unused == next->n_buses)
			unused = i;
	}
	return unused;
}

static size_t ring_of_slot(const struct run *run, size_t slot)
{
	return slot < run->n_buses ? run->buses[slot].ring : run->rings.n + slot - run->n_buses;
}

static int prepare_bus(struct run *run, struct next *next, size_t slot)
{
	struct bus *bus = &run->buses[slot];
	struct driver_host host = {
		.door = bus->door, .metrics = run->metrics, .heartbeat = &bus->beat.count};
	int r = run_door(run, &next->assembly->plan, ring_of_slot(run, slot),
			 &next->bus_doors[slot]);
	if (r == 0 && bus->driver != NULL && next->lines[slot] != NULL)
		r = modbus_rtu_driver.prepare(&host, next->lines[slot], 1, bus->driver,
					      &next->buses[slot]);
	return r;
}

static int prepare_buses(struct run *run, struct next *next)
{
	int r = 0;
	next->n_buses = run->n_buses;
	for (size_t i = 0; i < next->assembly->n_buses; i++) {
		size_t slot = slot_of(run, next, next->assembly->buses[i].id);
		if (slot == CONFIG_MOST_BUSES)
			return -EMFILE;
		if (slot == next->n_buses)
			next->n_buses++;
		next->lines[slot] = &next->assembly->buses[i];
	}
	for (size_t i = 0; r == 0 && i < next->n_buses; i++)
		r = prepare_bus(run, next, i);
	return r;
}

static int prepare_mqtt(struct run *run, struct next *next)
{
	const struct assembly *a = next->assembly;
	struct driver_host host = {.door = run->pushed, .metrics = run->metrics};
	int r = run_door(run, &a->plan, RING_PUSHED, &next->pushed);
	if (r == 0 && run->mqtt != NULL)
		r = mqtt_driver.prepare(&host, a->mqtt, a->n_mqtt, run->mqtt, &next->mqtt);
	return r;
}

static int prepare_loggers(struct run *run, struct next *next)
{
	const struct assembly *a = next->assembly;
	struct driver_host host = {
		.door = run->loggers, .loop = run->fields[0].loop, .metrics = run->metrics};
	int r = run_door(run, &a->plan, RING_LOGGERS, &next->loggers);
	return r == 0 ? hj212_driver.prepare(&host, a->hj212, a->n_hj212, run->hj212, &next->hj212)
		      : r;
}

static int prepare(struct run *run, struct next *next)
{
	const struct plan *plan = &next->assembly->plan;
	int r = plan_change_init(&next->change, run->plan, plan);
	next->kinds = calloc(plan->n_monitors + 1, sizeof *next->kinds);
	if (r == 0 && next->kinds == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = run_judge(run, next->config, plan, &next->judge);
	if (r == 0)
		r = run_recorder(run, next->config, plan, &next->recorder);
	if (r == 0)
		r = run_keeper(run, next->config, plan, &next->keeper);
	if (r == 0)
		r = daybook_tables_new(&next->tables, plan);
	if (r == 0)
		r = officers_init(&next->officers, next->assembly->officers,
				  next->assembly->n_officers);
	if (r == 0)
		r = prepare_fields(run, next);
	if (r == 0)
		r = prepare_buses(run, next);
	if (r == 0)
		r = prepare_mqtt(run, next);
	return r == 0 ? prepare_loggers(run, next) : r;
}

static void next_free(struct run *run, struct next *next)
{
	for (size_t i = 0; i < run->n_fields; i++) {
		door_free(next->field_doors[i]);
		modbus_driver.drop(next->fields[i]);
		free(next->shares[i]);
	}
	for (size_t i = 0; i < next->n_buses; i++) {
		door_free(next->bus_doors[i]);
		modbus_rtu_driver.drop(next->buses[i]);
	}
	door_free(next->pushed);
	mqtt_driver.drop(next->mqtt);
	door_free(next->loggers);
	hj212_driver.drop(next->hj212);
	daybook_tables_free(next->tables);
	keeper_free(next->keeper);
	recorder_free(next->recorder);
	judge_free(next->judge);
	revise_free(next->revise);
	officers_deinit(&next->officers);
	free(next->kinds);
	free(next->alerts.at);
	plan_change_deinit(&next->change);
	assembly_free(next->assembly);
	config_free(next->config);
}

/* --- standing --- */

/* Who stands: what is to be let go again. */
struct standing {
	size_t n_buses;
	bool mqtt, recorder;
};

static void shut(struct gate *gate, struct bell *bell)
{
	gate_shut(gate);
	bell_ring_always(bell);
}

static bool flow_stands(struct run *run)
{
	shut(clerk_gate(run->clerk), &run->verdicts.bell);
	shut(recorder_gate(run->recorder), &run->rings.recorder);
	return gate_stands(recorder_gate(run->recorder), FLOW_MS) &&
	       gate_stands(clerk_gate(run->clerk), FLOW_MS);
}

static bool fields_stand(struct run *run)
{
	bool all = true;
	for (size_t i = 0; i < run->n_fields; i++)
		gate_shut(loop_gate(run->fields[i].loop));
	for (size_t i = 0; i < run->n_fields; i++)
		all = all && gate_stands(loop_gate(run->fields[i].loop), FIELD_MS);
	return all;
}

/* Serial lines take longest to come, the event loops are let wait least. */
static bool stand(struct run *run, struct standing *s)
{
	bool all = true;
	for (; all && s->n_buses < run->n_buses; s->n_buses++) {
		void *driver = run->buses[s->n_buses].driver;
		all = driver == NULL || modbus_rtu_driver.hold(driver, FIELD_MS);
	}
	if (all && run->mqtt != NULL)
		s->mqtt = all = mqtt_driver.hold(run->mqtt, FIELD_MS);
	if (!all || !fields_stand(run))
		return false;
	shut(judge_gate(run->judge), &run->rings.judge);
	if (!gate_stands(judge_gate(run->judge), FLOW_MS) || !flow_stands(run))
		return false;
	recorder_hold(run->recorder);
	s->recorder = true;
	return true;
}

static void fields_go(struct run *run, const struct standing *s)
{
	gate_open(judge_gate(run->judge));
	for (size_t i = 0; i < run->n_fields; i++)
		gate_open(loop_gate(run->fields[i].loop));
	for (size_t i = 0; i < s->n_buses; i++)
		if (run->buses[i].driver != NULL)
			modbus_rtu_driver.release(run->buses[i].driver);
}

static void flow_goes(struct run *run)
{
	gate_open(recorder_gate(run->recorder));
	gate_open(clerk_gate(run->clerk));
}

/* --- the swap --- */

/* What may fail, while nothing has changed hands. */
static int last_steps(struct run *run, struct next *next)
{
	int r = 0;
	for (size_t i = run->n_buses; r == 0 && i < next->n_buses; i++)
		r = rings_add(&run->rings, run_slots(next->assembly));
	if (r < 0)
		return r;
	ledger_succeed(run->ledger, &next->assembly->plan, &next->kinds);
	r = restore_alerts(run->ledger, &next->alerts);
	if (r == 0)
		r = run_revise(run, &next->assembly->plan, next->judge, &next->revise);
	if (r == 0 && ledger_instruments(run->ledger, clock_wall_ms()) != 0)
		r = -EIO;
	if (r < 0)
		ledger_succeed(run->ledger, run->plan, &next->kinds);
	return r;
}

static void swap_fields(struct run *run, struct next *next)
{
	for (size_t i = 0; i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		struct modbus_connection *connections = field->connections;
		door_succeed(field->door, next->field_doors[i], &next->change);
		field->driver = modbus_driver.succeed(next->fields[i], field->driver);
		field->connections = next->shares[i];
		field->n_connections = next->n_shares[i];
		next->fields[i] = NULL;
		next->shares[i] = connections;
	}
}

static void swap_buses(struct run *run, struct next *next)
{
	for (size_t i = 0; i < run->n_buses; i++) {
		struct bus *bus = &run->buses[i];
		door_succeed(bus->door, next->bus_doors[i], &next->change);
		if (bus->driver != NULL)
			(void)modbus_rtu_driver.succeed(next->buses[i], bus->driver);
		next->buses[i] = NULL;
	}
	for (; run->n_buses < next->n_buses; run->n_buses++) {
		struct bus *bus = &run->buses[run->n_buses];
		bus->ring = run->rings.n - next->n_buses + run->n_buses;
		bus->door = next->bus_doors[run->n_buses];
		next->bus_doors[run->n_buses] = NULL;
	}
}

static void forget(struct run *run, const char *label, const char *id, bool there)
{
	char text[512];
	snprintf(text, sizeof text, "%s=\"%s\"", label, id);
	if (!there)
		metrics_forget(run->metrics, "", text, METRICS_ALL);
}

static void forget_connections(struct run *run, const struct plan *gone_from)
{
	for (size_t i = 0; i < gone_from->n_connections; i++) {
		const char *id = gone_from->connections[i].id;
		bool there = false;
		for (size_t j = 0; !there && j < run->plan->n_connections; j++)
			there = strcmp(run->plan->connections[j].id, id) == 0;
		forget(run, "connection", id, there);
	}
}

static void keep_left(struct run *run, struct restore_alerts *alerts)
{
	for (size_t i = 0; i < run->left.n; i++) { /* those of an earlier reload */
		struct open_alert *more = reallocarray(alerts->at, alerts->n + 1, sizeof *more);
		if (more == NULL)
			break; /* the next start clears them */
		alerts->at = more;
		more[alerts->n++] = run->left.at[i];
	}
	free(run->left.at);
	run->left = *alerts;
	*alerts = (struct restore_alerts){.at = NULL};
}

static void swap(struct run *run, struct next *next)
{
	struct config *config = run->config;
	struct assembly *assembly = run->assembly;
	judge_succeed(run->judge, next->judge, &next->change);
	revise_succeed(run->revise, next->revise);
	(void)restore_adopt(next->change.to, judge_evaluator(run->judge), &next->alerts);
	keep_left(run, &next->alerts);
	swap_fields(run, next);
	swap_buses(run, next);
	door_succeed(run->pushed, next->pushed, &next->change);
	if (run->mqtt != NULL)
		run->mqtt = mqtt_driver.succeed(next->mqtt, run->mqtt);
	next->mqtt = NULL;
	door_succeed(run->loggers, next->loggers, &next->change);
	run->hj212 = hj212_driver.succeed(next->hj212, run->hj212);
	next->hj212 = NULL;
	daybook_succeed(run->daybook, next->tables, &next->change);
	run_change_spared(run, &next->change);
	daybook_limit(run->daybook, keeper_file_bytes(next->config->max_bytes));
	rings_grow(&run->rings, run_slots(next->assembly));
	run->config = next->config;
	run->assembly = next->assembly;
	run->plan = &next->assembly->plan;
	next->config = config;
	next->assembly = assembly;
	forget_connections(run, &assembly->plan);
}

/* --- behind it --- */

/* Nobody wakes them and nobody prints meanwhile. */
static void senders_begin(struct run *run)
{
	metrics_forget(run->metrics, "ducha_deliver", NULL, METRICS_READ);
	metrics_forget(run->metrics, "ducha_influx", NULL, METRICS_READ);
	metrics_forget(run->metrics, "ducha_share", NULL, METRICS_READ);
	run->courier = courier_free(run->courier);
	run->shares = shares_free(run->shares);
	run->exporter = exporter_free(run->exporter);
	run->tallier = tallier_free(run->tallier);
	run->beats[BEAT_COURIER].runs = run->beats[BEAT_EXPORTER].runs = false;
	run->beats[BEAT_TALLIER].runs = false;
	int r = run_courier(run);
	run->no_courier = r < 0;
	if (r < 0)
		run_failed("deliveries cannot begin; it is tried again", r);
	r = run_shares(run);
	run->no_shares = r < 0;
	if (r < 0)
		run_failed("the shares cannot begin; it is tried again", r);
	r = run_exporter(run);
	run->no_exporter = r < 0;
	if (r < 0)
		run_failed("the exporter cannot begin; it is tried again", r);
	r = run_tallier(run);
	run->no_tallier = r < 0;
}

/* The old plan is freed behind this, so it must be: all that can be short is memory. */
static void evidence_follows(struct run *run)
{
	while (evidence_succeed(run->evidence, run->plan, run->config->anchor_s * INT64_C(1000)) <
	       0)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void forget_senders(struct run *run, const struct assembly *gone_from)
{
	const struct assembly *now = run->assembly;
	for (size_t i = 0; i < gone_from->n_deliveries; i++) {
		const char *id = gone_from->deliveries[i].id;
		bool there = false;
		for (size_t j = 0; !there && j < now->n_deliveries; j++)
			there = strcmp(now->deliveries[j].id, id) == 0;
		forget(run, "delivery", id, there);
	}
	for (size_t i = 0; i < gone_from->n_shares; i++) {
		const char *id = gone_from->shares[i].id;
		bool there = false;
		for (size_t j = 0; !there && j < now->n_shares; j++)
			there = strcmp(now->shares[j].id, id) == 0;
		forget(run, "share", id, there);
	}
	if (run->config->influx.url == NULL)
		metrics_forget(run->metrics, "ducha_influx", NULL, METRICS_ALL);
}

static void bus_end(struct run *run, struct bus *bus)
{
	char label[128];
	modbus_rtu_driver.stop(bus->driver);
	bus->driver = NULL;
	bus->beat.runs = false;
	snprintf(label, sizeof label, "ring=\"%s\"", bus->name);
	metrics_forget(run->metrics, "", label, METRICS_ALL);
}

static void bus_begin(struct run *run, struct bus *bus, const struct modbus_connection *line)
{
	struct driver_host host = {
		.door = bus->door, .metrics = run->metrics, .heartbeat = &bus->beat.count};
	snprintf(bus->name, sizeof bus->name, "serial-%s", line->id);
	int r = run_show_ring(run, bus->ring, bus->name);
	if (r == 0)
		r = modbus_rtu_driver.start(&host, line, 1, &bus->driver);
	if (r < 0)
		run_failed(bus->name, r);
	else
		run_alive(&bus->beat);
}

/* Lines that are gone end first: another one may be the same device under another name. */
static void change_buses(struct run *run, const struct next *next)
{
	for (size_t i = 0; i < run->n_buses; i++)
		if (run->buses[i].driver != NULL && next->lines[i] == NULL)
			bus_end(run, &run->buses[i]);
	for (size_t i = 0; i < run->n_buses; i++)
		if (run->buses[i].driver == NULL && next->lines[i] != NULL)
			bus_begin(run, &run->buses[i], next->lines[i]);
}

static void begin_mqtt(struct run *run)
{
	struct driver_host host = {.door = run->pushed, .metrics = run->metrics};
	if (run->mqtt != NULL || run->assembly->n_mqtt == 0)
		return;
	int r = mqtt_driver.start(&host, run->assembly->mqtt, run->assembly->n_mqtt, &run->mqtt);
	if (r < 0)
		run_failed("the MQTT connections cannot begin", r);
}

/* --- all of it --- */

/* Return: true where the next plan is in force. */
static bool hand_over(struct run *run, struct next *next, struct text *said)
{
	struct standing s = {0};
	run_stop_senders(run);
	keeper_stop(run->keeper);
	int64_t began_ns = clock_mono_ns();
	bool good =
		stand(run, &s) ||
		reload_refuse(said, "a thread, or the disk, is busy with something for too long: "
				    "reload again");
	int r = good ? last_steps(run, next) : 0;
	if (r < 0)
		good = reload_refuse(said, "no memory, or the ledger cannot be read: reload again");
	if (good)
		swap(run, next);
	if (s.recorder)
		recorder_succeed(run->recorder, good ? next->recorder : NULL);
	keeper_succeed(run->keeper, good ? next->keeper : NULL, &next->change);
	fields_go(run, &s);
	int64_t stood_ns = clock_mono_ns() - began_ns;
	senders_begin(run);
	flow_goes(run);
	if (keeper_start(run->keeper) < 0)
		log_warn("the keeper cannot go on until the next reload");
	if (s.mqtt)
		mqtt_driver.release(run->mqtt);
	if (good) {
		evidence_follows(run);
		config_text_read(&run->config_text, run->file);
		change_buses(run, next);
		begin_mqtt(run);
		forget_senders(run, next->assembly);
	}
	log_debug("reload: readings stood for %" PRId64 " us", stood_ns / 1000);
	return good;
}

static void say_change(const struct run *run, const struct next *next, struct text *said)
{
	const struct config *c = run->config;
	size_t begun = 0, gone = 0;
	for (size_t i = 0; i < next->change.to->n_monitors; i++)
		begun += next->change.monitors[i] == NO_INDEX;
	for (size_t i = 0; i < next->change.from->n_monitors; i++)
		gone += next->change.monitors_to[i] == NO_INDEX;
	text_format(said,
		    "{\"status\":\"ok\",\"sites\":%zu,\"monitors\":%zu,\"limits\":%zu,"
		    "\"connections\":%zu,\"monitors_begun\":%zu,\"monitors_gone\":%zu}\n",
		    c->n_sites, c->n_monitors, c->n_limits, c->n_connections, begun, gone);
	log_event(LOGGED_RELOADED, ABOUT_NOTHING,
		  "%s taken up: %zu sites, %zu monitors (%zu begun, %zu gone), %zu connections in "
		  "service",
		  run->file, c->n_sites, c->n_monitors, begun, gone, c->n_connections);
}

static bool build(struct run *run, struct next *next, struct text *said)
{
	int r = assemble_next(&next->assembly, next->config, run->assembly);
	if (r == 0)
		r = run_has_descriptors(next->assembly);
	if (r == 0)
		r = prepare(run, next);
	if (r == 0)
		return true;
	keeper_succeed(run->keeper, NULL, NULL);
	text_format(said, "the configuration cannot be taken up: %s", log_error_text(-r));
	log_warnx("%s", said->at);
	return false;
}

/* The next configuration may be the one that makes room: a full disk must not keep it out. */
static void make_room(struct run *run)
{
	bool given = (recorder_failing(run->recorder) || clerk_failing(run->clerk)) &&
		     reserve_give(&run->reserve, RESERVE_WORK);
	int64_t until_ns = clock_mono_ns() + ROOM_MS * INT64_C(1000000);
	while (given && clock_mono_ns() < until_ns &&
	       (recorder_failing(run->recorder) || clerk_failing(run->clerk)))
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static bool take_up(struct run *run, struct next *next, struct text *said)
{
	if (!reload_read(run, &next->config, said))
		return false;
	make_room(run);
	if (!reload_may(run, said))
		return false;
	bool good = revise_hold(run->revise, FIELD_MS) ||
		    reload_refuse(said, "a mark is being worked off: reload again when it is done");
	serve_hold(run->serve);
	good = good && build(run, next, said) && hand_over(run, next, said);
	serve_release(run->serve, run->plan, &next->officers);
	revise_release(run->revise);
	return good;
}

static void say_reloading(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	char message[64];
	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	run_tell(message);
}

void reload(struct run *run)
{
	uint64_t ticket = reload_desk_take(&run->desk);
	struct next next = {.config = NULL};
	struct text said = {0};
	say_reloading();
	bool good = take_up(run, &next, &said);
	if (good) {
		say_change(run, &next, &said);
		for (size_t i = 0; i < run->config->notes.n; i++)
			log_warnx("%s:%d: %s", run->config->notes.at[i].file,
				  run->config->notes.at[i].line, run->config->notes.at[i].message);
	} else {
		log_event(LOGGED_NOT_RELOADED, ABOUT_NOTHING,
			  "%s is not taken up: the configuration in force stays so", run->file);
	}
	next_free(run, &next);
	(void)malloc_trim(0);
	reload_settle(run);
	run_tell("READY=1");
	reload_desk_answer(&run->desk, ticket, good, &said);
	text_deinit(&said);
}

bool reload_ask(void *context, struct text *answer)
{
	return reload_desk_ask(&((struct run *)context)->desk, answer);
}

static void senders_again(struct run *run)
{
	serve_hold(run->serve);
	if (flow_stands(run)) {
		run_stop_senders(run);
		senders_begin(run);
	}
	flow_goes(run);
	serve_release(run->serve, run->plan, NULL);
}

void reload_settle(struct run *run)
{
	if (run->left.n > 0)
		(void)restore_drop(run->ledger, &run->left);
	if (run->no_courier || run->no_shares || run->no_exporter || run->no_tallier)
		senders_again(run);
}
