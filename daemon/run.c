/* SPDX-License-Identifier: Apache-2.0 */
#include "run-state.h"

#include "base/log.h"
#include "base/notify.h"
#include "drivers/driver.h"
#include "flow/clock.h"
#include "status.h"
#include "store/ledger-instruments.h"

#include <curl/curl.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Events of more than a day are behind everybody. */
enum { EVENTS_KEPT_MS = 24 * 3600 * 1000 };
/* How long the service manager is waited for where it has to hear something, and reads nothing. */
enum { NOTIFY_MS = 2000 };

/* --- what ends it --- */

int run_failed(const char *what, int result)
{
	errno = result < 0 ? -result : EIO;
	log_warn("%s", what);
	return result < 0 ? result : -EIO;
}

/*
 * A failed fsync, in any thread: what is on disk is not known, so nothing more may be acknowledged
 * and nothing more may reach that disk. Whoever waits for a commit would give up waiting while
 * threads are ended in order.
 */
_Noreturn void run_fatal(void *context)
{
	(void)context;
	log_event(LOGGED_FSYNC, ABOUT_NOTHING,
		  "an fsync failed: what is on disk is uncertain, the daemon ends without "
		  "acknowledging and recovers at its next start");
	_exit(1);
}

void run_tell(const char *message)
{
	int r = notify_say(message, NOTIFY_MS);
	if (r < 0)
		log_warnx("the service manager is not told %s: %s", message, log_error_text(-r));
}

/* --- birth --- */

/* One descriptor for each instrument, and some for files and clients. */
int run_has_descriptors(const struct assembly *assembly)
{
	struct rlimit limit;
	rlim_t wanted = (assembly->n_modbus + assembly->n_buses) * 2 + 256 +
			(assembly->n_hj212 > 0 ? HJ212_SESSIONS_MOST : 0);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -errno;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted)
		return 0;
	log_event(LOGGED_DESCRIPTORS, ABOUT_NOTHING,
		  "%zu instruments%s need %llu descriptors, the limit is %llu; raise LimitNOFILE",
		  assembly->n_modbus, assembly->n_hj212 > 0 ? " and the data loggers" : "",
		  (unsigned long long)wanted, (unsigned long long)limit.rlim_max);
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

static void wake_courier(void *context)
{
	struct run *run = context;
	if (run->courier != NULL)
		courier_wake(run->courier);
}

/* A start takes some room of its own. */
static int open_store(struct run *run)
{
	reserve_open(&run->reserve, run->directory, run->config->max_bytes);
	reserve_start(&run->reserve);
	int r = daybook_open(&run->daybook, run->directory, run->plan);
	if (r != 0)
		return run_failed(run->directory, r);
	daybook_limit(run->daybook, keeper_file_bytes(run->config->max_bytes));
	r = run_open_spare(run);
	if (r != 0)
		return run_failed("spare", r);
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
		.anchor_ms = run->config->anchor_s * INT64_C(1000),
		.unrecorded = run_unrecorded,
		.fatal = run_fatal,
		.context = run,
	};
	int r = evidence_new(&run->evidence, &setup);
	return r != 0 ? run_failed("the seals cannot be opened", r) : 0;
}

/* The first that a life writes, behind the seal of its start. */
static int keep_instruments(struct run *run)
{
	int r = ledger_instruments(run->ledger, clock_wall_ms());
	return r != 0 ? run_failed(run->directory, r) : 0;
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
		.loggers = run->assembly->n_hj212 > 0 ? run->loggers : NULL,
		.revise = run->revise,
	};
	int r = restore(&setup);
	return r < 0 ? run_failed("the state of the last run cannot be taken up", r) : 0;
}

static int start_threads(struct run *run)
{
	int r = evidence_start(run->evidence);
	if (r == 0)
		r = keeper_start(run->keeper); /* on a full disk what may go goes first */
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
	for (int i = BEAT_JUDGE; r == 0 && i < BEATS; i++)
		if (i != BEAT_EXPORTER || run->exporter != NULL)
			run_alive(&run->beats[i]);
	return r;
}

static int open_signals(struct run *run)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return run->signal_fd < 0 ? -errno : reload_desk_init(&run->desk);
}

/* The reserve's last steps are for starts; this one has found none. */
static void say_full(const struct run *run)
{
	log_warnx(
		"not in service: the disk is full, and there is no room left for a start. Nothing "
		"that was recorded is lost. Free some megabytes on the disk of %s (what is not "
		"of the store, or its files *.corrupt-*, once they are copied), or make it larger, "
		"and start again",
		run->directory);
}

