/* SPDX-License-Identifier: Apache-2.0 */
#include "run-state.h"

#include "base/log.h"
#include "core/tail.h"
#include "drivers/driver.h"
#include "evidence-tar.h"
#include "flow/clock.h"
#include "restore.h"

#include <curl/curl.h>
#include <errno.h>
#include <libintl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const char *const beat_names[BEATS] = {"judge",   "recorder", "clerk",
					      "courier", "exporter", "tallier"};

/* Events and readings of more than a day are behind everybody; senders may repeat this much. */
enum { EVENTS_KEPT_MS = 24 * 3600 * 1000, REMEMBERED = 256, RINGS_SECONDS = 10 };
/* A thread is stuck when it has not moved for this long; the exporter may wait for a server. */
#define STUCK_NS 25000000000

/* --- ties between rooms --- */

static int record_append(void *context, const struct reading *readings, size_t n)
{
	return daybook_append(((struct run *)context)->daybook, readings, n);
}

static int record_gap(void *context, const struct gap *gap)
{
	return daybook_append_gap(((struct run *)context)->daybook, gap, clock_wall_ms());
}

static int record_commit(void *context)
{
	struct run *run = context;
	int r = keeper_gaps(run->keeper, run->daybook);
	if (r == 0)
		r = daybook_commit(run->daybook);
	if (r == 0)
		keeper_gaps_written(run->keeper);
	return r;
}

static void record_committed(void *context)
{
	struct run *run = context;
	if (run->exporter != NULL)
		exporter_wake(run->exporter);
}

/* Asked by the judge, which runs only while there are recorder and keeper. */
static bool own_fault(void *context, enum own_fault fault)
{
	struct run *run = context;
	if (fault != OWN_UNRECORDED)
		return keeper_fault(run->keeper, fault);
	return recorder_failing(run->recorder) || recorder_missing(run->recorder) ||
	       stored_owes(&run->rings);
}

static bool unrecorded(void *context)
{
	return own_fault(context, OWN_UNRECORDED);
}

static uint64_t replaced(void *context)
{
	return ledger_mended(((struct run *)context)->ledger);
}

static int64_t recorded(void *context)
{
	return daybook_sequence(((struct run *)context)->daybook);
}

/*
 * A failed fsync, in any thread: what is on disk is not known, so nothing more may be acknowledged
 * and nothing more may reach that disk. Whoever waits for a commit would give up waiting while
 * threads are ended in order.
 */
_Noreturn static void fatal(void *context)
{
	(void)context;
	log_warnx("an fsync failed: what is on disk is uncertain, the daemon ends without "
		  "acknowledging and recovers at its next start");
	_exit(1);
}

static int commit_verdicts(void *context, const struct verdict *verdicts, size_t n, int64_t *opened)
{
	return ledger_apply(((struct run *)context)->ledger, verdicts, n, clock_wall_ms(), opened);
}

static int keep_snapshot(void *context, const void *snapshot, size_t size)
{
	return ledger_put(((struct run *)context)->ledger, RESTORE_SNAPSHOT, snapshot, size);
}

static const char *translate(const char *english)
{
	return english[0] == '\0' ? "" : gettext(english);
}

static void count_case(struct run *run, const struct verdict *v)
{
	const struct monitor *m = &run->plan->monitors[v->monitor];
	struct severity_facts facts = {.kind = run->plan->sites[m->site].kind,
				       .factor = m->factor,
				       .has_peak = v->has_value,
				       .peak = v->peak_value,
				       .has_limit = v->has_limit,
				       .limit = v->limit_value};
	facts.has_multiple = v->has_limit && case_multiple(m, v->bound, v->peak_value,
							   v->limit_value, &facts.multiple);
	enum severity severity =
		v->kind == ALERT_EXCEEDANCE ? case_severity(&facts) : SEVERITY_GENERAL;
	metric_add(run->opened[v->kind][severity], 1);
}

static void announce(void *context, const struct verdict *verdict, int64_t opened)
{
	struct run *run = context;
	struct text line = {0};
	if (opened != 0)
		count_case(run, verdict);
	tail_verdict(&line, run->plan, verdict, opened, translate);
	if (!line.failed)
		log_alert(line.at);
	text_deinit(&line);
	if (run->exporter != NULL)
		exporter_wake(run->exporter);
}

