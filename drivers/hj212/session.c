/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: one connection of a data logger, or of a collector that speaks for several. Who sends
 * is said by each message (MN), not by the connection.
 *
 *   bytes ──► telegrams ──► message of a known MN ──► samples at the door ──► owed an answer
 *
 * Where the ring, the disk or the queue of answers has no room, the telegram stays at the head of
 * the buffer and the session is not read from: TCP lets the logger wait, and nobody else.
 */
#include "drivers/hj212/internal.h"
#include "drivers/hj212/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { CLOCK_MS = 5 * 60 * 1000 };

static struct hj212_text peer_of(const struct session *session)
{
	return (struct hj212_text){session->peer, strlen(session->peer)};
}

/* --- what is wrong --- */

static void refuse_bytes(struct session *session, enum outcome outcome, const char *what)
{
	if (listener_note(session->listener, outcome, peer_of(session)))
		log_warnx("%s: %s sent %s; passed over, the session goes on",
			  session->listener->config->id, session->peer, what);
}

static void refuse_found(struct session *session, enum hj212_found found)
{
	if (found == HJ212_CRC)
		refuse_bytes(session, TELEGRAM_CRC, "a telegram whose CRC is wrong");
	else if (found == HJ212_LENGTH)
		refuse_bytes(session, TELEGRAM_LENGTH,
			     "a telegram whose length does not lead to its end");
	else if (found == HJ212_GARBAGE)
		refuse_bytes(session, TELEGRAM_GARBAGE, "bytes that belong to no telegram");
}

static void refuse_mn(struct session *session, const struct hj212_message *message)
{
	const char *id = session->listener->config->id;
	if (listener_note(session->listener, TELEGRAM_MN, message->mn))
		log_event(LOGGED_CALLER_UNKNOWN, ABOUT(.connection = id),
			  "%s: no monitor has mn = \"%.*s\", which %s sends; not acknowledged", id,
			  (int)message->mn.n, message->mn.at, session->peer);
}

static void refuse_password(struct session *session, const struct hj212_message *message)
{
	if (listener_note(session->listener, TELEGRAM_PASSWORD, message->mn))
		log_warnx("%s: MN %.*s at %s has another password (PW) than password_file; not "
			  "acknowledged",
			  session->listener->config->id, (int)message->mn.n, message->mn.at,
			  session->peer);
}

static void refuse_value(struct session *session, const struct hj212_message *message,
			 const struct hj212_record *record, const char *what)
{
	struct listener *listener = session->listener;
	metric_add(listener->hj212->bad_value, 1);
	if (listener_note(listener, SAID_VALUE, message->mn))
		log_event(LOGGED_PAYLOAD, ABOUT(.connection = listener->config->id),
			  "%s: MN %.*s at %s: what it sends of %.*s is %s", listener->config->id,
			  (int)message->mn.n, message->mn.at, session->peer, (int)record->code.n,
			  record->code.at, what);
}

/* QN is when the logger sent. Nothing is changed for it: times are those of the messages. */
static void look_at_clock(struct session *session, const struct hj212_message *message)
{
	struct timespec now;
	int64_t sent_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	if (!hj212_time(message->qn, session->listener->config->zone, &sent_ms))
		return;
	int64_t ahead_ms = sent_ms - (now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000);
	if (llabs(ahead_ms) > CLOCK_MS && listener_note(session->listener, SAID_CLOCK, message->mn))
		log_warnx("%s: MN %.*s at %s sends with a QN %lld s %s the clock here",
			  session->listener->config->id, (int)message->mn.n, message->mn.at,
			  session->peer, (long long)llabs(ahead_ms) / 1000,
			  ahead_ms > 0 ? "ahead of" : "behind");
}

/* --- messages --- */

/* Systems of HJ 212-2017, table 5: 10 to 69, and 91 to 99. */
static bool is_system(int system)
{
	return (system >= 10 && system <= 69) || (system >= 91 && system <= 99);
}

/* Data of any kind: each has a DataTime. */
static bool is_upload(int command)
{
	return command > 2000 && command < 3000 && command != HJ212_STOP_REALTIME &&
	       command != HJ212_STOP_FACILITIES;
}

