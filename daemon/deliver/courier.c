/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/courier.h"

#include "base/log.h"
#include "deliver/courier-type.h"
#include "deliver/pause.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_EVENTS = 64, FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 60000 };

struct delivery {
	const struct courier_type *type;
	void *state;
	char *id, *cursor;
	char **events;
	size_t n_events;
	struct outbox outbox;
	struct metric *sent, *failed;
	struct pause pause;
	struct log_repeat trouble;
	pthread_t thread;
	bool started;
};

struct courier {
	struct delivery *deliveries;
	size_t n_deliveries;
	_Atomic uint64_t *heartbeat;
	pthread_t idle; /* without deliveries something must still beat */
	struct pause idle_pause;
	bool idle_started;
};

bool courier_filter(const char *const *events, size_t n, const char *type)
{
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(events[i]);
		if (length > 0 && events[i][length - 1] == '*') {
			if (strncmp(events[i], type, length - 1) == 0)
				return true;
		} else if (strcmp(events[i], type) == 0) {
			return true;
		}
	}
	return false;
}

/* --- one delivery's thread --- */

static void delivery_failed(struct delivery *delivery, int error)
{
	metric_add(delivery->failed, 1);
	if (!log_due(&delivery->trouble))
		return;
	errno = -error;
	log_warn("delivery %s: cannot deliver, %lld events wait (try %llu)", delivery->id,
		 (long long)outbox_pending(&delivery->outbox),
		 (unsigned long long)delivery->trouble.count);
}

static void delivery_done(struct delivery *delivery)
{
	metric_add(delivery->sent, 1);
	if (delivery->trouble.count > 0)
		log_info("delivery %s: delivering again after %llu failed tries", delivery->id,
			 (unsigned long long)delivery->trouble.count);
	delivery->trouble = (struct log_repeat){0};
}

/* Return: 0, or the error that stopped the round. */
static int delivery_send(struct delivery *delivery, const struct outbox_events *events)
{
	for (size_t i = 0; i < events->n && !pause_stopped(&delivery->pause); i++) {
		const struct outbox_event *event = &events->at[i];
		bool wanted = outbox_wants(&delivery->outbox, event->type);
		if (wanted) {
			int rc = delivery->type->send(delivery->state, event);
			if (rc != 0) {
				delivery_failed(delivery, rc);
				return rc;
			}
			delivery_done(delivery);
		}
		outbox_pass(&delivery->outbox, event->id, wanted);
		pause_beat(&delivery->pause);
	}
	return 0;
}

/* Return: 0 and @n events looked at, or the error that stopped the round. */
static int delivery_round(struct delivery *delivery, size_t *n)
{
	struct outbox_events events;
	*n = 0;
	int rc = outbox_scan(&delivery->outbox);
	if (rc == 0)
		rc = outbox_fetch(&delivery->outbox, atomic_load(&delivery->outbox.passed),
				  ROUND_EVENTS, &events);
	if (rc != 0) {
		delivery_failed(delivery, rc < 0 ? rc : -EIO);
		return rc;
	}
	*n = events.n;
	rc = delivery_send(delivery, &events);
	outbox_events_deinit(&events);
	int stored = outbox_store(&delivery->outbox);
	if (stored != 0 && rc == 0) {
		delivery_failed(delivery, stored < 0 ? stored : -EIO);
		rc = stored;
	}
	return rc;
}

