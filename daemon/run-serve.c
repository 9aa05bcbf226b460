/* SPDX-License-Identifier: Apache-2.0 */
/* What the API is told of the daemon: its health, deliveries, evidence, and how to reload. */
#include "run-state.h"

#include "base/log.h"
#include "base/notify.h"
#include "evidence-tar.h"
#include "flow/clock.h"

#include <errno.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const beat_names[BEATS] = {"judge",   "recorder", "clerk",
					      "courier", "exporter", "tallier"};
/* Of a watchdog's interval of 30 s a thread may stand still for 25; one that works on the disk, or
 * waits for somebody else, for ten minutes. */
#define INTERVAL_US 30000000
enum { QUICK_SIXTHS = 5, SLOW_TIMES = 20 };

/* --- heartbeats --- */

void run_be_patient(struct run *run)
{
	uint64_t interval_us = notify_watchdog_us();
	if (interval_us == 0)
		interval_us = INTERVAL_US;
	int64_t interval_ns = (int64_t)interval_us * 1000;
	run->patience.ns[PULSE_QUICK] = interval_ns / 6 * QUICK_SIXTHS;
	run->patience.ns[PULSE_SLOW] = interval_ns * SLOW_TIMES;
}

void run_alive(struct beat *beat)
{
	beat->runs = true;
	atomic_store(&beat->moved_ns, clock_mono_ns());
}

static bool beat_is_stuck(const struct run *run, const struct beat *beat, int64_t now_ns)
{
	return beat->runs && now_ns - atomic_load(&beat->moved_ns) >= run->patience.ns[PULSE_QUICK];
}

static bool beat_moves(const struct run *run, struct beat *beat, int64_t now_ns)
{
	uint64_t count = atomic_load_explicit(&beat->count, memory_order_relaxed);
	if (count != beat->seen)
		atomic_store(&beat->moved_ns, now_ns);
	beat->seen = count;
	return !beat_is_stuck(run, beat, now_ns);
}

bool run_beats_move(struct run *run)
{
	int64_t now_ns = clock_mono_ns();
	bool all = pulses_move(now_ns, &run->patience);
	for (int i = 0; i < BEATS; i++)
		all &= beat_moves(run, &run->beats[i], now_ns);
	for (size_t i = 0; i < run->n_fields; i++)
		all &= beat_moves(run, &run->fields[i].beat, now_ns);
	for (size_t i = 0; i < run->n_buses; i++)
		all &= beat_moves(run, &run->buses[i].beat, now_ns);
	return all;
}

static bool beat_is_well(const struct run *run, const struct beat *beat, const char *name,
			 struct text *reasons)
{
	bool well = !beat_is_stuck(run, beat, clock_mono_ns());
	if (!well)
		text_format(reasons, "the %s does not move\n", name);
	return well;
}

static void name_stuck(void *context, const char *name)
{
	text_format(context, "the %s does not move\n", name);
}

static bool beats_are_well(struct run *run, struct text *reasons)
{
	bool well = true;
	for (size_t i = 0; i < run->n_fields; i++)
		well &= beat_is_well(run, &run->fields[i].beat, "event loop", reasons);
	for (size_t i = 0; i < BEATS; i++)
		well &= beat_is_well(run, &run->beats[i], beat_names[i], reasons);
	for (size_t i = 0; i < run->n_buses; i++)
		well &= beat_is_well(run, &run->buses[i].beat, run->buses[i].name, reasons);
	size_t before = reasons->length;
	pulses_stuck(clock_mono_ns(), &run->patience, name_stuck, reasons);
	return well && reasons->length == before;
}

static bool health(void *context, struct text *reasons)
{
	struct run *run = context;
	bool well = beats_are_well(run, reasons);
	if (recorder_failing(run->recorder)) {
		text_add(reasons, "readings cannot be recorded\n");
		well = false;
	}
	if (clerk_failing(run->clerk)) {
		text_add(reasons, "the ledger cannot be written\n");
		well = false;
	}
	return well;
}

/* --- answers --- */

static void deliveries_json(void *context, struct text *out)
{
	const struct run *run = context;
	if (run->courier != NULL)
		courier_json(run->courier, out);
	else /* a reload could not begin them yet */
		text_add(out, "{\"deliveries\":[]}");
}

static bool deliveries_test(void *context, const char *id, int64_t *test)
{
	const struct run *run = context;
	return run->courier != NULL && courier_test(run->courier, id, test);
}

static void marked(void *context)
{
	revise_wake(((struct run *)context)->revise);
}

/* What is wrong with it costs the translation of pages alone. */
static const struct wording *load_chinese(struct run *run)
{
	struct text path = {0};
	const char *folder = bindtextdomain("ducha", NULL);
	text_format(&path, "%s/zh_CN/LC_MESSAGES/ducha.mo", folder == NULL ? "" : folder);
	int r = path.failed ? -ENOMEM : wording_load(&run->chinese, path.at);
	if (r < 0)
		log_warnx("%s: %s; pages and dossiers stay English", path.at, log_error_text(-r));
	text_deinit(&path);
	return r < 0 ? NULL : &run->chinese;
}

static int write_evidence(void *context, int64_t id, const char *trusted,
			  const struct text *dossier, struct text *out)
{
	struct run *run = context;
	const struct evidence_tar setup = {.directory = run->directory,
					   .node = run->plan->node,
					   .plan = run->plan,
					   .ledger = run->ledger,
					   .config = &run->config_text,
					   .evidence = run->evidence,
					   .trusted = trusted,
					   .now_ms = clock_wall_ms()};
	return evidence_tar_write(&setup, id, dossier, out);
}

static void add_file(void *context, size_t i, const char *name, const char *at, size_t length)
{
	struct text *out = context, body = {0};
	text_add_n(&body, at, length);
	text_add(out, i > 0 ? ",{\"name\":" : "{\"name\":");
	text_json(out, name);
	text_add(out, ",\"text\":");
	text_json(out, body.at != NULL ? body.at : "");
	text_char(out, '}');
	out->failed |= body.failed;
	text_deinit(&body);
}

static void add_configuration(void *context, struct text *out)
{
	struct run *run = context;
	config_text_each(&run->config_text, add_file, out);
}

int run_open_serve(struct run *run)
{
	char *error = NULL;
	struct serve_setup setup = {
		.socket = run->socket,
		.listen = run->listen,
		.officers = run->assembly->officers,
		.n_officers = run->assembly->n_officers,
		.directory = run->directory,
		.version = DUCHA_VERSION,
		.plan = run->plan,
		.daybook = run->daybook,
		.ledger = run->ledger,
		.metrics = run->metrics,
		.health = health,
		.evidence = write_evidence,
		.configuration = add_configuration,
		.deliveries_json = deliveries_json,
		.deliveries_test = deliveries_test,
		.marked = marked,
		.confirm_clock = run_confirm_clock,
		.reload = reload_ask,
		.context = run,
		.chinese = load_chinese(run),
		.language = getenv("LANGUAGE"), /* as main() has set it */
	};
	config_text_read(&run->config_text, run->file);
	int r = serve_new(&run->serve, &setup, &error);
	if (r < 0)
		log_warnx("%s", error == NULL ? "the API cannot be served" : error);
	free(error);
	return r;
}
