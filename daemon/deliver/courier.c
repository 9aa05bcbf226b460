/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/courier.h"

#include "deliver/delivery.h"
#include "deliver/pause.h"
#include "deliver/trouble.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct courier {
	struct delivery **deliveries;
	size_t n_deliveries;
	pthread_t idle; /* without deliveries something must still beat */
	struct pause idle_pause;
	bool idle_started;
};

static void *idle_run(void *context)
{
	struct courier *courier = context;
	(void)pthread_setname_np(pthread_self(), "courier");
	while (!pause_stopped(&courier->idle_pause)) {
		pause_beat(&courier->idle_pause);
		pause_for_news(&courier->idle_pause);
	}
	return NULL;
}

/* --- setting up --- */

/* A delivery that left the configuration waits for nothing; if it comes back, it begins anew.
 * @name: "ID", or "ID/held" */
static bool is_configured(void *context, const char *name)
{
	const struct courier_setup *setup = context;
	size_t length = strcspn(name, "/");
	for (size_t i = 0; i < setup->n_deliveries; i++) {
		const char *id = setup->deliveries[i].id;
		if (strlen(id) == length && strncmp(id, name, length) == 0)
			return true;
	}
	return false;
}

static struct delivery *courier_find(struct courier *courier, const char *id)
{
	for (size_t i = 0; i < courier->n_deliveries; i++)
		if (strcmp(delivery_id(courier->deliveries[i]), id) == 0)
			return courier->deliveries[i];
	return NULL;
}

/* Alerts of the last run: each delivery takes up its own, and the first other one is dropped. */
struct taking_up {
	struct courier *courier;
	int64_t orphan;
};

static bool take_up(void *context, const struct open_alert *alert)
{
	static const char prefix[] = "fault/" TROUBLE_KEY;
	struct taking_up *taking = context;
	if (strncmp(alert->key, prefix, sizeof prefix - 1) != 0)
		return true;
	struct delivery *delivery = courier_find(taking->courier, alert->key + sizeof prefix - 1);
	if (delivery != NULL)
		delivery_alarmed(delivery);
	else
		taking->orphan = alert->id;
	return delivery != NULL;
}

static int take_up_alerts(struct courier *courier, struct ledger *ledger)
{
	struct taking_up taking;
	int rc;
	do {
		taking = (struct taking_up){.courier = courier};
		rc = ledger_open_alerts(ledger, take_up, &taking);
		if (rc == 0 && taking.orphan != 0)
			rc = ledger_drop_alert(ledger, taking.orphan, pause_wall_ms(),
					       "configuration");
	} while (rc == 0 && taking.orphan != 0);
	return rc > 0 ? -EIO : rc;
}

int courier_new(struct courier **out, const struct courier_setup *setup)
{
	struct courier *courier = calloc(1, sizeof *courier);
	if (courier == NULL)
		return -ENOMEM;
	courier->deliveries = calloc(setup->n_deliveries + 1, sizeof *courier->deliveries);
	int rc = courier->deliveries == NULL ? -ENOMEM : 0;
	if (rc == 0)
		rc = pause_init(&courier->idle_pause, setup->heartbeat);
	if (rc == 0)
		rc = ledger_keep_cursors(setup->ledger, "delivery/", is_configured,
					 (void *)(uintptr_t)setup);
	for (size_t i = 0; rc == 0 && i < setup->n_deliveries; i++) {
		rc = delivery_new(&courier->deliveries[i], &setup->deliveries[i], setup);
		courier->n_deliveries += rc == 0;
	}
	if (rc == 0)
		rc = take_up_alerts(courier, setup->ledger);
	if (rc != 0) {
		courier_free(courier);
		return rc;
	}
	*out = courier;
	return 0;
}

int courier_start(struct courier *courier)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < courier->n_deliveries; i++)
		rc = delivery_start(courier->deliveries[i]);
	if (rc == 0 && courier->n_deliveries == 0) {
		rc = -pthread_create(&courier->idle, NULL, idle_run, courier);
		courier->idle_started = rc == 0;
	}
	return rc;
}

void courier_wake(struct courier *courier)
{
	for (size_t i = 0; i < courier->n_deliveries; i++)
		delivery_wake(courier->deliveries[i]);
}

void courier_stop(struct courier *courier)
{
	for (size_t i = 0; i < courier->n_deliveries; i++)
		delivery_stop(courier->deliveries[i]);
	pause_stop(&courier->idle_pause);
	for (size_t i = 0; i < courier->n_deliveries; i++)
		delivery_join(courier->deliveries[i]);
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
		delivery_free(courier->deliveries[i]);
	pause_deinit(&courier->idle_pause);
	free(courier->deliveries);
	free(courier);
	return NULL;
}

void courier_json(struct courier *courier, struct text *out)
{
	text_add(out, "{\"deliveries\":[");
	for (size_t i = 0; i < courier->n_deliveries; i++) {
		text_add(out, i > 0 ? "," : "");
		delivery_json(courier->deliveries[i], out);
	}
	text_add(out, "]}");
}

bool courier_test(struct courier *courier, const char *id, int64_t *test)
{
	struct delivery *delivery = courier_find(courier, id);
	if (delivery != NULL)
		*test = delivery_test(delivery);
	return delivery != NULL;
}