/* A load is committed and announced by who added it up. */
static int commit_load(void *context, const struct verdict *verdict)
{
	int64_t opened = 0;
	int r = commit_verdicts(context, verdict, 1, &opened);
	if (r == 0 && verdict->type != VERDICT_PEAK)
		announce(context, verdict, opened);
	return r;
}

static void wake_courier(void *context)
{
	struct run *run = context;
	if (run->courier != NULL)
		courier_wake(run->courier);
}

static bool beat_is_stuck(const struct beat *beat, int64_t now_ns)
{
	return beat->runs && now_ns - atomic_load(&beat->moved_ns) >= STUCK_NS;
}

static bool beat_is_well(const struct beat *beat, const char *name, struct text *reasons)
{
	bool well = !beat_is_stuck(beat, clock_mono_ns());
	if (!well)
		text_format(reasons, "the %s does not move\n", name);
	return well;
}

static bool beats_are_well(struct run *run, struct text *reasons)
{
	bool well = true;
	for (size_t i = 0; i < run->n_fields; i++)
		well &= beat_is_well(&run->fields[i].beat, "event loop", reasons);
	for (size_t i = 0; i < BEATS; i++)
		well &= beat_is_well(&run->beats[i], beat_names[i], reasons);
	for (size_t i = 0; i < run->n_buses; i++)
		well &= beat_is_well(&run->buses[i].beat, run->buses[i].name, reasons);
	return well;
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

/* --- metrics of the rings --- */

static double view_used(void *context)
{
	struct ring_view *v = context;
	return (double)ring_used(v->ring, v->who);
}

static double view_slots(void *context)
{
	return (double)ring_slots(((struct ring_view *)context)->ring);
}

static double view_refused(void *context)
{
	struct ring_view *v = context;
	return (double)atomic_load_explicit(&v->ring->refused, memory_order_relaxed);
}

int run_show_ring(struct run *run, size_t index, const char *name)
{
	static const char *const readers[RING_READERS] = {"judge", "recorder"};
	char labels[128];
	int r = 0;
	for (int who = 0; who < RING_READERS && r == 0; who++) {
		struct ring_view *v = &run->views[index][who];
		*v = (struct ring_view){&run->rings.at[index], (enum ring_reader)who};
		snprintf(labels, sizeof labels, "ring=\"%s\",reader=\"%s\"", name, readers[who]);
		r = metrics_gauge_read(run->metrics, "ducha_ring_used",
				       "Slots that a reader has not passed", labels, view_used, v);
	}
	snprintf(labels, sizeof labels, "ring=\"%s\"", name);
	if (r == 0)
		r = metrics_gauge_read(run->metrics, "ducha_ring_slots", "Slots of a ring", labels,
				       view_slots, &run->views[index][0]);
	if (r == 0)
		r = metrics_counter_read(run->metrics, "ducha_ring_full_total",
					 "Readings refused because a ring was full", labels,
					 view_refused, &run->views[index][0]);
	return r;
}

static int show_cases(struct run *run)
{
	char labels[96];
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		for (int severity = 0; severity < SEVERITIES; severity++) {
			snprintf(labels, sizeof labels, "kind=\"%s\",severity=\"%s\"",
				 alert_kind_name((enum alert_kind)kind),
				 severity_name((enum severity)severity));
			run->opened[kind][severity] =
				metrics_counter(run->metrics, "ducha_cases_opened_total",
						"Cases registered by the daemon", labels);
			if (run->opened[kind][severity] == NULL)
				return -ENOMEM;
		}
	return 0;
}

/* --- birth --- */

int run_failed(const char *what, int result)
{
	errno = result < 0 ? -result : EIO;
	log_warn("%s", what);
	return result < 0 ? result : -EIO;
}

/* One descriptor for each instrument, and some for files and clients. */
int run_has_descriptors(const struct assembly *assembly)
{
	struct rlimit limit;
	rlim_t wanted = (assembly->n_modbus + assembly->n_buses) * 2 + 256;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -errno;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted)
		return 0;
	log_warnx("%zu instruments need %llu descriptors, the limit is %llu; raise LimitNOFILE",
		  assembly->n_modbus, (unsigned long long)wanted,
		  (unsigned long long)limit.rlim_max);
	return -EMFILE;
}