/* With the logger's own state and log. */
static bool is_data(int command)
{
	return is_upload(command) || (command >= 3015 && command <= 3021);
}

static bool is_notice(int command)
{
	return command == HJ212_STOP_REALTIME || command == HJ212_STOP_FACILITIES ||
	       command == HJ212_ASK_CLOCK || command == HJ212_HEARTBEAT;
}

/* As long as it takes for any text: how much of it is right is nobody's to know. */
static bool is_password(const char *password, struct hj212_text said)
{
	if (password == NULL)
		return true;
	size_t n = strlen(password);
	unsigned differs = n != said.n;
	for (size_t i = 0; i < said.n; i++)
		differs |= (unsigned)(said.at[i] ^ password[n == 0 ? 0 : i % n]);
	return differs == 0;
}

struct telegram {
	struct session *session;
	const struct station *station;
	const struct hj212_frame *frame;
	struct hj212_message message;
};

/* Return: false where the ring is full. */
static bool submit(const struct telegram *t, struct sample *sample)
{
	struct session *session = t->session;
	struct hj212 *hj212 = session->listener->hj212;
	struct under_way *way = &session->way;
	uint64_t seq = 0;
	if (way->frame == 0)
		way->frame = door_frame(hj212->host.door, FRAME_HJ212, session->peer,
					strlen(session->peer), session->buffer + session->done,
					t->frame->used);
	sample->frame = way->frame;
	if (door_submit(hj212->host.door, sample, &seq) == DOOR_FULL)
		return false;
	hj212->submitted = true;
	if (seq > way->newest)
		way->newest = seq;
	return true;
}

/* Return: false where the rest is to be tried again. */
static bool take_record(const struct telegram *t, const struct hj212_record *record, size_t *at)
{
	const struct zone *zone = t->session->listener->config->zone;
	struct under_way *way = &t->session->way;
	for (size_t i = 0; i < t->station->n; i++) {
		struct sample sample;
		enum hj212_taken taken =
			hj212_sample(&t->station->points[i], &t->message, record, zone, &sample);
		if (taken == HJ212_NOT_WANTED || (*at)++ < way->done)
			continue;
		if (taken == HJ212_SAMPLE && !submit(t, &sample))
			return false;
		if (taken != HJ212_SAMPLE)
			refuse_value(t->session, &t->message, record,
				     taken == HJ212_NO_TIME ? "of a time that is none"
							    : "no number");
		way->done = *at;
	}
	return true;
}

static void show_record(const struct telegram *t, const struct hj212_record *record)
{
	const struct listener *listener = t->session->listener;
	struct door *door = listener->hj212->host.door;
	for (size_t i = 0; i < t->station->n; i++) {
		const struct hj212_point *point = &t->station->points[i];
		struct sample sample;
		if (door_looks(door, point->monitor) &&
		    hj212_sample(point, &t->message, record, listener->config->zone, &sample) ==
			    HJ212_SAMPLE)
			door_show(door, &sample);
	}
}

/* What a telegram holds is of one moment: all of it is shown before any is handed in. */
static bool take_data(const struct telegram *t)
{
	struct hj212_text rest = t->message.area;
	struct hj212_record record;
	size_t at = 0;
	while (hj212_record_next(&rest, &record))
		show_record(t, &record);
	rest = t->message.area;
	while (hj212_record_next(&rest, &record))
		if (!take_record(t, &record, &at))
			return false;
	return true;
}

/* It was taken: it counts, and is answered if it asks for it. */
static void taken(struct telegram *t)
{
	struct session *session = t->session;
	struct listener *listener = session->listener;
	struct hj212 *hj212 = listener->hj212;
	const struct hj212_message *message = &t->message;
	if (session->way.newest > hj212->newest)
		hj212->newest = session->way.newest;
	session->known = true;
	session->heard_ns = loop_now(hj212->host.loop);
	look_at_clock(session, message);
	if (!is_system(message->system) && listener_note(listener, TELEGRAM_SYSTEM, message->mn))
		log_warnx(
			"%s: MN %.*s at %s has an ST that HJ 212 does not know; taken all the same",
			listener->config->id, (int)message->mn.n, message->mn.at, session->peer);
	else if (is_system(message->system))
		metric_add(listener->outcomes[TELEGRAM_OK], 1);
	if (message->flag & HJ212_ASKS_ANSWER)
		answer_owe(session, message,
			   is_notice(message->command) ? HJ212_NOTICE_ANSWER : HJ212_DATA_ANSWER,
			   hj212->newest);
}

