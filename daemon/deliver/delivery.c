/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/delivery.h"

#include "base/log.h"
#include "base/pulse.h"
#include "deliver/courier-type.h"
#include "deliver/held.h"
#include "deliver/trouble.h"
#include "store/json.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUND_EVENTS = 64,
	FIRST_PAUSE_MS = 1000,
	PATIENCE = 3, /* tries of an event that the receiver fails at, before it is held */
	LONGEST_ASKED_MS = 24 * 3600 * 1000, /* that a receiver may make us wait */
};

/* A test that somebody asked for, under the delivery's lock. */
struct test {
	int64_t wanted, done; /* numbers; equal: none is under way */
	bool ok;
	char text[200];
};

struct delivery {
	struct delivery_setup setup;
	const struct courier_type *type;
	void *state;
	const struct plan *plan;
	char cursor[80];
	struct outbox outbox;
	struct held held;
	struct trouble trouble;
	struct metric *sent, *failed, *refused;
	struct pause pause;
	pthread_t thread;
	bool started;
	int64_t due_ms; /* CLOCK_MONOTONIC: the receiver is not to be tried before */
	unsigned failures;
	int64_t doubted; /* the event that the receiver failed at last, so many times */
	unsigned doubts;
	pthread_mutex_t lock;
	/* under the lock */
	struct test test;
	int64_t next_ms, delivered_ms; /* wall clock; 0: now, never */
};

/* --- pauses and trouble --- */

static int64_t waiting(struct delivery *d)
{
	return outbox_pending(&d->outbox) + (int64_t)atomic_load(&d->held.count);
}

static int64_t longest_pause_ms(const struct delivery *d)
{
	return d->setup.longest_pause_ms > 0 ? d->setup.longest_pause_ms
					     : d->type->longest_pause_ms;
}

static void say_next(struct delivery *d, int64_t pause_ms)
{
	pthread_mutex_lock(&d->lock);
	d->next_ms = pause_ms > 0 ? pause_wall_ms() + pause_ms : 0;
	pthread_mutex_unlock(&d->lock);
}

static void back_off(struct delivery *d, int64_t asked_ms)
{
	int64_t ms = pause_growing_ms(d->failures++, FIRST_PAUSE_MS, longest_pause_ms(d));
	if (asked_ms > 0)
		ms = asked_ms < LONGEST_ASKED_MS ? asked_ms : LONGEST_ASKED_MS;
	d->due_ms = pause_now_ms() + ms;
	say_next(d, ms);
}

static void hurry(struct delivery *d)
{
	d->failures = d->doubts = 0;
	d->due_ms = 0;
	held_hurry(&d->held);
	say_next(d, 0);
}

static void store_failed(struct delivery *d, int rc)
{
	struct courier_answer answer = {0};
	courier_errno(&answer, "the ledger", rc < 0 ? rc : EIO);
	trouble_is(&d->trouble, answer.text, false, waiting(d));
	back_off(d, 0);
}

/* --- one event --- */

static void delivered(struct delivery *d, const struct courier_answer *answer)
{
	metric_add(d->sent, 1);
	if (answer->partly)
		trouble_note(&d->trouble, answer->text);
	if (d->failures > 0)
		hurry(d);
	d->doubts = 0;
	if (d->held.n == 0)
		trouble_over(&d->trouble);
	pthread_mutex_lock(&d->lock);
	d->delivered_ms = pause_wall_ms();
	pthread_mutex_unlock(&d->lock);
}

/* The receiver is not there, or not for us: all waits. */
static void turned_away(struct delivery *d, enum courier_outcome outcome,
			const struct courier_answer *answer)
{
	metric_add(d->failed, 1);
	trouble_is(&d->trouble, answer->text, outcome == COURIER_TURNED_AWAY, waiting(d));
	back_off(d, answer->retry_after_ms);
}

static void refused(struct delivery *d, const struct outbox_event *event,
		    enum courier_outcome outcome, const struct courier_answer *answer)
{
	char text[TROUBLE_BYTES];
	metric_add(outcome == COURIER_REFUSED ? d->refused : d->failed, 1);
	snprintf(text, sizeof text, "event %lld, %.32s, is held back: %.160s", (long long)event->id,
		 event->type, answer->text);
	trouble_is(&d->trouble, text, true, waiting(d));
}

