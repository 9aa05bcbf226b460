/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/play.h"

#include "base/log.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { ROWS_A_TURN = 200, MAX_WAIT_MS = 60000 };
enum { FD_SERVERS, FD_SIGNALS, FD_BELL, FIXED }; /* in fds */
static const int64_t NEVER = INT64_MAX;

struct play {
	const struct play_options *options;
	struct play_piece piece;
	struct responder *responder;
	struct publisher *publisher;
	int signals;
	int64_t born_ms, began_ms; /* monotonic; began 0: time has not begun */
	bool is_held, is_ready, is_stopped, is_over, was_connected;
	int64_t *due_ms;         /* of each publisher of the scenario */
	struct logger **loggers; /* of the scenario */
	size_t n_loggers;
	struct zone_change offset;
	struct zone zone;
	struct pollfd *fds; /* FIXED, then one for each logger */
	size_t row;         /* next of the recording */
	uint64_t dropped;
	struct log_repeat said_dropped;
	FILE *ready; /* the ready file while it is written */
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t play_time_ms(const struct play *p)
{
	return p->began_ms == 0 ? 0 : clock_ms(CLOCK_MONOTONIC) - p->began_ms;
}

/* Says one line about what is there, to people and into the ready file. */
static void play_tell(struct play *p, const char *format, ...) LOG_FORMAT(2);
static void play_tell(struct play *p, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	if (p->ready == NULL)
		return;
	va_start(arguments, format);
	vfprintf(p->ready, format, arguments);
	va_end(arguments);
}

static int bank_source_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address,
			    unsigned count, int64_t time_ms, uint16_t *words)
{
	return bank_read(context, unit_id, (enum bank_table)function, address, count, time_ms,
			 words);
}

static int play_listen(struct play *p, const char *name, uint16_t port,
		       struct responder_source source)
{
	const char *address = p->options->listen;
	int error = responder_listen(p->responder, address, &port, source);
	if (error != 0) {
		errno = -error;
		log_warn("%s: cannot listen on %s:%u", name, address, port);
		return error;
	}
	play_tell(p, "modbus %s %s %u\n", name, address, port);
	return 0;
}

static int play_listen_scenario(struct play *p)
{
	struct scenario *s = p->piece.scenario;
	int error = 0;
	for (size_t i = 0; error == 0 && i < s->n_servers; i++) {
		struct scenario_server *server = &s->servers[i];
		uint16_t port =
			p->options->port != 0 ? (uint16_t)(p->options->port + i) : server->port;
		error = play_listen(
			p, server->id, port,
			(struct responder_source){bank_source_read, &server->bank,
						  server->faults.n > 0 ? &server->faults : NULL});
	}
	return error;
}

static int play_listen_replay(struct play *p)
{
	struct replay *r = p->piece.replay;
	int error = play_listen(p, "replay", p->options->port,
				(struct responder_source){.read = replay_read, .context = r});
	for (size_t i = 0; error == 0 && i < r->n_series; i++)
		play_tell(p, "series %s %s unit %u address %u topic %s\n", r->series[i].site,
			  r->series[i].factor, r->series[i].unit_id, r->series[i].address,
			  r->series[i].topic);
	return error;
}

static int play_open_loggers(struct play *p)
{
	const char *centre = p->options->centre;
	size_t n = p->piece.scenario != NULL ? p->piece.scenario->n_loggers : 0;
	int error = 0;
	for (; error == 0 && p->n_loggers < n; p->n_loggers += error == 0) {
		const struct logger_setup *setup = &p->piece.scenario->loggers[p->n_loggers];
		error = logger_new(&p->loggers[p->n_loggers], setup, centre, &p->zone);
		if (error == 0)
			play_tell(p, "logger %s %s %s\n", setup->id, setup->sender.mn, centre);
	}
	if (error == -EINVAL)
		log_warnx("%s: not an address where loggers could dial in: 127.0.0.1:9002 is one",
			  centre);
	return error;
}