static int raise_descriptors(const struct run *run)
{
	struct rlimit limit;
	int r = run_has_descriptors(run->assembly);
	if (r < 0)
		return r;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) != 0 ? -errno : 0;
}

/* What the first configuration says for good. */
static int keep_texts(struct run *run)
{
	const struct config *c = run->config;
	run->directory = strdup(c->directory);
	run->socket = c->socket == NULL ? NULL : strdup(c->socket);
	run->listen = c->listen == NULL ? NULL : strdup(c->listen);
	return run->directory == NULL || (c->socket != NULL && run->socket == NULL) ||
			       (c->listen != NULL && run->listen == NULL)
		       ? -ENOMEM
		       : 0;
}

static int open_store(struct run *run)
{
	int r = daybook_open(&run->daybook, run->directory, run->plan);
	if (r != 0)
		return run_failed(run->directory, r);
	daybook_limit(run->daybook, keeper_file_bytes(run->config->max_bytes));
	r = ledger_open(&run->ledger, run->directory, run->plan);
	if (r != 0)
		return run_failed(run->directory, r);
	return ledger_listen(run->ledger, wake_courier, run);
}

static int open_seals(struct run *run)
{
	struct evidence_setup setup = {
		.directory = run->directory,
		.plan = run->plan,
		.daybook = run->daybook,
		.ledger = run->ledger,
		.unrecorded = unrecorded,
		.fatal = fatal,
		.context = run,
	};
	int r = evidence_new(&run->evidence, &setup);
	return r != 0 ? run_failed("the seals cannot be opened", r) : 0;
}

size_t run_slots(const struct assembly *assembly)
{
	size_t wanted = assembly->polled_per_minute * RINGS_SECONDS / 60, slots = 8192;
	while (slots < wanted)
		slots *= 2;
	return slots;
}

static int open_rings(struct run *run)
{
	size_t n = RINGS + run->assembly->n_buses + run->n_fields - 1;
	int r = rings_init(&run->rings, n, run_slots(run->assembly));
	run->views = calloc(RINGS_MAX, sizeof *run->views);
	if (r == 0 && run->views == NULL)
		r = -ENOMEM;
	return r == 0 ? run_show_ring(run, RING_PUSHED, "mqtt") : r;
}

int run_door(struct run *run, const struct plan *plan, size_t ring, struct door **out)
{
	bool pushed = ring == RING_PUSHED;
	return door_new(out, &(struct door_setup){.plan = plan,
						  .rings = &run->rings,
						  .ring = ring,
						  .driver = pushed ? "mqtt" : "modbus",
						  .remembered = pushed ? REMEMBERED : 1,
						  .metrics = run->metrics});
}

static int open_field(struct run *run, size_t i)
{
	struct field *field = &run->fields[i];
	if (i == 0)
		snprintf(field->name, sizeof field->name, "field");
	else
		snprintf(field->name, sizeof field->name, "field-%zu", i + 1);
	field->ring = i == 0 ? RING_FIELD : RINGS + run->assembly->n_buses + i - 1;
	int r = loop_new(&field->loop);
	if (r == 0)
		r = run_show_ring(run, field->ring, field->name);
	return r == 0 ? run_door(run, run->plan, field->ring, &field->door) : r;
}

static int open_bus(struct run *run, size_t i)
{
	struct bus *bus = &run->buses[i];
	snprintf(bus->name, sizeof bus->name, "serial-%s", run->assembly->buses[i].id);
	bus->ring = RINGS + i;
	int r = run_show_ring(run, bus->ring, bus->name);
	return r == 0 ? run_door(run, run->plan, bus->ring, &bus->door) : r;
}

static int open_doors(struct run *run)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->n_fields; i++)
		r = open_field(run, i);
	for (; r == 0 && run->n_buses < run->assembly->n_buses; run->n_buses++)
		r = open_bus(run, run->n_buses);
	return r == 0 ? run_door(run, run->plan, RING_PUSHED, &run->pushed) : r;
}

/* No more loops than connections: one without any only ticks. */
static size_t count_fields(const struct run *run)
{
	size_t n = (size_t)run->config->threads, most = run->assembly->n_modbus;
	return n > 1 && n > most ? (most > 0 ? most : 1) : n;
}