/* Return: whether the event is no longer the round's concern. */
static bool hold(struct delivery *d, const struct outbox_event *event, int64_t due_ms)
{
	int rc = held_add(&d->held, event->id, held_key(event->case_id, event->site), due_ms);
	if (rc == 0)
		return true;
	struct courier_answer answer = {.text = "too many events are held back"};
	if (rc != -ENOSPC)
		courier_errno(&answer, "cannot hold back", rc);
	turned_away(d, COURIER_TURNED_AWAY, &answer);
	return false;
}

static bool is_doubtful(struct delivery *d, const struct outbox_event *event)
{
	d->doubts = d->doubted == event->id ? d->doubts + 1 : 1;
	d->doubted = event->id;
	return d->doubts < PATIENCE;
}

/* Return: true to go on with the next event. */
static bool send_fresh(struct delivery *d, const struct outbox_event *event)
{
	struct courier_answer answer = {0};
	if (held_has(&d->held, held_key(event->case_id, event->site)))
		return hold(d, event, 0);
	enum courier_outcome outcome = d->type->send(d->state, event, &answer);
	if (outcome == COURIER_DELIVERED) {
		delivered(d, &answer);
		return true;
	}
	if (outcome == COURIER_STOPPED)
		return false;
	if (outcome == COURIER_REFUSED || (outcome == COURIER_FAILED && !is_doubtful(d, event))) {
		if (!hold(d, event,
			  pause_now_ms() +
				  pause_growing_ms(0, FIRST_PAUSE_MS, longest_pause_ms(d))))
			return false;
		refused(d, event, outcome, &answer);
		return true;
	}
	turned_away(d, outcome, &answer);
	return false;
}

static void try_held(struct delivery *d, struct held_event *held, const struct outbox_event *event)
{
	struct courier_answer answer = {0};
	enum courier_outcome outcome = d->type->send(d->state, event, &answer);
	if (outcome == COURIER_DELIVERED) {
		held_remove(&d->held, held);
		delivered(d, &answer);
	} else if (outcome == COURIER_REFUSED || outcome == COURIER_FAILED) {
		held->due_ms = pause_now_ms() + pause_growing_ms(held->failures++, FIRST_PAUSE_MS,
								 longest_pause_ms(d));
		refused(d, event, outcome, &answer);
	} else if (outcome != COURIER_STOPPED) {
		turned_away(d, outcome, &answer);
	}
}

/* --- rounds --- */

static bool may_go_on(struct delivery *d)
{
	return !pause_stopped(&d->pause) && pause_now_ms() >= d->due_ms;
}

static void pass(struct delivery *d, const struct outbox_event *event)
{
	bool wanted = outbox_wants(&d->outbox, event);
	outbox_pass(&d->outbox, event->id, wanted);
	pause_beat(&d->pause);
}

static int round_held(struct delivery *d)
{
	struct held_event *held;
	int rc = 0;
	while (rc == 0 && may_go_on(d) && (held = held_next(&d->held, pause_now_ms())) != NULL) {
		struct outbox_events events;
		rc = outbox_fetch(&d->outbox, held->id - 1, 1, &events);
		if (rc != 0)
			break;
		if (events.n == 1 && events.at[0].id == held->id)
			try_held(d, held, &events.at[0]);
		else
			held_remove(&d->held, held); /* it is no longer in the ledger */
		outbox_events_deinit(&events);
		pause_beat(&d->pause);
	}
	return rc;
}

static int round_fresh(struct delivery *d, size_t *n)
{
	struct outbox_events events;
	int rc = outbox_fetch(&d->outbox, atomic_load(&d->outbox.passed), ROUND_EVENTS, &events);
	if (rc != 0)
		return rc;
	*n = events.n;
	for (size_t i = 0; i < events.n && may_go_on(d); i++) {
		if (outbox_wants(&d->outbox, &events.at[i]) && !send_fresh(d, &events.at[i]))
			break;
		pass(d, &events.at[i]);
	}
	outbox_events_deinit(&events);
	return 0;
}

static int store(struct delivery *d)
{
	int rc = held_store(&d->held);
	return rc != 0 ? rc : outbox_store(&d->outbox);
}