static int play_open(struct play *p)
{
	int error;
	if (p->piece.scenario != NULL)
		error = play_listen_scenario(p);
	else if (p->piece.replay != NULL)
		error = play_listen_replay(p);
	else
		error = play_listen(
			p, "fleet", p->options->port,
			(struct responder_source){.read = fleet_read, .context = p->piece.fleet});
	if (error == 0)
		error = play_open_loggers(p);
	if (error != 0 || p->options->broker == NULL)
		return error;
	error = publisher_new(&p->publisher, p->options->broker, p->options->client_id);
	if (error != 0)
		log_warnx("%s: not a broker that can be used: mqtt://host:port is expected",
			  p->options->broker);
	else
		play_tell(p, "mqtt %s\n", p->options->broker);
	return error;
}

/* The ready file appears whole, under its name, when all is up. */
static int play_write_ready(struct play *p, char *text)
{
	char name[4096];
	const char *file = p->options->ready_file;
	int n = snprintf(name, sizeof name, "%s.new", file);
	FILE *out = n < (int)sizeof name ? fopen(name, "we") : NULL;
	if (out == NULL) {
		log_warn("%s: cannot write it", file);
		return -errno;
	}
	bool is_good = fputs(text, out) >= 0;
	is_good = fclose(out) == 0 && is_good;
	if (!is_good || rename(name, file) < 0) {
		log_warn("%s: cannot write it", file);
		unlink(name);
		return -EIO;
	}
	return 0;
}

static void play_begin(struct play *p)
{
	if (p->began_ms != 0 || p->is_held || !p->is_ready)
		return;
	p->began_ms = clock_ms(CLOCK_MONOTONIC);
	printf("begun\n");
	fflush(stdout);
}

/* Ready is: all listeners are open and the broker has taken the connection. */
static int play_check_ready(struct play *p, char *told)
{
	if (p->is_ready || (p->publisher != NULL && !publisher_is_connected(p->publisher)))
		return 0;
	int error = p->options->ready_file != NULL ? play_write_ready(p, told) : 0;
	p->is_ready = error == 0;
	printf(p->is_held ? "ready, held until SIGUSR1\n" : "ready\n");
	fflush(stdout);
	play_begin(p);
	return error;
}

static void play_publish(struct play *p, const struct scenario_publisher *publisher, int64_t due_ms)
{
	char *text = NULL;
	const struct message *m = &publisher->message;
	int result = message_text(m, due_ms, clock_ms(CLOCK_REALTIME), &text);
	if (result == MESSAGE_READY &&
	    publisher_send(p->publisher, m->topic, text, publisher->qos) != 0) {
		p->dropped++;
		if (log_due(&p->said_dropped))
			log_warnx("%llu messages not sent: the broker is away or slow",
				  (unsigned long long)p->dropped);
	}
	free(text);
}

/* Return: when something is to be done next. */
static int64_t play_step_scenario(struct play *p, int64_t now_ms)
{
	const struct scenario *s = p->piece.scenario;
	int64_t next = NEVER;
	for (size_t i = 0; p->publisher != NULL && i < s->n_publishers; i++) {
		int64_t interval = s->publishers[i].interval_ms;
		if (p->due_ms[i] <= now_ms) {
			int64_t due = now_ms - now_ms % interval;
			play_publish(p, &s->publishers[i], due);
			p->due_ms[i] = due + interval;
		}
		if (p->due_ms[i] < next)
			next = p->due_ms[i];
	}
	for (size_t i = 0; i < p->n_loggers; i++) {
		int64_t at = logger_step(p->loggers[i], now_ms, clock_ms(CLOCK_REALTIME));
		if (at < next)
			next = at;
	}
	return next;
}

static int64_t play_row_due_ms(const struct play *p)
{
	const struct replay *r = p->piece.replay;
	if (p->options->speed <= 0.0)
		return 0;
	double since = (double)(r->rows[p->row].wall_ms - r->rows[0].wall_ms);
	return llround(since / p->options->speed);
}