static int open_flow(struct run *run)
{
	run->n_fields = count_fields(run);
	run->fields = calloc(run->n_fields, sizeof *run->fields);
	run->buses = calloc(CONFIG_MOST_BUSES, sizeof *run->buses);
	int r = run->buses == NULL || run->fields == NULL ? -ENOMEM : open_rings(run);
	if (r == 0)
		r = verdicts_init(&run->verdicts);
	if (r == 0)
		r = show_cases(run);
	return r == 0 ? open_doors(run) : r;
}

int run_judge(struct run *run, const struct plan *plan, struct judge **out)
{
	return judge_new(out, &(struct judge_setup){
				      .plan = plan,
				      .rings = &run->rings,
				      .verdicts = &run->verdicts,
				      .boot = daybook_boot(run->daybook),
				      .recorded = recorded,
				      .fault = own_fault,
				      .replaced = replaced,
				      .context = run,
				      .heartbeat = &run->beats[BEAT_JUDGE].count,
			      });
}

int run_recorder(struct run *run, const struct config *config, const struct plan *plan,
		 struct recorder **out)
{
	return recorder_new(out, &(struct recorder_setup){
					 .rings = &run->rings,
					 .flush_ms = config->flush_ms,
					 .n_monitors = plan->n_monitors,
					 .append = record_append,
					 .append_gap = record_gap,
					 .commit = record_commit,
					 .committed = record_committed,
					 .fatal = fatal,
					 .context = run,
					 .metrics = run->metrics,
					 .heartbeat = &run->beats[BEAT_RECORDER].count,
				 });
}

/* It is read before the couriers run; see load_chinese(). */
static const struct wording *mail_words(const struct run *run)
{
	const char *language = getenv("LANGUAGE"); /* as main() has set it */
	return language != NULL && strncmp(language, "zh", 2) == 0 ? &run->chinese : NULL;
}

static int make_courier(struct run *run)
{
	return courier_new(&run->courier, &(struct courier_setup){
						  .deliveries = run->assembly->deliveries,
						  .n_deliveries = run->assembly->n_deliveries,
						  .plan = run->plan,
						  .translate = translate,
						  .directory = run->directory,
						  .words = mail_words(run),
						  .ledger = run->ledger,
						  .metrics = run->metrics,
						  .heartbeat = &run->beats[BEAT_COURIER].count,
					  });
}

static int make_threads(struct run *run)
{
	int r = run_judge(run, run->plan, &run->judge);
	if (r == 0)
		r = run_recorder(run, run->config, run->plan, &run->recorder);
	if (r == 0)
		r = clerk_new(&run->clerk, &(struct clerk_setup){
						   .verdicts = &run->verdicts,
						   .commit = commit_verdicts,
						   .keep = keep_snapshot,
						   .announce = announce,
						   .fatal = fatal,
						   .context = run,
						   .metrics = run->metrics,
						   .heartbeat = &run->beats[BEAT_CLERK].count,
					   });
	return r == 0 ? make_courier(run) : r;
}

static int make_shares(struct run *run)
{
	return shares_new(&run->shares, &(struct shares_setup){.shares = run->assembly->shares,
							       .n_shares = run->assembly->n_shares,
							       .directory = run->directory,
							       .plan = run->plan,
							       .daybook = run->daybook,
							       .ledger = run->ledger,
							       .metrics = run->metrics});
}

static int make_exporter(struct run *run)
{
	const struct config *c = run->config;
	if (c->influx.url == NULL)
		return 0;
	struct exporter_setup setup = {
		.influx = {.url = c->influx.url,
			   .api = influx_api(c->influx.api),
			   .database = c->influx.database,
			   .org = c->influx.org,
			   .bucket = c->influx.bucket,
			   .username = c->influx.username,
			   .password = c->influx.password,
			   .token = c->influx.token,
			   .gzip = c->influx.gzip},
		.batch_lines = (size_t)c->influx.batch_lines,
		.flush_ms = c->influx.flush_ms,
		.directory = run->directory,
		.plan = run->plan,
		.daybook = run->daybook,
		.ledger = run->ledger,
		.metrics = run->metrics,
		.heartbeat = &run->beats[BEAT_EXPORTER].count,
	};
	return exporter_new(&run->exporter, &setup);
}