/* Return: whether more may be there at once. */
static bool delivery_round(struct delivery *d)
{
	size_t n = 0;
	int rc = outbox_scan(&d->outbox);
	if (rc == 0 && may_go_on(d))
		rc = round_held(d);
	if (rc == 0 && may_go_on(d))
		rc = round_fresh(d, &n);
	int stored = store(d);
	rc = rc != 0 ? rc : stored;
	if (rc != 0)
		store_failed(d, rc);
	return rc == 0 && n == ROUND_EVENTS && may_go_on(d);
}

static void do_idle(struct delivery *d)
{
	struct courier_answer answer = {0};
	if (d->type->idle == NULL || !may_go_on(d))
		return;
	enum courier_outcome outcome = d->type->idle(d->state, &answer);
	if (outcome != COURIER_DELIVERED && outcome != COURIER_STOPPED)
		turned_away(d, outcome, &answer);
}

/* --- a marked test --- */

static bool test_text(struct delivery *d, int64_t now_ms, struct text *json)
{
	struct text data = {0};
	char subject[80];
	snprintf(subject, sizeof subject, "delivery/%s", d->setup.id);
	text_add(&data, "{\"test\":true,\"delivery\":");
	text_json(&data, d->setup.id);
	text_add(&data, ",\"note\":\"a test; no case, no alert\"}");
	if (!data.failed)
		json_event(json, d->plan, now_ms, "ducha.test", now_ms, subject, NULL, data.at);
	bool good = !data.failed && !json->failed;
	text_deinit(&data);
	return good;
}

static void test_end(struct delivery *d, int64_t number, bool ok, const char *text)
{
	pthread_mutex_lock(&d->lock);
	d->test.done = number;
	d->test.ok = ok;
	snprintf(d->test.text, sizeof d->test.text, "%s", text);
	pthread_mutex_unlock(&d->lock);
}

/* One that gets through ends the pause: the receiver is there. */
static void do_test(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	int64_t wanted = d->test.wanted;
	bool done = wanted == d->test.done;
	pthread_mutex_unlock(&d->lock);
	if (done)
		return;
	struct text json = {0};
	struct courier_answer answer = {0};
	struct outbox_event event = {.id = pause_wall_ms(), .type = "test"};
	event.at_ms = event.id;
	enum courier_outcome outcome = courier_errno(&answer, "the test", ENOMEM);
	if (test_text(d, event.at_ms, &json)) {
		event.json = json.at;
		answer = (struct courier_answer){0};
		outcome = d->type->send(d->state, &event, &answer);
	}
	text_deinit(&json);
	test_end(d, wanted, outcome == COURIER_DELIVERED, answer.text);
	if (outcome == COURIER_DELIVERED)
		hurry(d);
}

/* --- life --- */

static void *delivery_run(void *context)
{
	struct delivery *d = context;
	pulse_begin(&d->pause.pulse, PULSE_SLOW, "delivery", d->setup.id);
	while (!pause_stopped(&d->pause)) {
		pause_beat(&d->pause);
		do_test(d);
		do_idle(d);
		bool more = delivery_round(d);
		trouble_tick(&d->trouble);
		int64_t until = held_due(&d->held);
		if (!more)
			pause_for_news_until(&d->pause, d->due_ms > until ? d->due_ms : until);
	}
	pulse_end(&d->pause.pulse);
	return NULL;
}

static double delivery_pending(void *context)
{
	return (double)waiting(context);
}

static struct metric *count(struct delivery *d, struct metrics *metrics, const char *result)
{
	char labels[256];
	snprintf(labels, sizeof labels, "delivery=\"%s\",result=\"%s\"", d->setup.id, result);
	return metrics_counter(metrics, "ducha_deliveries_total",
			       "Events handed to a delivery, by result.", labels);
}

static int delivery_metrics(struct delivery *d, struct metrics *metrics)
{
	char labels[128];
	d->sent = count(d, metrics, "ok");
	d->failed = count(d, metrics, "error");
	d->refused = count(d, metrics, "refused");
	if (d->sent == NULL || d->failed == NULL || d->refused == NULL)
		return -ENOMEM;
	snprintf(labels, sizeof labels, "delivery=\"%s\"", d->setup.id);
	return metrics_gauge_read(metrics, "ducha_deliveries_pending",
				  "Events that wait for a delivery.", labels, delivery_pending, d);
}

