/* SPDX-License-Identifier: Apache-2.0 */
/* The next plan: who listens goes on listening, and whoever dialled in there stays. */
#include "drivers/hj212/internal.h"

#include <string.h>

int hj212_prepare(const struct driver_host *host, const void *connections, size_t n,
		  const void *instance, void **next)
{
	struct hj212 *hj212 = NULL;
	int error = hj212_new(&hj212, host, connections, n, instance);
	*next = hj212;
	return error;
}

void hj212_drop(void *next)
{
	if (next != NULL)
		hj212_free(next);
}

/* Values are counted anew: the next plan may want others of the telegram at hand. Those that are at
 * the door already are known there by their times. */
static void take_session(struct hj212 *hj212, struct session *session)
{
	struct listener *old = session->listener;
	const struct listener *listener = hj212_listener_of(hj212, old->config->listen);
	if (listener == NULL)
		return;
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	session->listener = (struct listener *)(uintptr_t)listener;
	session->way = (struct under_way){.done = 0};
	session_link(session, hj212);
}

static void take_sessions(struct hj212 *hj212, struct hj212 *old)
{
	struct session *next;
	for (struct session *s = old->sessions; s != NULL; s = next) {
		next = s->next;
		take_session(hj212, s);
	}
	while (old->sessions != NULL)
		session_drop(old->sessions);
}

static void take_listener(struct listener *listener, const struct hj212 *old)
{
	struct listener *before =
		(struct listener *)(uintptr_t)hj212_listener_of(old, listener->config->listen);
	if (before != NULL) {
		loop_remove(old->host.loop, before->fd);
		listener->fd = before->fd;
		before->fd = -1;
		memcpy(listener->strange, before->strange, sizeof listener->strange);
	}
	(void)listener_watch(listener); /* only fails without memory: then nobody new is let in */
}

/* What was owed goes on being owed: the ring and its numbers are the same. */
static void take_answers(struct hj212 *hj212, struct hj212 *old)
{
	struct answers none = hj212->answers;
	if (none.at == NULL || old->answers.at == NULL)
		return;
	hj212->answers = old->answers;
	old->answers = none;
}

void *hj212_succeed(void *next, void *instance)
{
	struct hj212 *hj212 = next, *old = instance;
	for (size_t i = 0; i < hj212->n_listeners; i++)
		take_listener(&hj212->listeners[i], old);
	take_sessions(hj212, old);
	take_answers(hj212, old);
	hj212->newest = old->newest;
	loop_relay(hj212->host.loop, old, hj212);
	hj212_free(old);
	return hj212;
}