static bool play_row(struct play *p)
{
	struct replay *r = p->piece.replay;
	const struct replay_row *row = &r->rows[p->row];
	if (p->publisher != NULL &&
	    !isnan(row->value)) { /* nothing was measured: nothing is said */
		char *text = replay_payload(row);
		int error = text == NULL
				    ? -ENOMEM
				    : publisher_send(p->publisher, r->series[row->series].topic,
						     text, p->options->qos);
		free(text);
		if (error != 0)
			return false;
	}
	r->series[row->series].current = row->value;
	p->row++;
	return true;
}

static bool play_is_acknowledged(const struct play *p)
{
	if (p->publisher == NULL)
		return true;
	struct publisher_counts c = publisher_counts(p->publisher);
	return c.done + c.failed == c.sent;
}

static int64_t play_step_replay(struct play *p, int64_t now_ms)
{
	const struct replay *r = p->piece.replay;
	for (int turn = 0; p->row < r->n_rows; turn++) {
		int64_t due = play_row_due_ms(p);
		if (due > now_ms || turn == ROWS_A_TURN)
			return due;
		if (!play_row(p))
			return NEVER; /* the bell tells when there is room */
	}
	p->is_over = play_is_acknowledged(p);
	return NEVER;
}

static int64_t play_step(struct play *p)
{
	int64_t now = play_time_ms(p);
	if (p->began_ms == 0)
		return NEVER;
	if (p->piece.scenario != NULL)
		return play_step_scenario(p, now);
	if (p->piece.replay != NULL)
		return play_step_replay(p, now);
	return NEVER;
}

static int play_wait_ms(const struct play *p, int64_t next_ms)
{
	int64_t wait = MAX_WAIT_MS;
	int64_t age = clock_ms(CLOCK_MONOTONIC) - (p->began_ms != 0 ? p->began_ms : p->born_ms);
	if (p->is_over)
		return 0;
	if (next_ms != NEVER && next_ms - age < wait)
		wait = next_ms - age;
	if (p->options->for_ms > 0 && p->options->for_ms - age < wait)
		wait = p->options->for_ms - age;
	return wait < 0 ? 0 : (int)wait;
}

static bool play_time_is_up(const struct play *p)
{
	int64_t since = p->began_ms != 0 ? p->began_ms : p->born_ms;
	return p->options->for_ms > 0 && clock_ms(CLOCK_MONOTONIC) - since >= p->options->for_ms;
}

