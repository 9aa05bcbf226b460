/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The next plan of a reload, while the lock is held: a client whose settings are the same stays
 * connected and hears what is wanted now; one that is gone, or changed, is ended behind the swap.
 */
#include "drivers/mqtt/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int mqtt_prepare(const struct driver_host *host, const void *connections, size_t n,
		 const void *instance, void **next)
{
	const struct mqtt *mqtt = instance;
	struct mqtt *with = NULL;
	int error = mqtt_new(&with, host, connections, n);
	if (error == 0) /* room for all that may have to be ended */
		with->leaving = calloc(mqtt->n_clients + 1, sizeof(struct client *));
	if (error == 0 && with->leaving == NULL) {
		mqtt_free(with);
		return -ENOMEM;
	}
	*next = with;
	return error;
}

void mqtt_drop(void *next)
{
	struct mqtt *mqtt = next;
	if (mqtt == NULL)
		return;
	free(mqtt->leaving);
	mqtt_free(mqtt);
}

/* Not by pthread_mutex_clocklock(), which the thread sanitizer does not know. */
static bool lock_within(pthread_mutex_t *lock, int64_t until_ms)
{
	while (pthread_mutex_trylock(lock) != 0) {
		if (mqtt_now_ms() >= until_ms)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return true;
}

bool mqtt_hold(void *instance, int timeout_ms)
{
	struct mqtt *mqtt = instance;
	int64_t until_ms = mqtt_now_ms() + timeout_ms;
	if (!lock_within(&mqtt->next, until_ms))
		return false;
	bool held = lock_within(&mqtt->lock, until_ms);
	pthread_mutex_unlock(&mqtt->next);
	return held;
}

static bool same_filters(const struct interest *a, const struct interest *b)
{
	if (a->n_filters != b->n_filters)
		return false;
	for (size_t i = 0; i < a->n_filters; i++)
		if (strcmp(a->filters[i], b->filters[i]) != 0)
			return false;
	return true;
}

/* Lock held. @client serves what @fresh was made for. */
static void client_retarget(struct client *client, struct client *fresh)
{
	struct mqtt_connection *own = &client->own;
	own->connection = fresh->own.connection;
	own->points = fresh->own.points;
	own->n_points = fresh->own.n_points;
	own->ack = fresh->own.ack;
	own->ack_timeout_ms = fresh->own.ack_timeout_ms;
	client->wants = fresh->wants;
}

/* Lock held. The same broker in the same way: only what is wanted from it may be new. */
static void client_absorb(struct client *client, struct client *fresh)
{
	struct wants *wants = fresh->owned;
	client_retarget(client, fresh);
	client->wants_more =
		client->connected && !same_filters(&wants->interest, &client->owned->interest);
	wants->older = client->owned;
	client->owned = wants;
	fresh->owned = fresh->wants = NULL;
	client_free(fresh);
}

/* Lock held. Return: the client for @fresh from now on; *leaving: the one that is to be ended. */
static struct client *client_for(struct mqtt *mqtt, struct client *fresh, struct client **leaving)
{
	for (size_t i = 0; i < mqtt->n_clients; i++) {
		struct client *client = mqtt->clients[i];
		if (client == NULL || strcmp(client->config->id, fresh->config->id) != 0)
			continue;
		mqtt->clients[i] = NULL;
		if (client_same_settings(client->config, fresh->config)) {
			client_absorb(client, fresh);
			return client;
		}
		client_retarget(client, fresh); /* until its end; then the other begins */
		*leaving = client;
		return fresh;
	}
	return fresh;
}

void *mqtt_succeed(void *next, void *instance)
{
	struct mqtt *mqtt = instance, *with = next;
	mqtt->leaving = with->leaving;
	mqtt->n_leaving = 0;
	for (size_t i = 0; i < with->n_clients; i++) {
		struct client *leaving = NULL;
		with->clients[i]->mqtt = mqtt;
		with->clients[i] = client_for(mqtt, with->clients[i], &leaving);
		if (leaving != NULL)
			mqtt->leaving[mqtt->n_leaving++] = leaving;
	}
	for (size_t i = 0; i < mqtt->n_clients; i++)
		if (mqtt->clients[i] != NULL) {
			mqtt->clients[i]->muted = true;
			mqtt->leaving[mqtt->n_leaving++] = mqtt->clients[i];
		}
	struct client **clients = mqtt->clients;
	mqtt->clients = with->clients;
	mqtt->n_clients = with->n_clients;
	with->clients = clients;
	with->n_clients = 0;
	mqtt_free(with);
	return mqtt;
}

/* Paho may hold one that cannot be ended for ever; what it touches stays, too. */
static void client_leave(struct client *client)
{
	struct mqtt *mqtt = client->mqtt;
	pthread_mutex_lock(&mqtt->lock);
	while (mqtt->nudged == client)
		pthread_cond_wait(&mqtt->changed, &mqtt->lock);
	pthread_mutex_unlock(&mqtt->lock);
	bool ended = client_end(client);
	pthread_mutex_lock(&mqtt->lock);
	client->muted = true;
	client->stuck = !ended;
	client->wants = client->owned;
	mqtt->haunted = mqtt->haunted || !ended;
	pthread_mutex_unlock(&mqtt->lock);
	if (ended)
		client_free(client);
}

static bool is_wanted(const struct interest *interest, const char *filter)
{
	for (size_t i = 0; i < interest->n_filters; i++)
		if (strcmp(interest->filters[i], filter) == 0)
			return true;
	return false;
}

static void client_want(struct client *client)
{
	struct wants *wants = client->owned;
	const struct interest *before = &wants->older->interest;
	client->wants_more = false;
	for (size_t i = 0; i < before->n_filters; i++)
		if (!is_wanted(&wants->interest, before->filters[i]))
			(void)MQTTAsync_unsubscribe(client->handle, before->filters[i], NULL);
	client_subscribe(client, wants);
}

void mqtt_release(void *instance)
{
	struct mqtt *mqtt = instance;
	size_t n = mqtt->n_leaving;
	struct client **leaving = mqtt->leaving;
	mqtt->leaving = NULL;
	mqtt->n_leaving = 0;
	pthread_mutex_unlock(&mqtt->lock);
	for (size_t i = 0; i < n; i++)
		client_leave(leaving[i]);
	free(leaving);
	for (size_t i = 0; i < mqtt->n_clients; i++) {
		struct client *client = mqtt->clients[i];
		if (client->wants_more)
			client_want(client);
		if (client->handle == NULL)
			(void)client_begin(client);
	}
}