static void refuse_command(struct session *session, const struct hj212_message *message)
{
	if (listener_note(session->listener, TELEGRAM_COMMAND, message->mn))
		log_warnx("%s: MN %.*s at %s sends CN=%d, which means nothing here; not answered",
			  session->listener->config->id, (int)message->mn.n, message->mn.at,
			  session->peer, message->command);
}

/* Of somebody who is known. Return: false where it is to be tried again. */
static bool take_known(struct telegram *t)
{
	struct session *session = t->session;
	int command = t->message.command;
	if (!is_data(command) && !is_notice(command)) {
		refuse_command(session, &t->message);
		return true;
	}
	if (!answers_have_room(session) || door_is_crowded(session->listener->hj212->host.door) ||
	    (!is_notice(command) && !take_data(t)))
		return false;
	taken(t);
	return true;
}

static void refuse_message(struct session *session, const char *why)
{
	if (listener_note(session->listener, TELEGRAM_SYNTAX, peer_of(session)))
		log_warnx("%s: a telegram of %s is none: %s", session->listener->config->id,
			  session->peer, why);
}

/* Return: false where it is to be tried again. */
static bool take(struct session *session, const struct hj212_frame *frame)
{
	struct listener *listener = session->listener;
	struct telegram t = {.session = session, .frame = frame};
	const char *wrong = hj212_message_parse(frame->data, frame->n, &t.message);
	if (wrong == NULL && is_upload(t.message.command) && !t.message.is_readable)
		wrong = "it has neither a DataTime nor a value; encrypted ones cannot be read";
	if (wrong != NULL) {
		refuse_message(session, wrong);
		return true;
	}
	t.station = stations_find(&listener->stations, t.message.mn);
	if (t.station == NULL) {
		refuse_mn(session, &t.message);
		return true;
	}
	if (!is_password(listener->config->password, t.message.pw)) {
		refuse_password(session, &t.message);
		return true;
	}
	return take_known(&t);
}

/* --- bytes --- */

/* Return: true where the head of the buffer is done with, and not just the beginning of more. */
static bool work_step(struct session *session)
{
	struct hj212_frame frame;
	const char *head = session->buffer + session->done;
	enum hj212_found found = hj212_frame_next(head, session->fill - session->done, &frame);
	if (found == HJ212_MORE)
		return false;
	if (found == HJ212_FRAME && !take(session, &frame)) {
		session->waits = true;
		return false;
	}
	if (found != HJ212_FRAME)
		refuse_found(session, found);
	session->way = (struct under_way){.done = 0};
	session->done += frame.used;
	return true;
}

void session_watch(struct session *session)
{
	bool deaf = session->waits || session->spent >= SECOND_MOST;
	if (deaf == session->deaf)
		return;
	session->deaf = deaf;
	(void)loop_change(session->listener->hj212->host.loop, session->fd, deaf ? 0 : EPOLLIN);
}

void session_work(struct session *session)
{
	bool waited = session->waits;
	session->waits = false;
	session->done = 0;
	while (!session->failed && work_step(session))
		;
	session->fill -= session->done;
	memmove(session->buffer, session->buffer + session->done, session->fill);
	if (session->waits != waited)
		session->listener->hj212->n_waiting += session->waits ? 1 : (size_t)-1;
	session_watch(session);
}

static ssize_t receive(struct session *session)
{
	ssize_t n = recv(session->fd, session->buffer + session->fill,
			 sizeof session->buffer - session->fill, 0);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	session->fill += (size_t)n;
	session->spent += (size_t)n;
	return n;
}

void session_ready(void *context, uint32_t events)
{
	struct session *session = context;
	ssize_t n = -1;
	if (!session->deaf)
		n = receive(session);
	else if ((events & (EPOLLERR | EPOLLHUP)) == 0)
		return;
	if (n > 0)
		session_work(session);
	if (n < 0 || session->failed)
		session_drop(session);
}
