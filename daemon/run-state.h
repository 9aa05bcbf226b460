/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The daemon's life as run.c makes it and reload.c changes it: all of it belongs to the main
 * thread. Its parts: run-flow.c (the way of a reading), run-fields.c (the threads at the
 * instruments), run-senders.c (who works behind a cursor), run-serve.c (what the API is told),
 * run-clock.c (what falls due).
 */
#include "base/pulse.h"
#include "config-text.h"
#include "core/steady.h"
#include "deliver/exporter.h"
#include "deliver/share.h"
#include "deliver/tallier.h"
#include "evidence.h"
#include "flow/clerk.h"
#include "flow/door-keeper.h"
#include "flow/judge.h"
#include "flow/loop.h"
#include "flow/recorder.h"
#include "keeper.h"
#include "reload.h"
#include "restore.h"
#include "revise.h"
#include "run.h"
#include "serve/serve.h"
#include "timepiece.h"

/* Behind them one for each serial line, and for each event loop but the first. */
enum { RING_FIELD, RING_PUSHED, RING_LOGGERS, RINGS };
_Static_assert(RINGS + CONFIG_MOST_BUSES + CONFIG_MOST_THREADS - 1 <= RINGS_MAX,
	       "there is a ring for each serial line and each event loop");
enum { BEAT_JUDGE, BEAT_RECORDER, BEAT_CLERK, BEAT_COURIER, BEAT_EXPORTER, BEAT_TALLIER, BEATS };

struct beat {
	_Atomic uint64_t count;
	uint64_t seen; /* main thread */
	_Atomic int64_t moved_ns;
	_Atomic bool runs;
};

struct ring_view {
	struct ring *ring;
	enum ring_reader who;
};

/* A serial line: a thread, and thus a producer, of its own. */
struct bus {
	struct door *door;
	void *driver;
	struct beat beat;
	size_t ring;
	char name[80];
};

/* An event loop: a thread that polls its share of the connections over sockets. */
struct field {
	struct loop *loop;
	struct door *door;
	void *driver;
	pthread_t thread;
	struct beat beat; /* runs: so does the thread */
	size_t ring;
	struct modbus_connection *connections; /* its share of the assembly's */
	size_t n_connections;
	char name[32];
};

struct run {
	/* What is in force; a reload puts others in their place. */
	struct config *config;
	struct assembly *assembly;
	const struct plan *plan;
	const char *file;
	/* Texts of the first configuration that no reload changes. */
	char *directory, *socket, *listen;
	struct metrics *metrics;
	struct daybook *daybook;
	struct spare *spare;
	struct reading *spared; /* what was found in it; the recorder's, once it runs */
	size_t n_spared;
	struct ledger *ledger;
	struct evidence *evidence;
	struct config_text config_text; /* in force */
	struct rings rings;
	struct verdicts verdicts;
	struct door *pushed, *loggers;
	struct judge *judge;
	struct recorder *recorder;
	struct clerk *clerk;
	struct courier *courier;
	struct shares *shares;
	struct exporter *exporter;
	struct tallier *tallier;
	struct tallier_room hours; /* between it and the keeper */
	struct keeper *keeper;
	struct reserve reserve;
	struct serve *serve;
	struct wording chinese; /* of pages */
	struct revise *revise;
	void *mqtt, *hj212; /* the latter on the first event loop */
	struct field *fields;
	size_t n_fields;
	struct bus *buses; /* CONFIG_MOST_BUSES */
	size_t n_buses;    /* with a ring; those whose driver is NULL wait for another line */
	struct beat beats[BEATS];
	struct ring_view (*views)[RING_READERS]; /* by ring */
	struct metric *opened[ALERT_KINDS][SEVERITIES];
	int signal_fd;
	struct reload_desk desk;
	struct restore_alerts left; /* a reload took their conditions away: to be cleared */
	bool no_courier, no_shares, no_exporter, no_tallier; /* could not be begun: tried again */
	int64_t pruned_ns, looked_ns;
	char status[96]; /* as last said */
	struct timepiece timepiece;
	struct steady steady;
	bool tick_failed;
	struct pulse_patience patience; /* since the start */
	bool judge_runs, recorder_runs, clerk_runs;
};

/* --- run.c --- */

/** run_failed() - say what failed. Return: a negative errno in any case */
int run_failed(const char *what, int result);
/* --- run-spare.c --- */

/** run_open_spare() - and record what was acknowledged and not recorded by an earlier life. Return:
 * 0, or that the store cannot be used */