int run_keeper(struct run *run, const struct config *c, const struct plan *plan,
	       struct keeper **out)
{
	struct keeper_setup setup = {
		.directory = run->directory,
		.plan = plan,
		.ledger = run->ledger,
		.exports = c->influx.url != NULL,
		.keep_days = c->keep_raw,
		.max_bytes = c->max_bytes,
		.metrics = run->metrics,
		.fatal = fatal,
		.context = run,
	};
	return keeper_new(out, &setup);
}

static int make_keeper(struct run *run)
{
	return run_keeper(run, run->config, run->plan, &run->keeper);
}

int run_courier(struct run *run)
{
	int r = make_courier(run);
	if (r == 0)
		r = courier_start(run->courier);
	if (r < 0)
		run->courier = courier_free(run->courier);
	else
		run_alive(&run->beats[BEAT_COURIER]);
	return r;
}

int run_shares(struct run *run)
{
	int r = make_shares(run);
	if (r == 0)
		r = shares_start(run->shares);
	if (r < 0)
		run->shares = shares_free(run->shares);
	return r;
}

int run_exporter(struct run *run)
{
	int r = make_exporter(run);
	if (r == 0 && run->exporter != NULL)
		r = exporter_start(run->exporter);
	if (r < 0)
		run->exporter = exporter_free(run->exporter);
	else if (run->exporter != NULL)
		run_alive(&run->beats[BEAT_EXPORTER]);
	return r;
}

static int make_tallier(struct run *run)
{
	int r = tallier_new(&run->tallier,
			    &(struct tallier_setup){
				    .directory = run->directory,
				    .plan = run->plan,
				    .ledger = run->ledger,
				    .newest = daybook_sequence(run->daybook),
				    .keep_ms = run->config->keep_mean * INT64_C(86400000),
				    .commit = commit_load,
				    .fatal = fatal,
				    .context = run,
				    .heartbeat = &run->beats[BEAT_TALLIER].count,
			    });
	return r == 0 ? 0 : run_failed("tally.db", r);
}

int run_tallier(struct run *run)
{
	int r = make_tallier(run);
	if (r == 0)
		r = tallier_start(run->tallier);
	if (r < 0)
		run->tallier = tallier_free(run->tallier);
	else
		run_alive(&run->beats[BEAT_TALLIER]);
	return r;
}

static void marked(void *context)
{
	revise_wake(((struct run *)context)->revise);
}

int run_revise(struct run *run, const struct plan *plan, struct judge *judge, struct revise **out)
{
	return revise_new(out, &(struct revise_setup){
				       .plan = plan,
				       .directory = run->directory,
				       .ledger = run->ledger,
				       .judge = judge,
				       .rings = &run->rings,
				       .fatal = fatal,
				       .context = run,
			       });
}

static int make_revise(struct run *run)
{
	return run_revise(run, run->plan, run->judge, &run->revise);
}

static int take_up(struct run *run)
{
	struct restore_setup setup = {
		.plan = run->plan,
		.directory = run->directory,
		.ledger = run->ledger,
		.judge = run->judge,
		.verdicts = &run->verdicts,
		.pushed = run->assembly->n_mqtt > 0 ? run->pushed : NULL,
		.revise = run->revise,
	};
	int r = restore(&setup);
	return r < 0 ? run_failed("the state of the last run cannot be taken up", r) : 0;
}

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

static int write_evidence(void *context, int64_t id, const struct text *dossier, struct text *out)
{
	struct run *run = context;
	const struct evidence_tar setup = {.directory = run->directory,
					   .node = run->plan->node,
					   .plan = run->plan,
					   .ledger = run->ledger,
					   .config = run->config_text.at,
					   .now_ms = clock_wall_ms()};
	return evidence_tar_write(&setup, id, dossier, out);
}

/* As it is now: the file may be another by the time that somebody asks. */
void run_keep_configuration(struct run *run)
{
	char block[4096];
	size_t n;
	FILE *file = fopen(run->file, "re");
	text_clear(&run->config_text);
	while (file != NULL && (n = fread(block, 1, sizeof block, file)) > 0)
		text_add_n(&run->config_text, block, n);
	if (file != NULL)
		fclose(file);
}