static int begin(struct run *run)
{
	int (*const steps[])(struct run * run) = {
		keep_texts,       open_signals,     open_store,        run_open_clock,
		open_seals,       keep_instruments, run_open_flow,     run_make_flow,
		run_make_courier, run_make_shares,  run_make_exporter, run_make_keeper,
		run_make_revise,  take_up,          run_make_tallier,  run_open_serve,
		start_threads,    run_start_drivers};
	int r = raise_descriptors(run);
	run_be_patient(run);
	if (r == 0)
		r = metrics_new(&run->metrics);
	for (size_t i = 0; i < sizeof steps / sizeof *steps && r == 0; i++)
		r = steps[i](run);
	if (r == -ENOSPC)
		say_full(run);
	else if (r != 0)
		log_warnx("not in service: %s", r < 0 ? strerror(-r) : "see above");
	return r;
}

/* --- life --- */

static void feel_pulse(struct run *run)
{
	if (run_beats_move(run))
		(void)notify_say("WATCHDOG=1", 0); /* the next is a second away */
}

static void prune(struct run *run)
{
	int64_t now_ns = clock_mono_ns();
	if (now_ns - run->pruned_ns < 600 * (int64_t)1000000000)
		return;
	run->pruned_ns = now_ns;
	int r = ledger_prune(run->ledger, clock_wall_ms() - EVENTS_KEPT_MS);
	if (r > 0)
		run_fatal(run);
	else if (r < 0)
		run_failed("old events cannot be removed", r);
}

/* Return: true while the daemon is to live. */
static bool obey_signal(struct run *run, uint32_t signal)
{
	switch (signal) {
	case SIGHUP:
		reload(run);
		return true;
	case SIGUSR1:
	case SIGUSR2:
		log_warnx("from now on the log says what is %s and above",
			  log_level_name(log_shift(signal == SIGUSR1 ? 1 : -1)));
		return true;
	default:
		log_event(LOGGED_ENDING, ABOUT_NOTHING, "ending on signal %u", signal);
		return false;
	}
}

static bool live(struct run *run)
{
	struct pollfd fds[] = {{.fd = run->signal_fd, .events = POLLIN},
			       {.fd = run->desk.wake_fd, .events = POLLIN}};
	struct signalfd_siginfo signal;
	if (poll(fds, 2, 1000) < 0 && errno != EINTR)
		log_warn("poll");
	feel_pulse(run);
	prune(run);
	run_tick(run);
	reload_settle(run);
	log_settle(false);
	status_say(run);
	if (fds[1].revents != 0)
		reload(run);
	if (fds[0].revents == 0 || read(run->signal_fd, &signal, sizeof signal) != sizeof signal)
		return true;
	return obey_signal(run, signal.ssi_signo);
}

/* --- death: producers first, then each reader empties what the one before it left --- */

static void end_threads(struct run *run)
{
	revise_stop(run->revise); /* it asks judge and recorder, which must live */
	if (run->keeper != NULL)
		keeper_stop(run->keeper);
	run_end_fields(run);
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
	if (run->judge_runs && run->recorder_runs)
		recorder_finish(run->recorder);
	if (run->clerk_runs)
		clerk_join(run->clerk);
	run_stop_senders(run);
}

static void end(struct run *run)
{
	run_tell("STOPPING=1");
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
	reserve_close(&run->reserve);
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
	door_free(run->loggers);
	for (size_t i = 0; run->buses != NULL && i < run->n_buses; i++)
		door_free(run->buses[i].door);
	if (run->rings.n > 0) {
		verdicts_deinit(&run->verdicts);
		rings_deinit(&run->rings);
	}
	evidence_free(run->evidence);
	config_text_deinit(&run->config_text);
	ledger_close(run->ledger);
	run_close_spare(run);
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

/* OpenSSL is begun here, before Paho looks for it. */
static int libraries_begin(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	if (code == CURLE_OK)
		return 0;
	log_warnx("libcurl and OpenSSL cannot begin: %s; is there memory?",
		  curl_easy_strerror(code));
	return -ENOMEM;
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
			    .hours = {.from_ms = INT64_MAX},
			    .reserve = {.fd = -1},
			    .desk = {.wake_fd = -1}};
	config_text_init(&run->config_text);
	if (libraries_begin() == 0 && begin(run) == 0) {
		log_event(LOGGED_READY, ABOUT_NOTHING,
			  "%s: %zu sites, %zu monitors, %zu connections in service",
			  run->plan->node, run->plan->n_sites, run->plan->n_monitors,
			  run->plan->n_connections);
		(void)malloc_trim(0); /* what taking up the last state took */
		run_tell("READY=1");
		while (live(run))
			continue;
		code = 0;
	}
	end(run);
	*config = run->config;
	*assembly = run->assembly;
	log_settle(true);
	curl_global_cleanup();
	return code;
}