static void play_on_signal(struct play *p)
{
	struct signalfd_siginfo info;
	if (read(p->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	if (info.ssi_signo == SIGUSR1)
		p->is_held = false;
	else
		p->is_stopped = true;
	play_begin(p);
}

static void play_on_bell(struct play *p)
{
	publisher_heard(p->publisher);
	bool is_connected = publisher_is_connected(p->publisher);
	if (is_connected != p->was_connected)
		log_info("%s: %s", p->options->broker, is_connected ? "connected" : "lost");
	p->was_connected = is_connected;
}

static void play_watch(struct play *p)
{
	struct pollfd *fds = p->fds;
	fds[FD_SERVERS] = (struct pollfd){.fd = responder_fd(p->responder), .events = POLLIN};
	fds[FD_SIGNALS] = (struct pollfd){.fd = p->signals, .events = POLLIN};
	fds[FD_BELL] = (struct pollfd){.fd = p->publisher != NULL ? publisher_fd(p->publisher) : -1,
				       .events = POLLIN};
	for (size_t i = 0; i < p->n_loggers; i++)
		fds[FIXED + i].fd = logger_fd(p->loggers[i], &fds[FIXED + i].events);
}

static int play_turn(struct play *p, char *told)
{
	int error = play_check_ready(p, told);
	if (error != 0)
		return error;
	int wait_ms = play_wait_ms(p, play_step(p));
	play_watch(p);
	if (poll(p->fds, FIXED + p->n_loggers, wait_ms) < 0 && errno != EINTR)
		return -errno;
	if (p->fds[FD_SIGNALS].revents != 0)
		play_on_signal(p);
	if (p->fds[FD_BELL].revents != 0)
		play_on_bell(p);
	return p->fds[FD_SERVERS].revents != 0 ? responder_serve(p->responder, play_time_ms(p)) : 0;
}

static int play_loop(struct play *p)
{
	char *told = NULL;
	size_t length = 0;
	p->ready = open_memstream(&told, &length);
	int error = p->ready == NULL ? -ENOMEM : play_open(p);
	if (p->ready != NULL && fclose(p->ready) != 0 && error == 0)
		error = -ENOMEM;
	p->ready = NULL;
	fflush(stdout);
	while (error == 0 && !p->is_stopped && !p->is_over && !play_time_is_up(p))
		error = play_turn(p, told);
	free(told);
	return error;
}

static void play_report_loggers(const struct play *p)
{
	for (size_t i = 0; i < p->n_loggers; i++) {
		struct logger_counts c = logger_counts(p->loggers[i]);
		printf("%s: %llu messages, %llu answered, %llu sent again, %llu wait, %llu lost\n",
		       p->piece.scenario->loggers[i].id, (unsigned long long)c.made,
		       (unsigned long long)c.answered, (unsigned long long)c.again,
		       (unsigned long long)(c.made - c.answered - c.lost),
		       (unsigned long long)c.lost);
	}
}

/* Return: false when a recording is not through. */
static bool play_report(const struct play *p)
{
	struct publisher_counts c = {0};
	if (p->publisher != NULL)
		c = publisher_counts(p->publisher);
	printf("faults: %llu played, %llu requests that do not read\n",
	       (unsigned long long)responder_faults(p->responder),
	       (unsigned long long)responder_writes(p->responder));
	printf("done: %llu Modbus requests, %llu messages sent, %llu taken, %llu lost\n",
	       (unsigned long long)responder_requests(p->responder), (unsigned long long)c.sent,
	       (unsigned long long)c.done, (unsigned long long)(c.failed + p->dropped));
	play_report_loggers(p);
	if (p->piece.replay == NULL)
		return true;
	printf("replayed %zu of %zu readings, %zu rows unreadable\n", p->row,
	       p->piece.replay->n_rows, p->piece.replay->n_bad);
	return p->is_over && c.failed == 0 && p->piece.replay->n_bad == 0;
}

static int play_prepare(struct play *p)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (p->signals < 0)
		return -errno;
	size_t n = p->piece.scenario != NULL ? p->piece.scenario->n_publishers : 0;
	p->due_ms = calloc(n + 1, sizeof *p->due_ms);
	n = p->piece.scenario != NULL ? p->piece.scenario->n_loggers : 0;
	p->loggers = calloc(n + 1, sizeof(struct logger *));
	p->fds = calloc(n + FIXED, sizeof *p->fds);
	if (p->due_ms == NULL || p->loggers == NULL || p->fds == NULL)
		return -ENOMEM;
	return responder_new(&p->responder);
}

int play_run(const struct play_options *options, const struct play_piece *piece)
{
	struct play p = {.options = options, .piece = *piece, .signals = -1};
	p.born_ms = clock_ms(CLOCK_MONOTONIC);
	p.is_held = options->is_held;
	p.offset = (struct zone_change){INT64_MIN, options->utc_offset_s};
	p.zone = (struct zone){&p.offset, 1};
	int error = play_prepare(&p);
	bool is_good = false;
	if (error == 0) {
		error = play_loop(&p);
		is_good = error == 0 && play_report(&p);
	}
	if (error != 0) {
		errno = -error;
		log_warn("the play ends");
	}
	publisher_free(p.publisher);
	responder_free(p.responder);
	for (size_t i = 0; i < p.n_loggers; i++)
		logger_free(p.loggers[i]);
	free(p.loggers);
	free(p.fds);
	free(p.due_ms);
	if (p.signals >= 0)
		close(p.signals);
	return is_good ? 0 : 1;
}
