/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/resolve.h"

#include "base/log.h"
#include "base/pulse.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_S = 60 };

struct address {
	socklen_t bytes;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at;
};

struct name {
	char *host;
	char port[8];
	struct address *addresses; /* n_found of them */
	unsigned n_found;
	atomic_bool ready; /* release by who found it, acquire by who reads the addresses */
};

struct resolver {
	struct pulse pulse;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;  /* under lock */
	unsigned users; /* under lock: the owner and, while it runs, the thread */
	size_t n_names;
	struct name names[];
};

int resolver_new(struct resolver **out, size_t n)
{
	struct resolver *resolver = calloc(1, sizeof *resolver + n * sizeof(struct name));
	if (resolver == NULL)
		return -ENOMEM;
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&resolver->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&resolver->lock, NULL);
	resolver->users = 1;
	resolver->n_names = n;
	*out = resolver;
	return 0;
}

static int name_keep(struct name *name, const struct address *addresses, unsigned n)
{
	name->addresses = calloc(n, sizeof *addresses);
	if (name->addresses == NULL)
		return EAI_MEMORY;
	memcpy(name->addresses, addresses, n * sizeof *addresses);
	name->n_found = n;
	atomic_store_explicit(&name->ready, true, memory_order_release);
	return 0;
}

/* Return: 0 or the code of getaddrinfo(). */
static int name_look_up(struct name *name, int flags)
{
	struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV,
				 .ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int error = getaddrinfo(name->host, name->port, &hints, &found);
	if (error != 0)
		return error;
	struct address addresses[RESOLVE_ADDRESSES];
	unsigned n = 0;
	for (struct addrinfo *a = found; a != NULL && n < RESOLVE_ADDRESSES; a = a->ai_next) {
		if (a->ai_addrlen > sizeof addresses[n].at)
			continue;
		memcpy(&addresses[n].at, a->ai_addr, a->ai_addrlen);
		addresses[n++].bytes = a->ai_addrlen;
	}
	freeaddrinfo(found);
	return n > 0 ? name_keep(name, addresses, n) : EAI_NONAME;
}

int resolver_ask(struct resolver *resolver, size_t i, const char *host, uint16_t port)
{
	struct name *name = &resolver->names[i];
	name->host = strdup(host);
	if (name->host == NULL)
		return -ENOMEM;
	snprintf(name->port, sizeof name->port, "%u", port);
	(void)name_look_up(name, AI_NUMERICHOST);
	return 0;
}

static bool is_ready(const struct name *name)
{
	/* Acquire, with the release in name_look_up(). */
	return atomic_load_explicit(&name->ready, memory_order_acquire);
}

const struct sockaddr *resolver_address(const struct resolver *resolver, size_t i, unsigned turn,
					socklen_t *bytes)
{
	const struct name *name = &resolver->names[i];
	if (!is_ready(name))
		return NULL;
	unsigned at = turn % name->n_found;
	*bytes = name->addresses[at].bytes;
	return &name->addresses[at].at.any;
}

static void resolver_put(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	bool last = --resolver->users == 0;
	pthread_mutex_unlock(&resolver->lock);
	if (!last)
		return;
	for (size_t i = 0; i < resolver->n_names; i++) {
		free(resolver->names[i].host);
		free(resolver->names[i].addresses);
	}
	pthread_cond_destroy(&resolver->changed);
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

/* Return: false when it is time to end. */
static bool resolver_rest(struct resolver *resolver, int seconds)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&resolver->lock);
	while (!resolver->stopping &&
	       pthread_cond_timedwait(&resolver->changed, &resolver->lock, &until) != ETIMEDOUT)
		;
	bool going_on = !resolver->stopping;
	pthread_mutex_unlock(&resolver->lock);
	return going_on;
}

static bool resolver_pass(struct resolver *resolver, bool say)
{
	bool missing = false;
	for (size_t i = 0; i < resolver->n_names; i++) {
		struct name *name = &resolver->names[i];
		if (name->host == NULL || is_ready(name))
			continue;
		int error = name_look_up(name, 0);
		if (error != 0 && say)
			log_warnx("host \"%s\": %s, trying again every %d s", name->host,
				  gai_strerror(error), RETRY_S);
		missing = missing || error != 0;
	}
	return missing;
}

static void *resolver_run(void *context)
{
	struct resolver *resolver = context;
	bool say = true;
	pulse_begin(&resolver->pulse, PULSE_SLOW, "resolver", NULL);
	while (resolver_pass(resolver, say) && resolver_rest(resolver, RETRY_S)) {
		pulse_beat(&resolver->pulse);
		say = false;
	}
	pulse_end(&resolver->pulse);
	resolver_put(resolver);
	return NULL;
}

static int thread_begin(struct resolver *resolver)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread, &attributes, resolver_run, resolver);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}

int resolver_start(struct resolver *resolver)
{
	bool needed = false;
	for (size_t i = 0; i < resolver->n_names; i++)
		needed = needed ||
			 (resolver->names[i].host != NULL && !is_ready(&resolver->names[i]));
	if (!needed)
		return 0;
	resolver->users++;
	int error = thread_begin(resolver);
	if (error != 0)
		resolver->users--;
	return error;
}

struct resolver *resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return NULL;
	pthread_mutex_lock(&resolver->lock);
	resolver->stopping = true;
	pthread_cond_broadcast(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
	resolver_put(resolver);
	return NULL;
}