static int open_serve(struct run *run)
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
		.deliveries_json = deliveries_json,
		.deliveries_test = deliveries_test,
		.marked = marked,
		.reload = reload_ask,
		.context = run,
		.chinese = load_chinese(run),
		.language = getenv("LANGUAGE"), /* as main() has set it */
	};
	run_keep_configuration(run);
	int r = serve_new(&run->serve, &setup, &error);
	if (r < 0)
		log_warnx("%s", error == NULL ? "the API cannot be served" : error);
	free(error);
	return r;
}

void run_alive(struct beat *beat)
{
	beat->runs = true;
	atomic_store(&beat->moved_ns, clock_mono_ns());
}

static int start_threads(struct run *run)
{
	int r = evidence_start(run->evidence);
	if (r == 0 && (r = clerk_start(run->clerk)) == 0)
		run->clerk_runs = true;
	if (r == 0 && (r = recorder_start(run->recorder)) == 0)
		run->recorder_runs = true;
	if (r == 0 && (r = judge_start(run->judge)) == 0)
		run->judge_runs = true;
	if (r == 0)
		r = revise_start(run->revise);
	if (r == 0)
		r = courier_start(run->courier);
	if (r == 0)
		r = shares_start(run->shares);
	if (r == 0 && run->exporter != NULL)
		r = exporter_start(run->exporter);
	if (r == 0)
		r = tallier_start(run->tallier);
	if (r == 0)
		r = keeper_start(run->keeper);
	for (int i = BEAT_JUDGE; r == 0 && i < BEATS; i++)
		if (i != BEAT_EXPORTER || run->exporter != NULL)
			run_alive(&run->beats[i]);
	return r;
}

static void *loop_main(void *context)
{
	struct field *field = context;
	int r = loop_run(field->loop, &field->beat.count);
	if (r < 0)
		run_failed("the event loop ended", r);
	return NULL;
}

/* Where the share of loop @i ends. Those that are dialled into come first, and stay in one loop,
 * since some share a listener. */
static size_t share_until(const struct run *run, const struct assembly *a, size_t i)
{
	size_t until = a->n_modbus * (i + 1) / run->n_fields;
	return until > a->n_listening ? until : a->n_listening;
}

static size_t field_by_spread(const struct run *run, const struct assembly *a, size_t connection)
{
	size_t i = 0;
	while (connection >= share_until(run, a, i))
		i++;
	return i;
}

static bool is_of_field(const struct field *field, const char *id)
{
	for (size_t i = 0; i < field->n_connections; i++)
		if (strcmp(field->connections[i].id, id) == 0)
			return true;
	return false;
}

/* Where it is already, else where there are fewest. */
static size_t field_by_use(const struct run *run, const struct assembly *a, size_t connection,
			   const size_t *n)
{
	size_t fewest = 0;
	if (connection < a->n_listening)
		return 0;
	for (size_t i = 0; i < run->n_fields; i++) {
		if (is_of_field(&run->fields[i], a->modbus[connection].id))
			return i;
		if (n[i] < n[fewest])
			fewest = i;
	}
	return fewest;
}

int run_share(const struct run *run, const struct assembly *a, bool before,
	      struct modbus_connection **shares, size_t *n)
{
	for (size_t i = 0; i < run->n_fields; i++) {
		n[i] = 0;
		shares[i] = calloc(a->n_modbus + 1, sizeof *shares[i]);
		if (shares[i] == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < a->n_modbus; i++) {
		size_t field = before ? field_by_use(run, a, i, n) : field_by_spread(run, a, i);
		shares[field][n[field]++] = a->modbus[i];
	}
	return 0;
}

static int share_out(struct run *run)
{
	struct modbus_connection *shares[CONFIG_MOST_THREADS] = {NULL};
	size_t n[CONFIG_MOST_THREADS];
	int r = run_share(run, run->assembly, false, shares, n);
	for (size_t i = 0; i < run->n_fields; i++) {
		run->fields[i].connections = shares[i];
		run->fields[i].n_connections = n[i];
	}
	return r;
}

/* All series are registered before any of these threads runs. */
static int start_fields(struct run *run)
{
	int r = share_out(run);
	for (size_t i = 0; r == 0 && i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		struct driver_host host = {
			.door = field->door, .loop = field->loop, .metrics = run->metrics};
		r = modbus_driver.start(&host, field->connections, field->n_connections,
					&field->driver);
	}
	for (size_t i = 0; r == 0 && i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		r = -pthread_create(&field->thread, NULL, loop_main, field);
		if (r == 0)
			run_alive(&field->beat);
	}
	return r;
}

static int start_buses(struct run *run)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->assembly->n_buses; i++) {
		struct bus *bus = &run->buses[i];
		struct driver_host host = {
			.door = bus->door, .metrics = run->metrics, .heartbeat = &bus->beat.count};
		r = modbus_rtu_driver.start(&host, &run->assembly->buses[i], 1, &bus->driver);
		if (r == 0)
			run_alive(&bus->beat);
	}
	return r;
}