int run_open_spare(struct run *run);
void run_close_spare(struct run *run);
/** run_append_spared() - to the open transaction, what could not be written at the start; then
 * run_spared_written() after each commit (recorder) */
int run_append_spared(struct run *run);
void run_spared_written(struct run *run);
/** run_change_spared() - those that still wait belong to the next plan now (recorder standing) */
void run_change_spared(struct run *run, const struct plan_change *change);
/** run_keep_spare() - for doors (flow/door-keeper.h) */
bool run_keep_spare(void *context, const struct plan *plan, const struct reading *readings,
		    size_t n, int timeout_ms);

/** run_fatal() - an fsync failed: ends the process (any thread; @context: the run, as in all that
 * follows) */
_Noreturn void run_fatal(void *context);
/** run_tell() - tell the service manager, for whom a moment is waited if he reads nothing (main
 * thread) */
void run_tell(const char *message);
/** run_has_descriptors() - Return: 0; -EMFILE, said, where so many instruments need more */
int run_has_descriptors(const struct assembly *assembly);

/* --- run-flow.c: rings, doors, judge, recorder, clerk; those that take a plan, made for that one,
 * not started. Return: 0, negative errno. --- */

int run_open_flow(struct run *run);
int run_make_flow(struct run *run);
/** run_slots() - slots of a ring: at least ten seconds at the configured rate */
size_t run_slots(const struct assembly *assembly);
/** run_show_ring() - the metrics of ring @index */
int run_show_ring(struct run *run, size_t index, const char *name);
int run_judge(struct run *run, const struct config *config, const struct plan *plan,
	      struct judge **out);
int run_recorder(struct run *run, const struct config *config, const struct plan *plan,
		 struct recorder **out);
/** run_door() - a door into ring @ring */
int run_door(struct run *run, const struct plan *plan, size_t ring, struct door **out);
/** run_unrecorded() - is there anything of which the daemon knows that it is not recorded? */
bool run_unrecorded(void *context);
/** run_commit(), run_announce() - verdicts into the ledger; one of them to log and exporter */
int run_commit(void *context, const struct verdict *verdicts, size_t n, int64_t *opened);
void run_announce(void *context, const struct verdict *verdict, int64_t opened);
const char *run_translate(const char *english);

/* --- run-senders.c: made for run->config, or for the plan that is given, not started --- */

int run_make_courier(struct run *run);
int run_make_shares(struct run *run);
int run_make_exporter(struct run *run); /* none, where no database is configured */
int run_make_tallier(struct run *run);
int run_make_keeper(struct run *run);
int run_make_revise(struct run *run);
int run_keeper(struct run *run, const struct config *config, const struct plan *plan,
	       struct keeper **out);
int run_revise(struct run *run, const struct plan *plan, struct judge *judge, struct revise **out);
/** run_courier() and others - made and started. Return: 0, negative errno: there is none then. */
int run_courier(struct run *run);
int run_shares(struct run *run);
int run_exporter(struct run *run);
int run_tallier(struct run *run);
/** run_stop_senders() - ends them; what they owe stands behind their cursors */
void run_stop_senders(struct run *run);

/* --- run-clock.c --- */

/** run_open_clock() - how far the clock is believed (behind daybook and ledger) */
int run_open_clock(struct run *run);
/** run_tick() - what has fallen due is said; each second */
void run_tick(struct run *run);
/** run_age_ms() - the wall clock by which ages are counted (any thread) */
int64_t run_age_ms(void *context);
/** run_confirm_clock() - the wall clock is right, says who knows (any thread) */
void run_confirm_clock(void *context);

/* --- run-serve.c --- */

int run_open_serve(struct run *run);
/** run_be_patient() - how long threads may stand, by the interval of the watchdog (main thread) */
void run_be_patient(struct run *run);
/** run_alive() - a thread was started */
void run_alive(struct beat *beat);
/** run_beats_move() - have all threads moved lately? (main thread, each second) */
bool run_beats_move(struct run *run);

/* --- run-fields.c --- */

int run_start_drivers(struct run *run);
void run_end_fields(struct run *run);
/** run_share() - give the connections over sockets to the event loops
 * @shares: out: by field; each one's connections are to be freed
 * @before: a connection stays where it is, and new ones go where there are few; else all are spread
 */
int run_share(const struct run *run, const struct assembly *assembly, bool before,
	      struct modbus_connection **shares, size_t *n);