static int delivery_open(struct delivery *d, const struct courier_setup *all)
{
	const struct courier_type *type = courier_type_find(d->setup.type);
	const struct courier_host host = {.setup = &d->setup,
					  .plan = all->plan,
					  .ledger = all->ledger,
					  .pause = &d->pause,
					  .translate = all->translate,
					  .directory = all->directory,
					  .words = all->words};
	if (type == NULL)
		return -EINVAL;
	int rc = type->open(&d->state, &host);
	if (rc == 0)
		d->type = type;
	return rc;
}

int delivery_new(struct delivery **out, const struct delivery_setup *setup,
		 const struct courier_setup *all)
{
	struct delivery *d = calloc(1, sizeof *d);
	if (d == NULL)
		return -ENOMEM;
	d->setup = *setup;
	d->plan = all->plan;
	pthread_mutex_init(&d->lock, NULL);
	snprintf(d->cursor, sizeof d->cursor, "delivery/%s", setup->id);
	int rc = pause_init(&d->pause, all->heartbeat);
	if (rc == 0)
		rc = trouble_init(&d->trouble, all->ledger, setup->id, setup->alarm_after_ms);
	if (rc == 0)
		rc = outbox_init(&d->outbox, all->ledger, d->cursor, &setup->filter);
	if (rc == 0)
		rc = held_init(&d->held, all->ledger, setup->id, d->outbox.stored);
	if (rc == 0)
		rc = delivery_open(d, all);
	if (rc == 0)
		rc = delivery_metrics(d, all->metrics);
	if (rc != 0) {
		log_warnx("delivery %s: cannot be set up: %s", setup->id,
			  log_error_text(rc < 0 ? -rc : EIO));
		delivery_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

int delivery_start(struct delivery *d)
{
	int rc = pthread_create(&d->thread, NULL, delivery_run, d);
	d->started = rc == 0;
	return -rc;
}

void delivery_stop(struct delivery *d)
{
	pause_stop(&d->pause);
}

void delivery_join(struct delivery *d)
{
	if (d->started)
		pthread_join(d->thread, NULL);
	d->started = false;
}

struct delivery *delivery_free(struct delivery *d)
{
	if (d == NULL)
		return NULL;
	if (d->type != NULL)
		d->type->close(d->state);
	held_deinit(&d->held);
	trouble_deinit(&d->trouble);
	pause_deinit(&d->pause);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

void delivery_wake(struct delivery *d)
{
	pause_wake(&d->pause);
}

const char *delivery_id(const struct delivery *d)
{
	return d->setup.id;
}

void delivery_alarmed(struct delivery *d)
{
	d->trouble.alarmed = true;
}

/* --- the outside --- */

int64_t delivery_test(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	int64_t number = ++d->test.wanted;
	pthread_mutex_unlock(&d->lock);
	pause_wake(&d->pause);
	return number;
}

static void add_time(struct text *out, const char *name, const struct plan *plan, int64_t ms)
{
	text_format(out, ",\"%s\":", name);
	if (ms == 0) {
		text_add(out, "null");
		return;
	}
	text_char(out, '"');
	text_time(out, ms, &plan->zone, 3);
	text_char(out, '"');
}

static void add_test(struct text *out, const struct test *test)
{
	if (test->wanted == 0)
		return;
	text_format(out, ",\"test\":{\"number\":%lld,\"done\":%s,\"ok\":%s,\"text\":",
		    (long long)test->wanted, test->done == test->wanted ? "true" : "false",
		    test->done == test->wanted && test->ok ? "true" : "false");
	text_json(out, test->text);
	text_char(out, '}');
}

void delivery_json(struct delivery *d, struct text *out)
{
	struct trouble_view trouble = trouble_view(&d->trouble);
	pthread_mutex_lock(&d->lock);
	struct test test = d->test;
	int64_t next_ms = d->next_ms, delivered_ms = d->delivered_ms;
	pthread_mutex_unlock(&d->lock);
	text_add(out, "{\"id\":");
	text_json(out, d->setup.id);
	text_add(out, ",\"type\":");
	text_json(out, d->setup.type);
	text_format(out, ",\"pending\":%lld,\"held\":%zu,\"last_error\":", (long long)waiting(d),
		    atomic_load(&d->held.count));
	text_json(out, trouble.text[0] == '\0' ? NULL : trouble.text);
	add_time(out, "failing_since", d->plan, trouble.since_ms);
	add_time(out, "next_try_at", d->plan, next_ms);
	add_time(out, "delivered_at", d->plan, delivered_ms);
	add_test(out, &test);
	text_char(out, '}');
}