static int start_drivers(struct run *run)
{
	const struct assembly *a = run->assembly;
	struct driver_host pushed = {.door = run->pushed, .metrics = run->metrics};
	int r = start_fields(run);
	if (r == 0)
		r = start_buses(run);
	if (r == 0 && a->n_mqtt > 0)
		r = mqtt_driver.start(&pushed, a->mqtt, a->n_mqtt, &run->mqtt);
	return r < 0 ? run_failed("the drivers cannot be started", r) : 0;
}

static int open_signals(struct run *run)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return run->signal_fd < 0 ? -errno : reload_desk_init(&run->desk);
}

static int begin(struct run *run)
{
	int (*const steps[])(struct run * run) = {
		keep_texts,   open_signals, open_store,    open_seals,   open_flow,
		make_threads, make_shares,  make_exporter, make_keeper,  make_revise,
		take_up,      make_tallier, open_serve,    start_threads, start_drivers};
	int r = raise_descriptors(run);
	if (r == 0)
		r = metrics_new(&run->metrics);
	for (size_t i = 0; i < sizeof steps / sizeof *steps && r == 0; i++)
		r = steps[i](run);
	return r;
}

/* --- life --- */

static bool beat_moves(struct beat *beat, int64_t now_ns)
{
	uint64_t count = atomic_load_explicit(&beat->count, memory_order_relaxed);
	if (count != beat->seen)
		atomic_store(&beat->moved_ns, now_ns);
	beat->seen = count;
	return !beat_is_stuck(beat, now_ns);
}

static void feel_pulse(struct run *run)
{
	int64_t now_ns = clock_mono_ns();
	bool all = true;
	for (int i = 0; i < BEATS; i++)
		all &= beat_moves(&run->beats[i], now_ns);
	for (size_t i = 0; i < run->n_fields; i++)
		all &= beat_moves(&run->fields[i].beat, now_ns);
	for (size_t i = 0; i < run->n_buses; i++)
		all &= beat_moves(&run->buses[i].beat, now_ns);
	if (all)
		sd_notify(0, "WATCHDOG=1");
}

static void prune(struct run *run)
{
	int64_t now_ns = clock_mono_ns();
	if (now_ns - run->pruned_ns < 600 * (int64_t)1000000000)
		return;
	run->pruned_ns = now_ns;
	int r = ledger_prune(run->ledger, clock_wall_ms() - EVENTS_KEPT_MS);
	if (r > 0)
		fatal(run);
	else if (r < 0)
		run_failed("old events cannot be removed", r);
}

/* What has fallen due is said within a second; nothing is asked of the disk until then. */
static void tick(struct run *run)
{
	int64_t now_ms = clock_wall_ms();
	if (!steady_look(&run->steady, now_ms, clock_mono_ns() / 1000000) ||
	    now_ms < ledger_timer(run->ledger))
		return;
	int r = ledger_tick(run->ledger, now_ms);
	if (r > 0)
		fatal(run);
	else if (r < 0 && !run->tick_failed)
		run_failed("what has fallen due cannot be written; it is tried again", r);
	run->tick_failed = r < 0;
}

/* Return: true while the daemon is to live. */
static bool live(struct run *run)
{
	struct pollfd fds[] = {{.fd = run->signal_fd, .events = POLLIN},
			       {.fd = run->desk.wake_fd, .events = POLLIN}};
	struct signalfd_siginfo signal;
	if (poll(fds, 2, 1000) < 0 && errno != EINTR)
		log_warn("poll");
	feel_pulse(run);
	prune(run);
	tick(run);
	reload_settle(run);
	if (fds[1].revents != 0)
		reload(run);
	if (fds[0].revents == 0 || read(run->signal_fd, &signal, sizeof signal) != sizeof signal)
		return true;
	if (signal.ssi_signo == SIGHUP) {
		reload(run);
		return true;
	}
	log_info("ending on signal %u", signal.ssi_signo);
	return false;
}