/* Waits out a growing pause and goes on counting what comes meanwhile. */
static void delivery_rest(struct delivery *delivery, unsigned failures)
{
	int64_t until =
		pause_now_ms() + pause_growing_ms(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
	while (!pause_stopped(&delivery->pause) && pause_now_ms() < until) {
		outbox_scan(&delivery->outbox);
		pause_until(&delivery->pause, until);
	}
}

static void *delivery_run(void *context)
{
	struct delivery *delivery = context;
	unsigned failures = 0;
	while (!pause_stopped(&delivery->pause)) {
		size_t n;
		pause_beat(&delivery->pause);
		if (delivery_round(delivery, &n) != 0) {
			delivery_rest(delivery, failures++);
			continue;
		}
		failures = 0;
		if (n < ROUND_EVENTS)
			pause_for_news(&delivery->pause);
	}
	return NULL;
}

static void *idle_run(void *context)
{
	struct courier *courier = context;
	while (!pause_stopped(&courier->idle_pause)) {
		pause_beat(&courier->idle_pause);
		pause_for_news(&courier->idle_pause);
	}
	return NULL;
}

/* --- setting up --- */

static double delivery_pending(void *context)
{
	struct delivery *delivery = context;
	return (double)outbox_pending(&delivery->outbox);
}

static int delivery_metrics(struct delivery *delivery, struct metrics *metrics)
{
	char labels[256];
	snprintf(labels, sizeof labels, "delivery=\"%s\",result=\"ok\"", delivery->id);
	delivery->sent = metrics_counter(metrics, "ducha_deliveries_total",
					 "Events handed to a delivery, by result.", labels);
	snprintf(labels, sizeof labels, "delivery=\"%s\",result=\"error\"", delivery->id);
	delivery->failed = metrics_counter(metrics, "ducha_deliveries_total",
					   "Events handed to a delivery, by result.", labels);
	if (delivery->sent == NULL || delivery->failed == NULL)
		return -ENOMEM;
	snprintf(labels, sizeof labels, "delivery=\"%s\"", delivery->id);
	return metrics_gauge_read(metrics, "ducha_deliveries_pending",
				  "Events that wait for a delivery.", labels, delivery_pending,
				  delivery);
}

static int copy_filters(struct delivery *delivery, const struct delivery_setup *setup)
{
	if (setup->n_events == 0)
		return 0;
	delivery->events = calloc(setup->n_events, sizeof *delivery->events);
	if (delivery->events == NULL)
		return -ENOMEM;
	for (; delivery->n_events < setup->n_events; delivery->n_events++) {
		delivery->events[delivery->n_events] = strdup(setup->events[delivery->n_events]);
		if (delivery->events[delivery->n_events] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int delivery_init(struct delivery *delivery, const struct delivery_setup *setup,
			 const struct courier_setup *all)
{
	const struct courier_type *type = courier_type_find(setup->type);
	if (type == NULL)
		return -EINVAL;
	int rc = pause_init(&delivery->pause, all->heartbeat);
	if (rc != 0)
		return rc;
	delivery->id = strdup(setup->id);
	if (delivery->id == NULL || asprintf(&delivery->cursor, "delivery/%s", setup->id) < 0) {
		delivery->cursor = NULL;
		return -ENOMEM;
	}
	rc = copy_filters(delivery, setup);
	if (rc == 0)
		rc = type->open(&delivery->state, setup);
	if (rc != 0)
		return rc;
	delivery->type = type;
	rc = outbox_init(&delivery->outbox, all->ledger, delivery->cursor,
			 (const char *const *)delivery->events, delivery->n_events);
	return rc != 0 ? rc : delivery_metrics(delivery, all->metrics);
}

static void delivery_deinit(struct delivery *delivery)
{
	if (delivery->type != NULL)
		delivery->type->close(delivery->state);
	for (size_t i = 0; i < delivery->n_events; i++)
		free(delivery->events[i]);
	free(delivery->events);
	free(delivery->id);
	free(delivery->cursor);
	pause_deinit(&delivery->pause);
}

/* A delivery that left the configuration waits for nothing; if it comes back, it begins anew. */
static bool is_configured(void *context, const char *id)
{
	const struct courier_setup *setup = context;
	for (size_t i = 0; i < setup->n_deliveries; i++)
		if (strcmp(setup->deliveries[i].id, id) == 0)
			return true;
	return false;
}

int courier_new(struct courier **out, const struct courier_setup *setup)
{
	struct courier *courier = calloc(1, sizeof *courier);
	if (courier == NULL)
		return -ENOMEM;
	courier->heartbeat = setup->heartbeat;
	courier->deliveries = calloc(setup->n_deliveries + 1, sizeof *courier->deliveries);
	int rc = courier->deliveries == NULL ? -ENOMEM : 0;
	if (rc == 0)
		rc = pause_init(&courier->idle_pause, setup->heartbeat);
	if (rc == 0)
		rc = ledger_keep_cursors(setup->ledger, "delivery/", is_configured,
					 (void *)(uintptr_t)setup);
	for (size_t i = 0; rc == 0 && i < setup->n_deliveries; i++) {
		courier->n_deliveries++;
		rc = delivery_init(&courier->deliveries[i], &setup->deliveries[i], setup);
	}
	if (rc != 0) {
		courier_free(courier);
		return rc;
	}
	*out = courier;
	return 0;
}

int courier_start(struct courier *courier)
{
	for (size_t i = 0; i < courier->n_deliveries; i++) {
		struct delivery *delivery = &courier->deliveries[i];
		int rc = pthread_create(&delivery->thread, NULL, delivery_run, delivery);
		if (rc != 0)
			return -rc;
		delivery->started = true;
	}
	if (courier->n_deliveries == 0) {
		int rc = pthread_create(&courier->idle, NULL, idle_run, courier);
		if (rc != 0)
			return -rc;
		courier->idle_started = true;
	}
	return 0;
}

void courier_wake(struct courier *courier)
{
	for (size_t i = 0; i < courier->n_deliveries; i++)
		pause_wake(&courier->deliveries[i].pause);
}

void courier_stop(struct courier *courier)
{
	for (size_t i = 0; i < courier->n_deliveries; i++)
		pause_stop(&courier->deliveries[i].pause);
	pause_stop(&courier->idle_pause);
	for (size_t i = 0; i < courier->n_deliveries; i++)
		if (courier->deliveries[i].started)
			pthread_join(courier->deliveries[i].thread, NULL);
	for (size_t i = 0; i < courier->n_deliveries; i++)
		courier->deliveries[i].started = false;
	if (courier->idle_started)
		pthread_join(courier->idle, NULL);
	courier->idle_started = false;
}

struct courier *courier_free(struct courier *courier)
{
	if (courier == NULL)
		return NULL;
	courier_stop(courier);
	for (size_t i = 0; i < courier->n_deliveries; i++)
		delivery_deinit(&courier->deliveries[i]);
	pause_deinit(&courier->idle_pause);
	free(courier->deliveries);
	free(courier);
	return NULL;
}