/* --- death: producers first, then each reader empties what the one before it left --- */

static void end_fields(struct run *run)
{
	for (size_t i = 0; i < run->n_fields; i++)
		if (run->fields[i].beat.runs)
			loop_stop(run->fields[i].loop);
	for (size_t i = 0; i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		if (field->beat.runs)
			pthread_join(field->thread, NULL);
		if (field->driver != NULL)
			modbus_driver.stop(field->driver);
	}
}

static void end_threads(struct run *run)
{
	revise_stop(run->revise); /* it asks judge and recorder, which must live */
	if (run->keeper != NULL)
		keeper_stop(run->keeper);
	end_fields(run);
	for (size_t i = 0; i < run->n_buses; i++)
		if (run->buses[i].driver != NULL)
			modbus_rtu_driver.stop(run->buses[i].driver);
	if (run->mqtt != NULL)
		mqtt_driver.stop(run->mqtt);
	if (run->recorder_runs)
		recorder_stop(run->recorder);
	if (run->clerk_runs)
		clerk_hurry(run->clerk);
	if (run->judge_runs)
		judge_stop(run->judge);
	else
		verdicts_close(&run->verdicts);
	if (run->clerk_runs)
		clerk_join(run->clerk);
	if (run->courier != NULL)
		courier_stop(run->courier);
	shares_stop(run->shares);
	if (run->exporter != NULL)
		exporter_stop(run->exporter);
	if (run->tallier != NULL)
		tallier_stop(run->tallier);
}

static void end(struct run *run)
{
	sd_notify(0, "STOPPING=1");
	if (run->rings.n > 0)
		end_threads(run);
	reload_desk_close(&run->desk);
	serve_free(run->serve);
	if (run->evidence != NULL)
		evidence_stop(run->evidence);
	wording_deinit(&run->chinese);
	exporter_free(run->exporter);
	tallier_free(run->tallier);
	keeper_free(run->keeper);
	courier_free(run->courier);
	shares_free(run->shares);
	clerk_free(run->clerk);
	recorder_free(run->recorder);
	judge_free(run->judge);
	revise_free(run->revise);
	for (size_t i = 0; run->fields != NULL && i < run->n_fields; i++) {
		loop_free(run->fields[i].loop);
		door_free(run->fields[i].door);
		free(run->fields[i].connections);
	}
	door_free(run->pushed);
	for (size_t i = 0; run->buses != NULL && i < run->n_buses; i++)
		door_free(run->buses[i].door);
	if (run->rings.n > 0) {
		verdicts_deinit(&run->verdicts);
		rings_deinit(&run->rings);
	}
	evidence_free(run->evidence);
	text_deinit(&run->config_text);
	ledger_close(run->ledger);
	daybook_close(run->daybook);
	metrics_free(run->metrics);
	free(run->views);
	free(run->fields);
	free(run->buses);
	free(run->left.at);
	free(run->directory);
	free(run->socket);
	free(run->listen);
	reload_desk_deinit(&run->desk);
	close(run->signal_fd);
}

int run(struct config **config, struct assembly **assembly, const char *file)
{
	static struct run
		life; /* one daemon a process; threads of libraries may outlive this frame */
	struct run *run = &life;
	int code = 1;
	*run = (struct run){.config = *config,
			    .assembly = *assembly,
			    .plan = &(*assembly)->plan,
			    .file = file,
			    .signal_fd = -1,
			    .desk = {.wake_fd = -1}};
	curl_global_init(CURL_GLOBAL_DEFAULT); /* OpenSSL is begun here, before Paho looks for it */
	if (begin(run) == 0) {
		log_info("%s: %zu sites, %zu monitors, %zu connections in service", run->plan->node,
			 run->plan->n_sites, run->plan->n_monitors, run->plan->n_connections);
		(void)malloc_trim(0); /* what taking up the last state took */
		sd_notify(0, "READY=1");
		while (live(run))
			continue;
		code = 0;
	}
	end(run);
	*config = run->config;
	*assembly = run->assembly;
	curl_global_cleanup();
	return code;
}
